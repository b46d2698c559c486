//! One series put on the grid: periods, duplicates, the end of the history, gaps, known-ahead rows.
//!
//! Not here: which rows belong to the series (`collect`), files (`write`).

use std::collections::HashSet;

use almanac_series::{Freq, Period, RowStatus};

use super::local_time::{Utc, Zone};
use super::rows::{KNOWN_AHEAD, OUT_OF_STOCK, Rows};
use super::schema::ExogKind;
use super::{DuplicatePolicy, GapPolicy, collect};

/// What stands on a grid cell that no row has filled yet. Never written.
const GAP: u8 = u8::MAX;

/// How a known-ahead column goes on where the source stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fill {
    /// The last value of the series.
    Carry,
    /// This value.
    Constant(f64),
}

/// An exogenous column as the grid needs it.
#[derive(Debug, Clone)]
pub(super) struct ExogPlan {
    pub(super) ahead: bool,
    pub(super) kind: ExogKind,
    pub(super) fill: Fill,
    /// Sorted code of each code of first sight; empty unless texts.
    pub(super) recode: Vec<f64>,
}

/// How the timestamps of the source become those of the panel.
#[derive(Debug, Clone)]
pub(super) enum Clock {
    AsIs,
    LocalToUtc(Zone),
    UtcToLocal(Zone),
}

/// What all series have in common.
#[derive(Debug)]
pub(super) struct GridPlan {
    pub(super) freq: Freq,
    pub(super) clock: Clock,
    pub(super) panel_start: Period,
    pub(super) panel_end: Period,
    pub(super) horizon: usize,
    /// Steps without an observation after which a series has ended.
    pub(super) patience: i64,
    pub(super) gaps: GapPolicy,
    pub(super) duplicates: DuplicatePolicy,
    pub(super) exog: Vec<ExogPlan>,
}

/// Rows of a partition, column by column.
#[derive(Debug, Default)]
pub(super) struct GridRows {
    pub(super) y: Vec<f64>,
    pub(super) status: Vec<u8>,
    pub(super) exog: Vec<Vec<f64>>,
}

/// Whether a series goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeriesState {
    Active,
    New,
    Discontinued,
}

/// A series that has been laid out.
#[derive(Debug, Clone)]
pub(super) struct GridSpan {
    pub(super) series: u32,
    pub(super) start: Period,
    pub(super) last_observed: Period,
    pub(super) history: usize,
    pub(super) rows: usize,
    pub(super) observed: u64,
    pub(super) state: SeriesState,
}

/// A row that the grid refuses.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) series: u32,
    pub(super) ds: i64,
    pub(super) reason: &'static str,
}

/// Ends of a known-ahead column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AheadTally {
    pub(super) rows: u64,
    pub(super) series: u64,
    pub(super) until: Option<Period>,
}

/// Counts over a partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) kept: u64,
    pub(super) collapsed: u64,
    pub(super) merged: u64,
    pub(super) outside: u64,
    pub(super) off_grid: u64,
    pub(super) gaps: u64,
    pub(super) censored: u64,
    pub(super) missing: u64,
    pub(super) duplicates: u64,
    pub(super) duplicate: Option<(u32, Period)>,
    pub(super) gap: Option<(u32, Period)>,
    pub(super) ahead: Vec<AheadTally>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    period: i64,
    row: u32,
}

/// Lays series out, one after the other. Keeps its buffers between series.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    plan: &'a GridPlan,
    rows: &'a Rows,
    cells: Vec<Cell>,
    pub(super) out: GridRows,
    pub(super) tally: Tally,
    pub(super) refused: Vec<Refused>,
}

impl<'a> Grid<'a> {
    pub(super) fn new(plan: &'a GridPlan, rows: &'a Rows) -> Self {
        let out = GridRows { exog: vec![Vec::new(); plan.exog.len()], ..GridRows::default() };
        let tally = Tally { ahead: vec![AheadTally::default(); plan.exog.len()], ..Tally::default() };
        Self { plan, rows, cells: Vec::new(), out, tally, refused: Vec::new() }
    }

    /// Lays out the series with the rows at `index`, in input order. `None` if it has no observed target, unless it is one that begins after the
    /// panel ends: known ahead, never sold.
    pub(super) fn lay_out(&mut self, series: u32, index: &[u32]) -> Option<GridSpan> {
        self.place(series, index);
        let rows = self.rows;
        let is_main = |cell: &&Cell| rows.flags[cell.row as usize] & KNOWN_AHEAD == 0;
        let observed = |cell: &&Cell| is_main(cell) && !rows.y[cell.row as usize].is_nan();
        let begins_ahead = self.begins_ahead();
        let last_observed = self.cells.iter().rev().find(observed).map(|cell| Period(cell.period));
        let Some(last_observed) = last_observed.or(begins_ahead.then_some(self.plan.panel_end)) else {
            self.refused.extend(self.cells.iter().map(|cell| Refused {
                series,
                ds: rows.ds[cell.row as usize],
                reason: collect::NO_TARGET,
            }));
            return None;
        };
        // A history of one row without a value, so that what is known ahead lies where it does for all others.
        let first = self.cells.iter().find(is_main).map(|cell| Period(cell.period));
        let start = first.filter(|_| !begins_ahead).unwrap_or(self.plan.panel_end);
        let discontinued = self.plan.panel_end.since(last_observed) > self.plan.patience;
        let end = if discontinued { last_observed } else { self.plan.panel_end.max(last_observed) };
        let history = (end.since(start) + 1) as usize;
        let total = history + self.plan.horizon;
        let offset = self.out.y.len();
        self.out.y.resize(offset + total, f64::NAN);
        self.out.status.resize(offset + total, GAP);
        for column in &mut self.out.exog {
            column.resize(offset + total, f64::NAN);
        }

        let cells = std::mem::take(&mut self.cells);
        for group in cells.chunk_by(|a, b| a.period == b.period) {
            let at = group[0].period - start.0;
            if at < 0 || at >= total as i64 {
                self.tally.outside += group.len() as u64;
                continue;
            }
            self.write_cell(series, group, start, at as usize, offset, at as usize >= history);
        }
        self.cells = cells;
        if begins_ahead {
            self.out.status[offset] = RowStatus::Missing as u8;
        }
        self.note_known(start, offset);
        let observed = self.fill_history(series, start, offset, history);
        self.fill_ahead(offset, history);
        let young = start > self.plan.panel_start && history < 2 * self.plan.freq.season_length().steps();
        let state = match (discontinued, young) {
            (true, _) => SeriesState::Discontinued,
            (false, true) => SeriesState::New,
            (false, false) => SeriesState::Active,
        };
        Some(GridSpan { series, start, last_observed, history, rows: total, observed, state })
    }

    /// Whether all rows of the series of `cells` lie after the panel, some of them among the steps ahead.
    fn begins_ahead(&self) -> bool {
        let ahead = || self.cells.iter().map(|cell| cell.period - self.plan.panel_end.0);
        ahead().all(|steps| steps > 0) && ahead().any(|steps| steps <= self.plan.horizon as i64)
    }

    /// Fills `cells` with the rows' periods, ascending, input order within a period.
    fn place(&mut self, series: u32, index: &[u32]) {
        self.cells.clear();
        let (rows, freq) = (self.rows, self.plan.freq);
        let ds = |row: &u32| rows.ds[*row as usize];
        let mut sorted: Vec<u32>;
        let order = if index.is_sorted_by_key(ds) {
            index
        } else {
            sorted = index.to_vec();
            sorted.sort_by_key(ds);
            &sorted
        };
        let mut add = |at: i64, row: u32| {
            let period = freq.period(at);
            self.tally.off_grid += u64::from(freq.ds(period) != at);
            self.cells.push(Cell { period: period.0, row });
        };
        match &self.plan.clock {
            Clock::AsIs => order.iter().for_each(|row| add(ds(row), *row)),
            Clock::UtcToLocal(zone) => order.iter().for_each(|row| add(zone.local(ds(row)), *row)),
            Clock::LocalToUtc(zone) => {
                let newest_first = index.first().map(ds) > index.last().map(ds);
                for same in order.chunk_by(|a, b| ds(a) == ds(b)) {
                    match zone.utc(ds(&same[0])) {
                        Utc::Once(at) => same.iter().for_each(|row| add(at, *row)),
                        Utc::Never => {
                            let refused = |row: &u32| Refused { series, ds: ds(row), reason: collect::NO_SUCH_HOUR };
                            self.refused.extend(same.iter().map(refused));
                        }
                        // The hour that came twice: earlier rows are its first coming, per table.
                        Utc::Twice(earlier, later) => {
                            for table in [0, KNOWN_AHEAD] {
                                let of_table = || same.iter().filter(|row| rows.flags[**row as usize] & KNOWN_AHEAD == table);
                                let count = of_table().count();
                                for (position, row) in of_table().enumerate() {
                                    let position = if newest_first { count - 1 - position } else { position };
                                    add(if position < count.div_ceil(2) { earlier } else { later }, *row);
                                }
                            }
                        }
                    }
                }
            }
        }
        if !self.cells.is_sorted_by_key(|cell| cell.period) {
            self.cells.sort_by_key(|cell| (cell.period, cell.row));
        }
    }

    fn write_cell(&mut self, series: u32, group: &[Cell], start: Period, at: usize, offset: usize, ahead: bool) {
        let rows = self.rows;
        let is_main = |cell: &&Cell| rows.flags[cell.row as usize] & KNOWN_AHEAD == 0;
        let slot = offset + at;
        self.tally.kept += 1;
        if let [only] = group {
            let row = only.row as usize;
            self.copy_exog(row, slot);
            if is_main(&only) {
                self.write_target(rows.y[row], rows.flags[row], slot, ahead);
            }
            return;
        }
        let mut main: Vec<u32> = group.iter().filter(is_main).map(|cell| cell.row).collect();
        let known_ahead = group.iter().filter(|cell| !is_main(cell)).map(|cell| cell.row);
        let before = main.len();
        main.sort_unstable();
        self.drop_identical(&mut main);
        self.tally.collapsed += (before - main.len()) as u64;
        self.tally.merged += (group.len() - 1 - (before - main.len())) as u64;
        if main.len() > 1 {
            self.tally.duplicates += 1;
            self.tally.duplicate.get_or_insert((series, start.plus(at as i64)));
        }
        if !main.is_empty() {
            self.write_merged(&main, slot, ahead);
        }
        // Known-ahead rows give only what the row itself does not say.
        for row in known_ahead {
            for (column, from) in self.out.exog.iter_mut().zip(&rows.exog) {
                if column[slot].is_nan() {
                    column[slot] = from[row as usize];
                }
            }
        }
    }

    fn copy_exog(&mut self, row: usize, slot: usize) {
        for (column, from) in self.out.exog.iter_mut().zip(&self.rows.exog) {
            column[slot] = from[row];
        }
    }

    fn write_target(&mut self, y: f64, flags: u8, slot: usize, ahead: bool) {
        let status = if ahead {
            RowStatus::Future
        } else if y.is_nan() {
            RowStatus::Missing
        } else if flags & OUT_OF_STOCK != 0 {
            RowStatus::Censored
        } else {
            RowStatus::Observed
        };
        self.out.status[slot] = status as u8;
        self.out.y[slot] = if ahead { f64::NAN } else { y };
    }

    /// Writes several rows that differ as one, by policy.
    fn write_merged(&mut self, main: &[u32], slot: usize, ahead: bool) {
        let rows = self.rows;
        let picked = match self.plan.duplicates {
            DuplicatePolicy::Error | DuplicatePolicy::First => Some(main[0]),
            DuplicatePolicy::Last => Some(main[main.len() - 1]),
            DuplicatePolicy::Sum | DuplicatePolicy::Mean if main.len() == 1 => Some(main[0]),
            DuplicatePolicy::Sum | DuplicatePolicy::Mean => None,
        };
        if let Some(row) = picked {
            self.copy_exog(row as usize, slot);
            return self.write_target(rows.y[row as usize], rows.flags[row as usize], slot, ahead);
        }
        let targets = || main.iter().map(|row| rows.y[*row as usize]).filter(|y| !y.is_nan());
        let count = targets().count();
        let sum: f64 = targets().sum();
        let y = match self.plan.duplicates {
            _ if count == 0 || !sum.is_finite() => f64::NAN,
            DuplicatePolicy::Mean => sum / count as f64,
            _ => sum,
        };
        let flags = main.iter().fold(0, |flags, row| flags | rows.flags[*row as usize]);
        self.write_target(y, flags, slot, ahead);
        for ((column, from), plan) in self.out.exog.iter_mut().zip(&rows.exog).zip(&self.plan.exog) {
            let mut values = main.iter().map(|row| from[*row as usize]).filter(|value| !value.is_nan());
            column[slot] = match plan.kind {
                ExogKind::Number => {
                    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
                    if count == 0 { f64::NAN } else { sum / f64::from(count) }
                }
                ExogKind::Flag => values.fold(f64::NAN, f64::max),
                ExogKind::Category | ExogKind::Date => values.next().unwrap_or(f64::NAN),
            };
        }
    }

    /// Drops rows that equal an earlier one in every column.
    fn drop_identical(&self, main: &mut Vec<u32>) {
        if main.len() < 2 {
            return;
        }
        let rows = self.rows;
        let key = |row: u32| {
            let row = row as usize;
            let exog = rows.exog.iter().map(move |column| column[row].to_bits());
            [rows.ds[row] as u64, rows.y[row].to_bits(), u64::from(rows.flags[row])].into_iter().chain(exog)
        };
        if let [first, second] = main[..] {
            if key(first).eq(key(second)) {
                main.pop();
            }
            return;
        }
        let mut seen: HashSet<Vec<u64>> = HashSet::with_capacity(main.len());
        main.retain(|row| seen.insert(key(*row).collect()));
    }

    /// Notes until when the source knows each known-ahead column.
    fn note_known(&mut self, start: Period, offset: usize) {
        for (column, tally) in self.out.exog.iter().zip(&mut self.tally.ahead) {
            let known = column[offset..].iter().rposition(|value| !value.is_nan());
            tally.until = tally.until.max(known.map(|known| start.plus(known as i64)));
        }
    }

    /// Fills the gaps of the history and returns how many rows are observed.
    fn fill_history(&mut self, series: u32, start: Period, offset: usize, history: usize) -> u64 {
        let mut observed = 0;
        let mut gaps: Vec<usize> = Vec::new();
        let mut last = f64::NAN;
        for slot in offset..offset + history {
            match RowStatus::from_code(self.out.status[slot]) {
                Some(RowStatus::Missing) => self.tally.missing += 1,
                Some(status) => {
                    observed += 1;
                    self.tally.censored += u64::from(status == RowStatus::Censored);
                    last = self.out.y[slot];
                }
                None => {
                    if gaps.is_empty() {
                        self.tally.gap.get_or_insert((series, start.plus((slot - offset) as i64)));
                    }
                    gaps.push(slot);
                    let (y, status) = match self.plan.gaps {
                        GapPolicy::Zero => (0.0, RowStatus::Filled),
                        GapPolicy::Closed => (0.0, RowStatus::Closed),
                        GapPolicy::Forward if !last.is_nan() => (last, RowStatus::Filled),
                        GapPolicy::Forward | GapPolicy::Missing | GapPolicy::Error => (f64::NAN, RowStatus::Missing),
                    };
                    self.out.y[slot] = y;
                    self.out.status[slot] = status as u8;
                }
            }
        }
        self.tally.gaps += gaps.len() as u64;
        for (column, plan) in self.out.exog.iter_mut().zip(&self.plan.exog) {
            if !plan.ahead {
                continue;
            }
            // A gap is filled as the future will be, so that a model cannot read from a hole that nothing was sold.
            let (mut last, mut from) = (f64::NAN, offset);
            for slot in &gaps {
                last = column[from..*slot].iter().rev().find(|value| !value.is_nan()).copied().unwrap_or(last);
                from = *slot;
                if column[*slot].is_nan() {
                    column[*slot] = match plan.fill {
                        Fill::Constant(value) => value,
                        Fill::Carry => last,
                    };
                }
            }
        }
        observed
    }

    fn fill_ahead(&mut self, offset: usize, history: usize) {
        let end = self.out.y.len();
        self.out.status[offset + history..end].fill(RowStatus::Future as u8);
        for ((column, plan), tally) in self.out.exog.iter_mut().zip(&self.plan.exog).zip(&mut self.tally.ahead) {
            if !plan.ahead {
                column[offset + history..end].fill(f64::NAN);
                continue;
            }
            let series = &mut column[offset..end];
            let mut last = series[..history].iter().rev().find(|value| !value.is_nan()).copied().unwrap_or(f64::NAN);
            let mut filled = 0;
            for value in &mut series[history..] {
                if value.is_nan() {
                    *value = match plan.fill {
                        Fill::Carry => last,
                        Fill::Constant(constant) => constant,
                    };
                    filled += 1;
                }
                last = *value;
            }
            tally.rows += filled;
            tally.series += u64::from(filled > 0);
        }
    }

    /// Replaces codes of first sight by sorted ones.
    pub(super) fn recode(&mut self) {
        for (column, plan) in self.out.exog.iter_mut().zip(&self.plan.exog) {
            if plan.kind == ExogKind::Category {
                for value in column.iter_mut().filter(|value| !value.is_nan()) {
                    *value = plan.recode[*value as usize];
                }
            }
        }
    }
}

impl Tally {
    /// Adds the counts of the next partition.
    pub(super) fn add(&mut self, other: &Self) {
        self.kept += other.kept;
        self.collapsed += other.collapsed;
        self.merged += other.merged;
        self.outside += other.outside;
        self.off_grid += other.off_grid;
        self.gaps += other.gaps;
        self.censored += other.censored;
        self.missing += other.missing;
        self.duplicates += other.duplicates;
        self.duplicate = self.duplicate.or(other.duplicate);
        self.gap = self.gap.or(other.gap);
        self.ahead.resize(other.ahead.len(), AheadTally::default());
        for (sum, part) in self.ahead.iter_mut().zip(&other.ahead) {
            sum.rows += part.rows;
            sum.series += part.series;
            sum.until = sum.until.max(part.until);
        }
    }
}
