//! Holidays of the United States and what they do to the sales of each category, before and on the day.
//!
//! Effects are log factors made up for the demo; the dates, moving ones included, are true.

use jiff::civil::{Date, Weekday, date};

use super::catalogue::CATEGORY_COUNT;

/// A holiday, its effect on the day, and the lift of the days before it, which rises to `lead` on the eve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holiday {
    pub(crate) date: Date,
    pub(crate) on_day: [f64; CATEGORY_COUNT],
    pub(crate) lead_days: i32,
    pub(crate) lead: [f64; CATEGORY_COUNT],
    pub(crate) is_closed: bool,
}

/// Returns the holidays of a year, in order of date.
///
/// The columns of effects are: bakery, beverages, dairy, frozen, household, produce.
pub(crate) fn holidays_of(year: i16) -> Vec<Holiday> {
    let thanksgiving = nth_weekday(year, 11, 4, Weekday::Thursday);
    let open = |date, on_day, lead_days, lead| Holiday { date, on_day, lead_days, lead, is_closed: false };
    vec![
        open(date(year, 1, 1), [-0.5, -0.2, -0.6, -0.4, -0.7, -0.6], 4, [0.1, 0.6, 0.1, 0.1, 0.0, 0.1]),
        open(date(year, 2, 14), [0.5, 0.25, 0.15, 0.0, 0.0, 0.2], 2, [0.35, 0.15, 0.1, 0.0, 0.0, 0.15]),
        open(easter(year), [-0.3, -0.4, -0.4, -0.4, -0.8, -0.3], 5, [0.45, 0.3, 0.4, 0.1, 0.1, 0.5]),
        open(last_weekday(year, 5, Weekday::Monday), [0.1, 0.4, 0.0, 0.2, -0.2, 0.2], 3, [0.15, 0.4, 0.1, 0.25, 0.1, 0.3]),
        open(date(year, 7, 4), [0.0, 0.45, 0.0, 0.25, -0.3, 0.1], 4, [0.2, 0.6, 0.1, 0.35, 0.05, 0.35]),
        open(nth_weekday(year, 9, 1, Weekday::Monday), [0.05, 0.3, 0.0, 0.15, -0.2, 0.1], 2, [0.1, 0.3, 0.05, 0.15, 0.05, 0.2]),
        open(date(year, 10, 31), [0.4, 0.2, 0.0, 0.0, 0.05, 0.3], 5, [0.3, 0.15, 0.0, 0.0, 0.1, 0.35]),
        open(thanksgiving, [-0.6, -0.5, -0.6, -0.5, -1.0, -0.6], 6, [0.6, 0.4, 0.5, 0.4, 0.15, 0.6]),
        open(thanksgiving.tomorrow().expect("a day after November"), [-0.1, 0.0, -0.2, 0.0, 0.8, -0.2], 0, [0.0; CATEGORY_COUNT]),
        Holiday {
            date: date(year, 12, 25),
            on_day: [0.0; CATEGORY_COUNT],
            lead_days: 9,
            lead: [0.7, 0.6, 0.45, 0.3, 0.3, 0.5],
            is_closed: true,
        },
    ]
}

/// Returns the `nth` (from 1) of this weekday in a month.
fn nth_weekday(year: i16, month: i8, nth: i8, weekday: Weekday) -> Date {
    date(year, month, 1).nth_weekday_of_month(nth, weekday).expect("every month has four of each weekday")
}

/// Returns the last of this weekday in a month.
fn last_weekday(year: i16, month: i8, weekday: Weekday) -> Date {
    date(year, month, 1).nth_weekday_of_month(-1, weekday).expect("every month has each weekday")
}

/// Returns Easter Sunday of the Gregorian calendar.
///
/// Source: the "anonymous" algorithm in Meeus (1991), "Astronomical Algorithms", chapter 8.
fn easter(year: i16) -> Date {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, year_of_century) = (year_number / 100, year_number % 100);
    let skipped_leaps = century - century / 4 - (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + skipped_leaps + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (year_of_century / 4) - epact - year_of_century % 4) % 7;
    let correction = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * correction + 114;
    date(year, (days / 31) as i8, (days % 31 + 1) as i8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_moves_as_the_almanacs_say() {
        let dates = [2021, 2022, 2023, 2024, 2025, 2038].map(easter);
        assert_eq!(dates, [date(2021, 4, 4), date(2022, 4, 17), date(2023, 4, 9), date(2024, 3, 31), date(2025, 4, 20), date(2038, 4, 25)]);
    }

    #[test]
    fn holidays_are_in_order_of_date() {
        for year in 2015..=2030 {
            assert!(holidays_of(year).is_sorted_by_key(|holiday| holiday.date));
        }
    }
}
