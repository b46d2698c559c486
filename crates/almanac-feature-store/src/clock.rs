//! Instants and spans: microseconds since 1970 in UTC, and how they are written.
//!
//! Not here: what the time is; that comes from the caller.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Reads an instant: RFC 3339, or a civil date or time in `zone`.
pub fn parse_instant(text: &str, zone: &TimeZone) -> Option<Micros> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let civil = text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
    Some(zone.to_timestamp(civil).ok()?.as_microsecond())
}

/// Writes an instant as RFC 3339; a number outside the calendar is written as it is.
pub fn write_instant(micros: Micros) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |instant| instant.to_string())
}

/// Reads a span such as `90s`, `15m`, `12h`, `7d`, `2w`: a whole number and a unit of fixed length. At most a thousand years.
pub fn parse_span(text: &str) -> Option<Micros> {
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let unit = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let seconds = number.parse::<i64>().ok()?.checked_mul(unit)?;
    (seconds > 0 && seconds <= 366 * 86_400 * 1000).then_some(seconds * 1_000_000)
}

/// Writes a span in the largest unit that fits whole.
pub fn write_span(micros: Micros) -> String {
    let seconds = micros / 1_000_000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds % size == 0).unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(parse_span("7d"), Some(7 * 86_400_000_000));
        assert_eq!(parse_span("2w").map(write_span).as_deref(), Some("14d"));
        assert_eq!(parse_span("90s").map(write_span).as_deref(), Some("90s"));
        for text in ["", "7", "d", "-7d", "0d", "7 years", "99999999999999999999d", "9223372036854775807w"] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }

    #[test]
    fn instants_are_read_with_and_without_a_zone() {
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        assert_eq!(parse_instant("1970-01-01T01:00:00+01:00", &berlin), Some(0));
        assert_eq!(parse_instant("1970-01-01T01:00:00", &berlin), Some(0));
        assert_eq!(parse_instant("1970-01-02", &TimeZone::UTC), Some(86_400_000_000));
        assert_eq!(parse_instant("soon", &TimeZone::UTC), None);
    }
}
