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

/// Statistics over all values so far, one value at a time.
#[derive(Debug, Clone)]
pub struct Expanding {
    count: f64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Expanding {
    fn default() -> Self {
        Self { count: 0.0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Expanding {
    /// Takes the value of the next row, NaN where it has none.
    ///
    /// Source: Welford (1962), "Note on a method for calculating corrected sums of squares and products".
    pub fn push(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Returns mean, sample standard deviation, minimum and maximum: NaN before the first value, the deviation before the second.
    pub fn summary(&self) -> [f32; 4] {
        if self.count == 0.0 {
            return [f32::NAN; 4];
        }
        let flat = self.min == self.max;
        let mean = if flat { self.min } else { self.mean };
        let std = if self.count < 2.0 {
            f64::NAN
        } else if flat {
            0.0
        } else {
            (self.squares / (self.count - 1.0)).sqrt()
        };
        [mean, std, self.min, self.max].map(narrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expanding_statistics_are_those_of_all_values() {
        let mut state = Expanding::default();
        assert!(state.summary().iter().all(|value| value.is_nan()));
        for value in [2.0, f64::NAN, 4.0, 9.0] {
            state.push(value);
        }
        assert_eq!(state.summary(), [5.0, 13.0_f32.sqrt(), 2.0, 9.0]);
    }

    #[test]
    fn equal_values_do_not_deviate() {
        let mut state = Expanding::default();
        (0..30).for_each(|_| state.push(0.1));
        assert_eq!(state.summary(), [0.1, 0.0, 0.1, 0.1]);
    }
}
