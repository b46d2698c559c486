//! Local time and UTC, fast: the clock changes of one zone over the span of a table.
//!
//! Not here: which row of a repeated hour is which (`grid`).

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The offsets of a time zone, by when they begin.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    /// (UTC micros from which it holds, offset in micros), ascending; the first one holds for ever before.
    offsets: Vec<(i64, i64)>,
}

/// What a local time is in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utc {
    /// The clock jumped over it.
    Never,
    /// As usual.
    Once(i64),
    /// The clock was put back: it came twice.
    Twice(i64, i64),
}

const TWO_DAYS: i64 = 2 * almanac_series::MICROS_PER_DAY;

impl Zone {
    /// Reads the changes between two times (micros) from the zone's rules. `None` if the name is not known.
    pub(crate) fn new(name: &str, first: i64, last: i64) -> Option<Self> {
        let zone = if name == "+00:00" || name == "Z" { TimeZone::UTC } else { TimeZone::get(name).ok()? };
        let start = Timestamp::from_microsecond(first.saturating_sub(TWO_DAYS)).unwrap_or(Timestamp::MIN);
        let end = last.saturating_add(TWO_DAYS);
        let micros = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1_000_000;
        let mut offsets = vec![(i64::MIN, micros(zone.to_offset(start)))];
        for change in zone.following(start) {
            let at = change.timestamp().as_microsecond();
            if at > end {
                break;
            }
            offsets.push((at, micros(change.offset())));
        }
        Some(Self { offsets })
    }

    /// Returns the UTC time or times of a local one.
    pub(crate) fn utc(&self, local: i64) -> Utc {
        // Offsets are below a day, so that only the changes within a day of the local time matter.
        let from = self.offsets.partition_point(|(at, _)| *at < local.saturating_sub(TWO_DAYS)).saturating_sub(1);
        let mut found = Utc::Never;
        for index in from..self.offsets.len() {
            let (start, offset) = self.offsets[index];
            let end = self.offsets.get(index + 1).map_or(i64::MAX, |(at, _)| *at);
            let utc = local - offset;
            if start <= utc && utc < end {
                found = match found {
                    Utc::Once(earlier) => Utc::Twice(earlier, utc),
                    _ => Utc::Once(utc),
                };
            }
            if start > local.saturating_add(TWO_DAYS) {
                break;
            }
        }
        found
    }

    /// Returns the local time of a UTC one.
    pub(crate) fn local(&self, utc: i64) -> i64 {
        let index = self.offsets.partition_point(|(at, _)| *at <= utc) - 1;
        utc + self.offsets[index].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a valid time").as_microsecond()
    }

    #[test]
    fn clock_changes_in_berlin_are_known() {
        let zone = Zone::new("Europe/Berlin", at("2024-01-01T00:00:00Z"), at("2024-12-31T00:00:00Z")).expect("known");
        assert_eq!(zone.utc(at("2024-06-01T12:00:00Z")), Utc::Once(at("2024-06-01T10:00:00Z")));
        assert_eq!(zone.utc(at("2024-03-31T02:30:00Z")), Utc::Never);
        assert_eq!(zone.utc(at("2024-10-27T02:30:00Z")), Utc::Twice(at("2024-10-27T00:30:00Z"), at("2024-10-27T01:30:00Z")));
        assert_eq!(zone.local(at("2024-10-27T01:30:00Z")), at("2024-10-27T02:30:00Z"));
        assert!(Zone::new("Europe/Atlantis", 0, 1).is_none());
    }
}
