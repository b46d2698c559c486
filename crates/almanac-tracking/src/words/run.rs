//! Runs and what they log.

use super::{ExperimentId, LifecycleStage, Millis, RunInputs, Tag, ViewType};
use crate::RunId;

/// State of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum RunStatus {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

impl RunStatus {
    const ALL: [Self; 5] = [Self::Running, Self::Scheduled, Self::Finished, Self::Failed, Self::Killed];

    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// Reads MLflow's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Reads MLflow's number, as requests may carry it: `RUNNING` is 1.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number - 1).ok().and_then(|place| Self::ALL.get(place).copied())
    }
}

/// What is needed to start a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Chosen by the caller.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment: ExperimentId,
    /// For people; need not be unique. Empty: the tag `mlflow.runName`, or one is made up.
    pub name: String,
    /// Who runs it; may be empty.
    pub user: String,
    /// When it starts.
    pub started: Millis,
    /// Set at the start.
    pub tags: Vec<Tag>,
}

/// What of a run is to change; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Run`")]
pub struct RunUpdate {
    pub status: Option<RunStatus>,
    pub ended: Option<Millis>,
    pub name: Option<String>,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Mostly 32 hex digits.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment: ExperimentId,
    /// For people.
    pub name: String,
    /// Who ran it; may be empty.
    pub user: String,
    /// How it stands.
    pub status: RunStatus,
    /// When it was first started.
    pub started: Millis,
    /// When it ended, unless it is running.
    pub ended: Option<Millis>,
    /// Whether it was deleted.
    pub lifecycle_stage: LifecycleStage,
    /// Where its artifacts are.
    pub artifact_uri: String,
}

/// A setting of a run; cannot change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Param {
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
    /// The logged model it belongs to, if any.
    pub model_id: Option<String>,
    /// Name and digest of the dataset it was measured on, if any.
    pub dataset: Option<(String, String)>,
}

impl Metric {
    /// A metric that belongs to no model or dataset.
    pub fn new(key: impl Into<String>, value: f64, timestamp: Millis, step: i64) -> Self {
        Self { key: key.into(), value, timestamp, step, model_id: None, dataset: None }
    }
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

/// A run with all that it logged.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RunRecord {
    pub run: Run,
    pub data: RunData,
    pub inputs: RunInputs,
}

/// A search for runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunQuery {
    /// Where to look; nowhere: nothing is found.
    pub experiments: Vec<ExperimentId>,
    /// In MLflow's search language.
    pub filter: String,
    /// Which lifecycle stages.
    pub view: ViewType,
    /// Most runs of a page, 1 to 50,000.
    pub max_results: i64,
    /// Such as `metrics.loss DESC`; then newest start first.
    pub order_by: Vec<String>,
    /// Of the page before.
    pub page_token: Option<String>,
}

impl Default for RunQuery {
    fn default() -> Self {
        Self {
            experiments: Vec::new(),
            filter: String::new(),
            view: ViewType::ActiveOnly,
            max_results: 1_000,
            order_by: Vec::new(),
            page_token: None,
        }
    }
}
