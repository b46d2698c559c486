//! The forecast table: what was believed, by which model, at which cutoff. Append-only.
//!
//! One immutable Parquet file per issue, level and model, whose name tells all three, so that a repeated run replaces its
//! own file with the same bytes and nothing else. Columns: `unique_id, ds, cutoff, level, model, mean, q0.025 …`.
//!
//! Not here: making forecasts, choosing the champion.

mod export;
mod issues;
mod read;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_model::Forecast;
use almanac_series::{Freq, Hint};
use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::atomic::write_atomically;
use crate::silver::{ds_array, ds_type};

pub use export::{ExportFormat, export_forecasts, write_csv, write_json, write_parquet};
pub use issues::{IssueInfo, list_issues};
pub use read::{CutoffFilter, ForecastFilter, read_forecasts};

const FREQ_KEY: &str = "almanac.freq";
const SEQUENCE_KEY: &str = "almanac.sequence";
const RUN_KEY: &str = "almanac.run";

/// An issue of the forecast table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastIssue {
    /// Identity of the run that issued it. The same for a repetition of the same work.
    pub run: String,
    /// Grows with every issue; of two with one cutoff, the higher is the newer belief.
    pub sequence: u64,
}

/// Why the forecast table could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForecastTableError {
    /// A file is cut short or not a forecast table.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No file at all.
    #[error("there are no forecasts in `{}`", dir.display())]
    Empty {
        /// The folder.
        dir: PathBuf,
    },
    /// The file system failed.
    #[error("failed to use `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// The file could not be written.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: ParquetError,
    },
    /// Rows could not be put together.
    #[error("failed to lay out forecast rows")]
    Arrow(#[from] ArrowError),
}

impl Hint for ForecastTableError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Damaged { path, .. } => format!("delete `{}` and run `almanac run` again", path.display()),
            Self::Empty { .. } => "run `almanac run` first".into(),
            Self::Io { .. } | Self::Write { .. } => {
                "look at the free space and the rights of the folder; the run can simply be repeated".into()
            }
            Self::Arrow(_) => return None,
        })
    }
}

/// Adds the forecasts of one model at one level to the table, in one step, and returns the file.
///
/// The same issue, level and forecast give the same name and the same bytes.
///
/// # Errors
/// [`ForecastTableError`]; the table is then as before.
pub fn append_forecast(dir: &Path, issue: &ForecastIssue, level: &str, forecast: &Forecast) -> Result<PathBuf, ForecastTableError> {
    let name = format!("{:08}-{}-{}-{}.parquet", issue.sequence, plain(&issue.run), plain(level), plain(&forecast.model));
    let path = dir.join(name);
    let batch = forecast_batch(level, forecast)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(FREQ_KEY.into(), forecast.freq.to_string()),
            KeyValue::new(SEQUENCE_KEY.into(), issue.sequence.to_string()),
            KeyValue::new(RUN_KEY.into(), issue.run.clone()),
        ]))
        .build();
    let written: Result<(), ParquetError> = write_atomically(&path, |file| {
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    });
    written.map_err(|source| ForecastTableError::Write { path: path.clone(), source })?;
    Ok(path)
}

/// Lays a forecast out as rows of the table.
///
/// # Errors
/// [`ForecastTableError::Arrow`] only where a forecast holds more rows than a column can.
pub fn forecast_batch(level: &str, forecast: &Forecast) -> Result<RecordBatch, ForecastTableError> {
    let h = forecast.horizon.steps();
    let rows = forecast.n_series() * h;
    let (mut keys, mut ds, mut cutoffs) = (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
    for (number, span) in forecast.series.iter().enumerate() {
        keys.extend(std::iter::repeat_n(number as i32, h));
        ds.extend((1..=h as i64).map(|step| forecast.freq.ds(span.cutoff.plus(step))));
        cutoffs.extend(std::iter::repeat_n(forecast.freq.ds(span.cutoff), h));
    }
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(forecast.series.iter().map(|span| span.id.as_str())));
    let constant = |text: &str| -> Result<ArrayRef, ArrowError> {
        let keys = Int32Array::from(vec![0; rows]);
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(StringArray::from(vec![text])))?))
    };
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), ids)?),
        ds_array(forecast.freq, ds),
        ds_array(forecast.freq, cutoffs),
        constant(level)?,
        constant(&forecast.model)?,
        Arc::new(Float64Array::from(forecast.mean.clone())),
    ];
    let width = forecast.quantiles.len();
    for number in 0..width {
        columns.push(Arc::new(forecast.quantile_values.iter().skip(number).step_by(width).copied().collect::<Float64Array>()));
    }
    let quantiles: Vec<String> = forecast.quantiles.iter().map(|quantile| quantile.column()).collect();
    Ok(RecordBatch::try_new(table_schema(forecast.freq, &quantiles), columns)?)
}

fn table_schema(freq: Freq, quantiles: &[String]) -> Arc<Schema> {
    let text = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields = vec![
        Field::new("unique_id", text(), false),
        Field::new("ds", ds_type(freq), false),
        Field::new("cutoff", ds_type(freq), false),
        Field::new("level", text(), false),
        Field::new("model", text(), false),
        Field::new("mean", DataType::Float64, false),
    ];
    fields.extend(quantiles.iter().map(|name| Field::new(name, DataType::Float64, true)));
    Arc::new(Schema::new(fields).with_metadata([(FREQ_KEY.to_owned(), freq.to_string())].into()))
}

/// What the name of a file of the table tells; the texts as [`plain`] leaves them.
#[derive(Debug, Clone, Copy)]
struct FileName<'a> {
    sequence: u64,
    run: &'a str,
    level: &'a str,
    model: &'a str,
}

impl<'a> FileName<'a> {
    /// Returns `None` for a file that [`append_forecast`] did not name.
    fn parse(name: &'a str) -> Option<Self> {
        let mut parts = name.strip_suffix(".parquet")?.split('-');
        let (sequence, run, level, model) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let sequence = sequence.parse().ok()?;
        parts.next().is_none().then_some(Self { sequence, run, level, model })
    }
}

/// A name as part of a file name: anything unusual becomes `_` and a short hash keeps names apart.
fn plain(name: &str) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if !name.is_empty() && name.len() <= 80 && name.chars().all(usual) {
        return name.to_owned();
    }
    let kept: String = name.chars().take(40).map(|c| if usual(c) { c } else { '_' }).collect();
    format!("{kept}_{}", &blake3::hash(name.as_bytes()).to_hex()[..8])
}
