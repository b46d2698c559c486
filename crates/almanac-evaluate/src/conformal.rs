//! Intervals from the errors of backtests: split-conformal, per level of the hierarchy.
//!
//! An error becomes a score by division by the size it was expected to have, σ; the quantiles of scores, times σ, are put around a mean. σ is
//! made of what is known at the cutoff:
//!
//! ```text
//!   σ = S^a · P^(1-a) · (f / m)^b · step factor
//!   S  size of the node's own changes (`NodeScale`), drawn a little towards P      f  the forecast of this step
//!   P  size that a node of this mean has on the level, √(k · m), as counts have    m  the node's recent mean
//! ```
//!
//! `a` and `b` are chosen on the residuals of the level (least mean log σ plus log mean |score|), so that busy and quiet days, large and small nodes
//! are each as uncertain as they were. Scores are then pooled within the level in bins of f/σ, because the shape of a small count is not
//! that of a large one; quantiles are interpolated between bins. Step factors are drawn to 1, tails are widened by Student's t, and a level with few
//! residuals leans on the normal shape, since a total with three folds says little about its own tails.
//!
//! Source: Vovk, Gammerman & Shafer (2005), "Algorithmic learning in a random world"; Lei et al. (2018), "Distribution-free predictive inference
//! for regression", for scores divided by a scale. The exchangeability they need holds between folds only roughly; hence [`crate::CoverageRow`].
//!
//! Not here: whether it worked (`coverage`).

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use almanac_series::{Hint, Quantile};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::normal::{normal_quantile, t_over_normal};
use crate::{FoldTruth, NodeScale};

/// Version of the stored form.
const VERSION: u32 = 1;
/// Probabilities at which scores are kept; others are interpolated.
const GRID: [f64; 31] = [
    0.005, 0.01, 0.02, 0.025, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85,
    0.9, 0.925, 0.95, 0.97, 0.975, 0.98, 0.99, 0.995,
];
/// Scores a bin should hold, and the most bins.
const BIN_SCORES: usize = 400;
const MAX_BINS: usize = 10;
/// Residuals used to choose the exponents.
const MAX_FITTED: usize = 100_000;
/// Residuals that weigh as much as the pooled level in a step factor.
const STEP_SHRINKAGE: f64 = 50.0;
/// Effective residuals from which a level needs no normal shape.
const ENOUGH: f64 = 60.0;
/// How much further off than others a forecast of a series without a history is taken to be.
const COLD_WIDTH: f64 = 2.0;
/// And the least share of its mean: how much a new item will sell is known to half of it at best.
const COLD_SHARE: f64 = 0.5;
/// Differences that the size common to the level counts for in a node's own.
const PRIOR_PAIRS: f64 = 2.0;

/// Why a forecast could not be given intervals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrateError {
    /// No residuals of that level.
    #[error("no intervals were calibrated for level `{level}`")]
    UnknownLevel {
        /// Name of the level.
        level: String,
    },
    /// Not one scale per series.
    #[error("got {got} scales for {expected} series of level `{level}`")]
    Scales {
        /// Name of the level.
        level: String,
        /// Scales given.
        got: usize,
        /// Series of the forecast.
        expected: usize,
    },
}

impl Hint for CalibrateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownLevel { .. } => Some("run the backtest again with the hierarchy as it is now".into()),
            Self::Scales { .. } => None,
        }
    }
}

/// Learnt scores of every level. Its JSON is what is stored with a champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrator {
    /// Version of this form.
    version: u32,
    /// One per level that has residuals.
    levels: Vec<LevelScores>,
}

/// What one level learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LevelScores {
    level: String,
    residuals: usize,
    /// `k` of the header: median over nodes of variance by mean.
    dispersion: f64,
    /// Added to f and m, so that their ratio exists for a node that sold nothing.
    offset: f64,
    /// Least σ.
    floor: f64,
    /// `a` and `b` of the header.
    own_share: f64,
    mean_power: f64,
    /// Last step of each bucket, and its factor.
    steps: Vec<(usize, f64)>,
    bins: Vec<Bin>,
}

/// Scores at the probabilities of [`GRID`], for forecasts of about this size by σ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bin {
    size: f64,
    scores: Vec<f64>,
}

/// One scored row of a backtest.
#[derive(Debug, Clone, Copy)]
struct Residual {
    step: usize,
    error: f64,
    forecast: f64,
    scale: NodeScale,
}

impl Calibrator {
    /// Learns from the residuals of one model (or ensemble) over folds. `folds`: truth and bottom-level forecast; upper levels are summed here.
    pub fn fit(hierarchy: &Hierarchy, folds: &[(&FoldTruth, &Forecast)]) -> Self {
        let means: Vec<_> = folds.iter().map(|(truth, forecast)| truth.scored_means(hierarchy, forecast)).collect();
        let forecast_at: Vec<Vec<Option<usize>>> = folds.iter().map(|(_, forecast)| hierarchy.positions_in(forecast)).collect();
        let levels = (0..hierarchy.levels().len()).into_par_iter().filter_map(|level| {
            let mut residuals = Vec::new();
            let mut active = 0;
            for (k, (truth, _)) in folds.iter().enumerate() {
                let (h, level_truth) = (truth.horizon.steps(), &truth.levels[level]);
                for (node, scale) in level_truth.scales.iter().enumerate() {
                    // A series without a forecast has no interval either: its rows say nothing about the model.
                    if level == hierarchy.bottom() && forecast_at[k][node].is_none() {
                        continue;
                    }
                    let before = residuals.len();
                    for step in 0..h {
                        let (y, forecast) = (level_truth.actual[node * h + step], means[k].levels[level][node * h + step]);
                        if !y.is_nan() {
                            residuals.push(Residual { step: step + 1, error: y - forecast, forecast, scale: *scale });
                        }
                    }
                    active += usize::from(residuals.len() > before);
                }
            }
            let per_fold = active as f64 / folds.len().max(1) as f64;
            (!residuals.is_empty()).then(|| LevelScores::learn(&hierarchy.levels()[level].name, &residuals, folds.len() as f64, per_fold))
        });
        Self { version: VERSION, levels: levels.collect() }
    }

    /// Forgets a level: there the model has quantiles of its own.
    #[must_use]
    pub fn without(mut self, level: &str) -> Self {
        self.levels.retain(|scores| scores.level != level);
        self
    }

    /// Replaces the quantile columns of a forecast of `level`. `scales`: one per series of the forecast, in its order.
    ///
    /// Quantiles do not cross, and are not negative where the history is not. A series without a history ([`Forecast::cold`]) is
    /// taken to be off by half its mean, or twice as far as nodes of its mean are: no cutoff of the backtest could tell how far off such
    /// forecasts are.
    ///
    /// # Errors
    /// [`CalibrateError`] if the level is unknown or scales are missing.
    pub fn apply(&self, level: &str, forecast: &mut Forecast, scales: &[NodeScale], quantiles: &[Quantile]) -> Result<(), CalibrateError> {
        let scores = self
            .levels
            .iter()
            .find(|scores| scores.level == level)
            .ok_or_else(|| CalibrateError::UnknownLevel { level: level.to_owned() })?;
        if scales.len() != forecast.n_series() {
            return Err(CalibrateError::Scales { level: level.to_owned(), got: scales.len(), expected: forecast.n_series() });
        }
        let mut quantiles = quantiles.to_vec();
        quantiles.sort_by(|a, b| a.probability().total_cmp(&b.probability()));
        let h = forecast.horizon.steps();
        let cold: Vec<Option<NodeScale>> = (0..forecast.n_series())
            .map(|series| forecast.cold.contains(&forecast.series[series].id).then(|| NodeScale::of_mean(forecast.mean_of(series))))
            .collect();
        let values: Vec<f64> = forecast
            .mean
            .par_iter()
            .enumerate()
            .flat_map_iter(|(row, mean)| match &cold[row / h] {
                Some(scale) => scores.cold_quantiles(scale, row % h + 1, *mean, &quantiles),
                None => scores.quantiles(&scales[row / h], row % h + 1, *mean, &quantiles),
            })
            .collect();
        forecast.quantiles = quantiles;
        forecast.quantile_values = values;
        Ok(())
    }

    /// Returns the number of residuals behind a level.
    pub fn residuals(&self, level: &str) -> usize {
        self.levels.iter().find(|scores| scores.level == level).map_or(0, |scores| scores.residuals)
    }

    /// Returns the quantiles of one node and step, or `None` for an unknown level.
    pub(crate) fn quantiles(&self, level: &str, scale: &NodeScale, step: usize, mean: f64, quantiles: &[Quantile]) -> Option<Vec<f64>> {
        Some(self.levels.iter().find(|scores| scores.level == level)?.quantiles(scale, step, mean, quantiles))
    }
}

impl LevelScores {
    fn learn(level: &str, residuals: &[Residual], folds: f64, nodes: f64) -> Self {
        let ratio = |residual: &Residual| residual.scale.rms.powi(2) / residual.scale.mean;
        let dispersion = median(residuals.iter().filter(|residual| residual.scale.mean > 0.0).map(ratio)).unwrap_or(0.0);
        let offset = 0.01 * median(residuals.iter().map(|residual| residual.scale.mean.max(0.0))).unwrap_or(0.0);
        let mut scores = Self {
            level: level.to_owned(),
            residuals: residuals.len(),
            dispersion,
            offset: if offset > 0.0 { offset } else { 1e-9 },
            floor: 1e-9,
            own_share: 1.0,
            mean_power: 0.0,
            steps: Vec::new(),
            bins: Vec::new(),
        };
        if let Some(typical) = median(residuals.iter().map(|residual| scores.own_size(&residual.scale))) {
            scores.floor = (1e-3 * typical).max(1e-9);
        }
        scores.choose_exponents(residuals);
        scores.learn_steps(residuals);
        let longest = residuals.iter().map(|residual| residual.step).max().unwrap_or(1) as f64;
        // Steps of a fold and nodes of a level err together: neither counts in full.
        scores.learn_bins(residuals, (folds * (longest / 5.0).max(1.0) * nodes.max(1.0).sqrt()).max(2.0));
        scores
    }

    /// Size that nodes of this mean have on the level.
    fn common_size(&self, scale: &NodeScale) -> f64 {
        (self.dispersion * (scale.mean.max(0.0) + self.offset)).sqrt()
    }

    fn own_size(&self, scale: &NodeScale) -> f64 {
        let (pairs, prior) = (scale.pairs as f64, self.common_size(scale).powi(2));
        ((pairs * scale.rms.powi(2) + PRIOR_PAIRS * prior) / (pairs + PRIOR_PAIRS)).sqrt()
    }

    /// σ without the step factor.
    fn sigma(&self, scale: &NodeScale, forecast: f64) -> f64 {
        let (own, common) = (self.own_size(scale), self.common_size(scale));
        let size = if self.own_share < 1.0 && common > 0.0 {
            own.max(self.floor).powf(self.own_share) * common.powf(1.0 - self.own_share)
        } else {
            own
        };
        let busy = if scale.mean > 0.0 { (forecast.max(0.0) + self.offset) / (scale.mean + self.offset) } else { 1.0 };
        (size * busy.clamp(0.02, 50.0).powf(self.mean_power)).max(self.floor)
    }

    fn choose_exponents(&mut self, residuals: &[Residual]) {
        if residuals.len() < 50 {
            return;
        }
        let stride = residuals.len().div_ceil(MAX_FITTED);
        let mut best = (f64::INFINITY, self.own_share, self.mean_power);
        for own_share in [1.0, 0.75, 0.5, 0.25, 0.0] {
            for mean_power in [0.0, 0.25, 0.5, 0.75, 1.0] {
                (self.own_share, self.mean_power) = (own_share, mean_power);
                let (mut logs, mut sizes, mut n) = (0.0, 0.0, 0.0);
                for residual in residuals.iter().step_by(stride) {
                    let sigma = self.sigma(&residual.scale, residual.forecast);
                    logs += sigma.ln();
                    sizes += residual.error.abs() / sigma;
                    n += 1.0;
                }
                let loss = logs / n + (sizes / n).max(1e-12).ln();
                if loss < best.0 - 1e-9 {
                    best = (loss, own_share, mean_power);
                }
            }
        }
        (_, self.own_share, self.mean_power) = best;
    }

    fn learn_steps(&mut self, residuals: &[Residual]) {
        let longest = residuals.iter().map(|residual| residual.step).max().unwrap_or(1);
        let mut ends = vec![1];
        while ends[ends.len() - 1] < longest {
            ends.push((ends[ends.len() - 1] * 2 + 1).min(longest));
        }
        let mut sums = vec![(0.0, 0.0); ends.len()];
        for residual in residuals {
            let bucket = ends.partition_point(|end| *end < residual.step);
            sums[bucket].0 += residual.error.abs() / self.sigma(&residual.scale, residual.forecast);
            sums[bucket].1 += 1.0;
        }
        let pooled = sums.iter().map(|(sum, _)| sum).sum::<f64>() / residuals.len() as f64;
        let factor = |(sum, n): (f64, f64)| {
            if pooled > 0.0 { (sum + STEP_SHRINKAGE * pooled) / (n + STEP_SHRINKAGE) / pooled } else { 1.0 }
        };
        self.steps = ends.into_iter().zip(sums.into_iter().map(factor)).collect();
    }

    fn step_factor(&self, step: usize) -> f64 {
        let bucket = self.steps.partition_point(|(end, _)| *end < step).min(self.steps.len() - 1);
        self.steps[bucket].1
    }

    fn learn_bins(&mut self, residuals: &[Residual], effective: f64) {
        let mut scored: Vec<(f64, f64)> = residuals
            .iter()
            .map(|residual| {
                let sigma = self.sigma(&residual.scale, residual.forecast);
                (residual.forecast / sigma, residual.error / (sigma * self.step_factor(residual.step)))
            })
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let n_bins = (scored.len() / BIN_SCORES).clamp(1, MAX_BINS);
        let mut start = 0;
        for bin in 1..=n_bins {
            // Equal sizes stay in one bin.
            let mut end = (scored.len() * bin / n_bins).max(start);
            while end > start && end < scored.len() && scored[end].0 == scored[end - 1].0 {
                end += 1;
            }
            if end > start {
                let size = scored[usize::midpoint(start, end)].0;
                let mut scores: Vec<f64> = scored[start..end].iter().map(|(_, score)| *score).collect();
                scores.sort_by(f64::total_cmp);
                self.bins.push(Bin { size, scores: GRID.iter().map(|p| score_quantile(&scores, *p, effective)).collect() });
                start = end;
            }
        }
    }

    /// Returns the score at probability `p` for a forecast of this size by σ.
    fn score(&self, size: f64, p: f64) -> f64 {
        let above = self.bins.partition_point(|bin| bin.size < size);
        if above == 0 || above == self.bins.len() {
            return interpolate(&GRID, &self.bins[above.min(self.bins.len() - 1)].scores, p);
        }
        let (low, high) = (&self.bins[above - 1], &self.bins[above]);
        let share = (size - low.size) / (high.size - low.size);
        (1.0 - share) * interpolate(&GRID, &low.scores, p) + share * interpolate(&GRID, &high.scores, p)
    }

    /// Quantiles of a forecast that has no history to go by: as far apart as a normal distribution's that is off by [`COLD_SHARE`] of its mean,
    /// or [`COLD_WIDTH`] times as far as those of nodes of this mean.
    fn cold_quantiles(&self, scale: &NodeScale, step: usize, mean: f64, quantiles: &[Quantile]) -> Vec<f64> {
        let usual = self.quantiles(scale, step, mean, quantiles);
        let value = |(quantile, usual): (&Quantile, f64)| {
            let z = normal_quantile(quantile.probability());
            let apart = (COLD_WIDTH * (usual - mean).abs()).max(COLD_SHARE * mean.abs() * z.abs());
            let least = if scale.is_non_negative { 0.0 } else { f64::MIN };
            (mean + apart.copysign(z)).clamp(f64::MIN, f64::MAX).max(least)
        };
        let mut values: Vec<f64> = quantiles.iter().zip(usual).map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn quantiles(&self, scale: &NodeScale, step: usize, mean: f64, quantiles: &[Quantile]) -> Vec<f64> {
        let sigma = self.sigma(scale, mean);
        let width = sigma * self.step_factor(step);
        let mut least = if scale.is_non_negative { 0.0 } else { f64::MIN };
        let value = |quantile: &Quantile| {
            least = (mean + width * self.score(mean / sigma, quantile.probability())).clamp(f64::MIN, f64::MAX).max(least);
            least
        };
        quantiles.iter().map(value).collect()
    }
}

/// Returns the finite-sample quantile of sorted scores: the `⌈(n+1)p⌉`-th above the median, the `⌊(n+1)p⌋`-th below, drawn to the normal shape
/// and widened by Student's t as far as `effective` residuals are few.
fn score_quantile(sorted: &[f64], p: f64, effective: f64) -> f64 {
    let n = sorted.len();
    let rank = (n as f64 + 1.0) * p;
    // A hair's breadth, so that 0.9 · 10 is 9 and not 9.000000000000002.
    let rank = if p < 0.5 { (rank + 1e-9).floor() } else { (rank - 1e-9).ceil() };
    let empirical = sorted[(rank as usize).clamp(1, n) - 1];
    let median = sorted[n / 2];
    let weight = (effective / ENOUGH).min(1.0);
    let deviation = sorted.iter().map(|score| score.abs()).sum::<f64>() / n as f64 * std::f64::consts::FRAC_PI_2.sqrt();
    let leaning = weight * empirical + (1.0 - weight) * deviation * normal_quantile(p);
    let centre = weight * median;
    centre + (leaning - centre) * t_over_normal(p, effective)
}

/// Returns the value at `x` between the points (`xs` ascending), the first or last beyond them.
fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let above = xs.partition_point(|at| *at < x - 1e-9);
    if above == 0 {
        return ys[0];
    }
    if above == xs.len() {
        return ys[ys.len() - 1];
    }
    let share = ((x - xs[above - 1]) / (xs[above] - xs[above - 1])).min(1.0);
    ys[above - 1] + share * (ys[above] - ys[above - 1])
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests;
