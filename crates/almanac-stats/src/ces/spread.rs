//! Means and standard deviations of the steps ahead of complex smoothing.
//!
//! The states are linear in the errors, so that an error `j` steps before a step is felt there with a weight that depends on
//! `j` alone: the level moved by 1 unit of error, gone on for `j` steps, and the season moved so, gone on once per season.

use super::CesForm;
use super::fit::Fitted;
use super::recursion::Complex;
use crate::predictive::Predictive;

/// Forecasts `steps` steps after the last row.
pub(super) fn predict(fitted: &Fitted, steps: usize) -> Predictive {
    let Fitted { form, parameters: p, .. } = *fitted;
    let has_level = form != CesForm::Simple;
    let by_season = if has_level { [p[2], p[3]] } else { [p[0], p[1]] };
    let go_on = |state: &mut Complex<1>, error: f64| match form {
        CesForm::Partial => state.step_real(by_season[0], 0, &[error]),
        _ => state.step(by_season, 0, &[error]),
    };
    let state = |[real, imaginary]: [f64; 2]| Complex { real: [real], imaginary: [imaginary] };
    let nothing = state([0.0; 2]);
    let (mut level, mut felt_by_level, mut felt_by_season) = (state(fitted.level), nothing, nothing);
    level.real[0] *= f64::from(u8::from(has_level));
    if has_level {
        felt_by_level.step([p[0], p[1]], 0, &[1.0]);
    }
    go_on(&mut felt_by_season, 1.0);
    let mut season: Vec<Complex<1>> = fitted.season.iter().map(|pair| state(*pair)).collect();
    let length = season.len().max(1);
    let mut squares = 1.0;
    let mut predictive = Predictive { mean: Vec::with_capacity(steps), sd: Vec::with_capacity(steps) };
    for step in 1..=steps {
        let mut mean = level.real[0];
        if let Some(place) = season.get_mut((step - 1) % length) {
            mean += place.real[0];
            go_on(place, 0.0);
        }
        predictive.mean.push(mean);
        predictive.sd.push((fitted.variance * squares).sqrt());
        let mut weight = felt_by_level.real[0];
        if !season.is_empty() && step.is_multiple_of(length) {
            weight += felt_by_season.real[0];
            go_on(&mut felt_by_season, 0.0);
        }
        squares += weight * weight;
        if has_level {
            level.step([p[0], p[1]], 0, &[0.0]);
            felt_by_level.step([p[0], p[1]], 0, &[0.0]);
        }
    }
    predictive
}
