//! The nouns of tracking, as MLflow names them.
//!
//! Plain data without behaviour; not serialisable on purpose, the wire has types of its own (`almanac-api`).

use std::fmt;

use crate::RunId;

/// Milliseconds since 1970-01-01 UTC, given by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

/// Number of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExperimentId(pub i64);

impl fmt::Display for ExperimentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A named group of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Given by the store.
    pub id: ExperimentId,
    /// Unique.
    pub name: String,
    /// When it was made.
    pub created: Millis,
}

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum RunStatus {
    Running,
    Finished,
    Failed,
    Killed,
}

impl RunStatus {
    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// Reads MLflow's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Finished, Self::Failed, Self::Killed].into_iter().find(|status| status.as_str() == word)
    }
}

/// What is needed to start a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Chosen by the caller: the same id again resumes the run.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment: ExperimentId,
    /// For people; need not be unique.
    pub name: String,
    /// When it starts.
    pub started: Millis,
    /// Set at the start.
    pub tags: Vec<Tag>,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// 32 hex digits.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment: ExperimentId,
    /// For people.
    pub name: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it was first started.
    pub started: Millis,
    /// When it ended, unless it is running.
    pub ended: Option<Millis>,
}

/// A setting of a run; cannot change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Param {
    pub key: String,
    pub value: String,
}

/// A label of a run; can change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// One number measured in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// NaN is kept; an infinity is stored as the largest number, as MLflow does.
    pub value: f64,
    /// When it was measured.
    pub timestamp: Millis,
    /// Counts within the run, 0 where there is nothing to count.
    pub step: i64,
}

/// What is logged in one transaction: all of it, or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Batch {
    pub params: Vec<Param>,
    pub metrics: Vec<Metric>,
    pub tags: Vec<Tag>,
}

/// What a run has logged, each list sorted by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunData {
    /// Every param.
    pub params: Vec<Param>,
    /// Of each key the metric with the greatest (step, timestamp, value).
    pub metrics: Vec<Metric>,
    /// Every tag.
    pub tags: Vec<Tag>,
}

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
