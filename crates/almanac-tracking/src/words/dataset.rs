//! Datasets, and what runs used and made.

use super::{ExperimentId, LoggedModelId, Tag};

/// A dataset, as a run describes it. Known in its experiment by name and digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    /// For people.
    pub name: String,
    /// Hash of what is in it, as the client makes it.
    pub digest: String,
    /// What kind of place `source` is: `local`, `s3`, …
    pub source_type: String,
    /// Where it came from.
    pub source: String,
    /// Columns and their types, as the client writes them.
    pub schema: Option<String>,
    /// Some figures about it, as the client writes them.
    pub profile: Option<String>,
}

/// A dataset that a run used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DatasetInput {
    pub dataset: Dataset,
    /// How it was used, such as `mlflow.data.context` = `training`. Sorted by key where the store gives them.
    pub tags: Vec<Tag>,
}

/// A logged model that a run made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ModelOutput {
    pub model: LoggedModelId,
    /// At which step, 0 where there is nothing to count.
    pub step: i64,
}

/// What a run used and made. The models need not be known to the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunInputs {
    /// Datasets that it used.
    pub datasets: Vec<DatasetInput>,
    /// Logged models that it used, in the order in which they were logged.
    pub models: Vec<LoggedModelId>,
    /// Logged models that it made, in the order in which they were logged.
    pub outputs: Vec<ModelOutput>,
}

/// One dataset of an experiment, once for each context in which runs used it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DatasetSummary {
    pub experiment: ExperimentId,
    pub name: String,
    pub digest: String,
    /// The tag `mlflow.data.context`.
    pub context: Option<String>,
}
