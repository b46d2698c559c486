//! Spans, as they come while a trace still runs, and what they change in the trace.

use std::collections::HashSet;

use super::{ADD_METADATA, ARTIFACT_LOCATION, FINAL, SET_METADATA, SET_TAGS, SPANS_LOCATION, TAG_VALUE, artifact_location};
use super::{METADATA, TrackingStore, check_id, cut, preview, short, usage, write_pairs};
use crate::db::{Insert, Session, Value, args};
use crate::names::check_tag;
use crate::{ExperimentId, Span, SpanStatus, StoreError, TraceSpans, TraceState};

/// Tokens used by a trace.
const TOKEN_USAGE: &str = "mlflow.trace.tokenUsage";
/// Dollars spent by a trace.
const COST: &str = "mlflow.trace.cost";

const SET_SPANS: Insert = Insert {
    head: "INSERT INTO trace_spans (trace_no, span_id, parent_id, name, type, status, start_time, end_time, usage, cost, content)",
    columns: 11,
    tail: "ON CONFLICT (trace_no, span_id) DO UPDATE SET
               parent_id = excluded.parent_id, name = excluded.name, type = excluded.type, status = excluded.status,
               start_time = excluded.start_time, end_time = excluded.end_time, usage = excluded.usage, cost = excluded.cost,
               content = excluded.content",
};

impl TrackingStore {
    /// Stores spans of several traces; a trace that is not there is made in the experiment.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if the experiment is not there, `INVALID_PARAMETER_VALUE` if it was deleted.
    pub fn log_spans(&self, experiment: ExperimentId, traces: &[TraceSpans]) -> Result<(), StoreError> {
        traces.iter().try_for_each(|trace| check_id(&trace.trace))?;
        self.db.write(|session| {
            let experiment = super::by_id(session, experiment)?;
            super::check_active(&experiment)?;
            for trace in traces.iter().filter(|trace| !trace.spans.is_empty()) {
                let location = artifact_location(&experiment.artifact_location, &trace.trace);
                write(session, experiment.id, trace, &location)?;
            }
            Ok(())
        })
    }
}

/// What spans say about the time and outcome of their trace, in milliseconds.
struct Outline {
    started: i64,
    ended: Option<i64>,
    state: Option<TraceState>,
}

impl Outline {
    fn of(spans: &[Span]) -> Self {
        let millis = |nanos: i64| nanos.div_euclid(1_000_000);
        let root = spans.iter().find(|span| span.parent.is_none());
        Self {
            started: spans.iter().map(|span| millis(span.started)).min().unwrap_or_default(),
            ended: spans.iter().filter_map(|span| span.ended.map(millis)).max(),
            state: root.map(|root| if root.status == SpanStatus::Error { TraceState::Error } else { TraceState::Ok }),
        }
    }
}

fn write(session: &mut dyn Session, experiment: ExperimentId, trace: &TraceSpans, location: &str) -> Result<(), StoreError> {
    let outline = Outline::of(&trace.spans);
    let sql = "INSERT INTO traces (trace_id, experiment_id, request_time, execution_duration, state) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (trace_id) DO NOTHING RETURNING trace_no";
    let state = outline.state.unwrap_or(TraceState::InProgress).as_str();
    let duration = outline.ended.map(|ended| ended - outline.started);
    let made = session.first(sql, args![&trace.trace, experiment.0, outline.started, duration, state], |row| row.int(0))?;
    let (no, is_final) = match made {
        Some(no) => {
            session.insert(SET_TAGS, args![no, ARTIFACT_LOCATION, location])?;
            (no, false)
        }
        None => widen(session, trace, &outline)?,
    };
    let sql = "UPDATE traces SET request_preview = coalesce(request_preview, ?1), response_preview = coalesce(response_preview, ?2)
               WHERE trace_no = ?3";
    session.execute(sql, args![preview(trace.request_preview.as_deref()), preview(trace.response_preview.as_deref()), no])?;
    write_spans(session, no, &trace.spans)?;
    write_pairs(session, ADD_METADATA, no, &short(&trace.metadata, METADATA))?;
    if trace.spans.iter().any(|span| span.usage.is_some()) {
        sum(session, no, is_final, TOKEN_USAGE, "usage", &usage::TOKENS)?;
    }
    if trace.spans.iter().any(|span| span.cost.is_some()) {
        sum(session, no, is_final, COST, "cost", &usage::COSTS)?;
    }
    // A resource may have names that no tag can have: those are left out.
    let is_allowed = |tag: &&crate::Tag| check_tag(&tag.key, String::new(), "key").is_ok();
    let tags: Vec<crate::Tag> = trace.tags.iter().filter(is_allowed).cloned().collect();
    let mut tags = short(&tags, TAG_VALUE);
    tags.insert(SPANS_LOCATION.to_owned(), "TRACKING_STORE".to_owned());
    write_pairs(session, SET_TAGS, no, &tags)
}

/// Widens the time of a trace that is there already, unless it has said itself how long it took.
fn widen(session: &mut dyn Session, trace: &TraceSpans, outline: &Outline) -> Result<(i64, bool), StoreError> {
    let no = super::trace_no(session, &trace.trace)?;
    let sql = "SELECT 1 FROM trace_metadata WHERE trace_no = ?1 AND key = ?2";
    let is_final = session.first(sql, args![no, FINAL], |_| Ok(()))?.is_some();
    if !is_final {
        let sql = "SELECT request_time, execution_duration FROM traces WHERE trace_no = ?1";
        let known = session.first(sql, args![no], |row| Ok((row.int(0)?, row.opt_int(1)?)))?;
        let (known_start, known_duration) = known.expect("found in this transaction");
        let started = known_start.min(outline.started);
        let known_end = known_duration.map(|duration| known_start.saturating_add(duration));
        let duration = known_end.max(outline.ended).map(|ended| ended - started);
        let sql = "UPDATE traces SET request_time = ?1, execution_duration = ?2 WHERE trace_no = ?3";
        session.execute(sql, args![started, duration, no])?;
    }
    if let Some(state) = outline.state {
        let sql = "UPDATE traces SET state = ?1 WHERE trace_no = ?2 AND state IN ('IN_PROGRESS', 'STATE_UNSPECIFIED')";
        session.execute(sql, args![state.as_str(), no])?;
    }
    Ok((no, is_final))
}

fn write_spans(session: &mut dyn Session, no: i64, spans: &[Span]) -> Result<(), StoreError> {
    // Of a span that comes twice the last counts.
    let mut seen = HashSet::new();
    let mut values: Vec<Value<'_>> = Vec::with_capacity(spans.len() * SET_SPANS.columns);
    for span in spans.iter().rev().filter(|span| seen.insert(span.id.as_str())) {
        values.extend_from_slice(args![
            no,
            &span.id,
            &span.parent,
            cut(&span.name, TAG_VALUE),
            &span.kind,
            span.status.as_str(),
            span.started,
            span.ended,
            &span.usage,
            &span.cost,
            &span.content,
        ]);
    }
    session.insert(SET_SPANS, &values)
}

/// Sums what the spans used, over all that have come until now.
fn sum(
    session: &mut dyn Session,
    no: i64,
    is_final: bool,
    key: &str,
    column: &'static str,
    names: &usage::Names,
) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM trace_metadata WHERE trace_no = ?1 AND key = ?2";
    if is_final && session.first(sql, args![no, key], |_| Ok(()))?.is_some() {
        return Ok(());
    }
    let sql = format!("SELECT span_id, parent_id, {column} FROM trace_spans WHERE trace_no = ?1 ORDER BY span_id");
    let spans = session.all(&sql, args![no], |row| {
        let used = row.opt_text(2)?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(usage::Node { id: row.text(0)?, parent: row.opt_text(1)?, used })
    })?;
    match usage::sum(&spans, names) {
        Some(total) => session.insert(SET_METADATA, args![no, key, &total]),
        None => Ok(()),
    }
}
