//! A fitted global model: forecasts, and its state as text.

use almanac_features::{Calendar, FeaturePlan, SeriesFeatures};
use almanac_model::{FitError, FittedForecaster, Forecast, ForecastSpan, PredictError, Skipped};
use almanac_series::{Horizon, Panel, Quantile};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::global::Trees;
use crate::target::Target;

/// Series whose features are held at once.
const CHUNK_SERIES: usize = 256;

/// Why a state could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not the JSON that was written.
    #[error("the text is no state of `{model}`")]
    Format {
        /// The model's name.
        model: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Written by a newer program, or for another model.
    #[error("the state of `{model}` has version `{found}`, this program reads `{known}`")]
    Version {
        /// The model's name.
        model: &'static str,
        /// The version that is read.
        known: &'static str,
        /// The version found.
        found: String,
    },
    /// The trees cannot be read.
    #[error("the state's trees cannot be read")]
    Trees(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// All that is learnt: how rows are made, what the trees say, and how that turns into units of `y`.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    version: String,
    plan: FeaturePlan,
    target: Target,
    trees: Vec<String>,
}

/// A bag of trees that forecasts.
#[derive(Debug)]
pub(crate) struct Fitted<T> {
    plan: FeaturePlan,
    target: Target,
    bag: Vec<T>,
    state: String,
}

impl<T: Trees> Fitted<T> {
    pub(crate) fn new(plan: FeaturePlan, target: Target, bag: Vec<T>) -> Result<Self, FitError> {
        let library = |message: String| FitError::Library { model: T::MODEL.into(), message };
        let trees = bag.iter().map(T::to_text).collect::<Result<_, _>>().map_err(|error| library(error.to_string()))?;
        let state = State { version: T::VERSION.to_owned(), plan, target, trees };
        let text = serde_json::to_string(&state).map_err(|error| library(error.to_string()))?;
        Ok(Self { plan: state.plan, target, bag, state: text })
    }

    pub(crate) fn load(text: &str) -> Result<Self, LoadError> {
        let state: State = serde_json::from_str(text).map_err(|source| LoadError::Format { model: T::MODEL, source })?;
        if state.version != T::VERSION {
            return Err(LoadError::Version { model: T::MODEL, known: T::VERSION, found: state.version });
        }
        let bag = state.trees.iter().map(|trees| T::from_text(trees)).collect::<Result<_, _>>();
        let bag = bag.map_err(|error| LoadError::Trees(Box::new(error)))?;
        Ok(Self { plan: state.plan, target: state.target, bag, state: text.to_owned() })
    }
}

impl<T: Trees> FittedForecaster for Fitted<T> {
    fn name(&self) -> &str {
        T::MODEL
    }

    fn predict(&self, context: &Panel, horizon: Horizon, _quantiles: &[Quantile]) -> Result<Forecast, PredictError> {
        let library = |message: String| PredictError::Library { model: T::MODEL.into(), message };
        let fitted = self.plan.spec().horizon;
        let steps = horizon.steps();
        if steps > fitted {
            return Err(PredictError::HorizonTooLong { model: T::MODEL.into(), fitted, asked: steps });
        }
        if let Some(column) = self.plan.missing_column(context) {
            return Err(PredictError::MissingColumn { model: T::MODEL.into(), column: column.to_owned() });
        }
        if context.freq() != self.plan.freq() {
            let message = format!("fitted on data of frequency `{}`, the history given now has `{}`", self.plan.freq(), context.freq());
            return Err(library(message));
        }
        let binding = self.plan.bind(context);
        let calendar = Calendar::new(context, &self.plan).map_err(|error| library(error.to_string()))?;
        let mut forecast = Forecast::empty(T::MODEL, context.freq(), horizon, &[]);
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
            for trees in &self.bag {
                let said = trees.predict(&rows).map_err(|error| library(error.to_string()))?;
                raw.iter_mut().zip(said).for_each(|(sum, said)| *sum += said);
            }
            let mut raw = raw.into_iter().map(|sum| sum / self.bag.len() as f64);
            for (index, (_, usual)) in chunk.iter().zip(&made) {
                let span = &context.series()[*index];
                let reason = match usual {
                    None => Some(FitError::TooShort { series: span.id.clone(), model: T::MODEL.into(), got: 0, needed: 1 }),
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
                            Some(FitError::NotFinite { series: span.id.clone(), model: T::MODEL.into() })
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
