//! `almanac audit`: proofs about the project. `leakage` shows that no number depends on the future.

use almanac_config::Overrides;
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::OutputFormat;

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

fn leakage(ctx: &Context, _args: LeakageArgs) -> Result<ExitStatus, Failure> {
    ctx.settings(Overrides::default())?;
    super::not_built("audit leakage")
}
