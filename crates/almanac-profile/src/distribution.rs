//! The distribution of a column's numbers as steps: values with the rows each stands for.

use crate::column::NumberProfile;

/// Numbers in rising order with the rows each stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    points: Vec<(f64, u64)>,
    total: u64,
    is_exact: bool,
}

impl Distribution {
    pub(crate) fn of(numbers: &NumberProfile) -> Self {
        let (points, is_exact) = numbers.points();
        Self::new(points, is_exact)
    }

    /// Takes values in rising order without repetition.
    pub(crate) fn new(points: Vec<(f64, u64)>, is_exact: bool) -> Self {
        let total = points.iter().map(|(_, rows)| rows).sum();
        Self { points, total, is_exact }
    }

    /// Counts single values; those that are not finite are left out.
    pub fn of_values(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).map(|value| value + 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self::new(sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect(), true)
    }

    /// Returns values and rows.
    pub fn points(&self) -> &[(f64, u64)] {
        &self.points
    }

    /// Returns all rows.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns whether every value is here with its true count.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Returns quantiles for levels from 0 to 1 in rising order, between neighbouring values as NumPy does (type 7 of Hyndman and Fan).
    pub fn quantiles(&self, levels: &[f64]) -> Option<Vec<f64>> {
        if self.total == 0 {
            return None;
        }
        let mut cumulated = Vec::with_capacity(self.points.len());
        let mut sum = 0;
        for (_, rows) in &self.points {
            sum += rows;
            cumulated.push(sum);
        }
        let at = |row: u64| self.points[cumulated.partition_point(|upto| *upto <= row).min(self.points.len() - 1)].0;
        let quantile = |level: &f64| {
            let place = (self.total - 1) as f64 * level.clamp(0.0, 1.0);
            let (low, high) = (at(place.floor() as u64), at(place.ceil() as u64));
            if low == high { low } else { low * (1.0 - place.fract()) + high * place.fract() }
        };
        Some(levels.iter().map(quantile).collect())
    }

    /// Returns the rows between neighbouring edges; the last bin has its right edge, the others do not. Values outside are left out.
    pub fn histogram(&self, edges: &[f64]) -> Vec<u64> {
        let mut bins = vec![0; edges.len().saturating_sub(1)];
        let Some((&first, &last)) = edges.first().zip(edges.last()) else { return bins };
        for &(value, rows) in &self.points {
            if value >= first && value <= last && !bins.is_empty() {
                let bin = edges.partition_point(|edge| *edge <= value).saturating_sub(1).min(bins.len() - 1);
                bins[bin] += rows;
            }
        }
        bins
    }

    /// Returns the smallest and the largest value.
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((self.points.first()?.0, self.points.last()?.0))
    }
}

/// Returns `bins + 1` evenly spaced edges.
pub(crate) fn even_edges(low: f64, high: f64, bins: usize) -> Vec<f64> {
    let step = high / bins as f64 - low / bins as f64;
    (0..=bins).map(|edge| if edge == bins { high } else { low + step * edge as f64 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let distribution = Distribution::of_values(&[1.0, 2.0, 2.0, 10.0]);
        // numpy.quantile([1, 2, 2, 10], [0, .25, .5, .9, 1])
        let quantiles = distribution.quantiles(&[0.0, 0.25, 0.5, 0.9, 1.0]).unwrap();
        let expected = [1.0, 1.75, 2.0, 7.6, 10.0];
        assert!(quantiles.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-12), "{quantiles:?}");
        assert_eq!(Distribution::of_values(&[]).quantiles(&[0.5]), None);
    }

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_that_begins_there() {
        let distribution = Distribution::of_values(&[0.0, 1.0, 1.5, 2.0]);
        assert_eq!(distribution.histogram(&[0.0, 1.0, 2.0]), [1, 3]);
        assert_eq!(distribution.histogram(&[]), Vec::<u64>::new());
    }
}
