//! The global models of boosted trees: their contract, their states, and the libraries behind them.

mod cold_start;
mod lightgbm_library;
mod lightgbm_model;
mod linear_model;
mod options;
mod panels;
mod xgboost_library;
mod xgboost_model;
mod xgboost_trees;
