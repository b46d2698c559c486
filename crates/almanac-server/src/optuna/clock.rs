//! Times of trials as Optuna's messages carry them: `2026-01-31 12:00:00.000000` by the clock on the wall, without a zone.
//!
//! The zone is that of the server, as with Optuna's own proxy; where the workers have another one, they see the server's time.
//!
//! Not here: how times are stored, which is in UTC.

use almanac_tracking::{Micros, StoreError};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Returns the time.
pub(super) fn now() -> Micros {
    Micros(Timestamp::now().as_microsecond())
}

/// Reads a time; empty is none.
pub(super) fn read(zone: &TimeZone, text: &str) -> Result<Option<Micros>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = DateTime::strptime("%Y-%m-%d %H:%M:%S.%f", text).ok().filter(|time| (1..=9999).contains(&time.year()));
    let at = read.and_then(|time| zone.to_timestamp(time).ok());
    let invalid = || StoreError::invalid(format!("`{}` is not a time.", text.chars().take(100).collect::<String>()));
    at.map(|at| Some(Micros(at.as_microsecond()))).ok_or_else(invalid)
}

/// Writes a time; none is empty.
pub(super) fn write(zone: &TimeZone, at: Option<Micros>) -> String {
    // Only what a program other than this one stored is out of range.
    let Some(at) = at.and_then(|at| Timestamp::from_microsecond(at.0).ok()) else { return String::new() };
    let time = zone.to_datetime(at);
    let micros = time.subsec_nanosecond() / 1_000;
    let (year, month, day) = (time.year(), time.month(), time.day());
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{micros:06}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_were() {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        for zone in [zone, TimeZone::UTC] {
            for text in ["2026-01-31 12:00:00.000000", "2022-09-01 00:00:00.000001", "1969-12-31 23:59:59.999999", ""] {
                let at = read(&zone, text).expect("a time");
                assert_eq!(write(&zone, at), text);
            }
        }
        assert_eq!(read(&TimeZone::UTC, "1970-01-01 00:00:01.5").ok().flatten(), Some(Micros(1_500_000)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in ["now", "2026-01-31", "2026-02-30 12:00:00.000000", "-001-01-31 12:00:00.000000", "2026-01-31T12:00:00.000000Z"] {
            assert!(read(&TimeZone::UTC, bad).is_err(), "{bad}");
        }
    }
}
