//! Gates by suites of expectations, one per layer: `fail` stops the run, `quarantine` takes rows out before silver, `warn` is said.
//!
//! A gate is an asset of its own; one that stopped the run is judged again by the next.

use almanac_expect::{Options, Suite, Validation};
use almanac_tracking::{Millis, TrackingStore};
use serde::{Deserialize, Serialize};

use crate::asset::Made;
use crate::expectations::{judge, write_checked};
use crate::fingerprint::Fingerprint;
use crate::progress::Event;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 1;

/// What a gate has seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GateSummary {
    /// Outcomes by table and suite.
    pub validations: Vec<Validation>,
    /// Rows taken out before silver.
    pub taken_out: u64,
}

/// Judges a layer, or returns `None` where no suite is for it.
pub(crate) fn gate(
    ctx: Context<'_>,
    layer: &str,
    inputs: &[Fingerprint],
    reports: &[almanac_data::IngestReport],
    store: &TrackingStore,
    now_ms: i64,
) -> Result<Option<Made<GateSummary>>, RunError> {
    let suites = &ctx.settings.suites;
    let own: Vec<_> = suites.iter().filter(|placed| placed.layer == layer).collect();
    if own.is_empty() {
        return Ok(None);
    }
    let name = format!("expectations/{layer}");
    let mut fingerprint = Fingerprint::of(&name, REVISION);
    for input in inputs.iter().chain(own.iter().map(|placed| &placed.digest)) {
        fingerprint = fingerprint.input(input);
    }
    // What is fresh today is not tomorrow.
    if own.iter().any(|placed| placed.suite.needs_now()) {
        fingerprint = fingerprint.config("today", &(now_ms / 86_400_000));
    }
    let takes_out = layer == "bronze" && own.iter().any(|placed| placed.suite.takes_out());
    let outputs = if takes_out { vec![ctx.project.checked()] } else { Vec::new() };
    let made = ctx.assets.get_or_make(&name, fingerprint.finish(), &outputs, || {
        let options = Options { now: Some(now_ms * 1000), memory: (ctx.settings.memory as u64 / 2).max(64 << 20), ..Options::default() };
        let judged = judge(ctx.project, suites, layer, &options)?;
        record(store, &judged, now_ms)?;
        for (_, validation) in &judged {
            for outcome in validation.failures() {
                let text = format!("{}: {}", place(validation), line(outcome));
                ctx.assets.observer().on(&Event::Note { text: &text });
            }
            if validation.stops() || (layer != "bronze" && validation.worst() > Some(almanac_expect::Severity::Warn)) {
                return Err(PipelineError::Expectations(Box::new(validation.clone())));
            }
        }
        let taken_out = if takes_out { write_checked(ctx.project, reports, &judged, &ctx.settings.time)? } else { 0 };
        if taken_out > 0 {
            let text = format!("{taken_out} rows are in quarantine and do not reach silver");
            ctx.assets.observer().on(&Event::Note { text: &text });
        }
        Ok(GateSummary { validations: judged.into_iter().map(|(_, validation)| validation).collect(), taken_out })
    })?;
    Ok(Some(made))
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
