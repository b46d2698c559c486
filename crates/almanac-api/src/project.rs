//! What is served: the project, its levels and models, and whether it is ready.

use crate::CoverageScore;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The project and its latest run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProjectInfo {
    /// Name of the project.
    pub name: String,
    /// Version of the data that the forecasts were made from.
    pub data_version: Option<String>,
    /// Id of the run that made them.
    pub run_id: Option<String>,
    /// When that run ended, RFC 3339 in UTC.
    #[schema(example = "2024-01-31T10:15:00Z")]
    pub run_at: Option<String>,
    /// Spacing of timestamps, as in the configuration.
    #[schema(example = "D")]
    pub freq: String,
    /// Time zone of the timestamps; `null` where they are civil times.
    pub timezone: Option<String>,
    /// Steps ahead that are forecast.
    pub horizon: u32,
    /// Quantiles that are forecast, rising.
    pub quantiles: Vec<f64>,
    /// Cutoffs of the issues that can be asked for, newest first: the served one, then what was said before it.
    pub cutoffs: Vec<String>,
    /// The same issues with their models, in the same order.
    pub issues: Vec<IssueInfo>,
    /// Set where the served forecasts are not what the newest data and backtest would give.
    pub outdated: Option<Outdated>,
    /// Hierarchy levels, from the top to the leaves.
    pub levels: Vec<LevelInfo>,
    /// Models with rows in the forecast table, the champion first.
    pub models: Vec<ModelInfo>,
    /// Exogenous columns that a predict request may bring.
    pub exog: ExogColumns,
}

/// One issue of the forecast table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssueInfo {
    /// Last timestamp that its models had seen.
    #[schema(example = "2024-01-31")]
    pub cutoff: String,
    /// Models with forecasts in it.
    pub models: Vec<String>,
}

/// Why the served forecasts are older than what the project knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outdated {
    /// What kept newer forecasts away.
    pub reason: OutdatedReason,
    /// What it was, as a sentence without its full stop: the verdict of the gate, or how far the history runs ahead.
    #[schema(example = "`lightgbm` (0.9312) does not beat `naive` (0.9120) over 3 cutoffs")]
    pub detail: String,
    /// Cutoff of the served forecasts.
    #[schema(example = "2024-01-31")]
    pub cutoff: String,
    /// Last timestamp of the history.
    #[schema(example = "2024-02-28")]
    pub history_until: String,
}

/// What kept newer forecasts away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutdatedReason {
    /// The newest backtest did not pass its gate, so that its model was not promoted.
    GateFailed,
    /// The history has grown since, and no run has forecast from its end.
    NewerHistory,
}

/// One hierarchy level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LevelInfo {
    /// Name, e.g. `region/store`.
    pub name: String,
    /// Number of series.
    pub series: u64,
    /// Whether these are the series of the data, not sums of them.
    pub is_leaf: bool,
    /// How often the champion's intervals held the actual value at this level, out of sample; empty where it was not measured.
    pub coverage: Vec<CoverageScore>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelInfo {
    /// Name, as in the leaderboard.
    pub name: String,
    /// Whether it is the one that is served.
    pub is_champion: bool,
    /// Whether it is a baseline.
    pub is_baseline: bool,
}

/// Names of exogenous columns by what is known when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExogColumns {
    /// Known only in the past.
    pub historic: Vec<String>,
    /// Known ahead.
    pub future: Vec<String>,
    /// One value per series.
    #[serde(rename = "static")]
    pub statics: Vec<String>,
}

/// Whether forecasts can be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether there is a champion and a forecast table.
    pub ready: bool,
    /// What is missing; `null` when ready.
    #[schema(example = "no champion: run `almanac run` first")]
    pub reason: Option<String>,
    /// The champion's name.
    pub champion: Option<String>,
    /// When the newest forecasts were issued, RFC 3339 in UTC.
    pub issued_at: Option<String>,
}
