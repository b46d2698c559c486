//! What least squares needs of the rows, whatever their number: weighted sums of products of columns and labels.
//!
//! Rows are added in blocks of a fixed size and blocks in their order, so that the sums do not depend on threads. Training rows are
//! told into those of the newest periods and those before: penalties are chosen by how well the latter foretell the former.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, s};
use rayon::prelude::*;

use super::design::Design;
use crate::rows::{Block, Draws, Source};

/// Share of the rows that are the newest ones.
const NEWEST_SHARE: f64 = 0.2;
/// Rows multiplied at once.
pub(crate) const BLOCK_ROWS: usize = 2_048;

/// A linear function of columns.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Line {
    pub(crate) intercept: f64,
    pub(crate) weights: Vec<f64>,
}

impl Line {
    pub(crate) fn at(&self, columns: &[f64]) -> f64 {
        self.intercept + self.weights.iter().zip(columns).map(|(weight, column)| weight * column).sum::<f64>()
    }
}

/// Sums of products of `1`, the columns and the label, over rows.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    rows: usize,
    sums: Array2<f64>,
}

/// Columns and label about their means, and per unit of weight.
#[derive(Debug)]
pub(crate) struct System {
    /// Covariances of the columns.
    pub(crate) gram: Array2<f64>,
    /// Covariances of the columns with the label.
    pub(crate) cross: Array1<f64>,
    means: Array1<f64>,
    label: f64,
}

impl Moments {
    pub(crate) fn zero(columns: usize) -> Self {
        Self { rows: 0, sums: Array2::zeros((columns + 2, columns + 2)) }
    }

    /// Returns the number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.rows
    }

    /// Returns the sum of the weights.
    pub(crate) fn weight(&self) -> f64 {
        self.sums[[0, 0]]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.sums += &other.sums;
    }

    /// Mean squared error of a line.
    pub(crate) fn error(&self, line: &Line) -> f64 {
        let signed: Array1<f64> = std::iter::once(line.intercept).chain(line.weights.iter().copied()).chain([-1.0]).collect();
        signed.dot(&self.sums.dot(&signed)) / self.weight()
    }

    pub(crate) fn system(&self) -> System {
        let last = self.sums.nrows() - 1;
        let n = self.weight();
        let means = self.sums.slice(s![0, 1..last]).mapv(|sum| sum / n);
        let label = self.sums[[0, last]] / n;
        let mut gram = self.sums.slice(s![1..last, 1..last]).mapv(|sum| sum / n);
        for ((row, column), value) in gram.indexed_iter_mut() {
            *value -= means[row] * means[column];
        }
        let mut cross = self.sums.slice(s![1..last, last]).mapv(|sum| sum / n);
        cross.scaled_add(-label, &means);
        System { gram, cross, means, label }
    }
}

impl System {
    /// Completes the coefficients of the columns to a line through the means.
    pub(crate) fn line(&self, weights: Array1<f64>) -> Line {
        Line { intercept: self.label - self.means.dot(&weights), weights: weights.to_vec() }
    }
}

/// Returns the first period of the newest rows: those are a fifth of all, or fewer.
pub(crate) fn newest_from(source: &Source<'_>, draws: &Draws) -> i64 {
    let mut periods: Vec<i64> = (0..draws.by_series.len()).flat_map(|index| target_periods(source, draws, index)).collect();
    if periods.is_empty() {
        return i64::MAX;
    }
    periods.sort_unstable();
    let at = ((1.0 - NEWEST_SHARE) * periods.len() as f64) as usize;
    periods[at.min(periods.len() - 1)] + 1
}

/// Periods of the targets that are drawn of one series.
pub(crate) fn target_periods<'a>(source: &Source<'a>, draws: &'a Draws, index: usize) -> impl Iterator<Item = i64> + use<'a> {
    let start = source.panel.series()[index].start.0;
    draws.by_series[index].iter().map(move |draw| start + i64::from(draw.target))
}

/// Sums over the rows before `newest_from`, and over those from there. `response`: what is learnt of a row with such a label, if any.
pub(crate) fn moments(
    source: &Source<'_>,
    draws: &Draws,
    design: &Design,
    newest_from: i64,
    response: &(dyn Fn(f32) -> Option<f64> + Sync),
) -> [Moments; 2] {
    let columns = design.n_columns();
    let mut sums = [Moments::zero(columns), Moments::zero(columns)];
    for chunk in draws.chunks() {
        let newest: Vec<bool> =
            chunk.clone().flat_map(|index| target_periods(source, draws, index)).map(|period| period >= newest_from).collect();
        let block = draws.gather(source, chunk);
        let starts: Vec<usize> = (0..newest.len()).step_by(BLOCK_ROWS).collect();
        let parts: Vec<[Moments; 2]> = starts
            .into_par_iter()
            .map(|start| {
                let rows = start..newest.len().min(start + BLOCK_ROWS);
                [false, true].map(|side| products(design, &block, rows.clone().filter(|row| newest[*row] == side), response))
            })
            .collect();
        for part in &parts {
            sums.iter_mut().zip(part).for_each(|(sum, part)| sum.add(part));
        }
    }
    sums
}

fn products(design: &Design, block: &Block, rows: impl Iterator<Item = usize>, response: &(dyn Fn(f32) -> Option<f64> + Sync)) -> Moments {
    let (features, columns) = (design.n_features(), design.n_columns());
    let known: Vec<(usize, f64)> = rows.filter_map(|row| Some((row, response(block.labels[row])?))).collect();
    let mut table = Table::new(known.len(), columns);
    for (place, (row, label)) in known.iter().enumerate() {
        let weight = f64::from(block.weights[*row]);
        table.set(place, weight, *label, |out| design.write(&block.rows[row * features..(row + 1) * features], out));
    }
    table.moments()
}

/// Rows of `1`, the columns and the label, each times the root of its weight.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Array2<f64>,
}

impl Table {
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        Self { rows: Array2::zeros((rows, columns + 2)) }
    }

    /// Sets one row. `write`: fills in its columns.
    pub(crate) fn set(&mut self, row: usize, weight: f64, label: f64, write: impl FnOnce(&mut [f64])) {
        let mut row = self.rows.row_mut(row);
        let out = row.as_slice_mut().expect("a row of a table lies in one piece");
        let last = out.len() - 1;
        out[0] = 1.0;
        write(&mut out[1..last]);
        out[last] = label;
        let root = weight.sqrt();
        out.iter_mut().for_each(|value| *value *= root);
    }

    pub(crate) fn moments(&self) -> Moments {
        let mut sums = Array2::zeros((self.rows.ncols(), self.rows.ncols()));
        if self.rows.nrows() > 0 {
            general_mat_mul(1.0, &self.rows.t(), &self.rows, 0.0, &mut sums);
        }
        Moments { rows: self.rows.nrows(), sums }
    }
}
