//! What can go wrong before or while a table is judged. A table that fails an expectation is no error.

use std::path::PathBuf;

use almanac_series::Hint;

/// Why a suite could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// The file could not be read.
    #[error("cannot read the suite {}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is neither YAML, TOML nor JSON.
    #[error("{file} is not a suite: {problem}")]
    Syntax {
        /// File, or what stands for it.
        file: String,
        /// What the parser says.
        problem: String,
    },
    /// An expectation could not be understood.
    #[error("{file}: expectation {number} (`{expectation}`): {problem}")]
    Expectation {
        /// File, or what stands for it.
        file: String,
        /// Place in the file, from 1.
        number: usize,
        /// Its name.
        expectation: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A contract asks for something that is not known here.
    #[error("{file}: {place}: {problem}")]
    Contract {
        /// File.
        file: String,
        /// Table, column or rule.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Hint for SuiteError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "name a file that exists and may be read".into(),
            Self::Syntax { .. } => "a suite is YAML, TOML or JSON with a list `expectations`; `almanac check --suggest` prints one".into(),
            Self::Expectation { .. } => "mend its arguments, or take it out: an expectation is never skipped silently".into(),
            Self::Contract { .. } => "mend the contract, or check this part elsewhere: a rule is never skipped silently".into(),
        })
    }
}

/// Why a table could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no such column.
    #[error("there is no column `{column}`")]
    NoColumn {
        /// Column.
        column: String,
    },
    /// The column is of a type that the expectation cannot judge.
    #[error("`{expectation}` cannot judge column `{column}`, which is {found}")]
    Type {
        /// Expectation.
        expectation: String,
        /// Column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A value cannot be judged at all.
    #[error("{problem}")]
    Value {
        /// What and where.
        problem: String,
    },
    /// The expectation names a table that was not given.
    #[error("there is no table `{table}` to compare with")]
    NoTable {
        /// Table.
        table: String,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not Parquet, or is damaged.
    #[error("cannot read {} as Parquet", path.display())]
    Parquet {
        /// File.
        path: PathBuf,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Files of one table have different columns.
    #[error("{} has other columns than the first file of its table", path.display())]
    Schema {
        /// File.
        path: PathBuf,
    },
    /// Arrow refused the data.
    #[error("cannot judge the data")]
    Arrow(#[source] arrow::error::ArrowError),
}

impl Hint for CheckError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoColumn { .. } => "name a column of the table; `almanac check --suggest` lists them".into(),
            Self::Type { .. } => "choose an expectation that fits the column's type".into(),
            Self::NoTable { .. } => "name a table of the same layer".into(),
            Self::Read { .. } => "is the file there, and may it be read?".into(),
            Self::Parquet { .. } => "write the file again, or take it out of the folder".into(),
            Self::Schema { .. } => "keep files of one table alike, or check them one by one".into(),
            Self::Value { .. } | Self::Arrow(_) => return None,
        })
    }
}
