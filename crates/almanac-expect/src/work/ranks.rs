//! The numbers at given ranks of a column that is not kept: they are counted by their leading bits, look by look, until the ranges that
//! matter fit into memory.
//!
//! Memory: 32 KiB for each range in question, and the numbers of the last look.

use arrow::buffer::BooleanBuffer;

use crate::column::View;
use crate::error::CheckError;
use crate::work::present;

/// Leading bits that the first look counts by.
pub(crate) const FIRST: u32 = 16;
/// Bits by which each further look narrows a range.
const NEXT: u32 = 12;

/// Returns a word that orders as `f64::total_cmp` orders numbers.
pub(crate) fn code(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

fn number(code: u64) -> f64 {
    f64::from_bits(if code >> 63 == 1 { code & !(1 << 63) } else { !code })
}

/// A rank on its way: the range of numbers it lies in, and its place there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) rank: u64,
    /// Leading bits of the numbers of the range.
    pub(crate) prefix: u64,
    /// Rank within the range.
    within: u64,
    /// Numbers of the range.
    pub(crate) size: u64,
}

impl Target {
    /// Starts at a rank among all numbers.
    pub(crate) fn start(rank: u64) -> Self {
        Self { rank, prefix: 0, within: rank, size: 0 }
    }

    /// Goes on into one of the parts of its range, by how many numbers each has.
    pub(crate) fn narrow(&mut self, counts: &[u64]) {
        let mut before = 0;
        for (part, count) in counts.iter().enumerate() {
            if before + count > self.within {
                self.prefix = self.prefix * counts.len() as u64 + part as u64;
                self.within -= before;
                self.size = *count;
                return;
            }
            before += count;
        }
    }
}

/// Numbers within some ranges: counted by their next bits, or taken.
#[derive(Debug, Clone)]
pub(crate) struct Ranks {
    pub(crate) column: String,
    /// Leading bits that name a range.
    known: u32,
    /// The ranges, ascending.
    prefixes: Vec<u64>,
    /// For each range, how many numbers each of its parts has; empty where numbers are taken.
    counts: Vec<Vec<u64>>,
    taken: Vec<f64>,
}

impl Ranks {
    /// Asks for the numbers of the ranges themselves.
    pub(crate) fn taking(column: &str, known: u32, targets: &[Target]) -> Self {
        let mut prefixes: Vec<u64> = targets.iter().map(|target| target.prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        Self { column: column.to_owned(), known, prefixes, counts: Vec::new(), taken: Vec::new() }
    }

    /// Asks how many numbers the parts of the ranges have.
    pub(crate) fn counting(column: &str, known: u32, targets: &[Target]) -> Self {
        let mut ranks = Self::taking(column, known, targets);
        ranks.counts = vec![vec![0; 1 << NEXT]; ranks.prefixes.len()];
        ranks
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let column = view.column(&self.column)?;
        match present(view, column.nulls(), mask) {
            None => (0..view.rows).for_each(|row| self.add(column.number(row))),
            Some(rows) => rows.set_indices().for_each(|row| self.add(column.number(row))),
        }
        Ok(())
    }

    fn add(&mut self, number: f64) {
        let code = code(number);
        let Ok(place) = self.prefixes.binary_search(&(code >> (64 - self.known))) else { return };
        match self.counts.get_mut(place) {
            Some(counts) => counts[(code >> (64 - self.known - NEXT)) as usize & ((1 << NEXT) - 1)] += 1,
            None => self.taken.push(number),
        }
    }

    pub(crate) fn merge(&mut self, mut next: Self) {
        for (own, more) in self.counts.iter_mut().zip(&next.counts) {
            own.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        if self.taken.is_empty() { self.taken = next.taken } else { self.taken.append(&mut next.taken) }
    }

    /// Narrows every target by what was counted, and returns how many leading bits are known then.
    pub(crate) fn narrow(&self, targets: &mut [Target]) -> u32 {
        for target in targets {
            if let Ok(place) = self.prefixes.binary_search(&target.prefix) {
                target.narrow(&self.counts[place]);
            }
        }
        self.known + NEXT
    }

    /// Returns the number at each target, from those that were taken.
    pub(crate) fn found(mut self, targets: &[Target]) -> Vec<(u64, f64)> {
        self.taken.sort_unstable_by(f64::total_cmp);
        let start = |prefix: u64| self.taken.partition_point(|number| code(*number) >> (64 - self.known) < prefix);
        targets.iter().filter_map(|target| Some((target.rank, *self.taken.get(start(target.prefix) + target.within as usize)?))).collect()
    }
}

/// Returns the numbers of targets whose bits are all known.
pub(crate) fn known(targets: &[Target]) -> Vec<(u64, f64)> {
    targets.iter().map(|target| (target.rank, number(target.prefix))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_order_as_numbers_do_and_can_be_read_back() {
        let numbers = [f64::NEG_INFINITY, -1e300, -2.5, -0.0, 0.0, 5e-324, 1.0, 1.0 + f64::EPSILON, 1e300, f64::INFINITY];
        for pair in numbers.windows(2) {
            assert!(code(pair[0]) < code(pair[1]), "{pair:?}");
        }
        assert!(numbers.iter().all(|value| number(code(*value)).to_bits() == value.to_bits()));
    }
}
