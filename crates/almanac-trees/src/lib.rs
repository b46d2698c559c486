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
mod global_lightgbm;
pub mod lightgbm;
mod rows;
mod target;

pub use config::{GlobalConfig, LightGbmConfig, Objective};
pub use fitted::LoadError;
pub use global_lightgbm::GlobalLightGbm;
