//! Where the rows of an import end: in transactions of bounded size, each of which adds what is not there.
//!
//! A row that is there is compared and never changed. If a transaction breaks a rule of the tables, it is halved until the row
//! at fault stands alone, and that one is reported.
//!
//! Not here: where rows come from.

mod derived;
mod rows;

use std::collections::{HashMap, HashSet};

use super::report::{ImportReport, TableCount};
use super::tables::{Cell, Record, Table, tables};
use crate::StoreError;
use crate::db::{Database, Session};

/// Rows of one transaction: about 500 runs with what they log.
const BATCH: usize = 20_000;

/// The number of a row in this store, and of the experiment it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    own: i64,
    experiment: i64,
}

/// Numbers of rows by their key, one map a table.
type Numbers = Vec<HashMap<String, Number>>;

/// Takes rows in, those that are referred to first.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    db: &'a Database,
    pending: Vec<Record>,
    /// What is on disk.
    numbers: Numbers,
    /// In a dry run: what would be there.
    promised: Vec<HashSet<String>>,
    is_dry: bool,
    counts: Vec<TableCount>,
    pub(super) report: ImportReport,
}

/// What one transaction did; it counts only once it is on disk.
#[derive(Debug)]
struct Outcome {
    counts: Vec<TableCount>,
    numbers: Numbers,
    report: ImportReport,
    promised: Vec<HashSet<String>>,
}

impl Outcome {
    fn new() -> Self {
        Self {
            counts: vec![TableCount::default(); tables().len()],
            numbers: vec![HashMap::new(); tables().len()],
            report: ImportReport::default(),
            promised: vec![HashSet::new(); tables().len()],
        }
    }
}

impl<'a> Sink<'a> {
    pub(super) fn new(db: &'a Database, is_dry: bool) -> Self {
        let empty = Outcome::new();
        let counts = tables().iter().map(|table| TableCount { table: table.name.clone(), ..TableCount::default() }).collect();
        Self { db, pending: Vec::new(), numbers: empty.numbers, promised: empty.promised, is_dry, counts, report: ImportReport::default() }
    }

    /// Takes a row. It is on disk after the next [`Sink::flush`].
    pub(super) fn push(&mut self, record: Record) -> Result<(), StoreError> {
        self.pending.push(record);
        if self.pending.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Writes what was taken.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let mut records = std::mem::take(&mut self.pending);
        records.sort_by_key(|record| record.table);
        self.write(&records)
    }

    /// Returns the number of an experiment here, once it was written.
    pub(super) fn experiment(&self, name: &str) -> Option<i64> {
        let experiments = tables().iter().position(|table| table.name == "experiments").expect("in the schema");
        self.numbers[experiments].get(name).map(|number| number.own)
    }

    /// Writes the rest and returns what was done.
    pub(super) fn finish(mut self) -> Result<ImportReport, StoreError> {
        self.flush()?;
        self.report.tables = self.counts.into_iter().filter(|count| count.added + count.present + count.skipped > 0).collect();
        Ok(self.report)
    }

    fn write(&mut self, records: &[Record]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let (numbers, promised) = (&self.numbers, &self.promised);
        let written = if self.is_dry {
            self.db.read(|session| Batch { session, numbers, promised, outcome: Outcome::new() }.look(records))
        } else {
            self.db.write(|session| Batch { session, numbers, promised, outcome: Outcome::new() }.write(records))
        };
        match written {
            Ok(outcome) => {
                self.take(outcome);
                Ok(())
            }
            // A rule of the tables, or a text that the database cannot hold.
            Err(error @ (StoreError::Database { .. } | StoreError::Refused { .. })) => {
                if let [record] = records {
                    self.report.problem(&record.place, described(&error));
                    self.counts[record.table].skipped += 1;
                    return Ok(());
                }
                let (first, rest) = records.split_at(records.len() / 2);
                self.write(first)?;
                self.write(rest)
            }
            Err(error) => Err(error),
        }
    }

    fn take(&mut self, outcome: Outcome) {
        for (count, more) in self.counts.iter_mut().zip(outcome.counts) {
            count.added += more.added;
            count.present += more.present;
            count.conflicts += more.conflicts;
            count.skipped += more.skipped;
        }
        for (known, more) in self.numbers.iter_mut().zip(outcome.numbers) {
            known.extend(more);
        }
        for (known, more) in self.promised.iter_mut().zip(outcome.promised) {
            known.extend(more);
        }
        for problem in outcome.report.problems {
            self.report.problem(problem.place, problem.what);
        }
        for conflict in outcome.report.conflicts {
            self.report.conflict(conflict.place, conflict.what);
        }
        self.report.renumbered.extend(outcome.report.renumbered);
    }
}

/// Says what the database said, which stands in the cause.
fn described(error: &StoreError) -> String {
    match error {
        StoreError::Database { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// One transaction at work.
struct Batch<'s, 'n> {
    session: &'s mut dyn Session,
    /// Numbers that were on disk before.
    numbers: &'n Numbers,
    promised: &'n [HashSet<String>],
    outcome: Outcome,
}

impl Batch<'_, '_> {
    fn write(mut self, records: &[Record]) -> Result<Outcome, StoreError> {
        for group in records.chunk_by(|left, right| left.table == right.table) {
            let table = &tables()[group[0].table];
            if table.known_number.is_some() {
                self.write_numbered(table, group)?;
            } else if table.key.is_empty() {
                self.write_keyless(table, group)?;
            } else {
                self.write_rows(table, group)?;
            }
            self.write_derived(table, group)?;
        }
        Ok(self.outcome)
    }

    /// Finds out what [`Batch::write`] would do.
    fn look(mut self, records: &[Record]) -> Result<Outcome, StoreError> {
        for group in records.chunk_by(|left, right| left.table == right.table) {
            self.look_at_rows(&tables()[group[0].table], group)?;
        }
        Ok(self.outcome)
    }

    fn count(&mut self, record: &Record) -> &mut TableCount {
        &mut self.outcome.counts[record.table]
    }

    fn skip(&mut self, record: &Record, what: String) {
        self.count(record).skipped += 1;
        self.outcome.report.problem(&record.place, what);
    }

    /// Returns the number of the row that has this key, if it is there.
    fn number(&mut self, other: usize, cell: &Cell) -> Result<Option<Number>, StoreError> {
        let key = cell.key_text();
        if let Some(number) = self.outcome.numbers[other].get(&key).or_else(|| self.numbers[other].get(&key)) {
            return Ok(Some(*number));
        }
        let table = &tables()[other];
        let cells = match cell {
            Cell::Key(cells) => cells.clone(),
            single => vec![single.clone()],
        };
        if cells.len() != table.key.len() {
            return Ok(None);
        }
        let found = self.find(table, &cells)?;
        if let Some(number) = found {
            self.outcome.numbers[other].insert(key, number);
        }
        Ok(found)
    }

    /// Remembers the number that a row has.
    fn keep_number(&mut self, table: &Table, record: &Record, number: Number) {
        if table.number.is_some() {
            self.outcome.numbers[record.table].insert(key_of(table, record), number);
        }
    }
}

/// Returns the text of a record's key.
fn key_of(table: &Table, record: &Record) -> String {
    let cells: Vec<Cell> = table.key.iter().map(|place| record.cells[*place].clone()).collect();
    Cell::Key(cells).key_text()
}
