//! `almanac run`: brings every asset of the project up to date.

use almanac_config::Overrides;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::OutputFormat;

const EXAMPLE: &str = "\
Examples:
  almanac run
  almanac -C shop run --only silver --format json

Nothing that is up to date is made again. A run that was stopped goes on where it stopped.
Exit code 5: the data failed a check. 6: no model passed the gates.";

/// Make everything up to date: ingest, check, features, backtest, forecast
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct RunArgs {
    /// Make everything again, up to date or not
    #[arg(long)]
    pub(crate) force: bool,
    /// Stop after this asset and make nothing it does not need: bronze, silver, gold, …
    #[arg(long, value_name = "ASSET")]
    pub(crate) only: Option<String>,
    /// Form of the summary on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Carries out `almanac run`.
pub(crate) fn run(ctx: &Context, _args: RunArgs) -> Result<ExitStatus, Failure> {
    ctx.settings(Overrides::default())?;
    super::not_built("run")
}
