//! One data file as it lands: as it is, or without deleted rows, with the columns of its partition, and with the table's names and types.
//!
//! Not here: where it comes from (`place`), which rows are deleted (`vector`).

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, RecordBatch, StringArray, StructArray, UInt32Array, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options, filter_record_batch, take};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type;
use roaring::RoaringTreemap;

use super::action::Add;
use super::place::Place;
use super::schema::{Column, Kind, Mapping, TableSchema};
use crate::error::ConnectError;
use crate::rows::{properties, unwritten};

const BATCH_ROWS: usize = 16_384;
/// What a Parquet file numbers its columns with.
const FIELD_ID: &str = "PARQUET:field_id";

/// Why a file could not be copied.
#[derive(Debug)]
pub(super) enum Failed {
    /// The data file.
    Read(String),
    /// The landed file.
    Write(ConnectError),
}

impl Failed {
    pub(super) fn into_error(self, place: &Place<'_>, path: &str) -> ConnectError {
        match self {
            Self::Read(reason) => place.refused(&format!("`{path}` cannot be read: {reason}")),
            Self::Write(error) => error,
        }
    }
}

impl From<ArrowError> for Failed {
    fn from(error: ArrowError) -> Self {
        Self::Read(error.to_string())
    }
}

/// Runs a step of the decoder, which panics on some damaged files; `None` if it did.
pub(super) fn guarded<T>(step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}

/// Copies a file, returns its rows.
pub(super) fn copy(from: &Path, to: &Path, table: &TableSchema, add: &Add, deleted: Option<&RoaringTreemap>) -> Result<u64, Failed> {
    let (metadata, has_long_times) = guarded(|| open(from)).ok_or_else(undecodable)??;
    if deleted.is_none() && !has_long_times && is_as_wanted(table, metadata.schema()) {
        let unwritten = |source| Failed::Write(ConnectError::Write { file: to.display().to_string(), source });
        std::fs::copy(from, to).map_err(unwritten)?;
        return Ok(metadata.metadata().file_metadata().num_rows().max(0) as u64);
    }
    rewrite(from, to, table, add, deleted, metadata)
}

fn undecodable() -> Failed {
    Failed::Read("its pages cannot be decoded".to_owned())
}

/// Opens a file; also returns whether it holds times of 96 bits, which others would read as nanoseconds.
fn open(path: &Path) -> Result<(ArrowReaderMetadata, bool), Failed> {
    let bad = |error: parquet::errors::ParquetError| Failed::Read(error.to_string());
    let file = File::open(path).map_err(|error: io::Error| Failed::Read(error.to_string()))?;
    let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options()).map_err(bad)?;
    // Times of 96 bits are nanoseconds for Arrow, which end in 2262.
    let types = metadata.parquet_schema().root_schema().get_fields();
    let is_long = |place: usize| types.get(place).is_some_and(|found| found.is_primitive() && found.get_physical_type() == Type::INT96);
    if !(0..types.len()).any(is_long) {
        return Ok((metadata, false));
    }
    let field = |(place, field): (usize, &Arc<Field>)| {
        if is_long(place) {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(TimeUnit::Microsecond, None)))
        } else {
            field.clone()
        }
    };
    let fields: Fields = metadata.schema().fields().iter().enumerate().map(field).collect();
    let metadata = ArrowReaderMetadata::load(&file, options().with_schema(Arc::new(Schema::new(fields)))).map_err(bad)?;
    Ok((metadata, true))
}

/// Whether a file has the table's columns and nothing else.
fn is_as_wanted(table: &TableSchema, file: &SchemaRef) -> bool {
    let is_same = |(column, field): (&Column, &Arc<Field>)| {
        column.name == *field.name()
            && match (column.kind.data_type(), field.data_type()) {
                (DataType::Timestamp(TimeUnit::Microsecond, _), DataType::Timestamp(TimeUnit::Microsecond, _)) => true,
                (wanted, found) => wanted == *found,
            }
    };
    table.partitions.is_empty()
        && table.mapping == Mapping::None
        && table.columns.len() == file.fields().len()
        && table.columns.iter().zip(file.fields()).all(is_same)
}

fn rewrite(
    from: &Path,
    to: &Path,
    table: &TableSchema,
    add: &Add,
    deleted: Option<&RoaringTreemap>,
    metadata: ArrowReaderMetadata,
) -> Result<u64, Failed> {
    let name = to.display().to_string();
    let unwritten = |error| Failed::Write(unwritten(&name, error));
    let schema = Arc::new(Schema::new(table.columns.iter().map(Column::field).collect::<Vec<_>>()));
    let constants = constants(table, add)?;
    let file = File::open(from).map_err(|error| Failed::Read(error.to_string()))?;
    let has_ids = metadata.schema().fields().iter().any(|field| field.metadata().contains_key(FIELD_ID));
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(BATCH_ROWS);
    let built = guarded(|| builder.build()).ok_or_else(undecodable)?;
    let mut reader = built.map_err(|error| Failed::Read(error.to_string()))?;
    let created = File::create(to).map_err(|source| Failed::Write(ConnectError::Write { file: name.clone(), source }))?;
    let mut writer = ArrowWriter::try_new(created, schema.clone(), Some(properties())).map_err(unwritten)?;
    let (mut place, mut rows) = (0_u64, 0_u64);
    while let Some(batch) = guarded(|| reader.next()).ok_or_else(undecodable)? {
        let batch = batch?;
        let count = batch.num_rows();
        let column = |(column, constant): (&Column, &Option<ArrayRef>)| match constant {
            Some(value) => take(value, &UInt32Array::from(vec![0; count]), None),
            None => match find(column, batch.schema_ref().fields(), has_ids) {
                Some(found) => fit(batch.column(found), &column.kind, has_ids),
                None => Ok(new_null_array(&column.kind.data_type(), count)),
            },
        };
        let columns = table.columns.iter().zip(&constants).map(column).collect::<Result<Vec<_>, _>>()?;
        let mut kept = RecordBatch::try_new(schema.clone(), columns)?;
        if let Some(deleted) = deleted {
            let mask: BooleanArray = (place..place + count as u64).map(|row| Some(!deleted.contains(row))).collect();
            kept = filter_record_batch(&kept, &mask)?;
        }
        place += count as u64;
        rows += kept.num_rows() as u64;
        writer.write(&kept).map_err(unwritten)?;
    }
    if let Some(beyond) = deleted.and_then(RoaringTreemap::max).filter(|last| *last >= place) {
        return Err(Failed::Read(format!("row {beyond} of it is deleted, and it has {place} rows")));
    }
    writer.finish().map_err(unwritten)?;
    Ok(rows)
}

/// Where a column stands in a file.
fn find(column: &Column, fields: &Fields, has_ids: bool) -> Option<usize> {
    let is_it = |field: &Arc<Field>| match column.id {
        Some(id) if has_ids => field.metadata().get(FIELD_ID).and_then(|text| text.parse::<i64>().ok()) == Some(id),
        _ => *field.name() == column.physical,
    };
    fields.iter().position(is_it)
}

/// The values that the log gives for all rows of a file, one row each.
fn constants(table: &TableSchema, add: &Add) -> Result<Vec<Option<ArrayRef>>, Failed> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let constant = |column: &Column| -> Result<Option<ArrayRef>, Failed> {
        if !table.partitions.contains(&column.name) {
            return Ok(None);
        }
        let values = add.partition_values.as_ref();
        let text = values.and_then(|values| values.get(&column.physical).or_else(|| values.get(&column.name)).cloned().flatten());
        // The protocol has one text for null and for nothing.
        let text: ArrayRef = Arc::new(StringArray::from(vec![text.filter(|text| !text.is_empty())]));
        let bad = |error: ArrowError| Failed::Read(format!("the value of its partition by `{}`: {error}", column.name));
        cast_with_options(&text, &column.kind.data_type(), &options).map(Some).map_err(bad)
    };
    table.columns.iter().map(constant).collect()
}

/// Brings values to a type and its names.
fn fit(array: &ArrayRef, kind: &Kind, has_ids: bool) -> Result<ArrayRef, ArrowError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    match (kind, array.data_type()) {
        (Kind::Struct(columns), DataType::Struct(fields)) => {
            let found = array.as_struct();
            let member = |column: &Column| match find(column, fields, has_ids) {
                Some(place) => fit(found.column(place), &column.kind, has_ids),
                None => Ok(new_null_array(&column.kind.data_type(), array.len())),
            };
            let members = columns.iter().map(member).collect::<Result<Vec<_>, _>>()?;
            let fields: Fields = columns.iter().map(Column::field).collect();
            Ok(Arc::new(StructArray::try_new(fields, members, array.nulls().cloned())?))
        }
        (Kind::List(item), DataType::List(_)) => {
            let found = array.as_list::<i32>();
            let values = fit(found.values(), item, has_ids)?;
            let field = Arc::new(Field::new("element", item.data_type(), true));
            Ok(Arc::new(ListArray::try_new(field, found.offsets().clone(), values, array.nulls().cloned())?))
        }
        (Kind::Map(key, value), DataType::Map(..)) => {
            let found = array.as_map();
            let (keys, values) = (fit(found.keys(), key, has_ids)?, fit(found.values(), value, has_ids)?);
            let DataType::Map(entries, _) = kind.data_type() else { return Err(ArrowError::CastError("a map is none".into())) };
            let DataType::Struct(fields) = entries.data_type() else { return Err(ArrowError::CastError("a map is none".into())) };
            let both = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
            Ok(Arc::new(MapArray::try_new(entries, found.offsets().clone(), both, array.nulls().cloned(), false)?))
        }
        (Kind::Plain(wanted), found) if !found.is_nested() => cast_with_options(array, wanted, &options),
        (_, found) => Err(ArrowError::CastError(format!("{found} is not what the table says"))),
    }
}
