//! How often each value occurs: exactly while there are few different ones, then the frequent ones only.
//!
//! Beyond the capacity this is the summary of Misra and Gries (1982), as Agarwal et al. merge it ("Mergeable Summaries", PODS 2012):
//! the smallest counters are dropped and the same amount is taken from all others. A count is then too low by at most
//! [`Counts::error`], which is at most 2.5 rows of each `capacity` rows seen.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::FixedState;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A finite number as a key: `-0.0` is `0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Num(f64);

impl Num {
    pub(crate) fn new(value: f64) -> Self {
        Self(value + 0.0)
    }

    /// Returns the number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Num {}

impl Hash for Num {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.0 + 0.0).to_bits().hash(state);
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Num {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Counters of values, at most `capacity` of them.
#[derive(Debug, Clone)]
pub struct Counts<K: Eq + Hash> {
    capacity: usize,
    counters: HashMap<K, u64, FixedState>,
    error: u64,
}

impl<K: Eq + Hash + Ord + Clone> PartialEq for Counts<K> {
    fn eq(&self, other: &Self) -> bool {
        self.capacity == other.capacity && self.error == other.error && self.counters == other.counters
    }
}

impl<K: Eq + Hash + Ord + Clone> Counts<K> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(2), counters: HashMap::default(), error: 0 }
    }

    /// Returns whether every value is here with its true count.
    pub fn is_exact(&self) -> bool {
        self.error == 0
    }

    /// Returns by how much a count can be too low, in rows.
    pub fn error(&self) -> u64 {
        self.error
    }

    /// Returns the number of values held.
    pub fn len(&self) -> usize {
        self.counters.len()
    }

    /// Returns whether no value is held.
    pub fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }

    /// Returns whether so many more values fit, even if all are new.
    pub(crate) fn has_room(&self, values: usize) -> bool {
        self.counters.len() + values <= self.capacity
    }

    /// Returns how often a value was counted.
    pub fn get<Q: ?Sized + Hash + Eq>(&self, value: &Q) -> u64
    where
        K: Borrow<Q>,
    {
        self.counters.get(value).copied().unwrap_or(0)
    }

    /// Returns values and counts in the order of values.
    pub fn sorted(&self) -> Vec<(K, u64)> {
        let mut all: Vec<(K, u64)> = self.counters.iter().map(|(key, count)| (key.clone(), *count)).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// Returns the most frequent values, most frequent first, ties in the order of values.
    pub fn top(&self, n: usize) -> Vec<(K, u64)> {
        let mut all = self.sorted();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all.truncate(n);
        all
    }

    /// Counts a value `count` times.
    pub(crate) fn add<Q: ?Sized + Hash + Eq + ToOwned<Owned = K>>(&mut self, value: &Q, count: u64)
    where
        K: Borrow<Q>,
    {
        if let Some(counter) = self.counters.get_mut(value) {
            *counter += count;
        } else {
            self.counters.insert(value.to_owned(), count);
            if self.counters.len() > self.capacity {
                self.prune();
            }
        }
    }

    /// Returns the count up to which values of a batch may be left out once counts are bounds anyway, and notes the error that
    /// this makes. With many different values nearly all of them are rare, and looking at each is what takes the time.
    pub(crate) fn rare(&mut self, batch_rows: usize) -> u64 {
        if self.is_exact() {
            return 0;
        }
        let rare = (batch_rows / (2 * self.capacity)) as u64;
        self.error += rare;
        rare
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.error += other.error;
        for (key, count) in &other.counters {
            *self.counters.entry(key.clone()).or_insert(0) += count;
        }
        if self.counters.len() > self.capacity {
            self.prune();
        }
    }

    /// Drops all but half the capacity. What is subtracted depends on the counts alone, not on the order of the counters.
    fn prune(&mut self) {
        let mut counts: Vec<u64> = self.counters.values().copied().collect();
        let kept = self.capacity / 2;
        let (_, &mut cut, _) = counts.select_nth_unstable_by(kept, |a, b| b.cmp(a));
        self.counters.retain(|_, count| {
            *count = count.saturating_sub(cut);
            *count > 0
        });
        self.error += cut;
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<K> {
    capacity: usize,
    error: u64,
    counts: Vec<(K, u64)>,
}

impl<K: Eq + Hash + Ord + Clone + Serialize> Serialize for Counts<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored { capacity: self.capacity, error: self.error, counts: self.sorted() }.serialize(serializer)
    }
}

impl<'de, K: Eq + Hash + Ord + Clone + Deserialize<'de>> Deserialize<'de> for Counts<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<K>::deserialize(deserializer)?;
        Ok(Self { capacity: stored.capacity.max(2), counters: stored.counts.into_iter().collect(), error: stored.error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_counted_exactly_however_they_are_split() {
        let mut whole = Counts::<String>::new(8);
        let mut parts = [Counts::new(8), Counts::new(8)];
        for row in 0..1_000_u64 {
            let value = format!("v{}", row * row % 7);
            whole.add(value.as_str(), 1);
            parts[(row % 2) as usize].add(value.as_str(), 1);
        }
        let [mut first, second] = parts;
        first.merge(&second);
        assert!(first.is_exact());
        assert_eq!(first, whole);
    }

    #[test]
    fn a_frequent_value_among_many_rare_ones_is_kept_within_the_stated_error() {
        let mut counts = Counts::<Num>::new(64);
        let rows = 100_000_u64;
        for row in 0..rows {
            let value = if row % 10 == 0 { -1.0 } else { row as f64 };
            counts.add(&Num::new(value), 1);
        }
        let held = counts.get(&Num::new(-1.0));
        assert!(held <= rows / 10 && held + counts.error() >= rows / 10, "{held} + {}", counts.error());
        assert!(counts.error() as f64 <= 2.5 * rows as f64 / 64.0, "{}", counts.error());
        assert!(counts.len() <= 64);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut counts = Counts::<Num>::new(8);
        for value in [0.1, -0.0, 1e300, 0.1] {
            counts.add(&Num::new(value), 1);
        }
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(text, r#"{"capacity":8,"error":0,"counts":[[0.0,1],[0.1,2],[1e+300,1]]}"#);
        assert_eq!(serde_json::from_str::<Counts<Num>>(&text).unwrap(), counts);
    }
}
