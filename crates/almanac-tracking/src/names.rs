//! Which names and values are allowed. The rules and the words are MLflow's, because its clients show and test them.
//!
//! Not here: paths of artifacts (`artifacts`).

mod location;

use std::fmt;

use almanac_series::Hint;

use crate::StoreError;

pub(crate) use location::check_artifact_location;

/// Longest key of a param, metric or tag, in characters.
const KEY: usize = 250;
/// Longest value of a param; longer ones are cut.
const PARAM_VALUE: usize = 6_000;
/// Longest value of a run's tag; longer ones are cut.
const TAG_VALUE: usize = 8_000;
/// Longest value of an experiment's tag.
const EXPERIMENT_TAG_VALUE: usize = 20_000;
/// Longest name of an experiment.
const EXPERIMENT_NAME: usize = 500;
/// Longest name of a registered model.
const MODEL_NAME: usize = 256;
/// Longest value of a tag in the registry.
const REGISTRY_TAG_VALUE: usize = 100_000;

/// A name that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {what}: {rule}")]
pub struct InvalidName {
    /// What it was to name.
    pub what: &'static str,
    /// The name.
    pub given: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl Hint for InvalidName {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Id of a run: letters, digits, `_` and `-`, mostly 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// # Errors
    /// [`StoreError::Refused`] in MLflow's words, unless it has 1 to 256 of the characters allowed and starts with a letter or digit.
    pub fn new(id: impl Into<String>) -> Result<Self, StoreError> {
        let given = id.into();
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let is_valid = given.starts_with(|c: char| c.is_ascii_alphanumeric()) && given.chars().all(is_word);
        if is_valid && given.chars().count() <= 256 {
            Ok(Self(given))
        } else {
            Err(StoreError::invalid(invalid_value("run_id", &given, None)))
        }
    }

    /// Takes any text as the id to look for: what is no id exists nowhere.
    pub fn unchecked(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// # Errors
    /// As [`RunId::new`].
    pub fn check(&self) -> Result<(), StoreError> {
        Self::new(self.0.clone()).map(|_| ())
    }

    /// Makes an id of 16 bytes, such as the first ones of a hash.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Makes an id that nobody has used.
    pub fn random() -> Self {
        Self::from_bytes(rand::random())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says that a value is invalid, with the value as JSON.
pub(crate) fn invalid_value(path: &str, value: &str, message: Option<&str>) -> String {
    let value = serde_json::Value::from(value);
    match message {
        Some(message) => format!("Invalid value {value} for parameter '{path}' supplied: {message}"),
        None => format!("Invalid value {value} for parameter '{path}' supplied."),
    }
}

/// Says that a value was not given.
pub(crate) fn missing_value(path: &str) -> String {
    format!("Missing value for required parameter '{path}'.")
}

pub(crate) fn too_long(what: &str, limit: usize) -> StoreError {
    StoreError::invalid(format!("'{what}' exceeds the maximum length of {limit} characters"))
}

/// Counts characters only where there may be too many.
pub(crate) fn is_longer(text: &str, limit: usize) -> bool {
    text.len() > limit && text.chars().count() > limit
}

fn cut(text: String, limit: usize) -> String {
    if is_longer(&text, limit) { text.chars().take(limit).collect() } else { text }
}

/// The path that a key reads as, in normal form: what `posixpath.normpath` gives.
fn normal_path(key: &str) -> String {
    let root = if key.starts_with("//") && !key.starts_with("///") {
        "//"
    } else if key.starts_with('/') {
        "/"
    } else {
        ""
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in key.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".to_owned() } else { path }
}

/// Checks characters and form of a key; `path` is the parameter that the message names.
fn check_characters(key: &str, path: &str) -> Result<(), StoreError> {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | ' ' | ':');
    if !key.chars().all(is_allowed) {
        let rule = "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).";
        return Err(StoreError::invalid(invalid_value(path, key, Some(rule))));
    }
    let normal = normal_path(key);
    if normal != key || normal == "." || normal.starts_with("..") || normal.starts_with('/') {
        return Err(StoreError::invalid(invalid_value(path, key, Some(&bad_path(&normal)))));
    }
    Ok(())
}

fn bad_path(normal: &str) -> String {
    format!(
        "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. \
         This name would resolve to '{normal}'"
    )
}

/// Checks the key of a metric.
pub(crate) fn check_metric_key(key: &str, path: &str) -> Result<(), StoreError> {
    check_characters(key, path)?;
    if is_longer(key, KEY) { Err(too_long("Metric name", KEY)) } else { Ok(()) }
}

/// Checks the key of a param and cuts its value.
pub(crate) fn check_param(key: &str, value: String, path: &str) -> Result<String, StoreError> {
    check_characters(key, path)?;
    if is_longer(key, KEY) { Err(too_long("Param key", KEY)) } else { Ok(cut(value, PARAM_VALUE)) }
}

/// Checks the key of a run's tag and cuts its value.
pub(crate) fn check_tag(key: &str, value: String, path: &str) -> Result<String, StoreError> {
    check_characters(key, path)?;
    if is_longer(key, KEY) { Err(too_long(path, KEY)) } else { Ok(cut(value, TAG_VALUE)) }
}

/// Checks a tag of an experiment.
pub(crate) fn check_experiment_tag(key: &str, value: &str) -> Result<(), StoreError> {
    check_characters(key, "key")?;
    if is_longer(key, KEY) {
        return Err(too_long("key", KEY));
    }
    if is_longer(value, EXPERIMENT_TAG_VALUE) { Err(too_long("value", EXPERIMENT_TAG_VALUE)) } else { Ok(()) }
}

/// Checks a tag of a registered model or a version.
pub(crate) fn check_registry_tag(key: &str, value: &str) -> Result<(), StoreError> {
    check_characters(key, "key")?;
    if is_longer(key, KEY) {
        return Err(too_long("key", KEY));
    }
    if is_longer(value, REGISTRY_TAG_VALUE) { Err(too_long("value", REGISTRY_TAG_VALUE)) } else { Ok(()) }
}

/// Checks the name of an experiment.
pub(crate) fn check_experiment(name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::invalid(format!("Invalid experiment name: '{name}'")));
    }
    if is_longer(name, EXPERIMENT_NAME) { Err(too_long("name", EXPERIMENT_NAME)) } else { Ok(()) }
}

/// Checks the name of a registered model.
pub(crate) fn check_model(name: &str) -> Result<(), StoreError> {
    if name.trim().is_empty() {
        return Err(StoreError::invalid(missing_value("name")));
    }
    if name.contains(['/', ':']) {
        return Err(StoreError::invalid(format!("Invalid model name '{name}'. Names cannot contain '/' or ':'.")));
    }
    let normal = normal_path(name);
    if normal != name || normal == "." || normal.starts_with("..") {
        return Err(StoreError::invalid(invalid_value("name", name, Some(&bad_path(&normal)))));
    }
    if is_longer(name, MODEL_NAME) { Err(too_long("name", MODEL_NAME)) } else { Ok(()) }
}

/// Checks an alias, as it is looked for.
pub(crate) fn check_alias_form(alias: &str) -> Result<(), StoreError> {
    if alias.is_empty() {
        return Err(StoreError::invalid("Registered model alias name cannot be empty."));
    }
    if !alias.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        return Err(StoreError::invalid(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )));
    }
    if is_longer(alias, 255) { Err(too_long("Registered model alias name", 255)) } else { Ok(()) }
}

/// Checks an alias, as it is set.
pub(crate) fn check_alias(alias: &str) -> Result<(), StoreError> {
    check_alias_form(alias)?;
    if alias.eq_ignore_ascii_case("latest") {
        return Err(StoreError::invalid("'latest' alias name (case insensitive) is reserved."));
    }
    let is_version = alias.strip_prefix(['v', 'V']).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_version { Err(StoreError::invalid(format!("Version alias name '{alias}' is reserved."))) } else { Ok(()) }
}
