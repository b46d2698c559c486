//! Outcomes about the columns that a table has.

use serde_json::{Map, Value as Json, json};

use super::{shaped, words};
use crate::outcome::{Outcome, ResultFormat, outcome};
use crate::suite::Expectation;

pub(super) fn columns_in_order(expectation: &Expectation, format: ResultFormat, wanted: &[String], found: &[String]) -> Outcome {
    let mut result = json!({ "observed_value": found });
    let success = wanted == found;
    if !success {
        let mismatched: Vec<Json> = (0..wanted.len().max(found.len()))
            .filter(|place| wanted.get(*place) != found.get(*place))
            .map(|place| json!({"Expected Column Position": place, "Expected": wanted.get(place), "Found": found.get(place)}))
            .collect();
        result["details"] = json!({ "mismatched": mismatched });
    }
    outcome(expectation, success, shaped(format, result), words(&json!(found)))
}

pub(super) fn column_set(expectation: &Expectation, format: ResultFormat, wanted: &[String], found: &[String], exact: bool) -> Outcome {
    let mut sorted = found.to_vec();
    sorted.sort();
    sorted.dedup();
    let mut unexpected: Vec<&String> = sorted.iter().filter(|name| !wanted.contains(name)).collect();
    let mut missing: Vec<&String> = wanted.iter().filter(|name| !found.contains(name)).collect();
    unexpected.sort();
    missing.sort();
    missing.dedup();
    let mut result = json!({ "observed_value": sorted });
    let mut mismatched = Map::new();
    if !unexpected.is_empty() {
        mismatched.insert("unexpected".into(), json!(unexpected));
    }
    if !missing.is_empty() {
        mismatched.insert("missing".into(), json!(missing));
    }
    let words = if missing.is_empty() { words(&json!(sorted)) } else { format!("{} missing", words(&json!(missing))) };
    let success = missing.is_empty() && (unexpected.is_empty() || !exact);
    if !mismatched.is_empty() {
        result["details"] = json!({ "mismatched": mismatched });
    }
    outcome(expectation, success, shaped(format, result), words)
}
