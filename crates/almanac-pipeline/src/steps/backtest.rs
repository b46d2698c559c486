//! The backtest: every model at every cutoff, each one an asset, so that a killed run goes on where it was.

use almanac_data::{read_forecast, write_forecast};
use almanac_evaluate::{BacktestError, Fold, plan_folds, run_fold};
use almanac_model::{FitError, Forecast, Forecaster};
use almanac_series::{Panel, Period, Quantile};
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::panel::LazyPanel;
use crate::progress::Event;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 4;

/// Cutoffs of the backtest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldsSummary {
    /// Periods of the cutoffs, oldest first.
    pub cutoffs: Vec<i64>,
    /// The same as text.
    pub labels: Vec<String>,
    /// Steps between them.
    pub stride: usize,
    /// Why there are fewer than asked for.
    pub reduced: Option<String>,
}

impl FoldsSummary {
    /// Returns the folds.
    pub fn folds(&self) -> Vec<Fold> {
        self.cutoffs.iter().enumerate().map(|(index, cutoff)| Fold { index, cutoff: Period(*cutoff) }).collect()
    }
}

/// One model at one cutoff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldSummary {
    /// Series forecast.
    pub series: usize,
    /// Series left out, and why (the first hundred).
    pub skipped: Vec<(String, String)>,
    /// How many were left out.
    pub n_skipped: usize,
    /// Why the model has no forecast at all.
    pub failed: Option<String>,
}

/// Lays out the cutoffs.
pub(crate) fn plan(ctx: Context<'_>, silver: &Fingerprint, panel: &LazyPanel) -> Result<Made<FoldsSummary>, RunError> {
    let settings = ctx.settings;
    let fingerprint = Fingerprint::of("folds", REVISION)
        .input(silver)
        .config(
            "folds",
            &(settings.folds, settings.fold_stride, settings.horizon.steps(), settings.season_length.map(|season| season.steps())),
        )
        .finish();
    ctx.assets.get_or_make("folds", fingerprint, &[], || {
        let panel = panel.get()?;
        let season = settings.season_length.unwrap_or_else(|| panel.freq().season_length());
        let stride = settings.fold_stride.unwrap_or_else(|| usual_stride(panel, settings.horizon.steps(), settings.folds, season.steps()));
        let plan = plan_folds(panel, settings.horizon, settings.folds, Some(stride), season)?;
        let label = |fold: &Fold| panel.freq().label(fold.cutoff);
        Ok(FoldsSummary {
            cutoffs: plan.folds.iter().map(|fold| fold.cutoff.0).collect(),
            labels: plan.folds.iter().map(label).collect(),
            stride,
            reduced: plan.reduced(),
        })
    })
}

/// Test rows of the folds do not overlap where the history is long. A short one is not spent on that: the oldest fold keeps two
/// seasons or three fifths of the history to learn from, whichever is less, and the cutoffs move together instead.
fn usual_stride(panel: &Panel, horizon: usize, folds: usize, season: usize) -> usize {
    let (Some(first), Some(last)) = (panel.first_period(), panel.last_period()) else { return horizon };
    let history = last.since(first) as usize + 1;
    // Fewer rows than this are no training set, see `plan_folds`.
    let least = horizon.max(4);
    let kept = (2 * season + 1).min(history * 3 / 5).max(least);
    let room = history.saturating_sub(horizon + kept);
    let apart = room / folds.saturating_sub(1).max(1);
    apart.clamp(1, horizon.max(1))
}

/// Runs one model at one cutoff.
pub(crate) fn make(
    ctx: Context<'_>,
    silver: &Fingerprint,
    panel: &LazyPanel,
    fold: Fold,
    model: &str,
) -> Result<Made<FoldSummary>, RunError> {
    let settings = ctx.settings;
    let name = asset_name(fold, model);
    let fingerprint = Fingerprint::of(&name, REVISION)
        .input(silver)
        .config("model", &ctx.models.describe(model))
        .config("fold", &(fold.cutoff.0, settings.horizon.steps(), settings.seed.0))
        .finish();
    let out = path(ctx, fold, model);
    ctx.assets.get_or_make(&name, fingerprint, std::slice::from_ref(&out), || {
        let forecaster = ctx.models.forecaster(model).ok_or_else(|| PipelineError::UnknownModel { model: model.to_owned() })?;
        let panel = panel.get()?;
        let quantiles = learnt_quantiles(forecaster.as_ref(), &settings.quantiles);
        let (forecast, failed) = match run_fold(panel, &fold, forecaster.as_ref(), settings.horizon, &quantiles, settings.seed) {
            Ok(forecast) => (forecast, None),
            // Not a verdict on the series, and not to be remembered: it is mended outside.
            Err(error @ BacktestError::Fit { source: FitError::NoLibrary { .. }, .. }) => return Err(PipelineError::NoLibrary(error)),
            // One model that can do nothing with these series does not stop the others.
            Err(error) => (Forecast::empty(model, panel.freq(), settings.horizon, &[]), Some(full_text(&error))),
        };
        write_forecast(&out, &forecast)?;
        let skipped = forecast.skipped.iter().take(100).map(|skipped| (skipped.series.to_string(), skipped.reason.to_string()));
        Ok(FoldSummary { series: forecast.n_series(), skipped: skipped.collect(), n_skipped: forecast.skipped.len(), failed })
    })
}

/// Quantiles that a model has learnt from the errors of many series are kept. Those that follow from a model's own assumptions give way to the
/// calibrated ones.
fn learnt_quantiles(model: &dyn Forecaster, wanted: &[Quantile]) -> Vec<Quantile> {
    let mut quantiles = if model.abilities().global && model.abilities().quantiles { wanted.to_vec() } else { Vec::new() };
    quantiles.sort_by(|a, b| a.probability().total_cmp(&b.probability()));
    quantiles
}

/// Reads what [`make`] wrote.
pub(crate) fn read(ctx: Context<'_>, fold: Fold, model: &str) -> Result<Forecast, PipelineError> {
    Ok(read_forecast(&path(ctx, fold, model))?)
}

/// Runs every model at every cutoff; returns the fingerprints, by fold and then model.
pub(crate) fn make_all(
    ctx: Context<'_>,
    silver: &Fingerprint,
    panel: &LazyPanel,
    folds: &[Fold],
) -> Result<Vec<Vec<Made<FoldSummary>>>, RunError> {
    let total = (folds.len() * ctx.settings.models.len()) as u64;
    let mut done = 0;
    let mut all = Vec::new();
    for fold in folds {
        let mut made = Vec::new();
        for model in &ctx.settings.models {
            made.push(make(ctx, silver, panel, *fold, model)?);
            done += 1;
            ctx.assets.observer().on(&Event::Progress { asset: "backtest", done, total });
        }
        all.push(made);
    }
    Ok(all)
}

/// The models that have a forecast at every cutoff, and for each of the others its name and why not.
pub(crate) fn usable(models: &[String], backtests: &[Vec<Made<FoldSummary>>]) -> (Vec<String>, Vec<(String, String)>) {
    let (mut usable, mut left_out) = (Vec::new(), Vec::new());
    for (index, model) in models.iter().enumerate() {
        match backtests.iter().find_map(|fold| fold[index].summary.failed.clone()) {
            None => usable.push(model.clone()),
            Some(reason) => left_out.push((model.clone(), reason)),
        }
    }
    (usable, left_out)
}

/// An error and its causes in one line.
fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn asset_name(fold: Fold, model: &str) -> String {
    format!("backtest/fold-{}/{model}", fold.index)
}

fn path(ctx: Context<'_>, fold: Fold, model: &str) -> std::path::PathBuf {
    ctx.project.backtest().join(format!("fold-{}--{model}.parquet", fold.index))
}
