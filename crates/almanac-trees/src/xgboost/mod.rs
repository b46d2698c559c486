//! The real XGBoost library, loaded when it is asked for, and its models without it.
//!
//! Training goes through the library's C interface ([`Library`], [`Dataset`], [`Booster`]). What it learnt is read from its JSON into
//! [`Ensemble`], which predicts in Rust: a saved model needs no library.
//!
//! The library is deterministic here whatever the number of threads: see [`Loss`].
//!
//! Not here: anything about forecasting; where the library lies, which the caller says.

mod booster;
mod dataset;
mod ensemble;
mod error;
mod json;
mod library;
mod loss;
mod text;

pub use booster::Booster;
pub use dataset::Dataset;
pub use ensemble::Ensemble;
pub use error::XgBoostError;
pub use library::Library;
pub use loss::{Gradients, Loss};
