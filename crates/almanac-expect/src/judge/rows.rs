//! Outcomes of questions to rows: counts, shares, failing values and where they are.

use serde_json::{Map, Value as Json, json};

use super::refused;
use crate::column::Shape;
use crate::outcome::{Outcome, ResultFormat, outcome};
use crate::run::Scan;
use crate::suite::Expectation;
use crate::value::Value;
use crate::work::Task;
use crate::work::rows::Rows;

/// How the results of row questions differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Whether missing values are told apart.
    pub(super) missing: bool,
    /// Whether each missing value counts for itself, as not-a-numbers do in Python.
    pub(super) lone_nulls: bool,
    pub(super) pair: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { missing: true, lone_nulls: false, pair: false }
    }
}

pub(super) fn lone_nulls(scan: &Scan<'_>, column: &str) -> bool {
    !scan.is_decimal(column) && scan.shape(column).is_ok_and(|shape| matches!(shape, Shape::Float | Shape::Int | Shape::Time(_)))
}

pub(super) struct Counted {
    pub(super) elements: u64,
    pub(super) judged: u64,
    pub(super) failed: u64,
}

pub(super) fn rows(scan: &mut Scan<'_>, expectation: &Expectation, place: usize, style: Style) -> Outcome {
    let style = Style { lone_nulls: style.lone_nulls || expectation.rule.columns().iter().any(|column| lone_nulls(scan, column)), ..style };
    let Task::Rows(work) = &mut scan.works[place].task else { return refused(expectation, "nothing was gathered") };
    let work: Rows = std::mem::replace(work, Rows::new(work.question.clone(), crate::work::rows::Keep { rows: 0, places: false }));
    if let Some(problem) = work.refused.filter(|_| work.failed > 0) {
        return refused(expectation, &problem);
    }
    let counts = Counted { elements: work.elements, judged: work.judged, failed: work.failed };
    let mut outcome = row_outcome(scan, expectation, &counts, &work.sample, style);
    outcome.places = work.places;
    outcome
}

/// Names the rows shown of an expectation that failed, by the columns that do: beside their places, and the first in the words.
fn name_rows(scan: &Scan<'_>, sample: &[(u64, Value)], result: &mut Map<String, Json>) -> Option<String> {
    let places: Vec<u64> = sample.iter().take(scan.options.shown).map(|row| row.0).collect();
    let named = scan.table.cells(&places, &scan.labels).ok().filter(|named| named.len() == places.len())?;
    let cells = |row: &Vec<Value>| scan.labels.iter().cloned().zip(row.iter().map(Value::json)).collect::<Map<_, _>>();
    result.insert("unexpected_index_column_names".into(), json!(scan.labels));
    result.insert("partial_unexpected_index_list".into(), named.iter().map(|row| Json::Object(cells(row))).collect());
    let words = scan.labels.iter().zip(named.first()?).map(|(label, cell)| format!("{label} {}", cell.text()));
    Some(words.collect::<Vec<_>>().join(", "))
}

pub(super) fn row_outcome(scan: &Scan<'_>, expectation: &Expectation, counts: &Counted, sample: &[(u64, Value)], style: Style) -> Outcome {
    let Counted { elements, judged, failed } = *counts;
    let success = judged == 0 || (judged - failed) as f64 / judged as f64 >= expectation.mostly;
    let share = |part: u64, whole: u64| if whole == 0 { Json::Null } else { json!(part as f64 / whole as f64 * 100.0) };
    let format = scan.options.format;
    let mut result = Map::new();
    if format > ResultFormat::BooleanOnly {
        let shown = scan.options.shown;
        let single = |value: &Value| match value {
            Value::Row(cells) if style.pair => Json::Array(cells.iter().map(|cell| cell.1.json()).collect()),
            other => other.json(),
        };
        let list = |rows: &[(u64, Value)]| Json::Array(rows.iter().map(|row| single(&row.1)).collect());
        result.insert("element_count".into(), json!(elements));
        result.insert("unexpected_count".into(), json!(failed));
        result.insert("unexpected_percent".into(), share(failed, if style.missing { judged } else { elements }));
        result.insert("partial_unexpected_list".into(), list(&sample[..sample.len().min(shown)]));
        if style.missing {
            result.insert("missing_count".into(), json!(elements - judged));
            result.insert("missing_percent".into(), share(elements - judged, elements));
            result.insert("unexpected_percent_total".into(), share(failed, elements));
            result.insert("unexpected_percent_nonmissing".into(), if elements == 0 { Json::Null } else { share(failed, judged) });
        }
        if format > ResultFormat::Basic {
            result.insert("partial_unexpected_counts".into(), Json::Array(value_counts(sample, style, shown)));
            let places = |rows: &[(u64, Value)]| Json::Array(rows.iter().map(|row| json!(row.0)).collect());
            result.insert("partial_unexpected_index_list".into(), places(&sample[..sample.len().min(shown)]));
            if format == ResultFormat::Complete {
                result.insert("unexpected_list".into(), list(sample));
                result.insert("unexpected_index_list".into(), places(sample));
                if failed > sample.len() as u64 {
                    result.insert("unexpected_list_is_partial".into(), json!(true));
                }
            }
        }
    }
    let named =
        if success || scan.labels.is_empty() || format < ResultFormat::Summary { None } else { name_rows(scan, sample, &mut result) };
    let words = match sample.first() {
        _ if failed == 0 => format!("all {judged} rows hold"),
        None => format!("{failed} of {judged} rows fail"),
        Some((place, value)) => {
            let first = named.map_or_else(|| format!("first row {place}"), |named| format!("first at {named}"));
            format!("{failed} of {judged} rows fail, {first}: {}", value.text())
        }
    };
    Outcome { failed_rows: failed, ..outcome(expectation, success, Json::Object(result), words) }
}

/// The most common of some values with their counts.
fn value_counts(sample: &[(u64, Value)], style: Style, most: usize) -> Vec<Json> {
    let mut counts: Vec<(&Value, u64)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (_, value) in sample {
        let alone = style.lone_nulls && value.has_null();
        if let Some(place) = places.get(value).filter(|_| !alone) {
            let entry: &mut (&Value, u64) = &mut counts[*place];
            entry.1 += 1;
        } else {
            places.insert(value, counts.len());
            counts.push((value, 1));
        }
    }
    counts.sort_by_key(|entry| std::cmp::Reverse(entry.1));
    counts.truncate(most);
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let json = |value: &Value| match value {
        Value::Row(cells) => Json::Array(cells.iter().map(|cell| cell.1.json()).collect()),
        other => other.json(),
    };
    counts.into_iter().map(|(value, count)| json!({"value": json(value), "count": count})).collect()
}
