//! Rows split into a trend, one or several seasons and a remainder.
//!
//! The seasons are taken from the shortest to the longest, twice over where there are several: each by STL of the rows
//! without the others. The trend is that of the last. Their seasonal windows are 11, 15, 19 and so on.
//!
//! Source: Bandara, Hyndman & Bergmeir (2021), algorithm 1.

use super::stl::Stl;

/// Times that several seasons are gone through.
const ROUNDS: usize = 2;
/// Weight of what is put in the place of a missing row. It matters where most rows near are missing, and makes a fit there sound.
pub(crate) const MISSING_WEIGHT: f64 = 1e-3;

/// The parts of a series, in its units; each has a number for every row, missing ones too.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decomposition {
    pub(crate) trend: Vec<f64>,
    pub(crate) seasons: Vec<Season>,
}

/// A season that repeats every `length` rows and changes slowly. It adds up to about nothing over a cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Season {
    pub(crate) length: usize,
    pub(crate) values: Vec<f64>,
}

impl Decomposition {
    /// Sum of the seasons at a row of the history or after it, where each repeats its last cycle.
    pub(crate) fn season_at(&self, row: usize) -> f64 {
        let at = |Season { length, values }: &Season| {
            let n = values.len();
            if row < n { values[row] } else { values[n - length + (row - n) % length] }
        };
        self.seasons.iter().map(at).sum()
    }

    /// Trend and remainder of the `y` that was split; missing rows stay missing.
    pub(crate) fn without_season(&self, y: &[f64]) -> Vec<f64> {
        y.iter().enumerate().map(|(row, y)| y - self.season_at(row)).collect()
    }
}

/// Splits a series whose missing rows are NaN and whose first and last row are not. `seasons` are in rows per cycle, in any
/// order; those of fewer than two cycles are left out. `None` where no season is left. With `robust`, rows far from trend and
/// season weigh less.
pub(crate) fn decompose(y: &[f64], seasons: &[usize], robust: bool) -> Option<Decomposition> {
    // As in R: a loess at every tenth of its window.
    decompose_with(y, seasons, robust, |window| window.div_ceil(10))
}

fn decompose_with(y: &[f64], seasons: &[usize], robust: bool, jump: impl Fn(usize) -> usize) -> Option<Decomposition> {
    let n = y.len();
    let mut lengths: Vec<usize> = seasons.iter().copied().filter(|length| *length >= 2 && 2 * length <= n).collect();
    lengths.sort_unstable();
    lengths.dedup();
    if lengths.is_empty() {
        return None;
    }
    let weights: Vec<f64> = y.iter().map(|y| if y.is_nan() { MISSING_WEIGHT } else { 1.0 }).collect();
    let weights = weights.contains(&MISSING_WEIGHT).then_some(&weights[..]);
    // Rows without the seasons so far.
    let mut rest = interpolate(y, lengths[0]);
    let mut trend = vec![0.0; n];
    let mut seasons: Vec<Season> = lengths.iter().map(|length| Season { length: *length, values: vec![0.0; n] }).collect();
    let mut splits: Vec<Stl> = lengths.iter().zip(1..).map(|(length, place)| Stl::new(n, *length, 7 + 4 * place, &jump)).collect();
    for _ in 0..if lengths.len() == 1 { 1 } else { ROUNDS } {
        for (Season { values, .. }, stl) in seasons.iter_mut().zip(&mut splits) {
            for (rest, value) in rest.iter_mut().zip(values.iter()) {
                *rest += value;
            }
            stl.split(&rest, weights, robust, values, &mut trend);
            for (rest, value) in rest.iter_mut().zip(values.iter()) {
                *rest -= value;
            }
        }
    }
    Some(Decomposition { trend, seasons })
}

/// Fills missing rows: with straight lines between the rows of the same place in the season, or beyond those with the nearest of
/// them; where a place has none, with straight lines between whatever rows there are.
fn interpolate(y: &[f64], season: usize) -> Vec<f64> {
    let mut filled = y.to_vec();
    for place in 0..season {
        draw_lines(&mut filled, place, season);
    }
    draw_lines(&mut filled, 0, 1);
    filled
}

/// Fills the missing ones of every `step`-th row from `first` on; none, if all are missing.
fn draw_lines(rows: &mut [f64], first: usize, step: usize) {
    let mut last: Option<usize> = None;
    for row in (first..rows.len()).step_by(step) {
        if rows[row].is_nan() {
            continue;
        }
        let (from, start) = last.map_or((rows[row], first), |last| (rows[last], last));
        let slope = (rows[row] - from) / (row - start).max(1) as f64;
        for between in (start..row).step_by(step) {
            rows[between] = from + slope * (between - start) as f64;
        }
        last = Some(row);
    }
    if let Some(last) = last {
        let end = rows[last];
        rows[last..].iter_mut().step_by(step).for_each(|row| *row = end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str) -> Vec<f64> {
        if name == "air_passengers" {
            let rows = include_str!("../../tests/fixtures/air_passengers.csv").lines().skip(1);
            return rows.map(|line| line.parse().expect("a number")).collect();
        }
        let rows = include_str!("../../tests/fixtures/intermittent_series.csv").lines().filter_map(|line| line.strip_prefix(name));
        rows.map(|line| line[1..].parse().expect("a number")).collect()
    }

    /// Largest difference from a list of every tenth row of the reference.
    fn distance(case: &str, name: &str, got: impl Fn(usize) -> f64) -> f64 {
        let prefix = format!("{case},mstl,{name},");
        let rows = include_str!("../../tests/fixtures/reference_intermittent.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
        let values: Vec<f64> = rows.map(|row| row.split_once(',').expect("step,value").1.parse().expect("a number")).collect();
        assert!(!values.is_empty());
        values.iter().enumerate().map(|(row, value)| (got(10 * row) - value).abs()).fold(0.0, f64::max)
    }

    const CASES: [(&str, usize, f64); 3] = [("air_passengers", 12, 280.0), ("ausbeer", 4, 415.0), ("woolyrnq", 4, 5_700.0)];

    /// Against statsmodels 0.15 by way of statsforecast's `mstl`, which make every loess at every row. They cut weights at 0.1 %
    /// and 99.9 % of the reach, which moves a fit by less than 1e-7 of the level; robust weights multiply that over 15 turns.
    #[test]
    fn parts_are_those_of_the_reference_where_loess_is_made_at_every_row() {
        for (case, season, level) in CASES {
            let y = series(case);
            let every_row = |seasons: &[usize], robust| decompose_with(&y, seasons, robust, |_| 1).expect("two cycles");
            let one = every_row(&[season], false);
            assert!(distance(case, "trend", |row| one.trend[row]) < 1e-7 * level);
            assert!(distance(case, "seasonal", |row| one.season_at(row)) < 1e-7 * level);
            let two = every_row(&[3 * season, season], false);
            assert!(distance(case, "two_trend", |row| two.trend[row]) < 1e-7 * level);
            assert!(distance(case, "two_seasonal", |row| two.season_at(row)) < 1e-7 * level);
            let robust = every_row(&[season], true);
            assert!(distance(case, "robust_trend", |row| robust.trend[row]) < 1e-6 * level);
        }
    }

    /// A tenth of a window is short against what the window can bend.
    #[test]
    fn jumps_move_the_parts_by_little() {
        for (case, season, level) in CASES {
            let parts = decompose(&series(case), &[season], false).expect("two cycles");
            assert!(distance(case, "trend", |row| parts.trend[row]) < 0.005 * level);
            assert!(distance(case, "seasonal", |row| parts.season_at(row)) < 0.02 * level);
        }
    }

    #[test]
    fn missing_rows_move_the_parts_by_little() {
        let y: Vec<f64> = (0..140).map(|row| 20.0 + 0.1 * f64::from(row) + f64::from(row % 7)).collect();
        let gappy: Vec<f64> =
            y.iter().enumerate().map(|(row, y)| if row % 10 == 4 || (40..60).contains(&row) { f64::NAN } else { *y }).collect();
        let (whole, parts) = (decompose(&y, &[7], false).expect("20 cycles"), decompose(&gappy, &[7], false).expect("20 cycles"));
        for row in 0..140 {
            // Both are exact but for where the trend ends and the season begins.
            let (trend, season) = (whole.trend[row] - parts.trend[row], whole.season_at(row) - parts.season_at(row));
            assert!(trend.abs() < 0.05 && season.abs() < 0.05, "row {row}: trend {trend}, season {season}");
        }
    }

    #[test]
    fn seasons_without_two_cycles_are_left_out() {
        let y: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(decompose(&y, &[11, 1], false), None);
        assert_eq!(decompose(&y, &[11, 7, 7], false).map(|parts| parts.seasons.len()), Some(1));
    }
}
