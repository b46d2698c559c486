//! Arrow columns of any type as the three things silver works with: codes of texts, numbers, and times.
//!
//! Sources come in runs (the same store for a thousand rows), so that a repeated text is compared, not hashed.
//!
//! Not here: what the columns mean (`collect`).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;

/// Code of a missing text.
pub(super) const NO_CODE: u32 = u32::MAX;
/// A time that is missing or unreadable.
pub(super) const NO_TIME: i64 = i64::MIN;

/// Multiplies and rotates eight bytes at a time. Keys are codes and short texts that an attacker gains nothing from.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct FastHasher(u64);

impl FastHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15); // 2^64 / golden ratio
    }
}

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(u64::from_le_bytes(word.try_into().expect("eight bytes")));
        }
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.mix(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_i64(&mut self, word: i64) {
        self.mix(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

pub(super) type FastMap<K, V> = HashMap<K, V, BuildHasherDefault<FastHasher>>;

/// Gives every distinct text a code, in the order of first sight. Blank texts have none.
#[derive(Debug, Default)]
pub(super) struct Interner {
    codes: FastMap<Arc<str>, u32>,
    integers: FastMap<i64, u32>,
    texts: Vec<Arc<str>>,
}

impl Interner {
    pub(super) fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }

    fn code(&mut self, text: &str) -> u32 {
        if text.trim().is_empty() {
            return NO_CODE;
        }
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.texts.len() as u32;
        let shared: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&shared));
        self.codes.insert(shared, code);
        code
    }

    /// Code of the empty text, for columns in which nothing is a value of its own.
    pub(super) fn blank(&mut self) -> u32 {
        if let Some(code) = self.codes.get("") {
            return *code;
        }
        let code = self.texts.len() as u32;
        let shared: Arc<str> = Arc::from("");
        self.texts.push(Arc::clone(&shared));
        self.codes.insert(shared, code);
        code
    }

    fn integer(&mut self, value: i64) -> u32 {
        if let Some(code) = self.integers.get(&value) {
            return *code;
        }
        let code = self.code(&value.to_string());
        self.integers.insert(value, code);
        code
    }

    /// Codes of a column of any type; numbers are written as integers without a fraction where they are whole.
    pub(super) fn codes(&mut self, array: &ArrayRef) -> Result<Vec<u32>, ArrowError> {
        let rows = array.len();
        Ok(match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                self.text_codes(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::LargeUtf8 => {
                let texts = array.as_string::<i64>();
                self.text_codes(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::Utf8View => {
                let texts = array.as_string_view();
                self.text_codes(rows, |row| texts.is_valid(row).then(|| texts.value(row)))
            }
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_any_dictionary();
                if dictionary.values().is_empty() {
                    return Ok(vec![NO_CODE; rows]);
                }
                let of_value = self.codes(dictionary.values())?;
                let keys = dictionary.normalized_keys();
                keys.iter().enumerate().map(|(row, key)| if array.is_valid(row) { of_value[*key] } else { NO_CODE }).collect()
            }
            integer if integer.is_integer() => {
                let integers = cast(array, &DataType::Int64)?;
                let integers = integers.as_primitive::<Int64Type>();
                let (mut last, mut code) = (i64::MIN, NO_CODE);
                let mut codes = Vec::with_capacity(rows);
                for row in 0..rows {
                    if integers.is_null(row) {
                        codes.push(NO_CODE);
                        continue;
                    }
                    let value = integers.value(row);
                    if value != last || code == NO_CODE {
                        (last, code) = (value, self.integer(value));
                    }
                    codes.push(code);
                }
                codes
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                let numbers = numbers(array)?;
                let code = |row: usize| {
                    let value = numbers.value(row);
                    if numbers.is_null(row) || !value.is_finite() {
                        NO_CODE
                    } else if value == value.trunc() && value.abs() < 9e15 {
                        self.integer(value as i64)
                    } else {
                        self.code(&value.to_string())
                    }
                };
                (0..rows).map(code).collect()
            }
            DataType::Null => vec![NO_CODE; rows],
            _ => {
                let texts = cast(array, &DataType::Utf8)?;
                return self.codes(&texts);
            }
        })
    }

    fn text_codes<'a>(&mut self, rows: usize, text: impl Fn(usize) -> Option<&'a str>) -> Vec<u32> {
        let mut codes = Vec::with_capacity(rows);
        let mut last: Option<(&str, u32)> = None;
        for row in 0..rows {
            let code = match (text(row), last) {
                (None, _) => NO_CODE,
                (Some(value), Some((previous, code))) if std::ptr::eq(value, previous) || value == previous => code,
                (Some(value), _) => {
                    let code = self.code(value);
                    last = Some((value, code));
                    code
                }
            };
            codes.push(code);
        }
        codes
    }
}

/// A column of numbers, flags or dates as `f64`: flags 0 and 1, dates in days since 1970-01-01.
pub(super) fn numbers(array: &ArrayRef) -> Result<Float64Array, ArrowError> {
    let float = match array.data_type() {
        DataType::Date32 | DataType::Date64 => cast(&cast(&cast(array, &DataType::Date32)?, &DataType::Int32)?, &DataType::Float64)?,
        DataType::Timestamp(_, _) => {
            let micros = cast(&cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?, &DataType::Int64)?;
            let days = micros.as_primitive::<Int64Type>().unary::<_, Float64Type>(|at| at as f64 / almanac_series::MICROS_PER_DAY as f64);
            return Ok(days);
        }
        _ => cast(array, &DataType::Float64)?,
    };
    Ok(float.as_primitive::<Float64Type>().clone())
}

/// What the values of a time column are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimeKind {
    /// Civil time without a zone.
    Naive,
    /// Instants, stored in UTC, meant for this zone.
    Instant(String),
    /// Integers.
    Integer,
}

/// What a time column of this type holds, or `None` if it cannot be one.
pub(super) fn time_kind(data_type: &DataType) -> Option<TimeKind> {
    Some(match data_type {
        DataType::Timestamp(_, Some(zone)) => TimeKind::Instant(zone.to_string()),
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => TimeKind::Naive,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TimeKind::Naive,
        DataType::Dictionary(_, values) => return time_kind(values),
        DataType::Float32 | DataType::Float64 => TimeKind::Integer,
        integer if integer.is_integer() => TimeKind::Integer,
        _ => return None,
    })
}

/// Times as micros since 1970-01-01, or integers as they are; [`NO_TIME`] where missing or unreadable.
pub(super) fn times(array: &ArrayRef, as_dates: bool) -> Result<Vec<i64>, ArrowError> {
    let integers = match time_kind(array.data_type()) {
        Some(TimeKind::Integer) => {
            if let DataType::Float32 | DataType::Float64 = array.data_type() {
                let numbers = numbers(array)?;
                let whole = |value: f64| if value == value.trunc() && value.abs() < 9e15 { value as i64 } else { NO_TIME };
                return Ok(numbers.iter().map(|value| value.map_or(NO_TIME, whole)).map(|at| time_of(at, as_dates)).collect());
            }
            let integers = cast(array, &DataType::Int64)?;
            return Ok(integers.as_primitive::<Int64Type>().iter().map(|value| time_of(value.unwrap_or(NO_TIME), as_dates)).collect());
        }
        _ => cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone_of(array.data_type())))?,
    };
    let micros = integers.as_primitive::<TimestampMicrosecondType>();
    Ok(if micros.null_count() == 0 { micros.values().to_vec() } else { micros.iter().map(|value| value.unwrap_or(NO_TIME)).collect() })
}

fn zone_of(data_type: &DataType) -> Option<Arc<str>> {
    match data_type {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    }
}

/// Reads 2024, 202401 and 20240131 as dates where the frequency has a calendar; [`NO_TIME`] where it is none.
fn time_of(value: i64, as_dates: bool) -> i64 {
    if value == NO_TIME { NO_TIME } else { dated(value, as_dates).unwrap_or(NO_TIME) }
}

/// Reads 2024, 202401 and 20240131 as dates where the frequency has a calendar.
pub(crate) fn dated(value: i64, as_dates: bool) -> Option<i64> {
    if !as_dates {
        return Some(value);
    }
    let (year, month, day) = match value {
        1000..=9999 => (value, 1, 1),
        100_001..=999_912 => (value / 100, value % 100, 1),
        10_000_101..=99_991_231 => (value / 10_000, value / 100 % 100, value % 100),
        _ => return None,
    };
    let date = jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()?;
    let midnight = date.to_datetime(jiff::civil::Time::midnight()).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_microsecond())
}
