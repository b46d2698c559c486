//! Logistic regression with a penalty on squared coefficients, by Newton's method: each step is a ridge regression on reweighted rows.
//!
//! Source: Hastie, Tibshirani & Friedman (2009), "The Elements of Statistical Learning", section 4.4.1; steps are halved where the loss
//! would not fall.

use ndarray::Array2;
use rayon::prelude::*;

use super::estimate::EstimateError;
use super::moments::{BLOCK_ROWS, Line, Moments, Table};

const MOST_STEPS: usize = 30;
const MOST_HALVINGS: usize = 12;
/// Fall of the mean loss at which the steps stop.
const SETTLED: f64 = 1e-8;
/// Weights of rows that are all but sure stay above this, so that a step stays finite.
const LEAST_WEIGHT: f64 = 1e-6;

/// Rows of columns, and whether something came true of each.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) rows: Array2<f64>,
    pub(crate) came: Vec<bool>,
}

/// Returns the probability that log-odds stand for.
pub(crate) fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

impl Outcomes {
    /// Mean of minus the logarithm of the probability of what came; no penalty.
    pub(crate) fn loss(&self, line: &Line) -> f64 {
        // The logarithm of 1 + exp(-x), where the exponential would overflow.
        let minus_log = |odds: f64| (-odds).max(0.0) + (-odds.abs()).exp().ln_1p();
        let losses = self.blocks(|row, came| {
            let odds = line.at(row);
            minus_log(if came { odds } else { -odds })
        });
        losses / self.came.len().max(1) as f64
    }

    /// Sum over rows, in blocks of a fixed size, so that it does not depend on threads.
    fn blocks(&self, of: impl Fn(&[f64], bool) -> f64 + Sync) -> f64 {
        let sums: Vec<f64> = self
            .starts()
            .into_par_iter()
            .map(|start| (start..self.end(start)).map(|row| of(self.row(row), self.came[row])).sum())
            .collect();
        sums.iter().sum()
    }

    fn starts(&self) -> Vec<usize> {
        (0..self.came.len()).step_by(BLOCK_ROWS).collect()
    }

    fn end(&self, start: usize) -> usize {
        self.came.len().min(start + BLOCK_ROWS)
    }

    fn row(&self, row: usize) -> &[f64] {
        let columns = self.rows.ncols();
        self.rows.as_slice().map_or(&[], |values| &values[row * columns..(row + 1) * columns])
    }

    /// Minimises the mean loss plus `penalty / 2` times the sum of squared coefficients. `from`: where to start.
    pub(crate) fn learn(&self, penalty: f64, from: &Line) -> Result<Line, EstimateError> {
        let whole = |line: &Line| self.loss(line) + 0.5 * penalty * line.weights.iter().map(|weight| weight * weight).sum::<f64>();
        let (mut line, mut loss) = (from.clone(), whole(from));
        for _ in 0..MOST_STEPS {
            let sums = self.reweighted(&line);
            let aim = sums.system().ridge(penalty * self.came.len() as f64 / sums.weight())?;
            let mut share = 1.0;
            let mut better = None;
            for _ in 0..MOST_HALVINGS {
                let next = between(&line, &aim, share);
                let next_loss = whole(&next);
                if next_loss < loss {
                    better = Some((next, next_loss));
                    break;
                }
                share *= 0.5;
            }
            let Some((next, next_loss)) = better else { break };
            let fall = loss - next_loss;
            (line, loss) = (next, next_loss);
            if fall < SETTLED {
                break;
            }
        }
        Ok(line)
    }

    /// Sums of products with the weights and labels that a step from `line` has.
    fn reweighted(&self, line: &Line) -> Moments {
        let columns = self.rows.ncols();
        let parts: Vec<Moments> = self
            .starts()
            .into_par_iter()
            .map(|start| {
                let rows = start..self.end(start);
                let mut table = Table::new(rows.len(), columns);
                for (place, row) in rows.enumerate() {
                    let values = self.row(row);
                    let odds = line.at(values);
                    let chance = probability(odds);
                    let weight = (chance * (1.0 - chance)).max(LEAST_WEIGHT);
                    let label = odds + (f64::from(u8::from(self.came[row])) - chance) / weight;
                    table.set(place, weight, label, |out| out.copy_from_slice(values));
                }
                table.moments()
            })
            .collect();
        let mut sums = Moments::zero(columns);
        parts.iter().for_each(|part| sums.add(part));
        sums
    }
}

fn between(from: &Line, to: &Line, share: f64) -> Line {
    let mix = |from: f64, to: f64| from + share * (to - from);
    Line {
        intercept: mix(from.intercept, to.intercept),
        weights: from.weights.iter().zip(&to.weights).map(|(from, to)| mix(*from, *to)).collect(),
    }
}
