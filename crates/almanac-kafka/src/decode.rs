//! The value of a message as a JSON object, by its format and framing.
//!
//! Not here: what of the message besides its value becomes a column (`row`).

mod avro;
mod protobuf;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use almanac_connect::{ConnectError, KafkaFormat, KafkaFraming, KafkaSpec};
use serde_json::{Map, Value};

/// A schema, read and checked.
pub(crate) enum Schema {
    Json,
    Avro(Box<avro::AvroSchema>),
    Protobuf(protobuf::ProtobufSchema),
}

/// Turns values into objects.
pub(crate) struct Decoder<'s> {
    reading: Reading<'s>,
    framing: KafkaFraming,
}

enum Reading<'s> {
    Json,
    Avro(avro::AvroReader<'s>),
    Protobuf(&'s protobuf::ProtobufSchema),
}

impl Schema {
    /// Reads the schema file of a topic; relative paths start at `root`.
    pub(crate) fn open(spec: &KafkaSpec, root: &Path) -> Result<Self, ConnectError> {
        Ok(match &spec.format {
            KafkaFormat::Json => Self::Json,
            KafkaFormat::Avro(path) => Self::Avro(Box::new(avro::AvroSchema::open(&root.join(path))?)),
            KafkaFormat::Protobuf(path, message) => Self::Protobuf(protobuf::ProtobufSchema::open(&root.join(path), message.as_deref())?),
        })
    }

    pub(crate) fn decoder(&self, framing: KafkaFraming) -> Result<Decoder<'_>, ConnectError> {
        let reading = match self {
            Self::Json => Reading::Json,
            Self::Avro(schema) => Reading::Avro(schema.reader()?),
            Self::Protobuf(schema) => Reading::Protobuf(schema),
        };
        Ok(Decoder { reading, framing })
    }
}

impl Decoder<'_> {
    /// Reads a value, or says why it cannot be read. Never panics, whatever the bytes are.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<Map<String, Value>, String> {
        catch_unwind(AssertUnwindSafe(|| self.decode_framed(bytes))).unwrap_or_else(|_| Err("it cannot be decoded".into()))
    }

    fn decode_framed(&self, bytes: &[u8]) -> Result<Map<String, Value>, String> {
        let body = match self.framing {
            KafkaFraming::Raw => bytes,
            KafkaFraming::Confluent => match bytes {
                [0, _, _, _, _, body @ ..] => body,
                _ => return Err("it is not in the framing of Confluent's clients, a zero and four bytes".into()),
            },
            KafkaFraming::SingleObject => match &self.reading {
                Reading::Avro(reader) => reader.unframe(bytes)?,
                Reading::Json | Reading::Protobuf(_) => bytes,
            },
        };
        let value = match &self.reading {
            Reading::Json => serde_json::from_slice(body).map_err(|error| format!("it is no JSON: {error}"))?,
            Reading::Avro(reader) => reader.read(body)?,
            Reading::Protobuf(schema) => {
                schema.read(if self.framing == KafkaFraming::Confluent { protobuf::unframe(body)? } else { body })?
            }
        };
        match value {
            Value::Object(object) => Ok(object),
            _ => Err("it is no object with members".into()),
        }
    }
}
