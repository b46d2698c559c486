//! Great Expectations' suites as its stores write them: 0.18 (`expectation_suite_name`, `expectation_type`) and 1.x (`name`, `type`).

use serde_json::{Map, Value as Json};

use crate::error::SuiteError;
use crate::suite::{Dialect, Expectation, Severity, Suite};

/// Returns whether this looks like a suite of Great Expectations.
pub(crate) fn is_suite(top: &Map<String, Json>) -> bool {
    let expectations = top.get("expectations").and_then(Json::as_array);
    top.contains_key("expectation_suite_name")
        || expectations.is_some_and(|list| {
            list.iter().any(|one| one.get("expectation_type").is_some() || one.get("kwargs").is_some_and(Json::is_object))
        })
        || top.get("meta").is_some_and(|meta| meta.get("great_expectations_version").is_some())
}

pub(crate) fn read(top: &Map<String, Json>, file: &str) -> Result<Suite, SuiteError> {
    let text = |key: &str| top.get(key).and_then(Json::as_str).map(str::to_owned);
    let old = text("expectation_suite_name");
    let dialect = if old.is_some() { Dialect::Gx0 } else { Dialect::Gx1 };
    let mut suite = Suite {
        name: old.or_else(|| text("name")).unwrap_or_default(),
        dialect,
        meta: top.get("meta").and_then(Json::as_object).cloned().unwrap_or_default(),
        ..Suite::default()
    };
    let Some(list) = top.get("expectations").and_then(Json::as_array) else {
        return Err(SuiteError::Syntax { file: file.to_owned(), problem: "`expectations` is not a list".into() });
    };
    for (place, one) in list.iter().enumerate() {
        let kind = one.get("expectation_type").or_else(|| one.get("type")).and_then(Json::as_str).unwrap_or_default();
        let refuse = |problem: String| SuiteError::Expectation {
            file: file.to_owned(),
            number: place + 1,
            expectation: if kind.is_empty() { "?".into() } else { kind.to_owned() },
            problem,
        };
        if kind.is_empty() {
            return Err(refuse("it has neither `expectation_type` nor `type`".into()));
        }
        let kwargs = match one.get("kwargs") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(kwargs)) => kwargs.clone(),
            Some(other) => return Err(refuse(format!("`kwargs` is an object, not {other}"))),
        };
        let severity = match one.get("severity").and_then(Json::as_str) {
            None | Some("critical" | "fail") => Severity::Fail,
            Some("warning" | "info" | "warn") => Severity::Warn,
            Some("quarantine") => Severity::Quarantine,
            Some(other) => return Err(refuse(format!("`severity` is critical, warning or info, not {other}"))),
        };
        let meta = one.get("meta").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut expectation = Expectation::parse(kind, kwargs, severity, meta).map_err(refuse)?;
        expectation.description = one.get("description").and_then(Json::as_str).map(str::to_owned).or(expectation.description);
        suite.expectations.push(expectation);
    }
    Ok(suite)
}
