//! Arguments of an expectation, taken one by one, so that none is forgotten and none left over.

use serde_json::{Map, Value as Json};

use crate::value::Value;

/// What Great Expectations writes beside the arguments, and what changes no verdict.
const BESIDE: [&str; 14] = [
    "result_format",
    "include_config",
    "catch_exceptions",
    "batch_id",
    "auto",
    "profiler_config",
    "meta",
    "notes",
    "description",
    "windows",
    "severity",
    "id",
    "rendered_content",
    "allow_cross_type_comparisons",
];

pub(crate) struct Args(Map<String, Json>);

impl Args {
    pub(crate) fn of(mut arguments: Map<String, Json>) -> Result<Self, String> {
        for name in BESIDE {
            arguments.remove(name);
        }
        if arguments.remove("parse_strings_as_datetimes").is_some_and(|value| value == Json::Bool(true)) {
            return Err("`parse_strings_as_datetimes` is not supported: give the column the type of a time".into());
        }
        for (name, value) in &arguments {
            if value.as_object().is_some_and(|object| object.contains_key("$PARAMETER")) {
                return Err(format!("`{name}` is a parameter that only a run of Great Expectations knows; write its value"));
            }
        }
        Ok(Self(arguments))
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, String> {
        self.maybe_text(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    pub(crate) fn maybe_text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{name}` is a text, not {other}")),
        }
    }

    pub(crate) fn flag(&mut self, name: &str, default: bool) -> Result<bool, String> {
        match self.take(name) {
            None => Ok(default),
            Some(Json::Bool(value)) => Ok(value),
            Some(other) => Err(format!("`{name}` is true or false, not {other}")),
        }
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<f64, String> {
        self.maybe_number(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    pub(crate) fn maybe_number(&mut self, name: &str) -> Result<Option<f64>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(other) => other.as_f64().map(Some).ok_or_else(|| format!("`{name}` is a number, not {other}")),
        }
    }

    pub(crate) fn count(&mut self, name: &str) -> Result<u64, String> {
        match self.take(name) {
            None => Err(format!("`{name}` is missing")),
            Some(other) => whole(&other).ok_or_else(|| format!("`{name}` is a whole number, not {other}")),
        }
    }

    pub(crate) fn maybe_count(&mut self, name: &str) -> Result<Option<u64>, String> {
        if self.0.get(name).is_none_or(Json::is_null) {
            self.0.remove(name);
            return Ok(None);
        }
        self.count(name).map(Some)
    }

    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        match self.take(name) {
            None => Err(format!("`{name}` is missing")),
            Some(Json::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Json::String(text) => Ok(text),
                    other => Err(format!("`{name}` is a list of texts, not of {other}")),
                })
                .collect(),
            Some(other) => Err(format!("`{name}` is a list, not {other}")),
        }
    }

    pub(crate) fn maybe_texts(&mut self, name: &str) -> Result<Option<Vec<String>>, String> {
        if self.0.get(name).is_none_or(Json::is_null) {
            self.0.remove(name);
            return Ok(None);
        }
        self.texts(name).map(Some)
    }

    /// A list of scalars, or `None` where it is absent or null.
    pub(crate) fn values(&mut self, name: &str) -> Result<Option<Vec<Value>>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| Value::of_json(item).ok_or_else(|| format!("`{name}` is a list of values, not of {item}")))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(format!("`{name}` is a list, not {other}")),
        }
    }

    pub(crate) fn value(&mut self, name: &str) -> Result<Option<Value>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(other) => Value::of_json(&other).map(Some).ok_or_else(|| format!("`{name}` is a value, not {other}")),
        }
    }

    pub(crate) fn json(&mut self, name: &str) -> Option<Json> {
        self.take(name)
    }

    /// Refuses what is left over.
    pub(crate) fn end(mut self) -> Result<(), String> {
        self.0.retain(|_, value| !value.is_null());
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("it has no argument `{name}`")),
        }
    }
}

fn whole(json: &Json) -> Option<u64> {
    json.as_u64().or_else(|| json.as_f64().filter(|value| *value >= 0.0 && value.fract() == 0.0 && *value < 9e15).map(|value| value as u64))
}

/// Numbers of a JSON list; null is what `null` says.
pub(crate) fn numbers(json: &Json, name: &str) -> Result<Vec<f64>, String> {
    let items = json.as_array().ok_or_else(|| format!("`{name}` is a list of numbers, not {json}"))?;
    items
        .iter()
        .map(|item| match item {
            Json::String(text) if text.eq_ignore_ascii_case("infinity") || text == "inf" => Ok(f64::INFINITY),
            Json::String(text) if text.eq_ignore_ascii_case("-infinity") || text == "-inf" => Ok(f64::NEG_INFINITY),
            other => other.as_f64().ok_or_else(|| format!("`{name}` is a list of numbers, not of {other}")),
        })
        .collect()
}
