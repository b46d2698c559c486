//! Datasets and models that runs used, and models that they made.

use super::Tag;

/// A dataset, as a run describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Dataset {
    pub name: String,
    pub digest: String,
    pub source_type: String,
    pub source: String,
    pub schema: Option<String>,
    pub profile: Option<String>,
}

/// A dataset that a run used, with tags that say how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DatasetInput {
    pub dataset: Dataset,
    pub tags: Vec<Tag>,
}

/// What a run used and made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunInputs {
    /// Datasets used.
    pub datasets: Vec<DatasetInput>,
    /// Ids of logged models used.
    pub models: Vec<String>,
    /// Ids of logged models made, each with a step.
    pub outputs: Vec<(String, i64)>,
}
