//! Columns of a batch in the few shapes that expectations look at.
//!
//! Text is always a dictionary, so that a text is judged once however often it occurs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit};

use crate::error::CheckError;
use crate::value::Value;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Int,
    Float,
    Bool,
    Text,
    /// Nanoseconds of one unit.
    Time(i64),
    Date,
    /// Nothing at all, or something that no expectation looks into.
    Other,
}

impl Shape {
    pub(crate) fn of(data: &DataType) -> Self {
        match data {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Int,
            DataType::UInt64
            | DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Null
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Float,
            DataType::Boolean => Self::Bool,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Dictionary(_, value) => Self::of(value),
            DataType::Timestamp(unit, _) => Self::Time(match unit {
                TimeUnit::Second => 1_000_000_000,
                TimeUnit::Millisecond => 1_000_000,
                TimeUnit::Microsecond => 1_000,
                TimeUnit::Nanosecond => 1,
            }),
            DataType::Date32 | DataType::Date64 => Self::Date,
            _ => Self::Other,
        }
    }
}

/// A column of a batch.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    Int(Int64Array),
    Float(Float64Array, Option<NullBuffer>),
    Bool(BooleanArray),
    Text { codes: Int32Array, texts: StringArray, nulls: Option<NullBuffer> },
    Time { ticks: Int64Array, unit: i64 },
    Date(Int32Array),
    Other(ArrayRef),
}

pub(crate) fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Returns the schema with text as dictionaries: the form in which Parquet is read.
pub(crate) fn with_dictionaries(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => field.as_ref().clone().with_data_type(text_type()),
            _ => field.as_ref().clone(),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

impl Column {
    pub(crate) fn of(array: &ArrayRef) -> Result<Self, CheckError> {
        let read = |target: &DataType| cast(array, target).map_err(CheckError::Arrow);
        Ok(match Shape::of(array.data_type()) {
            Shape::Int => Self::Int(read(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            Shape::Float => {
                let array = read(&DataType::Float64)?;
                let numbers = array.as_primitive::<arrow::datatypes::Float64Type>().clone();
                let nulls = float_nulls(&numbers);
                Self::Float(numbers, nulls)
            }
            Shape::Bool => Self::Bool(read(&DataType::Boolean)?.as_boolean().clone()),
            Shape::Text => {
                let array = read(&text_type())?;
                let dictionary = array.as_dictionary::<Int32Type>();
                let texts = dictionary.values().as_string::<i32>().clone();
                let codes = dictionary.keys().clone();
                let nulls = if texts.null_count() == 0 { codes.nulls().cloned() } else { dictionary.logical_nulls() };
                Self::Text { codes, texts, nulls }
            }
            Shape::Time(unit) => Self::Time { ticks: read(&DataType::Int64)?.as_primitive::<Int64Type>().clone(), unit },
            Shape::Date => {
                let array = read(&DataType::Date32)?;
                let days = array.as_primitive::<Date32Type>();
                Self::Date(Int32Array::new(days.values().clone(), days.nulls().cloned()))
            }
            Shape::Other => Self::Other(Arc::clone(array)),
        })
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        let nulls = match self {
            Self::Int(array) => array.nulls(),
            Self::Float(_, nulls) => nulls.as_ref(),
            Self::Bool(array) => array.nulls(),
            Self::Text { nulls, .. } => nulls.as_ref(),
            Self::Time { ticks, .. } => ticks.nulls(),
            Self::Date(array) => array.nulls(),
            Self::Other(array) => array.nulls(),
        };
        nulls.filter(|nulls| nulls.null_count() > 0)
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls().is_some_and(|nulls| nulls.is_null(row))
    }

    pub(crate) fn value(&self, row: usize) -> Value {
        if self.is_null(row) {
            return Value::Null;
        }
        match self {
            Self::Int(array) => Value::Int(array.value(row)),
            Self::Float(array, _) => Value::Float(array.value(row)),
            Self::Bool(array) => Value::Bool(array.value(row)),
            Self::Text { codes, texts, .. } => Value::Text(texts.value(codes.value(row) as usize).to_owned()),
            Self::Time { ticks, unit } => Value::Time(i128::from(ticks.value(row)) * i128::from(*unit)),
            Self::Date(array) => Value::Date(array.value(row)),
            Self::Other(array) => Value::Text(format!("<{}>", array.data_type())),
        }
    }

    /// Returns the number in a row, or not-a-number where there is none.
    pub(crate) fn number(&self, row: usize) -> f64 {
        if self.is_null(row) {
            return f64::NAN;
        }
        match self {
            Self::Int(array) => array.value(row) as f64,
            Self::Float(array, _) => array.value(row),
            Self::Bool(array) => f64::from(u8::from(array.value(row))),
            _ => f64::NAN,
        }
    }
}

fn float_nulls(numbers: &Float64Array) -> Option<NullBuffer> {
    let values = numbers.values();
    if !values.iter().any(|value| value.is_nan()) {
        return numbers.nulls().cloned();
    }
    let real = NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |row| !values[row].is_nan()));
    NullBuffer::union(Some(&real), numbers.nulls())
}

/// The columns of one batch, made on first use.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) rows: usize,
    /// Row of the table at which the batch starts.
    pub(crate) offset: u64,
    names: Vec<String>,
    columns: Vec<Column>,
}

impl View {
    pub(crate) fn of(batch: &RecordBatch, offset: u64) -> Result<Self, CheckError> {
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let columns = batch.columns().iter().map(Column::of).collect::<Result<_, _>>()?;
        Ok(Self { rows: batch.num_rows(), offset, names, columns })
    }

    pub(crate) fn column(&self, name: &str) -> Result<&Column, CheckError> {
        let place = self.names.iter().position(|other| other == name);
        place.map(|place| &self.columns[place]).ok_or_else(|| CheckError::NoColumn { column: name.to_owned() })
    }
}
