//! Quarantine: every row that was left out, where it came from, and why.
//!
//! One table for all layers: `layer, file, row, unique_id, ds, column, value, reason`, null where not known. Rows are
//! written as they come, so that a bad source does not fill the memory.
//!
//! Not here: deciding what is bad (`ingest`, `silver`), how much is too much (`checks`).

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

const BATCH: usize = 16_384;

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuarantinedRow {
    /// `bronze`, `silver` or `gold`.
    pub layer: &'static str,
    /// Source file.
    pub file: Option<String>,
    /// Row in the source file, or ordinal in the table where there is no file; from 1.
    pub row: Option<i64>,
    /// Series, where known.
    pub unique_id: Option<String>,
    /// Timestamp as text, where readable.
    pub ds: Option<String>,
    /// Column at fault.
    pub column: Option<String>,
    /// Its value as text.
    pub value: Option<String>,
    /// Why.
    pub reason: &'static str,
}

/// Writes a quarantine file row by row and counts the reasons.
#[derive(Debug)]
pub struct QuarantineWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
    texts: [StringBuilder; 7],
    rows: Int64Builder,
    counts: BTreeMap<String, u64>,
}

fn schema() -> SchemaRef {
    let names = ["layer", "file", "unique_id", "ds", "column", "value", "reason"];
    let mut fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    fields.insert(2, Field::new("row", DataType::Int64, true));
    Arc::new(Schema::new(fields))
}

impl QuarantineWriter {
    /// Starts a new file.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ParquetError> {
        let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).build();
        let writer = ArrowWriter::try_new(File::create(path)?, schema(), Some(properties))?;
        Ok(Self { path: path.to_owned(), writer, texts: Default::default(), rows: Int64Builder::new(), counts: BTreeMap::new() })
    }

    /// Returns where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a row.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn push(&mut self, row: QuarantinedRow) -> Result<(), ParquetError> {
        *self.counts.entry(row.reason.to_owned()).or_default() += 1;
        let values = [Some(row.layer.to_owned()), row.file, row.unique_id, row.ds, row.column, row.value, Some(row.reason.to_owned())];
        for (builder, value) in self.texts.iter_mut().zip(values) {
            builder.append_option(value);
        }
        self.rows.append_option(row.row);
        if self.texts[0].values_slice().len() >= BATCH * 6 { self.flush() } else { Ok(()) }
    }

    /// Returns the rows so far, by reason.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let mut columns: Vec<ArrayRef> = self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        columns.insert(2, Arc::new(self.rows.finish()));
        let batch = RecordBatch::try_new(schema(), columns)?;
        self.writer.write(&batch)
    }

    /// Completes the file, on the disk, and returns the rows by reason.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<BTreeMap<String, u64>, ParquetError> {
        self.flush()?;
        self.writer.into_inner()?.sync_all()?;
        Ok(self.counts)
    }
}

/// A row of a quarantine file, as text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct QuarantineEntry {
    /// Layer that refused it.
    pub layer: String,
    /// Source file.
    pub file: Option<String>,
    /// Row in it.
    pub row: Option<i64>,
    /// Series.
    pub unique_id: Option<String>,
    /// Timestamp.
    pub ds: Option<String>,
    /// Column at fault.
    pub column: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// Why.
    pub reason: String,
}

/// Reads up to `limit` rows of a quarantine file.
///
/// # Errors
/// If the file cannot be read.
pub fn read_quarantine(path: &Path, limit: usize) -> Result<Vec<QuarantineEntry>, ParquetError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.with_limit(limit).build()?;
    let mut entries = Vec::new();
    for batch in reader {
        let batch = batch?;
        if batch.schema().fields() != schema().fields() {
            return Err(ParquetError::General("not a quarantine table".into()));
        }
        let text = |column: usize, row: usize| {
            let array = batch.column(column).as_string::<i32>();
            array.is_valid(row).then(|| array.value(row).to_owned())
        };
        let rows = batch.column(2).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            entries.push(QuarantineEntry {
                layer: text(0, row).unwrap_or_default(),
                file: text(1, row),
                row: rows.is_valid(row).then(|| rows.value(row)),
                unique_id: text(3, row),
                ds: text(4, row),
                column: text(5, row),
                value: text(6, row),
                reason: text(7, row).unwrap_or_default(),
            });
        }
    }
    Ok(entries)
}
