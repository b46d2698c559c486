//! Gates on the data, one per layer: they fail closed, and nothing after a failed gate runs.
//!
//! A gate that holds is an asset of its own; a gate that failed is tried again by the next run.

use almanac_data::{CheckContext, CheckReport, CheckSpec, IngestReport, QueryLimits, SilverReport, check_gold, check_silver, open_bronze};

use crate::asset::{Made, records};
use crate::fingerprint::Fingerprint;
use crate::panel::LazyPanel;
use crate::steps::Context;
use crate::steps::gold::GoldSummary;
use crate::{PipelineError, RunError};

const REVISION: u32 = 1;

/// Checks every source table.
pub(crate) fn bronze(ctx: Context<'_>, tables: &[Fingerprint], reports: &[IngestReport]) -> Result<Made<Vec<CheckReport>>, RunError> {
    let checks = &ctx.settings.checks.bronze;
    let mut fingerprint = Fingerprint::of("check/bronze", REVISION).config("checks", checks);
    for table in tables {
        fingerprint = fingerprint.input(table);
    }
    ctx.assets.get_or_make("check/bronze", fingerprint.finish(), &[], || {
        ctx.runtime.block_on(async {
            let names: Vec<String> = reports.iter().map(|report| report.table.clone()).collect();
            let limits = QueryLimits { memory: ctx.settings.memory, threads: rayon::current_num_threads() };
            let bronze = open_bronze(&ctx.project.bronze(), &names, &limits).await?;
            let mut passed = Vec::new();
            for report in reports {
                let context = CheckContext { quarantined_rows: report.quarantined, ..CheckContext::default() };
                passed.push(gate(bronze.check(&report.table, checks, context).await?)?);
            }
            Ok::<_, PipelineError>(passed)
        })
    })
}

/// Checks the panel. Freshness is measured against the day of the run, so such a gate is made again each day.
pub(crate) fn silver(
    ctx: Context<'_>,
    silver: &Fingerprint,
    report: &SilverReport,
    panel: &LazyPanel,
    now_ms: i64,
) -> Result<Made<(CheckReport, u64)>, RunError> {
    let checks = &ctx.settings.checks.silver;
    let is_dated = checks.iter().any(|check| matches!(check, CheckSpec::Fresh { .. }));
    let today = is_dated.then_some(now_ms / 86_400_000);
    let fingerprint = Fingerprint::of("check/silver", REVISION).input(silver).config("checks", checks).config("today", &today).finish();
    // What the last gate that held has seen: its record is replaced only by the next that holds.
    let last = records(&ctx.project.assets()).ok().and_then(|records| {
        let record = records.into_iter().find(|record| record.name == "check/silver")?;
        serde_json::from_value::<(CheckReport, u64)>(record.summary).ok()
    });
    let previous_rows = last.map(|(_, rows)| rows);
    ctx.assets.get_or_make("check/silver", fingerprint, &[], || {
        let context = CheckContext { now: Some(now_ms * 1000), previous_rows, quarantined_rows: report.rows_quarantined };
        let passed = gate(check_silver(panel.get()?, report, checks, context))?;
        Ok((passed, report.panel_rows))
    })
}

/// Checks the feature table against the panel it was made from.
pub(crate) fn gold(ctx: Context<'_>, gold: &Fingerprint, summary: &GoldSummary) -> Result<Made<CheckReport>, RunError> {
    let fingerprint = Fingerprint::of("check/gold", REVISION).input(gold).finish();
    ctx.assets.get_or_make("check/gold", fingerprint, &[], || {
        gate(check_gold(&ctx.project.gold(), &ctx.project.silver(), &summary.features, summary.infinite)?)
    })
}

fn gate(report: CheckReport) -> Result<CheckReport, PipelineError> {
    if report.is_ok() { Ok(report) } else { Err(PipelineError::Check(Box::new(report))) }
}
