//! `almanac audit`: proofs about the project. `leakage` shows that no number depends on the future.

use almanac_config::Overrides;
use almanac_pipeline::{CutoffAudit, audit_leakage};
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};
use crate::session::{OrFailPipeline, Session};

const EXAMPLE: &str = "\
Example:
  almanac audit leakage --format json

Exit code 5 if anything before a cutoff moved.";

/// Prove properties of the project
#[derive(Debug, Clone, Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) audit: Audit,
}

/// What can be audited.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Audit {
    /// Change everything after each cutoff and show that nothing before it moved
    #[command(after_help = EXAMPLE)]
    Leakage(LeakageArgs),
}

/// Arguments of `almanac audit leakage`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LeakageArgs {
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Carries out `almanac audit`.
pub(crate) fn audit(ctx: &Context, args: AuditArgs) -> Result<ExitStatus, Failure> {
    match args.audit {
        Audit::Leakage(args) => leakage(ctx, args),
    }
}

fn leakage(ctx: &Context, args: LeakageArgs) -> Result<ExitStatus, Failure> {
    let session = Session::open(ctx, Overrides::default())?;
    let audits = audit_leakage(&session.project, &session.pipeline, &session.models, session.observer()).or_fail_pipeline()?;
    let is_clean = audits.iter().all(CutoffAudit::is_clean);
    if args.format == OutputFormat::Json {
        ctx.printer.json(&audits)?;
    } else {
        let mut rows = Vec::new();
        for audit in &audits {
            let verdict = |moved: usize| if moved == 0 { "nothing moved".to_owned() } else { format!("{moved} moved") };
            rows.push([audit.cutoff.clone(), "features".to_owned(), audit.features_compared.to_string(), verdict(audit.features_moved)]);
            for model in &audit.models {
                rows.push([audit.cutoff.clone(), model.model.clone(), model.compared.to_string(), verdict(model.moved)]);
            }
        }
        ctx.printer.data(&table(["cutoff", "what", "numbers compared", "verdict"], &[2], rows))?;
        let disturbed: usize = audits.iter().map(|audit| audit.disturbed).sum();
        ctx.printer.note(&if is_clean {
            format!("{disturbed} values after the cutoffs were changed; nothing before them moved")
        } else {
            "something before a cutoff depends on what came after it".to_owned()
        });
    }
    Ok(if is_clean { ExitStatus::Success } else { ExitStatus::DataCheck })
}
