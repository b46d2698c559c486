//! Logged models of MLflow 3: models with files, params and metrics of their own, apart from runs.

use std::fmt;

use super::{ExperimentId, LifecycleStage, Metric, Millis, Param, Tag};
use crate::RunId;

/// Id of a logged model: `m-` and 32 hex digits where we make it, any text where a client names one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoggedModelId(pub String);

impl LoggedModelId {
    /// Makes an id that nobody has used.
    pub fn random() -> Self {
        Self(format!("m-{}", RunId::random()))
    }
}

impl fmt::Display for LoggedModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far the logging of a model has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "MLflow's words")]
pub enum LoggedModelStatus {
    Unspecified,
    Pending,
    Ready,
    UploadFailed,
}

impl LoggedModelStatus {
    const ALL: [Self; 4] = [Self::Unspecified, Self::Pending, Self::Ready, Self::UploadFailed];

    /// Returns MLflow's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "LOGGED_MODEL_STATUS_UNSPECIFIED",
            Self::Pending => "LOGGED_MODEL_PENDING",
            Self::Ready => "LOGGED_MODEL_READY",
            Self::UploadFailed => "LOGGED_MODEL_UPLOAD_FAILED",
        }
    }

    /// Returns the word that MLflow's Python client shows.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Pending => "PENDING",
            Self::Ready => "READY",
            Self::UploadFailed => "FAILED",
        }
    }

    /// Reads MLflow's word, as it goes over the wire or as the Python client shows it.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word || status.short() == word)
    }

    /// Reads MLflow's number, as requests may carry it and as tables hold it: `READY` is 2.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// Returns MLflow's number.
    pub(crate) fn number(self) -> i64 {
        Self::ALL.iter().position(|status| *status == self).map_or(0, |place| place as i64)
    }
}

/// What is needed to make a logged model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLoggedModel {
    /// Chosen by the caller.
    pub id: LoggedModelId,
    /// The experiment it belongs to.
    pub experiment: ExperimentId,
    /// For people; need not be unique. Empty: one is made up.
    pub name: String,
    /// What kind of model; may be empty.
    pub model_type: String,
    /// The run that made it, which need not be known; may be empty.
    pub source_run: String,
    /// Set at once.
    pub params: Vec<Param>,
    /// Set at once.
    pub tags: Vec<Tag>,
}

/// A number measured of a logged model, in a run.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LoggedModelMetric {
    pub run: RunId,
    pub metric: Metric,
}

/// A model that was logged.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in `NewLoggedModel`")]
pub struct LoggedModel {
    pub id: LoggedModelId,
    pub experiment: ExperimentId,
    pub name: String,
    /// Where its files are.
    pub artifact_uri: String,
    pub model_type: String,
    pub source_run: String,
    pub status: LoggedModelStatus,
    /// Why it has that status; mostly empty.
    pub status_message: String,
    pub lifecycle_stage: LifecycleStage,
    pub created: Millis,
    /// When it was made, finalized or deleted; tags, params and metrics do not count.
    pub updated: Millis,
    /// Sorted by key.
    pub params: Vec<Param>,
    /// Sorted by key.
    pub tags: Vec<Tag>,
    /// Sorted by time, step and key.
    pub metrics: Vec<LoggedModelMetric>,
}

/// A dataset that metrics of a search are to belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DatasetFilter {
    pub name: String,
    /// `None`: of any content.
    pub digest: Option<String>,
}

/// One term of an order of logged models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedModelOrder {
    /// An attribute, or `metrics.` and a key.
    pub field: String,
    /// From the least to the greatest. What has no value comes last either way.
    pub ascending: bool,
    /// Looks at metrics of this dataset alone.
    pub dataset_name: Option<String>,
    /// Looks at metrics of datasets of this content alone.
    pub dataset_digest: Option<String>,
}

/// What is searched for among logged models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedModelQuery {
    /// Where to look; nothing is found without one.
    pub experiments: Vec<ExperimentId>,
    /// In MLflow's search language; may be empty.
    pub filter: String,
    /// Comparisons of metrics look at these datasets alone; without such comparisons, models with a metric on one of them.
    pub datasets: Vec<DatasetFilter>,
    /// Newest first where these leave it open.
    pub order_by: Vec<LoggedModelOrder>,
    /// Most models of the page.
    pub max_results: i64,
    /// Token of the page before, for the same experiments, filter and order.
    pub page_token: Option<String>,
}
