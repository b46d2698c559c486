//! Scores of one model at one level of one fold, over a range of steps.
//!
//! MASE and RMSSE are means over nodes, WRMSSE is weighted ([`crate::LevelTruth::weight`]); the others pool all scored rows of the level.
//!
//! Not here: folds and models together (`leaderboard`).

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use almanac_series::{Horizon, Quantile};

use crate::metrics::{bias, coverage, mase, mean, rmspe, rmsse, smape, wape, weighted_mean, wql};
use crate::{FoldTruth, LeaderboardRow, ScoredMeans};

/// Returns the ranges of steps (from 1, inclusive) shown beside the whole horizon: its first quarter, second quarter and second half, so that 28
/// days give 1-7, 8-14 and 15-28. None under 4 steps.
pub fn default_buckets(horizon: Horizon) -> Vec<(usize, usize)> {
    let h = horizon.steps();
    if h < 4 { Vec::new() } else { vec![(1, h / 4), (h / 4 + 1, h / 2), (h / 2 + 1, h)] }
}

/// Quantile values of a forecast laid out beside the truth.
struct Rows {
    actual: Vec<f64>,
    values: Vec<f64>,
}

/// Scores a model at `level` over the steps `from..=to`. `means`: [`FoldTruth::scored_means`] of `forecast`, which is a bottom-level one; its own
/// quantiles are scored at the bottom only.
pub fn score_level(
    truth: &FoldTruth,
    hierarchy: &Hierarchy,
    level: usize,
    forecast: &Forecast,
    means: &ScoredMeans,
    (from, to): (usize, usize),
) -> LeaderboardRow {
    let h = truth.horizon.steps();
    let level_truth = &truth.levels[level];
    let n_nodes = hierarchy.levels()[level].nodes.len();
    let (mut actual, mut predicted) = (Vec::new(), Vec::new());
    let (mut mases, mut rmsses) = (Vec::with_capacity(n_nodes), Vec::with_capacity(n_nodes));
    let mut n_series = 0;
    for node in 0..n_nodes {
        let range = node * h + from - 1..node * h + to;
        let (y, f) = (&level_truth.actual[range.clone()], &means.levels[level][range]);
        n_series += usize::from(y.iter().any(|y| !y.is_nan()));
        mases.push(mase(y, f, level_truth.mase_scale[node]));
        rmsses.push(rmsse(y, f, level_truth.rmsse_scale[node]));
        actual.extend_from_slice(y);
        predicted.extend_from_slice(f);
    }
    let rows = (level == hierarchy.bottom() && !forecast.quantiles.is_empty()).then(|| quantile_rows(truth, hierarchy, forecast, from, to));
    LeaderboardRow {
        model: forecast.model.clone(),
        level: hierarchy.levels()[level].name.clone(),
        horizon_from: from,
        horizon_to: to,
        fold: Some(truth.fold.index),
        folds: 1,
        n_series,
        n_missing: means.missing,
        mase: mean(mases.into_iter().flatten()),
        rmsse: mean(rmsses.iter().flatten().copied()),
        wrmsse: weighted_mean(&rmsses, &level_truth.weight),
        wape: wape(&actual, &predicted),
        bias: bias(&actual, &predicted),
        rmspe: rmspe(&actual, &predicted),
        smape: smape(&actual, &predicted),
        wql: rows.as_ref().and_then(|rows| wql(&rows.actual, &rows.values, &forecast.quantiles)),
        coverage: rows.as_ref().map_or_else(Vec::new, |rows| coverages(rows, &forecast.quantiles)),
    }
}

fn quantile_rows(truth: &FoldTruth, hierarchy: &Hierarchy, forecast: &Forecast, from: usize, to: usize) -> Rows {
    let (h, width) = (truth.horizon.steps(), forecast.quantiles.len());
    let mut rows = Rows { actual: Vec::new(), values: Vec::new() };
    for (series, position) in hierarchy.positions_in(forecast).into_iter().enumerate() {
        let Some(position) = position.filter(|position| forecast.series[*position].cutoff == truth.fold.cutoff) else { continue };
        rows.actual.extend_from_slice(&truth.bottom().actual[series * h + from - 1..series * h + to]);
        rows.values.extend_from_slice(&forecast.quantiles_of(position)[(from - 1) * width..to * width]);
    }
    rows
}

/// Returns (level, empirical coverage) of every pair of quantiles that lie as far from 0 as from 1.
fn coverages(rows: &Rows, quantiles: &[Quantile]) -> Vec<(f64, f64)> {
    let width = quantiles.len();
    let column = |k: usize| rows.values.iter().skip(k).step_by(width).copied().collect::<Vec<f64>>();
    let is_pair = |low: usize, high: usize| (quantiles[low].probability() + quantiles[high].probability() - 1.0).abs() < 1e-9;
    let pairs = (0..width / 2).map(|low| (low, width - 1 - low)).filter(|(low, high)| is_pair(*low, *high));
    pairs
        .filter_map(|(low, high)| {
            let level = quantiles[high].probability() - quantiles[low].probability();
            Some(((level * 1e9).round() / 1e9, coverage(&rows.actual, &column(low), &column(high))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::horizon;

    #[test]
    fn four_weeks_are_split_after_the_first_and_the_second() {
        assert_eq!(default_buckets(horizon(28)), [(1, 7), (8, 14), (15, 28)]);
        assert_eq!(default_buckets(horizon(3)), []);
    }
}
