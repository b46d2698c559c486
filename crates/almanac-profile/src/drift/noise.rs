//! How far two samples of one distribution are apart by chance: what a distance must exceed to say anything.
//!
//! Each is about the 99 % quantile. Of categories: with shares p and q of n and m rows, the sum of (p − q)² over the mean share is distributed
//! as chi-square of k − 1 degrees of freedom times 1/n + 1/m; the divergence of Jensen and Shannon is an eighth of it (and up to 2 ln 2 times
//! that where categories have a row on one side only), the stability index about all of it. Of numbers: at each value the two cumulative shares differ by a normal deviation of √(F (1 − F) (1/n + 1/m)), whose mean
//! size, put together over all values, is the mean of the distance; twice it is rarely reached.

use super::distances::walk;
use crate::distribution::Distribution;

/// The smallest spread that distances are divided by, as in `distances`.
const SMALLEST_SPREAD: f64 = 0.001;
/// √(2/π): mean size of a standard normal deviation.
const MEAN_SIZE: f64 = 0.797_884_560_802_865_4;

/// Returns the Jensen-Shannon distance that chance gives, for categories with rows and the rows before and after.
pub(super) fn jensen_shannon(categories: usize, rows: (u64, u64)) -> f64 {
    // How many of the categories have so few rows that one side may have none.
    let rare = (6.0 * categories as f64 / (rows.0 + rows.1).max(1) as f64).min(1.0);
    let curved = 1.0 + (2.0 * std::f64::consts::LN_2 - 1.0) * rare;
    (chi_square(categories, rows) / 8.0 * curved).sqrt()
}

/// Returns the stability index that chance gives.
pub(super) fn psi(categories: usize, rows: (u64, u64)) -> f64 {
    chi_square(categories, rows)
}

/// Returns the Wasserstein distance over the spread that chance gives; `None` without values.
pub(super) fn wasserstein(before: &Distribution, after: &Distribution, spread: f64) -> Option<f64> {
    let (n, m) = (before.total() as f64, after.total() as f64);
    let (mut sum, mut last) = (0.0, None::<(f64, f64)>);
    walk(before, after, |value, below_before, below_after| {
        if let Some((from, deviation)) = last {
            sum += deviation * (value - from);
        }
        let below = (below_before * n + below_after * m) / (n + m);
        last = Some((value, (below * (1.0 - below)).max(0.0).sqrt()));
    })?;
    Some(2.0 * MEAN_SIZE * sum * (1.0 / n + 1.0 / m).sqrt() / spread.max(SMALLEST_SPREAD))
}

/// The 99 % quantile of chi-square (Wilson and Hilferty, 1931) times 1/n + 1/m.
fn chi_square(categories: usize, rows: (u64, u64)) -> f64 {
    if categories < 2 || rows.0 == 0 || rows.1 == 0 {
        return 0.0;
    }
    let degrees = (categories - 1) as f64;
    let part = 2.0 / (9.0 * degrees);
    let quantile = degrees * (1.0 - part + 2.326_347_874 * part.sqrt()).powi(3);
    quantile * (1.0 / rows.0 as f64 + 1.0 / rows.1 as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::distances::{self, Shares};

    /// Numbers that are as good as random, and the same everywhere.
    fn numbers(seed: u64, count: usize) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64) / ((1_u64 << 53) as f64)
        };
        // About normal.
        (0..count).map(|_| (0..12).map(|_| next()).sum::<f64>() - 6.0).collect()
    }

    #[test]
    fn samples_of_one_distribution_are_rarely_further_apart_than_chance_allows() {
        let (mut over, cases) = ([0; 3], 200);
        for case in 0..cases {
            let (one, other) = (numbers(2 * case + 1, 1_500), numbers(2 * case + 2, 1_200));
            let (before, after) = (Distribution::of_values(&one), Distribution::of_values(&other));
            let spread = 1.0;
            let distance = distances::wasserstein(&before, &after, spread).expect("values");
            over[0] += u32::from(distance > wasserstein(&before, &after, spread).expect("values"));
            let categories = |values: &[f64]| {
                let mut counts = std::collections::BTreeMap::new();
                values.iter().for_each(|value| *counts.entry(format!("{:.0}", (value + 6.0) * 40.0)).or_insert(0) += 1);
                counts
            };
            let shares = Shares::of_categories(&categories(&one), &categories(&other)).expect("values");
            over[1] += u32::from(shares.jensen_shannon() > jensen_shannon(shares.occupied(), (1_500, 1_200)));
            // Without a raised limit every one of these would be drift.
            over[2] += u32::from(shares.jensen_shannon() > 0.1);
        }
        assert!(over[0] <= 8 && over[1] <= 8 && over[2] == cases as u32, "{over:?}");
    }
}
