//! Dates as people write them.
//!
//! ISO dates and times (with a zone they become UTC), `2024-01`, `2024 Q1`, `2024-W05`, `31.12.2024`, `12/31/2024`,
//! `20241231`, month names, seconds since the epoch, and any `strftime` pattern. Whether `3/4/2024` is in March or in
//! April is settled over the whole column (`profile`), never cell by cell.
//!
//! Not here: time zones of the data (`[data] timezone`), frequencies (`almanac-series`).

use jiff::civil::{Date, DateTime};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// Which of two numbers is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum DayOrder {
    /// `31/12/2024`.
    DayFirst,
    /// `12/31/2024`.
    MonthFirst,
}

/// What numbers without separators mean in a date column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Digits {
    /// Nothing: they are no dates.
    None,
    /// `20241231`.
    Day,
    /// `202412`.
    Month,
    /// Seconds since 1970-01-01 UTC.
    EpochSeconds,
    /// Milliseconds since 1970-01-01 UTC.
    EpochMillis,
}

/// A cell that is a date whatever the column says, or in one or two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// One meaning. `has_time` and `has_zone` say what came with it.
    Plain { micros: i64, has_time: bool, has_zone: bool },
    /// Two numbers before a year.
    Ordered { day_first: Option<i64>, month_first: Option<i64>, has_time: bool },
}

/// How the dates of one column are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateStyle {
    pub(crate) order: Option<DayOrder>,
    pub(crate) digits: Digits,
    /// `strftime` patterns given by the user, tried before the usual forms.
    pub(crate) patterns: Vec<String>,
}

impl DateStyle {
    /// Returns the cell as microseconds since the epoch.
    pub(crate) fn parse(&self, cell: &str) -> Option<i64> {
        if let Some(micros) = self.patterns.iter().find_map(|pattern| parse_pattern(cell, pattern)) {
            return Some(micros);
        }
        if self.digits != Digits::None && cell.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return parse_digits(cell.parse().ok()?, self.digits);
        }
        match see(cell)? {
            Seen::Plain { micros, .. } => Some(micros),
            Seen::Ordered { day_first, month_first, .. } => match self.order? {
                DayOrder::DayFirst => day_first,
                DayOrder::MonthFirst => month_first,
            },
        }
    }
}

/// Reads digits as the style says.
pub(crate) fn parse_digits(number: i64, digits: Digits) -> Option<i64> {
    match digits {
        Digits::None => None,
        Digits::Day if (10_000_101..=99_991_231).contains(&number) => day(number / 10_000, number / 100 % 100, number % 100),
        Digits::Month if (100_001..=999_912).contains(&number) => day(number / 100, number % 100, 1),
        Digits::Day | Digits::Month => None,
        Digits::EpochSeconds => number.checked_mul(MICROS_PER_SECOND),
        Digits::EpochMillis => number.checked_mul(1000),
    }
}

/// Returns what a trimmed cell can mean as a date, digits alone excepted.
pub(crate) fn see(cell: &str) -> Option<Seen> {
    let bytes = cell.as_bytes();
    if bytes.len() < 6 || bytes.len() > 40 || !cell.is_ascii() {
        return None;
    }
    // The usual case first: 2024-01-31.
    if bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' {
        return Some(plain(day(number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?)?));
    }
    if !bytes[0].is_ascii_digit() {
        return if bytes[0].is_ascii_alphabetic() { named_month(cell) } else { None };
    }
    let first = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let separator = *bytes.get(first)?;
    match (first, separator) {
        (4, b'-' | b'/' | b'.') => year_first(cell, separator),
        (4, b' ' | b'Q' | b'q') => quarter(cell).or_else(|| named_month(cell)),
        (1 | 2, b'-' | b'/' | b'.') => numbered(cell, separator).or_else(|| named_month(cell)),
        (1 | 2, b' ') => named_month(cell),
        (8, b'T' | b' ') => {
            let date = parse_digits(cell[..8].parse().ok()?, Digits::Day)?;
            timed(date, &cell[9..])
        }
        _ => None,
    }
}

fn plain(micros: i64) -> Seen {
    Seen::Plain { micros, has_time: false, has_zone: false }
}

fn timed(date: i64, rest: &str) -> Option<Seen> {
    let (time, zone) = time_of_day(rest)?;
    Some(Seen::Plain { micros: date + time - zone.unwrap_or(0), has_time: true, has_zone: zone.is_some() })
}

fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0_i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

/// Microseconds of a civil day. Days from civil after Howard Hinnant, "chrono-compatible low-level date algorithms".
fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=last).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let of_era_day = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some((era * 146_097 + of_era_day - 719_468) * MICROS_PER_DAY)
}

/// `2024-1-31`, `2024/01/31 10:30`, `2024-01`, `2024-Q1`, `2024-W05`.
fn year_first(cell: &str, separator: u8) -> Option<Seen> {
    let bytes = cell.as_bytes();
    let year = number(&bytes[..4])?;
    let rest = &cell[5..];
    match rest.as_bytes().first()? {
        b'Q' | b'q' => return quarter(cell),
        b'W' | b'w' => return week(year, &rest[1..]),
        byte if byte.is_ascii_alphabetic() => return named_month(cell),
        _ => {}
    }
    let width = rest.bytes().take_while(u8::is_ascii_digit).count();
    let month = number(&rest.as_bytes()[..width])?;
    if rest.len() == width {
        // A dot would make `2024.5` a month.
        return if separator == b'.' || width > 2 { None } else { day(year, month, 1).map(plain) };
    }
    let rest = &rest[width..];
    if rest.as_bytes()[0] != separator {
        return None;
    }
    let rest = &rest[1..];
    let width = rest.bytes().take_while(u8::is_ascii_digit).count();
    let date = day(year, month, number(&rest.as_bytes()[..width])?)?;
    match rest.as_bytes().get(width) {
        None => Some(plain(date)),
        Some(b'T' | b't' | b' ' | b':') => timed(date, &rest[width + 1..]),
        Some(b'Z') if rest.len() == width + 1 => Some(plain(date)),
        Some(_) => None,
    }
}

/// `31.12.2024`, `12/31/24 10:30 PM`.
fn numbered(cell: &str, separator: u8) -> Option<Seen> {
    let (date, time) = match cell.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time)),
        None => (cell, None),
    };
    let mut parts = date.split(separator as char);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || first.len() > 2 || second.len() > 2 {
        return None;
    }
    let (first, second) = (number(first.as_bytes())?, number(second.as_bytes())?);
    let year = match (year.len(), number(year.as_bytes())?) {
        (4, year) => year,
        // As POSIX `%y`: 69..99 are of the last century.
        (2, year) if year >= 69 => 1900 + year,
        (2, year) => 2000 + year,
        _ => return None,
    };
    let time = match time {
        None => 0,
        Some(text) => time_of_day(text).filter(|(_, zone)| zone.is_none())?.0,
    };
    let day_first = day(year, second, first).map(|date| date + time);
    // Between dots the day comes first everywhere.
    let month_first = if separator == b'.' { None } else { day(year, first, second).map(|date| date + time) };
    if day_first.is_none() && month_first.is_none() {
        return None;
    }
    Some(Seen::Ordered { day_first, month_first, has_time: cell.len() > date.len() })
}

fn quarter(cell: &str) -> Option<Seen> {
    let year = number(&cell.as_bytes()[..4])?;
    let rest = cell[4..].trim_start_matches([' ', '-']).strip_prefix(['Q', 'q'])?;
    let quarter = number(rest.as_bytes()).filter(|quarter| (1..=4).contains(quarter) && rest.len() == 1)?;
    day(year, quarter * 3 - 2, 1).map(plain)
}

/// Monday of an ISO week.
fn week(year: i64, rest: &str) -> Option<Seen> {
    let week = number(rest.as_bytes()).filter(|week| (1..=53).contains(week) && rest.len() == 2)?;
    let fourth = day(year, 1, 4)? / MICROS_PER_DAY;
    // 1970-01-05 was a Monday; the fourth of January is always in week 1.
    let monday = fourth - (fourth - 4).rem_euclid(7);
    Some(plain((monday + 7 * (week - 1)) * MICROS_PER_DAY))
}

/// `31-Jan-2024`, `Jan 31, 2024`, `January 2024`, `2024 Jan`.
fn named_month(cell: &str) -> Option<Seen> {
    let mut month = None;
    let mut numbers = [0_i64; 2];
    let mut widths = [0_usize; 2];
    let mut found = 0;
    for part in cell.split([' ', '-', '/', ',', '.']).filter(|part| !part.is_empty()) {
        if part.as_bytes()[0].is_ascii_digit() {
            let slot = numbers.get_mut(found)?;
            *slot = number(part.as_bytes())?;
            widths[found] = part.len();
            found += 1;
        } else {
            let lower = part.to_ascii_lowercase();
            let position =
                MONTHS.iter().position(|name| *name == lower || name[..3] == lower || (lower == "sept" && *name == "september"))?;
            if month.replace(position as i64 + 1).is_some() {
                return None;
            }
        }
    }
    let month = month?;
    let micros = match (found, widths) {
        (1, [4, _]) => day(numbers[0], month, 1)?,
        (2, [1 | 2, 4]) => day(numbers[1], month, numbers[0])?,
        (2, [4, 1 | 2]) => day(numbers[0], month, numbers[1])?,
        (2, [1 | 2, 2]) => day(if numbers[1] >= 69 { 1900 } else { 2000 } + numbers[1], month, numbers[0])?,
        _ => return None,
    };
    Some(plain(micros))
}

/// Microseconds since midnight, and the offset of a zone if one is given.
fn time_of_day(text: &str) -> Option<(i64, Option<i64>)> {
    let text = text.trim();
    let end = text.bytes().position(|b| matches!(b, b'Z' | b'z' | b'+' | b'-' | b'A' | b'a' | b'P' | b'p' | b' ')).unwrap_or(text.len());
    let (clock, suffix) = (&text[..end], text[end..].trim());
    let mut parts = clock.split(':');
    let mut hour = number(parts.next()?.as_bytes())?;
    let minute = parts.next().map_or(Some(0), |part| number(part.as_bytes()))?;
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(part) => {
            let (whole, fraction) = part.split_once(['.', ',']).unwrap_or((part, ""));
            let kept = &fraction.as_bytes()[..fraction.len().min(6)];
            let scaled = if kept.is_empty() { 0 } else { number(kept)? * 10_i64.pow(6 - kept.len() as u32) };
            (number(whole.as_bytes())?, scaled)
        }
    };
    let zone = match suffix.as_bytes().first() {
        None => None,
        Some(b'Z' | b'z') if suffix.len() == 1 => Some(0),
        Some(b'A' | b'a' | b'P' | b'p') => {
            let is_afternoon = suffix.eq_ignore_ascii_case("pm");
            if !(1..=12).contains(&hour) || !(is_afternoon || suffix.eq_ignore_ascii_case("am")) {
                return None;
            }
            hour = hour % 12 + if is_afternoon { 12 } else { 0 };
            None
        }
        Some(sign @ (b'+' | b'-')) => {
            let digits: String = suffix[1..].chars().filter(|c| *c != ':').collect();
            let (hours, minutes) = match digits.len() {
                2 => (number(digits.as_bytes())?, 0),
                4 => (number(&digits.as_bytes()[..2])?, number(&digits.as_bytes()[2..])?),
                _ => return None,
            };
            let offset = (hours * 60 + minutes) * MICROS_PER_MINUTE;
            Some(if *sign == b'-' { -offset } else { offset })
        }
        Some(_) => return None,
    };
    let is_sound = parts.next().is_none() && (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    is_sound.then_some((((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + fraction, zone))
}

pub(crate) fn parse_pattern(cell: &str, pattern: &str) -> Option<i64> {
    match pattern {
        "epoch" => return parse_digits(cell.parse().ok()?, Digits::EpochSeconds),
        "epoch_ms" => return parse_digits(cell.parse().ok()?, Digits::EpochMillis),
        "%Y%m%d" => return parse_digits(cell.parse().ok()?, Digits::Day),
        "%Y%m" => return parse_digits(cell.parse().ok()?, Digits::Month),
        _ => {}
    }
    let broken = jiff::fmt::strtime::parse(pattern, cell).ok()?;
    let at: DateTime = match broken.to_datetime() {
        Ok(at) => at,
        Err(_) => match broken.to_date() {
            Ok(date) => date.into(),
            // A month without a day is its first.
            Err(_) => Date::new(broken.year()?, broken.month()?, 1).ok()?.into(),
        },
    };
    let midnight = day(i64::from(at.year()), i64::from(at.month()), i64::from(at.day()))?;
    let clock = (i64::from(at.hour()) * 60 + i64::from(at.minute())) * 60 + i64::from(at.second());
    let local = midnight + clock * MICROS_PER_SECOND + i64::from(at.subsec_nanosecond()) / 1000;
    Some(local - broken.offset().map_or(0, |offset| i64::from(offset.seconds()) * MICROS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str, order: Option<DayOrder>, digits: Digits) -> Option<String> {
        let micros = DateStyle { order, digits, patterns: vec![] }.parse(cell)?;
        Some(almanac_series::Freq::Second(1).label(almanac_series::Freq::Second(1).period(micros)))
    }

    #[test]
    fn dates_with_one_meaning_are_read() {
        for (cell, expected) in [
            ("2024-02-29", "2024-02-29T00:00:00"),
            ("2024-2-9", "2024-02-09T00:00:00"),
            ("2024/02/09 7:05", "2024-02-09T07:05:00"),
            ("2024-02-09T07:05:30.25", "2024-02-09T07:05:30"),
            ("2024-02-09T00:30:00+01:00", "2024-02-08T23:30:00"),
            ("2024-02-09 07:05:30Z", "2024-02-09T07:05:30"),
            ("1962-01", "1962-01-01T00:00:00"),
            ("1998 Q3", "1998-07-01T00:00:00"),
            ("1998-Q3", "1998-07-01T00:00:00"),
            ("2020-W01", "2019-12-30T00:00:00"),
            ("31.12.2024", ""), // An order is asked for even here; the column sets it.
            ("Jan 5, 2020", "2020-01-05T00:00:00"),
            ("05-Jan-20", "2020-01-05T00:00:00"),
            ("January 2020", "2020-01-01T00:00:00"),
            ("20240131T10", "2024-01-31T10:00:00"),
        ] {
            assert_eq!(read(cell, None, Digits::None).unwrap_or_default(), expected, "{cell}");
        }
    }

    #[test]
    fn two_numbers_before_a_year_need_an_order() {
        assert_eq!(read("3/4/2024", Some(DayOrder::DayFirst), Digits::None).as_deref(), Some("2024-04-03T00:00:00"));
        assert_eq!(read("3/4/2024", Some(DayOrder::MonthFirst), Digits::None).as_deref(), Some("2024-03-04T00:00:00"));
        assert_eq!(read("31/4/2024", Some(DayOrder::DayFirst), Digits::None), None);
        assert_eq!(read("12/31/24 11:30 PM", Some(DayOrder::MonthFirst), Digits::None).as_deref(), Some("2024-12-31T23:30:00"));
    }

    #[test]
    fn patterns_of_the_user_come_first() {
        let style = DateStyle { order: None, digits: Digits::None, patterns: vec!["%d%m%Y".into(), "%m-%Y".into()] };
        assert_eq!(style.parse("31011970"), Some(30 * MICROS_PER_DAY));
        assert_eq!(style.parse("02-1970"), Some(31 * MICROS_PER_DAY));
        assert_eq!(style.parse("1970-01-01"), Some(0));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for cell in [
            "2023-02-29",
            "2024-13-01",
            "1.5.3",
            "2024.5",
            "hello world",
            "12-34-56-78",
            "May the force",
            "2024-01-01x",
            "1/2",
            "ünïcödé 2024",
        ] {
            assert_eq!(see(cell), None, "{cell}");
        }
    }
}
