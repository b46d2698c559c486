//! Historic average: the mean of every scored row.
//!
//! Values are taken for independent draws around one level. The variance of every step is that of the history, widened by
//! `1 + 1 / n` for the estimated mean. With one row the magnitude of that row stands in, as in [`Naive`](crate::Naive).
//! Missing rows do not count.
//!
//! Source: FPP3, sections 5.2 and 5.5; agrees with statsforecast's `HistoricAverage`.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::history::History;
use crate::predictive::Predictive;

/// The mean of all scored values at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoricAverage;

impl LocalForecaster for HistoricAverage {
    fn name(&self) -> &'static str {
        "historic_average"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let n = history.n_scored as f64;
        let mean = history.scored().map(|(_, y)| y).sum::<f64>() / n;
        let sd = if history.n_scored == 1 {
            mean.abs()
        } else {
            let squares: f64 = history.scored().map(|(_, y)| (y - mean) * (y - mean)).sum();
            (squares / (n - 1.0) * (1.0 + 1.0 / n)).sqrt()
        };
        let steps = horizon.steps();
        let predictive = Predictive { mean: vec![mean; steps], sd: vec![sd; steps] };
        predictive.into_forecast(&history, 0, quantiles, series.id(), self.name())
    }
}
