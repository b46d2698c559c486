//! Why a store refuses or fails.
//!
//! Two tiers: [`StoreError::Refused`] is an answer to what was asked, in MLflow's codes and words, so that its clients
//! understand it; every other variant is about the database itself.
//!
//! Not here: status codes of HTTP or exit codes, which the edge chooses.

use std::path::PathBuf;
use std::sync::Arc;

use almanac_series::Hint;

/// MLflow's word for a kind of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum ErrorCode {
    BadRequest,
    EndpointNotFound,
    InternalError,
    InvalidParameterValue,
    InvalidState,
    NotImplemented,
    PermissionDenied,
    RequestLimitExceeded,
    ResourceAlreadyExists,
    ResourceConflict,
    ResourceDoesNotExist,
    TemporarilyUnavailable,
    Unauthenticated,
}

impl ErrorCode {
    /// Returns the word as it goes over the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::EndpointNotFound => "ENDPOINT_NOT_FOUND",
            Self::InternalError => "INTERNAL_ERROR",
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::InvalidState => "INVALID_STATE",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::RequestLimitExceeded => "REQUEST_LIMIT_EXCEEDED",
            Self::ResourceAlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::ResourceConflict => "RESOURCE_CONFLICT",
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::TemporarilyUnavailable => "TEMPORARILY_UNAVAILABLE",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// What a database driver said.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a tracking store could not do what was asked. Cheap to clone: all writers of one commit get the same failure.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum StoreError {
    #[error("{message}")]
    Refused { code: ErrorCode, message: String },
    #[error("database `{location}` has schema version {found}, this program knows versions up to {known}")]
    NewerSchema { location: String, found: i64, known: i64 },
    #[error("`{location}` is not a tracking database of Almanac")]
    NotOurs { location: String },
    #[error("`{location}` is the database of an MLflow server")]
    OfMlflow { location: String },
    #[error("`{url}` is not the URL of a database")]
    BadUrl { url: String },
    #[error("database `{location}` is damaged")]
    Damaged { location: String, source: Cause },
    #[error("database `{location}` cannot be written")]
    ReadOnly { location: String, source: Cause },
    #[error("failed to open database `{location}`")]
    Unopenable { location: String, source: Cause },
    #[error("failed to create the folder `{}`", path.display())]
    Folder { path: PathBuf, source: Arc<std::io::Error> },
    #[error("database `{location}` stayed locked by another process")]
    Busy { location: String, source: Cause },
    #[error("no space left on the disk of database `{location}`")]
    DiskFull { location: String, source: Cause },
    #[error("database `{location}` holds `{value}` as {what}")]
    Unreadable { location: String, what: &'static str, value: String },
    #[error("failed to use database `{location}`")]
    Database { location: String, source: Cause },
}

impl StoreError {
    /// Refuses with a code of MLflow's and a message in its words.
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    /// Refuses a value that was given.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::refused(ErrorCode::InvalidParameterValue, message)
    }

    /// Says that something does not exist.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::refused(ErrorCode::ResourceDoesNotExist, message)
    }

    /// Says that something exists already.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::refused(ErrorCode::ResourceAlreadyExists, message)
    }

    /// Returns the code of a refusal, `None` for a failure of the database.
    pub fn code(&self) -> Option<ErrorCode> {
        if let Self::Refused { code, .. } = self { Some(*code) } else { None }
    }
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NewerSchema { .. } => Some("use the newer Almanac that wrote it".into()),
            Self::NotOurs { location } | Self::Damaged { location, .. } | Self::Unreadable { location, .. } => {
                Some(format!("put back a copy, or move `{location}` away: forecasts and the lake stay, the history of runs starts anew"))
            }
            Self::OfMlflow { location } => {
                Some(format!("`almanac tracking import {location}` copies it into a database of Almanac and leaves it as it is"))
            }
            Self::BadUrl { .. } => {
                Some("write `sqlite:///almanac.db`, `sqlite:////data/almanac.db` or `postgresql://user:password@host/name`".into())
            }
            Self::ReadOnly { .. } | Self::Folder { .. } | Self::Unopenable { .. } => Some(
                "check the rights of the file and of its folder, which must be writable too; for a server: address, user and password"
                    .into(),
            ),
            Self::Busy { .. } => Some("wait for the other `almanac` of this project to end, or stop it".into()),
            Self::DiskFull { .. } => Some("free some space and run the same command again; nothing that was stored is lost".into()),
            Self::Refused { .. } | Self::Database { .. } => None,
        }
    }
}
