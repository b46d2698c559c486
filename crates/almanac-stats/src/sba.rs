//! SBA, Croston's method without its bias: the ratio times `1 - α / 2`, here 0.95.
//!
//! The ratio of two smoothed numbers is too high because the interval below the line varies. Where there is a demand in every
//! row the interval does not vary, and nothing is taken off (statsforecast takes it off there too).
//! Otherwise as [`Croston`](crate::Croston).
//!
//! Source: Syntetos & Boylan (2005), "The accuracy of intermittent demand estimates"; the mean agrees with statsforecast's
//! `CrostonSBA`.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::croston;
use crate::demand::{self, ALPHA, Demand, Estimate};

/// The Syntetos–Boylan approximation with a smoothing of 0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sba;

impl LocalForecaster for Sba {
    fn name(&self) -> &'static str {
        "sba"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, estimate)
    }
}

fn estimate(demand: &Demand) -> Estimate {
    let ratio = croston::estimate(demand);
    let is_everywhere = demand.intervals.iter().all(|interval| *interval == 1.0);
    if is_everywhere { ratio } else { Estimate { mean: ratio.mean * (1.0 - ALPHA / 2.0), ..ratio } }
}
