//! What is written beside rows that landed: what of them was hidden, and by which key.
//!
//! Not here: hiding (`redaction`), landing (`almanac-connect`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::policy::{Policy, lookup};

/// The policy under which a load was written. It holds the name of the key, never the key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandedPolicy {
    /// What was said of columns of the table, as it was written.
    pub columns: BTreeMap<String, Policy>,
    /// The public name of the key, where a column was to be hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The columns that the load had and that were hidden, by the names they had.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub found: BTreeSet<String>,
}

impl LandedPolicy {
    /// Returns what became of a column.
    pub fn policy(&self, column: &str) -> Option<Policy> {
        lookup(&self.columns, column).map(|(_, policy)| *policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Personal, PrivacyKey, Redaction};

    fn redaction(columns: &[(&str, Policy)], key: char) -> Redaction {
        let personal = Personal::new(columns.iter().map(|(name, policy)| ((*name).to_owned(), *policy)));
        let key: String = format!("0123456789abcdef0123456789abcde{key}");
        Redaction::of_table(&personal, "t", Some(&PrivacyKey::new(&key).expect("long enough"))).expect("a key")
    }

    fn landed(columns: &[(&str, Policy)], key: char) -> LandedPolicy {
        redaction(columns, key).landed(["mail".to_owned()].into()).expect("something is hidden")
    }

    #[test]
    fn what_became_stricter_is_done_and_what_became_looser_cannot_be() {
        let hashed = landed(&[("mail", Policy::Hash)], 'f');
        let since = |columns: &[(&str, Policy)], key| redaction(columns, key).since(Some(&hashed));
        let lost = |columns: &[(&str, Policy)], key| since(columns, key).1;
        assert!(since(&[("mail", Policy::Hash)], 'f').0.is_empty(), "the same");
        assert_eq!(since(&[("mail", Policy::Drop)], 'f').0.policy("mail"), Some(Policy::Drop), "stricter");
        assert_eq!(lost(&[("mail", Policy::Hash)], 'e'), ["mail"], "another key");
        assert_eq!(lost(&[("mail", Policy::Mask)], 'f'), ["mail"], "a hash has no shape");
        assert_eq!(lost(&[], 'f'), ["mail"], "it cannot be shown again");
        let (more, lost) = since(&[("mail", Policy::Hash), ("name", Policy::Mask)], 'f');
        assert_eq!((more.policy("mail"), more.policy("name"), lost.len()), (None, Some(Policy::Mask), 0));
        let (first, _) = redaction(&[("mail", Policy::Hash)], 'f').since(None);
        assert_eq!(first.policy("mail"), Some(Policy::Hash), "nothing was hidden");
    }

    #[test]
    fn the_key_is_named_and_not_written() {
        let text = serde_json::to_string(&landed(&[("mail", Policy::Hash)], 'f')).expect("plain data");
        assert!(text.contains("\"key\"") && !text.contains("0123456789abcdef0123"), "{text}");
    }
}
