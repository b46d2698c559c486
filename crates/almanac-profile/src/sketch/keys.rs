//! Which series there are: by name with their rows up to a capacity, then the 4,096 smallest hashes.
//!
//! The smallest hashes are a uniform sample of the keys (Bar-Yossef et al., 2002): their number below a bound gives the number of keys
//! and of keys that only one of two tables has, with a standard error of 1.6 % of all keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Hashes kept.
const SAMPLE: usize = 4_096;

/// The keys of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// All of them, with the rows of each.
    Named {
        /// Keys held before names are given up.
        capacity: usize,
        /// Rows of each key.
        rows: BTreeMap<String, u64>,
    },
    /// Too many to name.
    Sampled {
        /// The smallest hashes of keys.
        smallest: BTreeSet<u64>,
    },
    /// Personal: only their number is known.
    Hidden {
        /// The number.
        count: u64,
    },
}

/// What two sets of keys have and have not in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyChange {
    /// Keys before.
    pub before: u64,
    /// Keys now.
    pub after: u64,
    /// Keys that were not there before; `None` where that cannot be known.
    pub new: Option<u64>,
    /// Keys that are gone.
    pub vanished: Option<u64>,
    /// The first of the new ones by name; empty where they are not known by name.
    pub new_names: Vec<String>,
    /// The first of those that are gone.
    pub vanished_names: Vec<String>,
    /// Whether the numbers are exact.
    pub is_exact: bool,
}

impl Keys {
    pub(crate) fn new(capacity: usize) -> Self {
        Self::Named { capacity, rows: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, key: &str, count: u64) {
        match self {
            Self::Named { capacity, rows } => {
                if let Some(held) = rows.get_mut(key) {
                    *held += count;
                } else {
                    rows.insert(key.to_owned(), count);
                    if rows.len() > *capacity {
                        *self = Self::Sampled { smallest: self.sample() };
                    }
                }
            }
            Self::Sampled { smallest } => insert(smallest, hash(key)),
            Self::Hidden { count } => *count += 1,
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match other {
            Self::Named { rows, .. } => rows.iter().for_each(|(key, count)| self.add(key, *count)),
            Self::Sampled { smallest } => {
                let mut own = self.sample();
                smallest.iter().for_each(|hash| insert(&mut own, *hash));
                *self = Self::Sampled { smallest: own };
            }
            Self::Hidden { count } => *self = Self::Hidden { count: self.len().max(*count) },
        }
    }

    /// Returns the number of keys.
    pub fn len(&self) -> u64 {
        match self {
            Self::Named { rows, .. } => rows.len() as u64,
            Self::Sampled { smallest } => scaled(smallest.len(), bound(smallest)),
            Self::Hidden { count } => *count,
        }
    }

    /// Returns whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether every key is known.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Named { .. } => true,
            Self::Sampled { smallest } => smallest.len() < SAMPLE,
            Self::Hidden { .. } => false,
        }
    }

    /// Returns rows of the shortest, the middle and the longest series, where they are known.
    pub fn rows_per_key(&self) -> Option<[u64; 3]> {
        let Self::Named { rows, .. } = self else { return None };
        let mut counts: Vec<u64> = rows.values().copied().collect();
        counts.sort_unstable();
        Some([*counts.first()?, counts[counts.len() / 2], *counts.last()?])
    }

    /// Compares with the keys of a later table; at most `names` keys are named on each side.
    pub fn change(&self, after: &Self, names: usize) -> KeyChange {
        let named = |have: &BTreeMap<String, u64>, lack: &BTreeMap<String, u64>| {
            let only = have.keys().filter(|key| !lack.contains_key(*key));
            (only.clone().count() as u64, only.take(names).cloned().collect::<Vec<_>>())
        };
        if let (Self::Named { rows: old, .. }, Self::Named { rows: new, .. }) = (self, after) {
            let ((new_count, new_names), (vanished, vanished_names)) = (named(new, old), named(old, new));
            return KeyChange {
                before: self.len(),
                after: after.len(),
                new: Some(new_count),
                vanished: Some(vanished),
                new_names,
                vanished_names,
                is_exact: true,
            };
        }
        if let (Self::Hidden { .. }, _) | (_, Self::Hidden { .. }) = (self, after) {
            let (before, after) = (self.len(), after.len());
            return KeyChange {
                before,
                after,
                new: None,
                vanished: None,
                new_names: Vec::new(),
                vanished_names: Vec::new(),
                is_exact: false,
            };
        }
        let (old, new) = (self.sample(), after.sample());
        let limit = bound(&old).min(bound(&new));
        let only = |have: &BTreeSet<u64>, lack: &BTreeSet<u64>| scaled(have.difference(lack).filter(|hash| **hash <= limit).count(), limit);
        KeyChange {
            before: self.len(),
            after: after.len(),
            new: Some(only(&new, &old)),
            vanished: Some(only(&old, &new)),
            new_names: Vec::new(),
            vanished_names: Vec::new(),
            is_exact: self.is_exact() && after.is_exact(),
        }
    }

    fn sample(&self) -> BTreeSet<u64> {
        match self {
            Self::Named { rows, .. } => {
                let mut smallest = BTreeSet::new();
                rows.keys().for_each(|key| insert(&mut smallest, hash(key)));
                smallest
            }
            Self::Sampled { smallest } => smallest.clone(),
            Self::Hidden { .. } => BTreeSet::new(),
        }
    }
}

fn hash(key: &str) -> u64 {
    let bytes = blake3::hash(key.as_bytes());
    u64::from_le_bytes(bytes.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

fn insert(smallest: &mut BTreeSet<u64>, hash: u64) {
    if smallest.len() < SAMPLE {
        smallest.insert(hash);
    } else if smallest.last().is_some_and(|last| hash < *last) && smallest.insert(hash) {
        smallest.pop_last();
    }
}

/// The hash up to which the sample is complete.
fn bound(smallest: &BTreeSet<u64>) -> u64 {
    if smallest.len() < SAMPLE { u64::MAX } else { smallest.last().copied().unwrap_or(u64::MAX) }
}

fn scaled(found: usize, bound: u64) -> u64 {
    (found as f64 * (u64::MAX as f64 / bound.max(1) as f64)).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(range: std::ops::Range<u32>, capacity: usize) -> Keys {
        let mut keys = Keys::new(capacity);
        range.for_each(|number| keys.add(&format!("store{number}/item"), 2));
        keys
    }

    #[test]
    fn few_series_are_compared_by_name() {
        let change = keys(0..10, 100).change(&keys(3..12, 100), 2);
        assert_eq!((change.before, change.after, change.new, change.vanished, change.is_exact), (10, 9, Some(2), Some(3), true));
        assert_eq!(change.new_names, ["store10/item", "store11/item"]);
        assert_eq!(change.vanished_names, ["store0/item", "store1/item"]);
    }

    // Standard error 1 / sqrt(4096) = 1.6 % of all keys; four of them are asked for.
    #[test]
    fn many_series_are_compared_by_a_sample_of_their_hashes() {
        let (old, new) = (keys(0..60_000, 1_000), keys(20_000..70_000, 1_000));
        let change = old.change(&new, 5);
        let near = |estimate: u64, truth: f64| assert!((estimate as f64 - truth).abs() < 0.064 * 70_000.0, "{estimate} for {truth}");
        near(change.before, 60_000.0);
        near(change.after, 50_000.0);
        near(change.new.unwrap(), 10_000.0);
        near(change.vanished.unwrap(), 20_000.0);
        assert!(!change.is_exact);
    }

    #[test]
    fn parts_merge_to_the_same_keys_in_any_order() {
        let mut one = keys(0..9_000, 5_000);
        one.merge(&keys(9_000..12_000, 5_000));
        let mut other = keys(9_000..12_000, 5_000);
        other.merge(&keys(0..9_000, 5_000));
        assert_eq!(one, other);
        let mut whole = keys(0..12_000, 5_000);
        whole.merge(&keys(0..100, 5_000));
        assert_eq!(whole, one);
    }
}
