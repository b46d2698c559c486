//! `almanac backtest`: the leaderboard, making the backtest up to date first.

use almanac_config::Overrides;
use almanac_pipeline::{RunOptions, Until, read_latest_selection};
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};
use crate::session::{OrFailPipeline, Session, run_failure};

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
pub(crate) fn backtest(ctx: &Context, args: BacktestArgs) -> Result<ExitStatus, Failure> {
    let session = Session::open(ctx, Overrides::default())?;
    let options = RunOptions { force: false, until: Some(Until::Select) };
    almanac_pipeline::run(&session.project, &session.pipeline, &options, session.outside()).map_err(run_failure)?;
    let selection = read_latest_selection(&session.project).or_fail_pipeline()?;
    if args.format == OutputFormat::Json {
        ctx.printer.json(&selection.leaderboard.rows)?;
        return Ok(ExitStatus::Success);
    }
    let shown = |score: Option<f64>| score.map_or_else(|| "–".to_owned(), |score| format!("{score:.4}"));
    let rows = selection.leaderboard.rows.iter().map(|row| {
        let steps = format!("{}–{}", row.horizon_from, row.horizon_to);
        [row.level.clone(), steps, row.model.clone(), shown(row.wrmsse), shown(row.mase), shown(row.wape), shown(row.bias), shown(row.wql)]
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| (&a[0], &a[1], &a[3]).cmp(&(&b[0], &b[1], &b[3])));
    ctx.printer.data(&table(["level", "steps", "model", "WRMSSE", "MASE", "WAPE", "bias", "WQL"], &[3, 4, 5, 6, 7], rows))?;
    ctx.printer.note(&format!("cutoffs {}; {}", selection.cutoffs.join(", "), selection.ensemble.reason));
    Ok(ExitStatus::Success)
}
