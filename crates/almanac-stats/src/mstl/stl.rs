//! STL: one season and a trend by loess, each smoothed without the other in turns.
//!
//! A turn: rows without the trend are smoothed per place in the season; a low-pass of that (two moving averages of a season, one
//! of 3 rows, loess) is taken off, so that the season holds no level; rows without the season are smoothed to the trend. Every
//! step is linear in the rows, as loess is made at every tenth of its window only.
//!
//! Source: Cleveland, Cleveland, McRae & Terpenning (1990). Windows and turns are the defaults of R's `stl` and of statsmodels.

use super::decompose::MISSING_WEIGHT;
use super::loess::{Degree, Loess};

/// Turns without weights by error, and with them: inner in each outer one.
const TURNS: usize = 5;
const ROBUST_TURNS: (usize, usize) = (2, 15);

/// Windows of one season with room for its passes.
#[derive(Debug)]
pub(crate) struct Stl {
    season: usize,
    seasonal_loess: Loess,
    low_pass_loess: Loess,
    trend_loess: Loess,
    /// What the places of the season say, from one cycle before the rows to one after them.
    cycles: Vec<f64>,
    /// Running means of that.
    average: Vec<f64>,
    /// Rows of one place in the season, their weights and their smooth.
    place: Vec<f64>,
    place_weights: Vec<f64>,
    place_smooth: Vec<f64>,
    rows: Vec<f64>,
    errors: Vec<f64>,
}

impl Stl {
    /// Makes room for `n` rows, two seasons or more. `seasonal_window` is odd; `jump` says how far apart the rows are at which a
    /// loess of a given window is made.
    pub(crate) fn new(n: usize, season: usize, seasonal_window: usize, jump: impl Fn(usize) -> usize) -> Self {
        let odd = |window: usize| window + usize::from(window.is_multiple_of(2));
        let low_pass_window = odd(season + 1);
        let trend_window = odd((1.5 * season as f64 / (1.0 - 1.5 / seasonal_window as f64)).ceil() as usize);
        let longest_place = n.div_ceil(season);
        Self {
            season,
            seasonal_loess: Loess::new(seasonal_window, Degree::Constant, jump(seasonal_window)),
            low_pass_loess: Loess::new(low_pass_window, Degree::Line, jump(low_pass_window)),
            trend_loess: Loess::new(trend_window, Degree::Line, jump(trend_window)),
            cycles: vec![0.0; n + 2 * season],
            average: vec![0.0; n + 2 * season],
            place: vec![0.0; longest_place],
            place_weights: vec![0.0; longest_place],
            place_smooth: vec![0.0; longest_place],
            rows: vec![0.0; n],
            errors: Vec::new(),
        }
    }

    /// Splits rows into season and trend, both as long as `y`. `known` holds 1 for a row
    /// that was seen and [`MISSING_WEIGHT`] for one that was not; none where all were.
    pub(crate) fn split(&mut self, y: &[f64], known: Option<&[f64]>, robust: bool, seasonal: &mut [f64], trend: &mut [f64]) {
        trend.fill(0.0);
        if !robust {
            for _ in 0..TURNS {
                self.turn(y, known, seasonal, trend);
            }
            return;
        }
        let (inner, outer) = ROBUST_TURNS;
        let mut weights = known.map_or_else(|| vec![1.0; y.len()], <[f64]>::to_vec);
        for _ in 0..outer {
            for _ in 0..inner {
                self.turn(y, Some(&weights), seasonal, trend);
            }
            self.weigh_by_error(y, known, seasonal, trend, &mut weights);
        }
        for _ in 0..inner {
            self.turn(y, Some(&weights), seasonal, trend);
        }
    }

    fn turn(&mut self, y: &[f64], weights: Option<&[f64]>, seasonal: &mut [f64], trend: &mut [f64]) {
        let (n, season) = (y.len(), self.season);
        for ((row, y), trend) in self.rows.iter_mut().zip(y).zip(trend.iter()) {
            *row = y - trend;
        }
        for place in 0..season {
            self.smooth_place(place, weights);
        }
        // n + 2p rows, then n + p + 1, n + 2 and n.
        self.average.copy_from_slice(&self.cycles);
        let mut rows = self.average.len();
        for window in [season, season, 3] {
            move_average(&mut self.average[..rows], window);
            rows -= window - 1;
        }
        self.low_pass_loess.smooth(&self.average[..n], None, &mut self.rows);
        for ((seasonal, cycle), low_pass) in seasonal.iter_mut().zip(&self.cycles[season..]).zip(&self.rows) {
            *seasonal = cycle - low_pass;
        }
        for ((row, y), seasonal) in self.rows.iter_mut().zip(y).zip(seasonal.iter()) {
            *row = y - seasonal;
        }
        self.trend_loess.smooth(&self.rows, weights, trend);
    }

    /// Smooths the rows of one place in the season into `cycles`, with one value before them and one after.
    fn smooth_place(&mut self, place: usize, weights: Option<&[f64]>) {
        let n = self.rows[place..].iter().step_by(self.season).zip(&mut self.place).map(|(row, to)| *to = *row).count();
        let (y, smooth) = (&self.place[..n], &mut self.place_smooth[..n]);
        let weights = weights.map(|weights| {
            weights[place..].iter().step_by(self.season).zip(&mut self.place_weights).for_each(|(weight, to)| *to = *weight);
            &self.place_weights[..n]
        });
        let loess = &self.seasonal_loess;
        loess.smooth(y, weights, smooth);
        let before = loess.at(y, weights, -1.0, 0).unwrap_or(smooth[0]);
        let after = loess.at(y, weights, n as f64, n.saturating_sub(loess.window())).unwrap_or(smooth[n - 1]);
        let said = std::iter::once(before).chain(smooth.iter().copied()).chain(std::iter::once(after));
        self.cycles[place..].iter_mut().step_by(self.season).zip(said).for_each(|(to, value)| *to = value);
    }

    /// Rows weigh by how far they are from season and trend, in units of six times the median distance: bisquare.
    fn weigh_by_error(&mut self, y: &[f64], known: Option<&[f64]>, seasonal: &[f64], trend: &[f64], weights: &mut [f64]) {
        let error = |row: usize| (y[row] - seasonal[row] - trend[row]).abs();
        let is_known = |row: &usize| known.is_none_or(|known| known[*row] > MISSING_WEIGHT);
        self.errors.clear();
        self.errors.extend((0..y.len()).filter(is_known).map(error));
        let middle = self.errors.len() / 2;
        let (below, upper, above) = self.errors.select_nth_unstable_by(middle, f64::total_cmp);
        let lower = if (below.len() + above.len() + 1).is_multiple_of(2) { below.iter().copied().fold(0.0, f64::max) } else { *upper };
        let reach = 3.0 * (lower + *upper);
        for (row, weight) in weights.iter_mut().enumerate() {
            let share = error(row) / reach;
            // Errors of nothing, or next to it, weigh fully even where the reach is nothing.
            *weight = if !is_known(&row) {
                MISSING_WEIGHT
            } else if share >= 0.999 {
                0.0
            } else if share <= 0.001 || share.is_nan() {
                1.0
            } else {
                (1.0 - share * share).powi(2)
            };
        }
    }
}

/// Puts the means of `window` rows running to the front, `window - 1` fewer than there were rows.
fn move_average(rows: &mut [f64], window: usize) {
    let mut sum: f64 = rows[..window].iter().sum();
    let share = 1.0 / window as f64;
    for row in 0..=rows.len() - window {
        let oldest = std::mem::replace(&mut rows[row], sum * share);
        if let Some(newest) = rows.get(row + window) {
            sum += newest - oldest;
        }
    }
}
