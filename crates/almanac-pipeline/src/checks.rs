//! The checks of `[checks]` as suites of expectations: one for each layer, judged beside those that users write.
//!
//! What a table cannot tell of itself (rows refused, its size in the last run, infinite values) is read from the records of the steps.
//!
//! Not here: how a layer is judged (`expectations`), what a failure does (`steps::check`).

use std::collections::{BTreeMap, HashSet};

use almanac_data::{IngestReport, PartitionInfo, SilverReport, list_partitions, read_gold_info, read_silver_report, static_field};
use almanac_expect::{CheckError, Expectation, Facts, Previous, Refused, Severity, Suite, Table};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::asset::records;
use crate::expectations::{PlacedSuite, tables};
use crate::fingerprint::Fingerprint;
use crate::steps::gold::GoldSummary;
use crate::{PipelineError, Project};

/// Name of the suites made of `[checks]`.
pub const CHECKS: &str = "[checks]";

/// What the data must keep to: the keys of `[checks]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Checks {
    /// Largest share of empty target values, 0 to 1.
    pub max_null_share: f64,
    /// Least target.
    pub min: Option<f64>,
    /// Greatest target.
    pub max: Option<f64>,
    /// Texts that a column may hold.
    pub allowed: BTreeMap<String, Vec<String>>,
    /// Bounds of columns, both included.
    pub ranges: BTreeMap<String, (f64, f64)>,
    /// Columns that are never empty.
    pub required: Vec<String>,
    /// Largest share of the rows that may be refused, 0 to 1; rows that an expectation takes out are among them.
    pub max_quarantine_share: f64,
    /// Greatest age of the newest row in days.
    pub freshness_days: Option<u32>,
    /// Largest share of the rows that may be lost from one run to the next, 0 to 1.
    pub max_row_change: f64,
    /// Fewest series.
    pub min_series: u64,
}

/// The suites of `[checks]` for one layer, and what is known of its tables beyond their rows.
#[derive(Debug, Clone, Default)]
pub struct BuiltIn {
    /// Suites, each for one table.
    pub suites: Vec<PlacedSuite>,
    /// Facts by table.
    pub facts: BTreeMap<String, Facts>,
}

/// Makes the suites of `[checks]` for a layer that has been made, with what the records of its steps know.
///
/// # Errors
/// If a record or the footer of a table cannot be read.
pub fn built_in(project: &Project, checks: &Checks, layer: &str) -> Result<BuiltIn, PipelineError> {
    match layer {
        "bronze" => bronze(project, checks),
        "silver" => silver(project, checks),
        _ => gold(project, checks),
    }
}

/// Expectations of one table, in the making.
struct Making {
    suite: Suite,
    /// Why one of them could not be made.
    problem: Option<String>,
}

impl Making {
    fn new(layer: &str, table: &str) -> Self {
        let suite = Suite { name: CHECKS.into(), layer: Some(layer.into()), table: Some(table.into()), ..Suite::default() };
        Self { suite, problem: None }
    }

    /// Adds an expectation: its name, its arguments, and what must hold in words.
    fn must(&mut self, kind: &str, arguments: Json, words: impl Into<String>) {
        let Json::Object(mut arguments) = arguments else { return };
        arguments.retain(|_, value| !value.is_null());
        arguments.insert("description".into(), words.into().into());
        match Expectation::parse(kind, arguments, Severity::Fail, Map::new()) {
            Ok(expectation) => self.suite.expectations.push(expectation),
            Err(problem) => self.problem = Some(format!("`[checks]` cannot be judged: `{kind}`: {problem}")),
        }
    }

    fn placed(self, checks: &Checks) -> Result<PlacedSuite, PipelineError> {
        if let Some(problem) = self.problem {
            return Err(PipelineError::Expecting(CheckError::Value { problem }));
        }
        let digest = Fingerprint::of(CHECKS, 1).config("checks", checks).finish();
        let layer = self.suite.layer.clone().unwrap_or_default();
        Ok(PlacedSuite { layer, table: self.suite.table.clone(), suite: self.suite, digest })
    }
}

fn bronze(project: &Project, checks: &Checks) -> Result<BuiltIn, PipelineError> {
    let mut made = BuiltIn::default();
    for record in records(&project.assets())? {
        let Some(name) = record.name.strip_prefix("bronze/") else { continue };
        // A table that has left the configuration keeps its record and may have lost its files.
        if !project.bronze().join(name).is_dir() {
            continue;
        }
        let mut suite = Making::new("bronze", name);
        suite.must("expect_table_row_count_to_be_between", json!({"min_value": 1}), "at least one row");
        quarantine(&mut suite, checks);
        made.suites.push(suite.placed(checks)?);
        // A record that cannot be read gives no fact, and what asks for it fails.
        if let Ok(report) = serde_json::from_value::<IngestReport>(record.summary) {
            let refused = Refused { rows: report.quarantined, offered: report.rows + report.quarantined, reasons: BTreeMap::new() };
            made.facts.insert(name.to_owned(), Facts { refused: Some(refused), ..Facts::default() });
        }
    }
    Ok(made)
}

fn quarantine(suite: &mut Making, checks: &Checks) {
    suite.must(
        "expect_table_quarantined_share_to_be_between",
        json!({"max_value": checks.max_quarantine_share}),
        format!("at most {} of the rows in quarantine (`max_quarantine_share`)", percent(checks.max_quarantine_share)),
    );
}

/// Rows of history, and those of them whose target is scored.
const HISTORY: &str = "status < 5";
const SCORED: &str = "status < 2";

fn silver(project: &Project, checks: &Checks) -> Result<BuiltIn, PipelineError> {
    let report: SilverReport = read_silver_report(&project.silver())?;
    let tables = tables(project, "silver")?;
    let columns = |name: &str| tables.iter().find(|(table, _)| table == name).map(|(_, table)| names(table)).unwrap_or_default();
    let (of_rows, of_series) = (columns("panel"), columns("series"));
    let (mut panel, mut series) = (Making::new("silver", "panel"), Making::new("silver", "series"));
    panel.must(
        "expect_series_to_have_no_gaps",
        json!({"id_columns": ["unique_id"], "time_column": "ds", "freq": report.freq}),
        format!("every series without holes at `{}`", report.freq),
    );
    panel.must("expect_compound_columns_to_be_unique", json!({"column_list": ["unique_id", "ds"]}), "each series has a row a period");
    panel.must(
        "expect_column_unique_value_count_to_be_between",
        json!({"column": "unique_id", "min_value": checks.min_series}),
        format!("at least {} series (`min_series`)", checks.min_series),
    );
    panel.must(
        "expect_table_row_count_change_to_be_between",
        json!({"min_value": -checks.max_row_change}),
        format!("at least {} of the rows of the run before (`max_row_change`)", percent(1.0 - checks.max_row_change)),
    );
    panel.must(
        "expect_column_values_to_not_be_null",
        json!({"column": "y", "mostly": without(checks.max_null_share), "where": HISTORY}),
        format!("at most {} missing (`max_null_share`)", percent(checks.max_null_share)),
    );
    quarantine(&mut panel, checks);
    let (min, max) = (finite(checks.min), finite(checks.max));
    if min.is_some() || max.is_some() {
        let arguments = json!({"column": "y", "min_value": min, "max_value": max, "where": SCORED});
        panel.must("expect_column_values_to_be_between", arguments, bounds(min, max));
    }
    // A column of the rows, or of the series: their table has one row for each.
    let mut place = |column: &str, put: &mut dyn FnMut(&mut Making, &str, bool)| {
        let stored = static_field(column);
        let is_fixed = !of_rows.contains_key(column) && of_series.contains_key(&stored);
        if is_fixed { put(&mut series, &stored, false) } else { put(&mut panel, column, true) }
    };
    for (column, (min, max)) in &checks.ranges {
        let (min, max) = (finite(Some(*min)), finite(Some(*max)));
        if min.is_none() && max.is_none() {
            // Any number will do, but the column must be there.
            place(column, &mut |suite, stored, _| suite.must("expect_column_to_exist", json!({ "column": stored }), "the column is there"));
            continue;
        }
        place(column, &mut |suite, stored, of_rows| {
            let arguments = json!({"column": stored, "min_value": min, "max_value": max, "where": of_rows.then_some(HISTORY)});
            suite.must("expect_column_values_to_be_between", arguments, bounds(min, max));
        });
    }
    for (column, texts) in &checks.allowed {
        place(column, &mut |suite, stored, of_rows| {
            let is_text = !of_rows && of_series.get(stored) == Some(&true);
            let values: Vec<Json> = texts.iter().map(|text| if is_text { json!(text) } else { number(text) }).collect();
            let arguments = json!({"column": stored, "value_set": values, "where": of_rows.then_some(HISTORY)});
            suite.must("expect_column_values_to_be_in_set", arguments, format!("one of {}", texts.join(", ")));
        });
    }
    for column in &checks.required {
        place(column, &mut |suite, stored, of_rows| {
            let arguments = json!({"column": stored, "where": of_rows.then_some(HISTORY)});
            suite.must("expect_column_values_to_not_be_null", arguments, "never missing (`required`)");
        });
    }
    if let Some(days) = checks.freshness_days {
        let arguments = json!({"column": "ds", "max_age_days": days, "where": HISTORY});
        panel.must("expect_column_max_to_be_recent", arguments, format!("at most {days} days old (`freshness_days`)"));
    }
    let refused = Refused { rows: report.rows_quarantined, offered: report.rows_in, reasons: report.quarantined };
    // Rows known ahead are not history.
    let facts = Facts { refused: Some(refused), rows: Some(report.panel_rows), previous: previous(project), ..Facts::default() };
    let mut made = BuiltIn { suites: vec![panel.placed(checks)?], facts: BTreeMap::from([("panel".to_owned(), facts)]) };
    if !series.suite.expectations.is_empty() || series.problem.is_some() {
        made.suites.push(series.placed(checks)?);
    }
    Ok(made)
}

/// Columns, and whether they hold text.
fn names(table: &Table) -> BTreeMap<String, bool> {
    table.text_columns().into_iter().collect()
}

/// What the last gate that held has seen: its record is replaced only by the next that holds.
fn previous(project: &Project) -> Previous {
    let found = records(&project.assets()).ok().and_then(|records| records.into_iter().find(|record| record.name == "check/silver"));
    // Until 0.1 the summary was a pair of the report and the rows.
    let rows = found.and_then(|record| record.summary.get("rows").or_else(|| record.summary.get(1)).and_then(Json::as_u64));
    rows.map_or(Previous::First, Previous::Rows)
}

fn gold(project: &Project, checks: &Checks) -> Result<BuiltIn, PipelineError> {
    let gold = read_gold_info(&project.gold())?;
    let parts = list_partitions(&project.silver())?;
    let report = read_silver_report(&project.silver())?;
    let summary = records(&project.assets())?.into_iter().find(|record| record.name == "gold");
    let summary: Option<GoldSummary> = summary.and_then(|record| serde_json::from_value(record.summary).ok());
    // Every series has the same number of known-ahead rows; they have no features as of their close.
    let ahead = report.future_rows.checked_div(report.series).unwrap_or(0);
    let history = |part: &PartitionInfo| part.rows.saturating_sub(part.series * ahead);
    let differ = parts.iter().filter(|part| gold.get(part.index).map(|gold| gold.rows) != Some(history(part))).count();
    let differ = differ + gold.len().saturating_sub(parts.len());

    let mut suite = Making::new("gold", "features");
    let mut facts = Facts::default();
    if let Some(summary) = summary {
        let features: HashSet<&String> = summary.features.iter().collect();
        let lacking = gold.iter().filter(|part| features.iter().any(|name| !part.features.contains(name))).count();
        facts.counted.insert("partitions_without_all_features".into(), lacking as u64);
        facts.counted.insert("infinite_values".into(), summary.infinite);
        let arguments = json!({"column_set": summary.features, "exact_match": false});
        suite.must("expect_table_columns_to_match_set", arguments, format!("{} features", features.len()));
    }
    facts.counted.insert("partitions_of_other_length_than_silver".into(), differ as u64);
    let rows: u64 = parts.iter().map(history).sum();
    suite.must("expect_table_row_count_to_equal", json!({"value": rows}), format!("{rows} rows, as silver has of history"));
    for (counter, words) in [
        ("partitions_of_other_length_than_silver", "each partition as long as in silver"),
        ("partitions_without_all_features", "all features in every partition"),
        ("infinite_values", "no infinite value"),
    ] {
        suite.must("expect_table_counter_to_be_between", json!({"counter": counter, "max_value": 0}), words);
    }
    Ok(BuiltIn { suites: vec![suite.placed(checks)?], facts: BTreeMap::from([("features".to_owned(), facts)]) })
}

/// The share that must hold where at most `share` may not; rounded, so that 0.3 leaves 0.7.
fn without(share: f64) -> f64 {
    (((1.0 - share) * 1e12).round() / 1e12).clamp(0.0, 1.0)
}

/// A bound that says something: infinity does not.
fn finite(bound: Option<f64>) -> Option<f64> {
    bound.filter(|bound| bound.is_finite())
}

fn number(text: &str) -> Json {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map_or_else(|| json!(text), |number| json!(number))
}

fn bounds(min: Option<f64>, max: Option<f64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("{max} or less"),
        (None, None) => "any number".into(),
    }
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1e8).round() / 1e6)
}
