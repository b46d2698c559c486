//! Means and standard deviations of the steps ahead of a theta model.
//!
//! Level, mean and slope of the line are linear in the values, a future value is its forecast and an error, so that the
//! covariance of the three is carried on step by step: exact for normal errors. With a line that stays, the variance of step
//! `h` is `σ² (1 + (h - 1) α²)`.

use super::fit::{Estimate, shares};
use super::line::LineSums;
use crate::predictive::Predictive;

/// Forecasts `steps` steps after the last row, without season. `rows`: those before the first step.
pub(super) fn predict(estimate: &Estimate, rows: usize, steps: usize) -> Predictive {
    let Estimate { is_dynamic, alpha, weight, mut level, mut line, mut fade, .. } = *estimate;
    let variance = estimate.squares / estimate.n_errors.saturating_sub(estimate.n_parameters).max(1) as f64;
    let mut covariance = [[0.0; 3]; 3];
    let mut predictive = Predictive { mean: Vec::with_capacity(steps), sd: Vec::with_capacity(steps) };
    for step in 0..steps {
        let time = (rows + step + 1) as f64;
        let (intercept, slope) = shares(alpha, fade);
        let LineSums { count, mean_time, spread, .. } = line;
        let ahead = time - mean_time;
        // The forecast takes this from each state; each state takes that from the value.
        let taken = [1.0, weight * intercept, if spread > 0.0 { weight * (slope - mean_time * intercept) / spread } else { 0.0 }];
        let gain = if is_dynamic { [alpha, 1.0 / (count + 1.0), ahead * count / (count + 1.0)] } else { [alpha, 0.0, 0.0] };
        let now = line.line();
        let mean = level + weight * (now.intercept * intercept + now.slope * slope);
        let by_state: [f64; 3] = std::array::from_fn(|state| (0..3).map(|other| covariance[state][other] * taken[other]).sum());
        let total = variance + (0..3).map(|state| taken[state] * by_state[state]).sum::<f64>();
        predictive.mean.push(mean);
        predictive.sd.push(total.max(0.0).sqrt());
        // A state moves by its gain times the value's surprise over the level (first state) or over the mean (the others).
        let surprise_over = |state: usize| usize::from(state > 0);
        let moved: [[f64; 3]; 3] = std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let kept = covariance[row][column] - gain[row] * covariance[surprise_over(row)][column];
                kept + gain[row] * by_state[column]
            })
        });
        let moved_by_value: [f64; 3] =
            std::array::from_fn(|row| by_state[row] - gain[row] * by_state[surprise_over(row)] + gain[row] * total);
        covariance = std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                moved[row][column] - gain[column] * moved[row][surprise_over(column)] + gain[column] * moved_by_value[row]
            })
        });
        level += alpha * (mean - level);
        if is_dynamic {
            line.push(time, mean);
        }
        fade *= 1.0 - alpha;
    }
    predictive
}
