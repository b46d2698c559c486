//! Frequencies: the spacing of `ds`, and the exact map between timestamps and integer periods.
//!
//! A timestamp is an `i64`: microseconds since 1970-01-01 of naive civil time, or of UTC where the panel has a time zone
//! (then an hour is an hour across a clock change). Data without dates ([`Freq::Step`]) uses the integer itself.
//! A [`Period`] is the ordinal of a timestamp on the grid of a frequency, so that `steps ahead` is plain addition.
//!
//! Aliases are those of pandas (`D`, `W-FRI`, `MS`, `QE-DEC`, `30min`), old and new spellings.
//!
//! Not here: guessing a frequency from data (`infer`), holidays (`almanac-features`).

use std::fmt;
use std::str::FromStr;

pub use jiff::civil::Weekday;
use jiff::civil::{Date, DateTime, date};
use jiff::{Span, Unit};

/// Microseconds in a civil day.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Ordinal of a timestamp on the grid of a [`Freq`]. Only comparable within one frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(pub i64);

impl Period {
    /// Returns the period `steps` later (earlier where negative).
    pub fn plus(self, steps: i64) -> Self {
        Self(self.0 + steps)
    }

    /// Returns how many steps `self` is after `earlier`.
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// The spacing of `ds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Freq {
    /// Integer steps without a calendar.
    Step,
    /// Every `n` seconds, counted from midnight UTC of 1970-01-01.
    Second(u32),
    /// Every `n` minutes.
    Minute(u32),
    /// Every `n` hours.
    Hour(u32),
    /// Every day.
    Day,
    /// Monday to Friday. A weekend timestamp belongs to the Friday before it.
    BusinessDay,
    /// Every week, labelled by the given day, which closes it (pandas' `W-FRI`).
    Week(Weekday),
    /// Every `months` months (1, 3, 6 or 12), labelled by the first or last day.
    Month {
        /// Months in a period.
        months: u8,
        /// First month of some period, 1..=12 (in a year that starts in April: 4).
        anchor: u8,
        /// Labelled by the last day of the period instead of the first.
        end: bool,
    },
}

/// A frequency alias that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("frequency `{given}` is not known")]
pub struct FreqError {
    /// The alias as given.
    pub given: String,
}

impl crate::Hint for FreqError {
    fn hint(&self) -> Option<String> {
        Some("use a pandas alias: `D`, `B`, `W-MON` … `W-SUN`, `MS`, `ME`, `QS`, `QE`, `YS`, `YE`, `h`, `30min`, `s`, or `1` for integer steps".into())
    }
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MON", Weekday::Monday),
    ("TUE", Weekday::Tuesday),
    ("WED", Weekday::Wednesday),
    ("THU", Weekday::Thursday),
    ("FRI", Weekday::Friday),
    ("SAT", Weekday::Saturday),
    ("SUN", Weekday::Sunday),
];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const EPOCH: Date = date(1970, 1, 1); // a Thursday

impl Freq {
    /// Returns the period that holds the timestamp.
    pub fn period(self, ds: i64) -> Period {
        let day = ds.div_euclid(MICROS_PER_DAY);
        Period(match self {
            Self::Step => ds,
            Self::Second(_) | Self::Minute(_) | Self::Hour(_) => ds.div_euclid(self.micros().expect("fixed width")),
            Self::Day => day,
            Self::BusinessDay => {
                // Day 4 is Monday 1970-01-05.
                let week = (day - 4).div_euclid(7);
                week * 5 + (day - 4).rem_euclid(7).min(4)
            }
            Self::Week(anchor) => -((week_close(anchor) - day).div_euclid(7)),
            Self::Month { months, anchor, .. } => {
                let civil = civil_date(day);
                let month = i64::from(civil.year()) * 12 + i64::from(civil.month()) - i64::from(anchor);
                month.div_euclid(i64::from(months))
            }
        })
    }

    /// Returns the timestamp that labels the period.
    pub fn ds(self, period: Period) -> i64 {
        let n = period.0;
        match self {
            Self::Step => n,
            Self::Second(_) | Self::Minute(_) | Self::Hour(_) => n * self.micros().expect("fixed width"),
            Self::Day => n * MICROS_PER_DAY,
            Self::BusinessDay => (4 + n.div_euclid(5) * 7 + n.rem_euclid(5)) * MICROS_PER_DAY,
            Self::Week(anchor) => (week_close(anchor) + 7 * n) * MICROS_PER_DAY,
            Self::Month { months, anchor, end } => {
                let first = n * i64::from(months) + i64::from(anchor) - 1;
                let label = if end { first + i64::from(months) } else { first };
                let (year, month) = (label.div_euclid(12), label.rem_euclid(12) + 1);
                let first_day = date(clamp_year(year), month as i8, 1);
                (epoch_day(first_day) - i64::from(end)) * MICROS_PER_DAY
            }
        }
    }

    /// Returns whether the timestamp is exactly a label of this frequency.
    pub fn is_aligned(self, ds: i64) -> bool {
        self.ds(self.period(ds)) == ds
    }

    /// Returns the steps of the usual season: 7 for days, 52 for weeks, 12 for months, 24 for hours, 1 where there is none.
    pub fn season_length(self) -> crate::SeasonLength {
        let steps = match self {
            Self::Step => 1,
            Self::Second(n) => 60 / n as usize,
            Self::Minute(n) => 1440 / n as usize,
            Self::Hour(n) => 24 / n as usize,
            Self::Day => 7,
            Self::BusinessDay => 5,
            Self::Week(_) => 52,
            Self::Month { months, .. } => 12 / usize::from(months),
        };
        crate::SeasonLength::new(steps.max(1)).expect("at least 1")
    }

    /// Returns the number of steps in a year, rounded, or `None` where there is no calendar.
    pub fn steps_per_year(self) -> Option<f64> {
        match self {
            Self::Step => None,
            Self::Second(_) | Self::Minute(_) | Self::Hour(_) => Some(365.25 * MICROS_PER_DAY as f64 / self.micros()? as f64),
            Self::Day => Some(365.25),
            Self::BusinessDay => Some(260.9),
            Self::Week(_) => Some(52.18),
            Self::Month { months, .. } => Some(12.0 / f64::from(months)),
        }
    }

    /// Returns whether periods are shorter than a day.
    pub fn is_intraday(self) -> bool {
        matches!(self, Self::Second(_) | Self::Minute(_) | Self::Hour(_))
    }

    /// Returns whether the frequency has a calendar at all.
    pub fn has_calendar(self) -> bool {
        self != Self::Step
    }

    /// Returns the civil date and time that labels the period; `None` for integer steps.
    pub fn civil(self, period: Period) -> Option<DateTime> {
        if self == Self::Step {
            return None;
        }
        let ds = self.ds(period);
        let (day, rest) = (ds.div_euclid(MICROS_PER_DAY), ds.rem_euclid(MICROS_PER_DAY));
        let midnight = civil_date(day).to_datetime(jiff::civil::Time::midnight());
        Some(midnight.saturating_add(Span::new().microseconds(rest)))
    }

    /// Writes the period's label as text: the integer, `2024-01-31`, or `2024-01-31T13:30:00`.
    pub fn label(self, period: Period) -> String {
        match self.civil(period) {
            None => period.0.to_string(),
            Some(at) if self.is_intraday() => at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            Some(at) => at.date().to_string(),
        }
    }

    fn micros(self) -> Option<i64> {
        match self {
            Self::Second(n) => Some(i64::from(n) * MICROS_PER_SECOND),
            Self::Minute(n) => Some(i64::from(n) * 60 * MICROS_PER_SECOND),
            Self::Hour(n) => Some(i64::from(n) * 3600 * MICROS_PER_SECOND),
            _ => None,
        }
    }
}

/// First day on or after the epoch that closes a week with this anchor, as a day number.
fn week_close(anchor: Weekday) -> i64 {
    // Thursday is day 0.
    i64::from(anchor.to_monday_zero_offset() - Weekday::Thursday.to_monday_zero_offset()).rem_euclid(7)
}

fn clamp_year(year: i64) -> i16 {
    year.clamp(-9998, 9998) as i16
}

fn epoch_day(civil: Date) -> i64 {
    let span = civil.since((Unit::Day, EPOCH)).expect("two civil dates are never further apart than a span holds");
    i64::from(span.get_days())
}

/// Civil date of a day number; days outside the calendar of the library stick to its ends.
pub(crate) fn civil_date(day: i64) -> Date {
    EPOCH.saturating_add(Span::new().days(day.clamp(-4_000_000, 2_900_000)))
}

impl FromStr for Freq {
    type Err = FreqError;

    fn from_str(given: &str) -> Result<Self, FreqError> {
        let unknown = || FreqError { given: given.to_owned() };
        let text = given.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, rest) = text.split_at(digits);
        let count: u32 = if count.is_empty() { 1 } else { count.parse().map_err(|_| unknown())? };
        if rest.is_empty() && digits > 0 {
            return if count == 1 { Ok(Self::Step) } else { Err(unknown()) };
        }
        let upper = rest.to_ascii_uppercase();
        let (name, anchor) = upper.split_once('-').map_or((upper.as_str(), None), |(name, anchor)| (name, Some(anchor)));
        let divides = |whole: u32| (1..=whole).contains(&count) && whole.is_multiple_of(count);
        let freq = match (rest, name) {
            ("min", _) | (_, "T" | "MIN") if divides(1440) => Self::Minute(count),
            (_, "H" | "HOUR" | "HOURLY") if divides(24) => Self::Hour(count),
            (_, "S" | "SEC") if divides(86_400) => Self::Second(count),
            (_, "D" | "DAILY") if count == 1 => Self::Day,
            (_, "D") if count == 7 => Self::Week(Weekday::Sunday),
            (_, "B") if count == 1 => Self::BusinessDay,
            (_, "W" | "WEEKLY") if count == 1 => {
                let wanted = anchor.unwrap_or("SUN");
                let (_, day) = WEEKDAYS.iter().find(|(name, _)| *name == wanted).ok_or_else(unknown)?;
                return Ok(Self::Week(*day));
            }
            (_, "MS" | "M" | "ME" | "MONTHLY" | "QS" | "Q" | "QE" | "YS" | "Y" | "YE" | "AS" | "A") => {
                let unit = match name.as_bytes()[0] {
                    b'M' => 1,
                    b'Q' => 3,
                    _ => 12,
                };
                let months = unit * count;
                if ![1, 3, 6, 12].contains(&months) {
                    return Err(unknown());
                }
                let end = !name.ends_with('S') && name != "MONTHLY";
                // A start alias names the first month of a period, an end alias the last one.
                let anchor = match anchor {
                    None => 1,
                    Some(wanted) => {
                        let month = MONTHS.iter().position(|name| *name == wanted).ok_or_else(unknown)? as u32 + 1;
                        if end { month % 12 + 1 } else { month }
                    }
                };
                return Ok(Self::Month { months: months as u8, anchor: ((anchor - 1) % months) as u8 + 1, end });
            }
            _ => return Err(unknown()),
        };
        if anchor.is_some() { Err(unknown()) } else { Ok(freq) }
    }
}

impl fmt::Display for Freq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |f: &mut fmt::Formatter<'_>, n: u32, name: &str| if n == 1 { f.write_str(name) } else { write!(f, "{n}{name}") };
        match *self {
            Self::Step => f.write_str("1"),
            Self::Second(n) => counted(f, n, "s"),
            Self::Minute(n) => counted(f, n, "min"),
            Self::Hour(n) => counted(f, n, "h"),
            Self::Day => f.write_str("D"),
            Self::BusinessDay => f.write_str("B"),
            Self::Week(anchor) => write!(f, "W-{}", WEEKDAYS[anchor.to_monday_zero_offset() as usize].0),
            Self::Month { months, anchor, end } => {
                let edge = if end { 'E' } else { 'S' };
                if months == 6 {
                    f.write_str("2")?;
                }
                let unit = match months {
                    1 => 'M',
                    3 | 6 => 'Q',
                    _ => 'Y',
                };
                write!(f, "{unit}{edge}")?;
                let named = if end { (usize::from(anchor) + usize::from(months) - 2) % 12 } else { usize::from(anchor) - 1 };
                let usual = if end { usize::from(months) - 1 } else { 0 };
                if months > 1 && named != usual { write!(f, "-{}", MONTHS[named]) } else { Ok(()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ds(text: &str) -> i64 {
        let at: DateTime = text.parse().expect("a civil timestamp");
        epoch_day(at.date()) * MICROS_PER_DAY
            + at.time().since(jiff::civil::Time::midnight()).expect("same day").total(Unit::Microsecond).expect("time") as i64
    }

    #[track_caller]
    fn check(alias: &str, given: &str, label: &str) {
        let freq: Freq = alias.parse().expect(alias);
        let period = freq.period(ds(given));
        assert_eq!(freq.label(period), label, "{alias} {given}");
        assert_eq!(freq.period(freq.ds(period)), period, "labels round-trip");
        assert!(freq.ds(period.plus(1)) > freq.ds(period));
        assert_eq!(freq.to_string().parse::<Freq>(), Ok(freq), "aliases round-trip");
    }

    #[test]
    fn timestamps_find_their_period() {
        check("D", "2024-02-29T10:00", "2024-02-29");
        check("W-FRI", "2012-10-26", "2012-10-26");
        check("W-FRI", "2012-10-27", "2012-11-02");
        check("W", "2024-01-01", "2024-01-07");
        check("W-MON", "1969-12-29", "1969-12-29");
        check("MS", "2024-02-29", "2024-02-01");
        check("ME", "2024-02-01", "2024-02-29");
        check("M", "2023-02-01", "2023-02-28");
        check("QS", "1998-12-31", "1998-10-01");
        check("QE-DEC", "1998-11-02", "1998-12-31");
        check("QS-FEB", "1998-01-31", "1997-11-01");
        check("YE", "1960-05-05", "1960-12-31");
        check("YS-APR", "2024-03-31", "2023-04-01");
        check("YE-MAR", "2024-03-31", "2024-03-31");
        check("h", "2024-03-31T02:59:59", "2024-03-31T02:00:00");
        check("30min", "1969-12-31T23:45", "1969-12-31T23:30:00");
        check("B", "2024-06-09", "2024-06-07");
        check("B", "2024-06-10", "2024-06-10");
        check("2QS", "2024-08-10", "2024-07-01");
    }

    #[test]
    fn consecutive_business_days_skip_the_weekend() {
        let period = Freq::BusinessDay.period(ds("2024-06-07"));
        assert_eq!(Freq::BusinessDay.label(period.plus(1)), "2024-06-10");
        assert_eq!(Freq::BusinessDay.label(period.plus(-5)), "2024-05-31");
    }

    #[test]
    fn integer_steps_have_no_calendar() {
        let freq: Freq = "1".parse().expect("steps");
        assert_eq!(freq.label(freq.period(42)), "42");
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for alias in ["", "X", "W-XXX", "5M", "D-MON", "0h", "7h", "2D"] {
            assert!(alias.parse::<Freq>().is_err(), "{alias}");
        }
    }
}
