//! Regressors of one series: seasons, holidays and known-ahead columns, decided on the scored rows and written for any row.
//!
//! Source: Taylor & Letham (2018), sections 3.2 and 3.3.
//!
//! Not here: the trend, coefficients and their estimation.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;

use almanac_features::Country;
use almanac_series::{MICROS_PER_DAY, SeriesView};

use crate::clock::Clock;
use crate::{HolidayWindow, Prophet, Seasonality};

const NO_COLUMN: usize = usize::MAX;

/// A season: pairs of sine and cosine.
#[derive(Debug, Clone, Copy)]
struct Wave {
    days: f64,
    order: usize,
}

/// Holidays that some scored row saw, each with its days around it.
#[derive(Debug, Clone)]
struct Holidays<'a> {
    country: &'a Country,
    window: HolidayWindow,
    /// Column of each holiday and offset, [`NO_COLUMN`] where no row saw it.
    columns: Vec<usize>,
    count: usize,
}

/// What is read of a known-ahead column.
#[derive(Debug, Clone, Copy)]
enum Regressor {
    /// `(value - shift) / scale`, and `mean` where the value is missing.
    Number { column: usize, mean: f64, shift: f64, scale: f64 },
    /// 1 where the column holds the text of this code, as a holiday of that name would be.
    Text { column: usize, code: f64 },
}

/// A known-ahead column that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownColumn {
    pub(crate) column: usize,
    /// Whether its numbers are codes of texts.
    pub(crate) is_text: bool,
}

/// All regressors of one series, in the order of the coefficients.
#[derive(Debug, Clone)]
pub(crate) struct Terms<'a> {
    waves: Vec<Wave>,
    holidays: Option<Holidays<'a>>,
    regressors: Vec<Regressor>,
    width: usize,
}

impl<'a> Terms<'a> {
    /// Decides on the scored `rows`, ascending, which terms there are. `columns`: known-ahead columns that may be used.
    pub(crate) fn decide(
        model: &Prophet,
        country: Option<&'a Country>,
        columns: &[KnownColumn],
        clock: &Clock,
        series: &SeriesView<'_>,
        rows: &[usize],
    ) -> Self {
        let waves = if clock.has_calendar() { waves(model, clock, series, rows) } else { Vec::new() };
        let holidays = country.filter(|_| clock.has_calendar()).map(|country| Holidays::seen(country, model, clock, series, rows));
        let regressors: Vec<Regressor> = columns.iter().flat_map(|known| Regressor::learn(*known, series, rows)).collect();
        let width = waves.iter().map(|wave| 2 * wave.order).sum::<usize>()
            + holidays.as_ref().map_or(0, |holidays| holidays.count)
            + regressors.len();
        Self { waves, holidays, regressors, width }
    }

    /// Number of coefficients.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Prior precision of each coefficient.
    pub(crate) fn precisions(&self, model: &Prophet) -> Vec<f64> {
        let seasonal = self.waves.iter().map(|wave| 2 * wave.order).sum::<usize>();
        let mut precisions = vec![model.seasonality_prior_scale.powi(-2); seasonal];
        precisions.resize(self.width, model.holidays_prior_scale.powi(-2));
        precisions
    }

    /// Writes the regressors of a row of history or ahead into `out`, `width` zeros.
    pub(crate) fn write(&self, clock: &Clock, series: &SeriesView<'_>, row: usize, out: &mut [f64]) {
        let period = series.start().plus(row as i64);
        let mut next = 0;
        if !self.waves.is_empty() {
            let days = clock.civil_days(period);
            for wave in &self.waves {
                write_wave(days / wave.days, &mut out[next..next + 2 * wave.order]);
                next += 2 * wave.order;
            }
        }
        if let Some(holidays) = &self.holidays {
            let columns = &mut out[next..next + holidays.count];
            holidays.for_each(clock.days(period), |key| {
                if holidays.columns[key] != NO_COLUMN {
                    columns[holidays.columns[key]] = 1.0;
                }
            });
            next += holidays.count;
        }
        for (regressor, out) in self.regressors.iter().zip(&mut out[next..]) {
            let value = |column: usize| series.future(column).get(row).copied().filter(|value| value.is_finite());
            *out = match *regressor {
                Regressor::Number { column, mean, shift, scale } => (value(column).unwrap_or(mean) - shift) / scale,
                Regressor::Text { column, code } => f64::from(u8::from(value(column) == Some(code))),
            };
        }
    }
}

/// Sines and cosines of the multiples of `turns`, by adding angles.
fn write_wave(turns: f64, out: &mut [f64]) {
    let (sin, cos) = (TAU * turns.rem_euclid(1.0)).sin_cos();
    let (mut s, mut c) = (sin, cos);
    for pair in out.chunks_exact_mut(2) {
        pair[0] = s;
        pair[1] = c;
        (s, c) = (s * cos + c * sin, c * cos - s * sin);
    }
}

/// Seasons that the model asks for, or that the scored rows can show.
fn waves(model: &Prophet, clock: &Clock, series: &SeriesView<'_>, rows: &[usize]) -> Vec<Wave> {
    let time = |row: usize| clock.time(series.start().plus(row as i64));
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
    let span = time(*last) - time(*first);
    let spacing = rows.windows(2).map(|pair| time(pair[1]) - time(pair[0])).min().unwrap_or(i64::MAX);
    let day = MICROS_PER_DAY;
    [
        (model.yearly, 365.25, 10, span >= 730 * day),
        (model.weekly, 7.0, 3, span >= 14 * day && spacing < 7 * day),
        (model.daily, 1.0, 4, span >= 2 * day && spacing < day),
    ]
    .into_iter()
    .filter_map(|(asked, days, usual, is_shown)| {
        let order = match asked {
            Seasonality::Auto => usize::from(is_shown) * usual,
            Seasonality::Off => 0,
            Seasonality::Order(order) => order,
        };
        (order > 0).then_some(Wave { days, order })
    })
    .collect()
}

impl<'a> Holidays<'a> {
    fn seen(country: &'a Country, model: &Prophet, clock: &Clock, series: &SeriesView<'_>, rows: &[usize]) -> Self {
        let window = model.holiday_window;
        let mut all = Self { country, window, columns: Vec::new(), count: 0 };
        let mut seen = BTreeSet::new();
        for row in rows {
            all.for_each(clock.days(series.start().plus(*row as i64)), |key| {
                seen.insert(key);
            });
        }
        all.columns = vec![NO_COLUMN; country.names.len() * all.n_offsets()];
        for (column, key) in seen.iter().enumerate() {
            all.columns[*key] = column;
        }
        all.count = seen.len();
        all
    }

    fn n_offsets(&self) -> usize {
        usize::from(self.window.days_before) + usize::from(self.window.days_after) + 1
    }

    /// Calls `add` for each holiday and offset that falls between two days.
    fn for_each(&self, (first, last): (i64, i64), mut add: impl FnMut(usize)) {
        let (before, after) = (i64::from(self.window.days_before), i64::from(self.window.days_after));
        let days = &self.country.days;
        let from = days.partition_point(|(day, _)| *day < first - after);
        for (day, name) in days[from..].iter().take_while(|(day, _)| *day <= last + before) {
            for offset in (first - day).max(-before)..=(last - day).min(after) {
                add(usize::from(*name) * self.n_offsets() + (offset + before) as usize);
            }
        }
    }
}

impl Regressor {
    /// Learns on the scored rows what a column says: nothing where it does not vary.
    fn learn(known: KnownColumn, series: &SeriesView<'_>, rows: &[usize]) -> Vec<Self> {
        if known.is_text { Self::texts(known.column, series, rows) } else { Self::number(known.column, series, rows).into_iter().collect() }
    }

    /// One for each text but the usual one: that is what the rows without any of them are.
    fn texts(column: usize, series: &SeriesView<'_>, rows: &[usize]) -> Vec<Self> {
        let values = series.future(column);
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for value in rows.iter().map(|row| values[*row]).filter(|value| value.is_finite() && *value >= 0.0) {
            *counts.entry(value.to_bits()).or_default() += 1;
        }
        let missing = rows.len() - counts.values().sum::<usize>();
        let usual = counts.iter().max_by_key(|(bits, count)| (**count, std::cmp::Reverse(**bits)));
        let usual = usual.filter(|(_, count)| **count >= missing).map(|(bits, _)| *bits);
        counts.keys().filter(|bits| Some(**bits) != usual).map(|bits| Self::Text { column, code: f64::from_bits(*bits) }).collect()
    }

    /// Mean and scale; `None` where the column does not vary.
    fn number(column: usize, series: &SeriesView<'_>, rows: &[usize]) -> Option<Self> {
        let values = series.future(column);
        let known = || rows.iter().map(|row| values[*row]).filter(|value| value.is_finite());
        let count = known().count() as f64;
        let mean = known().sum::<f64>() / count;
        let first = known().next()?;
        if known().all(|value| value == first) {
            return None;
        }
        if known().all(|value| value == 0.0 || value == 1.0) {
            return Some(Self::Number { column, mean, shift: 0.0, scale: 1.0 });
        }
        let scale = (known().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        (mean.is_finite() && scale.is_normal()).then_some(Self::Number { column, mean, shift: mean, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waves_are_sines_and_cosines_of_multiples() {
        let mut out = [0.0; 20];
        write_wave(16_801.0 / 365.25, &mut out);
        for (order, pair) in (1..).zip(out.chunks_exact(2)) {
            let angle = TAU * f64::from(order) * 16_801.0 / 365.25;
            assert!((pair[0] - angle.sin()).abs() < 1e-11 && (pair[1] - angle.cos()).abs() < 1e-11, "{order}");
        }
    }
}
