//! Gates on the data, one per layer: `[checks]` and the suites of users in one scan of each table. `fail` stops the run, `quarantine`
//! takes rows out before silver, `warn` is said. They fail closed: what cannot be judged has failed.
//!
//! A gate that holds is an asset of its own; one that stopped the run is judged again by the next.

use std::sync::Arc;

use almanac_data::QueryLimits;
use almanac_expect::{AskSql, Options, Severity, Suite, Validation};
use almanac_tracking::{Millis, TrackingStore};
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::checks::built_in;
use crate::expectations::{judge, write_checked};
use crate::fingerprint::Fingerprint;
use crate::judged::SqlOverFiles;
use crate::progress::Event;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 2;

/// What a gate has seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GateSummary {
    /// Outcomes by table and suite.
    pub validations: Vec<Validation>,
    /// Rows taken out before silver.
    pub taken_out: u64,
    /// Rows that the next run is compared with, where the layer is compared at all.
    pub rows: u64,
}

/// Judges a layer.
pub(crate) fn gate(
    ctx: Context<'_>,
    layer: &str,
    inputs: &[Fingerprint],
    reports: &[almanac_data::IngestReport],
    store: &TrackingStore,
    now_ms: i64,
) -> Result<Made<GateSummary>, RunError> {
    let (project, settings) = (ctx.project, ctx.settings);
    let own: Vec<_> = settings.suites.iter().filter(|placed| placed.layer == layer).cloned().collect();
    let name = format!("check/{layer}");
    let mut fingerprint = Fingerprint::of(&name, REVISION).config("checks", &settings.checks);
    for input in inputs.iter().chain(own.iter().map(|placed| &placed.digest)) {
        fingerprint = fingerprint.input(input);
    }
    // What is fresh today is not tomorrow.
    if own.iter().any(|placed| placed.suite.needs_now()) || (layer == "silver" && settings.checks.freshness_days.is_some()) {
        fingerprint = fingerprint.config("today", &(now_ms / 86_400_000));
    }
    let takes_out = layer == "bronze" && own.iter().any(|placed| placed.suite.takes_out());
    let outputs = if takes_out { vec![project.checked()] } else { Vec::new() };
    ctx.assets.get_or_make(&name, fingerprint.finish(), &outputs, || {
        let mut checks = built_in(project, &settings.checks, layer)?;
        if layer == "bronze" {
            checks.suites.retain(|placed| reports.iter().any(|report| Some(&report.table) == placed.table.as_ref()));
        }
        checks.suites.iter_mut().for_each(|placed| placed.suite.personal.extend(settings.hidden.iter().cloned()));
        checks.suites.extend(own);
        let labels = settings.silver.id.iter().chain([&settings.time]).cloned().collect();
        let memory = (settings.memory as u64 / 2).max(64 << 20);
        let limits = QueryLimits { memory: settings.memory / 2, threads: 1 };
        let sql = Some(Arc::new(SqlOverFiles { limits }) as Arc<dyn AskSql>);
        let options = Options { now: Some(now_ms * 1000), memory, labels, sql, ..Options::default() };
        let judged = judge(project, &checks.suites, layer, &options, &checks.facts)?;
        record(store, &judged, now_ms)?;
        for (_, validation) in &judged {
            for outcome in validation.failures().filter(|outcome| outcome.severity < Severity::Fail) {
                let text = format!("{}: {}", place(validation), line(outcome));
                ctx.assets.observer().on(&Event::Note { text: &text });
            }
        }
        let stops = |validation: &Validation| validation.stops() || (layer != "bronze" && validation.worst() > Some(Severity::Warn));
        let stopping: Vec<Validation> = judged.iter().map(|(_, validation)| validation).filter(|one| stops(one)).cloned().collect();
        if !stopping.is_empty() {
            return Err(PipelineError::Expectations(stopping));
        }
        let taken_out = if takes_out { write_checked(project, reports, &judged, &settings.time)? } else { 0 };
        if taken_out > 0 {
            let text = format!("{taken_out} rows are in quarantine and do not reach silver");
            ctx.assets.observer().on(&Event::Note { text: &text });
        }
        let validations: Vec<Validation> = judged.into_iter().map(|(_, validation)| validation).collect();
        let rows = if layer == "silver" { almanac_data::read_silver_report(&project.silver())?.panel_rows } else { 0 };
        Ok(GateSummary { validations, taken_out, rows })
    })
}

/// Keeps the outcomes in the history of the project.
fn record(store: &TrackingStore, judged: &[(Suite, Validation)], now_ms: i64) -> Result<(), PipelineError> {
    for (_, validation) in judged {
        store.record_validation(&crate::expectations::history(validation, now_ms), Millis(now_ms))?;
    }
    Ok(())
}

pub(crate) fn place(validation: &Validation) -> String {
    match (&validation.layer, &validation.table) {
        (Some(layer), Some(table)) => format!("{layer} table `{table}`"),
        (_, Some(table)) => format!("table `{table}`"),
        (Some(layer), None) => format!("the {layer} layer"),
        (None, None) => "the table".into(),
    }
}

pub(crate) fn line(outcome: &almanac_expect::Outcome) -> String {
    let subject = outcome.subject.as_ref().map(|subject| format!(" of `{subject}`")).unwrap_or_default();
    format!("{} ({}){subject}: {}", outcome.expected, outcome.severity, outcome.observed)
}
