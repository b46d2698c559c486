//! A history made stationary: differenced, with a column for each unknown that enters linearly.
//!
//! A row that is not scored becomes such an unknown. The line between its neighbours stands in its place, and a column of
//! its own (1 in that row, differenced like the data) corrects it; integrated out with a flat prior, it leaves the likelihood of
//! the scored rows alone. So no row is lost to differencing beyond the first ones, and the stand-in does not matter.
//!
//! Source: Gómez, Maravall & Peña (1999), "Missing observations in ARIMA models: skipping approach versus additive outlier
//! approach".

use super::filter::Columns;
use crate::history::History;

/// Rows times the square of the rows that are not scored among them; older rows are dropped until it is not more.
const MAX_WORK: usize = 2_000_000;
/// Share of a regressor that must be left when those before it are taken out.
const LEAST_OWN_SHARE: f64 = 1e-8;

/// How a series is differenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Differences {
    pub(crate) first: usize,
    pub(crate) seasonal: usize,
    pub(crate) season_length: usize,
}

impl Differences {
    /// Returns how many rows differencing takes.
    pub(crate) fn n_rows(self) -> usize {
        self.first + self.seasonal * self.season_length
    }

    pub(crate) fn times(self) -> usize {
        self.first + self.seasonal
    }

    /// Returns the lags, one per difference.
    pub(crate) fn lags(self) -> impl Iterator<Item = usize> {
        std::iter::repeat_n(self.season_length, self.seasonal).chain(std::iter::repeat_n(1, self.first))
    }

    pub(crate) fn apply(self, values: &[f64]) -> Vec<f64> {
        self.lags().fold(values.to_vec(), |values, lag| difference(&values, lag))
    }
}

/// Differences at a lag; NaN where either value is.
pub(crate) fn difference(values: &[f64], lag: usize) -> Vec<f64> {
    values.iter().skip(lag).zip(values).map(|(later, earlier)| later - earlier).collect()
}

/// A history that ARIMA models of one differencing are fitted to.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The data, then rows that are not scored, then regressors, then the constant if there is a place for it.
    pub(crate) differenced: Columns,
    /// The same columns before differencing; the constant is 1, or the row's number.
    pub(crate) levels: Columns,
    pub(crate) differences: Differences,
    pub(crate) n_missing: usize,
    /// Which of the offered regressors are used.
    pub(crate) used: Vec<usize>,
    /// Whether there is a column for a mean or a drift: with one difference at most.
    pub(crate) has_constant: bool,
    pub(crate) n_scored: usize,
}

impl Sample {
    /// Differences a history. Each of the `regressors` covers its rows and maybe later ones.
    pub(crate) fn new(history: &History, differences: Differences, regressors: &[Vec<f64>]) -> Self {
        let skipped = first_row(&history.values);
        let values = &history.values[skipped..];
        let n_rows = values.len();
        let n_differenced = n_rows.saturating_sub(differences.n_rows());
        let mut sample = Self {
            differenced: Columns::new(n_differenced),
            levels: Columns::new(n_rows),
            differences,
            n_missing: 0,
            used: Vec::new(),
            has_constant: differences.times() <= 1,
            n_scored: values.iter().filter(|value| !value.is_nan()).count(),
        };
        sample.push(&fill(values));
        let mut column = vec![0.0; n_rows];
        for (row, _) in values.iter().enumerate().filter(|(_, value)| value.is_nan()) {
            column[row] = 1.0;
            sample.push(&column);
            column[row] = 0.0;
            sample.n_missing += 1;
        }
        sample.push_regressors(values, regressors, skipped);
        if sample.has_constant {
            let constant: Vec<f64> = (0..n_rows).map(|row| constant(row, differences)).collect();
            sample.push(&constant);
        }
        sample
    }

    fn push(&mut self, levels: &[f64]) {
        self.levels.push(levels);
        self.differenced.push(&self.differences.apply(levels));
    }

    /// Adds the regressors that say something of their own about the scored rows, as far as there are rows for them.
    fn push_regressors(&mut self, values: &[f64], regressors: &[Vec<f64>], skipped: usize) {
        let most = self.n_scored.saturating_sub(self.differences.n_rows()) / 4;
        let constant: Vec<f64> = (0..values.len()).map(|row| constant(row, self.differences)).collect();
        let masked = |levels: &[f64]| -> Vec<f64> {
            let levels: Vec<f64> = levels.iter().zip(values).map(|(x, y)| if y.is_nan() { f64::NAN } else { *x }).collect();
            self.differences.apply(&levels).into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect()
        };
        let mut basis: Vec<Vec<f64>> = Vec::new();
        if self.has_constant {
            basis.extend(normalised(masked(&constant)));
        }
        let mut kept = Vec::new();
        for (index, regressor) in regressors.iter().enumerate() {
            if kept.len() == most {
                break;
            }
            let mut own = masked(&regressor[skipped..]);
            let whole = dot(&own, &own);
            for _ in 0..2 {
                for other in &basis {
                    let share = dot(&own, other);
                    own.iter_mut().zip(other).for_each(|(own, other)| *own -= share * other);
                }
            }
            if whole.is_finite() && whole > 0.0 && dot(&own, &own) > LEAST_OWN_SHARE * whole {
                basis.extend(normalised(own));
                kept.push(index);
            }
        }
        for index in &kept {
            self.push(&regressors[*index][skipped..][..values.len()]);
        }
        self.used = kept;
    }

    /// Returns the number of columns, the data included, of a model with or without its constant.
    pub(crate) fn n_columns(&self, constant: bool) -> usize {
        1 + self.n_missing + self.used.len() + usize::from(constant && self.has_constant)
    }

    /// Returns the rows that count in the likelihood: scored ones, less those that differencing takes.
    pub(crate) fn n_effective(&self) -> usize {
        self.n_scored.saturating_sub(self.differences.n_rows())
    }

    /// Returns whether the differenced scored values are all the same.
    pub(crate) fn is_constant(&self) -> bool {
        let data = self.differenced.column(0);
        data.iter().all(|value| (value - data[0]).abs() <= 1e-13)
    }
}

/// The constant's column before differencing.
pub(crate) fn constant(row: usize, differences: Differences) -> f64 {
    if differences.times() == 0 { 1.0 } else { (row + 1) as f64 }
}

/// Oldest row from which the work that rows without score make is bearable. It is a scored one.
fn first_row(values: &[f64]) -> usize {
    let (mut missing, mut first) = (0_usize, values.len() - 1);
    for (row, value) in values.iter().enumerate().rev() {
        missing += usize::from(value.is_nan());
        if (values.len() - row) * missing * missing > MAX_WORK {
            break;
        }
        if !value.is_nan() {
            first = row;
        }
    }
    first
}

/// Draws lines over rows that are not scored. The first and the last row are scored.
pub(crate) fn fill(values: &[f64]) -> Vec<f64> {
    let mut filled = values.to_vec();
    let mut before = 0;
    for row in 1..values.len() {
        if values[row].is_nan() {
            continue;
        }
        let step = (values[row] - values[before]) / (row - before) as f64;
        for (steps, between) in filled[before + 1..row].iter_mut().enumerate() {
            *between = values[before] + step * (steps + 1) as f64;
        }
        before = row;
    }
    filled
}

fn normalised(mut column: Vec<f64>) -> Option<Vec<f64>> {
    let norm = dot(&column, &column).sqrt();
    column.iter_mut().for_each(|value| *value /= norm);
    (norm > 0.0).then_some(column)
}

/// Inner product in eight partial sums, which the processor forms at once.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}
