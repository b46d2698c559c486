//! What is known of one column, and how a batch adds to it.

mod number;
mod text;
mod time;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use crate::options::ProfileOptions;
use crate::sketch::distinct::Distinct;
use crate::sketch::periods::Unit;

pub use number::NumberProfile;
pub use text::TextProfile;
pub(crate) use text::{Groups, NULL, clipped};
pub use time::TimeProfile;

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// Its type, in words that do not depend on how it is stored: `text`, `int64`, `date`, `timestamp`.
    pub data_type: String,
    /// Whether the schema allows nulls.
    pub is_nullable: bool,
    /// Rows.
    pub rows: u64,
    /// Rows without a value.
    pub nulls: u64,
    /// The number of different values; `None` if it is personal and has been sealed, or has no values that can be compared.
    pub(crate) distinct: Option<Distinct>,
    /// The number of different values of a sealed personal column.
    pub(crate) sealed_distinct: Option<u64>,
    /// What depends on the kind of values.
    pub values: Values,
}

/// What is known of the values, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Values {
    /// Integers, floats, decimals.
    Number(Box<NumberProfile>),
    /// Text.
    Text(Box<TextProfile>),
    /// Dates and timestamps.
    Time(Box<TimeProfile>),
    /// True and false.
    Bool {
        /// Rows that are true.
        yes: u64,
        /// Rows that are false.
        no: u64,
    },
    /// Personal: nothing is known but counts.
    Hidden,
    /// Lists, structs, bytes: only counted.
    Other,
}

impl Values {
    /// Returns the word for the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::Time(_) => "time",
            Self::Bool { .. } => "bool",
            Self::Hidden => "personal",
            Self::Other => "other",
        }
    }
}

impl ColumnProfile {
    pub(crate) fn new(field: &Field, options: &ProfileOptions) -> Self {
        let values = match Plan::of(field.data_type()) {
            _ if options.is_personal(field.name()) => Values::Hidden,
            Plan::Int | Plan::Float => Values::Number(Box::new(NumberProfile::new(options.exact_values))),
            Plan::Text => Values::Text(Box::new(TextProfile::new(options.exact_values))),
            Plan::Time => Values::Time(Box::new(TimeProfile::new())),
            Plan::Bool => Values::Bool { yes: 0, no: 0 },
            Plan::Other => Values::Other,
        };
        let is_countable = !matches!(Plan::of(field.data_type()), Plan::Other);
        Self {
            name: field.name().clone(),
            data_type: type_name(field.data_type()),
            is_nullable: field.is_nullable(),
            rows: 0,
            nulls: 0,
            distinct: is_countable.then(Distinct::new),
            sealed_distinct: None,
            values,
        }
    }

    /// Adds the rows of an array of the column's type.
    pub(crate) fn update(&mut self, array: &dyn Array) -> Result<(), ArrowError> {
        self.rows += array.len() as u64;
        self.nulls += array.logical_null_count() as u64;
        let Some(distinct) = &mut self.distinct else { return Ok(()) };
        let plan = Plan::of(array.data_type());
        match plan {
            Plan::Text => {
                let groups = Groups::of(array)?;
                groups.each(|text, _| distinct.add_text(text));
                if let Values::Text(own) = &mut self.values {
                    own.update(&groups);
                }
            }
            Plan::Int | Plan::Float | Plan::Time => {
                let runs = match plan {
                    Plan::Int => number::int_runs(array)?,
                    Plan::Float => number::float_runs(array)?,
                    _ => time::runs(array)?,
                };
                runs.distinct.iter().for_each(|bits| distinct.add_number(*bits));
                match &mut self.values {
                    Values::Number(own) => own.update(&runs),
                    Values::Time(own) => own.update(&runs),
                    _ => {}
                }
            }
            Plan::Bool => {
                let (trues, valid) = {
                    let array = array.as_boolean();
                    (array.true_count() as u64, (array.len() - array.null_count()) as u64)
                };
                for (bits, count) in [(1, trues), (0, valid - trues)] {
                    if count > 0 {
                        distinct.add_number(bits);
                    }
                }
                if let Values::Bool { yes, no } = &mut self.values {
                    *yes += trues;
                    *no += valid - trues;
                }
            }
            Plan::Other => {}
        }
        Ok(())
    }

    /// Adds what another part of the same column knows.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.is_nullable |= other.is_nullable;
        self.sealed_distinct = None;
        self.distinct = match (self.distinct.take(), &other.distinct) {
            (Some(mut own), Some(theirs)) => {
                own.merge(theirs);
                Some(own)
            }
            _ => None,
        };
        match (&mut self.values, &other.values) {
            (Values::Number(own), Values::Number(theirs)) => own.merge(theirs),
            (Values::Text(own), Values::Text(theirs)) => own.merge(theirs),
            (Values::Time(own), Values::Time(theirs)) => own.merge(theirs),
            (Values::Bool { yes, no }, Values::Bool { yes: more_yes, no: more_no }) => {
                *yes += more_yes;
                *no += more_no;
            }
            _ => {}
        }
    }

    /// Returns whether no value of it may be shown.
    pub fn is_hidden(&self) -> bool {
        matches!(self.values, Values::Hidden)
    }

    /// Forgets the hashes of a personal column: of few values they would tell which.
    pub(crate) fn seal(&mut self) {
        if self.is_hidden() {
            self.sealed_distinct = self.distinct.take().map(|distinct| distinct.estimate()).or(self.sealed_distinct);
        }
    }

    /// Returns the number of different values and whether it is exact; `None` where it is not known.
    pub fn distinct(&self) -> Option<(u64, bool)> {
        match &self.values {
            Values::Number(own) if own.counts.is_exact() && own.fits_float => return Some((own.counts.len() as u64, true)),
            Values::Text(own) if own.counts.is_exact() => return Some((own.counts.len() as u64, true)),
            // Times without a time of day are counted by day.
            Values::Time(own) if own.with_time == 0 && own.periods.unit() <= Unit::Day => {
                return Some((own.periods.natural().rows().len() as u64, true));
            }
            Values::Bool { yes, no } => return Some((u64::from(*yes > 0) + u64::from(*no > 0), true)),
            _ => {}
        }
        let estimate = self.distinct.as_ref().map(Distinct::estimate).or(self.sealed_distinct)?;
        // An estimate may be above what is possible.
        Some((estimate.min(self.rows - self.nulls), false))
    }

    /// Returns rows without a value: nulls and, among numbers, NaN.
    pub fn missing(&self) -> u64 {
        self.nulls + if let Values::Number(own) = &self.values { own.nan } else { 0 }
    }

    /// Returns missing rows over rows; 0 without rows.
    pub fn missing_share(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.missing() as f64 / self.rows as f64 }
    }
}

/// How a type is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    Int,
    Float,
    Text,
    Time,
    Bool,
    Other,
}

impl Plan {
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
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
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Float,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Self::Time,
            DataType::Boolean => Self::Bool,
            // Numbers and times as dictionaries are written out on reading; see `decoded`.
            DataType::Dictionary(_, value) => Self::of(value),
            _ => Self::Other,
        }
    }
}

/// Returns the array without a dictionary, unless it is text.
pub(crate) fn decoded(array: &dyn Array) -> Result<Option<arrow::array::ArrayRef>, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(_, value) if Plan::of(value) != Plan::Text => Ok(Some(cast(array, value)?)),
        _ => Ok(None),
    }
}

/// The type in words that do not depend on how it is stored.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp".to_owned(),
        DataType::Timestamp(_, Some(zone)) => format!("timestamp[{zone}]"),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::Null => "null".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}
