//! Traces: beginning and ending, tags, links to runs and prompts, deletion.
//!
//! Spans and the trace itself come in either order, because clients send spans while the trace still runs: whoever is first
//! makes the row. The trace has the last word: what it says is not changed by spans that come later ([`FINAL`]).
//!
//! Not here: assessments (`assessments`), the file that a client without spans in the store uploads (`artifacts`).

mod rows;
mod search;
mod spans;
mod usage;

use std::collections::BTreeMap;

use super::TrackingStore;
use super::experiments::{by_id, check_active};
use crate::db::{Insert, Session, args};
use crate::names::check_tag;
use crate::{ErrorCode, ExperimentId, Millis, RunId, StoreError, Tag, Trace, TraceInfo, TraceSelection, TraceState};

pub(super) use rows::trace_no;

/// Where the artifacts of a trace are.
const ARTIFACT_LOCATION: &str = "mlflow.artifactLocation";
/// Where its spans are; absent where the client keeps them in an artifact.
const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
/// Metadata of a trace that was ended as a whole.
const FINAL: &str = "mlflow.trace.infoFinalized";
/// Metadata with sizes and the number of spans, as JSON.
const SIZE_STATS: &str = "mlflow.trace.sizeStats";
/// Metadata with the run under which the trace was made.
const SOURCE_RUN: &str = "mlflow.sourceRun";
/// Tag with the name for people.
const TRACE_NAME: &str = "mlflow.traceName";
/// Tags that clients may not set.
const OF_THE_SERVER: [&str; 3] = [SPANS_LOCATION, "mlflow.trace.archiveLocation", "mlflow.trace.archivalFailure"];
/// The one of them that they may take away.
const ARCHIVAL_FAILURE: &str = OF_THE_SERVER[2];

/// Longest id of a trace or of a client's request, in characters.
const ID: usize = 250;
/// Longest key of a tag or of metadata, and longest value of metadata; longer ones are cut.
const METADATA: usize = 250;
/// Longest value of a tag; longer ones are cut.
const TAG_VALUE: usize = 4_096;
/// Longest preview; longer ones are cut.
const PREVIEW: usize = 1_000;
/// Most traces that are linked to a run at once.
const MOST_LINKS: usize = 100;
/// Times that can be written as a date of four digits.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;
/// Longest duration in milliseconds, that of a protobuf message: some 10 000 years.
const DURATION: i64 = 315_576_000_000_000;

const SET_TAGS: Insert = Insert {
    head: "INSERT INTO trace_tags (trace_no, key, value)",
    columns: 3,
    tail: "ON CONFLICT (trace_no, key) DO UPDATE SET value = excluded.value",
};
const SET_METADATA: Insert = Insert {
    head: "INSERT INTO trace_metadata (trace_no, key, value)",
    columns: 3,
    tail: "ON CONFLICT (trace_no, key) DO UPDATE SET value = excluded.value",
};
const ADD_METADATA: Insert =
    Insert { head: "INSERT INTO trace_metadata (trace_no, key, value)", columns: 3, tail: "ON CONFLICT (trace_no, key) DO NOTHING" };

impl TrackingStore {
    /// Stores a trace that has ended, or replaces what spans have told about it. Returns it as it is now.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if the experiment is not there, `INVALID_PARAMETER_VALUE` if it was deleted.
    pub fn start_trace(&self, info: &TraceInfo) -> Result<TraceInfo, StoreError> {
        check_info(info)?;
        let mut metadata = short(&info.metadata, METADATA);
        metadata.insert(FINAL.to_owned(), "true".to_owned());
        let mut tags = short(&info.tags, TAG_VALUE);
        self.db.write(|session| {
            let experiment = by_id(session, info.experiment)?;
            check_active(&experiment)?;
            tags.insert(ARTIFACT_LOCATION.to_owned(), artifact_location(&experiment.artifact_location, &info.id));
            let sql = "INSERT INTO traces (trace_id, experiment_id, request_time, execution_duration, state, client_request_id,
                           request_preview, response_preview)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                       ON CONFLICT (trace_id) DO UPDATE SET
                           experiment_id = excluded.experiment_id, request_time = excluded.request_time,
                           execution_duration = excluded.execution_duration, state = excluded.state,
                           client_request_id = excluded.client_request_id,
                           request_preview = coalesce(excluded.request_preview, traces.request_preview),
                           response_preview = coalesce(excluded.response_preview, traces.response_preview)
                       RETURNING trace_no";
            let (request, response) = (preview(info.request_preview.as_deref()), preview(info.response_preview.as_deref()));
            let row = args![
                &info.id,
                info.experiment.0,
                info.request_time.0,
                info.execution_duration,
                info.state.as_str(),
                &info.client_request_id,
                request,
                response,
            ];
            let no = session.first(sql, row, |row| row.int(0))?.expect("inserted or updated");
            write_pairs(session, SET_TAGS, no, &tags)?;
            write_pairs(session, SET_METADATA, no, &metadata)?;
            for assessment in &info.assessments {
                super::assessments::write(session, no, assessment)?;
            }
            rows::info(session, &info.id)
        })
    }

    /// Starts a trace as clients of old do, who end it with [`Self::end_trace`]. The id is made up.
    ///
    /// # Errors
    /// As [`Self::start_trace`].
    pub fn begin_trace(&self, experiment: ExperimentId, started: Millis, metadata: &[Tag], tags: &[Tag]) -> Result<TraceInfo, StoreError> {
        check_time(started)?;
        let id = RunId::random();
        let (metadata, mut tags) = (short(metadata, METADATA), short(tags, TAG_VALUE));
        self.db.write(|session| {
            let experiment = by_id(session, experiment)?;
            check_active(&experiment)?;
            tags.insert(ARTIFACT_LOCATION.to_owned(), artifact_location(&experiment.artifact_location, id.as_str()));
            let sql = "INSERT INTO traces (trace_id, experiment_id, request_time, state) VALUES (?1, ?2, ?3, ?4) RETURNING trace_no";
            let row = args![id.as_str(), experiment.id.0, started.0, TraceState::InProgress.as_str()];
            let no = session.first(sql, row, |row| row.int(0))?.expect("inserted");
            write_pairs(session, SET_TAGS, no, &tags)?;
            write_pairs(session, SET_METADATA, no, &metadata)?;
            rows::info(session, id.as_str())
        })
    }

    /// Ends a trace that [`Self::begin_trace`] started.
    pub fn end_trace(&self, id: &str, ended: Millis, state: TraceState, metadata: &[Tag], tags: &[Tag]) -> Result<TraceInfo, StoreError> {
        check_time(ended)?;
        let (metadata, tags) = (short(metadata, METADATA), short(tags, TAG_VALUE));
        self.db.write(|session| {
            let no = trace_no(session, id)?;
            let sql = "UPDATE traces SET execution_duration = ?1 - request_time, state = ?2 WHERE trace_no = ?3";
            session.execute(sql, args![ended.0, state.as_str(), no])?;
            write_pairs(session, SET_TAGS, no, &tags)?;
            write_pairs(session, SET_METADATA, no, &metadata)?;
            rows::info(session, id)
        })
    }

    /// Returns a trace without its spans.
    pub fn get_trace_info(&self, id: &str) -> Result<TraceInfo, StoreError> {
        self.db.read(|session| rows::info(session, id))
    }

    /// Returns the traces with these ids, in their order, without spans. Those that are not there are left out.
    pub fn get_trace_infos(&self, ids: &[String], within: Option<&[ExperimentId]>) -> Result<Vec<TraceInfo>, StoreError> {
        self.db.read(|session| Ok(rows::infos(session, ids, within)?.into_iter().map(|(_, info)| info).collect()))
    }

    /// Returns a trace with its spans; `None` if some of them have not come yet and `partly` does not allow that.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if it is not there, `BAD_REQUEST` if its spans are in an artifact.
    pub fn get_trace(&self, id: &str, partly: bool) -> Result<Option<Trace>, StoreError> {
        self.db.read(|session| {
            let missing = || StoreError::missing(format!("Trace with ID {id} is not found."));
            let (no, info) = rows::infos(session, &[id.to_owned()], None)?.pop().ok_or_else(missing)?;
            if !rows::has_spans_here(&info) {
                return Err(StoreError::refused(ErrorCode::BadRequest, "Trace data not stored in tracking store"));
            }
            rows::trace(session, no, info, partly)
        })
    }

    /// Returns the traces with these ids, in their order, with spans. Those that are not there, or not wholly, are left out.
    ///
    /// # Errors
    /// `BAD_REQUEST` if the spans of one are in an artifact.
    pub fn get_traces(&self, ids: &[String], within: Option<&[ExperimentId]>) -> Result<Vec<Trace>, StoreError> {
        self.db.read(|session| {
            let mut traces = Vec::new();
            for (no, info) in rows::infos(session, ids, within)? {
                if !rows::has_spans_here(&info) {
                    return Err(StoreError::refused(ErrorCode::BadRequest, "Trace data not stored in tracking store"));
                }
                traces.extend(rows::trace(session, no, info, false)?);
            }
            Ok(traces)
        })
    }

    /// Sets a tag.
    pub fn set_trace_tag(&self, id: &str, tag: &Tag) -> Result<(), StoreError> {
        if OF_THE_SERVER.contains(&tag.key.as_str()) {
            return Err(StoreError::invalid(format!("Tag '{}' is immutable and cannot be set on a trace.", tag.key)));
        }
        let value = cut(&check_tag(&tag.key, tag.value.clone(), "key")?, TAG_VALUE).to_owned();
        self.db.write(|session| {
            let no = trace_no(session, id)?;
            session.insert(SET_TAGS, args![no, &tag.key, &value])
        })
    }

    /// Takes a tag away.
    pub fn delete_trace_tag(&self, id: &str, key: &str) -> Result<(), StoreError> {
        if OF_THE_SERVER.contains(&key) && key != ARCHIVAL_FAILURE {
            return Err(StoreError::invalid(format!("Tag '{key}' is immutable and cannot be deleted on a trace.")));
        }
        self.db.write(|session| {
            let no = trace_no(session, id)?;
            if session.execute("DELETE FROM trace_tags WHERE trace_no = ?1 AND key = ?2", args![no, key])? == 0 {
                return Err(StoreError::missing(format!("No trace tag with key '{key}' for trace with ID '{id}'")));
            }
            Ok(())
        })
    }

    /// Deletes traces for good and returns how many there were.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` if `most` is less than 1.
    pub fn delete_traces(&self, experiment: ExperimentId, which: &TraceSelection) -> Result<u64, StoreError> {
        match which {
            TraceSelection::Ids(ids) => self.db.write(|session| {
                let mut deleted = 0;
                for id in ids {
                    deleted += session.execute("DELETE FROM traces WHERE experiment_id = ?1 AND trace_id = ?2", args![experiment.0, id])?;
                }
                Ok(deleted)
            }),
            TraceSelection::Until { until, most } => {
                if let Some(most) = most.filter(|most| *most < 1) {
                    return Err(StoreError::invalid(format!("`max_traces` must be a positive integer, received {most}.")));
                }
                let sql = "DELETE FROM traces WHERE trace_no IN (
                               SELECT trace_no FROM traces WHERE experiment_id = ?1 AND request_time <= ?2
                               ORDER BY request_time, trace_id LIMIT ?3)";
                self.db.write(|session| session.execute(sql, args![experiment.0, until.0, most.unwrap_or(i64::MAX)]))
            }
        }
    }

    /// Ties traces to a run. Those that are not there are left out.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if the run is not there, `INVALID_PARAMETER_VALUE` if there are more than 100 traces.
    pub fn link_traces_to_run(&self, ids: &[String], run: &RunId) -> Result<(), StoreError> {
        if ids.len() > MOST_LINKS {
            return Err(StoreError::invalid(format!(
                "Cannot link more than {MOST_LINKS} traces to a run in a single request. Provided {} traces.",
                ids.len()
            )));
        }
        self.db.write(|session| {
            let sql = "SELECT run_no FROM runs WHERE run_id = ?1";
            let missing = || StoreError::missing(format!("Run with id={run} not found"));
            let run_no = session.first(sql, args![run.as_str()], |row| row.int(0))?.ok_or_else(missing)?;
            let sql = "INSERT INTO trace_runs (run_no, trace_no) SELECT ?1, trace_no FROM traces WHERE trace_id = ?2
                       ON CONFLICT DO NOTHING";
            for id in ids {
                session.execute(sql, args![run_no, id])?;
            }
            Ok(())
        })
    }

    /// Ties prompts, each with a name and a version, to a trace.
    pub fn link_prompts_to_trace(&self, id: &str, prompts: &[(String, String)]) -> Result<(), StoreError> {
        self.db.write(|session| {
            let no = trace_no(session, id)?;
            let sql = "INSERT INTO trace_prompts (trace_no, prompt) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            for (name, version) in prompts {
                session.execute(sql, args![no, &format!("{name}/{version}")])?;
            }
            Ok(())
        })
    }
}

fn write_pairs(session: &mut dyn Session, insert: Insert, no: i64, pairs: &BTreeMap<String, String>) -> Result<(), StoreError> {
    let values: Vec<_> = pairs.iter().flat_map(|(key, value)| args![no, key, value].to_owned()).collect();
    if values.is_empty() { Ok(()) } else { session.insert(insert, &values) }
}

/// Makes pairs of which each key comes once, cut to the lengths that are kept.
fn short(pairs: &[Tag], value: usize) -> BTreeMap<String, String> {
    pairs.iter().map(|tag| (cut(&tag.key, METADATA).to_owned(), cut(&tag.value, value).to_owned())).collect()
}

fn cut(text: &str, limit: usize) -> &str {
    text.char_indices().nth(limit).map_or(text, |(end, _)| &text[..end])
}

fn preview(text: Option<&str>) -> Option<&str> {
    text.map(|text| cut(text, PREVIEW))
}

fn artifact_location(experiment: &str, id: &str) -> String {
    format!("{}/traces/{id}/artifacts", experiment.trim_end_matches('/'))
}

fn check_info(info: &TraceInfo) -> Result<(), StoreError> {
    check_id(&info.id)?;
    check_time(info.request_time)?;
    if let Some(duration) = info.execution_duration.filter(|duration| !(-DURATION..=DURATION).contains(duration)) {
        return Err(StoreError::invalid(format!("Invalid execution duration {duration}: it is out of range.")));
    }
    if info.client_request_id.as_ref().is_some_and(|id| cut(id, ID) != id) {
        return Err(StoreError::invalid(format!("'client_request_id' exceeds the maximum length of {ID} characters")));
    }
    info.assessments.iter().try_for_each(super::assessments::check)
}

/// Refuses ids that would not stand in a path of artifacts as one name.
fn check_id(id: &str) -> Result<(), StoreError> {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let is_valid = !id.is_empty() && id.len() <= ID && id.chars().all(is_allowed) && !id.starts_with('.');
    if is_valid { Ok(()) } else { Err(StoreError::invalid(crate::names::invalid_value("trace_id", id, None))) }
}

fn check_time(time: Millis) -> Result<(), StoreError> {
    if TIMES.contains(&time.0) {
        Ok(())
    } else {
        Err(StoreError::invalid(format!("Invalid timestamp {}: its year is out of range.", time.0)))
    }
}
