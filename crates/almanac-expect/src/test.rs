//! The answers to questions about one value.

use arrow::buffer::BooleanBuffer;

use crate::column::Column;
use crate::pattern::Pattern;
use crate::rule::{Class, Range, Test};
use crate::value::Value;

impl Range {
    /// Returns whether a value lies within, or `None` where it cannot be compared with a bound.
    pub(crate) fn holds(&self, value: &Value) -> Option<bool> {
        let above = match &self.min {
            None => true,
            Some(min) => {
                let order = value.compare(min)?;
                if self.strict_min { order.is_gt() } else { order.is_ge() }
            }
        };
        let below = match &self.max {
            None => true,
            Some(max) => {
                let order = value.compare(max)?;
                if self.strict_max { order.is_lt() } else { order.is_le() }
            }
        };
        Some(above && below)
    }
}

impl Test {
    /// Answers for one value that is not missing.
    pub(crate) fn holds(&self, value: &Value) -> Result<bool, String> {
        Ok(match self {
            Self::Between(range) => {
                range.holds(value).ok_or_else(|| format!("the value `{}` cannot be compared with the bounds", value.text()))?
            }
            Self::InSet { set, negated } => {
                let inside = set.contains(value)
                    || (matches!(value, Value::Time(_) | Value::Date(_))
                        && set.iter().any(|other| value.compare(other) == Some(std::cmp::Ordering::Equal)));
                inside != *negated
            }
            Self::Anything => true,
            Self::Regex { patterns, all, negated } => {
                let text = value.text();
                let every = *all && !*negated;
                let mut found = every;
                for pattern in patterns {
                    if pattern.is_match(&text)? != every {
                        found = !every;
                        break;
                    }
                }
                found != *negated
            }
            Self::Strptime(format) => match value {
                Value::Text(text) => format.reads(text),
                _ => return Err("a format is for texts; this column holds none".into()),
            },
            Self::DateParseable => match value {
                Value::Text(text) => crate::dateutil::reads(text),
                _ => return Err("only texts can be read as dates; this column holds none".into()),
            },
            Self::Json => match value {
                Value::Text(text) => crate::dateutil::is_json(text),
                _ => false,
            },
            Self::JsonSchema(schema) => match value {
                Value::Text(text) => {
                    if !crate::dateutil::is_json(text) {
                        return Err("a value is not JSON at all".into());
                    }
                    schema.fits(text)
                }
                _ => return Err("a JSON schema is for texts; this column holds none".into()),
            },
            Self::Length(range) => {
                let length = match value {
                    Value::Text(text) => text.chars().count(),
                    other => other.text().chars().count(),
                };
                range.holds(&Value::Int(length as i64)).ok_or("a length is compared with numbers")?
            }
            Self::NotAfter(nanos) => {
                value.nanos().map(|moment| moment <= *nanos).ok_or_else(|| format!("`{}` is no time", value.text()))?
            }
            Self::Near { center, spread, threshold, both } => {
                let number = number(value)?;
                spread.is_none_or(|spread| is_near((number - center) / spread, *threshold, *both))
            }
            Self::Window(window) => match window {
                None => true,
                Some((low, high)) => (*low..=*high).contains(&number(value)?),
            },
            Self::Within { center, distance } => {
                let value = number(value)?;
                if *distance <= 0.0 { value == *center } else { (value - center).abs() < *distance }
            }
            Self::OfClass(classes) => classes.iter().any(|class| is_instance(class, value)),
        })
    }

    /// Returns whether a text may be beyond this question.
    pub(crate) fn may_refuse(&self) -> bool {
        match self {
            Self::Regex { patterns, .. } => patterns.iter().any(Pattern::may_refuse),
            Self::Between(_) | Self::JsonSchema(_) | Self::NotAfter(_) | Self::Near { .. } | Self::Window(_) | Self::Within { .. } => true,
            _ => false,
        }
    }

    /// Returns which rows fail, for numbers that can be judged without being taken one by one.
    pub(crate) fn numbers(&self, column: &Column, rows: usize) -> Option<BooleanBuffer> {
        match (self, column) {
            (Self::Between(range), Column::Float(array, _)) => {
                let values = array.values();
                let (low, high) = (bound(range.min.as_ref(), f64::NEG_INFINITY)?, bound(range.max.as_ref(), f64::INFINITY)?);
                Some(match (range.strict_min && range.min.is_some(), range.strict_max && range.max.is_some()) {
                    (false, false) => BooleanBuffer::collect_bool(rows, |row| !(values[row] >= low && values[row] <= high)),
                    (true, false) => BooleanBuffer::collect_bool(rows, |row| !(values[row] > low && values[row] <= high)),
                    (false, true) => BooleanBuffer::collect_bool(rows, |row| !(values[row] >= low && values[row] < high)),
                    (true, true) => BooleanBuffer::collect_bool(rows, |row| !(values[row] > low && values[row] < high)),
                })
            }
            (Self::Between(range), Column::Int(array)) => {
                let values = array.values();
                let whole = |value: &Value| matches!(value, Value::Int(_));
                if !range.min.as_ref().is_none_or(whole) || !range.max.as_ref().is_none_or(whole) {
                    return None;
                }
                let low = match (&range.min, range.strict_min) {
                    (Some(Value::Int(min)), strict) => i128::from(*min) + i128::from(strict),
                    _ => i128::from(i64::MIN),
                };
                let high = match (&range.max, range.strict_max) {
                    (Some(Value::Int(max)), strict) => i128::from(*max) - i128::from(strict),
                    _ => i128::from(i64::MAX),
                };
                let (Ok(low), Ok(high)) = (i64::try_from(low), i64::try_from(high)) else { return None };
                Some(BooleanBuffer::collect_bool(rows, |row| !(low..=high).contains(&values[row])))
            }
            (Self::Near { center, spread, threshold, both }, Column::Float(array, _)) => {
                let values = array.values();
                Some(match spread {
                    None => BooleanBuffer::new_unset(rows),
                    Some(spread) => BooleanBuffer::collect_bool(rows, |row| !is_near((values[row] - center) / spread, *threshold, *both)),
                })
            }
            _ => None,
        }
    }
}

fn is_near(score: f64, threshold: f64, both: bool) -> bool {
    if both { score.abs() < threshold.abs() } else { score < threshold }
}

fn bound(value: Option<&Value>, open: f64) -> Option<f64> {
    match value {
        None => Some(open),
        Some(value) => value.number(),
    }
}

fn number(value: &Value) -> Result<f64, String> {
    value.number().ok_or_else(|| format!("`{}` is no number", value.text()))
}

fn is_instance(class: &Class, value: &Value) -> bool {
    let Class::Python(name) = class else { return false };
    match value {
        Value::Bool(_) => matches!(name.as_str(), "bool" | "int"),
        Value::Text(_) => name == "str",
        Value::Date(_) => name == "date",
        Value::Int(_) => name == "int",
        Value::Float(_) => name == "float",
        Value::Time(_) => matches!(name.as_str(), "datetime" | "Timestamp"),
        Value::Null | Value::Row(_) => false,
    }
}
