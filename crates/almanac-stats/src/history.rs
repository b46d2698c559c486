//! The part of a series that a model may learn from.
//!
//! Values are divided by a power of two near their largest magnitude, which loses no digit, so that squares of 10^308 do not
//! overflow; [`crate::predictive`] multiplies it back. A scaled series gives the scaled forecast.
//!
//! Not here: filling gaps. A row that is not scored stays NaN in its place.

use almanac_model::FitError;
use almanac_series::SeriesView;

/// Scored rows between the first and the last of them.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// One value per row, divided by `scale`, NaN where the row is not scored. First and last are numbers.
    pub(crate) values: Vec<f64>,
    /// Power of two that the values were divided by.
    pub(crate) scale: f64,
    /// Rows of the history after the last scored one.
    pub(crate) gap: usize,
    /// How many values are numbers.
    pub(crate) n_scored: usize,
}

impl History {
    /// Reads the last `max_rows` rows up to the last scored one.
    ///
    /// # Errors
    /// [`FitError::TooShort`] without any scored row, [`FitError::NotFinite`] for an infinite value.
    pub(crate) fn read(series: &SeriesView<'_>, model: &str, max_rows: usize) -> Result<Self, FitError> {
        let too_short = || FitError::TooShort { series: series.id().clone(), model: model.to_owned(), got: 0, needed: 1 };
        let (last, _) = series.scored().next_back().ok_or_else(too_short)?;
        let oldest = (last + 1).saturating_sub(max_rows);
        let (first, _) = series.scored().find(|(row, _)| *row >= oldest).ok_or_else(too_short)?;
        let mut values = vec![f64::NAN; last + 1 - first];
        let (mut largest, mut n_scored) = (0.0_f64, 0);
        for (row, y) in series.scored().filter(|(row, _)| *row >= first) {
            if !y.is_finite() {
                return Err(FitError::NotFinite { series: series.id().clone(), model: model.to_owned() });
            }
            values[row - first] = y;
            largest = largest.max(y.abs());
            n_scored += 1;
        }
        let scale = power_of_two_near(largest);
        for value in &mut values {
            *value /= scale;
        }
        Ok(Self { values, scale, gap: series.len() - 1 - last, n_scored })
    }

    /// Forgets all but the newest rows, and what is left before the first scored one.
    pub(crate) fn keep_newest(&mut self, max_rows: usize) {
        let oldest = self.values.len().saturating_sub(max_rows);
        let first = self.values[oldest..].iter().position(|value| !value.is_nan()).unwrap_or(0);
        self.values.drain(..oldest + first);
        self.n_scored = self.scored().count();
    }

    /// Returns the last scored value.
    pub(crate) fn last(&self) -> f64 {
        self.values[self.values.len() - 1]
    }

    /// Returns the scored values with their rows.
    pub(crate) fn scored(&self) -> impl DoubleEndedIterator<Item = (usize, f64)> {
        self.values.iter().copied().enumerate().filter(|(_, value)| !value.is_nan())
    }

    /// Returns whether all scored values are the same.
    pub(crate) fn is_constant(&self) -> bool {
        self.scored().all(|(_, value)| value == self.last())
    }
}

/// Largest power of two not above `magnitude`; 1 for 0 and for numbers too small to divide by safely.
fn power_of_two_near(magnitude: f64) -> f64 {
    if magnitude < 1e-290 { 1.0 } else { f64::from_bits(magnitude.to_bits() & 0x7ff0_0000_0000_0000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_a_power_of_two_below_the_largest_value() {
        for (magnitude, scale) in [(0.0, 1.0), (1.0, 1.0), (9.0, 8.0), (0.3, 0.25), (f64::MAX, 2f64.powi(1023))] {
            assert_eq!(power_of_two_near(magnitude), scale);
        }
    }
}
