//! Global models on features, gradient-boosted trees and lines: one model learns from all series, and forecasts series it has never
//! seen.
//!
//! [`GlobalLightGbm`] and [`GlobalXgBoost`] are the models: the same rows and targets, trees grown by two libraries. [`lightgbm`] and
//! [`xgboost`] are our own safe wrappers of the real ones; XGBoost's is loaded when it is asked for, and only to train.
//! [`GlobalLinear`] learns ridge, lasso, the elastic net or a hurdle from the same rows.
//!
//! Invariant: a fit is the same, bit for bit, on one thread or many; a loaded model forecasts as the saved one did.
//!
//! [`GlobalConfig`] says what they learn from: the objective, which steps and which series share a model, what a row weighs, whether
//! quantiles are learnt too.
//!
//! Not here: features (`almanac-features`), conformal intervals (`almanac-evaluate`), files.

mod choices;
mod cold;
mod columns;
mod config;
mod fitted;
mod forecast;
mod global;
mod global_lightgbm;
mod global_xgboost;
pub mod lightgbm;
mod linear;
mod pool;
mod quantiles;
mod recursive;
mod rows;
mod target;
mod value;
pub mod xgboost;

pub use choices::{Pool, Strategy, Weights};
pub use config::{GlobalConfig, LightGbmConfig, Objective, XgBoostConfig};
pub use fitted::LoadError;
pub use global_lightgbm::GlobalLightGbm;
pub use global_xgboost::GlobalXgBoost;
pub use linear::{GlobalLinear, LinearConfig, LinearMethod};
