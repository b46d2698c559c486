//! The gate by drift: each bronze table against the last version that a run has taken, by their profiles.
//!
//! The outcome is a validation like those of suites: `fail` stops the run, `warn` is said, and both are in the history. A version that
//! stopped a run is not taken: the next is compared with the one before it. The severity is in no fingerprint, so that a version that was
//! taken with `warn` stays taken.

use std::collections::BTreeMap;

use almanac_expect::{Outcome, Severity, Validation};
use almanac_profile::{ColumnDrift, Drift, ProfileStore, SchemaChange, compare};
use almanac_tracking::{Millis, TrackingStore};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::asset::{Made, records};
use crate::fingerprint::Fingerprint;
use crate::progress::Event;
use crate::settings::DriftGate;
use crate::steps::Context;
use crate::steps::check::{line, place};
use crate::{PipelineError, RunError};

const REVISION: u32 = 1;
const NAME: &str = "drift/bronze";
/// The name that the history has for it.
const SUITE: &str = "drift";
/// Columns that are named in a sentence.
const NAMES: usize = 8;

/// What the gate has taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriftSummary {
    /// The version of each table that the next is compared with.
    pub versions: BTreeMap<String, String>,
    /// What came of it, by table; tables seen for the first time are not in it.
    pub validations: Vec<Validation>,
}

/// Compares the tables with their last versions, or returns `None` where that is not asked for.
pub(crate) fn gate(
    ctx: Context<'_>,
    tables: &[(&str, &Fingerprint)],
    store: &TrackingStore,
    now_ms: i64,
) -> Result<Option<Made<DriftSummary>>, RunError> {
    let Some(gate) = &ctx.settings.drift else { return Ok(None) };
    let mut fingerprint = Fingerprint::of(NAME, REVISION).config("limits", &format!("{:?} {:?}", gate.options, gate.columns));
    for (_, version) in tables {
        fingerprint = fingerprint.input(version);
    }
    // What the last gate that held has seen: its record is replaced only by the next that holds.
    let last = records(&ctx.project.assets()).ok().and_then(|records| {
        let record = records.into_iter().find(|record| record.name == NAME)?;
        serde_json::from_value::<DriftSummary>(record.summary).ok()
    });
    let taken = last.map(|last| last.versions).unwrap_or_default();
    let made = ctx.assets.get_or_make(NAME, fingerprint.finish(), &[], || {
        let mut summary = DriftSummary::default();
        for (table, version) in tables {
            let version = version.short();
            summary.versions.insert((*table).to_owned(), version.to_owned());
            let Some(validation) = judge(ctx, gate, table, version, taken.get(*table))? else { continue };
            store.record_validation(&crate::expectations::history(&validation, now_ms), Millis(now_ms))?;
            summary.validations.push(validation);
        }
        for validation in &summary.validations {
            for outcome in validation.failures() {
                let text = format!("{}: {}", place(validation), line(outcome));
                ctx.assets.observer().on(&Event::Note { text: &text });
            }
        }
        let is_judged = |name: &&String| {
            let subjects =
                summary.validations.iter().flat_map(|validation| &validation.outcomes).filter_map(|outcome| outcome.subject.as_ref());
            subjects.into_iter().any(|subject| subject.eq_ignore_ascii_case(name))
        };
        for name in gate.columns.iter().filter(|name| !summary.validations.is_empty() && !is_judged(name)) {
            let text =
                format!("`{name}` of `[drift] columns` is in no table that was compared, or has no test: it names rows or holds times");
            ctx.assets.observer().on(&Event::Note { text: &text });
        }
        match summary.validations.iter().find(|validation| validation.stops()) {
            Some(validation) => Err(PipelineError::Drift(Box::new(validation.clone()))),
            None => Ok(summary),
        }
    })?;
    Ok(Some(made))
}

/// Compares a table with the version that was taken last, or with the newest other one; `None` where there is none.
fn judge(
    ctx: Context<'_>,
    gate: &DriftGate,
    table: &str,
    version: &str,
    taken: Option<&String>,
) -> Result<Option<Validation>, PipelineError> {
    let profiles = ProfileStore::new(ctx.project.profiles());
    let key = format!("bronze.{table}");
    let versions = profiles.versions(&key)?;
    let is_kept = |wanted: &&String| versions.iter().any(|line| line.version == **wanted);
    let newest_other = || versions.iter().rev().map(|line| &line.version).find(|other| *other != version);
    let Some(before) = taken.filter(is_kept).or_else(newest_other).filter(|before| *before != version) else { return Ok(None) };
    let (old, new) = (profiles.read(&key, before)?, profiles.read(&key, version)?);
    Ok(Some(validation(gate, table, before, new.rows, &compare(&old, &new, &gate.options))))
}

fn validation(gate: &DriftGate, table: &str, before: &str, rows: u64, drift: &Drift) -> Validation {
    let mut outcomes = vec![of_schema(gate, drift), of_table(gate, before, drift)];
    // Of the others only those that drifted: a table may have hundreds of columns.
    outcomes.extend(drift.columns.iter().filter(|column| column.score.is_some() || column.is_missing_drift).filter_map(|column| {
        let is_grave = gate.columns.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        (is_grave || column.is_drift).then(|| of_column(if is_grave { gate.severity } else { Severity::Warn }, column))
    }));
    Validation { suite: SUITE.to_owned(), layer: Some("bronze".to_owned()), table: Some(table.to_owned()), rows, outcomes }
}

fn outcome(kind: &str, subject: Option<&str>, expected: String, observed: String, success: bool, severity: Severity) -> Outcome {
    let value = observed.clone();
    let kwargs = subject.map_or_else(|| json!({}), |column| json!({ "column": column }));
    Outcome {
        kind: kind.to_owned(),
        subject: subject.map(str::to_owned),
        expected,
        observed,
        success,
        severity,
        exception: None,
        failed_rows: 0,
        result: json!({ "observed_value": value }),
        config: json!({ "type": kind, "kwargs": kwargs, "meta": {} }),
        places: Vec::new(),
    }
}

/// Columns that are gone or of another type.
fn of_schema(gate: &DriftGate, drift: &Drift) -> Outcome {
    let broken = |change: &SchemaChange| match change {
        SchemaChange::Removed { column, .. } => Some(format!("`{column}` is gone")),
        SchemaChange::Retyped { column, before, after } => Some(format!("`{column}` was {before} and is {after}")),
        SchemaChange::Added { .. } | SchemaChange::Nullability { .. } => None,
    };
    let broken: Vec<String> = drift.schema.iter().filter_map(broken).collect();
    let observed = if broken.is_empty() { "all are there".to_owned() } else { broken.join(", ") };
    outcome("schema_drift", None, "columns stay, with their types".to_owned(), observed, broken.is_empty(), gate.severity)
}

/// The share of columns that drifted.
fn of_table(gate: &DriftGate, before: &str, drift: &Drift) -> Outcome {
    let verdict = &drift.verdict;
    let names: Vec<String> = drift.columns.iter().filter(|column| column.is_drift).map(|column| format!("`{}`", column.name)).collect();
    let more = if names.len() > NAMES { format!(" and {} more", names.len() - NAMES) } else { String::new() };
    let named = if names.is_empty() { String::new() } else { format!(": {}{more}", names[..names.len().min(NAMES)].join(", ")) };
    let observed = format!("{} of {} drifted{named}", verdict.drifted, verdict.tested);
    let expected = format!("fewer than {:.0} % of the tested columns differ from version {before}", verdict.threshold * 100.0);
    outcome("table_drift", None, expected, observed, !verdict.is_drift, gate.severity)
}

fn of_column(severity: Severity, column: &ColumnDrift) -> Outcome {
    let mut expected = Vec::new();
    let mut observed = Vec::new();
    if let (Some(method), Some(score), Some(threshold)) = (column.method, column.score, column.threshold) {
        let word = if method.is_p_value() { "above" } else { "below" };
        expected.push(format!("{} {word} {threshold:.3}", method.name()));
        observed.push(format!("{score:.3}"));
    }
    if column.is_missing_drift {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        expected.push(format!("about {} missing", percent(column.missing.before)));
        observed.push(format!("{} missing", percent(column.missing.after)));
    }
    outcome("column_drift", Some(&column.name), expected.join(", "), observed.join(", "), !column.is_drift, severity)
}
