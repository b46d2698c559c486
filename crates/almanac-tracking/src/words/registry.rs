//! Registered models and their versions.

use super::Millis;
use crate::RunId;

/// A name under which model versions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredModel {
    /// Unique.
    pub name: String,
    /// When the first version was made.
    pub created: Millis,
    /// When a version or alias last changed.
    pub updated: Millis,
    /// Alias and version, sorted by alias.
    pub aliases: Vec<(String, u32)>,
}

/// Whether a version can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum VersionStatus {
    Pending,
    Failed,
    Ready,
}

impl VersionStatus {
    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING_REGISTRATION",
            Self::Failed => "FAILED_REGISTRATION",
            Self::Ready => "READY",
        }
    }

    /// Reads MLflow's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Failed, Self::Ready].into_iter().find(|status| status.as_str() == word)
    }
}

/// What is needed to register a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewModelVersion {
    /// The registered model; made if it is not there.
    pub model: String,
    /// The run that made it.
    pub run: Option<RunId>,
    /// Where its files are.
    pub source: String,
    /// How it stands at first.
    pub status: VersionStatus,
    /// When it is registered.
    pub created: Millis,
}

/// One version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// The registered model.
    pub model: String,
    /// Counts up from 1; never used again.
    pub version: u32,
    /// The run that made it.
    pub run: Option<RunId>,
    /// Where its files are.
    pub source: String,
    /// Whether it can be used.
    pub status: VersionStatus,
    /// When it was registered.
    pub created: Millis,
}
