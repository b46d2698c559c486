//! How two profiles of a table differ, and whether that is drift.
//!
//! The test of a column is chosen as Evidently 0.7.23 does, with its thresholds:
//!
//! | rows before | kind | test | drift |
//! |---|---|---|---|
//! | up to 1,000 | numbers with more than 5 values | Kolmogorov-Smirnov | p ≤ 0.05 |
//! | up to 1,000 | categories, or numbers with 3 to 5 values | chi-square | p < 0.05 |
//! | up to 1,000 | two values | z-test of the share | p < 0.05 |
//! | more | numbers with more than 5 values | Wasserstein distance over the standard deviation | ≥ 0.1 |
//! | more | categories, or numbers with few values | Jensen-Shannon distance | ≥ 0.1 |
//!
//! All other distances are told beside it. Times, columns that are only counted and personal ones have no such test: of them the range,
//! the rows by period and the missing values are compared. Nor have identifiers, columns in which nearly every row has a value of its
//! own: they differ from one version to the next by what they are.
//!
//! A distance between two samples of one and the same thing is not 0. Where few rows or many categories make it likely that chance alone
//! gives more than the threshold of a distance, the threshold is raised to what chance gives in one of a hundred cases (`noise`); for
//! tables of more than some thousand rows and columns of few categories it is Evidently's. A limit that was asked for stays as it is.

mod changes;
mod column;
pub mod distances;
mod noise;
pub mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sketch::keys::KeyChange;
use crate::sketch::periods::Unit;
use crate::table::TableProfile;

/// What counts as drift.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftOptions {
    /// The test of numbers; `None` chooses by the number of rows and values.
    pub number_method: Option<Method>,
    /// The test of categories; `None` chooses by the number of rows and values.
    pub category_method: Option<Method>,
    /// The threshold of every test; `None` takes each test's own.
    pub threshold: Option<f64>,
    /// Thresholds of single tests; they go before.
    pub limits: BTreeMap<Method, f64>,
    /// Share of the tested columns that must drift for the table to have drifted.
    pub share: f64,
    /// A change of the share of missing values that counts as drift of the column.
    pub missing: f64,
    /// A change of the number of rows, over the rows before, that is told.
    pub volume: f64,
    /// Names of categories, series and periods that are listed.
    pub names: usize,
}

impl Default for DriftOptions {
    fn default() -> Self {
        Self {
            number_method: None,
            category_method: None,
            threshold: None,
            limits: BTreeMap::new(),
            share: 0.5,
            missing: 0.05,
            volume: 0.25,
            names: 20,
        }
    }
}

/// A test of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Kolmogorov-Smirnov, p-value.
    Ks,
    /// Chi-square, p-value.
    ChiSquare,
    /// z-test of the share of one of two values, p-value.
    Z,
    /// Wasserstein distance over the standard deviation.
    Wasserstein,
    /// Jensen-Shannon distance.
    JensenShannon,
    /// Population stability index.
    Psi,
}

impl Method {
    /// Returns the words for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ks => "Kolmogorov-Smirnov p",
            Self::ChiSquare => "chi-square p",
            Self::Z => "z-test p",
            Self::Wasserstein => "Wasserstein",
            Self::JensenShannon => "Jensen-Shannon",
            Self::Psi => "PSI",
        }
    }

    /// Returns whether it gives a p-value, which is small where the distributions differ.
    pub fn is_p_value(self) -> bool {
        matches!(self, Self::Ks | Self::ChiSquare | Self::Z)
    }

    fn threshold(self) -> f64 {
        if self.is_p_value() { 0.05 } else { 0.1 }
    }
}

/// A number before and after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change<T> {
    /// In the earlier table.
    pub before: T,
    /// In the later table.
    pub after: T,
}

/// How two tables differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Rows.
    pub rows: Change<u64>,
    /// Columns that came, went, or changed their type.
    pub schema: Vec<SchemaChange>,
    /// Columns that both tables have, in the order of the later one.
    pub columns: Vec<ColumnDrift>,
    /// The series, if both profiles have the same key.
    pub key: Option<KeyDrift>,
    /// Whether it matters, and why.
    pub verdict: Verdict,
}

/// Whether it matters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether the table has drifted: enough columns did.
    pub is_drift: bool,
    /// Columns that were tested.
    pub tested: usize,
    /// Columns that drifted.
    pub drifted: usize,
    /// Drifted over tested; 0 if none was tested.
    pub share: f64,
    /// The share from which the table counts as drifted.
    pub threshold: f64,
    /// Whether anything at all differs.
    pub is_changed: bool,
    /// What should be looked at, in sentences.
    pub remarks: Vec<String>,
}

/// A change of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum SchemaChange {
    /// A column that was not there before.
    Added {
        /// Its name.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A column that is gone.
    Removed {
        /// Its name.
        column: String,
        /// The type it had.
        data_type: String,
    },
    /// A column of another type.
    Retyped {
        /// Its name.
        column: String,
        /// The type it had.
        before: String,
        /// Its type.
        after: String,
    },
    /// A column that may, or may no longer, be null.
    Nullability {
        /// Its name.
        column: String,
        /// Whether it may be null now.
        is_nullable: bool,
    },
}

/// A category and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryCount {
    /// The category.
    pub value: String,
    /// Its rows in the table that has it.
    pub rows: u64,
}

/// How a column differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDrift {
    /// Its name.
    pub name: String,
    /// `number`, `text`, `time`, `bool`, `personal` or `other`: of the later table.
    pub kind: &'static str,
    /// Whether the column counts as drifted, by its test or by its missing values.
    pub is_drift: bool,
    /// Whether nearly every row has a value of its own, so that the column names rows and has no distribution to test.
    pub is_identifier: bool,
    /// The test that decided, `None` if there is none for it.
    pub method: Option<Method>,
    /// What the test gave: a p-value or a distance.
    pub score: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// Whether that is more than the test's own threshold, since chance alone gives as much with so few rows or so many categories.
    pub is_threshold_raised: bool,
    /// Whether the distances are exact; otherwise cumulative shares are within 2 %.
    pub is_exact: bool,
    /// Kolmogorov-Smirnov statistic, of numbers.
    pub ks: Option<f64>,
    /// Its p-value.
    pub ks_p_value: Option<f64>,
    /// Wasserstein distance over the standard deviation before, of numbers.
    pub wasserstein: Option<f64>,
    /// Population stability index.
    pub psi: Option<f64>,
    /// Jensen-Shannon distance.
    pub jensen_shannon: Option<f64>,
    /// p-value of the chi-square test, of categories.
    pub chi_square_p_value: Option<f64>,
    /// Share of missing values.
    pub missing: Change<f64>,
    /// Whether that changed so much that it counts as drift.
    pub is_missing_drift: bool,
    /// Different values.
    pub distinct: Change<Option<u64>>,
    /// Mean, of numbers.
    pub mean: Change<Option<f64>>,
    /// Standard deviation, of numbers.
    pub stdev: Change<Option<f64>>,
    /// Categories that were not there before; `None` if there are too many to know.
    pub new_categories: Option<Vec<CategoryCount>>,
    /// How many there are of them.
    pub new_category_count: Option<u64>,
    /// Categories that are gone.
    pub vanished_categories: Option<Vec<CategoryCount>>,
    /// How many there are of them.
    pub vanished_category_count: Option<u64>,
    /// Share of rows in the same bins or the same most frequent categories: for drawing.
    pub bars: Change<Vec<f64>>,
    /// The names of the bars, of categories.
    pub bar_names: Vec<String>,
    /// How the rows by period differ, of times.
    pub periods: Option<PeriodDrift>,
}

/// How the rows by period differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodDrift {
    /// The length of a period.
    pub unit: Unit,
    /// Periods with rows only in the later table.
    pub new: u64,
    /// Periods with rows only in the earlier table.
    pub vanished: u64,
    /// Periods in both with another number of rows.
    pub changed: u64,
    /// Periods in both with as many rows.
    pub same: u64,
    /// The first and last period before.
    pub before: Option<(String, String)>,
    /// The first and last period after.
    pub after: Option<(String, String)>,
    /// The first of those that vanished or changed, with the rows before and after.
    pub examples: Vec<(String, u64, u64)>,
}

/// How the series differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyDrift {
    /// Columns that together name a series.
    pub columns: Vec<String>,
    /// Which are new and which are gone.
    #[serde(flatten)]
    pub change: KeyChange,
}

/// Compares an earlier with a later profile.
pub fn compare(before: &TableProfile, after: &TableProfile, options: &DriftOptions) -> Drift {
    let schema = changes::schema(before, after);
    let mut columns = Vec::new();
    for own in &after.columns {
        if let Some(old) = before.column(&own.name) {
            columns.push(column::compare(old, own, options));
        }
    }
    let key = match (&before.key, &after.key) {
        (Some(old), Some(new)) if old.columns == new.columns => {
            Some(KeyDrift { columns: new.columns.clone(), change: old.keys.change(&new.keys, options.names) })
        }
        _ => None,
    };
    let mut drift = Drift {
        rows: Change { before: before.rows, after: after.rows },
        schema,
        columns,
        key,
        verdict: Verdict {
            is_drift: false,
            tested: 0,
            drifted: 0,
            share: 0.0,
            threshold: options.share,
            is_changed: before != after,
            remarks: Vec::new(),
        },
    };
    changes::judge(&mut drift, options);
    drift
}
