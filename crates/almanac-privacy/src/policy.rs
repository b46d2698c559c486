//! What becomes of a personal column, and which columns of which tables are personal.
//!
//! Not here: doing it (`redaction`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What becomes of the values of a personal column before anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// A keyed hash: the same value gives the same text in every table, so that joins still work.
    Hash,
    /// The shape only: letters become `x`, digits `0`, signs stay.
    Mask,
    /// The column is not there.
    Drop,
}

/// The personal columns of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Personal {
    /// `column` for every table, or `table.column`.
    columns: BTreeMap<String, Policy>,
}

impl Personal {
    /// Takes names as they are written: `column` or `table.column`.
    pub fn new(columns: impl IntoIterator<Item = (String, Policy)>) -> Self {
        Self { columns: columns.into_iter().collect() }
    }

    /// Returns whether no column is personal.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns whether any column is hashed, so that a key is needed.
    pub fn needs_key(&self) -> bool {
        self.columns.values().any(|policy| *policy == Policy::Hash)
    }

    /// Returns what holds for a column of a table; what names the table goes before what does not.
    pub fn policy(&self, table: &str, column: &str) -> Option<Policy> {
        self.columns.get(&format!("{table}.{column}")).or_else(|| self.columns.get(column)).copied()
    }

    /// Returns the names as they are written.
    pub fn names(&self) -> impl Iterator<Item = (&str, Policy)> {
        self.columns.iter().map(|(name, policy)| (name.as_str(), *policy))
    }

    /// Returns the columns that are named for a table, with `true` for those that must be in it.
    pub(crate) fn of_table(&self, table: &str) -> BTreeMap<String, (Policy, bool)> {
        let mut of_table: BTreeMap<String, (Policy, bool)> = BTreeMap::new();
        for (name, policy) in &self.columns {
            match name.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')) {
                Some(column) => {
                    of_table.insert(column.to_owned(), (*policy, true));
                }
                None => {
                    of_table.entry(name.clone()).or_insert((*policy, false));
                }
            }
        }
        of_table
    }
}

/// Returns the shape of a value: letters become `x` and `X`, digits `0`, all else stays.
///
/// Nothing of the value is kept, neither the first letter nor the last digits: together with another column, four digits
/// of a telephone number name a person. Who has to tell people apart hashes.
pub(crate) fn mask(value: &str) -> String {
    let shape = |c: char| match c {
        c if c.is_uppercase() => 'X',
        c if c.is_alphabetic() => 'x',
        c if c.is_numeric() => '0',
        c => c,
    };
    value.trim().chars().map(shape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_its_table_goes_before_one_without() {
        let personal = Personal::new([("name".into(), Policy::Drop), ("items.name".into(), Policy::Hash)]);
        assert_eq!(personal.policy("customers", "name"), Some(Policy::Drop));
        assert_eq!(personal.policy("items", "name"), Some(Policy::Hash));
        assert_eq!(personal.policy("items", "price"), None);
    }

    #[test]
    fn a_mask_keeps_the_shape_and_nothing_else() {
        assert_eq!(mask("Anna.Müller@example.org"), "Xxxx.Xxxxxx@xxxxxxx.xxx");
        assert_eq!(mask(" +49 170 1234567 "), "+00 000 0000000");
    }
}
