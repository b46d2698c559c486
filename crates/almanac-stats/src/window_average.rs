//! Window average: the mean of the last scored rows.
//!
//! The default window is the smallest whole number of seasons with at least 12 rows (14 for days, 12 for months, 52 for
//! weeks), so that every place in the season weighs the same. A shorter history is averaged whole.
//!
//! The standard deviation is that of the model's own errors: each scored value against the mean of the `window` scored values
//! before it. It is the same at every step. With no such value, it is the spread inside the history, widened for the
//! estimated mean; with one row, that row's magnitude, as in [`Naive`](crate::Naive).
//!
//! The mean agrees with statsforecast's `WindowAverage`, which has no quantiles of its own.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::history::History;
use crate::predictive::Predictive;

const LEAST_DEFAULT_ROWS: usize = 12;

/// The mean of the last `window` scored rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowAverage {
    /// Scored rows to average; 0 counts as 1. `None`: whole seasons with at least 12 rows.
    pub window: Option<usize>,
}

impl LocalForecaster for WindowAverage {
    fn name(&self) -> &'static str {
        "window_average"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let window = self.window.unwrap_or_else(|| default_window(series.freq().season_length())).max(1);
        let scored: Vec<f64> = history.scored().map(|(_, y)| y).collect();
        let newest = &scored[scored.len().saturating_sub(window)..];
        let predictive = Predictive { mean: vec![mean(newest); horizon.steps()], sd: vec![sd(&scored, window); horizon.steps()] };
        predictive.into_forecast(&history, 0, quantiles, series.id(), self.name())
    }
}

fn default_window(season_length: SeasonLength) -> usize {
    LEAST_DEFAULT_ROWS.next_multiple_of(season_length.steps())
}

fn sd(scored: &[f64], window: usize) -> f64 {
    if scored.len() > window {
        let errors = scored.windows(window + 1).map(|rows| rows[window] - mean(&rows[..window]));
        return (errors.map(|error| error * error).sum::<f64>() / (scored.len() - window) as f64).sqrt();
    }
    let n = scored.len() as f64;
    if scored.len() == 1 {
        return scored[0].abs();
    }
    let centre = mean(scored);
    let squares: f64 = scored.iter().map(|y| (y - centre) * (y - centre)).sum();
    (squares / (n - 1.0) * (1.0 + 1.0 / n)).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
