//! Nested columns of Parquet as the flat ones of bronze: a struct's members by their path, `store.id`; lists and maps as JSON text.
//!
//! The same rules hold for JSON (`json`), so that a table is the same whichever of the two it came as.
//!
//! Not here: which types of column bronze has (`parquet_source`).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::compute::{is_null, nullif};
use arrow::datatypes::{DataType, Fields, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;

/// Levels of structs that are opened; what lies deeper is JSON text.
const DEPTH: usize = 8;

/// A column that is not nested, or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Names from the outermost struct inwards.
    pub(super) path: Vec<String>,
    pub(super) data_type: DataType,
}

impl Leaf {
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Returns the leaves of columns, in their order.
pub(super) fn leaves(fields: &Fields) -> Vec<Leaf> {
    let mut found = Vec::new();
    gather(fields, &mut Vec::new(), &mut found);
    found
}

fn gather(fields: &Fields, path: &mut Vec<String>, found: &mut Vec<Leaf>) {
    for field in fields {
        path.push(field.name().clone());
        match field.data_type() {
            DataType::Struct(members) if path.len() < DEPTH && !members.is_empty() => gather(members, path, found),
            other => found.push(Leaf { path: path.clone(), data_type: other.clone() }),
        }
        path.pop();
    }
}

/// Whether a column becomes JSON text.
pub(super) fn is_json(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Map(..) | DataType::Struct(_))
}

/// Returns a leaf's values, or `None` if the batch has no such column. Null where a struct around it is null.
pub(super) fn values(batch: &RecordBatch, path: &[String]) -> Result<Option<ArrayRef>, ArrowError> {
    let Some((root, inner)) = path.split_first() else { return Ok(None) };
    let Some(mut array) = batch.column_by_name(root).cloned() else { return Ok(None) };
    for name in inner {
        let Some(members) = array.as_struct_opt() else { return Ok(None) };
        let Some(member) = members.column_by_name(name) else { return Ok(None) };
        array = if members.null_count() == 0 { member.clone() } else { nullif(member, &is_null(members)?)? };
    }
    if is_json(array.data_type()) { texts(&array).map(Some) } else { Ok(Some(array)) }
}

fn texts(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let mut builder = StringBuilder::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
        } else {
            builder.append_value(json(array, row)?.to_string());
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A value as JSON; what JSON has no word for is text.
fn json(array: &dyn Array, row: usize) -> Result<Value, ArrowError> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let list = |items: ArrayRef| (0..items.len()).map(|item| json(&items, item)).collect::<Result<Vec<_>, _>>().map(Value::Array);
    Ok(match array.data_type() {
        DataType::List(_) => list(array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(array.as_fixed_size_list().value(row))?,
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let mut object = serde_json::Map::new();
            for entry in 0..entries.len() {
                let key = match json(entries.column(0), entry)? {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                object.insert(key, json(entries.column(1), entry)?);
            }
            Value::Object(object)
        }
        DataType::Struct(fields) => {
            let members = array.as_struct().columns().iter();
            let object: Result<_, ArrowError> =
                fields.iter().zip(members).map(|(field, member)| Ok((field.name().clone(), json(member, row)?))).collect();
            Value::Object(object?)
        }
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        other => {
            let text = ArrayFormatter::try_new(array, &FormatOptions::default())?.value(row).try_to_string()?;
            let number = if other.is_numeric() { serde_json::from_str::<serde_json::Number>(&text).ok() } else { None };
            number.map_or(Value::String(text), Value::Number)
        }
    })
}
