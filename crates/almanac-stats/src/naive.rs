//! Naive: the last value goes on for ever.
//!
//! The series is taken for a random walk, so that the variance of step `h` is `h` times the mean squared step of the
//! history. Between two scored rows that are `k` rows apart the squared difference is divided by `k`; rows after the last
//! scored one count as steps. One scored row says nothing about the spread: its own magnitude stands in for one step's
//! standard deviation, wide rather than sure.
//!
//! Source: FPP3, sections 5.2 and 5.5; agrees with statsforecast's `Naive` where no row is missing.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::history::History;
use crate::predictive::Predictive;

/// The last scored value at every step, random-walk quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Naive;

impl LocalForecaster for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let predictive = predict(&history, history.gap + horizon.steps());
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Forecasts `steps` steps after the last scored row.
pub(crate) fn predict(history: &History, steps: usize) -> Predictive {
    let sd = step_sd(history);
    Predictive { mean: vec![history.last(); steps], sd: (1..=steps).map(|step| sd * (step as f64).sqrt()).collect() }
}

/// Standard deviation of one step of the random walk.
pub(crate) fn step_sd(history: &History) -> f64 {
    if history.n_scored < 2 {
        return history.last().abs();
    }
    let squares = history.scored().zip(history.scored().skip(1)).map(|((row, y), (next_row, next))| {
        let difference = next - y;
        difference * difference / (next_row - row) as f64
    });
    (squares.sum::<f64>() / (history.n_scored - 1) as f64).sqrt()
}
