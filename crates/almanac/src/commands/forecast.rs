//! `almanac forecast`: the newest forecasts of the champion, as a file.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use almanac_config::Overrides;
use almanac_data::{ExportFormat, ForecastFilter, ForecastTable, export_forecasts, write_csv, write_json, write_parquet};
use almanac_pipeline::{Project, read_bundle_file, read_champion};
use almanac_series::Hint;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::session::OrFailPipeline;

const EXAMPLE: &str = "\
Examples:
  almanac forecast --out forecast.csv
  almanac forecast --out - --series S001/BAK-01 --horizon 7
  almanac forecast --out regions.parquet --level region

Columns: unique_id, ds, cutoff, model, mean, q0.005 … q0.995.";

/// Write the champion's forecasts to a file
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ForecastArgs {
    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Level of the hierarchy; the bottom by default
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<String>,
    /// Only this series; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) series: Vec<String>,
    /// Steps ahead, at most those of the project
    #[arg(long, value_name = "H")]
    pub(crate) horizon: Option<NonZeroU32>,
    /// Another model than the champion
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Form of the file; told from its name by default, csv on standard output
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ForecastFormat>,
}

/// The forms a forecast can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ForecastFormat {
    Csv,
    Parquet,
    Json,
}

#[derive(Debug, thiserror::Error)]
enum ForecastError {
    #[error("{asked} steps were asked for, {issued} are forecast")]
    TooFar { asked: usize, issued: usize },
    #[error("there are no forecasts of `{model}`")]
    NoModel { model: String, models: Vec<String> },
    #[error("nothing at level `{level}` matches `{series}`")]
    NothingMatches { level: String, series: String },
    #[error("the name `{}` does not say in which form to write", out.display())]
    UnknownForm { out: PathBuf },
}

impl Hint for ForecastError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooFar { asked, .. } => Some(format!("set `[forecast] horizon = {asked}` and run again")),
            Self::NoModel { models, .. } => Some(format!("there are {}", models.join(", "))),
            Self::NothingMatches { .. } => Some("levels and series are listed by `almanac serve`; the leaves are level `bottom`".into()),
            Self::UnknownForm { .. } => Some("end it in `.csv`, `.parquet` or `.json`, or add `--format csv`".to_owned()),
        }
    }
}

impl ForecastArgs {
    /// Returns whether the forecasts go to standard output.
    pub(crate) fn is_to_stdout(&self) -> bool {
        self.out == Path::new("-")
    }

    /// Returns the form to write in: the one asked for, or the one the file's name tells.
    ///
    /// # Errors
    /// Exit code 2 if neither says.
    pub(crate) fn file_format(&self) -> Result<ForecastFormat, Failure> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        if self.is_to_stdout() {
            return Ok(ForecastFormat::Csv);
        }
        let extension = self.out.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv") => Ok(ForecastFormat::Csv),
            Some("parquet" | "pq") => Ok(ForecastFormat::Parquet),
            Some("json") => Ok(ForecastFormat::Json),
            _ => Err(Failure::new(ExitStatus::Usage, ForecastError::UnknownForm { out: self.out.clone() })),
        }
    }
}

/// Carries out `almanac forecast`.
pub(crate) fn forecast(ctx: &Context, args: ForecastArgs) -> Result<ExitStatus, Failure> {
    let format = args.file_format()?;
    let settings = ctx.settings(Overrides::default())?;
    let project = Project::new(&settings.project);
    let champion = read_champion(&project).or_fail_pipeline()?;
    let file = read_bundle_file(&project, &champion).or_fail_pipeline()?;
    if let Some(asked) = args.horizon.map(|horizon| horizon.get() as usize).filter(|asked| *asked > file.horizon) {
        return Err(Failure::new(ExitStatus::Usage, ForecastError::TooFar { asked, issued: file.horizon }));
    }
    let model = args.model.clone().unwrap_or_else(|| champion.model.clone());
    if !file.models.contains(&model) {
        return Err(Failure::new(ExitStatus::Usage, ForecastError::NoModel { model, models: file.models }));
    }
    let filter = ForecastFilter {
        run: Some(champion.issue.clone()),
        level: Some(args.level.clone().unwrap_or_else(|| "bottom".to_owned())),
        series: (!args.series.is_empty()).then(|| args.series.clone()),
        model: Some(model),
        horizon: args.horizon.map(|horizon| horizon.get() as usize),
        ..ForecastFilter::default()
    };
    let table = ForecastTable::read(&project.forecasts(), &filter).or_fail(ExitStatus::Io)?;
    if table.n_rows() == 0 {
        let level = filter.level.unwrap_or_default();
        return Err(Failure::new(ExitStatus::Usage, ForecastError::NothingMatches { level, series: args.series.join(", ") }));
    }
    if args.is_to_stdout() {
        let mut out = std::io::stdout();
        let written = match format {
            ForecastFormat::Csv => write_csv(&mut out, table.batches()),
            ForecastFormat::Json => write_json(&mut out, table.batches()),
            ForecastFormat::Parquet => write_parquet(&mut out, table.batches()).map_err(std::io::Error::other),
        };
        written.map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
        return Ok(ExitStatus::Success);
    }
    let format = match format {
        ForecastFormat::Csv => ExportFormat::Csv,
        ForecastFormat::Parquet => ExportFormat::Parquet,
        ForecastFormat::Json => ExportFormat::Json,
    };
    let out = ctx.path(&args.out);
    export_forecasts(&out, format, table.batches()).or_fail(ExitStatus::Io)?;
    ctx.printer.note(&format!("wrote {} rows of `{}` from {} to `{}`", table.n_rows(), champion.model, champion.cutoff, out.display()));
    Ok(ExitStatus::Success)
}
