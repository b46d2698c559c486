//! What a demo is asked to be: its size, its seed and the days it spans.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// The last day with sales. Fixed, so that the same seed gives the same files on any day they are made.
const LAST_DAY: Date = date(2024, 12, 30);

/// Size and seed of a demo. Any value that the command line lets through is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DemoSpec {
    pub(crate) series: u32,
    pub(crate) days: u32,
    pub(crate) seed: u64,
    pub(crate) horizon: u32,
}

impl DemoSpec {
    /// The first day with sales.
    pub(crate) fn first_day(&self) -> Date {
        LAST_DAY - i64::from(self.days.saturating_sub(1)).days()
    }

    /// The last day with sales.
    #[expect(clippy::unused_self, reason = "stands beside the other days of the demo")]
    pub(crate) fn last_day(&self) -> Date {
        LAST_DAY
    }

    /// The last day for which prices and promotions are known ahead.
    pub(crate) fn last_known_day(&self) -> Date {
        LAST_DAY + i64::from(self.horizon).days()
    }

    /// The years that have a sales file, oldest first.
    pub(crate) fn years(&self) -> Vec<i16> {
        (self.first_day().year()..=LAST_DAY.year()).collect()
    }

    /// The year that the old till system exported: semicolons, decimal commas, Latin-1. None if the demo is that short.
    pub(crate) fn legacy_year(&self) -> Option<i16> {
        let legacy = LAST_DAY.year() - 1;
        (self.first_day().year() <= legacy).then_some(legacy)
    }

    /// The command that makes this demo again.
    pub(crate) fn command(&self) -> String {
        format!("almanac demo --series {} --days {} --seed {} --horizon {}", self.series, self.days, self.seed, self.horizon)
    }
}
