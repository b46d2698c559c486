//! The classical season of a history: is there one, and one figure per place in it.
//!
//! The trend is a centred moving average of one season (of two half places at the ends where the length is even), the figure
//! of a place the mean of what is left of its scored rows, and the figures are shifted to add up to nothing or scaled to
//! average 1. A row that is not scored takes, for the moving average only, the mean of the nearest scored rows of its place
//! before and after it.
//!
//! The test asks whether the autocorrelation at the season's length is beyond 90 % of what Bartlett's formula allows to
//! chance. Rows that are not scored leave their pairs out.
//!
//! Source: FPP3, section 3.4; Fiorucci et al. (2016), section 4 (the test of the M3 competition). Both agree with
//! statsforecast's `AutoTheta` where no row is missing.

use crate::history::History;

/// Quantile of the normal distribution at 95 %: a test of 90 % with two sides.
const SIGNIFICANT: f64 = 1.644_853_626_951_472_2;

/// One figure per place in the season, in the units of [`History::values`] or as factors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Season {
    pub(crate) figures: Vec<f64>,
    pub(crate) is_multiplicative: bool,
}

impl Season {
    /// Estimates the figures; `None` without two seasons of rows or without a figure for every place.
    pub(crate) fn classical(history: &History, length: usize, is_multiplicative: bool) -> Option<Self> {
        if length < 2 || history.n_scored < 2 * length {
            return None;
        }
        let filled = fill(history, length)?;
        let mut before = vec![0.0; filled.len() + 1];
        for (row, y) in filled.iter().enumerate() {
            before[row + 1] = before[row] + y;
        }
        let (mut sums, mut counts) = (vec![0.0; length], vec![0_usize; length]);
        let half = length / 2;
        for row in half..filled.len() - half {
            let y = history.values[row];
            if y.is_nan() {
                continue;
            }
            let (first, end) = (row - half, row + half + 1);
            let sum = if length.is_multiple_of(2) {
                before[end - 1] - before[first + 1] + 0.5 * (filled[first] + filled[end - 1])
            } else {
                before[end] - before[first]
            };
            let trend = sum / length as f64;
            sums[row % length] += if is_multiplicative { y / trend } else { y - trend };
            counts[row % length] += 1;
        }
        if counts.contains(&0) {
            return None;
        }
        let mut figures: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / *count as f64).collect();
        let mean = figures.iter().sum::<f64>() / length as f64;
        for figure in &mut figures {
            *figure = if is_multiplicative { *figure / mean } else { *figure - mean };
        }
        figures.iter().all(|figure| figure.is_finite()).then_some(Self { figures, is_multiplicative })
    }

    /// Takes the season off the value of a row.
    pub(crate) fn remove(&self, row: usize, y: f64) -> f64 {
        let figure = self.figures[row % self.figures.len()];
        if self.is_multiplicative { y / figure } else { y - figure }
    }

    /// Puts the season back on the mean and the standard deviation of a row.
    pub(crate) fn restore(&self, row: usize, mean: f64, sd: f64) -> (f64, f64) {
        let figure = self.figures[row % self.figures.len()];
        if self.is_multiplicative { (mean * figure, sd * figure) } else { (mean + figure, sd) }
    }
}

/// Returns whether rows one season apart are more alike than by chance. Never with fewer than two seasons of scored rows.
pub(crate) fn is_seasonal(history: &History, length: usize) -> bool {
    let rows = history.values.len();
    if length < 2 || history.n_scored < 2 * length {
        return false;
    }
    let n = history.n_scored as f64;
    let mean = history.scored().map(|(_, y)| y).sum::<f64>() / n;
    let centred: Vec<f64> = history.values.iter().map(|y| if y.is_nan() { 0.0 } else { y - mean }).collect();
    let variance = dot(&centred, &centred) / n;
    let has_holes = history.n_scored < rows;
    let scored: Vec<f64> = if has_holes { history.values.iter().map(|y| f64::from(u8::from(!y.is_nan()))).collect() } else { Vec::new() };
    let correlation = |lag: usize| {
        let apart = (rows - lag) as f64;
        let pairs = if has_holes { dot(&scored[lag..], &scored) } else { apart };
        if pairs == 0.0 { 0.0 } else { dot(&centred[lag..], &centred) / pairs * apart / rows as f64 / variance }
    };
    let squares: f64 = (1..length).map(|lag| correlation(lag).powi(2)).sum();
    correlation(length).abs() > SIGNIFICANT * ((1.0 + 2.0 * squares) / n).sqrt()
}

/// Sum of products as far as the shorter goes, in four parts that do not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let (a, b) = (a[..length].chunks_exact(4), b[..length].chunks_exact(4));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let mut parts = [0.0; 4];
    for (a, b) in a.zip(b) {
        for (part, (a, b)) in parts.iter_mut().zip(a.iter().zip(b)) {
            *part += a * b;
        }
    }
    parts.iter().sum::<f64>() + rest
}

/// Returns the values with holes filled from the same place; `None` if a place with a hole was never scored.
fn fill(history: &History, length: usize) -> Option<Vec<f64>> {
    let mut filled = history.values.clone();
    if history.n_scored == filled.len() {
        return Some(filled);
    }
    for (row, value) in filled.iter_mut().enumerate().filter(|(_, value)| value.is_nan()) {
        let place = row % length;
        let known = |other: &&f64| !other.is_nan();
        let earlier = history.values[place..row.max(place)].iter().step_by(length).rev().find(known);
        let later = history.values[row..].iter().step_by(length).find(known);
        *value = match (earlier, later) {
            (Some(earlier), Some(later)) => 0.5 * (earlier + later),
            (Some(only), None) | (None, Some(only)) => *only,
            (None, None) => return None,
        };
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(values: Vec<f64>) -> History {
        let n_scored = values.iter().filter(|value| !value.is_nan()).count();
        History { values, scale: 1.0, gap: 0, n_scored }
    }

    /// A straight line is its own moving average, so that the figures come out exactly but for rounding.
    #[test]
    fn the_figures_of_a_line_with_a_season_are_found() {
        for figures in [vec![-2.0, 1.0, 0.0, 1.0], vec![-2.0, 1.0, 0.5, 1.0, -0.5]] {
            let length = figures.len();
            let values = (0..6 * length).map(|row| 10.0 + 0.5 * row as f64 + figures[row % length]).collect();
            let season = Season::classical(&history(values), length, false).expect("six seasons");
            for (got, expected) in season.figures.iter().zip(&figures) {
                assert!((got - expected).abs() < 1e-12, "{got}, expected {expected}");
            }
        }
    }

    #[test]
    fn a_hole_moves_no_figure_of_a_steady_season() {
        let figures = [0.5, 1.5, 1.2, 0.8];
        let mut values: Vec<f64> = (0..24).map(|row| 10.0 * figures[row % 4]).collect();
        for hole in [5, 9, 10, 17] {
            values[hole] = f64::NAN;
        }
        let history = history(values);
        let season = Season::classical(&history, 4, true).expect("six seasons");
        for (got, expected) in season.figures.iter().zip(figures) {
            assert!((got - expected).abs() < 1e-12, "{got}, expected {expected}");
        }
        assert!(is_seasonal(&history, 4));
    }

    #[test]
    fn a_line_has_no_season_of_its_own() {
        let values = (0..40).map(|row| f64::from(row * 37 % 17)).collect();
        assert!(!is_seasonal(&history(values), 12));
    }
}
