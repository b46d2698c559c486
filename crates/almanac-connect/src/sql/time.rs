//! Dates and times as databases write them, as microseconds and days since 1970; and back, for conditions.
//!
//! Not here: guessing formats (bronze does that for text files).

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit};

use crate::landing::Mark;

/// Reads `2024-01-31`.
pub(crate) fn date(text: &str) -> Option<i32> {
    let date: Date = if text.len() == 10 { text.parse().ok()? } else { return None };
    Some(date.since((Unit::Day, EPOCH)).ok()?.get_days())
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Reads `2024-01-31 12:30:00.5`, with `T` and an offset if they are there; without an offset it counts as UTC.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let civil: DateTime = text.parse().ok()?;
    // A zone in brackets or an offset would have been an instant, or is wrong.
    if text.ends_with(['Z', 'z', ']']) {
        return None;
    }
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// Writes a mark as SQL and services read it: `2024-01-31`, `2024-01-31 12:30:00.500000`, `17`.
pub(crate) fn mark(mark: Mark, separator: char) -> String {
    match mark {
        Mark::Integer(value) => value.to_string(),
        Mark::Date(days) => EPOCH.checked_add(days.days()).map_or_else(|_| "9999-12-31".to_owned(), |date| date.to_string()),
        Mark::Timestamp(micros) => {
            let instant = Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX });
            let text = TimeZone::UTC.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
            text.replacen(' ', &separator.to_string(), 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_and_written_exactly() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!((date("0000-00-00"), date("2024-02-30"), date("2024-1-1"), date("")), (None, None, None, None));
        let noon = 1_706_702_400_000_000;
        for text in ["2024-01-31 12:00:00", "2024-01-31T12:00:00.000", "2024-01-31T12:00:00Z", "2024-01-31 14:00:00+02:00"] {
            assert_eq!(timestamp(text), Some(noon), "{text}");
        }
        assert_eq!(timestamp("0000-00-00 00:00:00"), None);
        assert_eq!(timestamp("yesterday"), None);
        assert_eq!(mark(Mark::Timestamp(noon + 1), ' '), "2024-01-31 12:00:00.000001");
        assert_eq!(mark(Mark::Date(-1), 'T'), "1969-12-31");
        assert_eq!(mark(Mark::Integer(-5), ' '), "-5");
    }
}
