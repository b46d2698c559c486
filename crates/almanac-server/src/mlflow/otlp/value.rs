//! Values of attributes as plain JSON, and spans in the form of MLflow's file of a trace.
//!
//! Here spans are the JSON that is stored; attributes in the file are JSON within texts, in Python's spelling.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Returns the plain value of an attribute: `{"int_value": 1}` is `1`.
pub(in super::super) fn plain(any: &Value) -> Value {
    let Some((kind, value)) = any.as_object().and_then(|fields| fields.iter().next()) else { return Value::Null };
    let list = |value: &Value| value.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
    match kind.as_str() {
        "array_value" => Value::Array(list(value).iter().map(plain).collect()),
        "kvlist_value" => Value::Object(pairs(&Value::Array(list(value))).collect()),
        _ => value.clone(),
    }
}

/// Returns the plain values of a list of attributes.
fn pairs(attributes: &Value) -> impl Iterator<Item = (String, Value)> {
    attributes.as_array().into_iter().flatten().map(|attribute| {
        let key = attribute.get("key").and_then(Value::as_str).unwrap_or_default();
        (key.to_owned(), attribute.get("value").map_or(Value::Null, plain))
    })
}

/// Writes JSON as Python does, with blanks after commas and colons.
pub(in super::super) fn python(value: &Value) -> String {
    let mut text = String::new();
    write_python(value, &mut text);
    text
}

fn write_python(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                write_python(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (place, (key, item)) in fields.iter().enumerate() {
                let comma = if place > 0 { ", " } else { "" };
                write!(text, "{comma}{}: ", Value::from(key.as_str())).expect("writing to a text");
                write_python(item, text);
            }
            text.push('}');
        }
        plain => write!(text, "{plain}").expect("writing to a text"),
    }
}

/// Writes spans as the file `traces.json`.
pub(in super::super) fn trace_file(spans: &[String]) -> String {
    let spans: Vec<Value> = spans.iter().filter_map(|span| serde_json::from_str(span).ok()).map(|span: Value| file_span(&span)).collect();
    json!({ "spans": spans }).to_string()
}

fn file_span(span: &Value) -> Value {
    let field = |name: &str| span.get(name).cloned().unwrap_or_default();
    let list = |name: &str| span.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let dumped: Map<String, Value> = pairs(&field("attributes")).map(|(key, value)| (key, Value::from(python(&value)))).collect();
    let attributes = |of: &Value| Value::Object(pairs(of.get("attributes").unwrap_or(&Value::Null)).collect());
    let event = |event: &Value| json!({"name": event["name"], "time_unix_nano": event["time_unix_nano"], "attributes": attributes(event)});
    let link = |link: &Value| json!({"trace_id": link["trace_id"], "span_id": link["span_id"], "attributes": attributes(link)});
    let status = field("status");
    let code = status.get("code").and_then(Value::as_str).unwrap_or("STATUS_CODE_UNSET");
    json!({
        "trace_id": field("trace_id"),
        "span_id": field("span_id"),
        "parent_span_id": field("parent_span_id"),
        "name": field("name"),
        "start_time_unix_nano": field("start_time_unix_nano"),
        "end_time_unix_nano": field("end_time_unix_nano"),
        "events": list("events").iter().map(event).collect::<Vec<_>>(),
        "status": {"code": code, "message": status.get("message").and_then(Value::as_str).unwrap_or_default()},
        "attributes": dumped,
        "links": list("links").iter().map(link).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_plain_and_are_spelled_as_python_does() {
        let any = json!({"kvlist_value": {"values": [
            {"key": "q", "value": {"string_value": "a \"b\""}},
            {"key": "n", "value": {"array_value": {"values": [{"int_value": 1}, {"double_value": 0.5}, {}]}}},
        ]}});
        assert_eq!(python(&plain(&any)), r#"{"n": [1, 0.5, null], "q": "a \"b\""}"#);
    }

    #[test]
    fn a_file_holds_attributes_as_texts() {
        let span = r#"{"trace_id": "AQ==", "span_id": "Ag==", "name": "f", "start_time_unix_nano": 5, "end_time_unix_nano": 9,
            "attributes": [{"key": "a", "value": {"string_value": "x"}}], "status": {"code": "STATUS_CODE_OK"}}"#;
        let file: Value = serde_json::from_str(&trace_file(&[span.to_owned()])).expect("JSON");
        assert_eq!(file["spans"][0]["attributes"], json!({"a": "\"x\""}));
        assert_eq!(file["spans"][0]["parent_span_id"], Value::Null);
        assert_eq!(file["spans"][0]["status"], json!({"code": "STATUS_CODE_OK", "message": ""}));
    }
}
