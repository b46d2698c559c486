//! Taking rows out: a copy of a table without the rows that failed, and a table of those with the reason.
//!
//! The quarantine has the columns of every quarantine of the lake: `layer, file, row, unique_id, ds, column, value, reason`.
//!
//! Not here: which rows fail (`run`), where the copy lies and when it counts (`almanac-pipeline`).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::column::View;
use crate::error::CheckError;
use crate::outcome::Validation;
use crate::source::Table;
use crate::suite::Suite;

/// Where the rows of a table came from, for the quarantine.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Layer that refuses them.
    pub layer: String,
    /// Column with the index of the source file, where there is one.
    pub file_column: Option<String>,
    /// Column with the row of the source file, where there is one.
    pub row_column: Option<String>,
    /// Source files in the order of their indices.
    pub files: Vec<String>,
    /// Column with the time of a row, where there is one.
    pub time_column: Option<String>,
    /// Columns whose values the quarantine may not show.
    pub personal: Vec<String>,
}

/// Writes `part-00000.parquet` with the rows that may stay and `quarantine.parquet` with those that may not into a folder, and
/// returns how many were taken out. Both files are on the disk when it returns.
///
/// # Errors
/// If a file cannot be read or written.
pub fn take_out(table: &Table, suite: &Suite, validation: &Validation, origin: &Origin, folder: &Path) -> Result<u64, CheckError> {
    let rows = validation.quarantined();
    let path = folder.join("part-00000.parquet");
    let refuse = |source| CheckError::Parquet { path: path.clone(), source };
    let unwritable = |source| CheckError::Read { path: path.clone(), source };
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_max_row_group_row_count(Some(1 << 20)).build();
    let file = File::create(&path).map_err(unwritable)?;
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&table.schema), Some(properties)).map_err(refuse)?;
    let mut taken: Vec<[Option<String>; 6]> = Vec::new();
    let mut numbers: Vec<Option<i64>> = Vec::new();
    table.batches(|batch, offset| {
        let stays: BooleanArray = (0..batch.num_rows()).map(|row| Some(!rows.contains_key(&(offset + row as u64)))).collect();
        let kept = filter_record_batch(batch, &stays).map_err(CheckError::Arrow)?;
        writer.write(&kept).map_err(refuse)?;
        if kept.num_rows() == batch.num_rows() {
            return Ok(());
        }
        let view = View::of(batch, offset)?;
        for (place, outcome) in rows.range(offset..offset + batch.num_rows() as u64) {
            let row = (place - offset) as usize;
            let cell = |name: &Option<String>| {
                let value = view.column(name.as_ref()?).ok()?.value(row);
                Some(value.text())
            };
            let expectation = &suite.expectations[*outcome];
            let columns = expectation.columns();
            let hidden = columns.iter().any(|column| origin.personal.contains(column) || suite.personal.contains(column));
            let shown: Vec<String> = expectation
                .rule
                .columns()
                .iter()
                .filter_map(|column| view.column(column).ok().map(|cells| cells.value(row).text()))
                .collect();
            let file = cell(&origin.file_column)
                .map(|index| index.parse().ok().and_then(|index: usize| origin.files.get(index).cloned()).unwrap_or(index));
            numbers.push(cell(&origin.row_column).and_then(|row| row.parse().ok()).or(Some(*place as i64 + 1)));
            taken.push([
                file,
                None,
                cell(&origin.time_column),
                expectation.subject(),
                Some(if hidden { "***".to_owned() } else { shown.join(", ") }),
                Some(expectation.kind.clone()),
            ]);
        }
        Ok(())
    })?;
    writer.into_inner().map_err(refuse)?.sync_all().map_err(unwritable)?;
    write_quarantine(folder, &origin.layer, &taken, numbers)?;
    Ok(rows.len() as u64)
}

fn write_quarantine(folder: &Path, layer: &str, taken: &[[Option<String>; 6]], numbers: Vec<Option<i64>>) -> Result<(), CheckError> {
    let path = folder.join("quarantine.parquet");
    let refuse = |source| CheckError::Parquet { path: path.clone(), source };
    let unwritable = |source| CheckError::Read { path: path.clone(), source };
    let names = ["layer", "file", "unique_id", "ds", "column", "value", "reason"];
    let mut fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    fields.insert(2, Field::new("row", DataType::Int64, true));
    let schema = Arc::new(Schema::new(fields));
    let text = |place: usize| Arc::new(taken.iter().map(|row| row[place].clone()).collect::<StringArray>()) as ArrayRef;
    let mut columns: Vec<ArrayRef> = vec![Arc::new(taken.iter().map(|_| Some(layer)).collect::<StringArray>())];
    columns.extend((0..6).map(text));
    columns.insert(2, Arc::new(Int64Array::from(numbers)));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(CheckError::Arrow)?;
    let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).build();
    let mut writer = ArrowWriter::try_new(File::create(&path).map_err(unwritable)?, schema, Some(properties)).map_err(refuse)?;
    writer.write(&batch).map_err(refuse)?;
    writer.into_inner().map_err(refuse)?.sync_all().map_err(unwritable)
}
