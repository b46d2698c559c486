//! MSTL: the history is split into a trend, one or several seasons and a remainder; the seasons repeat their last cycle, and
//! what is left without them is forecast by exponential smoothing without a season, the form chosen by AICc.
//!
//! Seasons are those configured, or the usual ones of the frequency: the week of days, and their year of 365 once there are
//! two years of rows; the day and the week of hours, half-hours and minutes; the year of weeks and months. Rows that are only
//! counted have the season configured, and the longer one that their history shows ([`longer_season`]). A season of which
//! there are fewer than two cycles is left out, and without any the whole history is forecast by [`AutoEts`](crate::AutoEts)
//! without season.
//!
//! A row that is not scored is drawn between its neighbours of the same place in the season, weighs a thousandth of others in
//! the decomposition, and stays missing for the smoothing after it. Quantiles are those of the smoothing: that the seasons are
//! estimated, and may change, is left out, as in statsforecast. One value throughout is forecast as by [`Naive`](crate::Naive).
//! The newest 20,000 rows are looked at, of which the smoothing sees 1,500.
//!
//! Source: Bandara, Hyndman & Bergmeir (2021), "MSTL: a seasonal-trend decomposition algorithm for time series with multiple
//! seasonal patterns"; the defaults are those of statsforecast's `MSTL`.

mod decompose;
mod loess;
mod stl;

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Freq, Horizon, Quantile, SeasonLength, SeriesView, longer_season};

use crate::ets::{self, EtsForm};
use crate::history::History;
use crate::predictive::Predictive;
use crate::{auto_ets, naive};

pub(crate) use decompose::decompose;

/// Rows of the history that are learnt from, the newest ones: two years of hours.
const MAX_ROWS: usize = 20_000;

/// Seasons by decomposition, the rest by exponential smoothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mstl {
    /// Steps per season, in any order; none takes the usual seasons of the panel's frequency.
    pub season_lengths: Vec<SeasonLength>,
    /// Whether rows far from the others weigh less in the decomposition: slower, and calm where there are bursts.
    pub robust: bool,
}

impl LocalForecaster for Mstl {
    fn name(&self) -> &'static str {
        "mstl"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), MAX_ROWS)?;
        let (predictive, skip) = if history.is_constant() {
            (naive::predict(&history, history.gap + horizon.steps()), history.gap)
        } else {
            predict(&history, &self.seasons(series.freq(), &history), self.robust, horizon)
        };
        predictive.into_forecast(&history, skip, quantiles, series.id(), self.name())
    }
}

impl Mstl {
    fn seasons(&self, freq: Freq, history: &History) -> Vec<usize> {
        let mut seasons: Vec<usize> = self.season_lengths.iter().map(|season| season.steps()).collect();
        if seasons.is_empty() {
            seasons = usual_seasons(freq);
        }
        if let (Freq::Step, [only]) = (freq, &seasons[..]) {
            seasons.extend(longer_season(&history.values, *only));
        }
        seasons
    }
}

fn usual_seasons(freq: Freq) -> Vec<usize> {
    let shortest = freq.season_length().steps();
    match freq {
        Freq::Day => vec![shortest, 365],
        Freq::BusinessDay => vec![shortest, 260],
        Freq::Hour(_) | Freq::Minute(_) => vec![shortest, 7 * shortest],
        _ => vec![shortest],
    }
}

/// Forecasts the steps after the last scored row, and says how many of them come before the first step asked for.
fn predict(history: &History, seasons: &[usize], robust: bool, horizon: Horizon) -> (Predictive, usize) {
    let Some(parts) = decompose(&history.values, seasons, robust) else {
        return smooth(history, horizon);
    };
    let mut rest = History { values: parts.without_season(&history.values), ..*history };
    rest.keep_newest(ets::MAX_ROWS);
    let (mut predictive, skip) = smooth(&rest, horizon);
    // A long gap is stepped through in part only; the seasons know the row itself.
    let first_row = history.values.len() + history.gap;
    for (step, mean) in predictive.mean.iter_mut().skip(skip).enumerate() {
        *mean += parts.season_at(first_row + step);
    }
    (predictive, skip)
}

fn smooth(history: &History, horizon: Horizon) -> (Predictive, usize) {
    match auto_ets::select(history, 1, &EtsForm::ALL) {
        (fitter, Some(fitted)) => ets::look_ahead(history, &fitter, &fitted, horizon),
        (_, None) => (naive::predict(history, history.gap + horizon.steps()), history.gap),
    }
}
