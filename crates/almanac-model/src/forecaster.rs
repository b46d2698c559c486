//! The two traits of a forecasting model.

use std::fmt::Debug;

use almanac_series::{Horizon, Panel, Quantile, Seed};

use crate::{FitError, Forecast, PredictError};

/// What a model can use and give. Callers ask first; they do not find out by failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Learns across series, so that a new series can be forecast from what others taught.
    pub global: bool,
    /// Uses known-ahead, historic and static columns.
    pub exog: bool,
    /// Gives quantiles of its own; where not, `predict` returns none.
    pub quantiles: bool,
}

/// A configured model that has not seen data yet. Configuration is plain data: no work in constructors.
///
/// Every implementation passes [`crate::testing::check_forecaster`], which checks this text.
///
/// - Deterministic: same `train`, same `seed`, same forecast, whatever the number of threads.
/// - Pure: reads no file, clock, environment or network.
/// - Honest: a series it cannot model is in `skipped` with the reason, never a NaN.
pub trait Forecaster: Debug + Send + Sync {
    /// Name in configuration, leaderboards and the registry, e.g. `auto_ets`. Lower case, stable for ever.
    fn name(&self) -> &str;

    /// What it can use and give.
    fn abilities(&self) -> Abilities;

    /// Learns from `train` what is common to all series, for forecasts up to `horizon` steps ahead.
    /// Models of one series at a time have nothing to learn here: they estimate on the context given to `predict`.
    ///
    /// # Errors
    /// [`FitError`] only if no series can be modelled.
    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError>;
}

/// A model that has learnt. Immutable, so that serving can share it between requests.
pub trait FittedForecaster: Debug + Send + Sync {
    /// The name of the model that was fitted.
    fn name(&self) -> &str;

    /// Forecasts every series of `context` from the end of its history, `horizon` steps ahead, in the order of `context`.
    ///
    /// `context` holds the histories and what is known ahead of their ends. It may be the training panel or other series:
    /// batch and online forecasts are this same call. Quantiles ascend within a step.
    ///
    /// # Errors
    /// [`PredictError`] if the context lacks what the model learnt from; a single bad series is in `skipped` instead.
    fn predict(&self, context: &Panel, horizon: Horizon, quantiles: &[Quantile]) -> Result<Forecast, PredictError>;

    /// Returns the learnt state as text that the model's loader reads back to give the same forecasts, bit for bit.
    /// Empty for models that learn nothing across series.
    fn state(&self) -> String;
}
