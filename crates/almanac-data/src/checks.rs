//! Checks of the data at each layer: what must hold, what was seen, and some rows where it does not.
//!
//! They fail closed: a check that cannot be made (no such column, no previous run to compare freshness with) has failed.
//!
//! Not here: what happens then (`almanac-pipeline`), gates on models (`almanac-evaluate`).

mod bronze;
mod gold;
mod silver;

use std::collections::BTreeMap;

use almanac_series::Hint;
use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};

pub use bronze::check_bronze;
pub use gold::check_gold;
pub use silver::check_silver;

/// Rows shown for a check that failed.
const SAMPLE_ROWS: usize = 5;

/// What must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum CheckSpec {
    /// The columns are there.
    Columns {
        /// Their names.
        columns: Vec<String>,
    },
    /// A column is of a type.
    Type {
        /// Column.
        column: String,
        /// Type.
        is: TypeClass,
    },
    /// No two rows have the same values in these columns.
    Unique {
        /// Columns.
        columns: Vec<String>,
    },
    /// At most this share of a column is missing.
    Nulls {
        /// Column.
        column: String,
        /// Largest share, 0 to 1.
        max_share: f64,
    },
    /// The numbers of a column lie between bounds, both included.
    Range {
        /// Column.
        column: String,
        /// Lower bound.
        #[serde(default)]
        min: Option<f64>,
        /// Upper bound.
        #[serde(default)]
        max: Option<f64>,
    },
    /// The values of a column are among these, as text.
    Allowed {
        /// Column.
        column: String,
        /// Texts.
        values: Vec<String>,
    },
    /// The newest timestamp is not too old.
    Fresh {
        /// Column; silver uses its own `ds`.
        column: String,
        /// Largest age in days.
        max_age_days: f64,
    },
    /// The number of rows is near that of the previous run. Passes where there was none.
    RowChange {
        /// Largest loss, as a share of the previous rows.
        max_drop: f64,
        /// Largest gain, as a share of the previous rows.
        max_growth: f64,
    },
    /// There are at least this many rows.
    MinRows {
        /// Rows.
        rows: u64,
    },
    /// There are at least this many series. Silver only.
    MinSeries {
        /// Series.
        series: u64,
    },
    /// At most this share of the rows was quarantined. Silver; bronze where the caller counted.
    Quarantine {
        /// Largest share, 0 to 1.
        max_share: f64,
    },
    /// Series are sorted, in time order, at one frequency without holes. Silver only.
    Regular,
}

/// A kind of column type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeClass {
    /// Integers or floats.
    Number,
    /// Text.
    Text,
    /// Dates or timestamps.
    Time,
    /// True or false.
    Boolean,
}

/// What a check needs to know from outside the table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CheckContext {
    /// The present, in micros since 1970-01-01 UTC. Without it nothing is fresh.
    pub now: Option<i64>,
    /// Rows of the same table in the previous run.
    pub previous_rows: Option<u64>,
    /// Rows of this table that were quarantined before it came to be (bronze).
    pub quarantined_rows: u64,
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Which check, e.g. `range`.
    pub name: String,
    /// On which column.
    pub column: Option<String>,
    /// Whether it holds.
    pub passed: bool,
    /// What was seen.
    pub observed: String,
    /// What must be.
    pub expected: String,
    /// Rows or values where it does not hold, as texts by column.
    pub sample_rows: Vec<BTreeMap<String, String>>,
}

/// All checks of one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// `bronze`, `silver` or `gold`.
    pub layer: String,
    /// Table, where the layer has several.
    pub table: Option<String>,
    /// Outcomes in the order of the specs.
    pub results: Vec<CheckResult>,
}

impl CheckReport {
    /// Returns whether everything holds.
    pub fn is_ok(&self) -> bool {
        self.results.iter().all(|result| result.passed)
    }

    /// Returns what does not hold.
    pub fn failures(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| !result.passed)
    }
}

/// Why checks could not be made at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The query engine failed.
    #[error("failed to check table `{table}`")]
    Query {
        /// Table.
        table: String,
        /// What failed.
        #[source]
        source: Box<DataFusionError>,
    },
    /// The lake could not be read.
    #[error("failed to read what is to be checked")]
    Lake(#[from] crate::LakeError),
}

impl Hint for CheckError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Query { .. } => None,
            Self::Lake(error) => error.hint(),
        }
    }
}

impl CheckSpec {
    fn name(&self) -> &'static str {
        match self {
            Self::Columns { .. } => "columns",
            Self::Type { .. } => "type",
            Self::Unique { .. } => "unique",
            Self::Nulls { .. } => "nulls",
            Self::Range { .. } => "range",
            Self::Allowed { .. } => "allowed",
            Self::Fresh { .. } => "fresh",
            Self::RowChange { .. } => "row_change",
            Self::MinRows { .. } => "min_rows",
            Self::MinSeries { .. } => "min_series",
            Self::Quarantine { .. } => "quarantine",
            Self::Regular => "regular",
        }
    }

    fn column(&self) -> Option<String> {
        match self {
            Self::Type { column, .. }
            | Self::Nulls { column, .. }
            | Self::Range { column, .. }
            | Self::Allowed { column, .. }
            | Self::Fresh { column, .. } => Some(column.clone()),
            Self::Unique { columns } => Some(columns.join(", ")),
            _ => None,
        }
    }

    fn expected(&self) -> String {
        match self {
            Self::Columns { columns } => format!("columns {}", columns.join(", ")),
            Self::Type { is, .. } => match is {
                TypeClass::Number => "a number".into(),
                TypeClass::Text => "a text".into(),
                TypeClass::Time => "a date or time".into(),
                TypeClass::Boolean => "true or false".into(),
            },
            Self::Unique { .. } => "every key once".into(),
            Self::Nulls { max_share, .. } => format!("at most {} missing", percent(*max_share)),
            Self::Range { min, max, .. } => match (min, max) {
                (Some(min), Some(max)) => format!("{min} to {max}"),
                (Some(min), None) => format!("{min} or more"),
                (None, Some(max)) => format!("{max} or less"),
                (None, None) => "finite numbers".into(),
            },
            Self::Allowed { values, .. } => format!("one of {}", values.join(", ")),
            Self::Fresh { max_age_days, .. } => format!("at most {max_age_days} days old"),
            Self::RowChange { max_drop, max_growth } => {
                format!("{} to {} of the previous rows", percent(1.0 - max_drop), percent(1.0 + max_growth))
            }
            Self::MinRows { rows } => format!("at least {rows} rows"),
            Self::MinSeries { series } => format!("at least {series} series"),
            Self::Quarantine { max_share } => format!("at most {} quarantined", percent(*max_share)),
            Self::Regular => "sorted, one frequency, no holes".into(),
        }
    }

    fn result(&self, passed: bool, observed: impl Into<String>) -> CheckResult {
        CheckResult {
            name: self.name().into(),
            column: self.column(),
            passed,
            observed: observed.into(),
            expected: self.expected(),
            sample_rows: Vec::new(),
        }
    }

    fn no_column(&self, column: &str) -> CheckResult {
        self.result(false, format!("there is no column `{column}`"))
    }
}

fn percent(share: f64) -> String {
    // Six digits are enough to tell one row in a million.
    let rounded = (share * 1e8).round() / 1e6;
    format!("{rounded} %")
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn row_change(spec: &CheckSpec, rows: u64, previous: Option<u64>, max_drop: f64, max_growth: f64) -> CheckResult {
    let Some(previous) = previous else { return spec.result(true, format!("{rows} rows, no previous run")) };
    let ratio = if previous == 0 { 1.0 } else { rows as f64 / previous as f64 };
    spec.result(ratio >= 1.0 - max_drop && ratio <= 1.0 + max_growth, format!("{rows} rows after {previous}"))
}

fn fresh(spec: &CheckSpec, newest: Option<i64>, now: Option<i64>, max_age_days: f64) -> CheckResult {
    match (newest, now) {
        (None, _) => spec.result(false, "no timestamp at all"),
        (_, None) => spec.result(false, "the present time was not given"),
        (Some(newest), Some(now)) => {
            let days = (now - newest) as f64 / almanac_series::MICROS_PER_DAY as f64;
            spec.result(days <= max_age_days, format!("{days:.2} days old"))
        }
    }
}
