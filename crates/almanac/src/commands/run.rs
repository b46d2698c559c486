//! `almanac run`: brings every asset of the project up to date.

use std::time::Instant;

use almanac_config::Overrides;
use almanac_data::SilverReport;
use almanac_evaluate::{Mix, MixKind};
use almanac_pipeline::{FieldSummary, ForecastSummary, RunOptions, RunSummary, SkippedSeries, Until};
use almanac_series::Hint;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};
use crate::session::{Session, run_failure};

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
    /// Models to compare, instead of those of the project; `auto` stands for those that suit the data
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) models: Option<Vec<String>>,
    /// Processor time that the models of `auto` may take: 30s, 10m, 2h
    #[arg(long, value_name = "TIME")]
    pub(crate) budget: Option<String>,
    /// Fetch nothing from sources outside; use what has landed
    #[arg(long, conflicts_with = "reload")]
    pub(crate) offline: bool,
    /// Fetch this table from the beginning, as if nothing of it had landed
    #[arg(long, value_name = "TABLE")]
    pub(crate) reload: Vec<String>,
    /// Form of the summary on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Carries out `almanac run`.
pub(crate) fn run(ctx: &Context, args: RunArgs) -> Result<ExitStatus, Failure> {
    let until = args.only.as_deref().map(until).transpose()?;
    let started = Instant::now();
    let flags = Overrides { models: args.models, budget: args.budget, ..Overrides::default() };
    let session = if args.offline { Session::open(ctx, flags)? } else { Session::open_landed(ctx, flags, &args.reload)? };
    let options = RunOptions { force: args.force, until };
    let summary = almanac_pipeline::run(&session.project, &session.pipeline, &options, session.outside()).map_err(run_failure)?;
    if args.format == OutputFormat::Json {
        ctx.printer.json(&summary)?;
    } else {
        report(ctx, &session, &summary, started.elapsed().as_secs_f64())?;
    }
    Ok(ExitStatus::Success)
}

#[derive(Debug, thiserror::Error)]
#[error("there is no asset `{given}` to stop after")]
struct UnknownAsset {
    given: String,
}

impl Hint for UnknownAsset {
    fn hint(&self) -> Option<String> {
        Some("use `bronze`, `silver`, `gold`, `backtest`, `select` or `forecast`".into())
    }
}

fn until(given: &str) -> Result<Until, Failure> {
    Ok(match given {
        "bronze" => Until::Bronze,
        "silver" => Until::Silver,
        "gold" => Until::Gold,
        "backtest" => Until::Backtest,
        "select" => Until::Select,
        "forecast" => Until::Forecast,
        _ => return Err(Failure::new(ExitStatus::Usage, UnknownAsset { given: given.to_owned() })),
    })
}

fn report(ctx: &Context, session: &Session, summary: &RunSummary, seconds: f64) -> Result<(), Failure> {
    if summary.is_nothing_done() {
        ctx.printer.note(&format!("nothing to do: all {} assets are up to date ({seconds:.1} s)", summary.cached));
        return Ok(());
    }
    let mut lines = Vec::new();
    for table in summary.tables.iter().filter(|table| table.quarantined > 0) {
        let what = if table.quarantined == 1 { "cell or row that does not fit" } else { "cells or rows that do not fit" };
        let place = format!(".almanac/lake/bronze/{}/quarantine.parquet", table.table);
        lines.push(("put aside", format!("{} {what} `{}`: see `{place}`", table.quarantined, table.table)));
    }
    if let Some(silver) = &summary.silver {
        lines.extend(panel_lines(silver));
    }
    if let Some(folds) = &summary.folds {
        lines.push(("backtest", format!("{} cutoffs: {}", folds.cutoffs.len(), folds.labels.join(", "))));
    }
    if let Some(FieldSummary { field, .. }) = &summary.field {
        let names: Vec<&str> = field.models.iter().map(|(name, _)| name.as_str()).collect();
        lines.push(("auto", names.join(", ")));
        for (name, reason) in &field.left_out {
            lines.push(("without", format!("{name}: {reason}")));
        }
    }
    if let Some(selection) = &summary.selection {
        let of = selection.mix.as_ref().map_or_else(String::new, |mix| format!(" ({})", what_of(mix)));
        lines.push(("champion", format!("{}{of}", selection.champion)));
        lines.push(("gate", selection.gate.reason.clone()));
    }
    if let Some(forecast) = &summary.forecast {
        let levels: Vec<String> = forecast.levels.iter().map(|(level, nodes)| format!("{level} {nodes}")).collect();
        lines.push(("forecast", format!("{} series from {}, {} rows", forecast.series, forecast.cutoff, forecast.rows)));
        lines.push(("levels", levels.join(", ")));
        lines.extend(left_out_lines(forecast));
    }
    ctx.printer.data(&table(["", "run"], &[], lines.into_iter().map(|(what, text)| [what.to_owned(), text])))?;
    if let Some(selection) = &summary.selection {
        let scores = selection.scores.iter().map(|(model, score)| {
            let note = if *model == selection.champion {
                "champion"
            } else if session.pipeline.gates.beats.contains(model) {
                "baseline"
            } else {
                ""
            };
            [model.clone(), score.map_or_else(|| "–".into(), |score| format!("{score:.4}")), note.to_owned()]
        });
        ctx.printer.data(&table(["model", "WRMSSE", ""], &[1], scores))?;
        let coverage = selection.coverage.iter().map(|row| {
            [row.level.clone(), format!("{:.0} %", row.nominal * 100.0), format!("{:.1} %", row.empirical * 100.0), row.n.to_string()]
        });
        ctx.printer.data(&table(["interval at level", "nominal", "measured", "rows"], &[1, 2, 3], coverage))?;
    }
    ctx.printer.note(&format!(
        "made {} assets, {} were up to date ({seconds:.1} s); look at them with `almanac serve`",
        summary.made, summary.cached
    ));
    Ok(())
}

/// Series that the champion did not forecast, those that a baseline did, and those forecast without a history.
fn left_out_lines(forecast: &ForecastSummary) -> Vec<(&'static str, String)> {
    let named = |is_named: fn(&SkippedSeries) -> bool| -> String {
        let of_kind = forecast.skipped.iter().filter(|skipped| is_named(skipped)).take(3);
        of_kind.fold(String::new(), |text, skipped| format!("{text}; {}: {}", skipped.series, skipped.reason))
    };
    let mut lines = Vec::new();
    if !forecast.stand_ins.is_empty() {
        let by: Vec<String> = forecast.stand_ins.iter().map(|(model, series)| format!("{series} series by `{model}`")).collect();
        lines.push(("fallback", format!("{}{}", by.join(", "), named(|skipped| skipped.fallback.is_some()))));
    }
    if let Some(first) = &forecast.first_new {
        let text =
            format!("{} without a history, forecast from series like them, with wider intervals; the first is {first}", forecast.new);
        lines.push(("new series", text));
    }
    if forecast.unforecast > 0 || forecast.discontinued > 0 {
        let mut text = format!("{} discontinued", forecast.discontinued);
        if forecast.unforecast > 0 {
            text.push_str(&format!(", {} without any forecast{}", forecast.unforecast, named(|skipped| skipped.fallback.is_none())));
        }
        lines.push(("left out", text));
    }
    lines
}

fn panel_lines(silver: &SilverReport) -> Vec<(&'static str, String)> {
    let known = |label: &Option<String>| label.clone().unwrap_or_else(|| "?".into());
    let mut lines = vec![
        (
            "panel",
            format!(
                "{} series at `{}`, {} rows, {} to {}",
                silver.series,
                silver.freq,
                silver.panel_rows,
                known(&silver.first),
                known(&silver.last)
            ),
        ),
        (
            "rows",
            format!(
                "{} read, {} in quarantine, {} same twice, {} merged; {} gaps filled, {} in stock-out",
                silver.rows_in, silver.rows_quarantined, silver.rows_collapsed, silver.rows_merged, silver.gap_rows, silver.censored_rows
            ),
        ),
    ];
    if silver.rows_quarantined > 0 {
        let reasons: Vec<String> = silver.quarantined.iter().map(|(reason, rows)| format!("{rows} × {reason}")).collect();
        lines.push(("quarantine", reasons.join("; ")));
    }
    for fill in &silver.future_fills {
        let until = fill.known_until.as_deref().map_or_else(|| "never known ahead".to_owned(), |until| format!("known until {until}"));
        lines.push(("ahead", format!("`{}` {until}; {} later rows take the {}", fill.column, fill.rows, fill.rule)));
    }
    lines
}

/// What an ensemble is made of, in a few words.
fn what_of(mix: &Mix) -> String {
    let share = |(model, weight): &(String, f64)| format!("{model} {:.0} %", weight * 100.0);
    let shares = mix.members.iter().map(share).collect::<Vec<_>>().join(", ");
    match &mix.kind {
        MixKind::Mean => shares,
        MixKind::Median => format!("median of {}", mix.names().collect::<Vec<_>>().join(", ")),
        MixKind::PerClass(_) => format!("by demand class; on the whole {shares}"),
        MixKind::PerSeries(_) => format!("by series; on the whole {shares}"),
    }
}
