//! Dates and timestamps: range, days of the week, rows by period.
//!
//! Times with a zone are taken as their instants in UTC.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use super::decoded;
use super::number::{Runs, whole_runs};
use crate::sketch::periods::Periods;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What is known of times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeProfile {
    /// The first and the last, in microseconds since 1970.
    pub range: Option<(i64, i64)>,
    /// Rows on Monday to Sunday.
    pub weekdays: [u64; 7],
    /// Rows whose time of day is not midnight.
    pub with_time: u64,
    /// Rows by period.
    pub periods: Periods,
}

impl TimeProfile {
    pub(crate) fn new() -> Self {
        Self { range: None, weekdays: [0; 7], with_time: 0, periods: Periods::new() }
    }

    pub(crate) fn update(&mut self, runs: &Runs) {
        if let (Some((first, _)), Some((last, _))) = (runs.whole.first(), runs.whole.last()) {
            self.widen(*first, *last);
        }
        for &(micros, rows) in &runs.whole {
            // 1970-01-01 was a Thursday.
            self.weekdays[(micros.div_euclid(MICROS_PER_DAY) + 3).rem_euclid(7) as usize] += rows;
            if micros.rem_euclid(MICROS_PER_DAY) != 0 {
                self.with_time += rows;
            }
            self.periods.add(micros, rows);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some((first, last)) = other.range {
            self.widen(first, last);
        }
        self.weekdays.iter_mut().zip(other.weekdays).for_each(|(own, theirs)| *own += theirs);
        self.with_time += other.with_time;
        self.periods.merge(&other.periods);
    }

    fn widen(&mut self, first: i64, last: i64) {
        self.range = Some(self.range.map_or((first, last), |(old_first, old_last)| (old_first.min(first), old_last.max(last))));
    }
}

/// Times of a batch as microseconds.
pub(crate) fn runs(array: &dyn Array) -> Result<Runs, ArrowError> {
    let plain = decoded(array)?;
    let array = plain.as_deref().unwrap_or(array);
    let key = |micros: i64| micros as u64 ^ (1 << 63);
    let keys: Vec<u64> = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let times = array.as_primitive::<TimestampSecondType>();
            times.iter().flatten().map(|time| key(time.saturating_mul(1_000_000))).collect()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let times = array.as_primitive::<TimestampMillisecondType>();
            times.iter().flatten().map(|time| key(time.saturating_mul(1_000))).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().iter().flatten().map(key).collect()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().iter().flatten().map(|time| key(time.div_euclid(1_000))).collect()
        }
        _ => {
            let days = cast(array, &DataType::Date32)?;
            days.as_primitive::<Date32Type>().iter().flatten().map(|day| key(i64::from(day).saturating_mul(MICROS_PER_DAY))).collect()
        }
    };
    Ok(whole_runs(keys, array.len()))
}
