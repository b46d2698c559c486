//! `almanac forecast`: the newest forecasts of the champion, as a file.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use almanac_config::Overrides;
use almanac_series::Hint;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

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
    #[error("the name `{}` does not say in which form to write", out.display())]
    UnknownForm { out: PathBuf },
}

impl Hint for ForecastError {
    fn hint(&self) -> Option<String> {
        match self {
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
    args.file_format()?;
    ctx.settings(Overrides::default())?;
    super::not_built("forecast")
}
