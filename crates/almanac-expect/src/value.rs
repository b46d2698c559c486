//! One value of a table or of an argument, compared as Python compares: `1 == 1.0 == True`, and a text is never a number.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde_json::Value as Json;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// Missing: null, or not a number.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// A moment, in nanoseconds since 1970-01-01.
    Time(i128),
    /// A day, counted from 1970-01-01.
    Date(i32),
    /// Several values: the cells of one row.
    Row(Vec<(String, Value)>),
}

pub(crate) const NANOS_PER_DAY: i128 = 86_400_000_000_000;

impl Value {
    /// Returns the value of a JSON scalar, or `None` for lists and objects.
    pub(crate) fn of_json(json: &Json) -> Option<Self> {
        Some(match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Float(number.as_f64()?),
            },
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(_) | Json::Object(_) => return None,
        })
    }

    /// Returns the number this is, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the moment this is: a time, a day, or a text that reads as one.
    pub(crate) fn nanos(&self) -> Option<i128> {
        match self {
            Self::Time(nanos) => Some(*nanos),
            Self::Date(days) => Some(i128::from(*days) * NANOS_PER_DAY),
            Self::Text(text) => parse_time(text),
            _ => None,
        }
    }

    /// Returns how two values compare, or `None` where they cannot.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Time(_) | Self::Date(_), _) | (_, Self::Time(_) | Self::Date(_)) => Some(self.nanos()?.cmp(&other.nanos()?)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    /// Returns the value as results show it.
    pub fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => serde_json::Number::from_f64(*value).map_or_else(
                || if value.is_nan() { Json::Null } else { Json::String(if *value > 0.0 { "Infinity" } else { "-Infinity" }.into()) },
                Json::Number,
            ),
            Self::Text(text) => Json::String(text.clone()),
            Self::Time(_) | Self::Date(_) => Json::String(self.text()),
            Self::Row(cells) => Json::Object(cells.iter().map(|(name, value)| (name.clone(), value.json())).collect()),
        }
    }

    /// Returns the value as Python's `str` would.
    pub fn text(&self) -> String {
        match self {
            Self::Null => "None".into(),
            Self::Bool(value) => if *value { "True" } else { "False" }.into(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => python_float(*value),
            Self::Text(text) => text.clone(),
            Self::Time(nanos) => time_text(*nanos),
            Self::Date(days) => time_text(i128::from(*days) * NANOS_PER_DAY)[..10].to_owned(),
            Self::Row(cells) => cells.iter().map(|(name, value)| format!("{name}={}", value.text())).collect::<Vec<_>>().join(", "),
        }
    }

    /// Returns whether it, or a cell of it, is missing.
    pub(crate) fn has_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Row(cells) => cells.iter().any(|cell| cell.1.has_null()),
            _ => false,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => 1,
            Self::Time(_) | Self::Date(_) => 2,
            Self::Text(_) => 3,
            Self::Row(_) => 4,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Row(a), Self::Row(b)) => a.iter().map(|cell| &cell.1).cmp(b.iter().map(|cell| &cell.1)),
            _ if self.rank() != other.rank() => self.rank().cmp(&other.rank()),
            (Self::Time(_) | Self::Date(_), _) => self.nanos().cmp(&other.nanos()),
            _ => canonical(self.number()).total_cmp(&canonical(other.number())),
        }
    }
}

fn canonical(number: Option<f64>) -> f64 {
    // Adding zero turns -0.0 into 0.0: they are one value.
    number.unwrap_or(f64::NAN) + 0.0
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => canonical(self.number()).to_bits().hash(state),
            Self::Text(text) => text.hash(state),
            Self::Time(_) | Self::Date(_) => self.nanos().hash(state),
            Self::Row(cells) => cells.iter().for_each(|cell| cell.1.hash(state)),
        }
    }
}

/// Reads a moment as ISO 8601 writes it, with or without a time of day, a zone or a `T`. Nanoseconds since 1970, UTC where no zone is named.
pub(crate) fn parse_time(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(stamp.as_nanosecond());
    }
    if let Ok(date) = text.parse::<jiff::civil::DateTime>() {
        return date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_nanosecond());
    }
    let date = text.parse::<jiff::civil::Date>().ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond())
}

/// Writes a moment as `2024-01-31T08:00:00`, with as many digits of a second as it has.
pub(crate) fn time_text(nanos: i128) -> String {
    let Ok(stamp) = jiff::Timestamp::from_nanosecond(nanos) else { return nanos.to_string() };
    stamp.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string()
}

fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        return format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    let text = format!("{value}");
    if text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_python_prints_them() {
        let text = |value: f64| Value::Float(value).text();
        assert_eq!(text(1.0), "1.0");
        assert_eq!(text(0.1), "0.1");
        assert_eq!(text(1e16), "1e+16");
        assert_eq!(text(1.5e-7), "1.5e-07");
        assert_eq!(text(123456789.25), "123456789.25");
    }

    #[test]
    fn a_whole_number_equals_the_float_and_the_truth_it_is_but_no_text() {
        assert_eq!(Value::Int(1), Value::Float(1.0));
        assert_eq!(Value::Int(1), Value::Bool(true));
        assert_ne!(Value::Int(1), Value::Text("1".into()));
        assert_eq!(Value::Float(-0.0), Value::Int(0));
    }

    #[test]
    fn times_are_read_with_and_without_a_clock_and_printed_short() {
        assert_eq!(parse_time("2024-01-02"), parse_time("2024-01-02 00:00:00"));
        assert_eq!(parse_time("2024-01-02T00:00:00Z"), parse_time("2024-01-02T01:00:00+01:00"));
        assert_eq!(Value::Time(parse_time("2024-01-02").unwrap()).text(), "2024-01-02T00:00:00");
        assert_eq!(parse_time("soon"), None);
    }
}
