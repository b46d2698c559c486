//! The numbers of a column: all of them, for exact quantiles, or how many fall between given edges.

use std::collections::BTreeMap;

use arrow::buffer::BooleanBuffer;

use crate::column::{Column, View};
use crate::error::CheckError;
use crate::rule::Between;
use crate::work::present;
use crate::work::ranks::{FIRST, code};

/// Numbers kept to be ranked, eight bytes each. Beyond a limit they are only counted by their leading bits: enough to look for the ranks
/// that are asked for again.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub(crate) column: String,
    /// Numbers seen.
    pub(crate) count: u64,
    values: Vec<f64>,
    /// How many numbers begin with each pattern of bits, where there are too many to be kept.
    pub(crate) crowded: Option<Vec<u64>>,
    /// Numbers that may be kept in all, and of one part of the table.
    limits: [usize; 2],
}

impl Numbers {
    pub(crate) fn new(column: &str) -> Self {
        Self { column: column.to_owned(), count: 0, values: Vec::new(), crowded: None, limits: [usize::MAX; 2] }
    }

    /// Keeps to a budget of bytes, and to another one while a part of the table is read.
    pub(crate) fn limit(&mut self, whole: u64, part: u64) {
        // A list that grows holds its numbers twice.
        self.limits = [whole, part].map(|bytes| usize::try_from(bytes / 16).unwrap_or(usize::MAX));
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let column = view.column(&self.column)?;
        let rows = present(view, column.nulls(), mask);
        let before = self.values.len();
        match (column, &rows) {
            (Column::Float(array, _), None) => self.values.extend_from_slice(array.values()),
            (_, None) => self.values.extend((0..view.rows).map(|row| column.number(row))),
            (_, Some(rows)) => self.values.extend(rows.set_indices().map(|row| column.number(row))),
        }
        self.count += (self.values.len() - before) as u64;
        self.settle(self.limits[1]);
        Ok(())
    }

    /// Counts the numbers at hand where they are too many, or have been once.
    fn settle(&mut self, limit: usize) {
        if self.crowded.is_none() && self.values.len() <= limit {
            return;
        }
        let crowded = self.crowded.get_or_insert_with(|| vec![0; 1 << FIRST]);
        for number in std::mem::take(&mut self.values) {
            crowded[(code(number) >> (64 - FIRST)) as usize] += 1;
        }
    }

    pub(crate) fn merge(&mut self, mut next: Self) {
        self.count += next.count;
        if let Some(more) = next.crowded {
            match &mut self.crowded {
                None => self.crowded = Some(more),
                Some(own) => own.iter_mut().zip(&more).for_each(|(count, more)| *count += more),
            }
        }
        if self.values.is_empty() {
            self.values = next.values;
        } else {
            self.values.append(&mut next.values);
        }
        self.settle(self.limits[0]);
    }

    /// Returns the numbers at some ranks, from 0, where they are kept.
    pub(crate) fn ranked(&mut self, ranks: &[u64]) -> BTreeMap<u64, f64> {
        let mut found = BTreeMap::new();
        for rank in ranks {
            if (*rank as usize) < self.values.len() {
                found.entry(*rank).or_insert_with(|| *self.values.select_nth_unstable_by(*rank as usize, f64::total_cmp).1);
            }
        }
        found
    }
}

/// A quantile among so many numbers, as pandas takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantile {
    place: f64,
    between: Between,
}

impl Quantile {
    /// Asks for the quantile `share` of `count` numbers; `None` where there are none.
    pub(crate) fn new(count: u64, share: f64, between: Between) -> Option<Self> {
        let last = count.checked_sub(1)? as f64;
        // pandas asks NumPy for a percentile, and so the quantile goes through a hundred.
        Some(Self { place: last * ((share * 100.0) / 100.0), between })
    }

    /// Returns the ranks of the numbers that it lies between.
    pub(crate) fn ranks(self) -> [u64; 2] {
        match self.between {
            Between::Nearest => [self.place.round_ties_even() as u64; 2],
            Between::Lower => [self.place.floor() as u64; 2],
            Between::Higher => [self.place.ceil() as u64; 2],
            Between::Midpoint | Between::Linear => [self.place.floor() as u64, self.place.ceil() as u64],
        }
    }

    /// Returns the quantile, given the numbers at its ranks.
    pub(crate) fn value(self, [low, high]: [f64; 2]) -> f64 {
        match self.between {
            Between::Nearest | Between::Lower | Between::Higher => low,
            Between::Midpoint if self.place.fract() == 0.0 => low,
            Between::Midpoint => f64::midpoint(low, high),
            Between::Linear => {
                let (gap, part) = (high - low, self.place.fract());
                // NumPy's own, which keeps the ends exact.
                if part >= 0.5 { high - gap * (1.0 - part) } else { low + gap * part }
            }
        }
    }
}

/// How many numbers fall between edges: half-open, the last closed, as NumPy's histogram.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    pub(crate) column: String,
    pub(crate) edges: Vec<f64>,
    pub(crate) counts: Vec<u64>,
    pub(crate) below: u64,
    pub(crate) above: u64,
    pub(crate) total: u64,
}

impl Bins {
    pub(crate) fn new(column: &str, edges: Vec<f64>) -> Self {
        let counts = vec![0; edges.len().saturating_sub(1)];
        Self { column: column.to_owned(), edges, counts, below: 0, above: 0, total: 0 }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let column = view.column(&self.column)?;
        let rows = present(view, column.nulls(), mask);
        match rows {
            None => (0..view.rows).for_each(|row| self.add(column.number(row))),
            Some(rows) => rows.set_indices().for_each(|row| self.add(column.number(row))),
        }
        Ok(())
    }

    fn add(&mut self, value: f64) {
        self.total += 1;
        let [first, .., last] = self.edges[..] else { return };
        if value < first {
            self.below += 1;
        } else if value > last {
            self.above += 1;
        } else {
            let place = self.edges.partition_point(|edge| *edge <= value).saturating_sub(1).min(self.counts.len() - 1);
            self.counts[place] += 1;
        }
    }

    pub(crate) fn merge(&mut self, next: &Self) {
        self.counts.iter_mut().zip(&next.counts).for_each(|(count, more)| *count += more);
        self.below += next.below;
        self.above += next.above;
        self.total += next.total;
    }
}
