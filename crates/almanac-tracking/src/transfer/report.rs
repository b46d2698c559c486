//! What an import did, and what it could not do.
//!
//! Not here: printing it.

use std::fmt;

/// Most problems and conflicts that are kept in words; all are counted.
const MOST_KEPT: usize = 1000;

/// What became of the rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableCount {
    /// Name of the table, such as `runs`.
    pub table: String,
    /// Rows that are new.
    pub added: u64,
    /// Rows that were there already, the same or differing.
    pub present: u64,
    /// Of [`TableCount::present`], those that differ; they stay as they are.
    pub conflicts: u64,
    /// Rows that were left out, each with a problem.
    pub skipped: u64,
}

/// Something that was left out or differs, and where it stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File and line, or table and key.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Tables that the source had rows for, in the order of the schema.
    pub tables: Vec<TableCount>,
    /// Experiments that could not keep their number: name, number in the source, number here.
    pub renumbered: Vec<(String, i64, i64)>,
    /// What was damaged and left out; the first 1000.
    pub problems: Vec<Problem>,
    /// How many problems there were.
    pub problem_count: u64,
    /// What is there already and differs; the first 1000.
    pub conflicts: Vec<Problem>,
    /// What to know, such as artifacts that stay where they are.
    pub warnings: Vec<String>,
    /// Files of artifacts that were copied.
    pub files_copied: u64,
}

impl ImportReport {
    /// Returns how many rows were added.
    pub fn added(&self) -> u64 {
        self.tables.iter().map(|table| table.added).sum()
    }

    /// Returns how many rows were there and differ.
    pub fn conflict_count(&self) -> u64 {
        self.tables.iter().map(|table| table.conflicts).sum()
    }

    /// Returns what became of one table.
    pub fn table(&self, name: &str) -> TableCount {
        let found = self.tables.iter().find(|table| table.table == name).cloned();
        found.unwrap_or_else(|| TableCount { table: name.to_owned(), ..TableCount::default() })
    }

    pub(super) fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MOST_KEPT {
            self.problems.push(Problem { place: place.into(), what: what.into() });
        }
    }

    pub(super) fn conflict(&mut self, place: String, what: String) {
        if self.conflicts.len() < MOST_KEPT {
            self.conflicts.push(Problem { place, what });
        }
    }
}
