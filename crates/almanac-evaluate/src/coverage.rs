//! Do the intervals hold? Measured on folds the calibrator has not seen.
//!
//! Not here: making intervals (`conformal`).

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use almanac_series::{Level, Quantile};
use serde::{Deserialize, Serialize};

use crate::{Calibrator, FoldTruth};

/// How often intervals held, beside how often they should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoverageRow {
    /// Name of the hierarchy level.
    pub level: String,
    /// Nominal coverage of the interval.
    pub nominal: f64,
    /// Share of actuals within it, ends included.
    pub empirical: f64,
    /// Share of actuals below it.
    pub below: f64,
    /// Share of actuals above it.
    pub above: f64,
    /// Mean width by mean absolute actual, or `None` if all actuals are 0.
    pub relative_width: Option<f64>,
    /// Number of actuals.
    pub n: usize,
}

/// Calibrates on the older folds and measures on the newest. `folds`: truth and forecast of one model, oldest first. Empty with fewer than two folds.
pub fn empirical_coverage(hierarchy: &Hierarchy, folds: &[(&FoldTruth, &Forecast)], levels: &[Level]) -> Vec<CoverageRow> {
    let Some((newest, older)) = folds.split_last().filter(|(_, older)| !older.is_empty()) else { return Vec::new() };
    let mut tally = Tally::new(hierarchy, levels);
    tally.add(hierarchy, &Calibrator::fit(hierarchy, older), newest, levels);
    tally.rows(hierarchy, levels)
}

/// Measures each fold in turn after calibrating on all others, older and newer: more rows than [`empirical_coverage`], which above all upper levels need,
/// but the others may lie after the measured one.
pub fn cross_coverage(hierarchy: &Hierarchy, folds: &[(&FoldTruth, &Forecast)], levels: &[Level]) -> Vec<CoverageRow> {
    if folds.len() < 2 {
        return Vec::new();
    }
    let mut tally = Tally::new(hierarchy, levels);
    for measured in 0..folds.len() {
        let others: Vec<_> = folds.iter().enumerate().filter(|(k, _)| *k != measured).map(|(_, fold)| *fold).collect();
        tally.add(hierarchy, &Calibrator::fit(hierarchy, &others), &folds[measured], levels);
    }
    tally.rows(hierarchy, levels)
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    n: usize,
    below: usize,
    above: usize,
    width: f64,
    size: f64,
}

/// Counts per hierarchy level and interval level.
struct Tally(Vec<Vec<Count>>);

impl Tally {
    fn new(hierarchy: &Hierarchy, levels: &[Level]) -> Self {
        Self(vec![vec![Count::default(); levels.len()]; hierarchy.levels().len()])
    }

    fn add(&mut self, hierarchy: &Hierarchy, calibrator: &Calibrator, (truth, forecast): &(&FoldTruth, &Forecast), levels: &[Level]) {
        let means = truth.scored_means(hierarchy, forecast);
        let positions = hierarchy.positions_in(forecast);
        let h = truth.horizon.steps();
        let bounds: Vec<[Quantile; 2]> = levels.iter().map(|level| level.bounds().into()).collect();
        for (at, counts) in self.0.iter_mut().enumerate() {
            let (level_truth, name) = (&truth.levels[at], &hierarchy.levels()[at].name);
            for (row, actual) in level_truth.actual.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
                let node = row / h;
                if at == hierarchy.bottom() && positions[node].is_none() {
                    continue;
                }
                for (count, bounds) in counts.iter_mut().zip(&bounds) {
                    let scale = &level_truth.scales[node];
                    let Some(values) = calibrator.quantiles(name, scale, row % h + 1, means.levels[at][row], bounds) else { continue };
                    count.n += 1;
                    count.below += usize::from(*actual < values[0]);
                    count.above += usize::from(*actual > values[1]);
                    count.width += values[1] - values[0];
                    count.size += actual.abs();
                }
            }
        }
    }

    fn rows(&self, hierarchy: &Hierarchy, levels: &[Level]) -> Vec<CoverageRow> {
        let mut rows = Vec::new();
        for (spec, counts) in hierarchy.levels().iter().zip(&self.0) {
            for (level, count) in levels.iter().zip(counts).filter(|(_, count)| count.n > 0) {
                let share = |part: usize| part as f64 / count.n as f64;
                rows.push(CoverageRow {
                    level: spec.name.clone(),
                    nominal: level.coverage(),
                    empirical: share(count.n - count.below - count.above),
                    below: share(count.below),
                    above: share(count.above),
                    relative_width: (count.size > 0.0).then(|| count.width / count.size),
                    n: count.n,
                });
            }
        }
        rows
    }
}
