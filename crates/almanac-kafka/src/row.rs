//! A message as a line of JSON: an object that is a row, or a string that says which message could not be read and why.
//!
//! Not here: the format of values (`decode`), where lines go (`load`).

use std::collections::BTreeSet;

use almanac_connect::{KafkaExtra, KafkaSpec};
use almanac_privacy::Redaction;
use jiff::Timestamp;
use rdkafka::message::{Headers, Message};
use serde_json::{Map, Value};

use crate::decode::Decoder;

/// Longest line that is written, in bytes: what bronze reads.
const MAX_LINE: usize = 64 << 20;
/// Characters of a value that are kept of a message that cannot be read.
const SHOWN: usize = 120;

/// A line without its end, and whether it is a row.
pub(crate) struct Line {
    pub(crate) text: Vec<u8>,
    pub(crate) is_row: bool,
}

/// Turns a message into a line.
///
/// Personal columns are hidden, and those there were are added to `found`; of a message that cannot be read nobody knows what is
/// personal, and so nothing of it is shown where the table has personal columns.
pub(crate) fn line(
    message: &impl Message,
    spec: &KafkaSpec,
    decoder: &Decoder<'_>,
    redaction: &Redaction,
    found: &mut BTreeSet<String>,
) -> Line {
    let reason = match row(message, spec, decoder).map(Value::Object) {
        Ok(mut row) => match serde_json::to_vec(hide(&mut row, spec, redaction, found)) {
            Ok(text) if text.len() < MAX_LINE => return Line { text, is_row: true },
            Ok(text) => format!("the row has {} bytes", text.len()),
            Err(error) => error.to_string(),
        },
        Err(reason) => reason,
    };
    let value: String = String::from_utf8_lossy(message.payload().unwrap_or_default()).chars().take(SHOWN).collect();
    let value = redaction.line(&value);
    // Parsers quote what they stumble over.
    let reason = if redaction.is_empty() { &reason[..] } else { reason.split(':').next().unwrap_or_default() };
    let text = format!("{}/{} offset {}: {reason}: {value}", message.topic(), message.partition(), message.offset());
    Line { text: Value::String(text).to_string().into_bytes(), is_row: false }
}

/// The key of a message is what its only key column is, whatever it is called.
fn hide<'a>(row: &'a mut Value, spec: &KafkaSpec, redaction: &Redaction, found: &mut BTreeSet<String>) -> &'a Value {
    found.append(&mut redaction.json(row));
    if let ([column], Some(Value::String(key)), None) = (&spec.key[..], row.get("_key"), redaction.policy("_key"))
        && redaction.policy(column).is_some()
    {
        row["_key"] = redaction.cell(column, key).map_or(Value::Null, Value::String);
    }
    row
}

fn row(message: &impl Message, spec: &KafkaSpec, decoder: &Decoder<'_>) -> Result<Map<String, Value>, String> {
    let is_deleted = message.payload().is_none();
    let mut row = match message.payload() {
        Some(bytes) => decoder.decode(bytes)?,
        None => Map::new(),
    };
    let key = message.key().map(String::from_utf8_lossy);
    if !spec.key.is_empty() {
        fill_key(&mut row, spec, key.as_deref());
        if let Some(missing) = spec.key.iter().find(|column| !row.contains_key(*column)) {
            return Err(format!("neither its value nor its key has `{missing}`, which `key` names"));
        }
    }
    let has = |extra| spec.with.contains(&extra);
    if has(KafkaExtra::Key) || (is_deleted && spec.key.is_empty()) {
        row.insert("_key".into(), key.as_deref().map_or(Value::Null, Value::from));
    }
    if is_deleted || has(KafkaExtra::Deleted) {
        row.insert("_deleted".into(), is_deleted.into());
    }
    if has(KafkaExtra::Timestamp) {
        let at = message.timestamp().to_millis().and_then(|at| Timestamp::from_millisecond(at).ok());
        row.insert("_timestamp".into(), at.map_or(Value::Null, |at| format!("{at:.3}").into()));
    }
    if has(KafkaExtra::Headers) {
        let mut headers = Map::new();
        for header in message.headers().iter().flat_map(|headers| headers.iter()) {
            let value = header.value.map_or(Value::Null, |bytes| String::from_utf8_lossy(bytes).into());
            headers.insert(header.key.to_owned(), value);
        }
        row.insert("_headers".into(), Value::Object(headers));
    }
    if has(KafkaExtra::Offset) {
        row.insert("_partition".into(), message.partition().into());
        row.insert("_offset".into(), message.offset().into());
    }
    Ok(row)
}

/// Takes columns of the key that the value lacks from the message's key: members of a JSON object, or its text if there is one column.
fn fill_key(row: &mut Map<String, Value>, spec: &KafkaSpec, key: Option<&str>) {
    let Some(key) = key else { return };
    let missing: Vec<&String> = spec.key.iter().filter(|column| !row.contains_key(*column)).collect();
    if missing.is_empty() {
        return;
    }
    match serde_json::from_str(key) {
        Ok(Value::Object(mut members)) => {
            for column in missing {
                if let Some(value) = members.remove(column) {
                    row.insert(column.clone(), value);
                }
            }
        }
        Ok(value @ (Value::String(_) | Value::Number(_))) if spec.key.len() == 1 => {
            row.insert(spec.key[0].clone(), value);
        }
        _ if spec.key.len() == 1 => {
            row.insert(spec.key[0].clone(), key.into());
        }
        _ => {}
    }
}
