//! Columns of values: the few types there are, whatever type a file has.
//!
//! Whole numbers become 64 bits, dates and times microseconds in UTC, texts one kind of text. A `NaN` is a missing value: so it is
//! the same in a file, in memory and in JSON. A list holds single values, some of them missing.
//!
//! Not here: structures and lists of lists, which no feature is made of.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, LargeBinaryArray, LargeListArray, LargeStringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;

use crate::FeatureError;
use crate::clock::{Micros, parse_instant, write_instant};
use crate::declaration::Kind;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// A number of 32 bits.
    Real32(f32),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// An instant.
    Time(Micros),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list of single values, some of them missing.
    List(Vec<Option<Value>>),
}

impl Value {
    /// Returns it as a number, for calculations.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            Self::Real32(value) => Some(f64::from(*value)),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Text(_) | Self::Time(_) | Self::Bytes(_) | Self::List(_) => None,
        }
    }

    /// Returns it as JSON. Infinities are the texts `Infinity` and `-Infinity`, instants RFC 3339, bytes base64.
    pub fn to_json(&self) -> serde_json::Value {
        let real = |value: f64, json: serde_json::Value| match value {
            f64::INFINITY => "Infinity".into(),
            f64::NEG_INFINITY => "-Infinity".into(),
            _ => json,
        };
        match self {
            Self::Int(value) => (*value).into(),
            Self::Real(value) => real(*value, (*value).into()),
            // The shortest digits that give the 32 bits back, not those of the 64 bits between.
            Self::Real32(value) => real(f64::from(*value), value.to_string().parse::<f64>().unwrap_or_default().into()),
            Self::Bool(value) => (*value).into(),
            Self::Text(value) => value.as_str().into(),
            Self::Time(value) => write_instant(*value).into(),
            Self::Bytes(value) => STANDARD.encode(value).into(),
            Self::List(values) => values.iter().map(|value| value.as_ref().map_or(serde_json::Value::Null, Self::to_json)).collect(),
        }
    }
}

/// A column of values, some of them missing.
#[derive(Debug, Clone)]
pub enum Column {
    /// Whole numbers.
    Int(Int64Array),
    /// Numbers.
    Real(Float64Array),
    /// Numbers of 32 bits.
    Real32(Float32Array),
    /// True or false.
    Bool(BooleanArray),
    /// Text.
    Text(LargeStringArray),
    /// Instants.
    Time(TimestampMicrosecondArray),
    /// Bytes.
    Bytes(LargeBinaryArray),
    /// Lists of single values of a kind, whose array is as [`Column::array`] gives it.
    List(Kind, LargeListArray),
}

impl Column {
    /// Takes an array of any type that a feature can have. `wanted`: what it must be; `zone`: where times without a zone are.
    ///
    /// # Errors
    /// [`FeatureError::WrongType`] for structures, lists of lists, and values that are not what is wanted.
    pub fn new(array: &ArrayRef, wanted: Option<Kind>, zone: &TimeZone, place: &str, name: &str) -> Result<Self, FeatureError> {
        let wrong = |wanted: &str| FeatureError::WrongType {
            place: place.to_owned(),
            column: name.to_owned(),
            found: format!("`{}`", array.data_type()),
            wanted: wanted.to_owned(),
        };
        let kind = match wanted {
            Some(kind) => kind,
            None => kind_of(array.data_type()).ok_or_else(|| wrong("a number, text, truth value, time, bytes or a list of them"))?,
        };
        // A column without any value has a type by chance.
        if wanted.is_some() && *array.data_type() == DataType::Null {
            return Ok(Self::of_values(kind, (0..array.len()).map(|_| None)));
        }
        if kind == Kind::Time {
            return Ok(Self::Time(instants(array, zone, place, name)?));
        }
        if let Some(item) = kind.item() {
            return Self::new_list(array, item, zone, place, name).unwrap_or_else(|| Err(wrong(&format!("`{}`", kind.name()))));
        }
        let target = match kind {
            Kind::Int => DataType::Int64,
            Kind::Real => DataType::Float64,
            Kind::Real32 => DataType::Float32,
            Kind::Bool => DataType::Boolean,
            Kind::Bytes => DataType::LargeBinary,
            _ => DataType::LargeUtf8,
        };
        if kind_of(array.data_type()).is_none() {
            return Err(wrong(kind.name()));
        }
        // A value that the type cannot hold is an error, not a missing one.
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let array = if *array.data_type() == target {
            Arc::clone(array)
        } else {
            cast_with_options(array, &target, &strict).map_err(|_| wrong(kind.name()))?
        };
        Ok(match kind {
            Kind::Int => Self::Int(array.as_primitive::<Int64Type>().clone()),
            Kind::Real => Self::Real(without_nan(array.as_primitive::<Float64Type>(), f64::is_nan)),
            Kind::Real32 => Self::Real32(without_nan(array.as_primitive::<Float32Type>(), f32::is_nan)),
            Kind::Bool => Self::Bool(array.as_boolean().clone()),
            Kind::Bytes => Self::Bytes(array.as_binary::<i64>().clone()),
            _ => Self::Text(array.as_string::<i64>().clone()),
        })
    }

    /// Takes an array of lists; `None` if it is none.
    fn new_list(array: &ArrayRef, item: Kind, zone: &TimeZone, place: &str, name: &str) -> Option<Result<Self, FeatureError>> {
        let (DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _)) = array.data_type() else {
            return None;
        };
        let target = DataType::LargeList(Arc::clone(inner));
        let lists = cast_with_options(array, &target, &CastOptions { safe: false, ..CastOptions::default() }).ok()?;
        let lists = lists.as_list::<i64>();
        let items = Self::new(lists.values(), Some(item), zone, place, name);
        Some(items.map(|items| Self::of_items(item, &items, lists.offsets().clone(), lists.nulls().cloned())))
    }

    fn of_items(item: Kind, items: &Self, offsets: OffsetBuffer<i64>, nulls: Option<NullBuffer>) -> Self {
        let items = items.array();
        let field = Arc::new(Field::new_list_field(items.data_type().clone(), true));
        Self::List(item, LargeListArray::new(field, offsets, items, nulls))
    }

    /// Puts columns of one kind below each other.
    ///
    /// # Errors
    /// [`FeatureError::WrongType`] if they are not of one kind.
    pub fn stack(parts: &[Column], place: &str, name: &str) -> Result<Self, FeatureError> {
        let [first, rest @ ..] = parts else { return Ok(Self::Int(Int64Array::new_null(0))) };
        if rest.is_empty() {
            return Ok(first.clone());
        }
        if let Some(other) = rest.iter().find(|part| part.kind() != first.kind()) {
            return Err(FeatureError::WrongType {
                place: place.to_owned(),
                column: name.to_owned(),
                found: other.kind().name().to_owned(),
                wanted: format!("{}, as in the first file,", first.kind().name()),
            });
        }
        let arrays: Vec<ArrayRef> = parts.iter().map(Column::array).collect();
        let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
        let stacked = concat(&arrays).map_err(|source| FeatureError::Arrow { what: "putting rows together", source })?;
        Ok(first.of_array(&stacked))
    }

    /// Picks rows; a missing row number gives a missing value.
    pub(crate) fn pick(&self, rows: &UInt32Array) -> Result<Self, FeatureError> {
        let picked = take(&*self.array(), rows, None).map_err(|source| FeatureError::Arrow { what: "picking rows", source })?;
        Ok(self.of_array(&picked))
    }

    fn of_array(&self, array: &ArrayRef) -> Self {
        match self {
            Self::Int(_) => Self::Int(array.as_primitive::<Int64Type>().clone()),
            Self::Real(_) => Self::Real(array.as_primitive::<Float64Type>().clone()),
            Self::Real32(_) => Self::Real32(array.as_primitive::<Float32Type>().clone()),
            Self::Bool(_) => Self::Bool(array.as_boolean().clone()),
            Self::Text(_) => Self::Text(array.as_string::<i64>().clone()),
            Self::Time(_) => Self::Time(array.as_primitive::<TimestampMicrosecondType>().clone()),
            Self::Bytes(_) => Self::Bytes(array.as_binary::<i64>().clone()),
            Self::List(item, _) => Self::List(*item, array.as_list::<i64>().clone()),
        }
    }

    /// Returns what its values are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Int(_) => Kind::Int,
            Self::Real(_) => Kind::Real,
            Self::Real32(_) => Kind::Real32,
            Self::Bool(_) => Kind::Bool,
            Self::Text(_) => Kind::Text,
            Self::Time(_) => Kind::Time,
            Self::Bytes(_) => Kind::Bytes,
            // Only kinds that have lists are in one.
            Self::List(item, _) => item.list().unwrap_or(*item),
        }
    }

    /// Returns it as an Arrow array; instants are in UTC.
    pub fn array(&self) -> ArrayRef {
        match self {
            Self::Int(array) => Arc::new(array.clone()),
            Self::Real(array) => Arc::new(array.clone()),
            Self::Real32(array) => Arc::new(array.clone()),
            Self::Bool(array) => Arc::new(array.clone()),
            Self::Text(array) => Arc::new(array.clone()),
            Self::Time(array) => Arc::new(array.clone().with_timezone("UTC")),
            Self::Bytes(array) => Arc::new(array.clone()),
            Self::List(_, array) => Arc::new(array.clone()),
        }
    }

    /// Returns the value of a row.
    pub fn value(&self, row: usize) -> Option<Value> {
        if self.is_missing(row) {
            return None;
        }
        Some(match self {
            Self::Int(array) => Value::Int(array.value(row)),
            Self::Real(array) => Value::Real(array.value(row)),
            Self::Real32(array) => Value::Real32(array.value(row)),
            Self::Bool(array) => Value::Bool(array.value(row)),
            Self::Text(array) => Value::Text(array.value(row).to_owned()),
            Self::Time(array) => Value::Time(array.value(row)),
            Self::Bytes(array) => Value::Bytes(array.value(row).to_vec()),
            Self::List(item, array) => {
                let items = Self::of_values(*item, std::iter::empty()).of_array(&array.value(row));
                Value::List((0..array.value_length(row) as usize).map(|place| items.value(place)).collect())
            }
        })
    }

    /// Returns the value of a row as a number; `None` where it is missing or none.
    pub(crate) fn number(&self, row: usize) -> Option<f64> {
        if self.is_missing(row) {
            return None;
        }
        match self {
            Self::Int(array) => Some(array.value(row) as f64),
            Self::Real(array) => Some(array.value(row)),
            Self::Real32(array) => Some(f64::from(array.value(row))),
            Self::Bool(array) => Some(f64::from(u8::from(array.value(row)))),
            Self::Text(_) | Self::Time(_) | Self::Bytes(_) | Self::List(..) => None,
        }
    }

    /// Tells whether a row has no value.
    pub(crate) fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Int(array) => array.is_null(row),
            Self::Real(array) => array.is_null(row),
            Self::Real32(array) => array.is_null(row),
            Self::Bool(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
            Self::Bytes(array) => array.is_null(row),
            Self::List(_, array) => array.is_null(row),
        }
    }

    /// Returns an array of such values.
    pub(crate) fn of_values(kind: Kind, values: impl Iterator<Item = Option<Value>>) -> Self {
        match kind {
            Kind::Int => Self::Int(values.map(|value| if let Some(Value::Int(value)) = value { Some(value) } else { None }).collect()),
            Kind::Real => Self::Real(values.map(|value| if let Some(Value::Real(value)) = value { Some(value) } else { None }).collect()),
            Kind::Real32 => {
                Self::Real32(values.map(|value| if let Some(Value::Real32(value)) = value { Some(value) } else { None }).collect())
            }
            Kind::Bool => Self::Bool(values.map(|value| if let Some(Value::Bool(value)) = value { Some(value) } else { None }).collect()),
            Kind::Text => Self::Text(values.map(|value| if let Some(Value::Text(value)) = value { Some(value) } else { None }).collect()),
            Kind::Time => Self::Time(values.map(|value| if let Some(Value::Time(value)) = value { Some(value) } else { None }).collect()),
            Kind::Bytes => {
                Self::Bytes(values.map(|value| if let Some(Value::Bytes(value)) = value { Some(value) } else { None }).collect())
            }
            Kind::Ints | Kind::Reals | Kind::Real32s | Kind::Bools | Kind::Texts | Kind::Times | Kind::BytesLists => {
                let lists: Vec<Option<Vec<Option<Value>>>> =
                    values.map(|value| if let Some(Value::List(values)) = value { Some(values) } else { None }).collect();
                let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_ref().map_or(0, Vec::len)));
                let nulls: NullBuffer = lists.iter().map(Option::is_some).collect();
                let item = kind.item().unwrap_or(Kind::Int);
                let items = Self::of_values(item, lists.into_iter().flatten().flatten());
                Self::of_items(item, &items, offsets, Some(nulls))
            }
        }
    }

    /// Returns its size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.array().get_array_memory_size()
    }
}

/// Returns what the values of an Arrow type are, if a feature can have it.
pub(crate) fn kind_of(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => Kind::Int,
        DataType::Float64 | DataType::Decimal128(..) | DataType::Decimal256(..) => Kind::Real,
        DataType::Float32 | DataType::Float16 => Kind::Real32,
        DataType::Boolean => Kind::Bool,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::Time,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Kind::Bytes,
        DataType::Dictionary(_, values) => kind_of(values)?,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => kind_of(item.data_type())?.list()?,
        _ => return None,
    })
}

fn without_nan<T: arrow::datatypes::ArrowPrimitiveType>(
    array: &arrow::array::PrimitiveArray<T>,
    is_nan: fn(T::Native) -> bool,
) -> arrow::array::PrimitiveArray<T> {
    if !array.values().iter().any(|value| is_nan(*value)) {
        return array.clone();
    }
    array.iter().map(|value| value.filter(|value| !is_nan(*value))).collect()
}

/// Reads a column of instants: Arrow's times and dates, or texts.
pub(crate) fn instants(array: &ArrayRef, zone: &TimeZone, place: &str, name: &str) -> Result<TimestampMicrosecondArray, FeatureError> {
    let wrong = || FeatureError::WrongType {
        place: place.to_owned(),
        column: name.to_owned(),
        found: format!("`{}`", array.data_type()),
        wanted: "a time".to_owned(),
    };
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let civil = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.is_none(),
        DataType::Date32 | DataType::Date64 => true,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            return texts_as_instants(array, zone, place, name);
        }
        _ => return Err(wrong()),
    };
    let target = match array.data_type() {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        _ => DataType::Timestamp(TimeUnit::Microsecond, None),
    };
    let cast = cast_with_options(array, &target, &strict).map_err(|_| wrong())?;
    let micros = cast.as_primitive::<TimestampMicrosecondType>();
    if !civil || *zone == TimeZone::UTC {
        return Ok(micros.clone().with_timezone_opt(None::<Arc<str>>));
    }
    // A table has few different times beside its rows, and neighbours are often alike.
    let mut before: Option<(i64, Option<i64>)> = None;
    let local = |value: i64| {
        let civil = jiff::Timestamp::from_microsecond(value).ok()?.to_zoned(TimeZone::UTC).datetime();
        Some(zone.to_timestamp(civil).ok()?.as_microsecond())
    };
    let shifted = micros.iter().map(|value| {
        let value = value?;
        match before {
            Some((last, answer)) if last == value => answer,
            _ => {
                let answer = local(value);
                before = Some((value, answer));
                answer
            }
        }
    });
    Ok(shifted.collect())
}

fn texts_as_instants(array: &ArrayRef, zone: &TimeZone, place: &str, name: &str) -> Result<TimestampMicrosecondArray, FeatureError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let wrong = |found: String| FeatureError::WrongType {
        place: place.to_owned(),
        column: name.to_owned(),
        found,
        wanted: "a time such as `2024-01-31T12:00:00Z`".to_owned(),
    };
    let texts = cast_with_options(array, &DataType::LargeUtf8, &strict).map_err(|_| wrong(format!("`{}`", array.data_type())))?;
    let read = |text: Option<&str>| match text.filter(|text| !text.trim().is_empty()) {
        None => Ok(None),
        Some(text) => parse_instant(text, zone).map(Some).ok_or_else(|| wrong(format!("`{}`", text.chars().take(40).collect::<String>()))),
    };
    texts.as_string::<i64>().iter().map(read).collect()
}
