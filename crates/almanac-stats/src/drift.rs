//! Drift: the last value, and from there on the mean step of the history. A straight line through its first and last value.
//!
//! The series is taken for a random walk with a constant push. Between two scored rows that are `k` rows apart the squared
//! difference less `k` pushes is divided by `k`; rows after the last scored one count as steps. The variance of step `h` is
//! `σ² h (1 + h / (T - 1))` over `T` rows: the walk, and the push that is only estimated. Fewer than 3 scored rows say nothing
//! about a push: they are forecast as by [`Naive`](crate::Naive).
//!
//! Source: FPP3, sections 5.2 and 5.5; agrees with statsforecast's `RandomWalkWithDrift` where no row is missing.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::history::History;
use crate::naive;
use crate::predictive::Predictive;

/// The last scored value plus the mean step of the history, random-walk quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drift;

impl LocalForecaster for Drift {
    fn name(&self) -> &'static str {
        "drift"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let predictive = predict(&history, history.gap + horizon.steps());
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Forecasts `steps` steps after the last scored row.
fn predict(history: &History, steps: usize) -> Predictive {
    if history.n_scored < 3 {
        return naive::predict(history, steps);
    }
    let span = (history.values.len() - 1) as f64;
    let push = (history.last() - history.values[0]) / span;
    let squares = history.scored().zip(history.scored().skip(1)).map(|((row, y), (next_row, next))| {
        let rows = (next_row - row) as f64;
        let surprise = next - y - rows * push;
        surprise * surprise / rows
    });
    let sd = (squares.sum::<f64>() / (history.n_scored - 1) as f64).sqrt();
    let steps = || (1..=steps).map(|step| step as f64);
    Predictive {
        mean: steps().map(|step| history.last() + push * step).collect(),
        sd: steps().map(|step| sd * (step * (1.0 + step / span)).sqrt()).collect(),
    }
}
