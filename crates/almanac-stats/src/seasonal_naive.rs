//! Seasonal naive: each place in the season repeats its last scored value.
//!
//! Each place is taken for a random walk over seasons: the variance grows by one unit per season between the value that is
//! repeated and the step. A place that was never scored repeats the last value of all, as [`Naive`](crate::Naive) does, and
//! so does the whole series while no value has an earlier one a whole number of seasons before it.
//!
//! Source: FPP3, sections 5.2 and 5.5; agrees with statsforecast's `SeasonalNaive` where no row is missing.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::history::History;
use crate::naive;
use crate::predictive::Predictive;

/// The last scored value of the same place in the season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeasonalNaive {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

impl LocalForecaster for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal_naive"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let season_length = self.season_length.unwrap_or_else(|| series.freq().season_length()).steps();
        let steps = history.gap + horizon.steps();
        let predictive = predict(&history, season_length, steps).unwrap_or_else(|| naive::predict(&history, steps));
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Forecasts `steps` steps after the last scored row; `None` without a pair of values one or more seasons apart.
pub(crate) fn predict(history: &History, season_length: usize, steps: usize) -> Option<Predictive> {
    let rows = history.values.len();
    if rows <= season_length {
        return None;
    }
    let mut newest: Vec<Option<usize>> = vec![None; season_length];
    let (mut squares, mut pairs) = (0.0, 0_usize);
    for (row, y) in history.scored() {
        let place = &mut newest[row % season_length];
        if let Some(earlier) = *place {
            let difference = y - history.values[earlier];
            squares += difference * difference / ((row - earlier) / season_length) as f64;
            pairs += 1;
        }
        *place = Some(row);
    }
    if pairs == 0 {
        return None;
    }
    let sd = (squares / pairs as f64).sqrt();
    let walk_sd = naive::step_sd(history);
    let mut predictive = Predictive::default();
    for step in 1..=steps {
        let row = rows - 1 + step;
        let (mean, sd) = match newest[row % season_length] {
            Some(source) => (history.values[source], sd * (((row - source) / season_length) as f64).sqrt()),
            None => (history.last(), walk_sd * (step as f64).sqrt()),
        };
        predictive.mean.push(mean);
        predictive.sd.push(sd);
    }
    Some(predictive)
}
