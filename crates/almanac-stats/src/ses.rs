//! Simple exponential smoothing: a level that moves a share `α` of the way to each scored row.
//!
//! The level starts at the first scored row, and `α`, between 0.01 and 0.99, has the least sum of squared one-step errors.
//! The sum is looked at in eight places of the range at once, then Newton's method goes on from the best; its derivatives
//! are recursions beside that of the level. A row that is not scored leaves the level where it is.
//!
//! The variance of step `h` is that of ETS(A,N,N): `σ² (1 + (h - 1) α²)`, rows after the last scored one being steps too. One
//! scored row, or one value throughout, is forecast as by [`Naive`](crate::Naive).
//!
//! Source: FPP3, section 8.1; the mean is that of statsforecast's `SimpleExponentialSmoothingOptimized`, or of a smaller sum
//! of squares where that stops in a local minimum.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::history::History;
use crate::naive;
use crate::predictive::Predictive;

/// Bounds of `α`.
pub(crate) const BOUNDS: (f64, f64) = (0.01, 0.99);
const PLACES: usize = 8;
const MAX_NEWTON_STEPS: usize = 30;
/// A Newton step this short leaves an error of its square.
const SHORT_STEP: f64 = 1e-6;

/// Simple exponential smoothing with the `α` of least squared error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ses;

impl LocalForecaster for Ses {
    fn name(&self) -> &'static str {
        "ses"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let predictive = predict(&history, history.gap + horizon.steps());
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Forecasts `steps` steps after the last scored row.
pub(crate) fn predict(history: &History, steps: usize) -> Predictive {
    if history.is_constant() {
        return naive::predict(history, steps);
    }
    let scored: Vec<f64> = history.scored().map(|(_, y)| y).collect();
    let alpha = best_alpha(&scored, BOUNDS);
    Predictive { mean: vec![level(&scored, alpha); steps], sd: spread(&scored, alpha, steps) }
}

/// The level after the last value. `y` has at least one.
///
/// Four rows at a time: what they add does not wait for the level before them.
pub(crate) fn level(y: &[f64], alpha: f64) -> f64 {
    let keep = 1.0 - alpha;
    let (keep_2, keep_3, keep_4) = (keep * keep, keep * keep * keep, keep * keep * keep * keep);
    let (blocks, rest) = y[1..].as_chunks::<4>();
    let level = blocks.iter().fold(y[0], |level, [a, b, c, d]| keep_4 * level + alpha * (keep_3 * a + keep_2 * b + (keep * c + d)));
    rest.iter().fold(level, |level, y| keep * level + alpha * y)
}

/// Standard deviations of the steps ahead, ETS(A,N,N). `y` has at least two values.
pub(crate) fn spread(y: &[f64], alpha: f64, steps: usize) -> Vec<f64> {
    let (_, squares) = y[1..].iter().fold((y[0], 0.0), |(level, squares), y| {
        let error = y - level;
        ((1.0 - alpha) * level + alpha * y, squares + error * error)
    });
    let variance = squares / y.len().saturating_sub(2).max(1) as f64;
    (0..steps).map(|step| (variance * (1.0 + step as f64 * alpha * alpha)).sqrt()).collect()
}

/// The `α` between two bounds with the least sum of squared one-step errors; the middle where all are equal.
pub(crate) fn best_alpha(y: &[f64], (lowest, highest): (f64, f64)) -> f64 {
    if y.len() < 3 {
        return f64::midpoint(lowest, highest);
    }
    let gap = (highest - lowest) / (PLACES - 1) as f64;
    let alphas: [f64; PLACES] = std::array::from_fn(|place| lowest + gap * place as f64);
    let squares = squares_of(y, &alphas);
    let best = (1..PLACES).fold(0, |best, place| if squares[place] < squares[best] { place } else { best });
    if squares.iter().all(|at| *at == squares[best]) {
        return f64::midpoint(lowest, highest);
    }
    let mut alpha = alphas[best];
    let (mut low, mut high) = (alphas[best.saturating_sub(1)], alphas[(best + 1).min(PLACES - 1)]);
    for _ in 0..MAX_NEWTON_STEPS {
        let (slope, curvature) = derivatives(y, alpha);
        if (slope >= 0.0 && alpha == lowest) || (slope <= 0.0 && alpha == highest) {
            break;
        }
        *(if slope > 0.0 { &mut high } else { &mut low }) = alpha;
        let newton = alpha - slope / curvature;
        let next = if curvature > 0.0 && newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let step = next - alpha;
        alpha = next;
        if step.abs() < SHORT_STEP * (highest - lowest) {
            break;
        }
    }
    alpha
}

/// Sums of squared errors for several `α` in one pass: the recursions do not wait for each other.
fn squares_of(y: &[f64], alphas: &[f64; PLACES]) -> [f64; PLACES] {
    let mut levels = [y[0]; PLACES];
    let mut squares = [0.0; PLACES];
    for y in &y[1..] {
        for ((level, squares), alpha) in levels.iter_mut().zip(&mut squares).zip(alphas) {
            let error = y - *level;
            *squares += error * error;
            *level += alpha * error;
        }
    }
    squares
}

/// First and second derivative, by `α`, of half the sum of squared errors.
fn derivatives(y: &[f64], alpha: f64) -> (f64, f64) {
    let keep = 1.0 - alpha;
    let (mut level, mut by_alpha, mut twice_by_alpha) = (y[0], 0.0, 0.0);
    let (mut slope, mut curvature) = (0.0, 0.0);
    for y in &y[1..] {
        let error = y - level;
        slope -= error * by_alpha;
        curvature += by_alpha * by_alpha - error * twice_by_alpha;
        twice_by_alpha = keep * twice_by_alpha - 2.0 * by_alpha;
        by_alpha = keep * by_alpha + error;
        level = keep * level + alpha * y;
    }
    (slope, curvature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(y: &[f64], alpha: f64) -> f64 {
        squares_of(y, &[alpha; PLACES])[0]
    }

    #[test]
    fn no_alpha_of_a_fine_grid_is_better() {
        for seed in 0..40_u32 {
            let y: Vec<f64> = (0..30 + seed).map(|row| f64::from((row * 7919 + seed * 31) % 101) + 0.2 * f64::from(row * seed)).collect();
            for bounds in [BOUNDS, (0.1, 0.3)] {
                let least = squares(&y, best_alpha(&y, bounds));
                for step in 0..=1000 {
                    let alpha = bounds.0 + (bounds.1 - bounds.0) * f64::from(step) / 1000.0;
                    // Two minima nearer to each other than the eight places are apart may be taken for one another: 1 %.
                    assert!(least <= squares(&y, alpha) * 1.01, "seed {seed}, {alpha}");
                }
            }
        }
    }

    /// Central differences with step 1e-5 are good to about 1e-6 of the size of the derivative.
    #[test]
    fn the_derivatives_are_those_of_the_sum_of_squares() {
        let y: Vec<f64> = (0..40).map(|row| f64::from(row * 37 % 17)).collect();
        let (slope, curvature) = derivatives(&y, 0.3);
        let half = |alpha: f64| 0.5 * squares(&y, alpha);
        let numeric_slope = (half(0.3 + 1e-5) - half(0.3 - 1e-5)) / 2e-5;
        let numeric_curvature = (derivatives(&y, 0.3 + 1e-5).0 - derivatives(&y, 0.3 - 1e-5).0) / 2e-5;
        assert!((slope - numeric_slope).abs() < 1e-5 * slope.abs(), "{slope} and {numeric_slope}");
        assert!((curvature - numeric_curvature).abs() < 1e-5 * curvature.abs(), "{curvature} and {numeric_curvature}");
    }
}
