//! Batches into Parquet files of the lake.
//!
//! Light compression, dictionaries, row groups of about a million rows, statistics per column chunk: quick to write, quick to
//! scan by row group. Encoding runs on a thread of its own while the next batch is parsed.
//!
//! Not here: when a table is committed (`ingest`, `atomic`).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::error::IngestError;
use super::{Quarantined, ROW_COLUMN};

const ROW_GROUP: usize = 1 << 20;
/// Cells in a row group beyond which it is closed early, for wide tables.
const ROW_GROUP_CELLS: usize = 64 << 20;
const IN_FLIGHT: usize = 2;

fn properties(columns: usize) -> WriterProperties {
    let rows = (ROW_GROUP_CELLS / columns.max(1)).clamp(1024, ROW_GROUP);
    let row_number = ColumnPath::from(ROW_COLUMN);
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(rows))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(row_number.clone(), false)
        .set_column_encoding(row_number, Encoding::DELTA_BINARY_PACKED)
        .build()
}

/// Writes what `produce` sends into one file; returns what `produce` returns and the number of rows.
pub(crate) fn write_file<T>(
    path: &Path,
    schema: SchemaRef,
    produce: impl FnOnce(&mut dyn FnMut(RecordBatch) -> bool) -> Result<T, IngestError>,
) -> Result<(T, u64), IngestError> {
    let failed = |source| IngestError::Encode { path: path.to_owned(), source };
    let file = File::create(path).map_err(|source| IngestError::Write { path: path.to_owned(), source })?;
    let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(schema.fields().len()))).map_err(failed)?;
    let (sender, receiver) = sync_channel(IN_FLIGHT);
    std::thread::scope(|scope| {
        let encoder = scope.spawn(move || encode(writer, receiver));
        let produced = produce(&mut |batch| sender.send(batch).is_ok());
        drop(sender);
        let rows = match encoder.join() {
            Ok(rows) => rows.map_err(failed),
            Err(panic) => std::panic::resume_unwind(panic),
        };
        // A failed writer is the cause, a producer that was cut off the effect.
        let rows = rows?;
        Ok((produced?, rows))
    })
}

fn encode(mut writer: ArrowWriter<File>, batches: Receiver<RecordBatch>) -> Result<u64, parquet::errors::ParquetError> {
    let mut rows = 0;
    for batch in batches {
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.close()?;
    Ok(rows)
}

/// Writes the rows that were put aside.
pub(crate) fn write_quarantine(path: &Path, rows: &[Quarantined]) -> Result<(), IngestError> {
    let text = |get: fn(&Quarantined) -> &str| Arc::new(StringArray::from_iter_values(rows.iter().map(get)));
    let schema = Arc::new(Schema::new(vec![
        Field::new("file", DataType::Utf8, false),
        Field::new("row", DataType::UInt64, false),
        Field::new("column", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
        Field::new("reason", DataType::Utf8, false),
    ]));
    let numbers = Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.row)));
    let columns: Vec<arrow::array::ArrayRef> =
        vec![text(|row| &row.file), numbers, text(|row| &row.column), text(|row| &row.value), text(|row| &row.reason)];
    let batch = RecordBatch::try_new(schema.clone(), columns).expect("five columns of one length");
    write_file(path, schema, |send| {
        send(batch);
        Ok(())
    })
    .map(|_| ())
}
