//! How far two distributions are apart.
//!
//! Binning, the filling of empty bins and the norm are those of Evidently 0.7.23, so that its thresholds mean the same here.

use std::collections::BTreeMap;

use crate::distribution::{Distribution, even_edges};

/// Different values of the reference up to which numbers are compared value by value, and not in bins.
const FEW: usize = 20;
/// The smallest spread that distances are divided by.
const SMALLEST_SPREAD: f64 = 0.001;

/// Returns the Kolmogorov-Smirnov statistic: the greatest difference of the two cumulative distributions, 0 to 1.
pub fn kolmogorov_smirnov(before: &Distribution, after: &Distribution) -> Option<f64> {
    let mut worst = 0.0_f64;
    walk(before, after, |_, below_before, below_after| worst = worst.max((below_before - below_after).abs()))?;
    Some(worst)
}

/// Returns the first Wasserstein distance over the standard deviation of `before` as a population, which is at least 0.001.
pub fn wasserstein(before: &Distribution, after: &Distribution, spread: f64) -> Option<f64> {
    let (mut distance, mut last) = (0.0, None::<(f64, f64)>);
    walk(before, after, |value, below_before, below_after| {
        if let Some((from, difference)) = last {
            distance += difference * (value - from);
        }
        last = Some((value, (below_before - below_after).abs()));
    })?;
    Some(distance / spread.max(SMALLEST_SPREAD))
}

/// Hands out the values of both in rising order with the share of each that is up to it.
pub(super) fn walk(before: &Distribution, after: &Distribution, mut take: impl FnMut(f64, f64, f64)) -> Option<()> {
    let (totals, sides) = ((before.total() as f64, after.total() as f64), (before.points(), after.points()));
    if before.total() == 0 || after.total() == 0 {
        return None;
    }
    let (mut i, mut j, mut sums) = (0, 0, (0_u64, 0_u64));
    while i < sides.0.len() || j < sides.1.len() {
        let next = |side: &[(f64, u64)], at: usize| side.get(at).map_or(f64::INFINITY, |(value, _)| *value);
        let value = next(sides.0, i).min(next(sides.1, j));
        if i < sides.0.len() && sides.0[i].0 == value {
            sums.0 += sides.0[i].1;
            i += 1;
        }
        if j < sides.1.len() && sides.1[j].0 == value {
            sums.1 += sides.1[j].1;
            j += 1;
        }
        take(value, sums.0 as f64 / totals.0, sums.1 as f64 / totals.1);
    }
    Some(())
}

/// Shares of rows in the same bins or categories, before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// Share of each bin before.
    pub before: Vec<f64>,
    /// Share of each bin after.
    pub after: Vec<f64>,
}

impl Shares {
    /// Puts numbers into bins: value by value where the reference has at most 20 different ones, else evenly by Sturges' rule over both.
    pub fn of_numbers(before: &Distribution, after: &Distribution, is_whole: bool) -> Option<Self> {
        if before.total() == 0 || after.total() == 0 {
            return None;
        }
        if before.points().len() <= FEW {
            let count = |side: &Distribution| side.points().iter().map(|(value, rows)| (value.to_string(), *rows)).collect();
            return Self::of_categories(&count(before), &count(after));
        }
        let (range_before, range_after) = (before.range()?, after.range()?);
        let (low, high) = (range_before.0.min(range_after.0), range_before.1.max(range_after.1));
        let width = (high - low) / (((before.total() + after.total()) as f64).log2() + 1.0);
        // As NumPy 2 does: bins of whole numbers are not narrower than 1.
        let width = if is_whole { width.max(1.0) } else { width };
        let bins = if width > 0.0 && width.is_finite() { ((high - low) / width).ceil().clamp(1.0, 1_000.0) as usize } else { 1 };
        let edges = even_edges(low, high, bins);
        let share = |side: &Distribution| side.histogram(&edges).into_iter().map(|rows| rows as f64 / side.total() as f64).collect();
        Some(Self { before: share(before), after: share(after) })
    }

    /// Takes rows by category.
    pub fn of_categories(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Option<Self> {
        let totals = (before.values().sum::<u64>() as f64, after.values().sum::<u64>() as f64);
        if totals.0 == 0.0 || totals.1 == 0.0 {
            return None;
        }
        let mut both: BTreeMap<&String, (u64, u64)> = before.iter().map(|(name, rows)| (name, (*rows, 0))).collect();
        for (name, rows) in after {
            both.entry(name).or_insert((0, 0)).1 = *rows;
        }
        let (before, after) = both.values().map(|(before, after)| (*before as f64 / totals.0, *after as f64 / totals.1)).unzip();
        Some(Self { before, after })
    }

    /// Returns the number of bins or categories that have rows before or after.
    pub fn occupied(&self) -> usize {
        self.before.iter().zip(&self.after).filter(|(before, after)| **before > 0.0 || **after > 0.0).count()
    }

    /// Returns the population stability index. Below 0.1 is calm, above 0.25 is a large shift by convention.
    pub fn psi(&self) -> f64 {
        let (before, after) = (filled(&self.before), filled(&self.after));
        before.iter().zip(&after).map(|(before, after)| (before - after) * (before / after).ln()).sum()
    }

    /// Returns the Jensen-Shannon distance in natural units: the square root of the divergence, 0 to 0.833.
    pub fn jensen_shannon(&self) -> f64 {
        let half = |own: f64, mean: f64| if own > 0.0 { own * (own / mean).ln() } else { 0.0 };
        let sums = (self.before.iter().sum::<f64>(), self.after.iter().sum::<f64>());
        let divergence: f64 = self
            .before
            .iter()
            .zip(&self.after)
            .map(|(before, after)| {
                let (before, after) = (before / sums.0, after / sums.1);
                let mean = f64::midpoint(before, after);
                half(before, mean) + half(after, mean)
            })
            .sum();
        (divergence / 2.0).max(0.0).sqrt()
    }
}

/// Empty bins get a little: 0.0001, or a millionth of the smallest share where that is not above 0.0001.
fn filled(shares: &[f64]) -> Vec<f64> {
    let smallest = shares.iter().copied().filter(|share| *share > 0.0).fold(f64::INFINITY, f64::min);
    let fill = if smallest <= 0.0001 { smallest / 1e6 } else { 0.0001 };
    shares.iter().map(|share| if *share == 0.0 { fill } else { *share }).collect()
}
