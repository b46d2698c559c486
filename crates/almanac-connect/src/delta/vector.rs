//! Deletion vectors: which rows of a data file are no longer part of the table.
//!
//! Not here: taking them out (`copy`).

use roaring::RoaringTreemap;

use super::action::Vector;
use super::place::Place;
use crate::error::ConnectError;

/// What the bits begin with.
const MAGIC: u32 = 1_681_511_377;
/// Characters of an identifier at the end of a name.
const ID: usize = 20;

/// Reads the places of deleted rows, from 0.
pub(super) async fn read(place: &Place<'_>, vector: &Vector) -> Result<RoaringTreemap, ConnectError> {
    let bad = |reason: &str| place.refused(&format!("the deletion vector `{}` is damaged: {reason}", vector.id()));
    let bits = match vector.storage_type.as_str() {
        "i" => z85::decode(&vector.path_or_inline_dv).map_err(|error| bad(&error.to_string()))?,
        "u" => {
            let path = path(&vector.path_or_inline_dv).ok_or_else(|| bad("it names no file"))?;
            stored(place, &place.decode(&path)?, vector).await?.map_err(|reason| bad(&reason))?
        }
        "p" => stored(place, &place.decode(&vector.path_or_inline_dv)?, vector).await?.map_err(|reason| bad(&reason))?,
        other => return Err(bad(&format!("`{other}` is no way of keeping it"))),
    };
    parse(&bits, vector.cardinality).map_err(|reason| bad(&reason))
}

/// The file of an identifier, in a folder with a random name if there is one before it.
fn path(text: &str) -> Option<String> {
    let (folder, id) = text.split_at_checked(text.len().checked_sub(ID)?)?;
    let id: [u8; 16] = z85::decode(id).ok()?.try_into().ok()?;
    let hex = format!("{:032x}", u128::from_be_bytes(id));
    let parts = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..32)?];
    let name = format!("deletion_vector_{}.bin", parts.join("-"));
    Some(if folder.is_empty() { name } else { format!("{folder}/{name}") })
}

/// Reads a vector of a file that holds several: its size, its bits, their checksum.
async fn stored(place: &Place<'_>, path: &str, vector: &Vector) -> Result<Result<Vec<u8>, String>, ConnectError> {
    let start = vector.offset.unwrap_or(1);
    let bytes = place.read_range(path, start..start.saturating_add(vector.size_in_bytes).saturating_add(8)).await?;
    Ok(unwrap(&bytes, vector.size_in_bytes))
}

fn unwrap(bytes: &[u8], size: u64) -> Result<Vec<u8>, String> {
    let number = |at: usize| bytes.get(at..at + 4).and_then(|four| Some(u32::from_be_bytes(four.try_into().ok()?)));
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if bytes.len() != size.saturating_add(8) {
        return Err("it is cut off".to_owned());
    }
    if number(0).map(|found| found as usize) != Some(size) {
        return Err("it has another size than the log says".to_owned());
    }
    let bits = &bytes[4..4 + size];
    if number(4 + size) != Some(crc32fast::hash(bits)) {
        return Err("its checksum is another".to_owned());
    }
    Ok(bits.to_vec())
}

fn parse(bits: &[u8], cardinality: u64) -> Result<RoaringTreemap, String> {
    let magic = bits.get(..4).and_then(|four| Some(u32::from_le_bytes(four.try_into().ok()?)));
    if magic != Some(MAGIC) {
        return Err("it is no bitmap".to_owned());
    }
    let found = RoaringTreemap::deserialize_from(&bits[4..]).map_err(|error| error.to_string())?;
    if found.len() == cardinality {
        return Ok(found);
    }
    Err(format!("it names {} rows, the log says {cardinality}", found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_found_and_read_as_the_protocol_has_them() {
        // The examples of the protocol.
        assert_eq!(path("ab^-aqEH.-t@S}K{vb[*k^").as_deref(), Some("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"));
        let inline = z85::decode("^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L").expect("text");
        let found = parse(&inline, 6).expect("a bitmap");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [3, 4, 7, 11, 18, 29]);
        assert!(parse(&inline, 7).is_err() && parse(b"xxxxxxxx", 1).is_err() && parse(b"", 0).is_err());
        assert_eq!(path("short"), None);
    }

    #[test]
    fn damage_to_a_stored_vector_is_seen() {
        let bits = b"some bits";
        let mut stored = (bits.len() as u32).to_be_bytes().to_vec();
        stored.extend_from_slice(bits);
        stored.extend_from_slice(&crc32fast::hash(bits).to_be_bytes());
        assert_eq!(unwrap(&stored, 9).expect("whole"), bits);
        let mut other = stored.clone();
        other[5] ^= 1;
        assert!(unwrap(&other, 9).is_err() && unwrap(&stored[..12], 9).is_err() && unwrap(&stored, u64::MAX).is_err());
    }
}
