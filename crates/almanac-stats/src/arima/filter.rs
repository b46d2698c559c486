//! The Kalman filter of a stationary ARMA process, in the form that never stores a covariance matrix.
//!
//! The covariance of the state changes from row to row by a matrix of rank one, so that the gain `K` and one vector `L` carry
//! all of it (Chandrasekhar's recursions). With the variance of the first row they obey
//!
//! ```text
//!   l = L[1]      K ← (K - l·T·L) / (1 - l²)      L ← (T·L - l·K) / (1 - l²)      F ← F·(1 - l²)
//! ```
//!
//! where `T` is the companion matrix: a shift and one product. A row costs as many steps as the process has lags, not their
//! square, and once `L` is nothing only the lags with a coefficient are touched. Several columns are filtered at once: the data
//! and the regressors, so that regression coefficients need no search.
//!
//! Source: Morf, Sidhu & Kailath (1974), "Some new algorithms for recursive estimation in constant, linear, discrete-time
//! systems"; Pearlman (1980), "An algorithm for the exact likelihood of a high-order autoregressive-moving average process".

use super::polynomial::{Covariances, Product};

/// Size of `L` below which the filter is steady.
const STEADY: f64 = 1e-8;
/// Rows between two looks at `L`.
const ROWS_BETWEEN_LOOKS: usize = 8;

/// An ARMA process: both polynomials multiplied out; the moving average in its own sense, `1 + θ₁B + …`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Process {
    pub(crate) ar: Product,
    pub(crate) ma: Product,
}

impl Process {
    /// Returns the number of lags the state needs.
    pub(crate) fn n_lags(&self) -> usize {
        self.ar.dense.len().max(self.ma.dense.len())
    }
}

/// Columns of equal length, one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) values: Vec<f64>,
    pub(crate) n_rows: usize,
    /// First row of each column that is not 0.
    pub(crate) first: Vec<usize>,
}

impl Columns {
    pub(crate) fn new(n_rows: usize) -> Self {
        Self { n_rows, ..Self::default() }
    }

    pub(crate) fn push(&mut self, column: &[f64]) {
        debug_assert_eq!(column.len(), self.n_rows, "columns are of equal length");
        self.first.push(column.iter().position(|value| *value != 0.0).unwrap_or(self.n_rows));
        self.values.extend_from_slice(column);
    }

    pub(crate) fn column(&self, index: usize) -> &[f64] {
        &self.values[index * self.n_rows..][..self.n_rows]
    }
}

/// Runs processes over columns and keeps its room between runs.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    covariances: Covariances,
    ar: Vec<f64>,
    gain: Vec<f64>,
    change: Vec<f64>,
    next_change: Vec<f64>,
    /// Innovations of the columns over their standard deviation, that of the steady state being 1.
    pub(crate) innovations: Vec<f64>,
    /// What past rows say of each row and of the rows after the last, per column `n_rows + n_lags` values.
    pub(crate) expected: Vec<f64>,
}

impl Filter {
    /// Filters the first `n_columns` columns. Returns the sum of the logarithms of the innovations' variances, `None` where
    /// the process is not stationary.
    pub(crate) fn run(&mut self, process: &Process, columns: &Columns, n_columns: usize) -> Option<f64> {
        let (n, lags) = (columns.n_rows, process.n_lags());
        let width = n + lags;
        let Self { covariances, ar, gain, change, next_change, innovations, expected } = self;
        innovations.resize(n_columns * n, 0.0);
        expected.clear();
        expected.resize(n_columns * width, 0.0);

        let mut variance = 1.0;
        if lags > 0 {
            covariances.compute(&process.ar, &process.ma, lags)?;
            variance = covariances.gamma[0];
            ar.clear();
            ar.extend_from_slice(&process.ar.dense);
            ar.resize(lags, 0.0);
            gain.clear();
            for i in 1..=lags {
                let past = |terms: &[(usize, f64)], weights: &[f64]| -> f64 {
                    terms.iter().filter(|(lag, _)| *lag >= i).map(|(lag, value)| value * weights[lag - i]).sum()
                };
                gain.push((past(&process.ar.terms, &covariances.gamma) + past(&process.ma.terms, &covariances.psi)) / variance);
            }
            // One more place than lags, always 0, stands for the lag behind the last.
            change.clone_from(gain);
            change.push(0.0);
            next_change.clear();
            next_change.resize(lags + 1, 0.0);
        }

        let mut product = 1.0;
        let mut log_variances = 0.0;
        let mut row = 0;
        while row < n && lags > 0 {
            if row % ROWS_BETWEEN_LOOKS == 0 && change.iter().all(|value| value.abs() < STEADY) {
                break;
            }
            let sd = variance.sqrt();
            for column in 0..n_columns {
                if row < columns.first[column] {
                    innovations[column * n + row] = 0.0;
                    continue;
                }
                let y = columns.values[column * n + row];
                let ahead = &mut expected[column * width + row..][..=lags];
                let innovation = y - ahead[0];
                innovations[column * n + row] = innovation / sd;
                // Tx + Kv, where Tx is the autoregression of what was expected.
                let before = ahead[0];
                let (ahead, ar, gain) = (&mut ahead[1..=lags], &ar[..lags], &gain[..lags]);
                for i in 0..lags {
                    ahead[i] += ar[i] * before + gain[i] * innovation;
                }
            }
            product *= variance;
            if product > 1e100 {
                log_variances += f64::ln(product);
                product = 1.0;
            }
            let first = change[0];
            let left = 1.0 - first * first;
            if left.is_nan() || left <= 0.0 {
                return None;
            }
            let share = 1.0 / left;
            let behind = first * share;
            let (ar, gain, rest, next) = (&ar[..lags], &mut gain[..lags], &change[1..=lags], &mut next_change[..lags]);
            for i in 0..lags {
                let moved = ar[i] * first + rest[i];
                let before = gain[i];
                next[i] = moved * share - before * behind;
                gain[i] = before * share - moved * behind;
            }
            std::mem::swap(change, next_change);
            variance *= left;
            row += 1;
        }
        log_variances += f64::ln(product);
        for column in 0..n_columns {
            let from = row.max(columns.first[column]);
            innovations[column * n + row.min(n)..column * n + from].fill(0.0);
            let expected = &mut expected[column * width..][..width];
            for row in from..n {
                let y = columns.values[column * n + row];
                let innovation = y - expected[row];
                innovations[column * n + row] = innovation;
                for (lag, coefficient) in &process.ar.terms {
                    expected[row + lag] += coefficient * y;
                }
                for (lag, coefficient) in &process.ma.terms {
                    expected[row + lag] += coefficient * innovation;
                }
            }
        }
        Some(log_variances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Process {
        let mut process = Process::default();
        process.ar.set(&[0.6, -0.2], &[0.5], 4, 1.0);
        process.ma.set(&[0.4], &[0.8], 4, -1.0);
        process
    }

    /// The same likelihood from the Cholesky factor of the covariance matrix of all rows.
    #[test]
    fn the_filter_gives_the_likelihood_of_the_joint_normal_distribution() {
        let process = process();
        let n = 60;
        let y: Vec<f64> = (0..n).map(|row| f64::from((row * 7919 + 13) % 101) / 20.0 - 2.5).collect();
        let mut columns = Columns::new(n as usize);
        columns.push(&y);
        let mut filter = Filter::default();
        let log_variances = filter.run(&process, &columns, 1).expect("stationary");
        let squares: f64 = filter.innovations.iter().map(|value| value * value).sum();

        let mut covariances = Covariances::default();
        let n = n as usize;
        covariances.compute(&process.ar, &process.ma, n).expect("stationary");
        let mut factor = vec![vec![0.0; n]; n];
        let (mut log_determinant, mut whitened) = (0.0, vec![0.0; n]);
        for i in 0..n {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
                let left: f64 = covariances.gamma[i - j] - sum;
                factor[i][j] = if i == j { left.sqrt() } else { left / factor[j][j] };
            }
            let sum: f64 = (0..i).map(|k| factor[i][k] * whitened[k]).sum();
            whitened[i] = (y[i] - sum) / factor[i][i];
            log_determinant += 2.0 * f64::ln(factor[i][i]);
        }
        let expected: f64 = whitened.iter().map(|value| value * value).sum();
        assert!((log_variances - log_determinant).abs() < 1e-9, "{log_variances}, expected {log_determinant}");
        assert!((squares - expected).abs() < 1e-8 * expected, "{squares}, expected {expected}");
    }
}
