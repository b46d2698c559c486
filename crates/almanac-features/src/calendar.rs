//! Calendar features: what the date of a row tells (and Fourier terms, its place in a period), the same for all series, so
//! computed once for a panel.
//!
//! Civil time is that of the panel's time zone where timestamps are UTC. Holidays carry a stable code per name, so that a
//! moving holiday is the same category each year.

use almanac_series::{Freq, MICROS_PER_DAY, Panel, Period};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use rayon::prelude::*;

use crate::plan::{Feature, FeaturePlan};
use crate::{Columns, Country, FourierSpec, PlanError, fourier};

const EPOCH: Date = date(1970, 1, 1);
/// Days to and since a holiday stop counting here: further off, it has no say.
const REACH: i64 = 60;
/// Days to Easter stop counting here, for the same reason.
const EASTER_REACH: i64 = 30;
/// A longer range of periods is not tabulated at once.
const MOST_ROWS: i64 = 2_000_000;

pub(crate) fn epoch_day(civil: Date) -> i64 {
    let span = civil.since((jiff::Unit::Day, EPOCH)).expect("two civil dates are never further apart than a span holds");
    i64::from(span.get_days())
}

/// What the calendar needs to know of a plan.
#[derive(Debug, Clone)]
struct Rules {
    freq: Freq,
    timezone: Option<TimeZone>,
    country: Option<Country>,
    /// Category of each of the country's holidays, as the plan numbers them; 0 for those it does not know.
    codes: Vec<u16>,
    trend: bool,
    /// Columns of the calendar proper; Fourier terms follow.
    dated: usize,
    fourier: Vec<FourierSpec>,
    columns: usize,
}

/// Calendar features of a range of periods.
#[derive(Debug, Clone)]
pub struct Calendar {
    rules: Rules,
    first: Period,
    table: Columns,
}

/// Returns the calendar features of a frequency, in order.
pub(crate) fn features(freq: Freq, holidays: bool, trend: bool) -> Vec<Feature> {
    let mut names: Vec<&str> = match freq {
        Freq::Step => return Vec::new(),
        Freq::Second(_) | Freq::Minute(_) | Freq::Hour(_) => {
            vec!["hour", "minute_of_day", "day_of_week", "day_of_month", "day_of_year", "easter_offset"]
        }
        Freq::Day | Freq::BusinessDay => vec![
            "day_of_week",
            "day_of_month",
            "days_to_month_end",
            "day_of_year",
            "week_of_year",
            "month",
            "quarter",
            "is_month_start",
            "is_month_end",
            "easter_offset",
        ],
        Freq::Week(_) => vec!["week_of_year", "month", "quarter", "day_of_month", "easter_offset"],
        Freq::Month { .. } => vec!["month", "quarter", "days_in_period", "business_days", "has_easter"],
    };
    if trend {
        names.push("year");
    }
    if holidays {
        if freq.is_intraday() || matches!(freq, Freq::Day | Freq::BusinessDay) {
            names.extend(["is_holiday", "days_to_holiday", "days_since_holiday"]);
        } else {
            names.extend(["holidays", "holidays_next", "holidays_previous"]);
        }
    }
    let mut all: Vec<Feature> = names.into_iter().map(Feature::plain).collect();
    if holidays {
        all.push(Feature::category("holiday"));
        if !matches!(freq, Freq::Month { .. }) {
            all.push(Feature::category("next_holiday"));
        }
    }
    all
}

impl Calendar {
    /// Tabulates the calendar for all rows of a panel and `plan`'s horizon after them.
    ///
    /// # Errors
    /// [`PlanError`] if the country or the time zone is not known.
    pub fn new(panel: &Panel, plan: &FeaturePlan) -> Result<Self, PlanError> {
        let rules = Rules::new(plan, panel.timezone())?;
        let ahead = plan.spec().horizon as i64;
        let first = panel.first_period().unwrap_or(Period(0));
        let last =
            panel.series().iter().map(|span| span.start.plus(span.rows.max(span.history + ahead as usize) as i64)).max().unwrap_or(first);
        let rows = last.since(first).max(0);
        let table = if rows > MOST_ROWS || rules.columns == 0 {
            Columns::default()
        } else {
            let rows = rows as usize;
            let mut by_row = vec![0.0_f32; rows * rules.columns];
            by_row
                .par_chunks_mut(rules.columns)
                .enumerate()
                .with_min_len(64)
                .for_each(|(row, out)| rules.write(first.plus(row as i64), out));
            let mut table = Columns::zeroed(rules.columns, rows);
            for (index, column) in table.columns_mut().enumerate() {
                for (to, from) in column.iter_mut().zip(by_row[index..].iter().step_by(rules.columns)) {
                    *to = *from;
                }
            }
            table
        };
        Ok(Self { rules, first, table })
    }

    /// Number of features.
    pub(crate) fn n_columns(&self) -> usize {
        self.rules.columns
    }

    /// Writes the features of the periods from `start` on, column by column, each as long as the periods wanted.
    pub(crate) fn write(&self, start: Period, columns: &mut [&mut [f32]]) {
        let rows = columns.first().map_or(0, |column| column.len());
        let first = start.since(self.first);
        if first >= 0 && first as usize + rows <= self.table.n_rows() {
            let first = first as usize;
            for (index, column) in columns.iter_mut().enumerate() {
                column.copy_from_slice(&self.table.column(index)[first..first + rows]);
            }
            return;
        }
        let mut values = Vec::with_capacity(columns.len());
        for row in 0..rows {
            values.clear();
            self.gather(start.plus(row as i64), &mut values);
            for (column, value) in columns.iter_mut().zip(&values) {
                column[row] = *value;
            }
        }
    }

    /// Appends the features of one period.
    pub(crate) fn gather(&self, period: Period, out: &mut Vec<f32>) {
        let row = period.since(self.first);
        if row >= 0 && (row as usize) < self.table.n_rows() {
            self.table.gather(row as usize, out);
        } else if self.rules.columns > 0 {
            let at = out.len();
            out.resize(at + self.rules.columns, 0.0);
            self.rules.write(period, &mut out[at..]);
        }
    }

    /// Returns whether a public holiday falls into the period.
    pub(crate) fn is_holiday(&self, period: Period) -> bool {
        self.rules.country.as_ref().is_some_and(|country| {
            let (from, to) = self.rules.days(period);
            country.days.get(country.first_from(from)).is_some_and(|(day, _)| *day <= to)
        })
    }
}

impl Rules {
    fn new(plan: &FeaturePlan, timezone: Option<&str>) -> Result<Self, PlanError> {
        let freq = plan.freq();
        let country = plan.spec().country.as_deref().filter(|_| freq.has_calendar()).map(Country::find).transpose()?;
        let codes = country.iter().flat_map(|country| &country.names).map(|name| plan.holiday_code(name)).collect();
        let timezone = timezone
            .filter(|_| freq.is_intraday())
            .map(|name| TimeZone::get(name).map_err(|_| PlanError::UnknownTimezone { given: name.to_owned() }))
            .transpose()?;
        let trend = plan.spec().trend;
        let dated = if plan.spec().calendar { features(freq, country.is_some(), trend).len() } else { 0 };
        let fourier = plan.spec().fourier.clone();
        let columns = dated + fourier::features(&fourier).len();
        Ok(Self { freq, timezone, country, codes, trend, dated, fourier, columns })
    }

    fn civil(&self, period: Period) -> DateTime {
        let naive = || self.freq.civil(period).expect("a frequency without calendar has no columns");
        match &self.timezone {
            None => naive(),
            Some(zone) => {
                let stamp = jiff::Timestamp::from_microsecond(self.freq.ds(period));
                stamp.map_or_else(|_| naive(), |stamp| stamp.to_zoned(zone.clone()).datetime())
            }
        }
    }

    /// First and last day of a period.
    fn days(&self, period: Period) -> (i64, i64) {
        let day = |period: Period| self.freq.ds(period).div_euclid(MICROS_PER_DAY);
        match self.freq {
            Freq::Week(_) => (day(period) - 6, day(period)),
            Freq::Month { end: true, .. } => (day(period.plus(-1)) + 1, day(period)),
            Freq::Month { end: false, .. } => (day(period), day(period.plus(1)) - 1),
            Freq::Step => (i64::MAX, i64::MIN),
            _ => {
                let today = epoch_day(self.civil(period).date());
                (today, today)
            }
        }
    }

    fn write(&self, period: Period, out: &mut [f32]) {
        let (dated, waves) = out.split_at_mut(self.dated);
        if self.dated > 0 {
            self.write_dated(period, dated);
        }
        fourier::write(&self.fourier, period, waves);
    }

    fn write_dated(&self, period: Period, out: &mut [f32]) {
        let mut next = 0;
        let mut put = |value: f64| {
            out[next] = value as f32;
            next += 1;
        };
        let at = self.civil(period);
        let today = at.date();
        let (first, last) = self.days(period);
        let week = f64::from(today.iso_week_date().week());
        let month = f64::from(today.month());
        let quarter = f64::from((today.month() - 1) / 3 + 1);
        let easter = easter_offset(today);
        match self.freq {
            Freq::Step => return,
            Freq::Second(_) | Freq::Minute(_) | Freq::Hour(_) => {
                put(f64::from(at.hour()));
                put(f64::from(at.hour()) * 60.0 + f64::from(at.minute()));
                put(f64::from(today.weekday().to_monday_zero_offset()));
                put(f64::from(today.day()));
                put(f64::from(today.day_of_year()));
                put(easter);
            }
            Freq::Day | Freq::BusinessDay => {
                put(f64::from(today.weekday().to_monday_zero_offset()));
                put(f64::from(today.day()));
                put(f64::from(today.days_in_month() - today.day()));
                put(f64::from(today.day_of_year()));
                put(week);
                put(month);
                put(quarter);
                put(f64::from(u8::from(today.day() == 1)));
                put(f64::from(u8::from(today.day() == today.days_in_month())));
                put(easter);
            }
            Freq::Week(_) => {
                put(week);
                put(month);
                put(quarter);
                put(f64::from(today.day()));
                put(easter);
            }
            Freq::Month { .. } => {
                put(month);
                put(quarter);
                put((last - first + 1) as f64);
                // Day 0 is a Thursday, so that 4 and 5 days off a Monday are Saturday and Sunday.
                put((first..=last).filter(|day| (day + 3).rem_euclid(7) < 5).count() as f64);
                put(f64::from(u8::from((first..=last).contains(&easter_day(today.year())))));
            }
        }
        if self.trend {
            put(f64::from(today.year()));
        }
        let Some(country) = &self.country else { return };
        let from = country.first_from(first);
        let within = || country.days[from..].iter().take_while(|(day, _)| *day <= last);
        let code = |found: Option<&(i64, u16)>| found.map_or(0.0, |(_, name)| f64::from(self.codes[usize::from(*name)]));
        if first == last {
            put(f64::from(u8::from(within().next().is_some())));
            put(country.days.get(from).map_or(REACH, |(day, _)| (day - first).min(REACH)) as f64);
            let before = country.first_from(last + 1);
            put(before.checked_sub(1).map_or(REACH, |index| (last - country.days[index].0).min(REACH)) as f64);
        } else {
            let count = |period: Period| {
                let (first, last) = self.days(period);
                (country.first_from(last + 1) - country.first_from(first)) as f64
            };
            put(within().count() as f64);
            put(count(period.plus(1)));
            put(count(period.plus(-1)));
        }
        put(code(within().next()));
        if !matches!(self.freq, Freq::Month { .. }) {
            let coming = country.days.get(country.first_from(last + 1));
            put(code(coming.filter(|(day, _)| day - last <= REACH)));
        }
    }
}

/// Western Easter Sunday as a day number. Source: the anonymous Gregorian algorithm (Meeus/Jones/Butcher).
fn easter_day(year: i16) -> i64 {
    let year = i64::from(year);
    let (a, b, c) = (year.rem_euclid(19), year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    epoch_day(date(year as i16, (n / 31) as i8, (n % 31 + 1) as i8))
}

fn easter_offset(today: Date) -> f64 {
    (epoch_day(today) - easter_day(today.year().clamp(1583, 9000))).clamp(-EASTER_REACH, EASTER_REACH) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FeatureSpec;
    use almanac_series::{Horizon, PanelBuilder, RowStatus, SeriesRows};

    fn features_at(freq: &str, zone: Option<&str>, day: Date, hour: i64, wanted: &[&str]) -> Vec<f32> {
        let freq: Freq = freq.parse().expect("an alias");
        let ds = epoch_day(day) * MICROS_PER_DAY + hour * 3_600_000_000;
        let mut builder = PanelBuilder::new(freq, &[], &[]).timezone(zone);
        let rows = SeriesRows { y: vec![1.0], status: vec![RowStatus::Observed], ..SeriesRows::default() };
        builder.push("a".into(), freq.period(ds), rows).expect("no columns");
        let panel = builder.finish(vec![]).expect("one series");
        let mut spec = FeatureSpec::for_freq(freq, Horizon::new(2).expect("in range"));
        spec.country = Some("US".into());
        let plan = FeaturePlan::new(&panel, spec).expect("known");
        let calendar = Calendar::new(&panel, &plan).expect("known");
        let mut row = Vec::new();
        calendar.gather(freq.period(ds), &mut row);
        let names = features(freq, true, false);
        wanted.iter().map(|wanted| row[names.iter().position(|f| f.name == *wanted).expect(wanted)]).collect()
    }

    #[test]
    fn easter_falls_on_known_sundays() {
        for day in [date(2000, 4, 23), date(2015, 4, 5), date(2016, 3, 27), date(2024, 3, 31), date(2025, 4, 20), date(2038, 4, 25)] {
            assert_eq!(easter_day(day.year()), epoch_day(day));
        }
    }

    #[test]
    fn a_day_knows_its_date_and_the_holidays_around_it() {
        let wanted = ["day_of_week", "day_of_month", "is_month_end", "is_holiday", "days_to_holiday", "days_since_holiday"];
        assert_eq!(features_at("D", None, date(2015, 11, 25), 0, &wanted), [2.0, 25.0, 0.0, 0.0, 1.0, 14.0]);
        assert_eq!(features_at("D", None, date(2015, 11, 26), 0, &wanted[3..]), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_moving_holiday_keeps_its_code() {
        let code = |day| features_at("D", None, day, 0, &["holiday"])[0];
        assert!(code(date(2015, 11, 26)) > 0.0);
        assert_eq!(code(date(2015, 11, 26)), code(date(2024, 11, 28)));
        assert_ne!(code(date(2015, 11, 26)), code(date(2015, 12, 25)));
    }

    #[test]
    fn a_week_counts_the_holidays_in_it() {
        let wanted = ["holidays", "holidays_next", "holidays_previous"];
        assert_eq!(features_at("W-SUN", None, date(2015, 11, 29), 0, &wanted), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_month_counts_its_days() {
        assert_eq!(features_at("MS", None, date(2024, 2, 1), 0, &["days_in_period", "business_days", "has_easter"]), [29.0, 21.0, 0.0]);
        assert_eq!(features_at("ME", None, date(2024, 3, 31), 0, &["days_in_period", "has_easter", "holidays"]), [31.0, 1.0, 0.0]);
    }

    #[test]
    fn hours_are_those_of_the_panels_time_zone() {
        let wanted = ["hour", "day_of_month"];
        assert_eq!(features_at("h", Some("America/New_York"), date(2024, 7, 4), 2, &wanted), [22.0, 3.0]);
        assert_eq!(features_at("h", None, date(2024, 7, 4), 2, &wanted), [2.0, 4.0]);
    }
}
