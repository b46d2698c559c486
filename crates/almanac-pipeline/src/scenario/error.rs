//! Why a scenario cannot be used: the first row or column at fault, and what it may be.

use almanac_data::Sheet;
use almanac_series::{Hint, SeriesId};

use crate::known_ahead::Unfit;

/// Why the rows of a file are no scenario. Rows are counted as in the file, a header being row 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A column that says nothing of what is known ahead.
    #[error("column `{column}` of the scenario is not known ahead")]
    NotKnownAhead {
        /// The column.
        column: String,
        /// Columns that are.
        known: Vec<String>,
        /// The nearest of them.
        near: Option<String>,
    },
    /// Nothing that could be changed.
    #[error("the scenario changes no known-ahead column")]
    NoValues {
        /// Columns that it may change.
        known: Vec<String>,
    },
    /// Some id columns, but not all.
    #[error("the scenario names series without column `{column}`")]
    PartOfKey {
        /// The column that is not there.
        column: String,
    },
    /// A key that the panel does not have.
    #[error("row {row} of the scenario: there is no series `{series}`")]
    UnknownSeries {
        /// Row of the file.
        row: u64,
        /// The key.
        series: SeriesId,
        /// The nearest key.
        near: Option<String>,
    },
    /// A series that is no longer sold.
    #[error("row {row} of the scenario: series `{series}` is no longer sold and is not forecast")]
    NotForecast {
        /// Row of the file.
        row: u64,
        /// The key.
        series: SeriesId,
    },
    /// A cell that must not be empty.
    #[error("row {row} of the scenario: `{column}` is empty")]
    Blank {
        /// Row of the file.
        row: u64,
        /// The column.
        column: String,
    },
    /// A time that cannot be read.
    #[error("row {row} of the scenario: `{value}` in `{column}` is no time of this project")]
    BadTime {
        /// Row of the file.
        row: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// A time that is not forecast.
    #[error("row {row} of the scenario: {ds} is not forecast; the steps ahead are {first} to {last}")]
    OutsideHorizon {
        /// Row of the file.
        row: u64,
        /// Label of its period.
        ds: String,
        /// Label of the first step.
        first: String,
        /// Label of the last step.
        last: String,
    },
    /// The same series and time twice.
    #[error("row {row} of the scenario is about the same as row {earlier}: {}", about(series.as_ref(), ds.as_deref()))]
    Twice {
        /// Row of the file.
        row: u64,
        /// The one before it.
        earlier: u64,
        /// The series, where rows name one.
        series: Option<SeriesId>,
        /// The period, where rows name one.
        ds: Option<String>,
    },
    /// A value that the column cannot hold.
    #[error("row {row} of the scenario: {unfit}")]
    Unfit {
        /// Row of the file.
        row: u64,
        /// What should stand there.
        unfit: Unfit,
    },
    /// A number out of every range.
    #[error("row {row} of the scenario: `{value}` in `{column}` is beyond 1e30")]
    TooLarge {
        /// Row of the file.
        row: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
    /// A cell or row that could not be read at all.
    #[error("row {row} of the scenario: `{value}`{} is {reason}", of_column(column))]
    Unreadable {
        /// Row of the file.
        row: u64,
        /// The column; empty where the whole row is bad.
        column: String,
        /// What stands there.
        value: String,
        /// Why not.
        reason: String,
    },
}

fn about(series: Option<&SeriesId>, ds: Option<&str>) -> String {
    match (series, ds) {
        (Some(series), Some(ds)) => format!("series `{series}` on {ds}"),
        (Some(series), None) => format!("series `{series}`"),
        (None, Some(ds)) => ds.to_owned(),
        (None, None) => "every series and step".to_owned(),
    }
}

fn of_column(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!(" in `{column}`") }
}

impl ScenarioError {
    pub(super) fn blank(sheet: &Sheet, row: usize, column: usize) -> Self {
        Self::Blank { row: sheet.place(row), column: name(sheet, column) }
    }

    pub(super) fn time(sheet: &Sheet, row: usize, column: usize) -> Self {
        match sheet.text(row, column) {
            Some(value) => Self::BadTime { row: sheet.place(row), column: name(sheet, column), value },
            None => Self::blank(sheet, row, column),
        }
    }
}

fn name(sheet: &Sheet, column: usize) -> String {
    sheet.names().nth(column).unwrap_or_default().to_owned()
}

impl Hint for ScenarioError {
    fn hint(&self) -> Option<String> {
        let named = |known: &[String]| {
            if known.is_empty() {
                "this project knows no column ahead: name some under `[data] future`, and run `almanac run`".to_owned()
            } else {
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("known ahead: {}", known.join(", "))
            }
        };
        Some(match self {
            Self::NotKnownAhead { known, near, .. } => match near {
                Some(near) => format!("did you mean `{near}`? {}", named(known)),
                None => named(known),
            },
            Self::NoValues { known } => named(known),
            Self::PartOfKey { .. } => {
                "give all id columns, or the whole key as `unique_id`; without any, rows are about every series".into()
            }
            Self::UnknownSeries { near, .. } => return near.as_ref().map(|near| format!("did you mean `{near}`?")),
            Self::NotForecast { .. } | Self::TooLarge { .. } => return None,
            Self::Blank { .. } => "leave the whole column out to mean every series, or every step".into(),
            Self::BadTime { .. } => "write it as in the forecasts: `almanac forecast --out -`".into(),
            Self::OutsideHorizon { .. } => "leave the row out; only what is known of the steps ahead can be changed".into(),
            Self::Twice { .. } => "keep one of the two".into(),
            Self::Unfit { .. } => "an empty cell leaves a number as it is, and names none of the texts".into(),
            Self::Unreadable { .. } => "write it as in the sources of the project; see `[data.csv]`".into(),
        })
    }
}
