//! Count, mean, spread and extremes of numbers, in one pass and mergeable (Chan, Golub and LeVeque, 1979).

use serde::{Deserialize, Serialize};

/// Of finite values.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// Values.
    pub count: u64,
    /// Their mean; 0 without values.
    pub mean: f64,
    /// Sum of squared differences from the mean.
    pub m2: f64,
    /// The smallest; 0 without values.
    pub min: f64,
    /// The largest; 0 without values.
    pub max: f64,
}

impl Moments {
    /// Of values with weights.
    pub(crate) fn of(values: &[(f64, u64)]) -> Self {
        let count: u64 = values.iter().map(|(_, weight)| weight).sum();
        if count == 0 {
            return Self::default();
        }
        // Scaled, so that the sum of values near the limit of floats stays finite.
        let mean = values.iter().map(|(value, weight)| value * (*weight as f64 / count as f64)).sum::<f64>();
        let m2: f64 = values.iter().map(|(value, weight)| (value - mean) * (value - mean) * *weight as f64).sum();
        let (min, max) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), (value, _)| (min.min(*value), max.max(*value)));
        Self { count, mean, m2: m2.min(f64::MAX), min, max }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (own, theirs) = (self.count as f64, other.count as f64);
        let all = own + theirs;
        let delta = other.mean - self.mean;
        // Where the difference itself is beyond floats, the mean of both is not.
        self.mean =
            if delta.is_finite() { self.mean + delta * (theirs / all) } else { self.mean * (own / all) + other.mean * (theirs / all) };
        self.m2 = (self.m2 + other.m2 + delta * delta * (own / all * theirs)).min(f64::MAX);
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Returns the standard deviation of a sample (divided by n - 1), `None` below two values.
    pub fn stdev(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.m2 / (self.count - 1) as f64).sqrt())
    }

    /// Returns the standard deviation of the values as a population (divided by n), `None` without values.
    pub fn population_stdev(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.m2 / self.count as f64).sqrt())
    }

    /// Returns mean times count.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // JSON has no infinity: a spread beyond floats must not make a profile that cannot be read again.
    #[test]
    fn values_at_the_end_of_floats_have_a_finite_mean_and_spread() {
        let mut moments = Moments::of(&[(f64::MAX, 3), (-f64::MAX, 1)]);
        moments.merge(&Moments::of(&[(-f64::MAX, 5)]));
        moments.merge(&Moments::of(&[(f64::MAX, 1)]));
        assert!(moments.mean.is_finite() && moments.m2.is_finite() && moments.stdev().unwrap().is_finite(), "{moments:?}");
    }

    #[test]
    fn small_spreads_around_a_large_mean_survive_merging() {
        let values: Vec<(f64, u64)> = (0..10_000).map(|i| (1e9 + f64::from(i % 3), 1)).collect();
        let mut merged = Moments::default();
        values.chunks(97).for_each(|part| merged.merge(&Moments::of(part)));
        // 0, 1, 2 by turns: variance 2/3 (n/(n-1) of it, and one value more of 0).
        assert!((merged.stdev().unwrap() - 0.816_496).abs() < 1e-4, "{:?}", merged.stdev());
        assert_eq!((merged.min, merged.max, merged.count), (1e9, 1e9 + 2.0, 10_000));
    }
}
