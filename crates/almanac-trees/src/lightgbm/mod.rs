//! A safe wrapper of the LightGBM C library: data sets pushed row by row, boosters, typed errors.
//!
//! The library is deterministic here whatever the number of threads (see [`Params`]), and silent: its log goes nowhere.
//!
//! Not here: anything about forecasting.
#![allow(unsafe_code, reason = "LightGBM is a C library; this module is its only door")]

mod booster;
mod dataset;
mod library;
mod params;

pub use booster::Booster;
pub use dataset::{Dataset, DatasetBuilder};
pub use library::LightGbmError;
pub use params::Params;
