//! Traces, their spans and assessments.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::{Mlflow, Skipped};
use crate::transfer::TransferError;
use crate::transfer::artifacts::local_folder;
use crate::transfer::spans::{self, SOURCE_RUN, SPANS_LOCATION};
use crate::transfer::tables::{Cell, Record};

impl Mlflow<'_, '_> {
    pub(super) fn traces(&mut self) -> Result<(), TransferError> {
        let columns = [
            "request_id",
            "experiment_id",
            "timestamp_ms",
            "execution_time_ms",
            "status",
            "client_request_id",
            "request_preview",
            "response_preview",
        ];
        self.each("trace_info", &columns, &mut |mlflow, row| {
            let id = row.id(0, "id")?;
            Ok(vec![row.record(
                "traces",
                &id,
                vec![
                    ("trace_id", id.as_str().into()),
                    ("experiment_id", mlflow.experiment(row.int(1))?),
                    ("request_time", row.int(2).into()),
                    ("execution_duration", row.int(3).into()),
                    ("state", spans::state(row.text(4).as_deref()).into()),
                    ("client_request_id", row.text(5).into()),
                    ("request_preview", row.text(6).into()),
                    ("response_preview", row.text(7).into()),
                ],
            )])
        })?;
        let mut with_spans = HashSet::new();
        self.each("spans", &["trace_id", "content"], &mut |_, row| {
            let trace = row.id(0, "trace")?;
            let span: Json = serde_json::from_str(&row.text(1).unwrap_or_default()).map_err(|error| Skipped(error.to_string()))?;
            let record = spans::of_json(&trace, &span, &format!("{} of `{trace}`", row.place)).map_err(Skipped)?;
            with_spans.insert(trace);
            Ok(vec![record])
        })?;
        let mut linked = HashSet::new();
        self.each("trace_request_metadata", &["request_id", "key", "value"], &mut |_, row| {
            let (trace, key, value) = (row.id(0, "trace")?, row.id(1, "key")?, row.text(2));
            let mut records = Vec::new();
            if let Some(run) = value.as_deref().filter(|_| key == SOURCE_RUN) {
                linked.insert((run.to_owned(), trace.clone()));
            }
            let values = vec![("trace_no", trace.as_str().into()), ("key", key.into()), ("value", value.into())];
            records.push(row.record("trace_metadata", &trace, values));
            Ok(records)
        })?;
        self.trace_tags(&with_spans)?;
        let columns = ["source_type", "source_id", "destination_type", "destination_id"];
        let mut prompts = Vec::new();
        self.each("entity_associations", &columns, &mut |_, row| {
            let kind = |column: usize| row.text(column).unwrap_or_default();
            match (kind(0).as_str(), kind(2).as_str()) {
                ("trace", "run") => linked.insert((kind(3), kind(1))),
                ("run", "trace") => linked.insert((kind(1), kind(3))),
                ("trace", "prompt_version") => {
                    prompts.push((kind(1), kind(3)));
                    true
                }
                // Between things that this store does not keep, such as data sets of evaluations.
                _ => false,
            };
            Ok(Vec::new())
        })?;
        let mut linked: Vec<(String, String)> = linked.into_iter().collect();
        linked.sort();
        for (run, trace) in linked {
            let place = format!("trace `{trace}` of run `{run}`");
            self.sink.push(Record::new("trace_runs", place, vec![("run_no", run.into()), ("trace_no", trace.into())]))?;
        }
        for (trace, prompt) in prompts {
            let place = format!("prompt `{prompt}` of trace `{trace}`");
            self.sink.push(Record::new("trace_prompts", place, vec![("trace_no", trace.into()), ("prompt", prompt.into())]))?;
        }
        self.assessments()
    }

    /// Takes the tags, and the spans of those traces that keep them in a file.
    fn trace_tags(&mut self, with_spans: &HashSet<String>) -> Result<(), TransferError> {
        let mut in_files = Vec::new();
        self.each("trace_tags", &["request_id", "key", "value"], &mut |_, row| {
            let (trace, key, value) = (row.id(0, "trace")?, row.id(1, "key")?, row.text(2));
            if key == SPANS_LOCATION.0 && !with_spans.contains(&trace) {
                return Ok(Vec::new());
            }
            if let Some(folder) = value.as_deref().filter(|_| key == "mlflow.artifactLocation" && !with_spans.contains(&trace)) {
                in_files.push((trace.clone(), folder.to_owned()));
            }
            let values = vec![("trace_no", trace.as_str().into()), ("key", key.into()), ("value", value.into())];
            Ok(vec![row.record("trace_tags", &trace, values)])
        })?;
        let beside = self.path.parent().unwrap_or(std::path::Path::new("")).to_owned();
        for (trace, folder) in in_files {
            let Some(path) = local_folder(&folder, &beside).map(|folder| folder.join("traces.json")) else { continue };
            // A trace that was never finished has no file.
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let place = path.display().to_string();
            match spans::of_file(&trace, &text, &place) {
                Ok(records) => {
                    for record in records {
                        self.sink.push(record)?;
                    }
                    let (key, value) = SPANS_LOCATION;
                    let values = vec![("trace_no", Cell::from(trace)), ("key", key.into()), ("value", value.into())];
                    self.sink.push(Record::new("trace_tags", place, values))?;
                }
                Err(what) => self.sink.report.problem(place, what),
            }
        }
        Ok(())
    }

    fn assessments(&mut self) -> Result<(), TransferError> {
        let columns = [
            "assessment_id",
            "trace_id",
            "name",
            "assessment_type",
            "value",
            "error",
            "created_timestamp",
            "last_updated_timestamp",
            "source_type",
            "source_id",
            "span_id",
            "rationale",
            "overrides",
            "valid",
            "assessment_metadata",
        ];
        self.each("assessments", &columns, &mut |_, row| {
            let (id, trace) = (row.id(0, "id")?, row.id(1, "trace")?);
            let value = row.text(4).unwrap_or_else(|| "null".to_owned());
            let number = serde_json::from_str::<Json>(&value).ok().and_then(|value| value.as_f64());
            Ok(vec![row.record(
                "assessments",
                &id,
                vec![
                    ("trace_no", trace.into()),
                    ("assessment_id", id.as_str().into()),
                    ("name", row.text(2).into()),
                    ("kind", row.text(3).into()),
                    ("value", value.into()),
                    ("number", number.into()),
                    ("error", row.text(5).into()),
                    ("source_type", row.text(8).into()),
                    ("source_id", row.text(9).into()),
                    ("span_id", row.text(10).into()),
                    ("rationale", row.text(11).into()),
                    ("metadata", row.text(14).into()),
                    ("overrides", row.text(12).into()),
                    ("is_valid", row.int(13).unwrap_or(1).into()),
                    ("creation_time", row.int(6).into()),
                    ("last_updated_time", row.int(7).into()),
                ],
            )])
        })
    }
}
