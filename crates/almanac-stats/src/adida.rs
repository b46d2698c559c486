//! ADIDA: rows are added up over the mean interval between demands, the sums smoothed, and the forecast shared out again.
//!
//! The sums end with the last row; rows at the start that make no whole sum are left out. Smoothing is simple exponential,
//! between 0.1 and 0.3, of least squared error. Missing rows, short histories and quantiles are as `demand` says.
//!
//! Source: Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos (2011), "An aggregate–disaggregate intermittent demand
//! approach (ADIDA) to forecasting"; the mean agrees with statsforecast's `ADIDA`.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::demand::{self, BOUNDS, Demand, Estimate};
use crate::ses::{best_alpha, level};

/// Aggregation over the mean interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Adida;

impl LocalForecaster for Adida {
    fn name(&self) -> &'static str {
        "adida"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, |demand| smooth(demand, demand.whole_interval(), &mut Vec::new()))
    }
}

/// The mean of a row by sums of `rows` rows. `sums` is room for them.
pub(crate) fn smooth(demand: &Demand, rows: usize, sums: &mut Vec<f64>) -> Estimate {
    let chunks = demand.values.rchunks_exact(rows).rev();
    sums.clear();
    sums.extend(chunks.map(|chunk| chunk.iter().sum::<f64>()));
    let alpha = best_alpha(sums, BOUNDS);
    Estimate { mean: level(sums, alpha) / rows as f64, alpha }
}
