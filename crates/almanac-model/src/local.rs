//! Models of one series at a time, lifted to the panel.
//!
//! Most classical models see one series. They implement [`LocalForecaster`]; [`Local`] runs them over a panel in parallel
//! and keeps the error of each series apart, so that one bad series does not sink ten thousand.

use std::fmt::Debug;
use std::sync::Arc;

use almanac_series::{Horizon, Panel, Quantile, Seed, SeriesView};
use rayon::prelude::*;

use crate::{Abilities, FitError, FittedForecaster, Forecast, ForecastSpan, Forecaster, PredictError, Skipped};

/// Forecast of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalForecast {
    /// `horizon` means.
    pub mean: Vec<f64>,
    /// `horizon × n_quantiles` values, ascending within a step.
    pub quantile_values: Vec<f64>,
}

/// A model that sees one series at a time. Same contract as [`Forecaster`]: deterministic, pure, honest.
pub trait LocalForecaster: Debug + Send + Sync {
    /// Name in configuration, leaderboards and the registry.
    fn name(&self) -> &str;

    /// Tells whether it uses known-ahead columns.
    fn exog(&self) -> bool {
        false
    }

    /// Estimates on the history of `series` and forecasts from its end. Rows that are not scored (missing, stock-outs,
    /// closed) carry no information about demand and must not be learnt from.
    ///
    /// # Errors
    /// [`FitError`] if this series cannot be modelled.
    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError>;
}

/// A [`LocalForecaster`] as a model of panels.
#[derive(Debug)]
pub struct Local<M>(Arc<M>);

impl<M> Local<M> {
    /// Lifts a model of one series to panels.
    pub fn new(model: M) -> Self {
        Self(Arc::new(model))
    }
}

impl<M: LocalForecaster + 'static> Forecaster for Local<M> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn abilities(&self) -> Abilities {
        Abilities { global: false, exog: self.0.exog(), quantiles: true }
    }

    fn fit(&self, _train: &Panel, _horizon: Horizon, _seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        Ok(Box::new(Local(Arc::clone(&self.0))))
    }
}

impl<M: LocalForecaster> FittedForecaster for Local<M> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn predict(&self, context: &Panel, horizon: Horizon, quantiles: &[Quantile]) -> Result<Forecast, PredictError> {
        let results: Vec<Result<LocalForecast, FitError>> = (0..context.n_series())
            .into_par_iter()
            .map(|index| {
                let view = context.view(index);
                let forecast = self.0.forecast(&view, horizon, quantiles)?;
                let finite = forecast.mean.iter().chain(&forecast.quantile_values).all(|value| value.is_finite());
                if finite { Ok(forecast) } else { Err(FitError::NotFinite { series: view.id().clone(), model: self.0.name().to_owned() }) }
            })
            .collect();
        let mut forecast = Forecast::empty(self.0.name(), context.freq(), horizon, quantiles);
        for (span, result) in context.series().iter().zip(results) {
            match result {
                Ok(local) => {
                    let to = ForecastSpan { id: span.id.clone(), cutoff: span.cutoff() };
                    forecast.push(to, &local.mean, &local.quantile_values);
                }
                Err(reason) => forecast.skipped.push(Skipped { series: span.id.clone(), reason }),
            }
        }
        Ok(forecast)
    }

    fn state(&self) -> String {
        String::new()
    }
}
