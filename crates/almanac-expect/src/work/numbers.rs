//! The numbers of a column: all of them, for exact quantiles, or how many fall between given edges.

use arrow::buffer::BooleanBuffer;

use crate::column::{Column, View};
use crate::error::CheckError;
use crate::rule::Between;
use crate::work::present;

/// Numbers kept to be ranked: exact quantiles cost eight bytes a row.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub(crate) column: String,
    pub(crate) values: Vec<f64>,
}

impl Numbers {
    pub(crate) fn new(column: &str) -> Self {
        Self { column: column.to_owned(), values: Vec::new() }
    }

    pub(crate) fn update(&mut self, view: &View, mask: Option<&BooleanBuffer>) -> Result<(), CheckError> {
        let column = view.column(&self.column)?;
        let rows = present(view, column.nulls(), mask);
        match (column, &rows) {
            (Column::Float(array, _), None) => self.values.extend_from_slice(array.values()),
            (_, None) => self.values.extend((0..view.rows).map(|row| column.number(row))),
            (_, Some(rows)) => self.values.extend(rows.set_indices().map(|row| column.number(row))),
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, mut next: Self) {
        if self.values.is_empty() { self.values = next.values } else { self.values.append(&mut next.values) }
    }

    /// Returns quantiles as pandas takes them, or `None` where there are no numbers.
    pub(crate) fn quantiles(&mut self, quantiles: &[f64], between: Between) -> Vec<Option<f64>> {
        quantiles.iter().map(|quantile| self.quantile(*quantile, between)).collect()
    }

    fn quantile(&mut self, quantile: f64, between: Between) -> Option<f64> {
        if self.values.is_empty() {
            return None;
        }
        let last = (self.values.len() - 1) as f64;
        // pandas asks NumPy for a percentile, and so the quantile goes through a hundred.
        let place = last * ((quantile * 100.0) / 100.0);
        let low = self.ranked(place.floor());
        Some(match between {
            Between::Lower => low,
            Between::Higher => self.ranked(place.ceil()),
            Between::Nearest => self.ranked(place.round_ties_even()),
            Between::Midpoint if place.fract() == 0.0 => low,
            Between::Midpoint => f64::midpoint(low, self.ranked(place.ceil())),
            Between::Linear => {
                let high = self.ranked(place.ceil());
                let (gap, part) = (high - low, place.fract());
                // NumPy's own, which keeps the ends exact.
                if part >= 0.5 { high - gap * (1.0 - part) } else { low + gap * part }
            }
        })
    }

    fn ranked(&mut self, rank: f64) -> f64 {
        let rank = (rank as usize).min(self.values.len() - 1);
        *self.values.select_nth_unstable_by(rank, f64::total_cmp).1
    }

    pub(crate) fn median(&mut self) -> Option<f64> {
        if self.values.is_empty() {
            return None;
        }
        let last = self.values.len() - 1;
        let low = self.ranked((last / 2) as f64);
        Some(if last.is_multiple_of(2) { low } else { f64::midpoint(low, self.ranked((last / 2 + 1) as f64)) })
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
