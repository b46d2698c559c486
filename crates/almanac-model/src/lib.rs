//! What a forecasting model is: the traits every model implements and the forecast every model gives.
//!
//! ```text
//!   Forecaster ──fit(train panel)──► FittedForecaster ──predict(context panel, horizon)──► Forecast
//!   LocalForecaster (one series at a time) ──Local(..)──► Forecaster
//! ```
//!
//! Implementors live above (`almanac-stats`, `almanac-trees`); those who run them (`almanac-evaluate`, `almanac-pipeline`,
//! the server) know only these traits. [`testing`] holds the conformance suite that every implementor passes.
//!
//! Not here: any concrete model, scores, files.

mod error;
mod forecast;
mod forecaster;
mod local;
pub mod testing;

pub use error::{FitError, PredictError, Skipped};
pub use forecast::{Forecast, ForecastSpan};
pub use forecaster::{Abilities, FittedForecaster, Forecaster};
pub use local::{Local, LocalForecast, LocalForecaster};
