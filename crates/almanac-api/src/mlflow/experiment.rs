//! Experiments.

use serde::Serialize;

use super::KeyValue;

/// One experiment; times in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Experiment {
    pub experiment_id: String,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle_stage: &'static str,
    pub last_update_time: i64,
    pub creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
}

/// Answer to `experiments/create`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ExperimentCreated {
    pub experiment_id: String,
}

/// Answer to `experiments/get`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ExperimentFound {
    pub experiment: Experiment,
}

/// Answer to `experiments/search`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct ExperimentsFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub experiments: Vec<Experiment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}
