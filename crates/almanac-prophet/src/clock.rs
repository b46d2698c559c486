//! From periods to the times that trend, seasons and holidays are functions of.
//!
//! Not here: the holidays, frequencies themselves (`almanac-series`).

use almanac_series::{Freq, MICROS_PER_DAY, Panel, Period};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The calendar of a panel.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    freq: Freq,
    timezone: Option<TimeZone>,
}

impl Clock {
    /// Reads the calendar of a panel; the error says that its time zone is not known.
    pub(crate) fn new(panel: &Panel) -> Result<Self, String> {
        let freq = panel.freq();
        let unknown = |name: &str| format!("time zone `{name}` is not known");
        let find = |name: &str| TimeZone::get(name).map_err(|_| unknown(name));
        let timezone = panel.timezone().filter(|_| freq.is_intraday()).map(find).transpose()?;
        Ok(Self { freq, timezone })
    }

    /// Tells whether there are dates at all.
    pub(crate) fn has_calendar(&self) -> bool {
        self.freq.has_calendar()
    }

    /// Time of a period: microseconds, or steps where there are no dates.
    pub(crate) fn time(&self, period: Period) -> i64 {
        self.freq.ds(period)
    }

    /// Civil days since 1970-01-01, with the hours as a fraction.
    pub(crate) fn civil_days(&self, period: Period) -> f64 {
        let micros = self.civil_micros(period);
        let (day, rest) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
        day as f64 + rest as f64 / MICROS_PER_DAY as f64
    }

    /// First and last civil day of a period.
    pub(crate) fn days(&self, period: Period) -> (i64, i64) {
        let day = |period: Period| self.civil_micros(period).div_euclid(MICROS_PER_DAY);
        match self.freq {
            Freq::Week(_) => (day(period) - 6, day(period)),
            Freq::Month { end: true, .. } => (day(period.plus(-1)) + 1, day(period)),
            Freq::Month { end: false, .. } => (day(period), day(period.plus(1)) - 1),
            _ => (day(period), day(period)),
        }
    }

    fn civil_micros(&self, period: Period) -> i64 {
        let ds = self.freq.ds(period);
        let Some(timezone) = &self.timezone else { return ds };
        // Outside the years that a time zone is known for, UTC will do.
        Timestamp::from_microsecond(ds).map_or(ds, |at| ds + i64::from(timezone.to_offset(at).seconds()) * 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use almanac_series::PanelBuilder;

    #[test]
    fn hours_are_those_of_the_panels_time_zone() {
        let clock = |zone| Clock::new(&PanelBuilder::new(Freq::Hour(1), &[], &[]).timezone(zone).finish(vec![]).expect("no series"));
        // 2024-07-04 02:00 UTC is still the third in New York.
        let period = Period(19_908 * 24 + 2);
        let there = clock(Some("America/New_York")).expect("known");
        assert_eq!((there.civil_days(period), there.days(period)), (19_907.0 + 22.0 / 24.0, (19_907, 19_907)));
        assert_eq!(clock(None).expect("none").days(period), (19_908, 19_908));
        assert_eq!(clock(Some("Mars/Olympus")).unwrap_err(), "time zone `Mars/Olympus` is not known");
    }
}
