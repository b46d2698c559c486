//! How one column differs between two profiles.

use std::collections::BTreeMap;

use super::distances::{Shares, kolmogorov_smirnov, wasserstein};
use super::noise;
use super::tests::{chi_square_p_value, ks_p_value, share_p_value};
use super::{CategoryCount, Change, ColumnDrift, DriftOptions, Method, PeriodDrift};
use crate::column::{ColumnProfile, NumberProfile, TimeProfile, Values};
use crate::distribution::Distribution;
use crate::sketch::counts::Counts;
use crate::summary::{bars, middle};

/// Rows before up to which a statistical test decides, and a distance beyond.
const SMALL: u64 = 1_000;
/// Values of a number up to which it is compared as a category.
const FEW: u64 = 5;
/// Rows with values from which a column can be an identifier.
const NAMING: u64 = 100;
/// Different values over rows from which it is one.
const NAMED: f64 = 0.95;
/// Numbers that name rows lie close: the range over the different values is at most this.
const GAPS: f64 = 4.0;
/// Bars of a picture.
const BARS: usize = 20;
/// Categories of a picture.
const BAR_NAMES: usize = 8;
/// Stands for the rows of all categories that are not told apart.
const REST: &str = "\u{1f}rest";

pub(super) fn compare(before: &ColumnProfile, after: &ColumnProfile, options: &DriftOptions) -> ColumnDrift {
    let missing = Change { before: before.missing_share(), after: after.missing_share() };
    let distinct = |column: &ColumnProfile| column.distinct().map(|(count, _)| count);
    let mut drift = ColumnDrift {
        name: after.name.clone(),
        kind: after.values.kind(),
        is_drift: false,
        is_identifier: is_identifier(before) && is_identifier(after),
        method: None,
        score: None,
        threshold: None,
        is_threshold_raised: false,
        is_exact: true,
        ks: None,
        ks_p_value: None,
        wasserstein: None,
        psi: None,
        jensen_shannon: None,
        chi_square_p_value: None,
        missing,
        is_missing_drift: is_missing_drift(before, after, options),
        distinct: Change { before: distinct(before), after: distinct(after) },
        mean: Change { before: None, after: None },
        stdev: Change { before: None, after: None },
        new_categories: None,
        new_category_count: None,
        vanished_categories: None,
        vanished_category_count: None,
        bars: Change { before: Vec::new(), after: Vec::new() },
        bar_names: Vec::new(),
        periods: None,
    };
    match (&before.values, &after.values) {
        (Values::Number(old), Values::Number(new)) => of_numbers(&mut drift, old, new, before.rows, options),
        (Values::Text(old), Values::Text(new)) => {
            let exact = old.counts.is_exact() && new.counts.is_exact();
            let rows = (old.lengths.count, new.lengths.count);
            let categories = (categories(&old.counts, rows.0), categories(&new.counts, rows.1));
            of_categories(&mut drift, &categories.0, &categories.1, exact, before.rows, options);
        }
        (Values::Bool { yes, no }, Values::Bool { yes: new_yes, no: new_no }) => {
            let both = |yes: u64, no: u64| {
                let mut both = BTreeMap::from([("true".to_owned(), yes), ("false".to_owned(), no)]);
                both.retain(|_, rows| *rows > 0);
                both
            };
            of_categories(&mut drift, &both(*yes, *no), &both(*new_yes, *new_no), true, before.rows, options);
        }
        (Values::Time(old), Values::Time(new)) => drift.periods = Some(of_times(old, new, options)),
        _ => {}
    }
    drift.is_drift |= drift.is_missing_drift;
    drift
}

/// Whether the share of missing values changed by as much as is told, and by more than chance does with so few rows.
fn is_missing_drift(before: &ColumnProfile, after: &ColumnProfile, options: &DriftOptions) -> bool {
    let is_much = (after.missing_share() - before.missing_share()).abs() >= options.missing;
    is_much && share_p_value((before.missing(), before.rows), (after.missing(), after.rows)).is_some_and(|p| p < 0.05)
}

/// Whether nearly every row has a value of its own. Of numbers only whole ones that lie close are such: measures are all different too.
fn is_identifier(column: &ColumnProfile) -> bool {
    let present = column.rows.saturating_sub(column.missing());
    let Some((distinct, _)) = column.distinct().filter(|_| present >= NAMING) else { return false };
    let is_close = match &column.values {
        Values::Text(_) => true,
        Values::Number(own) => own.is_whole && own.moments.max - own.moments.min <= GAPS * distinct as f64,
        _ => false,
    };
    is_close && distinct as f64 >= NAMED * present as f64
}

fn of_numbers(drift: &mut ColumnDrift, old: &NumberProfile, new: &NumberProfile, rows: u64, options: &DriftOptions) {
    let (before, after) = (Distribution::of(old), Distribution::of(new));
    let some = |own: &NumberProfile| (own.moments.count > 0).then_some(own.moments.mean);
    drift.mean = Change { before: some(old), after: some(new) };
    drift.stdev = Change { before: old.moments.stdev(), after: new.moments.stdev() };
    drift.is_exact = before.is_exact() && after.is_exact();
    drift.ks = kolmogorov_smirnov(&before, &after);
    drift.ks_p_value = drift.ks.map(|ks| ks_p_value(ks, before.total(), after.total()));
    let spread = spread(old, &before);
    drift.wasserstein = wasserstein(&before, &after, spread);
    let shares = Shares::of_numbers(&before, &after, old.is_whole && new.is_whole);
    drift.psi = shares.as_ref().map(Shares::psi);
    drift.jensen_shannon = shares.as_ref().map(Shares::jensen_shannon);
    if let (Some((low, high)), Some((other_low, other_high))) = (middle(&before), middle(&after)) {
        let range = Some((low.min(other_low), high.max(other_high)));
        let shown = |side: &Distribution| {
            let total = side.total() as f64;
            bars(side, BARS, range, old.is_whole && new.is_whole).into_iter().map(|rows| rows as f64 / total).collect()
        };
        drift.bars = Change { before: shown(&before), after: shown(&after) };
    }
    let values = values_of_both(&old.counts, &new.counts);
    let few = values.filter(|values| *values <= FEW);
    let method = options.number_method.or(match few {
        _ if drift.ks.is_none() || drift.is_identifier => None,
        Some(values) if rows <= SMALL => Some(if values > 2 { Method::ChiSquare } else { Method::Z }),
        Some(_) => Some(Method::JensenShannon),
        None if rows <= SMALL => Some(Method::Ks),
        None => Some(Method::Wasserstein),
    });
    let chance = chance(method, &before, &after, shares.as_ref(), spread);
    if few.is_some() || matches!(method, Some(Method::ChiSquare | Method::Z)) {
        let name = |own: &NumberProfile| own.counts.sorted().into_iter().map(|(value, rows)| (value.get().to_string(), rows)).collect();
        let (before, after) = (name(old), name(new));
        drift.chi_square_p_value = chi_square_p_value(&before, &after);
        if few.is_some() {
            tell_categories(drift, &before, &after, options);
        }
        decide(drift, method, z(&old.counts, &new.counts), chance, options);
    } else {
        decide(drift, method, None, chance, options);
    }
}

/// The standard deviation of the values as a population. Squares of values near the end of floats are beyond it: these are scaled first.
fn spread(own: &NumberProfile, distribution: &Distribution) -> f64 {
    let scale = own.moments.min.abs().max(own.moments.max.abs());
    if scale < 1e150 || distribution.total() == 0 {
        return own.moments.population_stdev().unwrap_or(0.0);
    }
    let (mean, total) = (own.moments.mean / scale, distribution.total() as f64);
    let squares = distribution.points().iter().map(|(value, rows)| (value / scale - mean).powi(2) * (*rows as f64 / total));
    squares.sum::<f64>().sqrt() * scale
}

/// What chance alone gives, of numbers.
fn chance(method: Option<Method>, before: &Distribution, after: &Distribution, shares: Option<&Shares>, spread: f64) -> Option<f64> {
    let rows = (before.total(), after.total());
    match method? {
        Method::Wasserstein => noise::wasserstein(before, after, spread),
        Method::JensenShannon => Some(noise::jensen_shannon(shares?.occupied(), rows)),
        Method::Psi => Some(noise::psi(shares?.occupied(), rows)),
        Method::Ks | Method::ChiSquare | Method::Z => None,
    }
}

/// The number of different values of both, where every one is known.
fn values_of_both<K: Eq + std::hash::Hash + Ord + Clone>(old: &Counts<K>, new: &Counts<K>) -> Option<u64> {
    if !old.is_exact() || !new.is_exact() {
        return None;
    }
    let known: Vec<K> = old.sorted().into_iter().map(|(value, _)| value).collect();
    Some((known.len() + new.sorted().iter().filter(|(value, _)| known.binary_search(value).is_err()).count()) as u64)
}

/// The z-test for the share of the values that are not the smallest, where there are two.
fn z<K: Eq + std::hash::Hash + Ord + Clone>(old: &Counts<K>, new: &Counts<K>) -> Option<f64> {
    let (old, new) = (old.sorted(), new.sorted());
    let smallest = old.iter().chain(&new).map(|(value, _)| value).min()?;
    let others = |side: &[(K, u64)]| {
        let all = side.iter().map(|(_, rows)| rows).sum::<u64>();
        let same: u64 = side.iter().filter(|(value, _)| value == smallest).map(|(_, rows)| rows).sum();
        (all - same, all)
    };
    share_p_value(others(&old), others(&new))
}

/// Rows by category; what is not told apart is one more.
fn categories(counts: &Counts<String>, rows: u64) -> BTreeMap<String, u64> {
    let mut categories: BTreeMap<String, u64> = counts.sorted().into_iter().collect();
    let rest = rows.saturating_sub(categories.values().sum());
    if rest > 0 {
        categories.insert(REST.to_owned(), rest);
    }
    categories
}

fn of_categories(
    drift: &mut ColumnDrift,
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
    is_exact: bool,
    rows: u64,
    options: &DriftOptions,
) {
    drift.is_exact = is_exact;
    let shares = Shares::of_categories(before, after);
    drift.psi = shares.as_ref().map(Shares::psi);
    drift.jensen_shannon = shares.as_ref().map(Shares::jensen_shannon);
    if is_exact {
        drift.chi_square_p_value = chi_square_p_value(before, after);
        tell_categories(drift, before, after, options);
    }
    let values = before.len() + after.keys().filter(|name| !before.contains_key(*name)).count();
    let method = options.category_method.or(match values {
        _ if shares.is_none() || drift.is_identifier => None,
        _ if rows > SMALL || !is_exact => Some(Method::JensenShannon),
        0..=2 => Some(Method::Z),
        _ => Some(Method::ChiSquare),
    });
    let smallest = before.keys().chain(after.keys()).min().cloned().unwrap_or_default();
    let others = |side: &BTreeMap<String, u64>| {
        let all: u64 = side.values().sum();
        (all - side.get(&smallest).copied().unwrap_or(0), all)
    };
    let z = share_p_value(others(before), others(after));
    tell_bars(drift, before, after);
    let totals = (before.values().sum(), after.values().sum());
    let chance = shares.and_then(|shares| match method? {
        Method::JensenShannon => Some(noise::jensen_shannon(shares.occupied(), totals)),
        Method::Psi => Some(noise::psi(shares.occupied(), totals)),
        _ => None,
    });
    decide(drift, method, z, chance, options);
}

fn tell_categories(drift: &mut ColumnDrift, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, options: &DriftOptions) {
    let only = |have: &BTreeMap<String, u64>, lack: &BTreeMap<String, u64>| {
        let mut only: Vec<CategoryCount> = have
            .iter()
            .filter(|(name, _)| !lack.contains_key(*name))
            .map(|(value, rows)| CategoryCount { value: value.clone(), rows: *rows })
            .collect();
        only.sort_by_key(|category| std::cmp::Reverse(category.rows));
        let count = only.len() as u64;
        only.truncate(options.names);
        (Some(only), Some(count))
    };
    (drift.new_categories, drift.new_category_count) = only(after, before);
    (drift.vanished_categories, drift.vanished_category_count) = only(before, after);
}

/// The most frequent categories of both, most frequent first.
fn tell_bars(drift: &mut ColumnDrift, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) {
    let totals = (before.values().sum::<u64>().max(1) as f64, after.values().sum::<u64>().max(1) as f64);
    let share = |side: &BTreeMap<String, u64>, name: &String, total: f64| side.get(name).copied().unwrap_or(0) as f64 / total;
    let mut names: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.retain(|name| name.as_str() != REST);
    let weight = |name: &String| share(before, name, totals.0).max(share(after, name, totals.1));
    names.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.cmp(b)));
    names.truncate(BAR_NAMES);
    drift.bars = Change {
        before: names.iter().map(|name| share(before, name, totals.0)).collect(),
        after: names.iter().map(|name| share(after, name, totals.1)).collect(),
    };
    drift.bar_names = names.into_iter().cloned().collect();
}

/// Compares what a test gave with its limit. `chance`: what a distance is by chance alone, in one of a hundred cases.
fn decide(drift: &mut ColumnDrift, method: Option<Method>, z: Option<f64>, chance: Option<f64>, options: &DriftOptions) {
    let Some(method) = method else { return };
    let score = match method {
        Method::Ks => drift.ks_p_value,
        Method::ChiSquare => drift.chi_square_p_value,
        Method::Z => z,
        Method::Wasserstein => drift.wasserstein,
        Method::JensenShannon => drift.jensen_shannon,
        Method::Psi => drift.psi,
    };
    let asked = options.limits.get(&method).copied().or(options.threshold);
    let threshold = asked.unwrap_or_else(|| method.threshold().max(chance.filter(|chance| chance.is_finite()).unwrap_or(0.0)));
    drift.is_threshold_raised = asked.is_none() && threshold > method.threshold();
    drift.method = Some(method);
    drift.threshold = Some(threshold);
    drift.score = score;
    drift.is_drift = score.is_some_and(|score| match method {
        Method::Ks => score <= threshold,
        _ if method.is_p_value() => score < threshold,
        _ => score >= threshold,
    });
}

fn of_times(old: &TimeProfile, new: &TimeProfile, options: &DriftOptions) -> PeriodDrift {
    let (before, after) = (old.periods.natural(), new.periods.natural());
    let unit = match (before.rows().is_empty(), after.rows().is_empty()) {
        (true, _) => after.unit(),
        (_, true) => before.unit(),
        // The coarser where one was made coarse to fit, else the finer.
        _ => before.unit().min(after.unit()).max(old.periods.unit()).max(new.periods.unit()),
    };
    let (before, after) = (old.periods.at(unit), new.periods.at(unit));
    let range = |rows: &BTreeMap<i64, u64>| {
        let (first, last) = (rows.keys().next()?, rows.keys().next_back()?);
        Some((unit.label(*first), unit.label(*last)))
    };
    let mut drift = PeriodDrift {
        unit,
        new: after.rows().keys().filter(|index| !before.rows().contains_key(*index)).count() as u64,
        vanished: 0,
        changed: 0,
        same: 0,
        before: range(before.rows()),
        after: range(after.rows()),
        examples: Vec::new(),
    };
    for (index, rows) in before.rows() {
        let now = after.rows().get(index).copied().unwrap_or(0);
        match now {
            0 => drift.vanished += 1,
            now if now == *rows => drift.same += 1,
            _ => drift.changed += 1,
        }
        if now != *rows && drift.examples.len() < options.names {
            drift.examples.push((unit.label(*index), *rows, now));
        }
    }
    drift
}
