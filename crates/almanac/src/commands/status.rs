//! `almanac status`: which assets are up to date, which model serves, how good it is.

use almanac_config::Overrides;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::OutputFormat;

const EXAMPLE: &str = "\
Example:
  almanac -C shop status --format json";

/// Show which assets are up to date and which model serves
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct StatusArgs {
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Carries out `almanac status`.
pub(crate) fn status(ctx: &Context, _args: StatusArgs) -> Result<ExitStatus, Failure> {
    ctx.settings(Overrides::default())?;
    super::not_built("status")
}
