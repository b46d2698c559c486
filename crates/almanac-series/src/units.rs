//! Units that must not be mixed up: levels, quantiles, horizons, season lengths, seeds.
//!
//! ```compile_fail
//! use almanac_series::{Level, Quantile};
//! let median: Quantile = Level::new(0.5).unwrap();
//! ```

use std::cmp::Ordering;
use std::fmt;

/// A number that is outside what its unit allows.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{unit} must be {allowed}, got {got}")]
pub struct OutOfRange {
    /// Which unit refused it.
    pub unit: &'static str,
    /// What the unit allows.
    pub allowed: &'static str,
    /// The number that was given.
    pub got: f64,
}

/// Central coverage of a prediction interval, strictly between 0 and 1: `Level::new(0.8)` is 80 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// # Errors
    /// [`OutOfRange`] unless `0 < coverage < 1`. `80` is refused, not guessed at.
    pub fn new(coverage: f64) -> Result<Self, OutOfRange> {
        if coverage > 0.0 && coverage < 1.0 {
            Ok(Self(coverage))
        } else {
            Err(OutOfRange { unit: "level", allowed: "strictly between 0 and 1", got: coverage })
        }
    }

    /// Returns the coverage as a fraction.
    pub fn coverage(self) -> f64 {
        self.0
    }

    /// Returns the two quantiles that bound it: 0.8 gives 0.1 and 0.9, to rounding.
    pub fn bounds(self) -> (Quantile, Quantile) {
        let tail = (1.0 - self.0) / 2.0;
        (Quantile(tail), Quantile(1.0 - tail))
    }
}

/// A probability, strictly between 0 and 1, at which a predictive distribution is read.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Quantile(f64);

impl Quantile {
    /// # Errors
    /// [`OutOfRange`] unless `0 < probability < 1`.
    pub fn new(probability: f64) -> Result<Self, OutOfRange> {
        if probability > 0.0 && probability < 1.0 {
            Ok(Self(probability))
        } else {
            Err(OutOfRange { unit: "quantile", allowed: "strictly between 0 and 1", got: probability })
        }
    }

    /// Returns the probability.
    pub fn probability(self) -> f64 {
        self.0
    }

    /// Returns its column name in a forecast table, e.g. `q0.025`.
    pub fn column(self) -> String {
        format!("q{}", self.0)
    }
}

impl Eq for Quantile {}

impl PartialOrd<f64> for Quantile {
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.0.partial_cmp(other)
    }
}

impl PartialEq<f64> for Quantile {
    fn eq(&self, other: &f64) -> bool {
        self.0 == *other
    }
}

/// Number of steps ahead, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Horizon(usize);

impl Horizon {
    /// # Errors
    /// [`OutOfRange`] if `steps` is 0 or above 10,000.
    pub fn new(steps: usize) -> Result<Self, OutOfRange> {
        if (1..=10_000).contains(&steps) {
            Ok(Self(steps))
        } else {
            Err(OutOfRange { unit: "horizon", allowed: "between 1 and 10000 steps", got: steps as f64 })
        }
    }

    /// Returns the number of steps.
    pub fn steps(self) -> usize {
        self.0
    }
}

impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Steps per season, at least 1 (1 means no season): 12 for monthly data with a yearly season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeasonLength(usize);

impl SeasonLength {
    /// # Errors
    /// [`OutOfRange`] if `steps` is 0.
    pub fn new(steps: usize) -> Result<Self, OutOfRange> {
        if steps >= 1 { Ok(Self(steps)) } else { Err(OutOfRange { unit: "season length", allowed: "at least 1", got: 0.0 }) }
    }

    /// Returns the number of steps.
    pub fn steps(self) -> usize {
        self.0
    }
}

/// Seed of everything random in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_in_percent_is_refused() {
        assert_eq!(Level::new(80.0).unwrap_err().to_string(), "level must be strictly between 0 and 1, got 80");
    }

    #[test]
    fn a_level_is_bounded_by_its_two_quantiles() {
        let (low, high) = Level::new(0.8).expect("valid").bounds();
        assert!((low.probability() - 0.1).abs() < 1e-12 && (high.probability() - 0.9).abs() < 1e-12);
    }

    #[test]
    fn nan_is_no_quantile() {
        assert!(Quantile::new(f64::NAN).is_err());
    }
}
