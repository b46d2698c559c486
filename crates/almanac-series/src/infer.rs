//! Guessing a frequency from timestamps, gaps and all.
//!
//! The coarsest frequency whose grid holds every timestamp and on which the timestamps are mostly consecutive wins;
//! that is what a person would say of the column.

use crate::freq::{Freq, MICROS_PER_DAY, Period, Weekday};

/// Why no frequency could be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// Fewer than three distinct timestamps.
    #[error("{got} distinct timestamps are too few to tell a frequency")]
    TooFew {
        /// How many there were.
        got: usize,
    },
    /// No grid fits.
    #[error("the timestamps are irregular: no frequency fits them")]
    Irregular,
}

impl crate::Hint for InferError {
    fn hint(&self) -> Option<String> {
        Some("set `[data] freq`, e.g. `D`, `W-MON` or `MS`; timestamps are then put on that grid".into())
    }
}

/// Returns the frequency of one series' timestamps, which must be sorted and distinct (micros, see [`Freq`]).
///
/// A grid may have gaps: at least half of the steps must be single ones, or the typical gap must be a single step.
///
/// # Errors
/// [`InferError`] where there are fewer than three timestamps or no grid fits.
pub fn infer_freq(sorted: &[i64]) -> Result<Freq, InferError> {
    if sorted.len() < 3 {
        return Err(InferError::TooFew { got: sorted.len() });
    }
    let intraday = sorted.iter().any(|ds| ds.rem_euclid(MICROS_PER_DAY) != 0);
    let candidates = if intraday && !same_time_of_day(sorted) { intraday_grids() } else { calendar_grids() };
    candidates
        .into_iter()
        .find(|freq| {
            let time = if intraday { sorted[0].rem_euclid(MICROS_PER_DAY) } else { 0 };
            let shift = if freq.is_intraday() { 0 } else { time };
            sorted.iter().all(|ds| freq.is_aligned(ds - shift)) && mostly_consecutive(*freq, sorted)
        })
        .ok_or(InferError::Irregular)
}

fn same_time_of_day(sorted: &[i64]) -> bool {
    let time = sorted[0].rem_euclid(MICROS_PER_DAY);
    sorted.iter().all(|ds| ds.rem_euclid(MICROS_PER_DAY) == time)
}

fn intraday_grids() -> Vec<Freq> {
    let hours = [12, 8, 6, 4, 3, 2, 1].map(Freq::Hour);
    let minutes = [30, 20, 15, 10, 5, 2, 1].map(Freq::Minute);
    hours.into_iter().chain(minutes).chain([Freq::Second(1)]).collect()
}

fn calendar_grids() -> Vec<Freq> {
    let mut grids = Vec::new();
    for months in [12_u8, 6, 3, 1] {
        for anchor in 1..=months {
            for end in [false, true] {
                grids.push(Freq::Month { months, anchor, end });
            }
        }
    }
    for offset in 0..7 {
        grids.push(Freq::Week(Weekday::from_monday_zero_offset(offset).expect("0..7")));
    }
    grids.push(Freq::BusinessDay);
    grids.push(Freq::Day);
    grids
}

/// Whether steps of one are at least half of all steps.
fn mostly_consecutive(freq: Freq, sorted: &[i64]) -> bool {
    let periods: Vec<Period> = sorted.iter().map(|ds| freq.period(*ds)).collect();
    let single = periods.windows(2).filter(|pair| pair[1].since(pair[0]) == 1).count();
    2 * single >= periods.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(alias: &str, keep: impl Fn(i64) -> bool) {
        let freq: Freq = alias.parse().expect(alias);
        let sorted: Vec<i64> = (500..700).filter(|n| keep(*n)).map(|n| freq.ds(Period(n))).collect();
        assert_eq!(infer_freq(&sorted).map(|found| found.to_string()), Ok(alias.to_owned()));
    }

    #[test]
    fn grids_are_told_with_and_without_gaps() {
        for alias in ["D", "B", "W-FRI", "W-MON", "MS", "ME", "QS", "QE", "YS", "h", "30min", "15min", "s"] {
            check(alias, |_| true);
            check(alias, |n| n % 7 != 3 && n % 31 != 5);
        }
    }

    #[test]
    fn shops_closed_on_sundays_are_daily() {
        check("D", |n| n % 7 != 3);
    }

    #[test]
    fn two_rows_tell_nothing() {
        assert_eq!(infer_freq(&[0, MICROS_PER_DAY]), Err(InferError::TooFew { got: 2 }));
    }
}
