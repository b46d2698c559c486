//! Registered models, their versions, and what allows an alias to point at one.

use super::{Millis, Tag};
use crate::StoreError;

/// A name under which model versions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredModel {
    /// Unique.
    pub name: String,
    /// For people; may be empty.
    pub description: String,
    /// When it was made.
    pub created: Millis,
    /// When it, a version or an alias last changed.
    pub updated: Millis,
    /// Sorted by key.
    pub tags: Vec<Tag>,
    /// Alias and version, sorted by alias.
    pub aliases: Vec<(String, u32)>,
    /// The newest version of each stage that has one, by version; their `aliases` are left out, as MLflow does.
    pub latest: Vec<ModelVersion>,
}

/// Whether a version can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum VersionStatus {
    Pending,
    Failed,
    #[default]
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

/// Where a version stands, in the way that MLflow had before aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum Stage {
    #[default]
    None,
    Staging,
    Production,
    Archived,
}

impl Stage {
    const ALL: [Self; 4] = [Self::None, Self::Staging, Self::Production, Self::Archived];

    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }

    /// Reads MLflow's word, in any case.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for another word.
    pub fn parse(word: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|stage| stage.as_str().eq_ignore_ascii_case(word)).ok_or_else(|| {
            StoreError::invalid(format!("Invalid Model Version stage: {word}. Value must be one of None, Staging, Production, Archived."))
        })
    }

    /// Returns whether versions of this stage are in use.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }
}

/// What is needed to register a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewModelVersion {
    /// The registered model.
    pub model: String,
    /// The run that made it, which need not be known. `None`: that of what `source` speaks of, if any.
    pub run_id: Option<String>,
    /// The logged model that it is, if any. `None`: that of what `source` speaks of, if any.
    pub model_id: Option<String>,
    /// Where its files are: `models:/m-…`, `models:/name/version`, `runs:/run/path`, or a place.
    pub source: String,
    /// How it stands at first.
    pub status: VersionStatus,
    /// For people; may be empty.
    pub description: String,
    /// Who registers it; may be empty.
    pub user: String,
    /// Where the run can be looked at; may be empty.
    pub run_link: String,
    /// Set at once.
    pub tags: Vec<Tag>,
}

/// One version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// The registered model.
    pub model: String,
    /// Counts up from 1; never used again.
    pub version: u32,
    /// For people; may be empty.
    pub description: String,
    /// Who registered it; may be empty.
    pub user: String,
    /// Where it stands.
    pub stage: Stage,
    /// What it was registered from.
    pub source: String,
    /// Where its files are.
    pub storage_location: String,
    /// The run that made it.
    pub run_id: Option<String>,
    /// Where the run can be looked at; may be empty.
    pub run_link: String,
    /// The logged model that it is.
    pub model_id: Option<String>,
    /// Whether it can be used.
    pub status: VersionStatus,
    /// More about the status; may be empty.
    pub status_message: String,
    /// When it was registered.
    pub created: Millis,
    /// When its description, stage or status last changed.
    pub updated: Millis,
    /// Sorted by key.
    pub tags: Vec<Tag>,
    /// The aliases that point at it, sorted.
    pub aliases: Vec<String>,
}

/// What is searched for among models or versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryQuery {
    /// In MLflow's search language; empty finds all but prompts.
    pub filter: String,
    /// Terms such as `name DESC`.
    pub order_by: Vec<String>,
    /// Most items of the answer.
    pub max_results: i64,
    /// Asks for a later page.
    pub page_token: Option<String>,
}

/// Who does something to an alias, and why. Either may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Change {
    pub actor: String,
    pub reason: String,
}

/// What kind of change a move of an alias was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoveKind {
    /// It was pointed at a version.
    Set,
    /// It was taken away, by itself or with its version.
    Delete,
    /// It was put back to where it pointed before.
    Rollback,
    /// The model was deleted, and with it all its aliases.
    ModelDelete,
}

impl MoveKind {
    const ALL: [Self; 4] = [Self::Set, Self::Delete, Self::Rollback, Self::ModelDelete];

    /// Returns the word in the tables and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Delete => "delete",
            Self::Rollback => "rollback",
            Self::ModelDelete => "model_delete",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One move of an alias, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasMove {
    /// Counts up over all models.
    pub number: i64,
    /// The registered model.
    pub model: String,
    /// Empty where the model was deleted.
    pub alias: String,
    /// What was done.
    pub kind: MoveKind,
    /// Where it pointed before.
    pub from: Option<u32>,
    /// Where it pointed afterwards.
    pub to: Option<u32>,
    /// Who did it and why.
    pub change: Change,
    /// When.
    pub moved: Millis,
}

/// What proves that a version may be promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionEvidence {
    /// A JSON object. A promotion asks for each of [`VersionEvidence::PARTS`]; more may be there.
    pub evidence: String,
    /// Whether who recorded it holds it to be enough.
    pub passed: bool,
    /// When it was recorded.
    pub since: Millis,
}

impl VersionEvidence {
    /// What evidence has to speak of before a gated alias may point at its version.
    pub const PARTS: [&str; 6] = ["backtest", "data_version", "config", "code", "coverage", "leakage_audit"];
}
