//! Forecast rows as CSV, JSON and Parquet files.
//!
//! Floats are written in the shortest form that reads back as the same number; `ds` is a date for daily and coarser
//! frequencies, an ISO date and time below, an integer for steps.
//!
//! Not here: which rows (`read`).

use std::io::{self, Write};
use std::path::Path;

use almanac_series::Freq;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{FREQ_KEY, ForecastTableError};
use crate::atomic::write_atomically;
use crate::lake::ds_values;

/// A format that forecasts can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated, with a header.
    Csv,
    /// One array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
}

impl ExportFormat {
    /// Tells the format from the ending of a file name.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Writes rows to a file, which is complete or as before.
///
/// # Errors
/// [`ForecastTableError::Io`] or [`ForecastTableError::Write`].
pub fn export_forecasts(path: &Path, format: ExportFormat, batches: &[RecordBatch]) -> Result<(), ForecastTableError> {
    let io_failed = |source| ForecastTableError::Io { path: path.to_owned(), source };
    match format {
        ExportFormat::Csv => write_atomically(path, |file| write_csv(file, batches)).map_err(io_failed),
        ExportFormat::Json => write_atomically(path, |file| write_json(file, batches)).map_err(io_failed),
        ExportFormat::Parquet => write_atomically(path, |file| write_parquet(file, batches))
            .map_err(|source| ForecastTableError::Write { path: path.to_owned(), source }),
    }
}

/// Writes rows as CSV.
///
/// # Errors
/// Whatever the writer raises.
pub fn write_csv(out: impl Write, batches: &[RecordBatch]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    if let Some(first) = batches.first() {
        writer.write_record(first.schema().fields().iter().map(|field| field.name()))?;
    }
    let mut text = String::new();
    for batch in batches {
        let cells = cells(batch);
        for row in 0..batch.num_rows() {
            for cell in &cells {
                text.clear();
                cell.text(row, &mut text);
                writer.write_field(&text)?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
    }
    writer.flush()
}

/// Writes rows as one JSON array of objects; numbers that are missing are null.
///
/// # Errors
/// Whatever the writer raises.
pub fn write_json(mut out: impl Write, batches: &[RecordBatch]) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut text = String::new();
    let mut is_first = true;
    for batch in batches {
        let cells = cells(batch);
        let schema = batch.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| serde_json::Value::from(field.name().as_str()).to_string()).collect();
        for row in 0..batch.num_rows() {
            out.write_all(if is_first { b"\n{" } else { b",\n{" })?;
            is_first = false;
            for (number, (cell, name)) in cells.iter().zip(&names).enumerate() {
                text.clear();
                cell.text(row, &mut text);
                let quoted = if text.is_empty() {
                    "null".to_owned()
                } else if matches!(cell, Cells::Number(_) | Cells::Step(_)) {
                    std::mem::take(&mut text)
                } else {
                    serde_json::Value::from(text.as_str()).to_string()
                };
                let comma = if number == 0 { "" } else { "," };
                write!(out, "{comma}{name}:{quoted}")?;
            }
            out.write_all(b"}")?;
        }
    }
    out.write_all(b"\n]\n")
}

/// Writes rows as Parquet.
///
/// # Errors
/// Whatever the writer raises.
pub fn write_parquet(out: impl Write + Send, batches: &[RecordBatch]) -> Result<(), ParquetError> {
    let Some(first) = batches.first() else { return Err(ParquetError::General("no rows".into())) };
    let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).build();
    let mut writer = ArrowWriter::try_new(out, first.schema(), Some(properties))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(())
}

/// A column as the texts of its rows.
enum Cells<'a> {
    Text(Vec<usize>, &'a arrow::array::StringArray),
    Number(&'a arrow::array::Float64Array),
    Time(Freq, &'a [i64]),
    Step(&'a [i64]),
    Other(&'a ArrayRef),
}

fn cells(batch: &RecordBatch) -> Vec<Cells<'_>> {
    let schema = batch.schema();
    let freq: Freq = schema.metadata().get(FREQ_KEY).and_then(|freq| freq.parse().ok()).unwrap_or(Freq::Second(1));
    let cell = |column| -> Cells<'_> { cell_of(column, freq) };
    batch.columns().iter().map(cell).collect()
}

fn cell_of(column: &ArrayRef, freq: Freq) -> Cells<'_> {
    match column.data_type() {
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            match dictionary.values().as_string_opt::<i32>() {
                Some(texts) if !texts.is_empty() => Cells::Text(dictionary.normalized_keys(), texts),
                _ => Cells::Other(column),
            }
        }
        DataType::Float64 => Cells::Number(column.as_primitive::<Float64Type>()),
        DataType::Int64 => Cells::Step(column.as_primitive::<Int64Type>().values()),
        _ => ds_values(column).map_or(Cells::Other(column), |ds| Cells::Time(freq, ds)),
    }
}

impl Cells<'_> {
    fn text(&self, row: usize, text: &mut String) {
        use std::fmt::Write as _;
        let written = match self {
            Self::Text(keys, texts) => write!(text, "{}", texts.value(keys[row])),
            Self::Number(values) if values.is_null(row) || !values.value(row).is_finite() => Ok(()),
            // Beyond this, plain digits would go on for pages.
            Self::Number(values) if values.value(row).abs() >= 1e17 || (values.value(row) != 0.0 && values.value(row).abs() < 1e-7) => {
                write!(text, "{:e}", values.value(row))
            }
            Self::Number(values) => write!(text, "{}", values.value(row)),
            Self::Time(freq, ds) => write!(text, "{}", freq.label(freq.period(ds[row]))),
            Self::Step(ds) => write!(text, "{}", ds[row]),
            Self::Other(column) => write!(text, "{}", arrow::util::display::array_value_to_string(column, row).unwrap_or_default()),
        };
        written.expect("a String takes everything");
    }
}
