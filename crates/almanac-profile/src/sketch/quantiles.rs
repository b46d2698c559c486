//! The distribution of many numbers in a few thousand of them: the sketch of Karnin, Lang and Liberty ("Optimal Quantile
//! Approximation in Streams", FOCS 2016), for values that come with a weight.
//!
//! An item of level `h` stands for `2^h` values. A level that is full is sorted, and every second item moves up. Which half moves is
//! decided by the number of compactions so far, mixed into a bit, and not by chance: the same values in the same order give the
//! same sketch, which no library at hand promises. Values are real ones that occurred, so that ties stay ties.
//!
//! With [`K`] = 512 about 1,600 numbers are held, 2,600 at most, and ranks are within 1 % (a third of that is usual).

use serde::{Deserialize, Serialize};

/// Size of the highest level that is still compacted.
pub(crate) const K: usize = 512;
/// A level is never smaller.
const SMALLEST: usize = 8;

/// Numbers with weights that are powers of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    n: u64,
    compactions: u64,
    levels: Vec<Vec<f64>>,
}

impl Quantiles {
    pub(crate) fn new() -> Self {
        Self { n: 0, compactions: 0, levels: Vec::new() }
    }

    /// Adds a finite value that stands for `weight` rows.
    pub(crate) fn add(&mut self, value: f64, weight: u64) {
        self.n += weight;
        let mut rest = weight;
        while rest > 0 {
            let level = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            self.push(level, value);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        for (level, items) in other.levels.iter().enumerate() {
            for &item in items {
                self.push(level, item);
            }
        }
    }

    /// Returns values in rising order with the rows each stands for. The weights add up to all rows.
    pub(crate) fn points(&self) -> Vec<(f64, u64)> {
        let weighted = |(level, items): (usize, &Vec<f64>)| {
            items.iter().map(|item| (*item, 1_u64.checked_shl(level as u32).unwrap_or(0))).collect::<Vec<_>>()
        };
        let mut points: Vec<(f64, u64)> = self.levels.iter().enumerate().flat_map(weighted).collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        points.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        points
    }

    fn push(&mut self, level: usize, value: f64) {
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, Vec::new);
        }
        self.levels[level].push(value);
        let mut full = level;
        while self.levels[full].len() > self.room(full) {
            self.compact(full);
            full += 1;
        }
    }

    /// Items that a level may hold. Levels above the depth that `n` asks for are never compacted: there cannot be more than
    /// `n / 2^level` items there, which is at most [`K`] and half of it again from level to level.
    fn room(&self, level: usize) -> usize {
        let depth = (self.n / K as u64).max(1).ilog2() as usize + 1;
        if level >= depth {
            return usize::MAX;
        }
        let share = (0..depth - 1 - level).fold(K as f64, |room, _| room * 2.0 / 3.0);
        (share.ceil() as usize).max(SMALLEST)
    }

    fn compact(&mut self, level: usize) {
        let mut items = std::mem::take(&mut self.levels[level]);
        items.sort_unstable_by(f64::total_cmp);
        // An odd one out stays, so that the weights still add up.
        if items.len() % 2 == 1 {
            self.levels[level].extend(items.pop());
        }
        let offset = (mixed(self.compactions) & 1) as usize;
        self.compactions += 1;
        if self.levels.len() <= level + 1 {
            self.levels.push(Vec::new());
        }
        self.levels[level + 1].extend(items.iter().skip(offset).step_by(2));
    }
}

/// The finaliser of SplitMix64: neighbouring numbers give unrelated bits.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest difference between true and held rank, as a share of the rows.
    fn worst_rank_error(sketch: &Quantiles, mut values: Vec<f64>) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        let (mut held, mut worst) = (0_u64, 0.0_f64);
        for (value, weight) in sketch.points() {
            held += weight;
            let upto = values.partition_point(|other| *other <= value);
            worst = worst.max((held as f64 - upto as f64).abs());
        }
        assert_eq!(held, values.len() as u64, "the weights add up to the rows");
        worst / values.len() as f64
    }

    fn streams(rows: u64) -> Vec<(&'static str, Vec<f64>)> {
        let uniform = |row: u64| mixed(row) as f64 / u64::MAX as f64;
        vec![
            ("rising", (0..rows).map(|row| row as f64).collect()),
            ("falling", (0..rows).rev().map(|row| row as f64).collect()),
            ("uniform", (0..rows).map(uniform).collect()),
            ("heavy tail", (0..rows).map(|row| uniform(row).max(1e-12).powi(-3)).collect()),
            ("zigzag", (0..rows).map(|row| if row % 2 == 0 { row as f64 } else { -(row as f64) }).collect()),
            ("mostly zero", (0..rows).map(|row| if mixed(row).is_multiple_of(5) { uniform(row) } else { 0.0 }).collect()),
        ]
    }

    // The bound of the paper for k = 512 at 99 % is near 0.6 %; 1 % leaves room for the smaller lower levels.
    #[test]
    fn ranks_are_within_one_percent_for_every_order_of_values() {
        for (name, values) in streams(300_000) {
            let mut sketch = Quantiles::new();
            values.iter().for_each(|value| sketch.add(*value, 1));
            let held: usize = sketch.levels.iter().map(Vec::len).sum();
            let error = worst_rank_error(&sketch, values);
            assert!(error < 0.01 && held < 2_600, "{name}: {error}, {held} held");
        }
    }

    #[test]
    fn merged_parts_are_as_exact_as_the_whole() {
        for (name, values) in streams(300_000) {
            let mut merged = Quantiles::new();
            for part in values.chunks(7_919) {
                let mut sketch = Quantiles::new();
                part.iter().for_each(|value| sketch.add(*value, 1));
                merged.merge(&sketch);
            }
            let error = worst_rank_error(&merged, values);
            assert!(error < 0.01, "{name}: {error}");
        }
    }

    #[test]
    fn a_weight_counts_as_that_many_rows() {
        let mut sketch = Quantiles::new();
        let mut values = Vec::new();
        for value in 0..5_000_u64 {
            let weight = 1 + mixed(value) % 200;
            sketch.add(value as f64, weight);
            values.extend(std::iter::repeat_n(value as f64, weight as usize));
        }
        sketch.add(-1.0, 100_000);
        values.extend(std::iter::repeat_n(-1.0, 100_000));
        let error = worst_rank_error(&sketch, values);
        assert!(error < 0.01, "{error}");
    }
}
