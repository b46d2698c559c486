//! Knowing how good a forecast is: cutoffs, backtests, scores, ensembles, intervals and gates.
//!
//! ```text
//!   plan_folds ──► run_fold (model × fold) ──► FoldTruth + Forecast ──► Leaderboard ──► choose_ensemble ──► judge
//!                                                              └──────► Calibrator ──► quantiles, CoverageRow
//! ```
//!
//! Everything is pure: no files, no clock, no logging; same panel and seed give the same bits on any number of threads. No concrete model is
//! known here, only the traits of `almanac-model`.

mod backtest;
mod conformal;
mod coverage;
mod cutoffs;
mod ensemble;
mod gates;
mod leaderboard;
mod leakage;
pub mod metrics;
mod mix;
mod normal;
mod profile;
mod scale;
mod score;
#[cfg(test)]
mod simulate;
mod truth;

pub use backtest::{BacktestError, active_series, clip_negative, run_fold};
pub use conformal::{CalibrateError, Calibrator};
pub use coverage::{CoverageRow, cross_coverage, empirical_coverage};
pub use cutoffs::{Fold, FoldPlan, PlanError, plan_folds};
pub use ensemble::{EnsembleChoice, choose_ensemble};
pub use gates::{BaselineVerdict, GateConfig, GateReport, judge};
pub use leaderboard::{Leaderboard, LeaderboardRow, NodeError, OverallScore, node_errors};
pub use leakage::{LeakageReport, compare, disturb};
pub use mix::{Mix, MixKind};
pub use profile::PanelProfile;
pub use scale::{NodeScale, node_scales};
pub use score::{default_buckets, score_level};
pub use truth::{FoldTruth, LevelTruth, ScoreConfig, ScoredMeans};
