//! Coefficients of least squares: ridge by Cholesky on the normal equations, lasso and elastic net by coordinate descent. Both are of
//! the linfa family, which is maintained, in plain Rust, sequential and so deterministic, and builds in seconds.
//!
//! Coordinate descent wants rows. As many rows as there are columns stand in for all of them: the factor of the normal equations has
//! the same sums of products, and so the same coefficients.

use linfa::prelude::*;
use linfa_elasticnet::ElasticNet;
use linfa_linalg::cholesky::{Cholesky, SolveCInplace};
use linfa_linalg::triangular::{SolveTriangular, UPLO};
use ndarray::{Array1, Array2, Axis, ShapeBuilder};

use super::moments::{Line, System};

/// Added to the variance of each column, which is about 1, so that columns that repeat one another leave a factor.
const JITTER: f64 = 1e-8;
/// Duality gap at which coordinate descent stops, as a share of the sum of squares that can be explained.
const GAP: f64 = 1e-4; // as in scikit-learn
const MOST_SWEEPS: u32 = 1_000;

/// Why coefficients could not be computed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EstimateError {
    #[error("failed to solve the normal equations of {columns} columns: {message}")]
    Singular { columns: usize, message: String },
    #[error("failed to fit by coordinate descent: {0}")]
    CoordinateDescent(#[from] linfa_elasticnet::ElasticNetError),
}

impl System {
    fn n_columns(&self) -> usize {
        self.cross.len()
    }

    fn singular(&self, error: impl std::fmt::Display) -> EstimateError {
        EstimateError::Singular { columns: self.n_columns(), message: error.to_string() }
    }

    /// Minimises half the mean squared error plus `penalty / 2` times the sum of squared coefficients.
    pub(crate) fn ridge(&self, penalty: f64) -> Result<Line, EstimateError> {
        if self.n_columns() == 0 {
            return Ok(self.line(Array1::zeros(0)));
        }
        let mut gram = self.gram.clone();
        gram.diag_mut().mapv_inplace(|value| value + penalty);
        let mut weights = self.cross.clone().insert_axis(Axis(1));
        gram.solvec_inplace(&mut weights).map_err(|error| self.singular(error))?;
        Ok(self.line(weights.remove_axis(Axis(1))))
    }

    /// Penalty from which on lasso gives no column a say.
    pub(crate) fn most_penalty(&self) -> f64 {
        self.cross.iter().fold(0.0, |most, value| value.abs().max(most))
    }

    /// Returns as many rows as there are columns, and their labels, which have the covariances of all.
    pub(crate) fn stand_in(&self) -> Result<StandIn<'_>, EstimateError> {
        let columns = self.n_columns();
        let mut gram = self.gram.clone();
        gram.diag_mut().mapv_inplace(|value| value + JITTER);
        let lower = gram.cholesky().map_err(|error| self.singular(error))?;
        let cross = self.cross.clone().insert_axis(Axis(1));
        let labels = lower.solve_triangular(&cross, UPLO::Lower).map_err(|error| self.singular(error))?;
        // The library divides by the number of rows. It reads columns, which shall lie in one piece.
        let scale = (columns as f64).sqrt();
        let mut rows = Array2::zeros((columns, columns).f());
        rows.assign(&lower.t());
        rows *= scale;
        let dataset = Dataset::new(rows, labels.remove_axis(Axis(1)) * scale);
        Ok(StandIn { system: self, dataset })
    }
}

/// A system in rows.
#[derive(Debug)]
pub(crate) struct StandIn<'a> {
    system: &'a System,
    dataset: Dataset<f64, f64, ndarray::Ix1>,
}

impl StandIn<'_> {
    /// Minimises half the mean squared error plus `penalty` times a mixture of the sum of absolute coefficients, with share
    /// `l1_ratio`, and half the sum of their squares.
    pub(crate) fn elastic_net(&self, penalty: f64, l1_ratio: f64) -> Result<Line, EstimateError> {
        self.elastic_net_to(penalty, l1_ratio, GAP)
    }

    /// The same, until the duality gap is so small a share.
    pub(super) fn elastic_net_to(&self, penalty: f64, l1_ratio: f64, gap: f64) -> Result<Line, EstimateError> {
        let params = ElasticNet::params().penalty(penalty).l1_ratio(l1_ratio).with_intercept(false);
        let fitted = params.tolerance(gap).max_iterations(MOST_SWEEPS).fit(&self.dataset)?;
        Ok(self.system.line(fitted.hyperplane().clone()))
    }
}
