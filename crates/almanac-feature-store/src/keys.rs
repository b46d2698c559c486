//! Keys of entities: what a row is about, as bytes, and the index from those bytes to a number.
//!
//! A whole number is its eight bytes, a text its length and its bytes, one key after the other: two entities are the same if and only
//! if the bytes are. Each key is hashed once.

use ahash::RandomState;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, LargeStringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type};
use hashbrown::HashTable;

use crate::FeatureError;
use crate::column::{Column, kind_of};
use crate::declaration::{Key, KeyKind, Kind};

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValue {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
}

impl KeyValue {
    /// Returns it as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Int(number) => (*number).into(),
        }
    }

    /// Reads what was typed as a key of a kind.
    pub fn read(text: &str, kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Text => Some(Self::Text(text.to_owned())),
            KeyKind::Int => text.trim().parse().ok().map(Self::Int),
        }
    }

    /// Writes its bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => encode_text(text, out),
            Self::Int(number) => out.extend_from_slice(&number.to_le_bytes()),
        }
    }
}

fn encode_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The keys of the rows of a table.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumns {
    parts: Vec<KeyColumn>,
}

#[derive(Debug, Clone)]
enum KeyColumn {
    Text(LargeStringArray),
    Int(Int64Array),
}

impl KeyColumns {
    /// Takes the arrays of the keys, in order.
    pub(crate) fn new(keys: &[Key], arrays: &[ArrayRef], place: &str) -> Result<Self, FeatureError> {
        let parts = keys.iter().zip(arrays).map(|(key, array)| {
            let wrong = || FeatureError::WrongType {
                place: place.to_owned(),
                column: key.column.clone(),
                found: format!("`{}`", array.data_type()),
                wanted: format!("a key of type `{}`", key.kind.name()),
            };
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let as_type = |target: &DataType| cast_with_options(array, target, &strict).map_err(|_| wrong());
            match (key.kind, kind_of(array.data_type())) {
                (KeyKind::Text, Some(Kind::Text)) => Ok(KeyColumn::Text(as_type(&DataType::LargeUtf8)?.as_string::<i64>().clone())),
                (KeyKind::Int, Some(Kind::Int)) => Ok(KeyColumn::Int(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().clone())),
                // A column without any value has a type by chance.
                (KeyKind::Text, None) if *array.data_type() == DataType::Null => {
                    Ok(KeyColumn::Text(LargeStringArray::new_null(array.len())))
                }
                (KeyKind::Int, None) if *array.data_type() == DataType::Null => Ok(KeyColumn::Int(Int64Array::new_null(array.len()))),
                _ => Err(wrong()),
            }
        });
        Ok(Self { parts: parts.collect::<Result<_, _>>()? })
    }

    /// Writes the bytes of a row's key; `false` if a part of it is missing.
    pub(crate) fn encode(&self, row: usize, out: &mut Vec<u8>) -> bool {
        out.clear();
        for part in &self.parts {
            match part {
                KeyColumn::Text(array) if array.is_valid(row) => encode_text(array.value(row), out),
                KeyColumn::Int(array) if array.is_valid(row) => out.extend_from_slice(&array.value(row).to_le_bytes()),
                _ => return false,
            }
        }
        true
    }

    /// Returns them as columns, for a file.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let column = |part: &KeyColumn| match part {
            KeyColumn::Text(array) => Column::Text(array.clone()),
            KeyColumn::Int(array) => Column::Int(array.clone()),
        };
        self.parts.iter().map(column).collect()
    }
}

/// The number of each entity, by its key.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    hasher: Hasher,
    table: HashTable<u32>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Debug)]
struct Hasher(RandomState);

impl Default for Hasher {
    fn default() -> Self {
        // Fixed: keys come from the project's own tables, and runs are to be alike.
        Self(RandomState::with_seeds(1, 2, 3, 4))
    }
}

impl KeyIndex {
    /// Makes room for so many entities.
    pub(crate) fn with_capacity(entities: usize) -> Self {
        Self { table: HashTable::with_capacity(entities), ends: Vec::with_capacity(entities), ..Self::default() }
    }

    /// Returns the number of entities.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes of an entity's key.
    pub(crate) fn key(&self, entity: u32) -> &[u8] {
        let entity = entity as usize;
        let start = if entity == 0 { 0 } else { self.ends[entity - 1] };
        &self.bytes[start..self.ends[entity]]
    }

    /// Returns the number of an entity.
    pub(crate) fn get(&self, key: &[u8]) -> Option<u32> {
        self.table.find(self.hasher.0.hash_one(key), |entity| self.key(*entity) == key).copied()
    }

    /// Returns the number of an entity, the next one if it is new.
    pub(crate) fn insert(&mut self, key: &[u8]) -> u32 {
        let hash = self.hasher.0.hash_one(key);
        if let Some(entity) = self.table.find(hash, |entity| self.key(*entity) == key) {
            return *entity;
        }
        let entity = self.ends.len() as u32;
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        let (hasher, bytes, ends) = (&self.hasher.0, &self.bytes, &self.ends);
        self.table.insert_unique(hash, entity, |other| {
            let other = *other as usize;
            let start = if other == 0 { 0 } else { ends[other - 1] };
            hasher.hash_one(&bytes[start..ends[other]])
        });
        entity
    }

    /// Returns its size in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + self.table.capacity() * 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_has_one_number_and_keys_do_not_run_into_each_other() {
        let mut index = KeyIndex::default();
        let bytes = |parts: &[&str]| {
            let mut out = Vec::new();
            parts.iter().for_each(|part| KeyValue::Text((*part).to_owned()).encode(&mut out));
            out
        };
        let (left, right) = (bytes(&["ab", "c"]), bytes(&["a", "bc"]));
        assert_eq!((index.insert(&left), index.insert(&right), index.insert(&left)), (0, 1, 0));
        assert_eq!((index.get(&right), index.get(b"none")), (Some(1), None));
        assert_eq!(index.len(), 2);
    }
}
