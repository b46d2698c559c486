//! Spans and assessments of traces, from the forms that MLflow stores to the rows of this store.
//!
//! MLflow's files keep attributes as JSON within texts; here a span is OpenTelemetry's message as JSON, in snake case, which is
//! what its clients read. MLflow 2 wrote a form of its own, with ids in hex.
//!
//! Not here: where the texts come from (`mlruns`, `mlflow_sqlite`).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::tables::{Cell, Record};

/// Tells clients that the server has the spans.
pub(super) const SPANS_LOCATION: (&str, &str) = ("mlflow.trace.spansLocation", "TRACKING_STORE");
/// The run that a trace belongs to, among its metadata.
pub(super) const SOURCE_RUN: &str = "mlflow.sourceRun";

/// Reads the spans of MLflow's file of a trace.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn of_file(trace: &str, text: &str, place: &str) -> Result<Vec<Record>, String> {
    let file: Json = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let spans = file.get("spans").and_then(Json::as_array).ok_or("has no `spans`")?;
    spans.iter().map(|span| of_json(trace, span, place)).collect()
}

/// Turns one span into a row.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn of_json(trace: &str, span: &Json, place: &str) -> Result<Record, String> {
    let span = current(span);
    let id = span.get("span_id").and_then(Json::as_str).and_then(hex).ok_or("a span has no id")?;
    let attributes = span.get("attributes").and_then(Json::as_object).cloned().unwrap_or_default();
    let plain: Vec<(String, Json)> = attributes.iter().map(|(key, value)| (key.clone(), undumped(value))).collect();
    let attribute = |name: &str| plain.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !value.is_null());
    let object = |name: &str| attribute(name).filter(|value| value.is_object()).map(Json::to_string);
    let nanos = |name: &str| span.get(name).and_then(Json::as_i64);
    let name = span.get("name").and_then(Json::as_str).unwrap_or_default();
    let code = span.get("status").and_then(|status| status.get("code")).and_then(Json::as_str).unwrap_or_default();
    let status = ["OK", "ERROR"].into_iter().find(|word| code.ends_with(word)).unwrap_or("UNSET");
    let values = vec![
        ("trace_no", Cell::from(trace)),
        ("span_id", id.into()),
        ("parent_id", span.get("parent_span_id").and_then(Json::as_str).and_then(hex).into()),
        ("name", name.into()),
        ("type", attribute("mlflow.spanType").map(|kind| kind.as_str().map_or_else(|| kind.to_string(), str::to_owned)).into()),
        ("status", status.into()),
        ("start_time", nanos("start_time_unix_nano").unwrap_or_default().into()),
        ("end_time", nanos("end_time_unix_nano").filter(|end| *end > 0).into()),
        ("usage", object("mlflow.chat.tokenUsage").into()),
        ("cost", object("mlflow.llm.cost").into()),
        ("content", message(&span, &plain).to_string().into()),
    ];
    Ok(Record::new("trace_spans", place, values))
}

/// Brings the form of MLflow 2 to that of MLflow 3.
fn current(span: &Json) -> Json {
    let Some(context) = span.get("context") else { return span.clone() };
    let id = |value: Option<&Json>| value.and_then(Json::as_str).map_or(Json::Null, |text| packed(text).into());
    let field = |name: &str| span.get(name).cloned().unwrap_or_default();
    let code = span.get("status_code").and_then(Json::as_str).unwrap_or("UNSET");
    json!({
        "trace_id": id(context.get("trace_id")),
        "span_id": id(context.get("span_id")),
        "parent_span_id": id(span.get("parent_id")),
        "name": field("name"),
        "start_time_unix_nano": field("start_time"),
        "end_time_unix_nano": field("end_time"),
        "attributes": field("attributes"),
        "events": field("events"),
        "status": {"code": format!("STATUS_CODE_{code}"), "message": span.get("status_message").and_then(Json::as_str).unwrap_or_default()},
    })
}

/// Writes a span as clients read it.
fn message(span: &Json, attributes: &[(String, Json)]) -> Json {
    let mut message = Map::new();
    for name in ["trace_id", "span_id", "parent_span_id", "name"] {
        if let Some(text) = span.get(name).filter(|text| text.is_string()) {
            message.insert(name.to_owned(), text.clone());
        }
    }
    for name in ["start_time_unix_nano", "end_time_unix_nano"] {
        message.insert(name.to_owned(), span.get(name).and_then(Json::as_u64).unwrap_or_default().into());
    }
    if !attributes.is_empty() {
        message.insert("attributes".to_owned(), pairs(attributes.iter().map(|(key, value)| (key.as_str(), value))));
    }
    let parts = |name: &str| span.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
    let events: Vec<Json> = parts("events").iter().map(event).collect();
    if !events.is_empty() {
        message.insert("events".to_owned(), events.into());
    }
    let links: Vec<Json> = parts("links").iter().map(link).collect();
    if !links.is_empty() {
        message.insert("links".to_owned(), links.into());
    }
    if let Some(status) = span.get("status") {
        let mut kept = Map::new();
        if let Some(said) = status.get("message").and_then(Json::as_str).filter(|said| !said.is_empty()) {
            kept.insert("message".to_owned(), said.into());
        }
        kept.insert("code".to_owned(), status.get("code").and_then(Json::as_str).unwrap_or("STATUS_CODE_UNSET").into());
        message.insert("status".to_owned(), kept.into());
    }
    message.into()
}

fn event(event: &Json) -> Json {
    let time = event.get("time_unix_nano").or_else(|| event.get("timestamp")).and_then(Json::as_u64).unwrap_or_default();
    let mut kept = Map::from_iter([("time_unix_nano".to_owned(), time.into())]);
    kept.insert("name".to_owned(), event.get("name").cloned().unwrap_or_default());
    keep_attributes(&mut kept, event);
    kept.into()
}

fn link(link: &Json) -> Json {
    let mut kept = Map::new();
    for name in ["trace_id", "span_id"] {
        kept.insert(name.to_owned(), link.get(name).cloned().unwrap_or_default());
    }
    keep_attributes(&mut kept, link);
    kept.into()
}

fn keep_attributes(kept: &mut Map<String, Json>, from: &Json) {
    if let Some(attributes) = from.get("attributes").and_then(Json::as_object).filter(|attributes| !attributes.is_empty()) {
        kept.insert("attributes".to_owned(), pairs(attributes.iter().map(|(key, value)| (key.as_str(), value))));
    }
}

fn pairs<'a>(attributes: impl Iterator<Item = (&'a str, &'a Json)>) -> Json {
    attributes.map(|(key, value)| json!({"key": key, "value": any(value)})).collect()
}

/// Writes a value with the name of its type: `1` is `{"int_value": 1}`.
fn any(value: &Json) -> Json {
    match value {
        Json::Null => json!({}),
        Json::Bool(flag) => json!({"bool_value": flag}),
        Json::Number(number) if number.is_i64() => json!({"int_value": number}),
        Json::Number(number) => json!({"double_value": number}),
        Json::String(text) => json!({"string_value": text}),
        Json::Array(items) => json!({"array_value": {"values": items.iter().map(any).collect::<Vec<_>>()}}),
        Json::Object(fields) => json!({"kvlist_value": {"values": pairs(fields.iter().map(|(key, value)| (key.as_str(), value)))}}),
    }
}

/// Returns what an attribute holds: MLflow stores JSON within a text.
fn undumped(value: &Json) -> Json {
    match value {
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    }
}

/// Returns an id in hex, given in base64 or in hex with `0x`.
fn hex(id: &str) -> Option<String> {
    let bytes = STANDARD.decode(id).ok().filter(|bytes| !bytes.is_empty())?;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a text");
    }
    Some(text)
}

/// Returns an id in base64, given in hex.
fn packed(id: &str) -> String {
    let digits = id.trim_start_matches("0x");
    let digits = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    let bytes: Vec<u8> =
        (0..digits.len() / 2).filter_map(|at| digits.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect();
    STANDARD.encode(bytes)
}

/// Returns the milliseconds since 1970 of a time such as `2026-11-21T19:41:22.578Z`, or of a number.
pub(super) fn millis(time: Option<&str>) -> Option<i64> {
    let time = time?.trim();
    time.parse().ok().or_else(|| time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
}

/// Returns the word of a state, in MLflow 3's spelling.
pub(super) fn state(word: Option<&str>) -> &'static str {
    let word = word.unwrap_or_default();
    ["OK", "ERROR", "IN_PROGRESS"].into_iter().find(|state| *state == word).unwrap_or("STATE_UNSPECIFIED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(record: &Record, column: &str) -> Cell {
        let table = &super::super::tables::tables()[record.table];
        record.cells[table.place(column).expect("a column")].clone()
    }

    #[test]
    fn a_span_of_a_file_becomes_the_message_that_clients_read() {
        let text = r#"{"spans": [{"trace_id": "AQ==", "span_id": "FvyhL8BZxvE=", "parent_span_id": null, "name": "root",
            "start_time_unix_nano": 5, "end_time_unix_nano": 9, "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""},
            "attributes": {"mlflow.spanType": "\"LLM\"", "n": "1", "mlflow.chat.tokenUsage": "{\"input_tokens\": 3}"}, "links": []}]}"#;
        let records = of_file("tr-1", text, "here").expect("reads");
        assert_eq!(cell(&records[0], "span_id"), Cell::from("16fca12fc059c6f1"));
        assert_eq!(cell(&records[0], "type"), Cell::from("LLM"));
        assert_eq!(cell(&records[0], "status"), Cell::from("OK"));
        assert_eq!(cell(&records[0], "usage"), Cell::from(r#"{"input_tokens":3}"#));
        let Cell::Text(content) = cell(&records[0], "content") else { panic!("a text") };
        let content: Json = serde_json::from_str(&content).expect("JSON");
        assert!(content["attributes"].as_array().expect("a list").contains(&json!({"key": "n", "value": {"int_value": 1}})));
        assert!(content.get("parent_span_id").is_none() && content.get("events").is_none());
    }

    #[test]
    fn the_form_of_mlflow_2_is_read_too() {
        let span = json!({"name": "f", "context": {"span_id": "0x16fca12fc059c6f1", "trace_id": "0x01"}, "parent_id": null,
            "start_time": 5, "end_time": 9, "status_code": "ERROR", "status_message": "bad", "attributes": {"a": "\"x\""}, "events": []});
        let record = of_json("t", &span, "here").expect("reads");
        assert_eq!(cell(&record, "span_id"), Cell::from("16fca12fc059c6f1"));
        assert_eq!(cell(&record, "status"), Cell::from("ERROR"));
    }

    #[test]
    fn times_are_numbers_or_words() {
        assert_eq!(millis(Some("1970-01-01T00:00:01.5Z")), Some(1500));
        assert_eq!(millis(Some("1700")), Some(1700));
        assert_eq!(millis(Some("soon")), None);
    }
}
