//! Timestamps of a predict request: from text to the integers that the core counts in.
//!
//! Not here: alignment to a frequency, which the service checks.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// How a project's timestamps are read.
#[derive(Debug)]
pub(crate) enum DsReader {
    /// Integer steps.
    Step,
    /// Civil times; an offset has no meaning.
    Civil,
    /// Instants; a time without offset is of this zone.
    Zoned(TimeZone),
}

impl DsReader {
    /// Returns the reader for a project's `freq` and `timezone`.
    pub(crate) fn new(freq: &str, timezone: Option<&str>) -> Result<Self, jiff::Error> {
        Ok(match timezone {
            _ if freq.bytes().all(|byte| byte.is_ascii_digit()) => Self::Step,
            None => Self::Civil,
            Some(name) => Self::Zoned(TimeZone::get(name)?),
        })
    }

    /// Returns microseconds since 1970-01-01 or the step, or what was expected instead.
    pub(crate) fn read(&self, text: &str) -> Result<i64, &'static str> {
        match self {
            Self::Step => {
                let step = text.parse().ok().filter(|step: &i64| step.unsigned_abs() <= LARGEST_STEP);
                step.ok_or("an integer step, such as 17")
            }
            Self::Civil => {
                let expected = "a date or a date with a time and no offset, such as `2024-01-31` or `2024-01-31T13:30:00`";
                if text.parse::<Timestamp>().is_ok() {
                    return Err(expected);
                }
                let time: DateTime = text.parse().map_err(|_| expected)?;
                in_reach(time.year()).map(|()| civil_micros(time))
            }
            Self::Zoned(zone) => {
                if let Ok(instant) = text.parse::<Timestamp>() {
                    return in_reach(zone.to_datetime(instant).year()).map(|()| instant.as_microsecond());
                }
                let expected = "a time, such as `2024-01-31T13:30:00` or `2024-01-31T13:30:00+01:00`";
                let time: DateTime = text.parse().map_err(|_| expected)?;
                in_reach(time.year())?;
                zone.to_timestamp(time).map(Timestamp::as_microsecond).map_err(|_| expected)
            }
        }
    }
}

/// Steps beyond this have no exact place among floats, and no room for a horizon.
const LARGEST_STEP: u64 = 1 << 53;

/// Refuses years from which a horizon could lead out of the calendar.
fn in_reach(year: i16) -> Result<(), &'static str> {
    if (1..=9000).contains(&year) { Ok(()) } else { Err("a time between the years 1 and 9000") }
}

fn civil_micros(time: DateTime) -> i64 {
    let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
    time.duration_since(epoch).as_micros() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn a_civil_date_counts_from_the_epoch() {
        let reader = DsReader::new("D", None).expect("valid");
        assert_eq!(reader.read("1970-01-02"), Ok(DAY));
        assert_eq!(reader.read("1970-01-02T12:00:00"), Ok(DAY + DAY / 2));
        assert_eq!(reader.read("1969-12-31"), Ok(-DAY));
    }

    #[test]
    fn an_offset_needs_a_project_with_a_time_zone() {
        let civil = DsReader::new("h", None).expect("valid");
        assert!(civil.read("2024-01-31T10:00:00+01:00").is_err());
        let zoned = DsReader::new("h", Some("UTC")).expect("valid");
        assert_eq!(zoned.read("1970-01-02T01:00:00+01:00"), Ok(DAY));
        assert_eq!(zoned.read("1970-01-02T00:00:00"), Ok(DAY));
    }

    #[test]
    fn integer_steps_are_taken_as_they_are() {
        let reader = DsReader::new("1", None).expect("valid");
        assert_eq!(reader.read("17"), Ok(17));
        assert!(reader.read("2024-01-31").is_err());
        assert!(reader.read("9223372036854775807").is_err(), "no step could follow");
    }

    #[test]
    fn a_year_at_the_end_of_the_calendar_is_refused() {
        let civil = DsReader::new("D", None).expect("valid");
        let zoned = DsReader::new("h", Some("UTC")).expect("valid");
        for text in ["9999-12-31", "-009999-01-01", "0000-12-31"] {
            assert_eq!(civil.read(text), Err("a time between the years 1 and 9000"), "{text}");
            assert!(zoned.read(&format!("{text}T00:00:00Z")).is_err(), "{text}");
        }
        assert!(civil.read("9000-12-31").is_ok());
    }
}
