//! Rows by hour, day, month or year: the finest of them of which there are at most [`CAPACITY`].
//!
//! Which unit it ends with depends on the times alone, so that parts merge to the same result in any order.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// Most periods held.
const CAPACITY: usize = 5_000;
const MICROS_PER_HOUR: i64 = 3_600_000_000;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 3,600 seconds.
    Hour,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Unit {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    fn coarser(self) -> Option<Self> {
        match self {
            Self::Hour => Some(Self::Day),
            Self::Day => Some(Self::Month),
            Self::Month => Some(Self::Year),
            Self::Year => None,
        }
    }

    /// Number of the period of this unit that begins where period `index` of `from` does.
    fn number_of(self, from: Self, index: i64) -> i64 {
        match (from, self) {
            (Self::Hour, Self::Hour) | (Self::Day, Self::Day) | (Self::Month, Self::Month) | (Self::Year, _) => index,
            (Self::Hour, _) => self.number_of(Self::Day, index.div_euclid(24)),
            (Self::Day, _) => {
                let Some(date) = day(index) else { return index };
                self.number_of(Self::Month, i64::from(date.year()) * 12 + i64::from(date.month()) - 1)
            }
            (Self::Month, _) => index.div_euclid(12),
        }
    }

    /// Returns the period as people write it: `2024-03-01 13h`, `2024-03-01`, `2024-03`, `2024`.
    pub fn label(self, index: i64) -> String {
        match self {
            Self::Hour => format!("{} {:02}h", Self::Day.label(index.div_euclid(24)), index.rem_euclid(24)),
            Self::Day => day(index).map_or_else(|| index.to_string(), |date| date.to_string()),
            Self::Month => format!("{:04}-{:02}", index.div_euclid(12), index.rem_euclid(12) + 1),
            Self::Year => format!("{index:04}"),
        }
    }

    /// Whether period `index` is the first of a coarser one: midnight, the first of a month, January.
    fn is_start(self, index: i64) -> bool {
        match self {
            Self::Hour => index.rem_euclid(24) == 0,
            Self::Day => day(index).is_some_and(|date| date.day() == 1),
            Self::Month => index.rem_euclid(12) == 0,
            Self::Year => false,
        }
    }
}

fn day(index: i64) -> Option<Date> {
    EPOCH.checked_add(jiff::Span::new().try_days(index).ok()?).ok()
}

/// A time of the civil calendar, `None` beyond the years that calendars have.
pub(crate) fn civil(micros: i64) -> Option<DateTime> {
    let date = day(micros.div_euclid(24 * MICROS_PER_HOUR))?;
    let rest = jiff::Span::new().try_microseconds(micros.rem_euclid(24 * MICROS_PER_HOUR)).ok()?;
    date.at(0, 0, 0, 0).checked_add(rest).ok()
}

/// Rows of each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    unit: Unit,
    #[serde(with = "pairs")]
    rows: BTreeMap<i64, u64>,
}

/// Numbers cannot be keys in JSON.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(rows: &BTreeMap<i64, u64>, serializer: S) -> Result<S::Ok, S::Error> {
        rows.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<i64, u64>, D::Error> {
        Ok(Vec::<(i64, u64)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Periods {
    pub(crate) fn new() -> Self {
        Self { unit: Unit::Hour, rows: BTreeMap::new() }
    }

    /// Counts rows at a time, in microseconds since 1970.
    pub(crate) fn add(&mut self, micros: i64, rows: u64) {
        let index = self.unit.number_of(Unit::Hour, micros.div_euclid(MICROS_PER_HOUR));
        *self.rows.entry(index).or_insert(0) += rows;
        self.fit();
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let unit = self.unit.max(other.unit);
        let mut all = self.at(unit);
        for (index, rows) in other.at(unit).rows {
            *all.rows.entry(index).or_insert(0) += rows;
        }
        all.fit();
        *self = all;
    }

    /// Returns the same rows by a unit that is not finer.
    pub fn at(&self, unit: Unit) -> Self {
        let mut rows = BTreeMap::new();
        for (index, count) in &self.rows {
            *rows.entry(unit.number_of(self.unit, *index)).or_insert(0) += count;
        }
        Self { unit, rows }
    }

    /// Returns the same rows by the unit that the times themselves have: days, if all are at midnight, and so on.
    pub fn natural(&self) -> Self {
        let mut all = self.clone();
        while let Some(coarser) = all.unit.coarser()
            && !all.rows.is_empty()
            && all.rows.keys().all(|index| all.unit.is_start(*index))
            && (all.rows.len() > 1 || all.unit == Unit::Hour)
        {
            all = all.at(coarser);
        }
        all
    }

    /// Returns the length of the periods.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Returns the periods with rows, in order, by number: hours or days since 1970, months or years since year 0.
    pub fn rows(&self) -> &BTreeMap<i64, u64> {
        &self.rows
    }

    /// Returns how many periods between first and last have no row.
    pub fn empty(&self) -> u64 {
        match (self.rows.first_key_value(), self.rows.last_key_value()) {
            (Some((first, _)), Some((last, _))) => (last.saturating_sub(*first) as u64 + 1).saturating_sub(self.rows.len() as u64),
            _ => 0,
        }
    }

    fn fit(&mut self) {
        while self.rows.len() > CAPACITY
            && let Some(coarser) = self.unit.coarser()
        {
            *self = self.at(coarser);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * MICROS_PER_HOUR;

    #[test]
    fn many_hours_become_days_and_many_days_months_in_any_order() {
        let hours: Vec<i64> = (0..6_000).map(|hour| hour * MICROS_PER_HOUR).collect();
        let mut forward = Periods::new();
        hours.iter().for_each(|time| forward.add(*time, 1));
        let mut split = [Periods::new(), Periods::new()];
        hours.iter().rev().enumerate().for_each(|(i, time)| split[i % 2].add(*time, 1));
        let [mut merged, other] = split;
        merged.merge(&other);
        assert_eq!(merged, forward);
        assert_eq!((forward.unit(), forward.rows().len()), (Unit::Day, 250));
    }

    #[test]
    fn times_at_midnight_are_days_and_firsts_of_months_are_months() {
        let mut days = Periods::new();
        (0..40).filter(|day| *day != 5).for_each(|day| days.add(day * DAY, 3));
        let natural = days.natural();
        assert_eq!((natural.unit(), natural.empty()), (Unit::Day, 1));
        assert_eq!(natural.unit().label(*natural.rows().keys().next_back().unwrap()), "1970-02-09");

        let mut months = Periods::new();
        for index in [0, 31, 59, 90] {
            months.add(index * DAY, 1);
        }
        assert_eq!((months.natural().unit(), months.natural().empty()), (Unit::Month, 0));
    }

    #[test]
    fn times_beyond_the_calendar_are_no_panic() {
        let mut periods = Periods::new();
        for micros in [i64::MIN, i64::MAX, 0] {
            periods.add(micros, 1);
            let _ = civil(micros);
        }
        assert_eq!(periods.rows().values().sum::<u64>(), 3);
        let _ = periods.natural().unit().label(i64::MIN);
    }
}
