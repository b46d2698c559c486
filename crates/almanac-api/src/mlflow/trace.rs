//! Traces and assessments. Spans are not here: they go out as the text that came in.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::KeyValue;

/// A trace without its spans; times as RFC 3339, durations as `1.500s`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceInfo {
    pub trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    pub trace_location: TraceLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_preview: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_preview: Option<String>,
    pub request_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_duration: Option<String>,
    pub state: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trace_metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<Assessment>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// Where a trace is: always in an experiment.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceLocation {
    pub r#type: &'static str,
    pub mlflow_experiment: TraceExperiment,
}

/// The experiment of a trace.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceExperiment {
    pub experiment_id: String,
}

/// A trace, of which only the information is here.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Trace {
    pub trace_info: TraceInfo,
}

/// Answer to `POST traces` and `GET traces/{trace_id}`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceFound {
    pub trace: Trace,
}

/// Answer to `traces/search`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TracesFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<TraceInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Answer to `traces/batchGetInfos`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceInfosFound {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace_infos: Vec<TraceInfo>,
}

/// Answer to `traces/delete-traces`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TracesDeleted {
    pub traces_deleted: u64,
}

/// A trace as clients of old read it; times in milliseconds.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceInfoV2 {
    pub request_id: String,
    pub experiment_id: String,
    pub timestamp_ms: i64,
    pub execution_time_ms: i64,
    pub status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_metadata: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
}

/// Answer to the requests of old that make, end or get a trace.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TraceInfoFoundV2 {
    pub trace_info: TraceInfoV2,
}

/// Answer to the search of old.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct TracesFoundV2 {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<TraceInfoV2>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// What someone says about a trace; one of `feedback`, `expectation` and `issue`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Assessment {
    pub assessment_id: String,
    pub assessment_name: String,
    pub trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    pub source: AssessmentSource,
    pub create_time: String,
    pub last_update_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expectation: Option<Expectation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<Issue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<String>,
    pub valid: bool,
}

/// Who says it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct AssessmentSource {
    pub source_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
}

/// How good it was.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Feedback {
    pub value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// What would have been right: a plain value as it is, lists and objects as text.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Expectation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serialized_value: Option<SerializedValue>,
}

/// A list or object as text.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct SerializedValue {
    pub serialization_format: &'static str,
    pub value: String,
}

/// An issue that a trace belongs to.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct Issue {
    pub issue_name: String,
}

/// Answer to requests for one assessment.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "MLflow's fields")]
pub struct AssessmentFound {
    pub assessment: Assessment,
}
