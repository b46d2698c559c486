//! Why a project could not be inferred.

use almanac_series::{FreqError, Hint};

use crate::ingest::IngestError;

/// Why a project could not be inferred.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferProjectError {
    /// A source that cannot be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// No table has both a time and something to forecast.
    #[error("no table has a time column and a number to forecast; columns seen: {columns}")]
    NoSales {
        /// Names of tables and columns.
        columns: String,
    },
    /// A column named by the user that no table has.
    #[error("no table has the column `{column}` that `{flag}` names")]
    NoColumn {
        /// The column.
        column: String,
        /// The flag.
        flag: &'static str,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// A time column without order.
    #[error("column `{column}` is no time: it holds {kind} values such as `{sample}`")]
    NotATime {
        /// The column.
        column: String,
        /// Its kind.
        kind: crate::ingest::ColumnKind,
        /// A value.
        sample: String,
    },
    /// A target that is no number.
    #[error("column `{column}` is no number: it holds {kind} values such as `{sample}`")]
    NotANumber {
        /// The column.
        column: String,
        /// Its kind.
        kind: crate::ingest::ColumnKind,
        /// A value.
        sample: String,
    },
    /// A history of one moment.
    #[error("column `{column}` of `{table}` has a single time, `{time}`: a history needs more")]
    SingleTime {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The time.
        time: String,
    },
    /// An alias that cannot be read.
    #[error(transparent)]
    Freq(#[from] FreqError),
    /// No series has regular times.
    #[error("no frequency fits the times of `{column}`")]
    NoFreq {
        /// The time column.
        column: String,
    },
}

impl Hint for InferProjectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Ingest(error) => error.hint(),
            Self::NoSales { .. } => Some("name them with `--time` and `--target`".into()),
            Self::NoColumn { near, .. } => near.as_ref().map(|near| format!("did you mean `{near}`?")),
            Self::NotATime { .. } => {
                Some("give its pattern as `date_format` under `[data.csv]`, or name another column with `--time`".into())
            }
            Self::NotANumber { .. } => Some("name another column with `--target`, or correct the values that are no numbers".into()),
            Self::SingleTime { .. } => Some("give a longer history, or name another column with `--time`".into()),
            Self::Freq(error) => error.hint(),
            Self::NoFreq { .. } => Some("set it with `--freq`, e.g. `D`, `W-MON` or `MS`; times are then put on that grid".into()),
        }
    }
}
