//! IMAPA: the mean of what [`Adida`](crate::Adida) says for every aggregation from one row to the mean interval.
//!
//! Missing rows, short histories and quantiles are as `demand` says. The cost is that of a pass over the rows for each
//! aggregation, so that of at most 64 of them, evenly spread, the mean is taken.
//!
//! Source: Petropoulos & Kourentzes (2015), "Forecast combinations for intermittent demand"; the mean agrees with
//! statsforecast's `IMAPA` for mean intervals of up to 64 rows.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::adida;
use crate::demand::{self, BOUNDS, Demand, Estimate};

const MAX_AGGREGATIONS: usize = 64;

/// The mean over aggregations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imapa;

impl LocalForecaster for Imapa {
    fn name(&self) -> &'static str {
        "imapa"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, estimate)
    }
}

fn estimate(demand: &Demand) -> Estimate {
    let longest = demand.whole_interval();
    let (mut sums, mut total, mut count) = (Vec::with_capacity(demand.values.len()), 0.0, 0.0);
    for rows in (1..=longest).step_by(longest.div_ceil(MAX_AGGREGATIONS)) {
        total += adida::smooth(demand, rows, &mut sums).mean;
        count += 1.0;
    }
    Estimate { mean: total / count, alpha: f64::midpoint(BOUNDS.0, BOUNDS.1) }
}
