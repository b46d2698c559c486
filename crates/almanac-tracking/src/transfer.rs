//! Moving whole stores: out to files and back, and in from MLflow's own stores.
//!
//! ```text
//! MLflow's folder  mlruns ──────┐
//! MLflow's SQLite  mlflow_sqlite┤
//! an export        import ──────┼──► Record ──► sink (transactions of bounded size) ──► tables
//! another store    export ──────┘
//!                     └──► Record ──► JSON Lines, manifest
//! ```
//!
//! A [`tables::Record`] is a row with ids in place of numbers that only one store knows. Which tables there are is read from
//! the schema itself ([`tables`]), so that a new table is moved without a line here.
//!
//! Importing again adds nothing and changes nothing: what is there stays as it is, and where it differs, that is reported.
//! An import that was killed is resumed by starting it again.
//!
//! Not here: accounts and rights, which belong to one server; copying artifacts between object stores.

mod artifacts;
mod export;
mod import;
mod mlflow_sqlite;
mod mlruns;
mod report;
mod sink;
mod spans;
mod tables;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use almanac_series::Hint;

use crate::{StoreError, StoreUrl};

pub use artifacts::Artifacts;
pub use export::ExportSummary;
pub use import::{ImportOptions, Source};
pub use report::{ImportReport, Problem, TableCount};

/// Why a transfer could not be carried out. What is wrong with single rows is in the report instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum TransferError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("failed to {action} `{}`", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("`{given}` is neither a folder of MLflow's runs, nor a database, nor an export")]
    NotASource { given: String },
    #[error("`{location}` is the store that is imported into")]
    SameStore { location: String },
    #[error("failed to read MLflow's database `{}`", path.display())]
    Mlflow { path: PathBuf, source: rusqlite::Error },
    #[error("`{}` is not a manifest of an export", path.display())]
    Manifest { path: PathBuf, source: serde_json::Error },
    #[error("`{}` has format {found}, this program knows formats up to {known}", path.display())]
    NewerFormat { path: PathBuf, found: u32, known: u32 },
    #[error("the folder `{}` is not empty", path.display())]
    NotEmpty { path: PathBuf },
}

impl TransferError {
    fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { action, path: path.to_owned(), source }
    }
}

impl Hint for TransferError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NotASource { .. } => {
                Some("give a folder such as `mlruns`, a file such as `mlflow.db`, a folder that `almanac tracking export` made, or the URL of a store".into())
            }
            Self::NewerFormat { .. } => Some("use the newer Almanac that wrote it".into()),
            Self::NotEmpty { .. } => Some("name a folder that is not there yet".into()),
            Self::File { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free some space and run the same command again".into()),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some("check the rights of the folder".into()),
                _ => None,
            },
            Self::SameStore { .. } | Self::Mlflow { .. } | Self::Manifest { .. } => None,
        }
    }
}

/// Returns whether two URLs name one store, as far as can be seen without opening them.
fn is_same(left: &StoreUrl, right: &str) -> bool {
    match left {
        StoreUrl::Sqlite(path) => match (path.canonicalize(), Path::new(right).canonicalize()) {
            (Ok(left), Ok(right)) => left == right,
            _ => false,
        },
        StoreUrl::Postgres(_) => left.to_string() == right,
    }
}
