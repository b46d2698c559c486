//! What the cells of a column look like, counted over the whole table, and the type that follows from it.
//!
//! The rule: a column of which at least 99 % of the cells fit a type has that type, and the rows that do not fit are put aside.
//! Between 80 % and 99 % the table is refused (numbers: only where the misfits repeat, as markers of missing values do;
//! otherwise they are codes, and the column is text). Below 80 % it is text.
//!
//! Decimal marks and the order of day and month are settled over the whole column, then over the whole table; dates that fit
//! both orders everywhere are refused, not guessed.
//!
//! Not here: building the typed columns (`columns`).

use std::collections::BTreeSet;

use super::date::{self, DateStyle, DayOrder, Digits, Seen};
use super::error::IngestError;
use super::number::{self, DecimalMark, Shape};
use super::records::RawBatch;
use super::{ColumnKind, CsvOptions};

/// Share of fitting cells from which the others are put aside.
const SOUND: f64 = 0.99;
/// Share of fitting cells below which a column is text.
const MOSTLY: f64 = 0.8;
/// Rows from which one misfit is put aside although it is more than 1 %.
const ONE_MISFIT_FROM: u64 = 20;
/// Distinct misfits up to which they are taken for markers, not codes.
const MARKERS: usize = 3;
const EXAMPLES: usize = 4;

const NULLS: [&str; 12] = ["na", "n/a", "#n/a", "nan", "null", "<na>", "\\n", "none", "nil", "-", "?", "."];
/// The first so many of `NULLS` are null in text columns too; `none` or `-` may be a value there.
const NULLS_OF_TEXT: usize = 7;

/// Which cells stand for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NullMarkers(Option<Vec<String>>);

impl NullMarkers {
    pub(crate) fn new(options: &CsvOptions) -> Self {
        Self(options.null_values.clone())
    }

    pub(crate) fn is_null(&self, cell: &str, is_text: bool) -> bool {
        let trimmed = cell.trim();
        if trimmed.is_empty() {
            return true;
        }
        match &self.0 {
            Some(given) => given.iter().any(|marker| marker == trimmed),
            None if trimmed.len() > 4 => false,
            None => NULLS[..if is_text { NULLS_OF_TEXT } else { NULLS.len() }].iter().any(|marker| marker.eq_ignore_ascii_case(trimmed)),
        }
    }
}

const TRUTHS: [(&str, &str); 4] = [("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n")];

/// Reads a truth word or a 0 or 1.
pub(crate) fn parse_boolean(cell: &str) -> Option<bool> {
    match cell {
        "1" | "1.0" => return Some(true),
        "0" | "0.0" => return Some(false),
        _ => {}
    }
    TRUTHS
        .iter()
        .find_map(|(yes, no)| if cell.eq_ignore_ascii_case(yes) { Some(true) } else { cell.eq_ignore_ascii_case(no).then_some(false) })
}

/// Counts of what the cells of one column look like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) rows: u64,
    pub(crate) nulls: u64,
    integers: u64,
    /// Integers that are 0 or 1.
    bits: u64,
    /// Integers that are dates as `20241231`, `202412`, seconds and milliseconds of the epoch.
    days: u64,
    months: u64,
    seconds: u64,
    millis: u64,
    zero_padded: u64,
    too_long: u64,
    points: u64,
    points_or_groups: u64,
    commas: u64,
    commas_or_groups: u64,
    point_grouped: u64,
    comma_grouped: u64,
    infinite: u64,
    /// Truth words of each pair: true ones, false ones.
    truths: [(u64, u64); 4],
    dates: u64,
    dates_with_time: u64,
    dates_with_zone: u64,
    day_first_only: u64,
    month_first_only: u64,
    either_order: u64,
    patterned: u64,
    text: u64,
    unreadable: u64,
    misfits: BTreeSet<String>,
    either_sample: Option<String>,
}

impl Evidence {
    /// Adds a column of a batch.
    pub(crate) fn add(&mut self, batch: &RawBatch, column: usize, nulls: &NullMarkers, patterns: &[String]) {
        self.rows += batch.len() as u64;
        for row in 0..batch.len() {
            match batch.cell(row, column) {
                Ok(cell) => self.add_cell(cell, nulls, patterns),
                Err(_) => self.unreadable += 1,
            }
        }
    }

    fn add_cell(&mut self, cell: &str, nulls: &NullMarkers, patterns: &[String]) {
        let trimmed = cell.trim();
        if nulls.is_null(trimmed, false) {
            self.nulls += 1;
            return;
        }
        if patterns.iter().any(|pattern| date::parse_pattern(trimmed, pattern).is_some()) {
            self.patterned += 1;
            return;
        }
        let first = trimmed.as_bytes()[0];
        if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.' | b',' | b'$' | b'i' | b'I') || !first.is_ascii()) {
            return self.add_word(trimmed);
        }
        match number::shape(trimmed) {
            Shape::Integer(value) => {
                self.integers += 1;
                self.bits += u64::from(value == 0 || value == 1);
                if value >= 100_000 {
                    self.days += u64::from((19_000_101..=21_001_231).contains(&value) && date::parse_digits(value, Digits::Day).is_some());
                    self.months += u64::from((190_001..=210_012).contains(&value) && date::parse_digits(value, Digits::Month).is_some());
                    self.seconds += u64::from((100_000_000..=4_500_000_000).contains(&value));
                    self.millis += u64::from((100_000_000_000..=4_500_000_000_000).contains(&value));
                }
            }
            Shape::ZeroPadded => self.zero_padded += 1,
            Shape::TooLong => self.too_long += 1,
            Shape::Point => self.points += 1,
            Shape::PointOrGroup => self.points_or_groups += 1,
            Shape::Comma => self.commas += 1,
            Shape::CommaOrGroup => self.commas_or_groups += 1,
            Shape::PointGrouped => self.point_grouped += 1,
            Shape::CommaGrouped => self.comma_grouped += 1,
            Shape::Infinite => self.infinite += 1,
            Shape::Other => self.add_word(trimmed),
        }
    }

    fn add_word(&mut self, cell: &str) {
        match date::see(cell) {
            Some(Seen::Plain { has_time, has_zone, .. }) => {
                self.dates += 1;
                self.dates_with_time += u64::from(has_time);
                self.dates_with_zone += u64::from(has_zone);
            }
            Some(Seen::Ordered { day_first, month_first, has_time }) => {
                self.dates += 1;
                self.dates_with_time += u64::from(has_time);
                match (day_first, month_first) {
                    (Some(day), Some(month)) if day != month => {
                        self.either_order += 1;
                        self.either_sample.get_or_insert_with(|| cell.to_owned());
                    }
                    // The dot has settled the order, or the second number is above 12.
                    (Some(_), None) => self.day_first_only += 1,
                    (None, Some(_)) => self.month_first_only += 1,
                    _ => {}
                }
            }
            None => {
                let pair = if cell.len() <= 5 {
                    TRUTHS.iter().position(|(yes, no)| cell.eq_ignore_ascii_case(yes) || cell.eq_ignore_ascii_case(no))
                } else {
                    None
                };
                match pair {
                    Some(pair) if cell.eq_ignore_ascii_case(TRUTHS[pair].0) => self.truths[pair].0 += 1,
                    Some(pair) => self.truths[pair].1 += 1,
                    None => self.text += 1,
                }
                if self.misfits.len() <= MARKERS && !self.misfits.contains(cell) {
                    self.misfits.insert(cell.chars().take(40).collect());
                }
            }
        }
    }

    /// Adds what was counted elsewhere, e.g. in another file of the table.
    pub(crate) fn merge(&mut self, other: &Self) {
        let Self { truths, misfits, either_sample, .. } = other;
        macro_rules! sum {
            ($($field:ident)*) => { $( self.$field += other.$field; )* };
        }
        sum!(rows nulls integers bits days months seconds millis zero_padded too_long points points_or_groups commas commas_or_groups
             point_grouped comma_grouped infinite dates dates_with_time dates_with_zone day_first_only month_first_only either_order
             patterned text unreadable);
        for (mine, theirs) in self.truths.iter_mut().zip(truths) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
        self.misfits.extend(misfits.iter().cloned());
        if self.either_sample.is_none() {
            self.either_sample.clone_from(either_sample);
        }
    }

    /// Counts rows that lack the column as nulls, up to `rows` in all.
    pub(crate) fn pad(&mut self, rows: u64) {
        self.nulls += rows.saturating_sub(self.rows);
        self.rows = self.rows.max(rows);
    }

    /// Votes for the decimal point and the decimal comma that leave no doubt.
    pub(crate) fn decimal_votes(&self) -> (u64, u64) {
        (self.points + self.point_grouped, self.commas + self.comma_grouped)
    }

    fn numbers(&self, mark: DecimalMark) -> u64 {
        let either = self.integers + self.zero_padded + self.too_long + self.infinite + self.points_or_groups + self.commas_or_groups;
        either
            + match mark {
                DecimalMark::Point => self.points + self.point_grouped,
                DecimalMark::Comma => self.commas + self.comma_grouped,
            }
    }
}

/// What the columns of a table share.
#[derive(Debug, Clone)]
pub(crate) struct TableStyle {
    /// The decimal mark of columns that do not say it themselves.
    pub(crate) mark: DecimalMark,
    /// Whether the mark is sure, or only what goes with the delimiter.
    pub(crate) is_sure: bool,
    /// The order of day and month that another column of the table has shown.
    pub(crate) order: Option<DayOrder>,
}

/// How the cells of one column become values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) mark: DecimalMark,
    pub(crate) dates: DateStyle,
    pub(crate) note: Option<String>,
    /// The dates fit both orders; `dates.order` is only the likelier one.
    pub(crate) order_is_guessed: bool,
}

/// Works out what the columns share from all of them.
pub(crate) fn table_style<'a>(
    columns: impl Iterator<Item = &'a Evidence> + Clone,
    options: &CsvOptions,
    delimiter: Option<u8>,
) -> TableStyle {
    let (points, commas) = columns.clone().map(Evidence::decimal_votes).fold((0, 0), |sum, votes| (sum.0 + votes.0, sum.1 + votes.1));
    let (mark, is_sure) = match options.decimal {
        Some(',') => (DecimalMark::Comma, true),
        Some(_) => (DecimalMark::Point, true),
        None if points > commas => (DecimalMark::Point, true),
        None if commas > points => (DecimalMark::Comma, true),
        None if delimiter == Some(b';') => (DecimalMark::Comma, false),
        None => (DecimalMark::Point, false),
    };
    let (day, month) = columns.fold((0, 0), |sum, column| (sum.0 + column.day_first_only, sum.1 + column.month_first_only));
    let order = match (day, month) {
        (1.., 0) => Some(DayOrder::DayFirst),
        (0, 1..) => Some(DayOrder::MonthFirst),
        _ => None,
    };
    TableStyle { mark, is_sure, order }
}

/// Returns the kind that holds the values of both; text holds everything.
pub(crate) fn promote(first: ColumnKind, second: ColumnKind) -> ColumnKind {
    use ColumnKind::{Date, Integer, Real, Text, Timestamp};
    match (first, second) {
        (a, b) if a == b => a,
        (Integer, Real) | (Real, Integer) => Real,
        (Date, Timestamp) | (Timestamp, Date) => Timestamp,
        _ => Text,
    }
}

/// Settles the type of a column.
///
/// `guess_order`: take the month-first order where dates fit both, instead of refusing them (`init` asks the user later).
pub(crate) fn settle(
    table: &str,
    name: &str,
    evidence: &Evidence,
    wanted: Option<ColumnKind>,
    options: &CsvOptions,
    style: &TableStyle,
    guess_order: bool,
) -> Result<ColumnPlan, IngestError> {
    let filled = evidence.rows - evidence.nulls - evidence.unreadable;
    let (points, commas) = evidence.decimal_votes();
    let (mark, mark_is_sure) = match options.decimal {
        Some(_) => (style.mark, true),
        None if points > commas => (DecimalMark::Point, true),
        None if commas > points => (DecimalMark::Comma, true),
        None => (style.mark, style.is_sure),
    };
    let mut plan = ColumnPlan {
        name: name.to_owned(),
        kind: ColumnKind::Text,
        mark,
        dates: DateStyle { order: None, digits: Digits::None, patterns: Vec::new() },
        note: None,
        order_is_guessed: false,
    };
    let mixed = |kind, fitting: u64| IngestError::MixedColumn {
        table: table.to_owned(),
        column: name.to_owned(),
        kind,
        bad: filled - fitting,
        rows: filled,
        examples: evidence.misfits.iter().take(EXAMPLES).map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", "),
    };
    let share = |fitting: u64| if filled == 0 { 0.0 } else { fitting as f64 / filled as f64 };
    let is_sound = |fitting: u64| filled > 0 && (share(fitting) >= SOUND || (filled >= ONE_MISFIT_FROM && filled - fitting <= 1));
    let words: u64 = evidence.truths.iter().map(|(yes, no)| yes + no).sum();
    let numbers = evidence.numbers(mark);

    if let Some(kind) = wanted {
        plan.kind = kind;
        if matches!(kind, ColumnKind::Date | ColumnKind::Timestamp) {
            settle_dates(table, name, evidence, options, style, guess_order, &mut plan)?;
            if plan.dates.digits == Digits::None && plan.dates.patterns.is_empty() {
                plan.dates.digits = digits(name, evidence, true);
            }
            plan.kind = kind;
        }
        return Ok(plan);
    }
    if filled == 0 {
        plan.kind = ColumnKind::Real;
        plan.note = Some("it is empty".into());
        return Ok(plan);
    }
    let dates = evidence.patterned + evidence.dates;
    if is_sound(dates) {
        settle_dates(table, name, evidence, options, style, guess_order, &mut plan)?;
        return Ok(plan);
    }
    if share(dates) >= MOSTLY {
        return Err(mixed(ColumnKind::Date, dates));
    }
    let truth_pair = evidence.truths.iter().enumerate().find(|(_, (yes, no))| yes + no == words && words > 0);
    if let Some((pair, (yes, no))) = truth_pair
        && (pair < 2 || (*yes > 0 && *no > 0))
        && is_sound(words + evidence.bits)
    {
        plan.kind = ColumnKind::Boolean;
        return Ok(plan);
    }
    if is_sound(numbers) {
        settle_numbers(name, evidence, filled, mark, mark_is_sure, &mut plan);
        return Ok(plan);
    }
    if share(numbers) >= MOSTLY && evidence.misfits.len() <= MARKERS && evidence.text + words > 0 {
        return Err(mixed(ColumnKind::Real, numbers));
    }
    Ok(plan)
}

fn settle_numbers(name: &str, evidence: &Evidence, filled: u64, mark: DecimalMark, mark_is_sure: bool, plan: &mut ColumnPlan) {
    if evidence.zero_padded * 100 >= filled || evidence.too_long > 0 {
        let why = if evidence.too_long > 0 { "digits beyond what a number holds" } else { "zeros in front" };
        plan.note = Some(format!("read as text: its numbers have {why}, as codes do"));
        return;
    }
    let digits = digits(name, evidence, false);
    if digits != Digits::None && evidence.integers == filled {
        plan.kind = if matches!(digits, Digits::Day | Digits::Month) { ColumnKind::Date } else { ColumnKind::Timestamp };
        plan.dates.digits = digits;
        plan.note = Some(format!(
            "digits read as {}",
            match digits {
                Digits::Day => "dates, YYYYMMDD",
                Digits::Month => "months, YYYYMM",
                Digits::EpochSeconds => "seconds since 1970 (UTC)",
                _ => "milliseconds since 1970 (UTC)",
            }
        ));
        return;
    }
    let grouped_integers = match mark {
        DecimalMark::Point => evidence.commas_or_groups,
        DecimalMark::Comma => evidence.points_or_groups,
    };
    let decimals = evidence.numbers(mark) - evidence.integers - evidence.zero_padded - evidence.too_long - grouped_integers;
    plan.kind = if decimals == 0 { ColumnKind::Integer } else { ColumnKind::Real };
    let doubtful = evidence.points_or_groups + evidence.commas_or_groups;
    if !mark_is_sure && evidence.commas_or_groups > 0 && doubtful > 0 {
        let reading = if mark == DecimalMark::Point { "thousands" } else { "decimals" };
        plan.note = Some(format!("`1,234` could be either; commas are read as {reading} (`decimal` under `[data.csv]` settles it)"));
    }
}

/// What integers mean in a date column; without `is_date` only if the name or all the values say so.
fn digits(name: &str, evidence: &Evidence, is_date: bool) -> Digits {
    let lower = name.to_ascii_lowercase();
    let named = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let all = |count: u64| count > 0 && count == evidence.integers;
    let is_dated = is_date || lower == "ds" || named(&["date", "day", "dt", "time", "period"]);
    if all(evidence.days) && (is_dated || evidence.days >= 30) {
        Digits::Day
    } else if all(evidence.months) && (is_date || lower == "ds" || named(&["month", "period", "yyyymm", "date"])) {
        Digits::Month
    } else if all(evidence.seconds) && (is_date || named(&["epoch", "timestamp", "unix"])) {
        Digits::EpochSeconds
    } else if all(evidence.millis) && (is_date || named(&["epoch", "timestamp", "unix"])) {
        Digits::EpochMillis
    } else {
        Digits::None
    }
}

fn settle_dates(
    table: &str,
    name: &str,
    evidence: &Evidence,
    options: &CsvOptions,
    style: &TableStyle,
    guess_order: bool,
    plan: &mut ColumnPlan,
) -> Result<(), IngestError> {
    plan.kind = if evidence.dates_with_time > 0 { ColumnKind::Timestamp } else { ColumnKind::Date };
    if let Some(patterns) = &options.date_formats
        && evidence.patterned > 0
    {
        plan.dates.patterns.clone_from(patterns);
        if patterns.iter().any(|pattern| ["%H", "%I", "%T", "%R", "epoch"].iter().any(|part| pattern.contains(part))) {
            plan.kind = ColumnKind::Timestamp;
        }
    }
    let (day, month) = (evidence.day_first_only, evidence.month_first_only);
    plan.dates.order = match (day, month) {
        (0, 0) => None,
        (day, month) if day as f64 >= SOUND * (day + month) as f64 => Some(DayOrder::DayFirst),
        (day, month) if month as f64 >= SOUND * (day + month) as f64 => Some(DayOrder::MonthFirst),
        (day, month) => {
            return Err(IngestError::MixedColumn {
                table: table.to_owned(),
                column: name.to_owned(),
                kind: ColumnKind::Date,
                bad: day.min(month),
                rows: evidence.dates,
                examples: "some with the day first, some with the month first".into(),
            });
        }
    };
    if plan.dates.order.is_none() && evidence.either_order > 0 {
        plan.dates.order = style.order;
        if plan.dates.order.is_none() {
            let sample = evidence.either_sample.clone().unwrap_or_default();
            let reading = |order| {
                let micros =
                    DateStyle { order: Some(order), digits: Digits::None, patterns: Vec::new() }.parse(&sample).unwrap_or_default();
                almanac_series::Freq::Day.label(almanac_series::Freq::Day.period(micros))
            };
            let (day_first, month_first) = (reading(DayOrder::DayFirst), reading(DayOrder::MonthFirst));
            if !guess_order {
                return Err(IngestError::AmbiguousDates {
                    table: table.to_owned(),
                    column: name.to_owned(),
                    sample,
                    day_first,
                    month_first,
                });
            }
            plan.dates.order = Some(DayOrder::MonthFirst);
            plan.order_is_guessed = true;
        }
    }
    if plan.dates.order.is_none() {
        // Every date reads the same in both orders (or has no order at all).
        plan.dates.order = Some(DayOrder::DayFirst);
    }
    let zoned = evidence.dates_with_zone;
    if zoned > 0 {
        let note = if zoned == evidence.dates {
            "times with a zone, turned into UTC"
        } else {
            "some times have a zone and some none; the latter are taken for UTC"
        };
        plan.note = Some(note.into());
    }
    Ok(())
}
