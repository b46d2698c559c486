//! One column in memory: numbers, times, or codes of texts.

use std::collections::HashMap;
use std::sync::OnceLock;

use almanac_series::Freq;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};

use crate::ingest::ColumnKind;

/// Code of a cell without a value.
pub(crate) const NULL_CODE: u32 = u32::MAX;

/// Values of a column, one per row.
#[derive(Debug)]
pub(crate) enum Values {
    /// Integers and truth values, and times; `None` where missing.
    Whole(Vec<Option<i64>>),
    /// NaN where missing.
    Real(Vec<f64>),
    /// Codes into the distinct texts, in the order of their appearance.
    Text { codes: Vec<u32>, labels: Vec<String>, seen: HashMap<String, u32> },
}

/// A column with its name and kind.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) note: Option<String>,
    pub(crate) order_is_guessed: bool,
    pub(crate) values: Values,
    coded: OnceLock<(Vec<u32>, usize)>,
}

impl Column {
    pub(crate) fn new(name: &str, kind: ColumnKind, note: Option<String>) -> Self {
        let values = match kind {
            ColumnKind::Integer | ColumnKind::Boolean | ColumnKind::Timestamp | ColumnKind::Date => Values::Whole(Vec::new()),
            ColumnKind::Real => Values::Real(Vec::new()),
            ColumnKind::Text => Values::Text { codes: Vec::new(), labels: Vec::new(), seen: HashMap::new() },
        };
        Self { name: name.to_owned(), kind, note, order_is_guessed: false, values, coded: OnceLock::new() }
    }

    pub(crate) fn extend(&mut self, array: &ArrayRef) {
        match &mut self.values {
            Values::Whole(values) => {
                if let Some(array) = array.as_primitive_opt::<Int64Type>() {
                    values.extend(array.iter());
                } else if let Some(array) = array.as_primitive_opt::<TimestampMicrosecondType>() {
                    values.extend(array.iter());
                } else if let Some(array) = array.as_boolean_opt() {
                    values.extend(array.iter().map(|value| value.map(i64::from)));
                } else {
                    values.extend(std::iter::repeat_n(None, array.len()));
                }
            }
            Values::Real(values) => match array.as_primitive_opt::<Float64Type>() {
                Some(array) => values.extend(array.iter().map(|value| value.unwrap_or(f64::NAN))),
                None => values.extend(std::iter::repeat_n(f64::NAN, array.len())),
            },
            Values::Text { codes, labels, seen } => {
                let Some(array) = array.as_string_opt::<i32>() else {
                    codes.extend(std::iter::repeat_n(NULL_CODE, array.len()));
                    return;
                };
                for value in array {
                    let code = value.map(|text| {
                        seen.get(text).copied().unwrap_or_else(|| {
                            let code = labels.len() as u32;
                            labels.push(text.to_owned());
                            seen.insert(text.to_owned(), code);
                            code
                        })
                    });
                    codes.push(code.unwrap_or(NULL_CODE));
                }
            }
        }
    }

    pub(crate) fn is_time(&self) -> bool {
        matches!(self.kind, ColumnKind::Timestamp | ColumnKind::Date)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind, ColumnKind::Integer | ColumnKind::Real)
    }

    /// Returns the whole number or time of a row.
    pub(crate) fn whole(&self, row: usize) -> Option<i64> {
        match &self.values {
            Values::Whole(values) => values[row],
            _ => None,
        }
    }

    /// Returns the row's value as a number, NaN where there is none.
    pub(crate) fn number(&self, row: usize) -> f64 {
        match &self.values {
            Values::Whole(values) => values[row].map_or(f64::NAN, |value| value as f64),
            Values::Real(values) => values[row],
            Values::Text { .. } => f64::NAN,
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match &self.values {
            Values::Whole(values) => values[row].is_none(),
            Values::Real(values) => values[row].is_nan(),
            Values::Text { codes, .. } => codes[row] == NULL_CODE,
        }
    }

    /// Returns a code per row, equal where values are, [`NULL_CODE`] where there is none; and the number of distinct values.
    pub(crate) fn codes(&self) -> (&[u32], usize) {
        if let Values::Text { codes, labels, .. } = &self.values {
            return (codes, labels.len());
        }
        let (codes, distinct) = self.coded.get_or_init(|| {
            let mut seen: HashMap<u64, u32> = HashMap::new();
            let mut code = |bits: Option<u64>| match bits {
                None => NULL_CODE,
                Some(bits) => {
                    let next = seen.len() as u32;
                    *seen.entry(bits).or_insert(next)
                }
            };
            let codes: Vec<u32> = match &self.values {
                Values::Whole(values) => values.iter().map(|value| code(value.map(|value| value as u64))).collect(),
                Values::Real(values) => values.iter().map(|value| code((!value.is_nan()).then(|| value.to_bits()))).collect(),
                Values::Text { .. } => Vec::new(),
            };
            let distinct = seen.len();
            (codes, distinct)
        });
        (codes, *distinct)
    }

    pub(crate) fn distinct(&self) -> usize {
        self.codes().1
    }

    pub(crate) fn nulls(&self) -> usize {
        let rows = match &self.values {
            Values::Whole(values) => values.len(),
            Values::Real(values) => values.len(),
            Values::Text { codes, .. } => codes.len(),
        };
        (0..rows).filter(|row| self.is_null(*row)).count()
    }

    /// Returns a row's value as text.
    pub(crate) fn text(&self, row: usize) -> Option<String> {
        match &self.values {
            Values::Whole(values) => values[row].map(|value| self.whole_text(value)),
            Values::Real(values) => (!values[row].is_nan()).then(|| values[row].to_string()),
            Values::Text { codes, labels, .. } => labels.get(codes[row] as usize).cloned(),
        }
    }

    fn whole_text(&self, value: i64) -> String {
        match self.kind {
            ColumnKind::Boolean => (value != 0).to_string(),
            ColumnKind::Date => Freq::Day.label(Freq::Day.period(value)),
            ColumnKind::Timestamp => Freq::Second(1).label(Freq::Second(1).period(value)),
            _ => value.to_string(),
        }
    }

    /// Returns the smallest or largest value as text.
    pub(crate) fn extreme(&self, largest: bool) -> Option<String> {
        match &self.values {
            Values::Whole(values) => {
                let known = values.iter().flatten();
                let value = if largest { known.max() } else { known.min() };
                value.map(|value| self.whole_text(*value))
            }
            Values::Real(values) => {
                let known = values.iter().filter(|value| !value.is_nan());
                let value = if largest { known.max_by(|a, b| a.total_cmp(b)) } else { known.min_by(|a, b| a.total_cmp(b)) };
                value.map(ToString::to_string)
            }
            Values::Text { labels, .. } => if largest { labels.iter().max() } else { labels.iter().min() }.cloned(),
        }
    }

    /// Returns the first few distinct values.
    pub(crate) fn samples(&self, count: usize) -> Vec<String> {
        let (codes, _) = self.codes();
        let mut samples = Vec::new();
        for (row, code) in codes.iter().enumerate() {
            // Codes are given in the order of appearance.
            if *code != NULL_CODE && *code as usize == samples.len() {
                samples.extend(self.text(row));
                if samples.len() == count {
                    break;
                }
            }
        }
        samples
    }

    pub(crate) fn is_monotone(&self) -> bool {
        match &self.values {
            Values::Whole(values) => values.iter().flatten().is_sorted(),
            Values::Real(values) => values.iter().filter(|value| !value.is_nan()).is_sorted_by(|a, b| a <= b),
            Values::Text { codes, labels, .. } => codes.iter().filter_map(|code| labels.get(*code as usize)).is_sorted(),
        }
    }
}
