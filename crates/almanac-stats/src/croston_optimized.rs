//! Croston's method with the smoothing of sizes and that of intervals each of least squared error, between 0.1 and 0.3.
//!
//! Otherwise as [`Croston`](crate::Croston). Fewer than 3 demands are smoothed by 0.2.
//!
//! Source: as [`Croston`](crate::Croston); the mean agrees with statsforecast's `CrostonOptimized`.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::demand::{self, BOUNDS, Demand, Estimate};
use crate::ses::{best_alpha, level};

/// Croston's method with both smoothings optimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrostonOptimized;

impl LocalForecaster for CrostonOptimized {
    fn name(&self) -> &'static str {
        "croston_optimized"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, estimate)
    }
}

fn estimate(Demand { sizes, intervals, .. }: &Demand) -> Estimate {
    let alpha = best_alpha(sizes, BOUNDS);
    Estimate { mean: level(sizes, alpha) / level(intervals, best_alpha(intervals, BOUNDS)), alpha }
}
