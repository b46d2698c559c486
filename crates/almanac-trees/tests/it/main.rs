//! The global LightGBM model: its contract, its state, and the library behind it.

mod library;
mod model;
