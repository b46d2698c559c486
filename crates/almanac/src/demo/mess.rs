//! What goes wrong between the till and the file, on purpose and counted.
//!
//! Faults never destroy the truth: a garbled row is followed by the good one, so a pipeline that quarantines what it cannot
//! read, drops full duplicates and adds up the other rows with one key finds exactly the sales that were told. Only rows that
//! were never written (days without a sale, days whose upload was lost) are missing for good.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::calendar::Calendar;
use super::story::{DaySales, SeriesStory};
use super::streams::{Topic, chance, stream};

/// Chance of each kind of fault, by good row.
const GARBLED: f64 = 1.0 / 4000.0;
const DUPLICATED: f64 = 1.0 / 3000.0;
const SPLIT: f64 = 1.0 / 4000.0;
/// Share of the years of a series that are not in order of date.
const UNSORTED: f64 = 0.05;

/// One line of a sales file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawLine {
    /// Day index in the calendar.
    pub(crate) day: usize,
    pub(crate) units: u32,
    pub(crate) is_in_stock: bool,
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TextInUnits,
    ImpossibleDate,
    TooFewFields,
    TooManyFields,
    MissingStore,
    MissingItem,
}

const FAULTS: [Fault; 6] =
    [Fault::TextInUnits, Fault::ImpossibleDate, Fault::TooFewFields, Fault::TooManyFields, Fault::MissingStore, Fault::MissingItem];

/// How often each thing went wrong in one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MessCount {
    /// Lines without the header.
    pub(crate) lines: u64,
    pub(crate) text_in_units: u64,
    pub(crate) impossible_dates: u64,
    pub(crate) too_few_fields: u64,
    pub(crate) too_many_fields: u64,
    pub(crate) missing_keys: u64,
    pub(crate) full_duplicates: u64,
    pub(crate) split_rows: u64,
    pub(crate) zero_days_omitted: u64,
    pub(crate) lost_days: u64,
    pub(crate) unsorted_series: u64,
    pub(crate) stockout_rows: u64,
}

impl MessCount {
    /// Returns how many lines cannot be read into a typed row with a key.
    pub(crate) fn unreadable(&self) -> u64 {
        self.text_in_units + self.impossible_dates + self.too_few_fields + self.too_many_fields + self.missing_keys
    }

    /// Returns how many distinct (store, item, day) rows are left when faults and duplicates are out.
    pub(crate) fn clean(&self) -> u64 {
        self.lines - self.unreadable() - self.full_duplicates - self.split_rows
    }

    /// Adds the counts of another file.
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.text_in_units += other.text_in_units;
        self.impossible_dates += other.impossible_dates;
        self.too_few_fields += other.too_few_fields;
        self.too_many_fields += other.too_many_fields;
        self.missing_keys += other.missing_keys;
        self.full_duplicates += other.full_duplicates;
        self.split_rows += other.split_rows;
        self.zero_days_omitted += other.zero_days_omitted;
        self.lost_days += other.lost_days;
        self.unsorted_series += other.unsorted_series;
        self.stockout_rows += other.stockout_rows;
    }

    fn count(&mut self, fault: Fault) {
        match fault {
            Fault::TextInUnits => self.text_in_units += 1,
            Fault::ImpossibleDate => self.impossible_dates += 1,
            Fault::TooFewFields => self.too_few_fields += 1,
            Fault::TooManyFields => self.too_many_fields += 1,
            Fault::MissingStore | Fault::MissingItem => self.missing_keys += 1,
        }
    }
}

/// The random stream of the faults of series `index`.
pub(crate) fn faults_of(seed: u64, index: u32) -> ChaCha8Rng {
    stream(seed, Topic::Mess, u64::from(index))
}

/// Returns the lines that the file of `year` gets for one series, and counts what was done to them.
///
/// `lost_days`: the day indices whose upload was lost in this store, in order.
pub(crate) fn spoil(
    rng: &mut ChaCha8Rng,
    story: &SeriesStory,
    calendar: &Calendar,
    lost_days: &[usize],
    year: i16,
    count: &mut MessCount,
) -> Vec<RawLine> {
    let mut recorded: Vec<(usize, DaySales)> = Vec::with_capacity(366);
    for (offset, sales) in story.sales.iter().enumerate() {
        let at = story.first + offset;
        let day = &calendar.days[at];
        if day.date.year() != year || day.is_closed {
            continue;
        }
        if lost_days.binary_search(&at).is_ok() {
            count.lost_days += 1;
        } else if story.omits_zeros && sales.units == 0 && sales.is_in_stock {
            count.zero_days_omitted += 1;
        } else {
            recorded.push((at, *sales));
        }
    }
    if chance(rng, UNSORTED) && recorded.len() > 1 {
        count.unsorted_series += 1;
        shuffle(rng, &mut recorded);
    }
    let mut lines = Vec::with_capacity(recorded.len() + 4);
    for (day, sales) in recorded {
        let good = RawLine { day, units: sales.units, is_in_stock: sales.is_in_stock, fault: None };
        if chance(rng, GARBLED) {
            let fault = FAULTS[rng.random_range(0..FAULTS.len())];
            count.count(fault);
            lines.push(RawLine { fault: Some(fault), ..good });
        }
        if chance(rng, SPLIT) && sales.units > 0 {
            // Two tills sent a row each. Equal halves would look like a full duplicate.
            count.split_rows += 1;
            let mut first = rng.random_range(0..sales.units);
            first += u32::from(2 * first == sales.units);
            lines.push(RawLine { units: first, ..good });
            lines.push(RawLine { units: sales.units - first, ..good });
        } else {
            lines.push(good);
        }
        if chance(rng, DUPLICATED) {
            count.full_duplicates += 1;
            lines.extend(lines.last().copied());
        }
        count.stockout_rows += u64::from(!sales.is_in_stock);
    }
    count.lines += lines.len() as u64;
    lines
}

/// Puts rows in random order (Fisher-Yates).
fn shuffle<T>(rng: &mut ChaCha8Rng, rows: &mut [T]) {
    for last in (1..rows.len()).rev() {
        rows.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::demo::catalogue::{Catalogue, Store};
    use crate::demo::spec::DemoSpec;

    #[test]
    fn the_truth_survives_the_mess() {
        let spec = DemoSpec { series: 60, days: 1095, seed: 5, horizon: 28 };
        let (calendar, catalogue) = (Calendar::new(&spec), Catalogue::new(spec.seed, spec.series));
        let mut count = MessCount::default();
        let mut kept = 0;
        for index in 0..spec.series {
            let story = SeriesStory::tell(spec.seed, index, &catalogue, &calendar);
            let lost = Store::lost_days(spec.seed, story.store, calendar.history);
            let rng = &mut faults_of(spec.seed, index);
            let mut found = BTreeMap::new();
            for year in spec.years() {
                let lines = spoil(rng, &story, &calendar, &lost, year, &mut count);
                let distinct: BTreeSet<_> = lines.iter().filter(|line| line.fault.is_none()).map(|line| (line.day, line.units)).collect();
                for (day, units) in distinct {
                    *found.entry(day).or_insert(0) += units;
                }
            }
            for (day, units) in &found {
                assert_eq!(*units, story.sales[day - story.first].units);
            }
            kept += found.len() as u64;
        }
        assert_eq!(count.clean(), kept);
        assert!(count.unreadable() > 0 && count.full_duplicates > 0 && count.split_rows > 0);
        assert!(count.lost_days > 0 && count.zero_days_omitted > 0 && count.unsorted_series > 0);
    }
}
