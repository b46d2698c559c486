//! `almanac init`: looks at a source, infers what its columns mean, says why, and writes a commented `almanac.toml`.
//!
//! What the data leaves open is asked for on a terminal; elsewhere, or with `--yes`, the likeliest answer is taken and the doubt
//! is reported and written at the top of the file.

mod folds;
mod inference;
mod outside;
mod report;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use almanac_config::{InitAnswers, Overrides, Settings, write_project};
use almanac_series::{Hint, Horizon, SeasonLength};
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::OutputFormat;

use inference::{Known, infer};

const EXAMPLE: &str = "\
Examples:
  almanac init sales.csv
  almanac init data/ --target Weekly_Sales --horizon 8 --yes
  almanac init postgresql://reader@db/shop --table sales

SOURCE is a file (CSV, JSON, Excel, Parquet; zip, gzip and zstd are unpacked), a folder of them, or the
URL of a database or of objects. Passwords stay in the environment: `${env:NAME}`.";

/// Write `almanac.toml` for a source, inferring what its columns mean
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct InitArgs {
    /// File, folder or URL with the sales history
    #[arg(value_name = "SOURCE")]
    pub(crate) source: PathBuf,
    /// Table of the database that SOURCE names
    #[arg(long, value_name = "TABLE")]
    pub(crate) table: Option<String>,
    /// Column that says when
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time: Option<String>,
    /// Column to forecast
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// Columns that tell one series from another: `store,item`
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(crate) id: Vec<String>,
    /// Spacing of the history: D, W-SUN, MS, h, …
    #[arg(long, value_name = "FREQ")]
    pub(crate) freq: Option<String>,
    /// Steps to forecast
    #[arg(long, value_name = "H", value_parser = steps)]
    pub(crate) horizon: Option<Horizon>,
    /// Rows in a season, where it is not the usual one of the spacing
    #[arg(long, value_name = "ROWS", value_parser = season)]
    pub(crate) season_length: Option<SeasonLength>,
    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "almanac.toml")]
    pub(crate) out: PathBuf,
    /// Write over an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// Ask nothing: take the most likely answer and report the doubt
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Form of the report of what was inferred
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("`{}` exists", path.display())]
    Exists { path: PathBuf },
    #[error("there is no `{}`", path.display())]
    NoSource { path: PathBuf, source: io::Error },
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl Hint for InitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("add `--force` to write over it, or `--out -` to see what would be written".to_owned()),
            Self::NoSource { .. } => Some("name a CSV, Parquet or JSON lines file, or a folder of them".to_owned()),
            Self::Write { .. } => Some("make the folder writable for you, or name another file with `--out`".to_owned()),
        }
    }
}

fn steps(given: &str) -> Result<Horizon, String> {
    let steps: usize = given.parse().map_err(|_| "a whole number of steps is needed".to_owned())?;
    Horizon::new(steps).map_err(|error| error.to_string())
}

fn season(given: &str) -> Result<SeasonLength, String> {
    let rows: usize = given.parse().map_err(|_| "a whole number of rows is needed".to_owned())?;
    SeasonLength::new(rows).map_err(|error| error.to_string())
}

/// Carries out `almanac init`.
pub(crate) fn init(ctx: &Context, args: InitArgs) -> Result<ExitStatus, Failure> {
    let is_to_stdout = args.out == Path::new("-");
    let out = ctx.path(&args.out);
    if !is_to_stdout && !args.force && out.exists() {
        return Err(Failure::new(ExitStatus::Usage, InitError::Exists { path: out }));
    }
    let outside = outside::of(&args.source, args.table.as_deref());
    let sources = if let Some(outside) = &outside {
        outside::land(ctx, outside)?
    } else {
        let source = ctx.path(&args.source);
        fs::metadata(almanac_data::on_disk(&source))
            .map_err(|error| InitError::NoSource { path: source.clone(), source: error })
            .or_fail(ExitStatus::DataInput)?;
        vec![source]
    };
    let infer = |known: &Known| infer(ctx, &sources, known).map(|found| InitAnswers { outside: outside.clone(), ..found });

    let mut known = Known {
        time: args.time,
        target: args.target,
        id: args.id,
        freq: args.freq,
        horizon: args.horizon,
        season_length: args.season_length,
    };
    let mut inferred = infer(&known)?;
    if !args.yes && !inferred.questions.is_empty() && ctx.printer.is_interactive() {
        for question in &inferred.questions {
            ctx.printer.note(question);
        }
        let before = known.clone();
        known.target = Some(ctx.printer.ask("Which column is to be forecast?", &inferred.target)?);
        known.time = Some(ctx.printer.ask("Which column says when?", &inferred.time)?);
        let id = ctx.printer.ask("Which columns tell one series from another, with commas between?", &inferred.id.join(","))?;
        known.id = id.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        if known != before {
            inferred = infer(&known)?;
        }
    }

    let text = write_project(&inferred);
    // The file that we write is one that we read.
    let folder = out.parent().unwrap_or(Path::new("."));
    Settings::from_text(folder, &text, &Overrides::default(), &Overrides::default()).or_fail(ExitStatus::Config)?;
    if is_to_stdout {
        ctx.printer.data(&text)?;
        return Ok(ExitStatus::Success);
    }
    write_new(&out, &text).map_err(|source| InitError::Write { path: out.clone(), source }).or_fail(ExitStatus::Io)?;
    match args.format {
        OutputFormat::Json => ctx.printer.json(&report::findings(&inferred))?,
        OutputFormat::Text => ctx.printer.data(&report::table_of(&inferred))?,
    }
    for question in &inferred.questions {
        ctx.printer.warning(question);
    }
    ctx.printer.note(&format!("wrote `{}`; look it over, then `almanac run`", out.display()));
    Ok(ExitStatus::Success)
}

/// Puts a whole file into its place, or none.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".almanac-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
