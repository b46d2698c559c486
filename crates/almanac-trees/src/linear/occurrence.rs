//! Whether anything is sold: its probability, learnt from a sample of the training rows.

use ndarray::{Array2, Axis};

use super::design::Design;
use super::estimate::EstimateError;
use super::logistic::{self, Outcomes};
use super::moments::{Line, target_periods};
use super::penalty::{LEAST_ROWS, LOGISTIC, USUAL, least};
use crate::rows::{Draws, Source};

/// Values of the sample at most, all columns together: 64 MB.
const MOST_VALUES: usize = 8_000_000;
/// Probabilities stay this far from 0 and 1, also where all rows agree.
const SURE: f64 = 1e-4;

/// Returns the probability that log-odds stand for, which is never sure.
pub(crate) fn probability(odds: f64) -> f64 {
    logistic::probability(odds).clamp(SURE, 1.0 - SURE)
}

/// Learns the log-odds that a label is not 0. `asked`: the penalty, where it is not to be chosen by the rows from `newest_from` on.
pub(crate) fn occurrence(
    source: &Source<'_>,
    draws: &Draws,
    design: &Design,
    newest_from: i64,
    asked: Option<f64>,
) -> Result<Line, EstimateError> {
    let (outcomes, newest) = sample(source, draws, design, newest_from);
    let start = even(&outcomes);
    if outcomes.came.iter().all(|came| *came) || !outcomes.came.contains(&true) {
        return Ok(start);
    }
    let penalty = match asked {
        Some(asked) => asked,
        None => choose(&outcomes, &newest)?,
    };
    outcomes.learn(penalty, &start)
}

/// The same probability for all rows.
fn even(outcomes: &Outcomes) -> Line {
    let came = outcomes.came.iter().filter(|came| **came).count();
    let share = (came as f64 / outcomes.came.len().max(1) as f64).clamp(SURE, 1.0 - SURE);
    Line { intercept: (share / (1.0 - share)).ln(), weights: vec![0.0; outcomes.rows.ncols()] }
}

/// Gathers every so many-th row, and which of them are of the newest periods.
fn sample(source: &Source<'_>, draws: &Draws, design: &Design, newest_from: i64) -> (Outcomes, Vec<bool>) {
    let draws = draws.sample();
    let (features, columns) = (design.n_features(), design.n_columns());
    let stride = (draws.len() * columns).div_ceil(MOST_VALUES).max(1);
    let count = draws.len().div_ceil(stride);
    let mut rows = Array2::zeros((count, columns));
    let (mut came, mut newest) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut at = 0;
    for chunk in draws.chunks() {
        let periods = chunk.clone().flat_map(|index| target_periods(source, &draws, index));
        let block = draws.gather(source, chunk.clone());
        for ((row, label), period) in block.rows.chunks_exact(features.max(1)).zip(&block.labels).zip(periods) {
            if at % stride == 0 {
                if let Some(to) = rows.row_mut(came.len()).as_slice_mut() {
                    design.write(row, to);
                }
                came.push(*label != 0.0);
                newest.push(period >= newest_from);
            }
            at += 1;
        }
    }
    (Outcomes { rows, came }, newest)
}

/// Chooses the penalty whose probabilities, learnt from the rows before, are likeliest of the newest ones.
fn choose(outcomes: &Outcomes, newest: &[bool]) -> Result<f64, EstimateError> {
    let side = |wanted: bool| -> Outcomes {
        let places: Vec<usize> = (0..newest.len()).filter(|row| newest[*row] == wanted).collect();
        Outcomes { rows: outcomes.rows.select(Axis(0), &places), came: places.iter().map(|row| outcomes.came[*row]).collect() }
    };
    let (before, newest) = (side(false), side(true));
    if before.came.len() < LEAST_ROWS || newest.came.len() < LEAST_ROWS {
        return Ok(USUAL);
    }
    let mut line = even(&before);
    let mut losses = Vec::with_capacity(LOGISTIC.len());
    for penalty in LOGISTIC {
        line = before.learn(penalty, &line)?;
        losses.push(newest.loss(&line));
    }
    Ok(LOGISTIC[least(&losses)])
}
