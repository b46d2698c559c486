//! Why a subject could not be erased, or a proof not be checked.

use std::io;
use std::path::{Path, PathBuf};

use almanac_series::Hint;

use crate::key::KeyError;

/// Why an erasure or its verification stopped. What was done before is in the journal and is not done twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// Nobody is named.
    #[error("the subject's key is empty")]
    NoSubject,
    /// No column in which a key names a subject: its rows would stay, with a mark in them.
    #[error("no column is named in which the key names a person, so its rows cannot be told")]
    NoColumn,
    /// An erasure of somebody else was begun and not finished.
    #[error("an erasure of another subject was begun at {started} and is not finished")]
    OtherPending {
        /// When.
        started: String,
    },
    /// The operating system said no.
    #[error("failed to access `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A table could not be read or written.
    #[error("failed to rewrite `{}`: {reason}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What the reader or writer says.
        reason: String,
    },
    /// A database could not be read or written.
    #[error("failed to rewrite the database `{}`", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A proof or journal does not hold what it should.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no such proof.
    #[error("there is no proof of erasure {number} in `{}`", folder.display())]
    NoProof {
        /// The folder of proofs.
        folder: PathBuf,
        /// The number asked for.
        number: u32,
    },
    /// The observer asked to stop.
    #[error("the erasure was stopped")]
    Stopped,
    /// There is no key to hash the subject's name with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl EraseError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn table(path: &Path, reason: impl ToString) -> Self {
        Self::Table { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn database(path: &Path, source: rusqlite::Error) -> Self {
        Self::Database { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl Hint for EraseError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSubject => "name the person as the source does: `--subject C1017`".into(),
            Self::NoColumn => "name the column: `--column customer_id`, or `subject = [\"customer_id\"]` under `[privacy]`".into(),
            Self::OtherPending { .. } => "call `almanac erase` with that subject again: it goes on where it stopped".into(),
            Self::Io { .. } | Self::Stopped => "call `almanac erase` again: it goes on where it stopped".into(),
            Self::Table { .. } => "mend or remove the file, then call `almanac erase` again: it goes on where it stopped".into(),
            Self::Database { .. } => {
                "end other programs that use the database, such as `almanac serve`, and call `almanac erase` again".into()
            }
            Self::Damaged { .. } => "a proof is never changed by Almanac: restore it from a backup".into(),
            Self::NoProof { .. } => "`almanac erase --verify` without a number checks all that there are".into(),
            Self::Key(error) => return error.hint(),
        })
    }
}
