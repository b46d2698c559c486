//! Sorts spans by trace, and reads what they say about it: inputs and outputs, session, user, tokens, costs, tags.
//!
//! Not here: what becomes of it where the trace is there already (`almanac-tracking`).

use std::collections::HashMap;

use almanac_tracking::{Span, SpanStatus, Tag, TraceSpans};
use serde_json::{Map, Value as Json, json};

use super::super::MlflowError;
use super::messages::{self, AnyValue, ExportRequest, KeyValue, Resource, Value};
use super::value::{plain, python};

/// The id under which a span's trace is known here; what a client says it is does not count.
const REQUEST_ID: &str = "mlflow.traceRequestId";
const INPUTS: &str = "mlflow.spanInputs";
const OUTPUTS: &str = "mlflow.spanOutputs";
const SPAN_TYPE: &str = "mlflow.spanType";
const TOKEN_USAGE: &str = "mlflow.chat.tokenUsage";
const COST: &str = "mlflow.llm.cost";
/// Before tags of the trace, in attributes of the root.
const TRACE_TAG: &str = "mlflow.traceTag.";
/// Longest preview, in characters.
const PREVIEW: usize = 1_000;

/// Sorts all spans of a request by trace, each in the order in which it comes.
pub(super) fn traces(request: ExportRequest) -> Result<Vec<TraceSpans>, MlflowError> {
    let mut traces: Vec<TraceSpans> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for group in request.resource_spans {
        let resource_tags = resource_tags(group.resource.as_ref());
        for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            if span.trace_id.len() != 16 || span.span_id.len() != 8 || !matches!(span.parent_span_id.len(), 0 | 8) {
                return Err(MlflowError::invalid(
                    "Cannot convert OpenTelemetry span to MLflow span: a trace has an id of 16 bytes, a span of 8.",
                ));
            }
            let id = format!("tr-{}", hex(&span.trace_id));
            let place = *places.entry(id.clone()).or_insert_with(|| {
                traces.push(TraceSpans {
                    trace: id.clone(),
                    spans: Vec::new(),
                    tags: resource_tags.clone(),
                    metadata: Vec::new(),
                    request_preview: None,
                    response_preview: None,
                });
                traces.len() - 1
            });
            add(&mut traces[place], span, &id);
        }
    }
    Ok(traces)
}

fn add(trace: &mut TraceSpans, mut span: messages::Span, id: &str) {
    span.attributes.retain(|attribute| attribute.key != REQUEST_ID);
    span.attributes.push(text_attribute(REQUEST_ID, id));
    if span.parent_span_id.iter().all(|byte| *byte == 0) {
        span.parent_span_id.clear();
    }
    let parent = (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id));
    if parent.is_none() {
        trace.request_preview = attribute(&span, INPUTS).map(|inputs| preview(&inputs, "user"));
        trace.response_preview = attribute(&span, OUTPUTS).map(|outputs| preview(&outputs, "assistant"));
        for set in &span.attributes {
            if let Some(key) = set.key.strip_prefix(TRACE_TAG) {
                trace.tags.push(Tag { key: key.to_owned(), value: as_text(&attribute_value(set)) });
            }
        }
    }
    let sessions = [("mlflow.trace.session", ["session.id", "gen_ai.conversation.id"]), ("mlflow.trace.user", ["user.id", "user.id"])];
    for (key, names) in sessions {
        let found = names.iter().find_map(|name| attribute(&span, name));
        if let Some(found) = found.filter(|_| !trace.metadata.iter().any(|known| known.key == key)) {
            trace.metadata.push(Tag { key: key.to_owned(), value: as_text(&found) });
        }
    }
    trace.spans.push(Span {
        id: hex(&span.span_id),
        parent,
        name: span.name.clone(),
        kind: attribute(&span, SPAN_TYPE).map(|kind| as_text(&kind)),
        status: match span.status.as_ref().map(|status| status.code) {
            Some(1) => SpanStatus::Ok,
            Some(2) => SpanStatus::Error,
            _ => SpanStatus::Unset,
        },
        started: nanos(span.start_time_unix_nano),
        ended: (span.end_time_unix_nano > 0).then(|| nanos(span.end_time_unix_nano)),
        usage: usage(&span).map(|usage| Json::Object(usage).to_string()),
        cost: attribute(&span, COST).and_then(object).map(|cost| Json::Object(cost).to_string()),
        content: serde_json::to_string(&span).expect("texts, numbers and lists of them"),
    });
}

/// Tags from the attributes of a resource, without those of libraries and those of MLflow itself.
fn resource_tags(resource: Option<&Resource>) -> Vec<Tag> {
    let attributes = resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default();
    let is_tag = |attribute: &&KeyValue| !attribute.key.starts_with("telemetry.sdk.") && !attribute.key.starts_with("mlflow.");
    let tag = |attribute: &KeyValue| Tag { key: attribute.key.clone(), value: as_text(&attribute_value(attribute)) };
    attributes.iter().filter(is_tag).map(tag).collect()
}

/// Tokens that a span used, in MLflow's words or in OpenTelemetry's.
fn usage(span: &messages::Span) -> Option<Map<String, Json>> {
    if let Some(usage) = attribute(span, TOKEN_USAGE).and_then(object) {
        return Some(usage);
    }
    let count = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| attribute(span, name))?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    let input = count(["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"])?;
    let output = count(["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"])?;
    let usage = json!({"input_tokens": input, "output_tokens": output, "total_tokens": input.saturating_add(output)});
    object(usage)
}

/// Takes an object, which may be JSON within a text.
fn object(value: Json) -> Option<Map<String, Json>> {
    match value {
        Json::Object(fields) => Some(fields),
        Json::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    }
}

fn attribute(span: &messages::Span, key: &str) -> Option<Json> {
    span.attributes.iter().find(|attribute| attribute.key == key).map(attribute_value).filter(|value| !value.is_null())
}

fn attribute_value(attribute: &KeyValue) -> Json {
    attribute.value.as_ref().and_then(|value| serde_json::to_value(value).ok()).map_or(Json::Null, |value| plain(&value))
}

fn text_attribute(key: &str, text: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) }) }
}

fn as_text(value: &Json) -> String {
    value.as_str().map_or_else(|| python(value), str::to_owned)
}

/// Shows inputs or outputs: of a conversation the last message of a role, otherwise all of it, cut where it is long.
fn preview(value: &Json, role: &str) -> String {
    let said = messages_in(value).and_then(|messages| {
        let message = messages.iter().rev().find(|message| message["role"] == role).or_else(|| messages.last())?;
        content(message)
    });
    let text = said.filter(|said| !said.is_empty()).unwrap_or_else(|| python(value));
    match text.char_indices().nth(PREVIEW) {
        None => text,
        Some(_) => text.chars().take(PREVIEW - 3).chain("...".chars()).collect(),
    }
}

/// Finds the messages of a conversation in the forms that OpenAI's interfaces have.
fn messages_in(value: &Json) -> Option<Vec<Json>> {
    let is_message = |item: &&Json| item.get("role").is_some() && item.get("content").is_some();
    for name in ["messages", "input", "output"] {
        if let Some(items) = value.get(name).and_then(Json::as_array) {
            return Some(items.iter().filter(is_message).cloned().collect());
        }
    }
    let choice = value.get("choices").and_then(|choices| choices.get(0)?.get("message")).filter(is_message);
    choice.map(|message| vec![message.clone()])
}

fn content(message: &Json) -> Option<String> {
    match &message["content"] {
        Json::String(text) => Some(text.clone()),
        Json::Array(parts) => {
            let text = |part: &Json| part.as_str().or_else(|| part.get("text")?.as_str()).map(str::to_owned);
            parts.iter().find_map(text)
        }
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn nanos(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_shows_the_last_message_of_the_role() {
        let chat = json!({"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]});
        assert_eq!(preview(&chat, "user"), "hello");
        let answer = json!({"choices": [{"message": {"role": "assistant", "content": [{"type": "text", "text": "hi"}]}}]});
        assert_eq!(preview(&answer, "assistant"), "hi");
        assert_eq!(preview(&json!({"a": 1}), "user"), r#"{"a": 1}"#);
        assert_eq!(preview(&json!("x".repeat(2_000)), "user").chars().count(), PREVIEW);
    }
}
