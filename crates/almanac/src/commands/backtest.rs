//! `almanac backtest`: the leaderboard, making the backtest up to date first; or that of other models, steps and cutoffs, tried beside it.

use almanac_config::Overrides;
use almanac_data::SilverSpec;
use almanac_evaluate::LeaderboardRow;
use almanac_pipeline::{PipelineSettings, RunOptions, Selection, Until, read_latest_selection, run, try_out};
use clap::Args;

use crate::compose;
use crate::context::Context;
use crate::coverage;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};
use crate::session::{OrFailPipeline, Session, run_failure};

const EXAMPLE: &str = "\
Examples:
  almanac backtest
  almanac backtest --models theta,auto_ets --horizon 14 --folds 5
  almanac backtest --format json | jq '.[0]'

With --models, --horizon or --folds the scores are those of a trial: nothing of it is kept for `almanac run`.
Beside each interval's coverage: how often it held, where that was measured.";

/// Central intervals whose coverage is shown.
const SHOWN: [f64; 3] = [0.5, 0.8, 0.95];

/// Score every model over the cutoffs and show the leaderboard
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct BacktestArgs {
    /// Models to score, beside the baselines; those of `almanac.toml` by default
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// Steps ahead to score
    #[arg(long, value_name = "H")]
    pub(crate) horizon: Option<usize>,
    /// Cutoffs to score at
    #[arg(long, value_name = "K")]
    pub(crate) folds: Option<usize>,
    /// Form of the leaderboard
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

impl BacktestArgs {
    fn overrides(&self) -> Overrides {
        let models = (!self.models.is_empty()).then(|| self.models.clone());
        Overrides { models, horizon: self.horizon, folds: self.folds, ..Overrides::default() }
    }
}

/// Carries out `almanac backtest`.
pub(crate) fn backtest(ctx: &Context, args: BacktestArgs) -> Result<ExitStatus, Failure> {
    let overrides = args.overrides();
    let is_trial = overrides != Overrides::default();
    let session = Session::open(ctx, overrides)?;
    let selection = if is_trial {
        // The panel is known as far ahead as the project asks, whatever is tried.
        let horizon = compose::horizon(&ctx.settings(Overrides::default())?)?.steps();
        let tried = &session.pipeline;
        let own = PipelineSettings { silver: SilverSpec { horizon, ..tried.silver.clone() }, ..tried.clone() };
        try_out(&session.project, &own, tried, session.outside()).map_err(run_failure)?
    } else {
        let options = RunOptions { force: false, until: Some(Until::Select) };
        run(&session.project, &session.pipeline, &options, session.outside()).map_err(run_failure)?;
        read_latest_selection(&session.project).or_fail_pipeline()?
    };
    if args.format == OutputFormat::Json {
        let covered = |row: &LeaderboardRow| LeaderboardRow { coverage: coverage::of_row(&selection, row), ..row.clone() };
        ctx.printer.json(&selection.leaderboard.rows.iter().map(covered).collect::<Vec<_>>())?;
        return Ok(ExitStatus::Success);
    }
    show(ctx, &selection)?;
    if is_trial {
        ctx.printer.note("tried only: `almanac run` and the champion stay with what `almanac.toml` says");
    }
    Ok(ExitStatus::Success)
}

fn show(ctx: &Context, selection: &Selection) -> Result<(), Failure> {
    let shown = |score: Option<f64>| score.map_or_else(|| "–".to_owned(), |score| format!("{score:.4}"));
    let rows = selection.leaderboard.rows.iter().map(|row| {
        let known = coverage::of_row(selection, row);
        let held =
            SHOWN.map(|nominal| coverage::at(&known, nominal).map_or_else(|| "–".to_owned(), |held| format!("{:.1} %", 100.0 * held)));
        let [half, most, nearly_all] = held;
        let steps = format!("{}–{}", row.horizon_from, row.horizon_to);
        let scores = [row.wrmsse, row.mase, row.wape, row.bias, row.wql].map(shown);
        let [wrmsse, mase, wape, bias, wql] = scores;
        [row.level.clone(), steps, row.model.clone(), wrmsse, mase, wape, bias, wql, half, most, nearly_all]
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| (&a[0], &a[1], &a[3]).cmp(&(&b[0], &b[1], &b[3])));
    let headings = ["level", "steps", "model", "WRMSSE", "MASE", "WAPE", "bias", "WQL", "50 %", "80 %", "95 %"];
    ctx.printer.data(&table(headings, &[3, 4, 5, 6, 7, 8, 9, 10], rows))?;
    ctx.printer.note(&format!("cutoffs {}; {}", selection.cutoffs.join(", "), selection.ensemble.reason));
    Ok(())
}
