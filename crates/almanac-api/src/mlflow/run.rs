//! Runs and what they log.

use serde::{Serialize, Serializer};

use super::{KeyValue, RunInputs, RunOutputs};

/// What a run is; times in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RunInfo {
    pub run_id: String,
    /// The name of `run_id` of old.
    pub run_uuid: String,
    pub experiment_id: String,
    pub run_name: String,
    pub user_id: String,
    pub status: &'static str,
    pub start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    pub artifact_uri: String,
    pub lifecycle_stage: &'static str,
}

/// One value of a metric; NaN goes as text.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Metric {
    pub key: String,
    #[serde(serialize_with = "nan_as_text")]
    pub value: f64,
    pub timestamp: i64,
    pub step: i64,
}

/// One value of a metric of one of several runs.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct MetricOfRun {
    pub key: String,
    #[serde(serialize_with = "nan_as_text")]
    pub value: f64,
    pub timestamp: i64,
    pub step: i64,
    pub run_id: String,
}

/// What a run has logged.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RunData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
}

/// A run.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Run {
    pub info: RunInfo,
    pub data: RunData,
    pub inputs: RunInputs,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<RunOutputs>,
}

/// Answer to `runs/create` and `runs/get`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RunFound {
    pub run: Run,
}

/// Answer to `runs/update`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RunUpdated {
    pub run_info: RunInfo,
}

/// Answer to `runs/search`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct RunsFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Answer to `metrics/get-history`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct MetricHistory {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Answer to `metrics/get-history-bulk` and `metrics/get-history-bulk-interval`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct MetricsOfRuns {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricOfRun>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(super) fn nan_as_text<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() { serializer.serialize_str("NaN") } else { serializer.serialize_f64(*value) }
}
