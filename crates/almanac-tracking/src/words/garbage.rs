//! What is deleted for good.

use super::{ExperimentId, Millis};
use crate::RunId;

/// What of the deleted things is to go for good. Without any ids: all that was deleted before `before`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectWanted {
    /// Only what was deleted at this time or before.
    pub before: Millis,
    /// These experiments, with all that is in them.
    pub experiments: Vec<ExperimentId>,
    /// These runs.
    pub runs: Vec<RunId>,
    /// These logged models.
    pub models: Vec<String>,
}

/// One thing that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed<T> {
    /// Its id.
    pub id: T,
    /// Where its files are.
    pub artifact_uri: String,
}

/// What a collection would delete; the dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectPlan {
    /// Only what was deleted at this time or before.
    pub before: Millis,
    /// Experiments, in the order of their ids.
    pub experiments: Vec<Doomed<ExperimentId>>,
    /// Runs, also those of the experiments.
    pub runs: Vec<Doomed<RunId>>,
    /// Logged models, also those of the experiments.
    pub models: Vec<Doomed<String>>,
    /// Versions of registered models that were made by one of the runs; they stay, but their files may go.
    pub versions: Vec<(String, i64)>,
    /// Artifact URIs of what was deleted for good before, whose files are still to go.
    pub waiting: u64,
}

/// How far a collection is in its plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CollectProgress {
    /// Runs of the plan that were looked at.
    pub runs: usize,
    /// Logged models of the plan that were looked at.
    pub models: usize,
    /// Experiments of the plan that were looked at.
    pub experiments: usize,
    /// Runs that are gone: all but those that were restored meanwhile.
    pub deleted_runs: usize,
    /// Logged models that are gone.
    pub deleted_models: usize,
    /// Traces of experiments that are gone.
    pub deleted_traces: usize,
    /// Experiments that are gone.
    pub deleted_experiments: usize,
}
