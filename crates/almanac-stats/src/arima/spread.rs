//! From an estimated form to means and standard deviations ahead.
//!
//! The filter's last state gives the means of the differenced series, which are summed up again. The variance of step `h` is
//! that of the errors times the sum of the squares of the first `h` weights on past errors, differencing included; to it comes
//! what is not known of the rows without score. Coefficients are taken for known, as in R.
//!
//! Source: Box, Jenkins, Reinsel & Ljung (2015), "Time series analysis", section 5.2.

use super::fit::{Fitted, Fitter};
use super::polynomial::Product;
use super::sample::{self, Differences, dot};
use crate::history::History;
use crate::predictive::Predictive;

/// Steps ahead for which the doubt about rows without score is computed; later steps keep that of the last.
const MAX_DOUBTED: usize = 1_000;

/// Forecasts `steps` steps after the last scored row. `regressors` are those the sample was made from and cover the steps.
pub(crate) fn predict(history: &History, fitter: &mut Fitter<'_>, fitted: &Fitted, regressors: &[Vec<f64>], steps: usize) -> Predictive {
    fitter.evaluate(fitted.lengths, fitted.constant, &fitted.free);
    let sample = fitter.sample;
    let differences = sample.differences;
    let lags = fitter.process.n_lags();
    let coefficients = &fitter.regression.coefficients;
    let state = |column: usize| &fitter.filter.expected[column * (sample.differenced.n_rows + lags) + sample.differenced.n_rows..][..lags];
    let last = |column: usize| &sample.levels.column(column)[sample.levels.n_rows - differences.n_rows()..];

    let (mut own_state, mut own_last) = (state(0).to_vec(), last(0).to_vec());
    for (column, coefficient) in coefficients.iter().enumerate() {
        subtract(&mut own_state, state(column + 1), *coefficient);
        subtract(&mut own_last, last(column + 1), *coefficient);
    }
    let ar = &fitter.process.ar;
    let mut mean = extrapolate(ar, differences, &own_state, &own_last, steps);
    let known = &coefficients[sample.n_missing..];
    for (index, coefficient) in sample.used.iter().zip(known) {
        let ahead = &regressors[*index][history.values.len()..];
        mean.iter_mut().zip(ahead).for_each(|(mean, x)| *mean += coefficient * x);
    }
    if let Some(coefficient) = known.get(sample.used.len()) {
        for (step, mean) in mean.iter_mut().enumerate() {
            *mean += coefficient * sample::constant(sample.levels.n_rows + step, differences);
        }
    }

    let doubt = {
        let steps = steps.min(MAX_DOUBTED);
        let columns: Vec<Vec<f64>> =
            (1..=sample.n_missing).map(|column| extrapolate(ar, differences, state(column), last(column), steps)).collect();
        doubt(fitter, &columns, steps)
    };
    let n = sample.n_effective();
    let degrees = (n - fitted.n_parameters + 1) as f64;
    let variance = if fitter.regression.has_residuals() { fitter.regression.squares / degrees } else { 0.0 };
    let mut squares = 0.0;
    let weights = weights(fitter, steps);
    let sd = weights.iter().enumerate().map(|(step, weight)| {
        squares += weight * weight;
        let doubt = doubt.get(step).or(doubt.last()).copied().unwrap_or(0.0);
        (variance * (squares + doubt)).sqrt()
    });
    Predictive { sd: sd.collect(), mean }
}

fn subtract(from: &mut [f64], values: &[f64], times: f64) {
    from.iter_mut().zip(values).for_each(|(from, value)| *from -= times * value);
}

/// Continues a column: its differences from the filter's state, then their sums from its last values.
fn extrapolate(ar: &Product, differences: Differences, state: &[f64], last: &[f64], steps: usize) -> Vec<f64> {
    let mut ahead = state.to_vec();
    ahead.resize(steps + state.len(), 0.0);
    for step in 0..steps {
        for (lag, coefficient) in &ar.terms {
            ahead[step + lag] += coefficient * ahead[step];
        }
    }
    let mut sums = Product::default();
    differences.lags().for_each(|lag| sums.difference(lag));
    let mut levels = last.to_vec();
    for difference in &ahead[..steps] {
        let row = levels.len();
        let past: f64 = sums.terms.iter().map(|(lag, coefficient)| coefficient * levels[row - lag]).sum();
        levels.push(difference + past);
    }
    levels.split_off(last.len())
}

/// Weights of the errors of lags 0 and up in the undifferenced series.
fn weights(fitter: &Fitter<'_>, steps: usize) -> Vec<f64> {
    let mut ar = fitter.process.ar.clone();
    fitter.sample.differences.lags().for_each(|lag| ar.difference(lag));
    let mut weights: Vec<f64> = Vec::with_capacity(steps);
    for k in 0..steps {
        let past: f64 = ar.terms.iter().take_while(|(lag, _)| *lag <= k).map(|(lag, coefficient)| coefficient * weights[k - lag]).sum();
        let own = if k == 0 { 1.0 } else { fitter.process.ma.dense.get(k - 1).copied().unwrap_or(0.0) };
        weights.push(own + past);
    }
    weights
}

/// Variance of each step that comes from rows without score, in units of the error variance.
fn doubt(fitter: &Fitter<'_>, columns: &[Vec<f64>], steps: usize) -> Vec<f64> {
    let (width, n_missing) = (fitter.regression.coefficients.len(), columns.len());
    if n_missing == 0 {
        return Vec::new();
    }
    let mut solved = vec![0.0; n_missing];
    let of_step = |step: usize| {
        for i in 0..n_missing {
            let known = dot(&fitter.regression.factor[i * width..][..i], &solved[..i]);
            solved[i] = (columns[i][step] - known) * fitter.regression.reciprocal(i, width);
        }
        dot(&solved, &solved)
    };
    (0..steps).map(of_step).collect()
}
