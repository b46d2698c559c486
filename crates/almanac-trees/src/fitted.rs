//! The fitted global model: forecasts, and its state as text.

use almanac_features::{Calendar, FeaturePlan, SeriesFeatures};
use almanac_model::{FitError, FittedForecaster, Forecast, ForecastSpan, PredictError, Skipped};
use almanac_series::{Horizon, Panel, Quantile};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::global::NAME;
use crate::lightgbm::{Booster, LightGbmError};
use crate::target::Target;

/// Series whose features are held at once.
const CHUNK_SERIES: usize = 256;

/// Version of the state's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateVersion {
    /// The first.
    #[serde(rename = "almanac-lightgbm-1")]
    V1,
}

/// Why a state could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not the JSON that was written.
    #[error("the text is no state of `lightgbm`")]
    Format(#[from] serde_json::Error),
    /// The trees cannot be read.
    #[error("the state's trees cannot be read")]
    Trees(#[from] LightGbmError),
}

/// All that is learnt: how rows are made, what the trees say, and how that turns into units of `y`.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    version: StateVersion,
    plan: FeaturePlan,
    target: Target,
    trees: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct FittedLightGbm {
    plan: FeaturePlan,
    target: Target,
    boosters: Vec<Booster>,
    state: String,
}

impl FittedLightGbm {
    pub(crate) fn new(plan: FeaturePlan, target: Target, boosters: Vec<Booster>) -> Result<Self, LightGbmError> {
        let trees = boosters.iter().map(Booster::to_text).collect::<Result<_, _>>()?;
        let state = State { version: StateVersion::V1, plan, target, trees };
        let text =
            serde_json::to_string(&state).map_err(|error| LightGbmError { operation: "save a model", message: error.to_string() })?;
        Ok(Self { plan: state.plan, target, boosters, state: text })
    }

    pub(crate) fn load(text: &str) -> Result<Self, LoadError> {
        let state: State = serde_json::from_str(text)?;
        let boosters = state.trees.iter().map(|trees| Booster::from_text(trees, 0)).collect::<Result<_, _>>()?;
        Ok(Self { plan: state.plan, target: state.target, boosters, state: text.to_owned() })
    }
}

impl FittedForecaster for FittedLightGbm {
    fn name(&self) -> &str {
        NAME
    }

    fn predict(&self, context: &Panel, horizon: Horizon, _quantiles: &[Quantile]) -> Result<Forecast, PredictError> {
        let library = |message: String| PredictError::Library { model: NAME.into(), message };
        let fitted = self.plan.spec().horizon;
        let steps = horizon.steps();
        if steps > fitted {
            return Err(PredictError::HorizonTooLong { model: NAME.into(), fitted, asked: steps });
        }
        if let Some(column) = self.plan.missing_column(context) {
            return Err(PredictError::MissingColumn { model: NAME.into(), column: column.to_owned() });
        }
        if context.freq() != self.plan.freq() {
            let message = format!("fitted on data of frequency `{}`, the history given now has `{}`", self.plan.freq(), context.freq());
            return Err(library(message));
        }
        let binding = self.plan.bind(context);
        let calendar = Calendar::new(context, &self.plan).map_err(|error| library(error.to_string()))?;
        let mut forecast = Forecast::empty(NAME, context.freq(), horizon, &[]);
        let indices: Vec<usize> = (0..context.n_series()).collect();
        for chunk in indices.chunks(CHUNK_SERIES) {
            // Rows of each series and what is usual for each step; none where nothing has ever been sold or seen.
            let made: Vec<(Vec<f32>, Option<Vec<f64>>)> = chunk
                .par_iter()
                .map(|index| {
                    let view = context.view(*index);
                    let features = SeriesFeatures::new(&view, &self.plan, &binding, &calendar);
                    let Some(origin) = view.len().checked_sub(1).filter(|last| features.counts()[*last] > 0) else {
                        return (Vec::new(), None);
                    };
                    let level = f64::from(features.levels()[origin]);
                    let mut rows = Vec::new();
                    let mut usual = Vec::new();
                    if level > 0.0 {
                        for target in origin + 1..=origin + steps {
                            features.row(origin, target, level as f32, &mut rows);
                            usual.push(level * f64::from(features.effect(origin, target)));
                        }
                    }
                    (rows, Some(usual))
                })
                .collect();
            let mut rows = Vec::with_capacity(made.iter().map(|(rows, _)| rows.len()).sum());
            for (own, _) in &made {
                rows.extend_from_slice(own);
            }
            let mut raw = vec![0.0; rows.len() / self.plan.row().count().max(1)];
            for booster in &self.boosters {
                let said = booster.predict(&rows).map_err(|error| library(error.to_string()))?;
                raw.iter_mut().zip(said).for_each(|(sum, said)| *sum += said);
            }
            let mut raw = raw.into_iter().map(|sum| sum / self.boosters.len() as f64);
            for (index, (_, usual)) in chunk.iter().zip(&made) {
                let span = &context.series()[*index];
                let reason = match usual {
                    None => Some(FitError::TooShort { series: span.id.clone(), model: NAME.into(), got: 0, needed: 1 }),
                    Some(usual) => {
                        let mean: Vec<f64> = if usual.is_empty() {
                            vec![0.0; steps]
                        } else {
                            usual.iter().zip(raw.by_ref()).map(|(usual, raw)| self.target.value(raw, *usual)).collect()
                        };
                        if mean.iter().all(|value| value.is_finite()) {
                            forecast.push(ForecastSpan { id: span.id.clone(), cutoff: span.cutoff() }, &mean, &[]);
                            None
                        } else {
                            Some(FitError::NotFinite { series: span.id.clone(), model: NAME.into() })
                        }
                    }
                };
                if let Some(reason) = reason {
                    forecast.skipped.push(Skipped { series: span.id.clone(), reason });
                }
            }
        }
        Ok(forecast)
    }

    fn state(&self) -> String {
        self.state.clone()
    }
}
