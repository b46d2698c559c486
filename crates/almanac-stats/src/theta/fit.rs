//! The least squares of a theta model.
//!
//! For a given `α` the one-step errors are linear in the initial level and in the weight `1 - 1/θ` of the line, also over rows
//! that are not scored, where the forecast stands in for the value. So both follow from six sums, and what is left is a search
//! over `α` alone: eight values side by side, on a grid first and then in ever narrower brackets. It finds the least squares
//! of the whole range of `α` but for minima narrower than the grid.

use super::ThetaForm;
use super::lanes::{LANES, Lanes};
use super::line::{Line, LineSums, lines};

/// Bounds of `α`, those of statsforecast.
const ALPHA: (f64, f64) = (0.1, 0.99);
/// Largest weight of the line: a `θ` of 10^10, statsforecast's bound.
const MAX_WEIGHT: f64 = 1.0 - 1e-10;
/// Scored rows at the start whose errors do not count.
const BURN_IN: usize = 3;
/// Rounds of eight values on the grid.
const GRID_ROUNDS: usize = 2;
/// Rounds of eight values in the bracket; each leaves two ninths of it, all of them 1.5e-5.
const BRACKET_ROUNDS: usize = 6;
/// What powers of `1 - α` fade to instead of denormal numbers, which are slow.
const FADED: f64 = 1e-140;

/// A theta model estimated on the values without season.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(super) is_dynamic: bool,
    pub(super) alpha: f64,
    /// Weight of the line, `1 - 1/θ`.
    pub(super) weight: f64,
    /// Level before the first row.
    pub(super) initial_level: f64,
    /// Level after the last row.
    pub(super) level: f64,
    /// The line after the last row.
    pub(super) line: LineSums,
    /// `(1 - α)` to the power of the number of rows.
    pub(super) fade: f64,
    pub(super) squares: f64,
    /// Errors that count.
    pub(super) n_errors: usize,
    pub(super) n_parameters: usize,
}

impl Estimate {
    /// Mean of the squared errors that count.
    pub(crate) fn mse(&self) -> f64 {
        self.squares / self.n_errors as f64
    }
}

/// Estimates a form. `y`: NaN for rows that are not scored; the first and the last are numbers.
pub(crate) fn fit(y: &[f64], form: ThetaForm) -> Estimate {
    let is_dynamic = form.is_dynamic();
    let (lines, line) = lines(y, is_dynamic);
    let weight = (!form.is_optimized()).then_some(0.5);
    let best = search(|alphas| sums(y, &lines, alphas).solve(weight).map(|solution| solution.squares));
    let solution = sums(y, &lines, &[best; LANES]).solve(weight)[0];
    let n_parameters = if form.is_optimized() { 3 } else { 2 };
    let start = Estimate {
        is_dynamic,
        alpha: best,
        weight: solution.weight,
        initial_level: y[0] + solution.above,
        level: 0.0,
        line,
        fade: 1.0,
        squares: 0.0,
        n_errors: 0,
        n_parameters,
    };
    run(start, y, &lines)
}

/// Share of the line's intercept and slope in the forecast of a row, from `(1 - α)` to the power of the rows before it.
pub(super) fn shares(alpha: f64, fade: f64) -> (f64, f64) {
    (fade, (1.0 - (1.0 - alpha) * fade) / alpha)
}

fn run(mut estimate: Estimate, y: &[f64], lines: &[Line]) -> Estimate {
    let Estimate { alpha, weight, .. } = estimate;
    let mut level = estimate.initial_level;
    let mut n_seen = 0;
    for (y, line) in y.iter().zip(lines) {
        let (intercept, slope) = shares(alpha, estimate.fade);
        let mean = level + weight * (line.intercept * intercept + line.slope * slope);
        let value = if y.is_nan() { mean } else { *y };
        if !y.is_nan() {
            n_seen += 1;
            if n_seen > BURN_IN {
                estimate.squares += (y - mean) * (y - mean);
            }
        }
        level += alpha * (value - level);
        estimate.fade *= 1.0 - alpha;
    }
    Estimate { level, n_errors: n_seen - BURN_IN, ..estimate }
}

/// Returns the `α` with the least of `value`, which sees eight at a time.
fn search(value: impl Fn(&[f64; LANES]) -> [f64; LANES]) -> f64 {
    const POINTS: usize = GRID_ROUNDS * LANES;
    let width = (ALPHA.1 - ALPHA.0) / (POINTS - 1) as f64;
    let mut best = (f64::INFINITY, ALPHA.0);
    let mut look = |alphas: [f64; LANES]| {
        for (alpha, value) in alphas.into_iter().zip(value(&alphas)) {
            if value < best.0 {
                best = (value, alpha);
            }
        }
        best.1
    };
    let mut centre = ALPHA.0;
    for round in 0..GRID_ROUNDS {
        centre = look(std::array::from_fn(|lane| ALPHA.0 + (round * LANES + lane) as f64 * width));
    }
    let mut reach = width;
    for _ in 0..BRACKET_ROUNDS {
        let (low, high) = ((centre - reach).max(ALPHA.0), (centre + reach).min(ALPHA.1));
        let step = (high - low) / (LANES + 1) as f64;
        centre = look(std::array::from_fn(|lane| low + (lane + 1) as f64 * step));
        reach = step;
    }
    centre
}

/// Sums of products of: `y` less a level from the first value alone (`rest`), what the level takes from the initial level's
/// distance to the first value (`above`), and what the forecast takes from the weight of the line (`line`).
struct Sums {
    rest_rest: Lanes,
    rest_above: Lanes,
    rest_line: Lanes,
    above_above: Lanes,
    above_line: Lanes,
    line_line: Lanes,
}

#[derive(Clone, Copy)]
struct Solution {
    /// Initial level above the first value.
    above: f64,
    weight: f64,
    squares: f64,
}

fn sums(y: &[f64], lines: &[Line], alphas: &[f64; LANES]) -> Sums {
    let zero = Lanes::splat(0.0);
    let faded = Lanes::splat(FADED);
    let one = Lanes::splat(1.0);
    let alpha = Lanes(*alphas);
    let keep = one - alpha;
    let per_alpha = Lanes(alphas.map(|alpha| 1.0 / alpha));
    let mut sums = Sums { rest_rest: zero, rest_above: zero, rest_line: zero, above_above: zero, above_line: zero, line_line: zero };
    let (mut level, mut above, mut level_line, mut fade) = (Lanes::splat(y[0]), keep, zero, keep);
    let mut burn_in = BURN_IN - 1;
    for (y, line) in y.iter().zip(lines).skip(1) {
        let pull = fade * line.intercept + (one - fade * keep) * per_alpha * line.slope;
        if y.is_nan() {
            level_line += alpha * pull;
        } else {
            let rest = Lanes::splat(*y) - level;
            if burn_in == 0 {
                let line = level_line + pull;
                sums.rest_rest += rest * rest;
                sums.rest_above += rest * above;
                sums.rest_line += rest * line;
                sums.above_above += above * above;
                sums.above_line += above * line;
                sums.line_line += line * line;
            } else {
                burn_in -= 1;
            }
            level += alpha * rest;
            above = above * keep + faded;
            level_line = level_line * keep;
        }
        fade = fade * keep + faded;
    }
    sums
}

impl Sums {
    /// Least squares per lane, with the weight given or free between 0 and its bound.
    fn solve(&self, weight: Option<f64>) -> [Solution; LANES] {
        std::array::from_fn(|lane| {
            let of = |sums: &Lanes| sums.0[lane];
            let (above_above, above_line, line_line) = (of(&self.above_above), of(&self.above_line), of(&self.line_line));
            let (rest_above, rest_line) = (of(&self.rest_above), of(&self.rest_line));
            let determinant = above_above * line_line - above_line * above_line;
            // Where the line is a mere level, its weight cannot be told from the initial level.
            let weight = weight.unwrap_or(if determinant > 1e-12 * above_above * line_line {
                ((above_above * rest_line - above_line * rest_above) / determinant).clamp(0.0, MAX_WEIGHT)
            } else {
                0.5
            });
            let unexplained = rest_above - weight * above_line;
            let above = if above_above > 1e-60 { unexplained / above_above } else { 0.0 };
            let squares = of(&self.rest_rest) - 2.0 * weight * rest_line + weight * weight * line_line - above * unexplained;
            Solution { above, weight, squares }
        })
    }
}
