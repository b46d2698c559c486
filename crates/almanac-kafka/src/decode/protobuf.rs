//! Protobuf by a schema file, as the JSON that Protobuf itself defines, with the names of the schema and numbers as numbers.
//!
//! Not here: the registry of schemas, which is not asked.

use std::path::Path;

use almanac_connect::ConnectError;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

/// Most levels of messages in messages that a Confluent framing may name.
const MAX_INDEXES: u64 = 64;

pub(crate) struct ProtobufSchema {
    message: MessageDescriptor,
    options: SerializeOptions,
}

impl ProtobufSchema {
    /// Reads a file and finds the message in it; without a name the only one.
    pub(crate) fn open(path: &Path, message: Option<&str>) -> Result<Self, ConnectError> {
        let bad = |reason: String| ConnectError::Schema { path: path.to_owned(), reason };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(bad("it is no file".into())) };
        let files = protox::compile([Path::new(name)], [folder]).map_err(|error| bad(error.to_string()))?;
        let pool = DescriptorPool::from_file_descriptor_set(files).map_err(|error| bad(error.to_string()))?;
        let file = pool.get_file_by_name(&name.to_string_lossy()).ok_or_else(|| bad("it is not compiled".into()))?;
        let names: Vec<String> = file.messages().map(|message| message.full_name().to_owned()).collect();
        let message = match message {
            Some(wanted) => {
                pool.get_message_by_name(wanted).ok_or_else(|| bad(format!("it has no message `{wanted}`, but {}", shown(&names))))?
            }
            None if names.len() == 1 => file.messages().next().ok_or_else(|| bad("it has no message".into()))?,
            None => return Err(bad(format!("`message` must say which: it has {}", shown(&names)))),
        };
        let options = SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true).skip_default_fields(false);
        Ok(Self { message, options })
    }

    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Value, String> {
        let message =
            DynamicMessage::decode(self.message.clone(), bytes).map_err(|error| format!("it does not fit the schema: {error}"))?;
        // Protobuf reads nearly everything as nearly everything: a message without one known field is another one.
        if message.unknown_fields().next().is_some() && message.fields().next().is_none() {
            return Err("it does not fit the schema: none of its fields is in it".into());
        }
        message
            .serialize_with_options(serde_json::value::Serializer, &self.options)
            .map_err(|error| format!("it cannot be shown as JSON: {error}"))
    }
}

fn shown(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { format!("`{}`", names.join("`, `")) }
}

/// Takes off the path to the message in its file, which Confluent's clients write before the value.
pub(crate) fn unframe(bytes: &[u8]) -> Result<&[u8], String> {
    let bad = || "it is not in the framing of Confluent's clients: the path to its message breaks off".to_owned();
    let (count, mut rest) = varint(bytes).ok_or_else(bad)?;
    // Zigzag: even numbers are twice the value.
    let count = if count % 2 == 0 { count / 2 } else { return Err(bad()) };
    if count > MAX_INDEXES {
        return Err(bad());
    }
    for _ in 0..count {
        rest = varint(rest).ok_or_else(bad)?.1;
    }
    Ok(rest)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_to_the_message_is_taken_off() {
        assert_eq!(unframe(&[0, 8, 1]).expect("the first message"), [8, 1]);
        assert_eq!(unframe(&[2, 6, 8, 1]).expect("the fourth message"), [8, 1]);
        assert_eq!(unframe(&[4, 2, 0, 8, 1]).expect("a message in a message"), [8, 1]);
        for broken in [&[][..], &[2], &[3, 0], &[0x80], &[0xff; 12]] {
            assert!(unframe(broken).is_err(), "{broken:?}");
        }
    }
}
