//! One ARIMA form estimated on one sample: exact maximum likelihood, AICc, the check of its roots.
//!
//! Only the ARMA coefficients are searched for, as partial autocorrelations of each of the four polynomials, so that every
//! point of the search is stationary and invertible. What enters linearly (mean or drift, regressors, rows that are not
//! scored) is solved for at each point by least squares on the filtered columns, and so is the variance of the errors.

use super::filter::{Filter, Process};
use super::polynomial::{from_free, roots_are_beyond};
use super::sample::{Sample, dot};
use crate::ets::optimise::{Objective, minimise};

/// Gain in -2 log likelihood that is not worth another step.
const TOLERANCE: f64 = 1e-4;
/// The same while forms are compared.
const SEARCH_TOLERANCE: f64 = 5e-4;
/// Step of the free parameters in a difference quotient.
const STEP: f64 = 1e-5;
/// Roots nearer to the unit circle than this are refused by the search for a form, as in R.
const NEAREST_ROOT: f64 = 1.01;
/// Sum of squares that counts as none: the values are of size 1.
const NO_SQUARES: f64 = 1e-28;
/// Share of a column that must be left for its coefficient to be solved for.
const LEAST_PIVOT: f64 = 1e-10;

/// First free number of each polynomial at the places that a search begins at.
const STARTS: [[f64; 4]; 4] = [[0.0; 4], [1.0, 0.6, 0.3, 0.8], [-0.4, 0.3, -0.4, 0.3], [1.2, 1.8, 1.2, 1.2]];

/// Lengths of the four polynomials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lengths {
    pub(crate) ar: usize,
    pub(crate) ma: usize,
    pub(crate) seasonal_ar: usize,
    pub(crate) seasonal_ma: usize,
}

impl Lengths {
    pub(crate) fn total(self) -> usize {
        self.ar + self.ma + self.seasonal_ar + self.seasonal_ma
    }

    fn parts(self) -> [usize; 4] {
        [self.ar, self.ma, self.seasonal_ar, self.seasonal_ma]
    }
}

/// An estimated form, in the units of the sample.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub(crate) lengths: Lengths,
    pub(crate) constant: bool,
    pub(crate) free: Vec<f64>,
    /// -2 log likelihood without the constant of the normal distribution.
    pub(crate) objective: f64,
    pub(crate) aicc: f64,
    pub(crate) n_parameters: usize,
}

/// Estimates forms on one sample and keeps its room between them.
#[derive(Debug)]
pub(crate) struct Fitter<'a> {
    pub(crate) sample: &'a Sample,
    pub(crate) filter: Filter,
    pub(crate) process: Process,
    pub(crate) regression: Regression,
    coefficients: Vec<f64>,
}

impl<'a> Fitter<'a> {
    pub(crate) fn new(sample: &'a Sample) -> Self {
        Self { sample, filter: Filter::default(), process: Process::default(), regression: Regression::default(), coefficients: Vec::new() }
    }

    /// Returns the number of estimated parameters, the variance included.
    pub(crate) fn n_parameters(&self, lengths: Lengths, constant: bool) -> usize {
        lengths.total() + self.sample.n_columns(constant) - self.sample.n_missing
    }

    /// Estimates a form from the better of the `starts`, each with one free number per coefficient. `None` where the sample
    /// is too short for it or no start can be evaluated.
    pub(crate) fn fit(&mut self, lengths: Lengths, constant: bool, starts: &[Vec<f64>]) -> Option<Fitted> {
        self.fit_to(lengths, constant, starts, TOLERANCE)
    }

    /// As [`Self::fit`], near enough to compare forms.
    pub(crate) fn fit_roughly(&mut self, lengths: Lengths, constant: bool, starts: &[Vec<f64>]) -> Option<Fitted> {
        self.fit_to(lengths, constant, starts, SEARCH_TOLERANCE)
    }

    fn fit_to(&mut self, lengths: Lengths, constant: bool, starts: &[Vec<f64>], tolerance: f64) -> Option<Fitted> {
        if self.sample.n_effective() < self.n_parameters(lengths, constant) + 2 {
            return None;
        }
        let mut best: Option<(f64, &Vec<f64>)> = None;
        for start in starts {
            let objective = self.evaluate(lengths, constant, start);
            if objective.is_finite() && best.is_none_or(|(least, _)| objective < least) {
                best = Some((objective, start));
            }
        }
        let (mut objective, start) = best?;
        let mut free = start.clone();
        if !free.is_empty() {
            objective = minimise(&mut Problem { fitter: self, lengths, constant, latest: 0.0, moved: Vec::new() }, &mut free, tolerance);
        }
        Some(self.fitted(lengths, constant, free, objective))
    }

    /// Takes the coefficients of a form as they were estimated on another sample.
    pub(crate) fn take_over(&mut self, found: Fitted) -> Option<Fitted> {
        let objective = self.evaluate(found.lengths, found.constant, &found.free);
        let is_enough = self.sample.n_effective() >= self.n_parameters(found.lengths, found.constant) + 2;
        (is_enough && objective.is_finite()).then(|| self.fitted(found.lengths, found.constant, found.free, objective))
    }

    fn fitted(&self, lengths: Lengths, constant: bool, free: Vec<f64>, objective: f64) -> Fitted {
        let n_parameters = self.n_parameters(lengths, constant);
        let (n, k) = (self.sample.n_effective() as f64, n_parameters as f64);
        let aic = objective + n * (1.0 + std::f64::consts::TAU.ln()) + 2.0 * k;
        Fitted { lengths, constant, free, objective, aicc: aic + 2.0 * k * (k + 1.0) / (n - k - 1.0), n_parameters }
    }

    /// Estimates a form from several places, and from the `known` one, and keeps the best: the likelihood may have several
    /// maxima.
    pub(crate) fn fit_well(&mut self, lengths: Lengths, constant: bool, known: Option<&Fitted>) -> Option<Fitted> {
        let known = known.map(|known| known.free.clone());
        let mut best: Option<Fitted> = None;
        for start in known.into_iter().chain(usual_starts(lengths)) {
            let Some(fitted) = self.fit(lengths, constant, &[start]) else { continue };
            if best.as_ref().is_none_or(|best| fitted.objective < best.objective) {
                best = Some(fitted);
            }
        }
        best
    }

    /// Returns -2 log likelihood, but for the constant, and leaves filter and regression as they are at this point.
    pub(crate) fn evaluate(&mut self, lengths: Lengths, constant: bool, free: &[f64]) -> f64 {
        self.set_process(lengths, free);
        let n_columns = self.sample.n_columns(constant);
        let Some(log_variances) = self.filter.run(&self.process, &self.sample.differenced, n_columns) else {
            return f64::INFINITY;
        };
        let rows = self.sample.differenced.n_rows;
        let log_determinant =
            self.regression.solve(&mut self.filter.innovations, rows, n_columns, &self.sample.differenced.first, self.sample.n_missing);
        let n = self.sample.n_effective() as f64;
        let value = n * (self.regression.squares.max(NO_SQUARES) / n).ln() + log_variances + log_determinant;
        if value.is_nan() { f64::INFINITY } else { value }
    }

    /// Returns the coefficients of the four polynomials, in the autoregressive sense, one after the other.
    pub(crate) fn coefficients(lengths: Lengths, free: &[f64]) -> Vec<f64> {
        let mut coefficients = vec![0.0; free.len()];
        let mut from = 0;
        for part in lengths.parts() {
            from_free(&free[from..from + part], &mut coefficients[from..from + part]);
            from += part;
        }
        coefficients
    }

    fn set_process(&mut self, lengths: Lengths, free: &[f64]) {
        self.coefficients.resize(free.len(), 0.0);
        let mut rest = (free, &mut self.coefficients[..]);
        let mut next = |part: usize| {
            let (free, coefficients) = std::mem::take(&mut rest);
            let (mine, others) = coefficients.split_at_mut(part);
            from_free(&free[..part], mine);
            rest = (&free[part..], others);
            &*mine
        };
        let [ar, ma, seasonal_ar, seasonal_ma] = lengths.parts().map(&mut next);
        let season_length = self.sample.differences.season_length;
        self.process.ar.set(ar, seasonal_ar, season_length, 1.0);
        self.process.ma.set(ma, seasonal_ma, season_length, -1.0);
    }

    /// Returns whether no root is so near the unit circle that another differencing, or one less, is meant.
    pub(crate) fn has_safe_roots(&self, fitted: &Fitted) -> bool {
        let coefficients = Self::coefficients(fitted.lengths, &fitted.free);
        let seasonal = NEAREST_ROOT.powi(self.sample.differences.season_length as i32);
        let mut from = 0;
        fitted.lengths.parts().into_iter().zip([NEAREST_ROOT, NEAREST_ROOT, seasonal, seasonal]).all(|(part, radius)| {
            from += part;
            roots_are_beyond(&coefficients[from - part..from], radius)
        })
    }
}

/// Returns the places that the search for a form's coefficients begins at.
pub(crate) fn usual_starts(lengths: Lengths) -> impl Iterator<Item = Vec<f64>> {
    let of_start = move |start: &[f64; 4]| -> Vec<f64> {
        let parts = lengths.parts().into_iter().zip(*start);
        parts.flat_map(|(part, first)| (0..part).map(move |k| if k == 0 { first } else { 0.0 })).collect()
    };
    STARTS.iter().map(of_start).take(if lengths.total() == 0 { 1 } else { STARTS.len() })
}

/// Free numbers of one form made to fit another: those of the same lags are kept, others start at 0.
pub(crate) fn carry_over(from: Lengths, free: &[f64], to: Lengths) -> Vec<f64> {
    let mut carried = Vec::with_capacity(to.total());
    let mut start = 0;
    for (old, new) in from.parts().into_iter().zip(to.parts()) {
        carried.extend((0..new).map(|k| if k < old { free[start + k].clamp(-2.0, 2.0) } else { 0.0 }));
        start += old;
    }
    carried
}

struct Problem<'a, 'b> {
    fitter: &'a mut Fitter<'b>,
    lengths: Lengths,
    constant: bool,
    latest: f64,
    moved: Vec<f64>,
}

impl Objective for Problem<'_, '_> {
    fn value(&mut self, x: &[f64]) -> f64 {
        self.latest = self.fitter.evaluate(self.lengths, self.constant, x);
        self.latest
    }

    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) {
        let mut moved = std::mem::take(&mut self.moved);
        moved.clear();
        moved.extend_from_slice(x);
        for (k, slope) in gradient.iter_mut().enumerate() {
            moved[k] = x[k] + STEP;
            *slope = (self.fitter.evaluate(self.lengths, self.constant, &moved) - self.latest) / STEP;
            moved[k] = x[k];
        }
        self.moved = moved;
    }
}

/// Least squares of the first column on the others.
#[derive(Debug, Default)]
pub(crate) struct Regression {
    /// Coefficient of each column but the first; 0 where the columns before it say the same.
    pub(crate) coefficients: Vec<f64>,
    /// Lower Cholesky factor of the columns' inner products, row by row, `coefficients.len()` wide.
    pub(crate) factor: Vec<f64>,
    /// Sum of the squared residuals.
    pub(crate) squares: f64,
}

impl Regression {
    /// Solves and leaves the residuals in the first column. Returns the logarithm of the determinant of the inner products of
    /// the `n_missing` first regressors.
    fn solve(&mut self, columns: &mut [f64], rows: usize, n_columns: usize, first: &[usize], n_missing: usize) -> f64 {
        let (data, others) = columns[..rows * n_columns].split_at_mut(rows);
        let width = n_columns - 1;
        self.coefficients.resize(width, 0.0);
        self.factor.resize(width * width, 0.0);
        let mut log_determinant = 0.0;
        for i in 0..width {
            let mine = &others[i * rows..][..rows];
            for j in 0..=i {
                let from = first[i + 1].max(first[j + 1]);
                let product = dot(&mine[from..], &others[j * rows + from..][..rows - from]);
                let known = dot(&self.factor[i * width..][..j], &self.factor[j * width..][..j]);
                let left = product - known;
                self.factor[i * width + j] = if i != j {
                    left * self.reciprocal(j, width)
                } else if left > LEAST_PIVOT * product {
                    if i < n_missing {
                        log_determinant += left.ln();
                    }
                    left.sqrt()
                } else {
                    0.0
                };
            }
            let projected = dot(&mine[first[i + 1]..], &data[first[i + 1]..]);
            let known = dot(&self.factor[i * width..][..i], &self.coefficients[..i]);
            self.coefficients[i] = (projected - known) * self.reciprocal(i, width);
        }
        for i in (0..width).rev() {
            let later: f64 = (i + 1..width).map(|j| self.factor[j * width + i] * self.coefficients[j]).sum();
            self.coefficients[i] = (self.coefficients[i] - later) * self.reciprocal(i, width);
        }
        for (i, coefficient) in self.coefficients.iter().enumerate() {
            for (data, value) in data.iter_mut().zip(&others[i * rows..][..rows]).skip(first[i + 1]) {
                *data -= coefficient * value;
            }
        }
        self.squares = dot(data, data);
        log_determinant
    }

    /// Returns whether anything is left to explain.
    pub(crate) fn has_residuals(&self) -> bool {
        self.squares > NO_SQUARES
    }

    /// One over a pivot; 0 where the column was left out.
    pub(crate) fn reciprocal(&self, i: usize, width: usize) -> f64 {
        let pivot = self.factor[i * width + i];
        if pivot > 0.0 { 1.0 / pivot } else { 0.0 }
    }
}
