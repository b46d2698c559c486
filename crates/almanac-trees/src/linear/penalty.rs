//! How strong a penalty is: the one of a small grid whose coefficients, learnt from the rows before, foretell the newest rows best.

use super::estimate::EstimateError;
use super::moments::{Line, Moments, System};

/// Penalties of ridge, strongest first. Columns have a variance of about 1, so that at 1 a column alone is halved.
const RIDGE: [f64; 10] = [10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4];
/// Penalties of lasso and elastic net as shares of that which leaves no column a say, strongest first.
const SHARES: [f64; 10] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 3e-4];
/// Penalties of the probability, strongest first.
pub(crate) const LOGISTIC: [f64; 4] = [0.1, 0.01, 1e-3, 1e-4];
/// What is taken where there is nothing to choose by: a penalty of ridge or of the probability, and a share.
pub(crate) const USUAL: f64 = 0.01;
/// Rows that each side needs for a choice.
pub(crate) const LEAST_ROWS: usize = 30;

/// Least squares with a penalty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Penalty {
    /// On squares.
    Ridge,
    /// On absolute values with this share, on squares with the rest.
    Mixed {
        /// 1 for lasso.
        l1_ratio: f64,
    },
}

impl Penalty {
    /// Learns from all rows. `asked`: the strength, where it is not to be chosen.
    pub(crate) fn learn(self, [before, newest]: &[Moments; 2], asked: Option<f64>) -> Result<Line, EstimateError> {
        let mut all = before.clone();
        all.add(newest);
        let system = all.system();
        let lines = |system: &System, strengths: &[f64]| -> Result<Vec<Line>, EstimateError> {
            match self {
                Self::Ridge => strengths.iter().map(|strength| system.ridge(*strength)).collect(),
                Self::Mixed { l1_ratio } => {
                    let rows = system.stand_in()?;
                    strengths.iter().map(|strength| rows.elastic_net(*strength, l1_ratio)).collect()
                }
            }
        };
        let (grid, usual): (Vec<f64>, f64) = match self {
            Self::Ridge => (RIDGE.to_vec(), USUAL),
            Self::Mixed { l1_ratio } => {
                let most = system.most_penalty() / l1_ratio.max(USUAL);
                (SHARES.iter().map(|share| share * most).collect(), USUAL * most)
            }
        };
        let strength = match asked {
            Some(asked) => asked,
            None if before.n_rows() < LEAST_ROWS || newest.n_rows() < LEAST_ROWS => usual,
            None => {
                let errors = lines(&before.system(), &grid)?.iter().map(|line| newest.error(line)).collect::<Vec<_>>();
                grid[least(&errors)]
            }
        };
        let mut line = lines(&system, &[strength])?;
        Ok(line.remove(0))
    }
}

/// Place of the smallest number, the first of several; 0 if there is none.
pub(crate) fn least(errors: &[f64]) -> usize {
    let better = |best: usize, at: usize| if errors[at] < errors[best] || errors[best].is_nan() { at } else { best };
    (0..errors.len()).reduce(better).unwrap_or(0)
}
