//! One file of online values: Parquet, so that any tool can look into it.
//!
//! Columns: the keys under their names, the time, `created` where the view has it, then the columns that the fields are made of.
//! Times are microseconds in UTC. Rows are in the order of the source, with which ties are broken.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{Field, Schema};
use jiff::tz::TimeZone;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::manifest::{SegmentFile, write_atomically};
use crate::FeatureError;
use crate::clock::Micros;
use crate::column::{Column, instants};
use crate::declaration::View;
use crate::plan::Plan;
use crate::rows::Rows;

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 18;

/// Writes a segment; it is there whole or not at all.
pub(crate) fn write(folder: &Path, number: u64, view: &View, plan: &Plan, rows: &Rows) -> Result<SegmentFile, FeatureError> {
    let mut segment = SegmentFile { number, rows: rows.len() as u64, bytes: 0, blake3: String::new() };
    let path = segment.path(folder);
    let time = |values: &[Micros]| Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC")) as ArrayRef;
    let mut fields: Vec<Field> = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut add = |name: String, array: ArrayRef, nullable: bool| {
        fields.push(Field::new(name, array.data_type().clone(), nullable));
        arrays.push(array);
    };
    // Names of the source may repeat each other here: a place in front keeps them apart.
    view.keys.iter().zip(&rows.keys).for_each(|(key, column)| add(format!("key.{}", key.name), column.array(), false));
    add("time".to_owned(), time(&rows.times), false);
    if let Some(created) = &rows.created {
        let known = created.iter().map(|created| (*created != Micros::MIN).then_some(*created));
        add("created".to_owned(), Arc::new(known.collect::<TimestampMicrosecondArray>().with_timezone("UTC")), true);
    }
    plan.columns.iter().zip(&rows.columns).for_each(|((name, _), column)| add(format!("value.{name}"), column.array(), true));
    let arrow = |source| FeatureError::Arrow { what: "writing a segment", source };
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(arrow)?;
    // Read at every start: plain values are the fastest to read.
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::PLAIN)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let mut bytes = Vec::new();
    let written = (|| {
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
        for from in (0..batch.num_rows()).step_by(GROUP_ROWS) {
            writer.write(&batch.slice(from, GROUP_ROWS.min(batch.num_rows() - from)))?;
        }
        writer.close()
    })();
    written.map_err(|source| FeatureError::Parquet { path: path.clone(), source })?;
    segment.bytes = bytes.len() as u64;
    segment.blake3 = blake3::hash(&bytes).to_hex().to_string();
    write_atomically(&path, |file| std::io::Write::write_all(file, &bytes))?;
    Ok(segment)
}

/// Reads a segment, and checks that it is what the manifest says.
///
/// # Errors
/// [`FeatureError::Damaged`] if it is not; [`FeatureError::Io`] if it is gone.
pub(crate) fn read(folder: &Path, segment: &SegmentFile, view: &View, plan: &Plan) -> Result<Rows, FeatureError> {
    let path = segment.path(folder);
    let damaged = |why: &str| FeatureError::Damaged { path: path.clone(), why: why.to_owned() };
    let bytes = fs::read(&path).map_err(|error| FeatureError::read(&path, error))?;
    if bytes.len() as u64 != segment.bytes || blake3::hash(&bytes).to_hex().as_str() != segment.blake3 {
        return Err(damaged("its bytes are not those that were written"));
    }
    let failed = |source| FeatureError::Parquet { path: path.clone(), source };
    let bytes = bytes::Bytes::from(bytes);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(failed)?.with_batch_size(GROUP_ROWS).build().map_err(failed)?;
    let place = format!("`{}`", path.display());
    let mut parts = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|source| failed(source.into()))?;
        let named = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(&format!("it has no column `{name}`")));
        let column = |name: String| Column::new(named(&name)?, None, &TimeZone::UTC, &place, &name);
        let micros = |name: &str| instants(named(name)?, &TimeZone::UTC, &place, name);
        let created = match view.created {
            None => None,
            Some(_) => Some(micros("created")?.iter().map(|created| created.unwrap_or(Micros::MIN)).collect()),
        };
        parts.push(Rows {
            keys: view.keys.iter().map(|key| column(format!("key.{}", key.name))).collect::<Result<_, _>>()?,
            times: micros("time")?.values().to_vec(),
            created,
            columns: plan.columns.iter().map(|(name, _)| column(format!("value.{name}"))).collect::<Result<_, _>>()?,
        });
    }
    Rows::stack(parts, view, plan, &place)
}
