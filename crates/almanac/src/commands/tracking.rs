//! `almanac tracking`: other stores in, this store out, and what was deleted away for good.
//!
//! Works on the store itself, for whoever may write it; no server is needed, and one may go on serving.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use almanac_config::{Overrides, PROJECT_FILE, TrackingSettings};
use almanac_pipeline::Project;
use almanac_series::Hint;
use almanac_tracking::{
    Artifacts, CollectWanted, Collected, ExperimentId, ImportOptions, ImportReport, Millis, Source, TransferError, collect_garbage,
};
use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;
use serde_json::json;

use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::{OutputFormat, table};
use crate::session::now_ms;

const EXAMPLE: &str = "\
Examples:
  almanac tracking import ./mlruns --artifacts copy
  almanac tracking import sqlite:///mlflow.db --dry-run
  almanac tracking export backup
  almanac tracking import backup --backend-store postgresql://me@host/almanac
  almanac tracking gc --older-than 30d";

/// Problems and conflicts that are shown; all are in `--format json`.
const MOST_SHOWN: usize = 20;

/// Import, export and clean up the store of runs and models
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct TrackingArgs {
    /// Database of runs and models: a file, `sqlite:///…` or `postgresql://…`; that of the project by default
    #[arg(long, value_name = "URL", global = true, visible_alias = "backend-store-uri")]
    backend_store: Option<String>,
    /// Where files of runs and models are kept; that of the project by default
    #[arg(long, value_name = "URL", global = true, visible_alias = "artifacts-destination")]
    artifact_root: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Subcommand)]
enum Verb {
    /// Add what another store holds: a folder or a database of MLflow, an export, or a store of Almanac
    Import(ImportArgs),
    /// Write all runs, models, traces and studies to a folder
    Export {
        /// Folder to write; not there yet, or empty
        folder: PathBuf,
    },
    /// Delete for good what was deleted
    Gc(GcArgs),
}

#[derive(Debug, Clone, Args)]
struct ImportArgs {
    /// Folder such as `mlruns`, file such as `mlflow.db`, folder of an export, or URL of a store
    #[arg(value_name = "PATH|URL")]
    source: String,
    /// What becomes of files in local folders
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    artifacts: ArtifactsArg,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

#[derive(Debug, Clone, Args)]
struct GcArgs {
    /// Only what was deleted that long ago, such as `30d` or `12h`
    #[arg(long, value_name = "TIME", default_value = "0d", value_parser = age)]
    older_than: Duration,
    /// Only this experiment and what is in it; may be given several times
    #[arg(long, value_name = "ID")]
    experiment: Vec<i64>,
    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,
}

/// What becomes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ArtifactsArg {
    /// They are copied to where this store keeps files
    Copy,
    /// They stay where they are
    Keep,
}

#[derive(Debug, thiserror::Error)]
#[error("files are copied into a folder, and `{root}` is none")]
struct NoFolder {
    root: String,
}

impl Hint for NoFolder {
    fn hint(&self) -> Option<String> {
        Some("import with `--artifacts keep` and copy the files with the tool of that service".to_owned())
    }
}

/// Carries out `almanac tracking`.
pub(crate) fn tracking(ctx: &Context, args: TrackingArgs) -> Result<ExitStatus, Failure> {
    let asked = asked(ctx, &args)?;
    let project = Project::new(ctx.folder());
    match args.verb {
        Verb::Import(import) => run_import(ctx, &asked, &project, &import),
        Verb::Export { folder } => {
            let store = compose::store(&asked, &project)?;
            let summary = store.export(&ctx.path(&folder)).map_err(failure)?;
            let rows: u64 = summary.rows.iter().map(|(_, rows)| rows).sum();
            ctx.printer.note(&format!("wrote {rows} rows to `{}`; files of artifacts stay where they are", summary.folder.display()));
            Ok(ExitStatus::Success)
        }
        Verb::Gc(gc) => run_gc(ctx, &asked, &project, &gc),
    }
}

fn asked(ctx: &Context, args: &TrackingArgs) -> Result<TrackingSettings, Failure> {
    let flags = Overrides { backend_store: args.backend_store.clone(), artifact_root: args.artifact_root.clone(), ..Overrides::default() };
    if ctx.path(PROJECT_FILE.as_ref()).exists() {
        return Ok(ctx.settings(flags)?.tracking);
    }
    let environment = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    Ok(TrackingSettings {
        backend_store: flags.backend_store.or_else(|| environment("ALMANAC_BACKEND_STORE")),
        artifact_root: flags.artifact_root.or_else(|| environment("ALMANAC_ARTIFACT_ROOT")),
    })
}

fn run_import(ctx: &Context, asked: &TrackingSettings, project: &Project, args: &ImportArgs) -> Result<ExitStatus, Failure> {
    let source = Source::detect(&args.source).map_err(failure)?;
    let artifacts = match args.artifacts {
        ArtifactsArg::Keep => Artifacts::Keep,
        ArtifactsArg::Copy => match &asked.artifact_root {
            None => Artifacts::Copy(project.artifacts()),
            Some(root) if root.contains("://") => return Err(Failure::new(ExitStatus::Usage, NoFolder { root: root.clone() })),
            Some(root) => Artifacts::Copy(PathBuf::from(root)),
        },
    };
    let store = compose::store(asked, project)?;
    let report = store.import(&source, &ImportOptions { artifacts, dry_run: args.dry_run }).map_err(failure)?;
    if args.format == OutputFormat::Json {
        ctx.printer.json(&as_json(&report))?;
    } else {
        show(ctx, &report, args.dry_run)?;
    }
    Ok(if report.problem_count > 0 { ExitStatus::DataCheck } else { ExitStatus::Success })
}

fn show(ctx: &Context, report: &ImportReport, is_dry: bool) -> Result<(), Failure> {
    let rows = report.tables.iter().map(|table| {
        let number = |number: u64| number.to_string();
        [table.table.clone(), number(table.added), number(table.present), number(table.conflicts), number(table.skipped)]
    });
    let added = if is_dry { "would add" } else { "added" };
    ctx.printer.data(&table(["table", added, "there already", "of these differ", "left out"], &[1, 2, 3, 4], rows))?;
    for (name, theirs, ours) in &report.renumbered {
        ctx.printer.note(&format!("experiment `{name}` was number {theirs} and is {ours} here"));
    }
    for problem in report.problems.iter().take(MOST_SHOWN) {
        ctx.printer.warning(&format!("left out: {problem}"));
    }
    for conflict in report.conflicts.iter().take(MOST_SHOWN) {
        ctx.printer.warning(&conflict.to_string());
    }
    let hidden = (report.problem_count + report.conflict_count()).saturating_sub(2 * MOST_SHOWN as u64);
    if hidden > 0 {
        ctx.printer.note(&format!(
            "{} problems and {} differences in all; `--format json` has more",
            report.problem_count,
            report.conflict_count()
        ));
    }
    for warning in &report.warnings {
        ctx.printer.warning(warning);
    }
    if report.files_copied > 0 {
        ctx.printer.note(&format!("{} files {}", report.files_copied, if is_dry { "would be copied" } else { "copied" }));
    }
    Ok(())
}

fn as_json(report: &ImportReport) -> serde_json::Value {
    let table = |count: &almanac_tracking::TableCount| json!({"table": count.table, "added": count.added, "present": count.present, "conflicts": count.conflicts, "skipped": count.skipped});
    let problem = |problem: &almanac_tracking::Problem| json!({"place": problem.place, "what": problem.what});
    let renumbered = |(name, theirs, ours): &(String, i64, i64)| json!({"experiment": name, "from": theirs, "to": ours});
    json!({
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
        "renumbered": report.renumbered.iter().map(renumbered).collect::<Vec<_>>(),
        "problem_count": report.problem_count,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "conflict_count": report.conflict_count(),
        "conflicts": report.conflicts.iter().map(problem).collect::<Vec<_>>(),
        "warnings": report.warnings,
        "files_copied": report.files_copied,
    })
}

fn run_gc(ctx: &Context, asked: &TrackingSettings, project: &Project, args: &GcArgs) -> Result<ExitStatus, Failure> {
    let store = Arc::new(compose::store(asked, project)?);
    let artifacts = compose::artifacts(asked, project)?;
    let now = now_ms();
    let wanted = CollectWanted {
        before: Millis(now.saturating_sub(i64::try_from(args.older_than.as_millis()).unwrap_or(i64::MAX))),
        experiments: args.experiment.iter().map(|id| ExperimentId(*id)).collect(),
        ..CollectWanted::default()
    };
    let plan = store.collect_plan(&wanted).or_fail(ExitStatus::Store)?;
    for (model, version) in &plan.versions {
        ctx.printer.warning(&format!("version {version} of `{model}` was made by a run that goes; its files may go too"));
    }
    let what = format!("{} experiments, {} runs and {} logged models", plan.experiments.len(), plan.runs.len(), plan.models.len());
    if args.dry_run {
        ctx.printer.note(&format!("would delete {what} for good, and the files of {} that went before", plan.waiting));
        return Ok(ExitStatus::Success);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    let told = |_: &Collected| {};
    let done = runtime.block_on(collect_garbage(store, &artifacts, plan, Millis(now), told)).or_fail(ExitStatus::Store)?;
    ctx.printer.note(&format!("deleted {what} for good, and the files of {} places", done.places));
    for place in done.elsewhere.iter().take(MOST_SHOWN) {
        ctx.printer.warning(&format!("files at `{place}` are not of this store and stay"));
    }
    Ok(ExitStatus::Success)
}

fn failure(error: TransferError) -> Failure {
    let status = match &error {
        TransferError::Store(_) => ExitStatus::Store,
        TransferError::NotASource { .. } | TransferError::SameStore { .. } | TransferError::NotEmpty { .. } => ExitStatus::Usage,
        TransferError::File { .. } => ExitStatus::Io,
        _ => ExitStatus::DataInput,
    };
    Failure::new(status, error)
}

/// Reads a time such as `30d`, `12h` or `1d6h`.
fn age(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a time such as `30d` or `12h`");
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (days.parse::<u64>().map_err(|_| bad())?, rest),
        None if text.is_empty() => return Err(bad()),
        None => (0, text),
    };
    let hours = match rest {
        "" => SignedDuration::ZERO,
        rest => rest.parse().map_err(|_| bad())?,
    };
    let days = Duration::from_secs(days.checked_mul(24 * 60 * 60).ok_or_else(bad)?);
    Duration::try_from(hours).ok().and_then(|hours| days.checked_add(hours)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_days_and_hours() {
        assert_eq!(age("30d"), Ok(Duration::from_hours(720)));
        assert_eq!(age("1d6h"), Ok(Duration::from_hours(30)));
        assert_eq!(age("12h"), Ok(Duration::from_hours(12)));
        assert!(age("soon").is_err() && age("d").is_err() && age("-1h").is_err());
    }
}
