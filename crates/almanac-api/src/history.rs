//! The past of one series.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The last rows of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Key of the series.
    pub unique_id: String,
    /// Hierarchy level it belongs to.
    pub level: String,
    /// Rows, oldest first.
    pub points: Vec<HistoryPoint>,
}

/// One row of history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryPoint {
    /// Timestamp.
    #[schema(example = "2024-01-31")]
    pub ds: String,
    /// Target; `null` where it is missing.
    pub y: Option<f64>,
    /// What the row stands for.
    pub status: HistoryStatus,
}

/// What a row of history stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryStatus {
    /// A value from the source.
    Observed,
    /// A gap read as a true zero.
    Filled,
    /// A gap whose value is not known.
    Missing,
    /// Demand was cut by a stock-out.
    Censored,
    /// Not open for trade.
    Closed,
}
