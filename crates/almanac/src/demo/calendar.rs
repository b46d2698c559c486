//! Every day of a demo with what is true of it for all series: weekday, season, holiday effects, how files spell it.

use jiff::civil::Date;

use super::catalogue::CATEGORY_COUNT;
use super::holidays::holidays_of;
use super::spec::DemoSpec;

/// The days of the history, followed by the days that are known ahead.
#[derive(Debug)]
pub(crate) struct Calendar {
    pub(crate) days: Vec<CalendarDay>,
    /// How many of `days` have sales; the rest lie ahead.
    pub(crate) history: usize,
}

/// One day.
#[derive(Debug)]
pub(crate) struct CalendarDay {
    pub(crate) date: Date,
    /// `2024-12-30`.
    pub(crate) iso: String,
    /// `30.12.2024`.
    pub(crate) dotted: String,
    /// Monday is 0.
    pub(crate) weekday: usize,
    /// Place in the year, in radians.
    pub(crate) year_angle: f64,
    /// Log factor of holidays, by category.
    pub(crate) holiday_lift: [f64; CATEGORY_COUNT],
    /// No shop opens.
    pub(crate) is_closed: bool,
}

impl Calendar {
    /// Lays out the days of a demo.
    pub(crate) fn new(spec: &DemoSpec) -> Self {
        let first = spec.first_day();
        let last = spec.last_known_day();
        let mut days: Vec<CalendarDay> =
            first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).map(CalendarDay::new).collect();
        // One year more, because the lead of a holiday reaches back over the turn of the year.
        for holiday in (first.year()..=last.year() + 1).flat_map(holidays_of) {
            let at = (holiday.date - first).get_days();
            for lead in 0..=holiday.lead_days {
                let Some(day) = usize::try_from(at - lead).ok().and_then(|index| days.get_mut(index)) else { continue };
                for category in 0..CATEGORY_COUNT {
                    day.holiday_lift[category] += if lead == 0 {
                        holiday.on_day[category]
                    } else {
                        holiday.lead[category] * f64::from(holiday.lead_days + 1 - lead) / f64::from(holiday.lead_days)
                    };
                }
                day.is_closed |= lead == 0 && holiday.is_closed;
            }
        }
        Self { days, history: spec.days as usize }
    }
}

impl CalendarDay {
    fn new(date: Date) -> Self {
        Self {
            date,
            iso: date.to_string(),
            dotted: format!("{:02}.{:02}.{:04}", date.day(), date.month(), date.year()),
            weekday: date.weekday().to_monday_zero_offset() as usize,
            year_angle: std::f64::consts::TAU * f64::from(date.day_of_year()) / 365.25,
            holiday_lift: [0.0; CATEGORY_COUNT],
            is_closed: false,
        }
    }
}
