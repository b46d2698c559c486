//! Why no silver panel could be built.

use std::io;
use std::path::{Path, PathBuf};

use almanac_series::{Hint, InferError};
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use parquet::errors::ParquetError;

/// Why no silver panel could be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SilverError {
    /// A column of the spec is not in the table.
    #[error("the table has no column `{column}`")]
    NoSuchColumn {
        /// The column.
        column: String,
        /// What the table has.
        available: Vec<String>,
    },
    /// A column has a type that its role cannot use.
    #[error("column `{column}` is of type {got}, {role} needs {expected}")]
    ColumnType {
        /// The column.
        column: String,
        /// Its role.
        role: &'static str,
        /// Its type.
        got: String,
        /// What the role needs.
        expected: &'static str,
    },
    /// A column has been given two roles that exclude each other.
    #[error("column `{column}` is given as {first} and as {second}")]
    TwoRoles {
        /// The column.
        column: String,
        /// A role.
        first: &'static str,
        /// Another one.
        second: &'static str,
    },
    /// Two different id tuples have one text.
    #[error("two series have the same id `{id}` once their columns are joined")]
    AmbiguousId {
        /// The text.
        id: String,
    },
    /// Different rows for one key, and the policy is `error`.
    #[error("{count} periods have several rows that differ, for example series `{series}` at {ds}")]
    Duplicates {
        /// How many periods.
        count: u64,
        /// One of the series.
        series: String,
        /// One of the periods.
        ds: String,
    },
    /// Gaps, and the policy is `error`.
    #[error("{count} periods have no row, for example series `{series}` at {ds}")]
    Gaps {
        /// How many periods.
        count: u64,
        /// One of the series.
        series: String,
        /// One of the periods.
        ds: String,
    },
    /// The regular panel would be far larger than the table.
    #[error("the regular panel would have {cells} rows for {rows} rows of input; series `{series}` alone spans {first} to {last}")]
    TooSparse {
        /// Rows of the panel.
        cells: u64,
        /// Rows of the input.
        rows: u64,
        /// The longest series.
        series: String,
        /// Its first period.
        first: String,
        /// Its last period.
        last: String,
    },
    /// A text column has more categories than a model can use.
    #[error("text column `{column}` has more than {limit} distinct values")]
    TooManyCategories {
        /// The column.
        column: String,
        /// The limit.
        limit: usize,
    },
    /// No usable row.
    #[error("no series has an observed target: {rows} rows were read, {quarantined} of them are unusable")]
    NoSeries {
        /// Rows read.
        rows: u64,
        /// Rows that would have gone to quarantine.
        quarantined: u64,
        /// The most frequent reason.
        reason: Option<String>,
    },
    /// The frequency cannot be told.
    #[error("the frequency of column `{column}` cannot be told")]
    Frequency {
        /// The time column.
        column: String,
        /// Why.
        #[source]
        source: InferError,
    },
    /// Dates cannot be put on integer steps.
    #[error("column `{column}` holds dates, which frequency `1` cannot count")]
    StepsOfDates {
        /// The time column.
        column: String,
    },
    /// The time zone is not known.
    #[error("time zone `{name}` is not known")]
    TimeZone {
        /// The name.
        name: String,
    },
    /// The stream of rows failed.
    #[error("failed to read the table")]
    Input {
        /// What the query engine said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// A column could not be converted.
    #[error("failed to convert column `{column}`")]
    Convert {
        /// The column.
        column: String,
        /// What failed.
        #[source]
        source: ArrowError,
    },
    /// Parquet could not be written.
    #[error("failed to write `{}`", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: ParquetError,
    },
    /// The file system failed.
    #[error("failed to write `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

impl SilverError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn parquet(path: &Path, source: ParquetError) -> Self {
        Self::Parquet { path: path.to_owned(), source }
    }
}

impl Hint for SilverError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchColumn { available, .. } => {
                let shown: Vec<_> = available.iter().take(30).map(|name| format!("`{name}`")).collect();
                format!("the table has {}", shown.join(", "))
            }
            Self::ColumnType { column, .. } => format!("cast `{column}` in `[data] sql`, or name another column"),
            Self::TwoRoles { column, .. } => format!("name `{column}` under one role in `[data]`"),
            Self::AmbiguousId { .. } => "an id column contains `/`; replace it in `[data] sql`".into(),
            Self::Duplicates { .. } => {
                "set `[data] duplicates` to `sum`, `mean`, `first` or `last`, or add the column that tells the rows apart to `id`".into()
            }
            Self::Gaps { .. } => "set `[data] gaps` to `zero`, `missing`, `closed` or `forward`".into(),
            Self::TooSparse { .. } => "look for a wrong date, or set `[data] freq` to a coarser spacing".into(),
            Self::TooManyCategories { column, .. } => format!("leave `{column}` out, or group its values in `[data] sql`"),
            Self::NoSeries { reason, .. } => match reason {
                Some(reason) => format!("most rows were refused because: {reason}"),
                None => "the table is empty: look at the source and at `[data] sql`".into(),
            },
            Self::Frequency { source, .. } => return source.hint(),
            Self::StepsOfDates { .. } => "set `[data] freq` to `D`, `W-MON`, `MS` or another calendar spacing".into(),
            Self::TimeZone { .. } => "use an IANA name such as `Europe/Berlin`".into(),
            Self::Io { .. } => "look at the free space and the rights of the folder; the run can simply be repeated".into(),
            Self::Input { .. } | Self::Convert { .. } | Self::Parquet { .. } => return None,
        })
    }
}
