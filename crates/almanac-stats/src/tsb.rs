//! TSB: the probability of a demand is smoothed at every row, its size at every demand, and the forecast is their product.
//!
//! Because the probability falls while nothing is sold, the forecast of an item at the end of its life goes to 0, which that of
//! [`Croston`](crate::Croston) never does.
//!
//! [`Tsb::default`] takes the pair of smoothings with the least squared one-step error, out of eight each. There
//! the probability starts at the share of demands among the first 12 rows and the size at their mean.
//! [`Tsb::fixed`] starts both at their first values, as statsforecast's `TSB` does, and its mean agrees with that.
//! Missing rows, short histories and quantiles are as `demand` says.
//!
//! Source: Teunter, Syntetos & Babai (2011), "Intermittent demand: linking forecasting to inventory obsolescence".

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::demand::{self, ALPHA, Demand, Estimate};
use crate::ses;

const PLACES: usize = 8;
/// Smoothings that are tried, of sizes and of probabilities.
const ALPHAS: [f64; PLACES] = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5];
/// Rows that the optimised start is the mean of.
const FIRST_ROWS: usize = 12;

/// The method of Teunter, Syntetos and Babai.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tsb {
    fixed: Option<Smoothing>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Smoothing {
    size: f64,
    probability: f64,
}

impl Tsb {
    /// Smooths sizes by `alpha_d` and probabilities by `alpha_p`. Shares, 0 to 1; numbers outside are moved to the nearer end,
    /// and what is no number is 0.1.
    pub fn fixed(alpha_d: f64, alpha_p: f64) -> Self {
        let share = |alpha: f64| if alpha.is_nan() { ALPHA } else { alpha.clamp(0.0, 1.0) };
        Self { fixed: Some(Smoothing { size: share(alpha_d), probability: share(alpha_p) }) }
    }
}

impl LocalForecaster for Tsb {
    fn name(&self) -> &'static str {
        "tsb"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, |demand| match self.fixed {
            Some(Smoothing { size, probability }) => estimate(demand, size, probability),
            None => optimise(demand),
        })
    }
}

/// Both start at their first values.
pub(crate) fn estimate(demand: &Demand, alpha_d: f64, alpha_p: f64) -> Estimate {
    let demands: Vec<f64> = demand.values.iter().map(|y| f64::from(u8::from(*y != 0.0))).collect();
    Estimate { mean: ses::level(&demands, alpha_p) * ses::level(&demand.sizes, alpha_d), alpha: alpha_d }
}

/// All pairs run side by side over the rows, without an allocation.
pub(crate) fn optimise(demand: &Demand) -> Estimate {
    let first = &demand.values[..demand.values.len().min(FIRST_ROWS)];
    let demands = first.iter().filter(|y| **y != 0.0).count();
    let size = if demands == 0 { demand.sizes[0] } else { first.iter().sum::<f64>() / demands as f64 };
    let mut probabilities = [demands as f64 / first.len() as f64; PLACES];
    let mut sizes = [size; PLACES];
    let mut squares = [[0.0; PLACES]; PLACES];
    for y in &demand.values {
        for (size, squares) in sizes.iter().zip(&mut squares) {
            for (probability, squares) in probabilities.iter().zip(squares) {
                let error = y - probability * size;
                *squares += error * error;
            }
        }
        let is_demand = *y != 0.0;
        for (probability, alpha) in probabilities.iter_mut().zip(ALPHAS) {
            *probability += alpha * (f64::from(u8::from(is_demand)) - *probability);
        }
        if is_demand {
            for (size, alpha) in sizes.iter_mut().zip(ALPHAS) {
                *size += alpha * (y - *size);
            }
        }
    }
    let mut best = (0, 0);
    for d in 0..PLACES {
        for p in 0..PLACES {
            if squares[d][p] < squares[best.0][best.1] {
                best = (d, p);
            }
        }
    }
    Estimate { mean: probabilities[best.1] * sizes[best.0], alpha: ALPHAS[best.0] }
}
