//! Why a table could not be profiled or compared.

use std::path::{Path, PathBuf};

use almanac_series::Hint;
use thiserror::Error;

/// Why a table could not be profiled or compared.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// A file cannot be opened or written.
    #[error("failed to {what} `{}`", path.display())]
    Io {
        /// What was tried: `read`, `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is not Parquet, or is damaged.
    #[error("`{}` is not a Parquet file that can be read", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: parquet::errors::ParquetError,
    },
    /// A batch cannot be read.
    #[error("rows of {place} cannot be read")]
    Arrow {
        /// The table or file.
        place: String,
        /// What the reader says.
        source: arrow::error::ArrowError,
    },
    /// A column of the key is absent.
    #[error("there is no column `{column}`, which is part of the key")]
    NoColumn {
        /// Its name.
        column: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// Two parts of a table have different columns.
    #[error("{place} has other columns than the rest of the table: {difference}")]
    OtherColumns {
        /// The part.
        place: String,
        /// What differs.
        difference: String,
    },
    /// A kept profile is damaged or of a newer version.
    #[error("`{}` is not a profile of this version: {reason}", path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A table name that would leave its folder.
    #[error("`{name}` cannot be the name of a profiled table or version")]
    Name {
        /// The name.
        name: String,
    },
    /// There is nothing to profile.
    #[error("there is no file to profile")]
    Nothing,
}

impl ProfileError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what: "read", path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what: "write", path: path.to_owned(), source }
    }

    pub(crate) fn kept(path: &Path, reason: impl ToString) -> Self {
        Self::Kept { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl Hint for ProfileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } | Self::Arrow { .. } => None,
            Self::Parquet { .. } => Some("it may be cut off: compare its size with the original, or write it again".to_owned()),
            Self::NoColumn { columns, .. } => Some(format!("the columns are: {}", columns.join(", "))),
            Self::OtherColumns { .. } => Some("profile the files one by one, or name those that belong together".to_owned()),
            Self::Kept { .. } => Some("a newer program may have written it; otherwise remove it: the next run makes it again".to_owned()),
            Self::Name { .. } => Some("a name has letters, digits, `-`, `_` and `.`, and does not begin with a dot".to_owned()),
            Self::Nothing => Some("name a file, or a folder with Parquet files".to_owned()),
        }
    }
}
