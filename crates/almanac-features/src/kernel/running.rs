//! Kernels whose state does not grow: what they keep of the past is a few numbers.

use super::narrow;

/// An exponentially weighted mean that takes one value at a time; [`super::ewm`] is the fold of it.
#[derive(Debug, Clone)]
pub struct Ewm {
    alpha: f64,
    sum: f64,
    weight: f64,
}

impl Ewm {
    /// Starts with no value. `alpha`: share of the newest value, in (0, 1].
    pub fn new(alpha: f64) -> Self {
        Self { alpha, sum: 0.0, weight: 0.0 }
    }

    /// Takes the value of the next row, NaN where it has none, and returns the mean; NaN before the first value.
    #[inline]
    pub fn push(&mut self, value: f64) -> f32 {
        if !value.is_nan() {
            self.sum = value + (1.0 - self.alpha) * self.sum;
            self.weight = 1.0 + (1.0 - self.alpha) * self.weight;
        }
        narrow(self.sum / self.weight)
    }
}

/// Counts rows since an event; [`super::rows_since`] is the fold of it.
#[derive(Debug, Clone, Default)]
pub struct RowsSince {
    row: usize,
    last: Option<usize>,
}

impl RowsSince {
    /// Takes the next row and returns the rows since the last event: 0 in the row itself, NaN before its first time.
    #[inline]
    pub fn push(&mut self, is_event: bool) -> f32 {
        if is_event {
            self.last = Some(self.row);
        }
        let passed = self.last.map_or(f32::NAN, |last| (self.row - last) as f32);
        self.row += 1;
        passed
    }

    /// State after `rows` rows, looking back from the newest no further than to the last event.
    pub(crate) fn resume(rows: usize, is_event: impl Fn(usize) -> bool) -> Self {
        Self { row: rows, last: (0..rows).rev().find(|row| is_event(*row)) }
    }
}
