//! Global models on features, gradient-boosted trees and lines: one model learns from all series, and forecasts series it has never
//! seen.
//!
//! [`GlobalLightGbm`] and [`GlobalXgBoost`] are the models: the same rows and targets, trees grown by two libraries. [`lightgbm`] and
//! [`xgboost`] are our own safe wrappers of the real ones; XGBoost's is loaded when it is asked for, and only to train.
//! [`GlobalLinear`] learns ridge, lasso, the elastic net or a hurdle from the same rows.
//!
//! Invariant: a fit is the same, bit for bit, on one thread or many; a loaded model forecasts as the saved one did.
//!
//! Not here: features (`almanac-features`), quantiles (conformal, in `almanac-evaluate`), files.

mod config;
mod fitted;
mod global;
mod global_lightgbm;
mod global_xgboost;
pub mod lightgbm;
mod linear;
mod rows;
mod target;
pub mod xgboost;

pub use config::{GlobalConfig, LightGbmConfig, Objective, XgBoostConfig};
pub use fitted::LoadError;
pub use global_lightgbm::GlobalLightGbm;
pub use global_xgboost::GlobalXgBoost;
pub use linear::{GlobalLinear, LinearConfig, LinearMethod};
