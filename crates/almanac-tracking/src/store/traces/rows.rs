//! Reading traces: their rows, then what belongs to many of them at once.

use std::collections::{HashMap, HashSet};

use super::{SIZE_STATS, SPANS_LOCATION};
use crate::db::{Row, Session, Value, args};
use crate::{ExperimentId, Millis, StoreError, Tag, Trace, TraceInfo, TraceState};

/// Columns that [`info_row`] reads.
pub(super) const COLUMNS: &str = "t.trace_no, t.trace_id, t.experiment_id, t.request_time, t.execution_duration, t.state,
    t.client_request_id, t.request_preview, t.response_preview";
/// How many traces are asked for at once.
const AT_ONCE: usize = 100;

/// A trace with its number.
pub(super) type Numbered = (i64, TraceInfo);

pub(in super::super) fn trace_no(session: &mut dyn Session, id: &str) -> Result<i64, StoreError> {
    let found = session.first("SELECT trace_no FROM traces WHERE trace_id = ?1", args![id], |row| row.int(0))?;
    found.ok_or_else(|| no_trace(id))
}

pub(super) fn no_trace(id: &str) -> StoreError {
    StoreError::missing(format!("Trace with ID '{id}' not found."))
}

pub(super) fn info(session: &mut dyn Session, id: &str) -> Result<TraceInfo, StoreError> {
    let found = infos(session, &[id.to_owned()], None)?.pop();
    found.map(|(_, info)| info).ok_or_else(|| no_trace(id))
}

/// Reads the traces with these ids, in their order, each once.
pub(super) fn infos(session: &mut dyn Session, ids: &[String], within: Option<&[ExperimentId]>) -> Result<Vec<Numbered>, StoreError> {
    let mut seen = HashSet::new();
    let unique: Vec<&String> = ids.iter().filter(|id| seen.insert(id.as_str())).collect();
    let mut found = HashMap::new();
    for chunk in unique.chunks(AT_ONCE) {
        let values: Vec<Value<'_>> = chunk.iter().map(|id| Value::from(*id)).collect();
        let sql = format!("SELECT {COLUMNS} FROM traces t WHERE t.trace_id IN ({})", places(values.len()));
        session.query(&sql, &padded(values, Value::from("")), &mut |row| {
            let (no, info) = info_row(row)?;
            if within.is_none_or(|within| within.contains(&info.experiment)) {
                found.insert(info.id.clone(), (no, info));
            }
            Ok(())
        })?;
    }
    let mut rows: Vec<Numbered> = unique.into_iter().filter_map(|id| found.remove(id)).collect();
    with_children(session, &mut rows)?;
    Ok(rows)
}

pub(super) fn info_row(row: &dyn Row) -> Result<Numbered, StoreError> {
    let info = TraceInfo {
        id: row.text(1)?,
        experiment: ExperimentId(row.int(2)?),
        request_time: Millis(row.int(3)?),
        execution_duration: row.opt_int(4)?,
        state: TraceState::parse(&row.text(5)?).unwrap_or(TraceState::Unspecified),
        client_request_id: row.opt_text(6)?,
        request_preview: row.opt_text(7)?,
        response_preview: row.opt_text(8)?,
        metadata: Vec::new(),
        tags: Vec::new(),
        assessments: Vec::new(),
    };
    Ok((row.int(0)?, info))
}

/// Adds tags, metadata and assessments.
pub(super) fn with_children(session: &mut dyn Session, rows: &mut [Numbered]) -> Result<(), StoreError> {
    let place: HashMap<i64, usize> = rows.iter().enumerate().map(|(place, (no, _))| (*no, place)).collect();
    let numbers: Vec<i64> = rows.iter().map(|(no, _)| *no).collect();
    let pair = |row: &dyn Row| Ok::<_, StoreError>(Tag { key: row.text(1)?, value: row.text(2)? });
    of_traces(session, "SELECT trace_no, key, value FROM trace_tags", "key", &numbers, &mut |no, row| {
        rows[place[&no]].1.tags.push(pair(row)?);
        Ok(())
    })?;
    of_traces(session, "SELECT trace_no, key, value FROM trace_metadata", "key", &numbers, &mut |no, row| {
        rows[place[&no]].1.metadata.push(pair(row)?);
        Ok(())
    })?;
    let assessments = format!("SELECT trace_no, {} FROM assessments", super::super::assessments::COLUMNS);
    of_traces(session, &assessments, "creation_time, assessment_id", &numbers, &mut |no, row| {
        let info = &mut rows[place[&no]].1;
        info.assessments.push(super::super::assessments::read(row, &info.id)?);
        Ok(())
    })
}

/// Hands each row that belongs to one of the traces to `each`, with the trace's number, which is the first column.
fn of_traces(
    session: &mut dyn Session,
    select: &str,
    order: &str,
    numbers: &[i64],
    each: &mut dyn FnMut(i64, &dyn Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for chunk in numbers.chunks(AT_ONCE) {
        let values: Vec<Value<'_>> = chunk.iter().map(|no| Value::from(*no)).collect();
        let sql = format!("{select} WHERE trace_no IN ({}) ORDER BY trace_no, {order}", places(values.len()));
        session.query(&sql, &padded(values, Value::from(-1)), &mut |row| each(row.int(0)?, row))?;
    }
    Ok(())
}

/// Writes places for one value or for [`AT_ONCE`], so that only two statements are kept ready.
fn places(values: usize) -> String {
    let places: Vec<String> = (1..=if values == 1 { 1 } else { AT_ONCE }).map(|place| format!("?{place}")).collect();
    places.join(", ")
}

fn padded<'a>(mut values: Vec<Value<'a>>, with: Value<'a>) -> Vec<Value<'a>> {
    if values.len() > 1 {
        values.resize(AT_ONCE, with);
    }
    values
}

pub(super) fn has_spans_here(info: &TraceInfo) -> bool {
    info.tags.iter().any(|tag| tag.key == SPANS_LOCATION && tag.value == "TRACKING_STORE")
}

/// Reads the spans of a trace; `None` if there are fewer than it says and `partly` does not allow that.
pub(super) fn trace(session: &mut dyn Session, no: i64, info: TraceInfo, partly: bool) -> Result<Option<Trace>, StoreError> {
    let sql = "SELECT content FROM trace_spans WHERE trace_no = ?1
               ORDER BY CASE WHEN parent_id IS NULL THEN 0 ELSE 1 END, start_time, span_id";
    let spans = session.all(sql, args![no], |row| row.text(0))?;
    let stats = info.metadata.iter().find(|tag| tag.key == SIZE_STATS);
    let stats = stats.and_then(|stats| serde_json::from_str::<serde_json::Value>(&stats.value).ok());
    let expected = stats.and_then(|stats| stats.get("num_spans")?.as_u64()).unwrap_or(0);
    let is_whole = !spans.is_empty() && spans.len() as u64 >= expected;
    Ok((partly || is_whole).then_some(Trace { info, spans }))
}
