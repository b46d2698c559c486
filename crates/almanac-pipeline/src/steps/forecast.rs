//! The forecast: models fitted on the whole panel, every level of the hierarchy forecast, and issued to the forecast table.

use std::collections::BTreeMap;

use almanac_data::{append_forecast, issue_of};
use almanac_hierarchy::{Hierarchy, coherence_check};
use almanac_model::FitError;
use almanac_series::{Period, SeriesId};
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::bundle::{self, Bundle};
use crate::fingerprint::Fingerprint;
use crate::panel::LazyPanel;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 4;
/// Series named in a summary, of those that were left out or forecast by another model.
const NAMED: usize = 100;

/// One issue of forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastSummary {
    /// Name of the issue in the forecast table.
    pub issue: String,
    /// Label of the last period the models saw.
    pub cutoff: String,
    /// Rows written, all levels and models.
    pub rows: u64,
    /// Levels and their number of nodes.
    pub levels: Vec<(String, usize)>,
    /// Models.
    pub models: Vec<String>,
    /// Series forecast by the champion.
    pub series: usize,
    /// Series that the champion could not forecast (the first hundred, those without any forecast first).
    pub skipped: Vec<SkippedSeries>,
    /// How many series have no forecast, though they are still sold.
    pub unforecast: usize,
    /// How many series each stand-in forecast.
    pub stand_ins: BTreeMap<String, usize>,
    /// How many series without a history were forecast, from their attributes and from series like them, with wider intervals.
    #[serde(default)]
    pub new: usize,
    /// The first of them.
    #[serde(default)]
    pub first_new: Option<String>,
    /// Series no longer sold: not forecast.
    pub discontinued: usize,
    /// Largest difference between a node and the sum of its parts.
    pub incoherence: f64,
}

/// A series that the champion could not forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedSeries {
    /// Its key.
    pub series: String,
    /// Why not.
    pub reason: String,
    /// Baseline that forecast it instead; `None` where none could, and the series has no forecast.
    pub fallback: Option<String>,
}

/// Fits every model on the whole panel.
pub(crate) fn fit_all(ctx: Context<'_>, silver: &Fingerprint, panel: &LazyPanel) -> Result<Vec<Made<()>>, RunError> {
    let settings = ctx.settings;
    let dir = ctx.project.model();
    let fit = |model: &String| {
        let name = format!("fit/{model}");
        let fingerprint = Fingerprint::of(&name, REVISION)
            .input(silver)
            .config("model", &ctx.models.describe(model))
            .config("fit", &(settings.horizon.steps(), settings.seed.0))
            .finish();
        let out = dir.join("state").join(format!("{model}.txt"));
        ctx.assets
            .get_or_make(&name, fingerprint, &[out], || bundle::fit(&dir, panel.get()?, ctx.models, model, settings.horizon, settings.seed))
    };
    settings.models.iter().map(fit).collect()
}

/// Forecasts every level with every model and appends the issue to the forecast table.
pub(crate) fn make(
    ctx: Context<'_>,
    silver: &Fingerprint,
    selected: &Fingerprint,
    fits: &[Fingerprint],
    panel: &LazyPanel,
) -> Result<Made<ForecastSummary>, RunError> {
    let mut fingerprint = Fingerprint::of("forecast", REVISION).input(silver).input(selected);
    for fit in fits {
        fingerprint = fingerprint.input(fit);
    }
    let fingerprint = fingerprint.finish();
    // The name of an issue says what it was made from, so that a run that is repeated writes the same files.
    let issue_name = fingerprint.short().to_owned();
    let table = ctx.project.forecasts();
    ctx.assets.get_or_make("forecast", fingerprint, std::slice::from_ref(&table), || {
        let panel = panel.get()?;
        let bundle = Bundle::load(&ctx.project.model(), ctx.models)?;
        let hierarchy = Hierarchy::new(panel, &ctx.settings.hierarchy)?;
        let (levels, fallbacks) = bundle.forecast_levels(panel, &hierarchy)?;
        let last = panel.last_period().unwrap_or(Period(0));
        let issue = issue_of(&table, &issue_name)?;
        let mut rows = 0;
        for level in &levels {
            for forecast in &level.forecasts {
                append_forecast(&table, &issue, &level.level, forecast)?;
                rows += forecast.mean.len() as u64;
            }
        }
        let champion = &bundle.file().champion;
        let of_champion: Vec<_> =
            levels.iter().filter_map(|level| level.forecasts.iter().find(|forecast| forecast.model == *champion)).collect();
        let bottom = of_champion.last().ok_or_else(|| PipelineError::UnknownModel { model: champion.clone() })?;
        let fallbacks =
            bundle.file().models.iter().zip(fallbacks).find(|(model, _)| *model == champion).map_or_else(Vec::new, |(_, of)| of);
        let mut stand_ins = BTreeMap::new();
        fallbacks.iter().for_each(|fallback| *stand_ins.entry(fallback.model.clone()).or_default() += 1);
        let skipped = |series: &SeriesId, reason: &FitError, fallback| SkippedSeries {
            series: series.to_string(),
            reason: reason.to_string(),
            fallback,
        };
        let without = bottom.skipped.iter().map(|left_out| skipped(&left_out.series, &left_out.reason, None));
        let with = fallbacks.iter().map(|fallback| skipped(&fallback.series, &fallback.reason, Some(fallback.model.clone())));
        Ok(ForecastSummary {
            issue: issue_name.clone(),
            cutoff: panel.freq().label(last),
            rows,
            levels: levels
                .iter()
                .map(|level| (level.level.clone(), level.forecasts.first().map_or(0, almanac_model::Forecast::n_series)))
                .collect(),
            models: bundle.file().models.clone(),
            series: bottom.n_series(),
            skipped: without.chain(with).take(NAMED).collect(),
            unforecast: bottom.skipped.len(),
            stand_ins,
            new: bottom.cold.len(),
            first_new: bottom.cold.first().map(SeriesId::to_string),
            discontinued: panel.n_series() - bottom.n_series() - bottom.skipped.len(),
            incoherence: coherence_check(&hierarchy, &of_champion).max_deviation,
        })
    })
}
