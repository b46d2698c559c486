//! `almanac backtest`: the leaderboard, making the backtest up to date first.

use almanac_config::Overrides;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::OutputFormat;

const EXAMPLE: &str = "\
Examples:
  almanac backtest
  almanac backtest --format json | jq '.[0]'";

/// Score every model over the cutoffs and show the leaderboard
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct BacktestArgs {
    /// Form of the leaderboard
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Carries out `almanac backtest`.
pub(crate) fn backtest(ctx: &Context, _args: BacktestArgs) -> Result<ExitStatus, Failure> {
    ctx.settings(Overrides::default())?;
    super::not_built("backtest")
}
