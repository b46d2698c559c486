//! λ of the Box-Cox transform.
//!
//! Sources: Box & Cox (1964), "An analysis of transformations"; Guerrero (1993), "Time-series analysis supported by power
//! transformations".

use serde::{Deserialize, Serialize};

use super::TransformError;

/// Where λ is looked for: -1 to 2, as in R's `forecast::BoxCox.lambda`.
const LOWER: f64 = -1.0;
const UPPER: f64 = 2.0;
/// Points of the coarse search, so that of several minima the lowest is found.
const GRID: usize = 61;
/// Width of the last bracket: the curve is flat, and further digits are noise.
const TOLERANCE: f64 = 1e-7;

/// How λ is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Lambda {
    /// As given: 0 is the logarithm, 1 changes the level only.
    Fixed(f64),
    /// Such that season over season the deviation varies least against the level.
    Guerrero {
        /// Rows of a season; 1 takes two rows at a time.
        season_length: usize,
    },
    /// Such that the transformed values are likeliest under a normal distribution.
    Likelihood,
}

impl Lambda {
    pub(super) fn min_values(self) -> usize {
        match self {
            Self::Fixed(_) => 0,
            Self::Guerrero { season_length } => 2 * season_length.max(2),
            Self::Likelihood => 2,
        }
    }

    /// Returns λ for positive values, NaN where missing.
    pub(super) fn choose(self, y: &[f64]) -> Result<f64, TransformError> {
        match self {
            Self::Fixed(lambda) if lambda.is_finite() => Ok(lambda),
            Self::Fixed(_) => Err(TransformError::Parameter { transform: "box_cox", wanted: "a finite lambda" }),
            Self::Guerrero { season_length } => {
                let blocks = blocks(y, season_length.max(2));
                Ok(minimise(|lambda| variation(&blocks, lambda)))
            }
            Self::Likelihood => {
                let logs: Vec<f64> = y.iter().filter(|value| !value.is_nan()).map(|value| value.ln()).collect();
                Ok(minimise(|lambda| -log_likelihood(&logs, lambda)))
            }
        }
    }
}

pub(super) fn box_cox(value: f64, lambda: f64) -> f64 {
    power_of_log(value.ln(), lambda)
}

/// (e^(λ log) - 1) / λ, exact near λ = 0.
fn power_of_log(log: f64, lambda: f64) -> f64 {
    if lambda == 0.0 { log } else { (lambda * log).exp_m1() / lambda }
}

pub(super) fn inverse(value: f64, lambda: f64) -> f64 {
    if lambda == 0.0 {
        value.exp()
    } else if lambda * value <= -1.0 {
        // Beyond the image of all positive values: below it where λ > 0, above it where λ < 0.
        if lambda > 0.0 { 0.0 } else { f64::INFINITY }
    } else {
        ((lambda * value).ln_1p() / lambda).exp()
    }
}

/// Mean and sample deviation of each whole season, counted back from the end; seasons with gaps take what they have.
fn blocks(y: &[f64], season: usize) -> Vec<(f64, f64)> {
    let blocks = y.rchunks_exact(season).filter_map(|block| {
        let known: Vec<f64> = block.iter().copied().filter(|value| !value.is_nan()).collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<f64>() / n;
        let squares = known.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        (known.len() > 1).then(|| (mean, (squares / (n - 1.0)).sqrt()))
    });
    blocks.collect()
}

/// Coefficient of variation of deviation / mean^(1 - λ) over the seasons.
fn variation(blocks: &[(f64, f64)], lambda: f64) -> f64 {
    let ratios: Vec<f64> = blocks.iter().map(|(mean, std)| std / mean.powf(1.0 - lambda)).collect();
    let n = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / n;
    (ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt() / mean
}

/// Log-likelihood of λ for values with these logarithms, up to a constant.
fn log_likelihood(logs: &[f64], lambda: f64) -> f64 {
    let n = logs.len() as f64;
    let mean = logs.iter().map(|log| power_of_log(*log, lambda)).sum::<f64>() / n;
    let variance = logs.iter().map(|log| (power_of_log(*log, lambda) - mean).powi(2)).sum::<f64>() / n;
    (lambda - 1.0) * logs.iter().sum::<f64>() - 0.5 * n * variance.ln()
}

/// Returns where `curve` is least between [`LOWER`] and [`UPPER`]: a grid, then the golden section. 1, which changes
/// nothing, where it has no minimum.
fn minimise(curve: impl Fn(f64) -> f64) -> f64 {
    let step = (UPPER - LOWER) / (GRID - 1) as f64;
    let grid = (0..GRID).map(|index| LOWER + step * index as f64).map(|at| (at, curve(at))).filter(|(_, value)| value.is_finite());
    let Some((best, _)) = grid.min_by(|a, b| a.1.total_cmp(&b.1)) else { return 1.0 };
    let (mut low, mut high) = ((best - step).max(LOWER), (best + step).min(UPPER));
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    while high - low > TOLERANCE {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if curve(a) < curve(b) {
            high = b;
        } else {
            low = a;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lambda_of_nearly_nothing_is_the_logarithm() {
        assert!((box_cox(7.0, 1e-12) - 7.0_f64.ln()).abs() < 1e-9);
        assert_eq!(box_cox(7.0, 1.0), 6.0);
        assert!((inverse(box_cox(7.0, -0.4), -0.4) - 7.0).abs() < 1e-12);
    }

    #[test]
    fn beyond_the_image_lie_its_ends() {
        assert_eq!(inverse(-5.0, 0.5), 0.0);
        assert_eq!(inverse(5.0, -0.5), f64::INFINITY);
    }

    #[test]
    fn a_series_without_deviation_is_left_as_it_is() {
        let lambda = Lambda::Guerrero { season_length: 4 }.choose(&[3.0; 20]).expect("values");
        assert_eq!(lambda, 1.0);
        assert!(Lambda::Likelihood.choose(&[3.0; 20]).expect("values").is_finite());
    }
}
