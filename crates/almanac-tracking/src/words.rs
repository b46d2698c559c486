//! The nouns of tracking, as MLflow names them: plain data without behaviour, one file a family.
//!
//! Not serialisable on purpose: the wire has types of its own.

mod dataset;
mod experiment;
mod registry;
mod run;

pub use dataset::{Dataset, DatasetInput, RunInputs};
pub use experiment::{Experiment, ExperimentId, ExperimentQuery, LifecycleStage, NewExperiment, ViewType};
pub use registry::{ModelVersion, NewModelVersion, RegisteredModel, VersionStatus};
pub use run::{Batch, Metric, NewRun, Param, Run, RunData, RunQuery, RunRecord, RunStatus, RunUpdate};

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
