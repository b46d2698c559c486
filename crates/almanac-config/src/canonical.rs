//! Canonical JSON of a section: sorted keys, no spaces, so that equal settings have equal fingerprints.
//!
//! Not here: hashing (`almanac-pipeline` hashes only the parts that an asset depends on).

use serde::Serialize;
use serde_json::Value;

/// Settings that can be part of a fingerprint.
pub trait CanonicalJson: Serialize {
    /// Returns the value as JSON with the keys of every object sorted.
    fn canonical_json(&self) -> String {
        let value = serde_json::to_value(self).expect("settings hold only strings, numbers, lists and string-keyed maps");
        let mut text = String::new();
        write(&value, &mut text);
        text
    }
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (n, (key, item)) in entries.into_iter().enumerate() {
                if n > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(item, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}
