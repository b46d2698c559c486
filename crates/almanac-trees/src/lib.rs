//! Gradient-boosted trees as global models: one model learns from all series, and forecasts series it has never seen.
//!
//! [`GlobalLightGbm`] is the model; [`lightgbm`] our own safe wrapper of the real LightGBM library.
//!
//! Invariant: a fit is the same, bit for bit, on one thread or many; a loaded model forecasts as the saved one did.
//!
//! Not here: features (`almanac-features`), quantiles (conformal, in `almanac-evaluate`), files.

mod config;
mod fitted;
mod global;
pub mod lightgbm;
mod rows;
mod target;

pub use config::{LightGbmConfig, Objective};
pub use fitted::{LoadError, StateVersion};
pub use global::GlobalLightGbm;
