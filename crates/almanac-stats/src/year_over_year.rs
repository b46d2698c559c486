//! Year over year: what the same days of past years were, times what has become of the level since. The planner's own method.
//!
//! For a step at row `t` from an origin `o` and each of the last three years `k` of `Y` rows,
//!
//! ```text
//!   forecast_k = y[t - kY] · mean(y[o - L + 1 ..= o]) / mean(y[o - kY - L + 1 ..= o - kY])
//! ```
//!
//! and the forecast is the mean over the years that are known. `Y` is whole weeks where there are weeks (364 days), so that
//! Saturdays meet Saturdays; `L` is a thirteenth of it. Where rows have no year, a week of hours takes its place, with `L` a day: that of the
//! frequency, or the longer season that the history shows ([`longer_season`]). A row that is not scored is passed over for those a week beside it. The
//! growth of a year is held between a fifth and five. Without a full year the model is [`SeasonalNaive`](crate::SeasonalNaive).
//!
//! The standard deviation is that of the rows of the last year against the year before, times the growth between them.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Freq, Horizon, Quantile, SeasonLength, SeriesView, longer_season};

use crate::history::History;
use crate::predictive::Predictive;
use crate::{naive, seasonal_naive};

/// Years looked back at most.
const YEARS: usize = 3;
/// Bounds of the growth of a level.
const GROWTH: std::ops::RangeInclusive<f64> = 0.2..=5.0;

/// The same days of past years, times the growth of the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct YearOverYear {
    /// Steps per season, for histories shorter than a year; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

impl LocalForecaster for YearOverYear {
    fn name(&self) -> &'static str {
        "year_over_year"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = History::read(series, self.name(), usize::MAX)?;
        let season_length = self.season_length.unwrap_or_else(|| series.freq().season_length()).steps();
        let steps = history.gap + horizon.steps();
        let predictive = year_of(series.freq(), season_length, &history)
            .and_then(|year| predict(&history, year, season_length, steps))
            .or_else(|| seasonal_naive::predict(&history, season_length, steps))
            .unwrap_or_else(|| naive::predict(&history, steps));
        predictive.into_forecast(&history, history.gap, quantiles, series.id(), self.name())
    }
}

/// Rows of a year, in whole weeks where there are weeks; of a week where there is no year; `None` where there is neither.
fn year_of(freq: Freq, season: usize, history: &History) -> Option<usize> {
    match freq {
        Freq::Day => Some(364),
        Freq::BusinessDay => Some(260),
        Freq::Week(_) => Some(52),
        Freq::Month { months, .. } => Some(12 / usize::from(months)).filter(|year| *year > 1),
        Freq::Hour(_) | Freq::Minute(_) | Freq::Second(_) => Some(7 * freq.season_length().steps()),
        Freq::Step => longer_season(&history.values, season),
    }
}

/// Forecasts `steps` steps after the last scored row; `None` without a full year and a level before it.
fn predict(history: &History, year: usize, season: usize, steps: usize) -> Option<Predictive> {
    let rows = history.values.len();
    // A level is that of whole seasons, or it would be one of the hour of the day.
    let window = (year / 13).max(3).next_multiple_of(if (season + 1..13 * season).contains(&year) { season } else { 1 });
    let level = |end: usize| {
        let newest = history.values[end.saturating_sub(window)..end].iter().filter(|value| !value.is_nan());
        let (sum, count) = newest.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
        (2 * count >= window.min(end)).then(|| sum / count as f64)
    };
    let now = level(rows)?;
    let growths: Vec<(usize, f64)> = (1..=YEARS)
        .filter_map(|k| {
            let end = rows.checked_sub(k * year).filter(|end| *end >= window)?;
            let growth = now / level(end)?;
            growth.is_finite().then(|| (k * year, growth.clamp(*GROWTH.start(), *GROWTH.end())))
        })
        .collect();
    let (_, newest_growth) = *growths.first()?;
    // The row itself, or the nearest ones of the same place in the season.
    let value = |row: usize| {
        let beside = [Some(row), row.checked_sub(season), Some(row + season)];
        beside.into_iter().flatten().filter_map(|row| history.values.get(row)).copied().find(|value| !value.is_nan())
    };
    let (mut squares, mut pairs) = (0.0, 0_usize);
    for row in rows.saturating_sub(year).max(year)..rows {
        let error = history.values[row] - newest_growth * history.values[row - year];
        if !error.is_nan() {
            squares += error * error;
            pairs += 1;
        }
    }
    let sd = if pairs == 0 { naive::step_sd(history) } else { (squares / pairs as f64).sqrt() };
    let mut predictive = Predictive::default();
    for step in 0..steps {
        let said = growths.iter().filter_map(|(back, growth)| {
            // Beyond a year ahead, a year back is still ahead: the year before that tells.
            let mut row = rows + step - back;
            while row >= rows {
                row -= year;
            }
            Some(value(row)? * growth)
        });
        let (sum, count) = said.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
        predictive.mean.push(if count == 0 { now } else { sum / count as f64 });
        predictive.sd.push(sd);
    }
    Some(predictive)
}
