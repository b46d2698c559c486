//! The nouns of tracking, as MLflow names them: plain data without behaviour, one file a family.
//!
//! Not serialisable on purpose: the wire has types of its own.

mod access;
mod dataset;
mod experiment;
mod garbage;
mod logged_model;
mod registry;
mod run;
mod study;
mod trace;
mod validation;
mod webhook;

pub use access::{AccessToken, AccessUser, NewAccessToken, PasswordProof, Role, Secret};
pub use dataset::{Dataset, DatasetInput, DatasetSummary, ModelOutput, RunInputs};
pub use experiment::{Experiment, ExperimentId, ExperimentQuery, LifecycleStage, NewExperiment, ViewType};
pub use garbage::{CollectPlan, CollectProgress, CollectWanted, Doomed};
pub use logged_model::{
    DatasetFilter, LoggedModel, LoggedModelId, LoggedModelMetric, LoggedModelOrder, LoggedModelQuery, LoggedModelStatus, NewLoggedModel,
};
pub use registry::{
    AliasMove, Change, ModelVersion, MoveKind, NewModelVersion, RegisteredModel, RegistryQuery, Stage, VersionEvidence, VersionStatus,
};
pub use run::{Batch, Metric, NewRun, Param, Run, RunData, RunQuery, RunRecord, RunStatus, RunUpdate};
pub use study::{AttributeKind, Micros, Study, StudyDirection, StudyId, Trial, TrialContent, TrialId, TrialParam, TrialState};
pub use trace::{
    Assessment, AssessmentUpdate, AssessmentValue, Span, SpanStatus, Trace, TraceInfo, TraceSearch, TraceSelection, TraceSpans, TraceState,
};
pub use validation::{NewValidation, RecordedValidation};
pub use webhook::{NewWebhook, Webhook, WebhookEvent, WebhookStatus, WebhookUpdate};

/// Milliseconds since 1970-01-01 UTC, given by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

/// A label that can change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// One page of an answer, and the token that asks for the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What was found.
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<String>,
}
