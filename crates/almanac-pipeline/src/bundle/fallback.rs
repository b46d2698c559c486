//! Series that a model cannot forecast: they are forecast by a baseline of the bundle, so that sums over levels are whole.
//!
//! A baseline stands in with its own means and its own calibrated intervals. Which series, why and by what is told beside the forecast.
//! Not here: series no longer sold, which nobody forecasts.

use almanac_model::{FitError, Forecast, ForecastSpan};
use almanac_series::{Horizon, Panel, Quantile, SeriesId};

use super::Bundle;
use crate::PipelineError;

/// Baselines that stand in, the better one first.
pub(super) const BASELINES: [&str; 2] = ["seasonal_naive", "naive"];
/// Stands in where baselines have nothing to go by, if the bundle has it: it forecasts series without a history.
const FOR_NEW_SERIES: &str = "lightgbm";

/// A series that was forecast by another model than the one asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The series.
    pub series: SeriesId,
    /// Why the model asked for could not.
    pub reason: FitError,
    /// Name of the model that stood in.
    pub model: String,
}

/// A forecast of the bottom level, with intervals, and the series in it for which another model stood in.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleForecast {
    /// The forecast under the name of the model asked for. `skipped`: series that no stand-in could forecast either.
    pub forecast: Forecast,
    /// Series forecast by a stand-in, sorted by key.
    pub fallbacks: Vec<Fallback>,
}

impl BundleForecast {
    /// Returns the name of the model that forecast a series: the one asked for, unless another stood in.
    pub fn model_of(&self, series: &SeriesId) -> &str {
        let stand_in = self.fallbacks.binary_search_by(|fallback| fallback.series.cmp(series));
        stand_in.map_or(&self.forecast.model, |index| &self.fallbacks[index].model)
    }
}

impl Bundle {
    /// Lets the stand-ins forecast what `forecast` skipped.
    pub(super) fn stand_in(
        &self,
        context: &Panel,
        forecast: Forecast,
        horizon: Horizon,
        quantiles: &[Quantile],
    ) -> Result<BundleForecast, PipelineError> {
        let mut given = BundleForecast { forecast, fallbacks: Vec::new() };
        let models: Vec<&str> = BASELINES
            .into_iter()
            .chain([FOR_NEW_SERIES])
            .filter(|name| *name != given.forecast.model && self.fitted.contains_key(*name))
            .collect();
        for model in models {
            let mut missing: Vec<usize> =
                given.forecast.skipped.iter().filter_map(|skipped| context.position(skipped.series.as_str())).collect();
            if missing.is_empty() {
                break;
            }
            missing.sort_unstable();
            let stood_in = self.one_model(&context.select(&missing), model, horizon, quantiles)?;
            let (done, left): (Vec<_>, Vec<_>) =
                std::mem::take(&mut given.forecast.skipped).into_iter().partition(|skipped| stood_in.position(&skipped.series).is_some());
            given.forecast.skipped = left;
            given.fallbacks.extend(done.into_iter().map(|skipped| Fallback {
                series: skipped.series,
                reason: skipped.reason,
                model: model.to_owned(),
            }));
            given.forecast = joined(&given.forecast, &stood_in);
        }
        given.fallbacks.sort_by(|a, b| a.series.cmp(&b.series));
        Ok(given)
    }
}

/// The series of both forecasts, sorted by key, under the name of the first.
fn joined(first: &Forecast, second: &Forecast) -> Forecast {
    let mut places: Vec<(&Forecast, usize)> = (0..first.n_series()).map(|index| (first, index)).collect();
    places.extend((0..second.n_series()).map(|index| (second, index)));
    places.sort_by(|(a, i), (b, k)| a.series[*i].id.cmp(&b.series[*k].id));
    let mut all = Forecast::empty(&first.model, first.freq, first.horizon, &first.quantiles);
    for (from, index) in places {
        let span = &from.series[index];
        all.push(ForecastSpan { id: span.id.clone(), cutoff: span.cutoff }, from.mean_of(index), from.quantiles_of(index));
    }
    all.skipped.clone_from(&first.skipped);
    all.cold = first.cold.iter().chain(&second.cold).cloned().collect();
    all.cold.sort();
    all
}
