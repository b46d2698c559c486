//! States to start the optimiser from: a line through the first seasons, what is left of each place in the season, and a
//! line through the first deseasonalised rows, as R's `initstate` does in spirit.
//!
//! The optimiser moves every one of them, so they need to be sane, not exact.

use super::MAX_SEASON_LENGTH;
use super::form::{EtsForm, EtsSeason};
use super::state_space::States;

/// Seasons that the first look at the season is taken over.
const SEASONS: usize = 6;

/// Where to start, and the size of a step that matters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) states: States,
    /// Root mean squared step-to-step change of the deseasonalised values.
    pub(crate) unit: f64,
}

/// Finds the states before the first row. `places`: the places in the season that have scored rows.
pub(crate) fn start(y: &[f64], form: EtsForm, season_length: usize, places: &[usize]) -> Start {
    let multiplicative = form.season == EtsSeason::Multiplicative;
    let neutral = if multiplicative { 1.0 } else { 0.0 };
    let mut season = [neutral; MAX_SEASON_LENGTH];
    if form.is_seasonal() {
        estimate_season(y, season_length, places, multiplicative, &mut season);
    }
    let adjusted = |(row, value): (usize, f64)| {
        let season = season[row % season_length];
        (row as f64 + 1.0, if multiplicative { value / season } else { value - season })
    };
    let scored = || y.iter().copied().enumerate().filter(|(_, value)| !value.is_nan()).map(adjusted);
    let first = 10.max(2 * season_length);
    let line = Line::through(scored().take(first));
    let (mut level, mut slope) = if form.has_trend() { (line.at(0.0), line.slope) } else { (line.mean, 0.0) };
    if form.needs_positive() && level + slope <= 0.05 * line.mean {
        (level, slope) = (line.mean, 0.0);
    }
    let (changes, n) = scored().zip(scored().skip(1)).fold((0.0, 0.0), |(sum, n), ((_, a), (_, b))| (sum + (b - a) * (b - a), n + 1.0));
    let unit = f64::sqrt(changes / f64::max(n, 1.0)).max(1e-9);
    Start { states: States { level, slope, season }, unit }
}

fn estimate_season(y: &[f64], season_length: usize, places: &[usize], multiplicative: bool, season: &mut [f64; MAX_SEASON_LENGTH]) {
    let mut sums = [(0.0, 0.0); MAX_SEASON_LENGTH];
    let scored = || y.iter().copied().enumerate().filter(|(_, value)| !value.is_nan());
    let line = Line::through(scored().take(SEASONS * season_length).map(|(row, value)| (row as f64 + 1.0, value)));
    for (row, value) in scored().take(SEASONS * season_length) {
        let base = line.at(row as f64 + 1.0);
        let left = if multiplicative { value / base.max(0.1 * line.mean) } else { value - base };
        let (sum, n) = &mut sums[row % season_length];
        *sum += left;
        *n += 1.0;
    }
    let neutral = season[0];
    let mut total = 0.0;
    for place in places {
        let (sum, n) = sums[*place];
        season[*place] = if n > 0.0 { sum / n } else { neutral };
        total += season[*place];
    }
    let average = total / places.len() as f64;
    for place in places {
        let value = &mut season[*place];
        *value = if multiplicative { (*value / average).max(0.01) } else { *value - average };
    }
}

/// Least-squares line.
struct Line {
    centre: f64,
    mean: f64,
    slope: f64,
}

impl Line {
    fn through(points: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let (n, x, y) = points.clone().fold((0.0, 0.0, 0.0), |(n, sx, sy), (x, y)| (n + 1.0, sx + x, sy + y));
        let (centre, mean) = (x / n, y / n);
        let (xx, xy) = points.fold((0.0, 0.0), |(xx, xy), (x, y)| (xx + (x - centre) * (x - centre), xy + (x - centre) * (y - mean)));
        Self { centre, mean, slope: if xx > 0.0 { xy / xx } else { 0.0 } }
    }

    fn at(&self, x: f64) -> f64 {
        self.mean + self.slope * (x - self.centre)
    }
}
