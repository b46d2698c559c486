//! Traces of an experiment, their spans and assessments.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use super::{Experiment, Reader, folders};
use crate::transfer::TransferError;
use crate::transfer::spans::{self, SOURCE_RUN, SPANS_LOCATION, millis};
use crate::transfer::tables::{Cell, Record};

/// The file `trace_info.yaml`; `request_id`, `timestamp_ms` and so on are what MLflow 2 wrote.
#[derive(Debug, Deserialize)]
struct TraceMeta {
    request_time: Option<String>,
    timestamp_ms: Option<String>,
    execution_duration_ms: Option<String>,
    execution_time_ms: Option<String>,
    execution_duration: Option<String>,
    state: Option<String>,
    status: Option<String>,
    client_request_id: Option<String>,
    request_preview: Option<String>,
    response_preview: Option<String>,
}

/// A file of an assessment.
#[derive(Debug, Deserialize)]
struct AssessmentMeta {
    assessment_name: Option<String>,
    feedback: Option<Json>,
    expectation: Option<Json>,
    issue: Option<Json>,
    source: Option<BTreeMap<String, Option<String>>>,
    span_id: Option<String>,
    rationale: Option<String>,
    metadata: Option<BTreeMap<String, Json>>,
    overrides: Option<String>,
    valid: Option<bool>,
    create_time: Option<String>,
    last_update_time: Option<String>,
}

impl Reader<'_, '_> {
    pub(super) fn traces(&mut self, experiment: &Experiment) -> Result<(), TransferError> {
        for (id, folder) in folders(&experiment.folder.join("traces")).unwrap_or_default() {
            self.trace(experiment, &id, &folder)?;
        }
        Ok(())
    }

    fn trace(&mut self, experiment: &Experiment, id: &str, folder: &Path) -> Result<(), TransferError> {
        let place = folder.join("trace_info.yaml");
        let Some(meta) = self.meta::<TraceMeta>(&place) else { return Ok(()) };
        let shown = place.display().to_string();
        let duration = [meta.execution_duration_ms, meta.execution_time_ms, meta.execution_duration].into_iter().flatten().next();
        // Durations are numbers, or texts such as `0.025s`.
        let seconds = |text: &str| text.strip_suffix('s').and_then(|text| text.parse::<f64>().ok()).map(|seconds| (seconds * 1e3) as i64);
        let values = vec![
            ("trace_id", Cell::from(id)),
            ("experiment_id", experiment.key()),
            ("request_time", millis(meta.request_time.or(meta.timestamp_ms).as_deref()).into()),
            ("execution_duration", duration.and_then(|text| text.parse().ok().or_else(|| seconds(&text))).into()),
            ("state", spans::state(meta.state.or(meta.status).as_deref()).into()),
            ("client_request_id", meta.client_request_id.into()),
            ("request_preview", meta.request_preview.into()),
            ("response_preview", meta.response_preview.into()),
        ];
        self.sink.push(Record::new("traces", shown, values))?;
        let owner = [("trace_no", Cell::from(id))];
        self.tags(&folder.join("tags"), "trace_tags", &owner)?;
        self.tags(&folder.join("request_metadata"), "trace_metadata", &owner)?;
        let source = folder.join("request_metadata").join(SOURCE_RUN);
        if let Some(run) = source.is_file().then(|| self.text(&source)).flatten() {
            let values = vec![("run_no", run.into()), ("trace_no", id.into())];
            self.sink.push(Record::new("trace_runs", source.display().to_string(), values))?;
        }
        self.spans(id, &folder.join("artifacts").join("traces.json"))?;
        for (name, path) in self.keyed_files(&folder.join("assessments")) {
            if let Some(assessment) = name.strip_suffix(".yaml") {
                self.assessment(id, assessment, &path)?;
            }
        }
        Ok(())
    }

    fn spans(&mut self, trace: &str, path: &Path) -> Result<(), TransferError> {
        // A trace that was never finished has no file.
        let Some(text) = path.is_file().then(|| self.text(path)).flatten() else { return Ok(()) };
        match spans::of_file(trace, &text, &path.display().to_string()) {
            Ok(records) => {
                for record in records {
                    self.sink.push(record)?;
                }
                let (key, value) = SPANS_LOCATION;
                let values = vec![("trace_no", Cell::from(trace)), ("key", key.into()), ("value", value.into())];
                self.sink.push(Record::new("trace_tags", path.display().to_string(), values))?;
            }
            Err(what) => self.problem(path, &what),
        }
        Ok(())
    }

    fn assessment(&mut self, trace: &str, id: &str, path: &Path) -> Result<(), TransferError> {
        let Some(meta) = self.meta::<AssessmentMeta>(path) else { return Ok(()) };
        let (kind, said) = match (meta.feedback, meta.expectation, meta.issue) {
            (Some(said), _, _) => ("feedback", said),
            (None, Some(said), _) => ("expectation", said),
            (None, None, Some(said)) => ("issue", said),
            (None, None, None) => {
                self.problem(path, "is no assessment of a known kind");
                return Ok(());
            }
        };
        // Values that are no single ones are JSON within a text.
        let serialized = said.get("serialized_value").and_then(|inner| inner.get("value")).and_then(Json::as_str);
        let name = said.get("issue_name").cloned();
        let value = serialized.and_then(|text| serde_json::from_str(text).ok()).or(name).or_else(|| said.get("value").cloned());
        let value = value.unwrap_or_default();
        let source = |key: &str| meta.source.as_ref().and_then(|source| source.get(key)).cloned().flatten();
        let metadata = meta.metadata.filter(|metadata| !metadata.is_empty());
        let values = vec![
            ("trace_no", Cell::from(trace)),
            ("assessment_id", id.into()),
            ("name", meta.assessment_name.into()),
            ("kind", kind.into()),
            ("value", value.to_string().into()),
            ("number", value.as_f64().into()),
            ("error", said.get("error").filter(|error| !error.is_null()).map(Json::to_string).into()),
            ("source_type", source("source_type").into()),
            ("source_id", source("source_id").into()),
            ("span_id", meta.span_id.into()),
            ("rationale", meta.rationale.into()),
            ("metadata", metadata.map(|metadata| serde_json::to_string(&metadata).expect("texts are JSON")).into()),
            ("overrides", meta.overrides.into()),
            ("is_valid", i64::from(meta.valid.unwrap_or(true)).into()),
            ("creation_time", millis(meta.create_time.as_deref()).into()),
            ("last_updated_time", millis(meta.last_update_time.as_deref()).into()),
        ];
        Ok(self.sink.push(Record::new("assessments", path.display().to_string(), values))?)
    }
}
