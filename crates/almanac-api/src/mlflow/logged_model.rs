//! Logged models of MLflow 3.

use serde::Serialize;

use super::KeyValue;
use super::run::nan_as_text;

/// What a logged model is; times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct LoggedModelInfo {
    pub model_id: String,
    pub experiment_id: String,
    pub name: String,
    pub creation_timestamp_ms: i64,
    pub last_updated_timestamp_ms: i64,
    pub artifact_uri: String,
    pub status: &'static str,
    pub model_type: String,
    pub source_run_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
}

/// One number measured of a logged model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct LoggedModelMetric {
    pub key: String,
    #[serde(serialize_with = "nan_as_text")]
    pub value: f64,
    pub timestamp: i64,
    pub step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<String>,
    pub model_id: String,
    pub run_id: String,
}

/// What is known of a logged model; `{}` where there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct LoggedModelData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<LoggedModelMetric>,
}

/// A model that a run, or a person, has logged.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct LoggedModel {
    pub info: LoggedModelInfo,
    pub data: LoggedModelData,
}

/// Answer with one logged model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct LoggedModelFound {
    pub model: LoggedModel,
}

/// Answer to `logged-models/search`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct LoggedModelsFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<LoggedModel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}
