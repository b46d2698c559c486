//! Avro by a schema file. Dates and times become ISO text, decimals exact text, bytes base64.
//!
//! Not here: the registry of schemas, which is not asked: the file must say what the producer writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use almanac_connect::ConnectError;
use apache_avro::headers::{HeaderBuilder, RabinFingerprintHeader};
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{Name, NamespaceRef, Schema};
use apache_avro::types::Value as Avro;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::{Map, Value};

/// Largest text, array or byte string that a message may claim to hold.
const MAX_ALLOCATION: usize = 64 << 20;

pub(crate) struct AvroSchema {
    path: PathBuf,
    schema: Schema,
    /// Named types, by full and by short name.
    named: HashMap<String, Schema>,
    /// What stands before a value in single-object encoding.
    header: Vec<u8>,
}

pub(crate) struct AvroReader<'s> {
    schema: &'s AvroSchema,
    reader: GenericDatumReader<'s>,
}

impl AvroSchema {
    pub(crate) fn open(path: &Path) -> Result<Self, ConnectError> {
        let bad = |reason: String| ConnectError::Schema { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let schema = Schema::parse_str(&text).map_err(|error| bad(error.to_string()))?;
        if !matches!(schema, Schema::Record(_)) {
            return Err(bad("it is no record".into()));
        }
        // The first to set it decides, for the whole program; all of ours set the same.
        apache_avro::util::max_allocation_bytes(MAX_ALLOCATION);
        let mut named = HashMap::new();
        gather(&schema, &mut named);
        let header = RabinFingerprintHeader::from_schema(&schema).build_header();
        Ok(Self { path: path.to_owned(), schema, named, header })
    }

    pub(crate) fn reader(&self) -> Result<AvroReader<'_>, ConnectError> {
        let reader = GenericDatumReader::builder(&self.schema).build();
        let reader = reader.map_err(|error| ConnectError::Schema { path: self.path.clone(), reason: error.to_string() })?;
        Ok(AvroReader { schema: self, reader })
    }
}

impl AvroReader<'_> {
    /// Takes the mark and the fingerprint off.
    pub(crate) fn unframe<'b>(&self, bytes: &'b [u8]) -> Result<&'b [u8], String> {
        match bytes.strip_prefix(&self.schema.header[..]) {
            Some(body) => Ok(body),
            None if bytes.starts_with(&[0xc3, 0x01]) => Err("it was written with another schema: the fingerprints differ".into()),
            None => Err("it is not in single-object encoding".into()),
        }
    }

    pub(crate) fn read(&self, mut bytes: &[u8]) -> Result<Value, String> {
        let value = self.reader.read_value(&mut bytes).map_err(|error| format!("it does not fit the schema: {error}"))?;
        if !bytes.is_empty() {
            return Err(format!("it does not fit the schema: {} bytes are left over", bytes.len()));
        }
        self.json(value, &self.schema.schema)
    }

    fn json(&self, value: Avro, schema: &Schema) -> Result<Value, String> {
        let inner = match schema {
            Schema::Ref { name } => {
                self.schema.named.get(&name.to_string()).ok_or_else(|| format!("type `{name}` is not in the schema"))?
            }
            other => other,
        };
        Ok(match (value, inner) {
            (Avro::Null, _) => Value::Null,
            (Avro::Boolean(value), _) => value.into(),
            (Avro::Int(value), _) => value.into(),
            (Avro::Long(value), _) => value.into(),
            // The shortest text of a float, not the long one of the double it becomes.
            (Avro::Float(value), _) => value.to_string().parse::<f64>().map_or(Value::Null, Value::from),
            (Avro::Double(value), _) => value.into(),
            (Avro::String(text) | Avro::Enum(_, text), _) => text.into(),
            (Avro::Bytes(bytes) | Avro::Fixed(_, bytes), _) => STANDARD.encode(bytes).into(),
            (Avro::Union(index, value), Schema::Union(union)) => {
                let variant = union.variants().get(index as usize).ok_or("a union has no such branch")?;
                self.json(*value, variant)?
            }
            (Avro::Array(items), Schema::Array(schema)) => {
                Value::Array(items.into_iter().map(|item| self.json(item, &schema.items)).collect::<Result<_, _>>()?)
            }
            (Avro::Map(items), Schema::Map(schema)) => {
                let items = items.into_iter().map(|(name, item)| Ok((name, self.json(item, &schema.types)?)));
                Value::Object(items.collect::<Result<Map<_, _>, String>>()?)
            }
            (Avro::Record(members), Schema::Record(schema)) => {
                let members =
                    members.into_iter().zip(&schema.fields).map(|((name, value), field)| Ok((name, self.json(value, &field.schema)?)));
                Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
            }
            (Avro::Decimal(value), Schema::Decimal(schema)) => {
                let bytes = Vec::<u8>::try_from(value).map_err(|error| error.to_string())?;
                decimal(&bytes, schema.scale)?.into()
            }
            (Avro::BigDecimal(value), _) => value.to_string().into(),
            (Avro::Uuid(value), _) => value.to_string().into(),
            (Avro::Date(days), _) => {
                let day = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(days)).map_err(|error| error.to_string())?;
                day.to_string().into()
            }
            (Avro::TimeMillis(value), _) => clock(i64::from(value) * 1_000_000)?,
            (Avro::TimeMicros(value), _) => clock(value.checked_mul(1000).ok_or("a time is out of range")?)?,
            (Avro::TimestampMillis(value), _) => instant(Timestamp::from_millisecond(value), "Z")?,
            (Avro::TimestampMicros(value), _) => instant(Timestamp::from_microsecond(value), "Z")?,
            (Avro::TimestampNanos(value), _) => instant(Timestamp::from_nanosecond(value.into()), "Z")?,
            (Avro::LocalTimestampMillis(value), _) => instant(Timestamp::from_millisecond(value), "")?,
            (Avro::LocalTimestampMicros(value), _) => instant(Timestamp::from_microsecond(value), "")?,
            (Avro::LocalTimestampNanos(value), _) => instant(Timestamp::from_nanosecond(value.into()), "")?,
            (Avro::Duration(_), _) => return Err("a duration of months, days and milliseconds is no type of a table".into()),
            (Avro::Union(..) | Avro::Array(_) | Avro::Map(_) | Avro::Record(_) | Avro::Decimal(_), _) => {
                return Err("value and schema differ".into());
            }
        })
    }
}

fn gather(schema: &Schema, named: &mut HashMap<String, Schema>) {
    let mut keep = |name: &Name| {
        named.entry(name.fullname(NamespaceRef::default())).or_insert_with(|| schema.clone());
        named.entry(name.name().to_string()).or_insert_with(|| schema.clone());
    };
    match schema {
        Schema::Record(record) => {
            keep(&record.name);
            record.fields.iter().for_each(|field| gather(&field.schema, named));
        }
        Schema::Enum(found) => keep(&found.name),
        Schema::Fixed(found) => keep(&found.name),
        Schema::Array(found) => gather(&found.items, named),
        Schema::Map(found) => gather(&found.types, named),
        Schema::Union(found) => found.variants().iter().for_each(|variant| gather(variant, named)),
        _ => {}
    }
}

fn instant(at: Result<Timestamp, jiff::Error>, zone: &str) -> Result<Value, String> {
    let text = at.map_err(|error| error.to_string())?.to_string();
    Ok(format!("{}{zone}", text.trim_end_matches('Z')).into())
}

fn clock(nanoseconds: i64) -> Result<Value, String> {
    let span = jiff::Span::new().nanoseconds(nanoseconds);
    let time = Time::midnight().checked_add(span).map_err(|error| error.to_string())?;
    Ok(time.to_string().into())
}

/// An unscaled number, big-endian in two's complement, as text with `scale` digits behind the point.
fn decimal(bytes: &[u8], scale: usize) -> Result<String, String> {
    if bytes.len() > 16 || scale > 38 {
        return Err("a decimal has more digits than can be held".into());
    }
    let is_negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let start = if is_negative { -1 } else { 0 };
    let value: i128 = bytes.iter().fold(start, |value, byte| (value << 8) | i128::from(*byte));
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, rest) = digits.split_at(digits.len() - scale);
    let point = if scale == 0 { "" } else { "." };
    Ok(format!("{}{whole}{point}{rest}", if is_negative { "-" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (bytes, scale, expected) in [
            (&[0x04, 0xe2][..], 2, "12.50"),
            (&[0xfb, 0x1e], 2, "-12.50"),
            (&[0x05], 2, "0.05"),
            (&[0xff], 3, "-0.001"),
            (&[0x07], 0, "7"),
            (&[], 1, "0.0"),
        ] {
            assert_eq!(decimal(bytes, scale).expect("short"), expected);
        }
        assert!(decimal(&[1; 17], 0).is_err());
    }
}
