//! The list of series, as the explorer shows it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of the list of series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesPage {
    /// Number of series that match, on all pages.
    pub total: u64,
    /// Position of the first item among those that match.
    pub offset: u64,
    /// The series of this page, in the order asked for.
    pub items: Vec<SeriesItem>,
    /// `offset` of the next page; `null` on the last.
    pub next_offset: Option<u64>,
}

/// One series of one hierarchy level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesItem {
    /// Key of the series, unique in its level.
    #[schema(example = "store_1/item_7")]
    pub unique_id: String,
    /// Hierarchy level it belongs to.
    pub level: String,
    /// What it is worth: recent sum of the target, in money where the project has a price, else in units.
    pub value: f64,
    /// Out-of-sample scores of the champion on this series.
    pub metrics: SeriesMetrics,
    /// What kind of life it leads.
    pub state: SeriesState,
    /// Timestamp of its last row of history.
    pub last_ds: String,
    /// Number of rows of history.
    pub rows: u64,
}

/// Out-of-sample scores of one series; `null` where there is nothing to score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesMetrics {
    /// Sum of absolute errors over the sum of actuals: 0.2 is 20 %.
    pub wape: Option<f64>,
    /// Sum of errors (forecast less actual) over the sum of actuals: above 0 is too high.
    pub bias: Option<f64>,
    /// Root mean squared error over that of a naive forecast in the training data, mean over the cutoffs: below 1 beats it.
    pub rmsse: Option<f64>,
}

/// Nominal and empirical coverage of one prediction interval, both as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoverageScore {
    /// The level the interval promises, e.g. 0.8.
    pub nominal: f64,
    /// The share of held-out values that it held.
    pub empirical: f64,
}

/// What kind of life a series leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesState {
    /// Sells as usual.
    Active,
    /// Mostly zeros.
    Intermittent,
    /// Too young for a full season.
    New,
    /// Has stopped selling.
    Discontinued,
    /// Has no forecast; why is in the run's report.
    Skipped,
}
