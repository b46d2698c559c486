//! `almanac demo`: makes a project of synthetic retail data and runs the whole job on it.

use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::commands::run::{self, RunArgs};
use crate::context::Context;
use crate::demo::{DemoError, DemoSpec, write_demo};
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::OutputFormat;

const EXAMPLE: &str = "\
Examples:
  almanac demo shop && almanac -C shop serve
  almanac demo big --series 5000 --no-run

The same numbers give the same files, byte for byte. What is wrong with them on purpose is told in DIR/raw/README.md.";

/// Make a project of synthetic retail data and run the whole job on it
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct DemoArgs {
    /// Folder to make
    #[arg(id = "demo_folder", value_name = "DIR", default_value = "demo")]
    pub(crate) folder: PathBuf,
    /// Series: one item in one store each
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) series: u32,
    /// Days of history
    #[arg(long, value_name = "T", default_value_t = 1095, value_parser = value_parser!(u32).range(1..=7300))]
    pub(crate) days: u32,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Days ahead for which prices and promotions are known
    #[arg(long, value_name = "H", default_value_t = 28, value_parser = value_parser!(u32).range(1..=366))]
    pub(crate) horizon: u32,
    /// Write the files and stop
    #[arg(long)]
    pub(crate) no_run: bool,
    /// Write over another project's `almanac.toml` and `raw/`
    #[arg(long)]
    pub(crate) force: bool,
}

/// Carries out `almanac demo`. A relative folder is meant from the one that `-C` names.
pub(crate) fn demo(ctx: &Context, args: DemoArgs) -> Result<ExitStatus, Failure> {
    let folder = ctx.path(&args.folder);
    let spec = DemoSpec { series: args.series, days: args.days, seed: args.seed, horizon: args.horizon };
    let mut progress = ctx.printer.progress("raw data", u64::from(spec.series));
    let written = write_demo(&folder, &spec, args.force, |done| progress.set(done));
    let summary = match written {
        Err(error @ DemoError::Taken { .. }) => return Err(Failure::new(ExitStatus::Usage, error)),
        other => other.or_fail(ExitStatus::Io)?,
    };
    progress.finish();
    ctx.printer.note(&format!(
        "{} series of {} items in {} stores, {} to {}, {} lines of sales in `{}`",
        summary.series,
        summary.items,
        summary.stores,
        summary.first_day,
        summary.last_day,
        summary.sales_lines,
        folder.join("raw").display()
    ));
    if args.no_run {
        return Ok(ExitStatus::Success);
    }
    run::run(
        &ctx.in_folder(folder),
        RunArgs { force: false, only: None, models: None, budget: None, offline: false, reload: Vec::new(), format: OutputFormat::Text },
    )
}
