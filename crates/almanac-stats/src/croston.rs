//! Croston's method: the size of a demand and the rows between demands are smoothed apart, and the forecast is their ratio.
//!
//! Both start at their first value and are smoothed by 0.1. Nothing is learnt between demands, so that an item that is no longer
//! sold is forecast for ever as it was: see [`Tsb`](crate::Tsb). The ratio is too high by about a twentieth: see [`Sba`](crate::Sba).
//! Missing rows, short histories and quantiles are as `demand` says; without any demand the forecast is 0.
//!
//! Source: Croston (1972), "Forecasting and stock control for intermittent demands"; FPP3, section 13.8. The mean agrees with
//! statsforecast's `CrostonClassic`; values below 0, which that leaves out of the sizes, are sizes here.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::demand::{self, ALPHA, Demand, Estimate};
use crate::ses;

/// Croston's method with a smoothing of 0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Croston;

impl LocalForecaster for Croston {
    fn name(&self) -> &'static str {
        "croston"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, estimate)
    }
}

/// Smoothed size over smoothed interval.
pub(crate) fn estimate(demand: &Demand) -> Estimate {
    Estimate { mean: ses::level(&demand.sizes, ALPHA) / ses::level(&demand.intervals, ALPHA), alpha: ALPHA }
}
