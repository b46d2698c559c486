//! Reading requests: JSON bodies and query strings, with MLflow's leniency and its words for what is wrong.
//!
//! Names may be in snake or camel case; numbers of 64 bits may be texts; unknown fields are ignored; a body may be JSON within
//! a JSON text, as old clients send it.
//!
//! Not here: the limits and names that the store checks.

use almanac_tracking::{ErrorCode, RunId};
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request as HttpRequest};
use axum::http::{Method, header};
use serde_json::{Map, Value};

use super::MlflowError;

/// Most bytes in the body of a request to MLflow's JSON interface.
pub(crate) const BODY_LIMIT: usize = 64 << 20;

const SEE_DOCS: &str = "See the API docs for more information about request parameters.";

/// The fields of a request, or of a message inside one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    fields: Map<String, Value>,
    /// Whether it came as a query string, where a list of one looks like a text.
    is_query: bool,
}

impl<S: Send + Sync> FromRequest<S> for Request {
    type Rejection = MlflowError;

    async fn from_request(request: HttpRequest, _state: &S) -> Result<Self, MlflowError> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::GET {
            return Ok(Self::from_query(parts.uri.query().unwrap_or_default()));
        }
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        if parts.method != Method::DELETE || essence.is_some() {
            match essence.as_deref() {
                Some("application/json") => {}
                None => {
                    return Err(MlflowError::invalid(
                        "Bad Request. Content-Type header is missing. It must be one of ['application/json'].",
                    ));
                }
                Some(other) => {
                    return Err(MlflowError::invalid(format!(
                        "Bad Request. Content-Type must be one of ['application/json'] (got '{other}')."
                    )));
                }
            }
        }
        let body = to_bytes(body, BODY_LIMIT)
            .await
            .map_err(|_| MlflowError::new(ErrorCode::BadRequest, format!("The body of a request must have at most {BODY_LIMIT} bytes.")))?;
        let mut read = Self::from_json(&body)?;
        if read.fields.is_empty() && parts.method == Method::DELETE {
            read = Self::from_query(parts.uri.query().unwrap_or_default());
        }
        Ok(read)
    }
}

impl Request {
    /// Reads a query string; a name that comes several times is a list.
    pub(crate) fn from_query(query: &str) -> Self {
        let mut fields = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Value::String(value.into_owned());
            match fields.get_mut(name.as_ref()) {
                None => {
                    fields.insert(name.into_owned(), value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Self { fields, is_query: true }
    }

    /// Reads a JSON body; an empty one has no fields.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, MlflowError> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let bad = |error: &dyn std::fmt::Display| MlflowError::new(ErrorCode::BadRequest, format!("The body is not valid JSON: {error}"));
        let mut value: Value = serde_json::from_slice(body).map_err(|error| bad(&error))?;
        if let Value::String(inner) = &value {
            value = serde_json::from_str(inner).map_err(|error| bad(&error))?;
        }
        match value {
            Value::Object(fields) => Ok(Self { fields, is_query: false }),
            Value::Null => Ok(Self::default()),
            _ => Err(bad(&"an object was expected")),
        }
    }

    /// Returns a field as it came; `null` is not there.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let found = self.fields.get(name).or_else(|| if name.contains('_') { self.fields.get(&camel_case(name)) } else { None });
        found.filter(|value| !value.is_null())
    }

    /// Returns whether a field came at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns a text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, MlflowError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(wrong_type(name, other)),
        }
    }

    /// Returns a text that must be there and not be empty.
    pub(crate) fn required(&self, name: &str) -> Result<String, MlflowError> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
    }

    /// Returns the id of a run, under its name of today or of old.
    pub(crate) fn run_id(&self) -> Result<RunId, MlflowError> {
        let id = match self.text("run_id")?.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => self.text("run_uuid")?.filter(|id| !id.is_empty()).ok_or_else(|| missing("run_id"))?,
        };
        Ok(RunId::unchecked(id))
    }

    /// Returns a whole number, which may come as a text.
    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>, MlflowError> {
        self.get(name).map(|value| int(value).ok_or_else(|| wrong_type(name, value))).transpose()
    }

    /// Returns a number, which may come as a text such as `"NaN"`.
    pub(crate) fn float(&self, name: &str) -> Result<Option<f64>, MlflowError> {
        self.get(name).map(|value| float(value).ok_or_else(|| wrong_type(name, value))).transpose()
    }

    /// Returns a truth value, which may come as a text.
    pub(crate) fn truth(&self, name: &str) -> Result<Option<bool>, MlflowError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(wrong_type(name, other)),
        }
    }

    /// Returns a list of texts; none if it is not there.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, MlflowError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(value @ Value::Array(list)) => {
                let text = |item: &Value| item.as_str().map(str::to_owned);
                list.iter().map(text).collect::<Option<_>>().ok_or_else(|| wrong_type(name, value))
            }
            Some(Value::String(text)) if self.is_query => Ok(vec![text.clone()]),
            Some(other) => Err(wrong_type(name, other)),
        }
    }

    /// Returns the message in a field.
    pub(crate) fn message(&self, name: &str) -> Result<Option<Self>, MlflowError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self { fields: fields.clone(), is_query: false })),
            Some(other) => Err(wrong_type(name, other)),
        }
    }

    /// Returns the list of messages in a field; none if it is not there.
    pub(crate) fn messages(&self, name: &str) -> Result<Vec<Self>, MlflowError> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let message = |item: &Value| item.as_object().map(|fields| Self { fields: fields.clone(), is_query: false });
        value.as_array().and_then(|list| list.iter().map(message).collect()).ok_or_else(|| wrong_type(name, value))
    }
}

/// Says that a parameter was not given.
pub(crate) fn missing(name: &str) -> MlflowError {
    MlflowError::invalid(format!("Missing value for required parameter '{name}'. {SEE_DOCS}"))
}

/// Says that a parameter has the wrong type.
pub(crate) fn wrong_type(name: &str, value: &Value) -> MlflowError {
    let kind = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    MlflowError::invalid(format!("Invalid value {value} for parameter '{name}' supplied:  Hint: Value was of type '{kind}'. {SEE_DOCS}"))
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().filter(|float| is_whole(*float)).map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn is_whole(float: f64) -> bool {
    float.fract() == 0.0 && float.abs() < 9.2e18
}

pub(crate) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "nan" => Some(f64::NAN),
            "infinity" | "inf" | "+infinity" | "+inf" => Some(f64::INFINITY),
            "-infinity" | "-inf" => Some(f64::NEG_INFINITY),
            text => text.parse().ok(),
        },
        _ => None,
    }
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut is_start = false;
    for c in name.chars() {
        match c {
            '_' => is_start = true,
            c if is_start => {
                camel.extend(c.to_uppercase());
                is_start = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_numbers_or_texts() {
        let request = Request::from_json(br#"{"a": 5, "b": "7", "c": 2.0, "d": 2.5, "startTime": 9, "e": "NaN"}"#).expect("reads");
        let int = |name| request.int(name).ok().flatten();
        assert_eq!((int("a"), int("b"), int("c"), int("d"), int("start_time")), (Some(5), Some(7), Some(2), None, Some(9)));
        assert!(request.float("e").expect("reads").is_some_and(f64::is_nan));
    }

    #[test]
    fn names_that_come_twice_in_a_query_are_a_list() {
        let request = Request::from_query("a=1&a=2&b=x%20y");
        assert_eq!(request.texts("a").expect("reads"), ["1", "2"]);
        assert_eq!(request.texts("b").expect("reads"), ["x y"]);
    }
}
