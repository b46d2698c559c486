//! The value of an exogenous column on the wire: a number, a flag, a text, or nothing.
//!
//! Read by hand and not as an untagged enum, so that a wrong value is named in the message.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

/// One value of an exogenous column.
#[derive(Debug, Clone, PartialEq)]
pub enum ExogValue {
    /// A number; `true` is 1 and `false` is 0.
    Number(f64),
    /// A category.
    Text(String),
    /// Not known: `null`.
    Missing,
}

impl utoipa::PartialSchema for ExogValue {
    fn schema() -> RefOr<Schema> {
        let types = [Type::Number, Type::String, Type::Boolean, Type::Null];
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter(types))
            .description(Some("A number, a category, a flag (`true` is 1), or `null` where it is not known."))
            .into()
    }
}

impl utoipa::ToSchema for ExogValue {}

impl Serialize for ExogValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Missing => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for ExogValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExogVisitor)
    }
}

struct ExogVisitor;

impl Visitor<'_> for ExogVisitor {
    type Value = ExogValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, true, false or null")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<ExogValue, E> {
        Ok(ExogValue::Number(f64::from(u8::from(flag))))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ExogValue, E> {
        Ok(ExogValue::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<ExogValue, E> {
        Ok(ExogValue::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<ExogValue, E> {
        Ok(ExogValue::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExogValue, E> {
        Ok(ExogValue::Text(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<ExogValue, E> {
        Ok(ExogValue::Missing)
    }
}
