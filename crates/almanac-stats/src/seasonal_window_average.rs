//! Seasonal window average: each place in the season repeats the mean of its last scored values.
//!
//! The default window is eight weeks or days where the season is shorter than a month, else three seasons; places that were
//! seen less often average what there is. A place that was never scored takes the mean of the last season.
//!
//! The standard deviation is that of the model's own errors: each scored value against the mean of those of its place before it.
//!
//! The mean agrees with statsforecast's `SeasonalWindowAverage` where no row is missing and the window is full.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Freq, Horizon, Quantile, SeasonLength, SeriesView};

use crate::history::History;
use crate::naive;
use crate::predictive::Predictive;

/// The mean of the last scored values of the same place in the season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeasonalWindowAverage {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
    /// Seasons to average; 0 counts as 1. `None`: eight short seasons, three long ones.
    pub window: Option<usize>,
}

impl LocalForecaster for SeasonalWindowAverage {
    fn name(&self) -> &'static str {
        "seasonal_window_average"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let season_length = self.season_length.unwrap_or_else(|| series.freq().season_length()).steps();
        let is_long = matches!(series.freq(), Freq::Week(_) | Freq::Month { .. });
        let window = self.window.unwrap_or(if is_long { 3 } else { 8 }).max(1);
        let predictive = predict(&history, season_length, window, history.gap + horizon.steps());
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Forecasts `steps` steps after the last scored row.
fn predict(history: &History, season: usize, window: usize, steps: usize) -> Predictive {
    let rows = history.values.len();
    let mut places: Vec<Vec<f64>> = vec![Vec::new(); season];
    let newest_mean = |values: &[f64]| {
        let newest = &values[values.len().saturating_sub(window)..];
        newest.iter().sum::<f64>() / newest.len() as f64
    };
    let (mut squares, mut pairs) = (0.0, 0_usize);
    for (row, y) in history.scored() {
        let place = &mut places[row % season];
        if !place.is_empty() {
            squares += (y - newest_mean(place)).powi(2);
            pairs += 1;
        }
        place.push(y);
    }
    let sd = if pairs == 0 { naive::step_sd(history) } else { (squares / pairs as f64).sqrt() };
    let last_season: Vec<f64> = history.values[rows.saturating_sub(season)..].iter().copied().filter(|value| !value.is_nan()).collect();
    let elsewhere = last_season.iter().sum::<f64>() / last_season.len() as f64;
    let mean = |step: usize| match &places[(rows + step) % season] {
        place if place.is_empty() => elsewhere,
        place => newest_mean(place),
    };
    Predictive { mean: (0..steps).map(mean).collect(), sd: vec![sd; steps] }
}
