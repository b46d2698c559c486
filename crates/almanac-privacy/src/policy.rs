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
        let of_table = self.of_table(table);
        lookup(&of_table, column).map(|(_, (policy, _))| *policy)
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

/// Finds what is said of a column. Blanks around a name, its case, and the number that a repeated header gets do not let a column
/// slip by: `E-Mail` and `e-mail_2` are `e-mail`. Of the path of a nested column, `customer.email`, each member counts.
pub(crate) fn lookup<'a, T>(columns: &'a BTreeMap<String, T>, column: &str) -> Option<(&'a str, &'a T)> {
    if columns.is_empty() {
        return None;
    }
    let exact = |name: &str| columns.get_key_value(name).or_else(|| columns.iter().find(|(known, _)| is_same(known, name)));
    let numbered = |name: &str| {
        let (base, number) = name.rsplit_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        exact(base).filter(|_| is_number)
    };
    let one = |name: &str| exact(name).or_else(|| numbered(name));
    let found = one(column).or_else(|| {
        let members = column.contains('.').then(|| column.split('.')).into_iter().flatten();
        members.into_iter().find_map(one)
    });
    found.map(|(name, told)| (name.as_str(), told))
}

fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &'_ str| name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
    let (one, other) = (plain(one), plain(other));
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
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
    fn no_way_of_writing_a_header_lets_a_column_slip_by() {
        let personal = Personal::new([("e-mail".into(), Policy::Hash), ("crm.name".into(), Policy::Drop)]);
        for column in ["e-mail", "E-Mail", " e-mail ", "\u{feff}e-mail", "e-mail_2", "customer.E-MAIL", "customer.e-mail.0"] {
            assert_eq!(personal.policy("crm", column), Some(Policy::Hash), "{column}");
        }
        for column in ["email", "e-mail_x", "e-mails", "mail"] {
            assert_eq!(personal.policy("crm", column), None, "{column}");
        }
        assert_eq!((personal.policy("crm", "NAME"), personal.policy("shop", "name")), (Some(Policy::Drop), None));
    }

    #[test]
    fn a_mask_keeps_the_shape_and_nothing_else() {
        assert_eq!(mask("Anna.Müller@example.org"), "Xxxx.Xxxxxx@xxxxxxx.xxx");
        assert_eq!(mask(" +49 170 1234567 "), "+00 000 0000000");
    }
}
