//! Whether a JSON document fits a JSON Schema, for the words that schemas of cells use. A word not known here is refused, never skipped.

use serde_json::Value as Json;

use crate::pattern::Pattern;

/// A schema, ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct JsonSchema {
    schema: Json,
}

const SAID: [&str; 10] = ["$schema", "$id", "title", "description", "default", "examples", "$comment", "format", "readOnly", "writeOnly"];
const JUDGED: [&str; 27] = [
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "contains",
    "propertyNames",
    "deprecated",
];

impl JsonSchema {
    pub(crate) fn new(schema: &Json) -> Result<Self, String> {
        // Great Expectations 0.18 may write the schema as a text.
        let schema = match schema {
            Json::String(text) => serde_json::from_str(text).map_err(|error| format!("`json_schema` is not JSON: {error}"))?,
            other => other.clone(),
        };
        examine(&schema, 0)?;
        Ok(Self { schema })
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|document| fits(&self.schema, &document))
    }
}

fn examine(schema: &Json, depth: usize) -> Result<(), String> {
    if depth > 32 {
        return Err("`json_schema` is nested too deeply".into());
    }
    let words = match schema {
        Json::Bool(_) => return Ok(()),
        Json::Object(words) => words,
        other => return Err(format!("`json_schema` is an object, not {other}")),
    };
    for (word, value) in words {
        if !SAID.contains(&word.as_str()) && !JUDGED.contains(&word.as_str()) {
            return Err(format!("`json_schema` uses `{word}`, which is not supported"));
        }
        match (word.as_str(), value) {
            ("properties", Json::Object(parts)) => parts.values().try_for_each(|part| examine(part, depth + 1))?,
            ("allOf" | "anyOf" | "oneOf", Json::Array(parts)) => parts.iter().try_for_each(|part| examine(part, depth + 1))?,
            ("items" | "not" | "contains" | "additionalProperties" | "propertyNames", part) => examine(part, depth + 1)?,
            ("pattern", Json::String(pattern)) => {
                Pattern::python(pattern)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn fits(schema: &Json, document: &Json) -> bool {
    let words = match schema {
        Json::Bool(value) => return *value,
        Json::Object(words) => words,
        _ => return false,
    };
    words.iter().all(|(word, wanted)| word_fits(word, wanted, words, document))
}

fn word_fits(word: &str, wanted: &Json, words: &serde_json::Map<String, Json>, document: &Json) -> bool {
    let parts = || wanted.as_array().map(Vec::as_slice).unwrap_or_default();
    let bound = wanted.as_f64().unwrap_or(f64::NAN);
    let number = document.as_f64();
    let length = document.as_str().map(|text| text.chars().count() as f64);
    let items = document.as_array();
    let keys = document.as_object();
    match word {
        "type" => match wanted {
            Json::String(name) => is_type(name, document),
            _ => parts().iter().filter_map(Json::as_str).any(|name| is_type(name, document)),
        },
        "enum" => parts().iter().any(|value| same(value, document)),
        "const" => same(wanted, document),
        "minimum" => number.is_none_or(|value| value >= bound),
        "maximum" => number.is_none_or(|value| value <= bound),
        "exclusiveMinimum" => number.is_none_or(|value| value > bound),
        "exclusiveMaximum" => number.is_none_or(|value| value < bound),
        "multipleOf" => number.is_none_or(|value| bound != 0.0 && (value / bound).fract() == 0.0),
        "minLength" => length.is_none_or(|value| value >= bound),
        "maxLength" => length.is_none_or(|value| value <= bound),
        "pattern" => match (document.as_str(), wanted.as_str().map(Pattern::python)) {
            (Some(text), Some(Ok(pattern))) => pattern.is_match(text).unwrap_or(false),
            _ => true,
        },
        "minItems" => items.is_none_or(|items| items.len() as f64 >= bound),
        "maxItems" => items.is_none_or(|items| items.len() as f64 <= bound),
        "uniqueItems" => {
            wanted != &Json::Bool(true)
                || items
                    .is_none_or(|items| items.iter().enumerate().all(|(place, item)| !items[..place].iter().any(|other| same(other, item))))
        }
        "items" => items.is_none_or(|items| items.iter().all(|item| fits(wanted, item))),
        "contains" => items.is_none_or(|items| items.iter().any(|item| fits(wanted, item))),
        "minProperties" => keys.is_none_or(|keys| keys.len() as f64 >= bound),
        "maxProperties" => keys.is_none_or(|keys| keys.len() as f64 <= bound),
        "required" => keys.is_none_or(|keys| parts().iter().filter_map(Json::as_str).all(|name| keys.contains_key(name))),
        "properties" => keys.is_none_or(|keys| {
            wanted
                .as_object()
                .is_none_or(|schemas| schemas.iter().all(|(name, schema)| keys.get(name).is_none_or(|value| fits(schema, value))))
        }),
        "propertyNames" => keys.is_none_or(|keys| keys.keys().all(|name| fits(wanted, &Json::String(name.clone())))),
        "additionalProperties" => keys.is_none_or(|keys| {
            let known = words.get("properties").and_then(Json::as_object);
            keys.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name))).all(|(_, value)| fits(wanted, value))
        }),
        "allOf" => parts().iter().all(|part| fits(part, document)),
        "anyOf" => parts().iter().any(|part| fits(part, document)),
        "oneOf" => parts().iter().filter(|part| fits(part, document)).count() == 1,
        "not" => !fits(wanted, document),
        _ => true,
    }
}

fn is_type(name: &str, document: &Json) -> bool {
    match name {
        "object" => document.is_object(),
        "array" => document.is_array(),
        "string" => document.is_string(),
        "boolean" => document.is_boolean(),
        "null" => document.is_null(),
        "number" => document.is_number(),
        "integer" => document.is_i64() || document.is_u64() || document.as_f64().is_some_and(|value| value.fract() == 0.0),
        _ => false,
    }
}

fn same(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}
