//! Seasons of seasons: the week of days whose rows are hours, the year of weeks whose rows are days.
//!
//! A frequency with dates tells its seasons. Rows that are only counted do not; of them a user names the shortest season at most, and the
//! history is asked for the longer one.

use crate::Panel;

/// Rows that lie one longer season apart must be this much more alike than rows of the seasons beside it.
const MOST_SHARE: f64 = 0.9;
/// Share of the series that must have a longer season for their panel to have it.
const LEAST_SERIES: f64 = 0.15;
/// Series of a panel that are asked, at most.
const MOST_SERIES: usize = 300;

/// Returns the rows of the longer season of a history whose shorter one has `season` rows; NaN rows are passed over.
///
/// Seven or five days make a week where a season has eight rows or more, 52 weeks a year where it has seven or five. Mean absolute differences
/// of rows `k` seasons apart must dip at the longer season: below nine tenths of those at `k - 1` and `k + 1`, over the same rows, so
/// that neither a trend nor a wandering level counts. `None` with fewer than three longer seasons of history.
pub fn longer_season(y: &[f64], season: usize) -> Option<usize> {
    let counts: &[usize] = match season {
        5 | 7 => &[52],
        8.. => &[7, 5],
        _ => &[],
    };
    let dip = |count: &usize| {
        let from = (count + 1) * season;
        if y.len() < 3 * count * season || y.len() < from + 2 * season {
            return None;
        }
        let apart = |count: usize| {
            let differences = y[from..].iter().zip(&y[from - count * season..]).map(|(y, before)| (y - before).abs());
            let (sum, n) = differences.filter(|d| !d.is_nan()).fold((0.0, 0_usize), |(sum, n), d| (sum + d, n + 1));
            sum / n as f64
        };
        let share = apart(*count) / apart(count - 1).min(apart(count + 1));
        (share < MOST_SHARE).then_some((share, count * season))
    };
    counts.iter().filter_map(dip).min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, rows)| rows)
}

impl Panel {
    /// Returns the longer season ([`longer_season`]) that most of those series have that have one, if it is one in seven at least.
    pub fn longer_season(&self, season: usize) -> Option<usize> {
        let asked = (0..self.n_series()).step_by(self.n_series().div_ceil(MOST_SERIES).max(1));
        let (mut found, mut n) = (Vec::new(), 0);
        for index in asked {
            n += 1;
            let view = self.view(index);
            let mut y = vec![f64::NAN; view.len()];
            view.scored().for_each(|(row, value)| y[row] = value);
            found.extend(longer_season(&y, season));
        }
        found.sort_unstable();
        let most = found.chunk_by(|a, b| a == b).max_by_key(|same| same.len())?;
        (most.len() as f64 >= LEAST_SERIES * f64::from(n)).then_some(most[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours with a shape of the day, other Sundays, and a level that wanders.
    fn hours(weeks: usize, sunday: f64) -> Vec<f64> {
        let mut level = 100.0;
        let mut state = 7_u64;
        (0..weeks * 168)
            .map(|hour| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                level += (state >> 40) as f64 / 2.0_f64.powi(24) - 0.5;
                let of_day = 10.0 * f64::from(u8::from((8..20).contains(&(hour % 24))));
                level + of_day - sunday * f64::from(u8::from(hour / 24 % 7 == 6))
            })
            .collect()
    }

    #[test]
    fn a_week_of_hours_is_found_and_a_wandering_level_is_none() {
        assert_eq!(longer_season(&hours(5, 20.0), 24), Some(168));
        assert_eq!(longer_season(&hours(5, 0.0), 24), None);
        assert_eq!(longer_season(&hours(2, 20.0), 24), None, "two weeks are too few to tell");
    }

    #[test]
    fn holes_and_constants_are_no_season() {
        let mut holed = hours(6, 20.0);
        holed.iter_mut().step_by(11).for_each(|y| *y = f64::NAN);
        assert_eq!(longer_season(&holed, 24), Some(168));
        assert_eq!(longer_season(&[5.0; 1_000], 24), None);
        assert_eq!(longer_season(&[f64::NAN; 1_000], 24), None);
        assert_eq!(longer_season(&hours(5, 20.0), 4), None, "quarters make no week");
    }
}
