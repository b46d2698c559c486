//! Why a store refuses or fails.
//!
//! Not here: status codes of HTTP or exit codes, which the edge chooses.

use std::path::PathBuf;

use almanac_series::Hint;

use crate::{InvalidName, RunId};

/// Why a tracking store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum StoreError {
    #[error("{what} `{name}` does not exist")]
    NotFound { what: &'static str, name: String },
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    #[error("param `{key}` of run `{run}` is `{old}` and cannot become `{new}`")]
    ParamChanged { run: RunId, key: String, old: String, new: String },
    #[error("run `{run}` belongs to another experiment")]
    RunElsewhere { run: RunId },
    #[error("database `{}` has schema version {found}, this program knows versions up to {known}", path.display())]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    #[error("`{}` is not a tracking database of Almanac", path.display())]
    NotOurs { path: PathBuf },
    #[error("database `{}` is damaged", path.display())]
    Damaged { path: PathBuf, source: sqlx::Error },
    #[error("database `{}` cannot be written", path.display())]
    ReadOnly { path: PathBuf, source: sqlx::Error },
    #[error("failed to open database `{}`", path.display())]
    Unopenable { path: PathBuf, source: sqlx::Error },
    #[error("failed to create the folder `{}`", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("database `{}` stayed locked by another process", path.display())]
    Busy { path: PathBuf, source: sqlx::Error },
    #[error("no space left on the disk of database `{}`", path.display())]
    DiskFull { path: PathBuf, source: sqlx::Error },
    #[error("database `{}` holds `{value}` as {what}", path.display())]
    Unreadable { path: PathBuf, what: &'static str, value: String },
    #[error("failed to use database `{}`", path.display())]
    Database { path: PathBuf, source: sqlx::Error },
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NewerSchema { .. } => Some("use the newer Almanac that wrote it".into()),
            Self::NotOurs { path } | Self::Damaged { path, .. } | Self::Unreadable { path, .. } => Some(format!(
                "put back a copy, or move `{}` away: forecasts and the lake stay, the history of runs starts anew",
                path.display()
            )),
            Self::ReadOnly { .. } | Self::Folder { .. } | Self::Unopenable { .. } => {
                Some("check the rights of the file and of its folder, which must be writable too".into())
            }
            Self::Busy { .. } => Some("wait for the other `almanac` of this project to end, or stop it".into()),
            Self::DiskFull { .. } => Some("free some space and run the same command again; nothing that was stored is lost".into()),
            Self::ParamChanged { .. } => Some("params cannot change; log a metric or tag, or start a new run".into()),
            Self::NotFound { .. } | Self::InvalidName(_) | Self::RunElsewhere { .. } | Self::Database { .. } => None,
        }
    }
}
