//! Where forecast rows go, and in which form.

use std::path::{Path, PathBuf};

use almanac_data::{ExportFormat, ForecastTable, export_forecasts, write_csv, write_json, write_parquet};
use almanac_series::Hint;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};

/// The forms a forecast can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ForecastFormat {
    Csv,
    Parquet,
    Json,
}

#[derive(Debug, thiserror::Error)]
#[error("the name `{}` does not say in which form to write", out.display())]
struct UnknownForm {
    out: PathBuf,
}

impl Hint for UnknownForm {
    fn hint(&self) -> Option<String> {
        Some("end it in `.csv`, `.parquet` or `.json`, or add `--format csv`".to_owned())
    }
}

/// A file to write; none is standard output.
#[derive(Debug)]
pub(super) struct Output {
    file: Option<PathBuf>,
    format: ForecastFormat,
}

impl Output {
    /// Settles the form: the one asked for, or the one the file's name tells.
    ///
    /// # Errors
    /// Exit code 2 if neither says.
    pub(super) fn new(out: Option<&Path>, asked: Option<ForecastFormat>) -> Result<Self, Failure> {
        let file = out.filter(|out| *out != Path::new("-")).map(Path::to_owned);
        let format = match (asked, &file) {
            (Some(format), _) => format,
            (None, None) => ForecastFormat::Csv,
            (None, Some(out)) => of_name(out).ok_or_else(|| Failure::new(ExitStatus::Usage, UnknownForm { out: out.clone() }))?,
        };
        Ok(Self { file, format })
    }

    /// Writes the rows; a file is complete or as before. `what`: of which model they are and from when.
    ///
    /// # Errors
    /// Exit code 8.
    pub(super) fn write(&self, ctx: &Context, table: &ForecastTable, what: &str) -> Result<(), Failure> {
        let Some(file) = &self.file else {
            let mut out = std::io::stdout();
            let written = match self.format {
                ForecastFormat::Csv => write_csv(&mut out, table.batches()),
                ForecastFormat::Json => write_json(&mut out, table.batches()),
                ForecastFormat::Parquet => write_parquet(&mut out, table.batches()).map_err(std::io::Error::other),
            };
            return written.map_err(|error| Failure::foreign(ExitStatus::Io, error));
        };
        let format = match self.format {
            ForecastFormat::Csv => ExportFormat::Csv,
            ForecastFormat::Parquet => ExportFormat::Parquet,
            ForecastFormat::Json => ExportFormat::Json,
        };
        let out = ctx.path(file);
        export_forecasts(&out, format, table.batches()).or_fail(ExitStatus::Io)?;
        ctx.printer.note(&format!("wrote {} rows of {what} to `{}`", table.n_rows(), out.display()));
        Ok(())
    }
}

fn of_name(out: &Path) -> Option<ForecastFormat> {
    match out.extension()?.to_string_lossy().to_lowercase().as_str() {
        "csv" => Some(ForecastFormat::Csv),
        "parquet" | "pq" => Some(ForecastFormat::Parquet),
        "json" => Some(ForecastFormat::Json),
        _ => None,
    }
}
