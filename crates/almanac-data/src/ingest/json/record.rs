//! One JSON object as cells: members by name, those of objects inside it by their path, arrays as text.
//!
//! Not here: which objects are rows (`document`).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Gives a visitor all visits of scalars, through one method `scalar(self, Value) -> Self::Value`.
macro_rules! scalars {
    () => {
        fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
            Ok(self.scalar(value.into()))
        }

        fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
            Ok(self.scalar(value.into()))
        }

        fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
            Ok(self.scalar(value.into()))
        }

        fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
            Ok(self.scalar(value.into()))
        }

        fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
            Ok(self.scalar(value.into()))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(self.scalar(Value::Null))
        }
    };
}
pub(super) use scalars;

/// The members of one JSON object, as text, in their order.
#[derive(Debug, Default)]
pub(super) struct Record(pub(super) Vec<(String, String)>);

impl Record {
    pub(super) fn add(&mut self, name: &str, value: Value, has_comma: bool) {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            // Numbers of JSON have points, whatever the files beside it are written with.
            Value::Number(number) if has_comma => number.to_string().replace('.', ","),
            other => other.to_string(),
        };
        self.0.push((name.to_owned(), text));
    }
}

/// Reads an object as a record; anything else is told by its kind.
pub(super) struct RecordSeed {
    /// Whether numbers of the table have a decimal comma.
    pub(super) has_comma: bool,
}

impl RecordSeed {
    #[expect(clippy::unused_self, reason = "called by `scalars!`")]
    fn scalar(&self, value: Value) -> Result<Record, &'static str> {
        Err(match value {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) | Value::Object(_) => "an array",
        })
    }
}

impl<'de> DeserializeSeed<'de> for &RecordSeed {
    type Value = Result<Record, &'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &RecordSeed {
    type Value = Result<Record, &'static str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut record = Record::default();
        Cell { name: "", record: &mut record, has_comma: self.has_comma }.visit_map(map)?;
        Ok(Ok(record))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err("an array"))
    }

    scalars!();
}

/// Adds a value to a record: itself, or its members.
struct Cell<'a> {
    name: &'a str,
    record: &'a mut Record,
    has_comma: bool,
}

impl Cell<'_> {
    fn scalar(self, value: Value) {
        self.record.add(self.name, value, self.has_comma);
    }
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let name = if self.name.is_empty() { key } else { format!("{}.{key}", self.name) };
            map.next_value_seed(Cell { name: &name, record: &mut *self.record, has_comma: self.has_comma })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element::<Value>()? {
            values.push(value);
        }
        self.scalar(Value::Array(values));
        Ok(())
    }

    scalars!();
}
