//! Versions in Parquet: files of one table whose columns may have come, gone, or widened from load to load.
//!
//! Not here: which rows are wanted (`versions`).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{LOAD_COLUMN, LOADED_AT_COLUMN, Part, Row, Stamp, Wanted, unwritten};
use crate::error::ConnectError;
use crate::landing::{LandedKind, LandingError, Load, Mark};
use crate::rows::{arrow_type, properties, short_hash, unwritten as unencoded};

const BATCH_ROWS: usize = 16_384;

fn damaged(path: &Path, reason: impl ToString) -> ConnectError {
    LandingError::Damaged { path: path.to_owned(), reason: reason.to_string() }.into()
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, ConnectError> {
    let failed = |source| LandingError::Io { action: "read", path: path.to_owned(), source };
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).map_err(failed)?).map_err(|error| damaged(path, error))
}

/// Adds a value's bytes, told apart from those of other types and from null. Numbers that were widened between loads stay equal.
fn add(bytes: &mut Vec<u8>, column: &ArrayRef, row: usize) {
    if column.is_null(row) {
        bytes.push(0);
        return;
    }
    match column.data_type() {
        DataType::Int64 => add_integer(bytes, column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            // Beyond this doubles are no longer exact integers.
            if value.abs() < 9e15 && (value as i64) as f64 == value {
                add_integer(bytes, value as i64);
            } else {
                bytes.push(2);
                bytes.extend_from_slice(&value.to_bits().to_le_bytes());
            }
        }
        DataType::Timestamp(..) => {
            bytes.push(3);
            bytes.extend_from_slice(&column.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        DataType::Date32 => {
            bytes.push(3);
            let days = i64::from(column.as_primitive::<Date32Type>().value(row));
            bytes.extend_from_slice(&(days * 86_400_000_000).to_le_bytes());
        }
        DataType::Boolean => bytes.extend_from_slice(&[4, u8::from(column.as_boolean().value(row))]),
        _ => {
            let text = column.as_string::<i32>().value(row);
            bytes.push(5);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

fn add_integer(bytes: &mut Vec<u8>, value: i64) {
    bytes.push(1);
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn mark_of(column: &ArrayRef, row: usize) -> Option<Mark> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Int64 => Some(Mark::Integer(column.as_primitive::<Int64Type>().value(row))),
        DataType::Timestamp(..) => Some(Mark::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))),
        DataType::Date32 => Some(Mark::Date(column.as_primitive::<Date32Type>().value(row))),
        _ => None,
    }
}

pub(super) fn scan(
    table: &str,
    part: Part<'_>,
    key: &[String],
    watermark: Option<&str>,
    take: &mut dyn FnMut(u64, Row),
) -> Result<(), ConnectError> {
    let reader = open(part.path)?.with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(part.path, error))?;
    let mut bytes = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| damaged(part.path, error))?;
        let schema = batch.schema();
        let place_of = |name: &str| schema.fields().iter().position(|field| field.name() == name);
        let mut keys = Vec::new();
        for column in key {
            let Some(place) = place_of(column) else {
                let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).take(40).collect();
                let (table, column) = (table.to_owned(), column.clone());
                return Err(ConnectError::NoColumn { table, key: "key", column, known: known.join(", ") });
            };
            keys.push(place);
        }
        let mark = watermark.and_then(place_of);
        let stamp = if part.is_stamped() { place_of(LOAD_COLUMN) } else { None };
        // By name, so that a new order of columns is no new version; a column that is null throughout is as one that is not there.
        let mut order: Vec<usize> = (0..schema.fields().len()).filter(|place| Some(*place) != stamp).collect();
        order.sort_by_key(|place| schema.field(*place).name());
        for row in 0..batch.num_rows() {
            bytes.clear();
            for place in &keys {
                add(&mut bytes, batch.column(*place), row);
            }
            let key = short_hash(&bytes);
            bytes.clear();
            for place in &order {
                if !batch.column(*place).is_null(row) {
                    bytes.extend_from_slice(schema.field(*place).name().as_bytes());
                    add(&mut bytes, batch.column(*place), row);
                }
            }
            let load = stamp.map_or(part.load.number, |place| load_of(part, batch.column(place), row));
            take(load, Row { key, content: short_hash(&bytes), mark: mark.and_then(|place| mark_of(batch.column(place), row)) });
        }
    }
    Ok(())
}

/// The load that a row says it came with.
fn load_of(part: Part<'_>, column: &ArrayRef, row: usize) -> u64 {
    match mark_of(column, row) {
        Some(Mark::Integer(number)) => number as u64,
        _ => part.load.number,
    }
}

fn kind_of(found: &DataType) -> LandedKind {
    match found {
        DataType::Int64 => LandedKind::Integer,
        DataType::Float64 => LandedKind::Real,
        DataType::Boolean => LandedKind::Boolean,
        DataType::Timestamp(..) => LandedKind::Timestamp,
        DataType::Date32 => LandedKind::Date,
        _ => LandedKind::Text,
    }
}

/// All columns there ever were, each in a type that holds all its values.
fn schema(table: &str, parts: &[Part<'_>], stamp: Stamp) -> Result<SchemaRef, ConnectError> {
    let mut columns: Vec<(String, LandedKind)> = Vec::new();
    for part in parts {
        for field in open(part.path)?.schema().fields() {
            if part.is_stamped() && field.name() == LOAD_COLUMN {
                continue;
            }
            let kind = kind_of(field.data_type());
            let Some((_, known)) = columns.iter_mut().find(|(name, _)| name == field.name()) else {
                columns.push((field.name().clone(), kind));
                continue;
            };
            *known = known.promote(kind).ok_or_else(|| ConnectError::Retyped {
                table: table.to_owned(),
                column: field.name().clone(),
                before: known.name(),
                now: kind.name(),
                from: format!("load {}", part.load.number),
            })?;
        }
    }
    let mut fields: Vec<Field> = columns.iter().map(|(name, kind)| Field::new(name, arrow_type(*kind), true)).collect();
    let stamped = [(LOAD_COLUMN, DataType::Int64), (LOADED_AT_COLUMN, DataType::Timestamp(TimeUnit::Microsecond, None))];
    let stamps = match stamp {
        Stamp::Nothing => 0,
        Stamp::Load => 1,
        Stamp::LoadAndTime => 2,
    };
    for (name, kind) in stamped.into_iter().take(stamps) {
        if columns.iter().any(|(known, _)| known == name) {
            return Err(ConnectError::TwiceNamed { table: table.to_owned(), column: name.to_owned() });
        }
        fields.push(Field::new(name, kind, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// When the load of each row was committed.
fn times(load: &Load, loads: &[u64]) -> TimestampMicrosecondArray {
    let mut last: Option<(u64, Option<i64>)> = None;
    let time = |number: &u64| match last {
        Some((known, time)) if known == *number => time,
        _ => {
            let time = load.loaded_at(*number).parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
            last = Some((*number, time));
            time
        }
    };
    loads.iter().map(time).collect()
}

pub(super) fn write(table: &str, parts: &[Part<'_>], wanted: &Wanted<'_>, to: &Path) -> Result<(), ConnectError> {
    let schema = schema(table, parts, wanted.stamp)?;
    let name = to.display().to_string();
    let file = File::create(to).map_err(|source| unwritten(to, source))?;
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties())).map_err(|error| unencoded(&name, error))?;
    let mut place = 0;
    for part in parts {
        let reader = open(part.path)?.with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(part.path, error))?;
        for batch in reader {
            let batch = batch.map_err(|error| damaged(part.path, error))?;
            let rows = batch.num_rows();
            let mask: BooleanArray = (0..rows as u64).map(|row| Some(wanted.has(place + row))).collect();
            place += rows as u64;
            if mask.true_count() == 0 {
                continue;
            }
            let loads: Vec<u64> = match batch.column_by_name(LOAD_COLUMN).filter(|_| part.is_stamped()) {
                Some(column) => (0..rows).map(|row| load_of(*part, column, row)).collect(),
                None => vec![part.load.number; rows],
            };
            let column = |field: &Arc<Field>| -> Result<ArrayRef, ConnectError> {
                let is_stamp = wanted.stamp != Stamp::Nothing;
                Ok(match (field.name().as_str(), batch.column_by_name(field.name())) {
                    (LOAD_COLUMN, _) if is_stamp => Arc::new(loads.iter().map(|load| *load as i64).collect::<Int64Array>()),
                    (LOADED_AT_COLUMN, None) if is_stamp => Arc::new(times(part.load, &loads)),
                    (_, None) => new_null_array(field.data_type(), rows),
                    (_, Some(found)) => cast(found, field.data_type()).map_err(|error| damaged(part.path, error))?,
                })
            };
            let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
            let whole = RecordBatch::try_new(schema.clone(), columns).map_err(|error| damaged(part.path, error))?;
            let kept = filter_record_batch(&whole, &mask).map_err(|error| damaged(part.path, error))?;
            writer.write(&kept).map_err(|error| unencoded(&name, error))?;
        }
    }
    writer.finish().map(|_| ()).map_err(|error| unencoded(&name, error))
}
