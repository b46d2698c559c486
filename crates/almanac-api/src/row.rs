//! Rows of a predict request: `ds`, `y` and any exogenous columns beside them, as in a long table.
//!
//! Read by hand, because serde's `flatten` loses the name and place of a wrong value. A key that is neither `ds` nor `y`
//! is an exogenous column here; whether the project knows it is for the server to say.

use crate::ExogValue;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A row of the past.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HistoryRow {
    /// Timestamp: `2024-01-31`, `2024-01-31T13:30:00`, with an offset where the project has a time zone, or an integer step.
    #[schema(example = "2024-01-31")]
    pub ds: String,
    /// Target; `null` where it is not known.
    #[schema(example = 12.0, required = false)]
    pub y: Option<f64>,
    /// Exogenous columns by name, in the same object.
    #[serde(flatten)]
    pub exog: BTreeMap<String, ExogValue>,
}

/// A row after the end of the history: what is known ahead.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FutureRow {
    /// Timestamp, as in the history.
    #[schema(example = "2024-02-01")]
    pub ds: String,
    /// Known-ahead columns by name, in the same object.
    #[serde(flatten)]
    pub exog: BTreeMap<String, ExogValue>,
}

impl<'de> Deserialize<'de> for HistoryRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(RowVisitor { with_y: true })?;
        Ok(Self { ds: fields.ds, y: fields.y.and_then(|Target(y)| y), exog: fields.exog })
    }
}

impl<'de> Deserialize<'de> for FutureRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = deserializer.deserialize_map(RowVisitor { with_y: false })?;
        Ok(Self { ds: fields.ds, exog: fields.exog })
    }
}

/// Reads columns by name, each once: of two values for one column neither can be meant.
pub(crate) fn columns_once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, ExogValue>, D::Error> {
    deserializer.deserialize_map(ColumnsVisitor)
}

struct ColumnsVisitor;

impl<'de> Visitor<'de> for ColumnsVisitor {
    type Value = BTreeMap<String, ExogValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of columns and their values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut columns = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value()?;
            if columns.insert(key.clone(), value).is_some() {
                return Err(Error::custom(format_args!("duplicate field `{key}`")));
            }
        }
        Ok(columns)
    }
}

struct RowFields {
    ds: String,
    y: Option<Target>,
    exog: BTreeMap<String, ExogValue>,
}

struct RowVisitor {
    with_y: bool,
}

impl<'de> Visitor<'de> for RowVisitor {
    type Value = RowFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.with_y { "an object with `ds` and `y`" } else { "an object with `ds` and known-ahead columns" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RowFields, A::Error> {
        let mut ds = None;
        let mut y = None;
        let mut exog = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "ds" if ds.is_some() => return Err(Error::duplicate_field("ds")),
                "ds" => ds = Some(map.next_value::<Ds>()?.0),
                "y" if !self.with_y => return Err(Error::custom("`y` is not allowed in `future`: it is what is to be forecast")),
                "y" if y.is_some() => return Err(Error::duplicate_field("y")),
                "y" => y = Some(map.next_value()?),
                _ => {
                    let value = map.next_value()?;
                    if exog.insert(key.clone(), value).is_some() {
                        return Err(Error::custom(format_args!("duplicate field `{key}`")));
                    }
                }
            }
        }
        if self.with_y && y.is_none() {
            return Err(Error::missing_field("y"));
        }
        Ok(RowFields { ds: ds.ok_or_else(|| Error::missing_field("ds"))?, y, exog })
    }
}

/// The target: a number or `null`.
struct Target(Option<f64>);

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

struct TargetVisitor;

impl Visitor<'_> for TargetVisitor {
    type Value = Target;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or null")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Target, E> {
        Ok(Target(Some(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Target, E> {
        Ok(Target(Some(number as f64)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Target, E> {
        Ok(Target(Some(number as f64)))
    }

    fn visit_unit<E: Error>(self) -> Result<Target, E> {
        Ok(Target(None))
    }
}

/// A timestamp as text; an integer step may stand without quotes.
struct Ds(String);

impl<'de> Deserialize<'de> for Ds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DsVisitor)
    }
}

struct DsVisitor;

impl Visitor<'_> for DsVisitor {
    type Value = Ds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp as text, or an integer step")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ds, E> {
        Ok(Ds(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, step: i64) -> Result<Ds, E> {
        Ok(Ds(step.to_string()))
    }

    fn visit_u64<E: Error>(self, step: u64) -> Result<Ds, E> {
        Ok(Ds(step.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_beside_ds_and_y_are_exogenous_columns() {
        let row: HistoryRow =
            serde_json::from_str(r#"{"ds":"2024-01-31","y":3,"price":1.5,"promo":true,"kind":"a","x":null}"#).expect("valid");
        assert_eq!(row.y, Some(3.0));
        assert_eq!(row.exog["price"], ExogValue::Number(1.5));
        assert_eq!(row.exog["promo"], ExogValue::Number(1.0));
        assert_eq!(row.exog["kind"], ExogValue::Text("a".into()));
        assert_eq!(row.exog["x"], ExogValue::Missing);
    }

    #[test]
    fn a_row_without_y_is_refused_and_null_is_a_missing_value() {
        let error = serde_json::from_str::<HistoryRow>(r#"{"ds":"2024-01-31"}"#).expect_err("no y");
        assert_eq!(error.to_string(), "missing field `y` at line 1 column 19");
        assert_eq!(serde_json::from_str::<HistoryRow>(r#"{"ds":7,"y":null}"#).expect("valid").y, None);
    }

    #[test]
    fn the_target_may_not_stand_in_the_future() {
        let error = serde_json::from_str::<FutureRow>(r#"{"ds":"2024-01-31","y":1}"#).expect_err("y ahead");
        assert!(error.to_string().starts_with("`y` is not allowed in `future`"), "{error}");
    }
}
