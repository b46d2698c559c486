//! What came of each expectation, and the results as JSON in the shape of Great Expectations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::suite::{Expectation, Severity, Suite};

/// How much of a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResultFormat {
    /// The verdict.
    BooleanOnly,
    /// Counts, shares and the first failing values.
    Basic,
    /// Also which values fail how often, and where.
    #[default]
    Summary,
    /// Also all failing values, up to a million.
    Complete,
}

/// What came of one expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name.
    pub kind: String,
    /// What it is about: a column or several.
    pub subject: Option<String>,
    /// What had to hold, for people.
    pub expected: String,
    /// What was seen, for people.
    pub observed: String,
    /// Whether it held.
    pub success: bool,
    /// What a failure does.
    pub severity: Severity,
    /// Why it could not be judged; then it has not held.
    pub exception: Option<String>,
    /// Rows that failed, where rows are judged.
    pub failed_rows: u64,
    /// The result in the shape of Great Expectations.
    pub result: Json,
    /// The configuration in the shape of Great Expectations.
    pub config: Json,
    /// Places of all failing rows in the table, from 0, where they were asked for. Not written.
    #[serde(skip)]
    pub places: Vec<u64>,
}

/// What came of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Name of the suite.
    pub suite: String,
    /// Layer, where known.
    pub layer: Option<String>,
    /// Table, where known.
    pub table: Option<String>,
    /// Rows of the table.
    pub rows: u64,
    /// Outcomes in the order of the suite.
    pub outcomes: Vec<Outcome>,
}

impl Outcome {
    /// Returns whether the rows that failed are to be taken out.
    pub(crate) fn takes_out(&self) -> bool {
        self.severity == Severity::Quarantine && !self.success
    }
}

impl Validation {
    /// Returns whether everything held.
    pub fn is_ok(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.success)
    }

    /// Returns what did not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| !outcome.success)
    }

    /// Returns the gravest failure.
    pub fn worst(&self) -> Option<Severity> {
        self.failures().map(|outcome| outcome.severity).max()
    }

    /// Returns whether a run may not go on: something of severity `fail` has failed, or a quarantine could not be judged by rows.
    pub fn stops(&self) -> bool {
        self.failures().any(|outcome| match outcome.severity {
            Severity::Fail => true,
            Severity::Quarantine => outcome.exception.is_some() || outcome.failed_rows == 0,
            Severity::Warn => false,
        })
    }

    /// Returns failing rows that are to be taken out: their places, each with the first expectation that they failed.
    pub fn quarantined(&self) -> BTreeMap<u64, usize> {
        let mut rows = BTreeMap::new();
        for (place, outcome) in self.outcomes.iter().enumerate() {
            if outcome.takes_out() {
                for row in &outcome.places {
                    rows.entry(*row).or_insert(place);
                }
            }
        }
        rows
    }

    /// Returns the results as Great Expectations writes an `ExpectationSuiteValidationResult`.
    pub fn to_json(&self, meta: Map<String, Json>) -> Json {
        let successful = self.outcomes.iter().filter(|outcome| outcome.success).count();
        let evaluated = self.outcomes.len();
        let percent = if evaluated == 0 { Json::Null } else { json!(successful as f64 / evaluated as f64 * 100.0) };
        let results: Vec<Json> = self
            .outcomes
            .iter()
            .map(|outcome| {
                json!({
                    "success": outcome.success,
                    "expectation_config": outcome.config,
                    "result": outcome.result,
                    "meta": {},
                    "exception_info": {
                        "raised_exception": outcome.exception.is_some(),
                        "exception_message": outcome.exception,
                        "exception_traceback": null,
                    },
                })
            })
            .collect();
        json!({
            "success": self.is_ok(),
            "suite_name": self.suite,
            "suite_parameters": {},
            "results": results,
            "statistics": {
                "evaluated_expectations": evaluated,
                "successful_expectations": successful,
                "unsuccessful_expectations": evaluated - successful,
                "success_percent": percent,
            },
            "meta": Json::Object(meta),
        })
    }

    /// Hides every value of personal columns, in results and in arguments.
    pub(crate) fn hide(&mut self, personal: &[String], suite: &Suite) {
        for (outcome, expectation) in self.outcomes.iter_mut().zip(&suite.expectations) {
            let columns = expectation.columns();
            if !columns.iter().any(|column| personal.contains(column)) {
                continue;
            }
            let alone = columns.iter().all(|column| personal.contains(column)) || columns.len() == 1;
            mask(&mut outcome.result, personal, alone);
            if alone || outcome.exception.is_some() {
                outcome.observed = if outcome.success { "holds".into() } else { format!("{} rows fail", outcome.failed_rows) };
                outcome.exception = outcome.exception.take().map(|_| "it could not be judged; what was found is personal".into());
            } else {
                outcome.observed = format!("{} rows fail", outcome.failed_rows);
            }
        }
    }
}

/// Keys of a result that hold values of the table.
const VALUES: [&str; 6] =
    ["partial_unexpected_list", "unexpected_list", "partial_missing_list", "partial_unexpected_counts", "observed_value", "details"];

fn mask(result: &mut Json, personal: &[String], alone: bool) {
    let Some(result) = result.as_object_mut() else { return };
    for key in VALUES {
        if let Some(value) = result.get_mut(key) {
            hide_values(value, personal, alone);
        }
    }
}

fn hide_values(value: &mut Json, personal: &[String], alone: bool) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| hide_values(item, personal, alone)),
        Json::Object(cells) => {
            for (name, cell) in cells.iter_mut() {
                match name.as_str() {
                    // How often is no secret.
                    "count" => {}
                    _ if personal.contains(name) => *cell = Json::String("***".into()),
                    _ if alone || name == "value" || name == "values" || name == "value_counts" => hide_values(cell, personal, true),
                    _ => {}
                }
            }
        }
        Json::Null | Json::Bool(_) => {}
        other => {
            if alone {
                *other = Json::String("***".into());
            }
        }
    }
}

/// Builds one outcome.
pub(crate) fn outcome(expectation: &Expectation, success: bool, result: Json, observed: String) -> Outcome {
    Outcome {
        kind: expectation.kind.clone(),
        subject: expectation.subject(),
        expected: expectation.sentence(),
        observed,
        success,
        severity: expectation.severity,
        exception: None,
        failed_rows: 0,
        result,
        config: json!({
            "type": expectation.kind,
            "kwargs": expectation.kwargs,
            "meta": expectation.meta,
            "severity": match expectation.severity { Severity::Fail => "critical", Severity::Quarantine => "warning", Severity::Warn => "info" },
        }),
        places: Vec::new(),
    }
}
