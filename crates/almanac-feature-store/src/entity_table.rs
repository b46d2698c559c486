//! A table of entities and, after a join, of their features: in memory, and as a file.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::util::display::array_value_to_string;
use jiff::tz::TimeZone;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::FeatureError;
use crate::clock::write_instant;
use crate::column::{Column, Value};
use crate::online::write_atomically;

/// A table, row by row in its own order.
#[derive(Debug, Clone)]
pub struct EntityTable {
    batch: RecordBatch,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableForm {
    /// Parquet.
    Parquet,
    /// CSV with a header; instants are RFC 3339, bytes base64, lists JSON.
    Csv,
}

impl From<RecordBatch> for EntityTable {
    fn from(batch: RecordBatch) -> Self {
        Self { batch }
    }
}

impl EntityTable {
    /// Puts batches of one schema together.
    ///
    /// # Errors
    /// [`FeatureError::Arrow`] if they are not of one schema.
    pub fn new(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Self, FeatureError> {
        let batch = concat_batches(schema, batches).map_err(|source| FeatureError::Arrow { what: "putting rows together", source })?;
        Ok(Self { batch })
    }

    /// Leaves out the columns of these names, where there are such.
    pub fn without(self, names: &[&str]) -> Self {
        let schema = self.batch.schema();
        let kept: Vec<usize> =
            (0..schema.fields().len()).filter(|column| !names.contains(&schema.field(*column).name().as_str())).collect();
        // Places of columns that are there.
        let batch = self.batch.project(&kept).unwrap_or(self.batch);
        Self { batch }
    }

    /// Returns its rows.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Writes it to a file, which is there whole or as before.
    ///
    /// # Errors
    /// [`FeatureError::Io`].
    pub fn write(&self, path: &Path, form: TableForm) -> Result<(), FeatureError> {
        write_atomically(path, |file| self.write_to(std::io::BufWriter::new(file), form))
    }

    /// Writes it in a form.
    ///
    /// # Errors
    /// Whatever the writer raises.
    pub fn write_to(&self, out: impl Write + Send, form: TableForm) -> std::io::Result<()> {
        match form {
            TableForm::Parquet => {
                let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).build();
                let mut writer = ArrowWriter::try_new(out, self.batch.schema(), Some(properties)).map_err(std::io::Error::other)?;
                writer.write(&self.batch).map_err(std::io::Error::other)?;
                writer.into_inner().map_err(std::io::Error::other)?.flush()
            }
            TableForm::Csv => self.write_csv(out),
        }
    }

    fn write_csv(&self, out: impl Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let schema = self.batch.schema();
        writer.write_record(schema.fields().iter().map(|field| field.name()))?;
        // What is of no type that a feature has came with the entity table.
        let of = |array| Column::new(array, None, &TimeZone::UTC, "", "").ok();
        let columns: Vec<Option<Column>> = self.batch.columns().iter().map(of).collect();
        let mut text = String::new();
        for row in 0..self.rows() {
            for (column, array) in columns.iter().zip(self.batch.columns()) {
                text.clear();
                match column {
                    Some(column) => write_value(column.value(row), &mut text),
                    None if array.is_null(row) => {}
                    None => text.push_str(&array_value_to_string(array, row).map_err(std::io::Error::other)?),
                }
                writer.write_field(&text)?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }
}

/// Writes a value so that reading it gives the same bits; a missing one is nothing.
fn write_value(value: Option<Value>, text: &mut String) {
    let written = match value {
        None => Ok(()),
        Some(Value::Int(value)) => write!(text, "{value}"),
        Some(Value::Real(value)) => write!(text, "{value}"),
        Some(Value::Real32(value)) => write!(text, "{value}"),
        Some(Value::Bool(value)) => write!(text, "{value}"),
        Some(Value::Text(value)) => text.write_str(&value),
        Some(Value::Time(value)) => text.write_str(&write_instant(value)),
        Some(value @ (Value::Bytes(_) | Value::List(_))) => match value.to_json() {
            serde_json::Value::String(base64) => text.write_str(&base64),
            list => write!(text, "{list}"),
        },
    };
    written.expect("a String takes everything");
}
