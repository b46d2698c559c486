//! What `almanac init` finds out about raw data: which table holds the sales, what its columns are for, how the other tables join.
//!
//! Every choice comes with a reason for the user; what could as well be otherwise is a [`Question`] with the flag that overrides
//! it. Nothing is guessed from a name that the data contradicts.
//!
//! ```text
//! files ─tables─► frames ─artefacts, sales─► time, target ─keys─► id ─spacing─► freq, gaps ─joins─► SQL ─roles─► static, historic, future
//! ```
//! Not here: asking the user and writing `almanac.toml` (the binary, `almanac-config`).

mod artefacts;
mod error;
mod hierarchy;
mod joins;
mod keys;
mod names;
mod personal;
mod plan;
mod queries;
mod roles;
mod sales;
mod scene;
mod spacing;
mod sql;
mod tables;

use std::path::PathBuf;

use almanac_series::Freq;

pub use error::InferProjectError;

use crate::ingest::{CsvOptions, TableSpec};
use crate::sketch::{Column, Frame};

use spacing::SeriesRows;

/// What the user has said already; the rest is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Time column.
    pub time: Option<String>,
    /// Target column.
    pub target: Option<String>,
    /// Columns that name a series; none of them for a single series.
    pub id: Option<Vec<String>>,
    /// Alias of the frequency.
    pub freq: Option<String>,
    /// Steps ahead.
    pub horizon: Option<usize>,
}

impl Answers {
    /// Whether the user has named this column.
    fn names(&self, column: &str) -> bool {
        let is = |name: &Option<String>| name.as_deref() == Some(column);
        is(&self.time) || is(&self.target) || self.id.as_ref().is_some_and(|id| id.iter().any(|name| name == column))
    }
}

/// A table that the project reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferredTable {
    /// Its name in SQL.
    pub name: String,
    /// Its files.
    pub paths: Vec<PathBuf>,
}

/// Why a key has its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Key of `[data]`, e.g. `freq`.
    pub key: &'static str,
    /// Its value, or the part of it that is meant.
    pub value: String,
    /// One sentence without a capital or a full stop.
    pub why: String,
}

/// A column that looks as if it named a person. It has no part in anything else that was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// Its table.
    pub table: String,
    /// Its name.
    pub column: String,
    /// One sentence without a capital or a full stop.
    pub why: String,
}

/// What the data left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub what: String,
    /// What it could be, the likelier first.
    pub candidates: Vec<String>,
    /// What was taken.
    pub taken: String,
    /// Flag or key that says otherwise, e.g. `--target`.
    pub flag: &'static str,
}

/// What was found out, in the words of `almanac.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// The tables that are read; tables that nothing needs are not among them.
    pub tables: Vec<InferredTable>,
    /// `SELECT` that yields the long table; `None` where the one table is it.
    pub sql: Option<String>,
    /// `SELECT` that yields the known-ahead rows after the history.
    pub future_sql: Option<String>,
    /// How text files are written, as far as it had to be settled.
    pub csv: CsvOptions,
    /// Columns that name a series; empty for a single one.
    pub id: Vec<String>,
    /// Time column.
    pub time: String,
    /// Target column.
    pub target: String,
    /// Spacing of the rows.
    pub freq: Freq,
    /// Steps ahead, if the user said so.
    pub horizon: Option<usize>,
    /// Attributes of the series.
    pub static_columns: Vec<String>,
    /// Columns known up to the cutoff.
    pub historic: Vec<String>,
    /// Columns known ahead.
    pub future: Vec<String>,
    /// Column that is false or 0 in a stock-out.
    pub in_stock: Option<String>,
    /// Column with the price of one unit.
    pub price: Option<String>,
    /// Paths from the top down, e.g. `state/store`.
    pub hierarchy: Vec<String>,
    /// `zero`, `missing` or `closed`.
    pub gaps: &'static str,
    /// `error`, `sum` or `last`.
    pub duplicates: &'static str,
    /// `keep`; negative targets are real until someone says otherwise.
    pub negatives: &'static str,
    /// Column with one country in every row, and that country as it is written there.
    pub country: Option<(String, String)>,
    /// Columns of the tables that look personal.
    pub personal: Vec<Personal>,
    /// Number of series that were seen.
    pub series: usize,
    /// Periods from the time at which a quarter of the live series had begun to the newest one.
    pub periods: usize,
    /// Rows of the sales table.
    pub rows: u64,
    /// Why each key has its value.
    pub reasons: Vec<Reason>,
    /// What the data left open.
    pub questions: Vec<Question>,
    /// What is probably wrong with the data.
    pub warnings: Vec<String>,
}

/// Finds out how a project over these files, folders or globs should be configured.
///
/// # Errors
/// [`InferProjectError`] if a file cannot be read, or no table has a time and a target.
pub fn infer_project(sources: &[PathBuf], answers: &Answers) -> Result<Inference, InferProjectError> {
    let (mut frames, failed) = tables::load(sources)?;
    let (mut aside, mut personal) = (Vec::new(), Vec::new());
    for frame in &mut frames {
        artefacts::put_aside(frame, answers, &mut aside);
        personal::put_aside(frame, answers, &mut personal);
    }
    let broken: Vec<(String, String)> = failed.iter().map(|(table, error)| (table.clone(), error.to_string())).collect();
    match plan::infer(&frames, answers) {
        // What is missing is probably in the file that could not be read.
        Err(InferProjectError::NoSales { .. } | InferProjectError::NoColumn { .. }) if !failed.is_empty() => {
            Err(failed.into_iter().next().map(|(_, error)| error).expect("there is one").into())
        }
        Err(error) => Err(error),
        Ok(mut found) => {
            let reason =
                |(table, error): (String, String)| Reason { key: "tables", why: format!("`{table}` is left out: {error}"), value: table };
            found.reasons.extend(broken.into_iter().map(reason));
            found.reasons.extend(aside);
            personal.retain(|column| found.tables.iter().any(|table| table.name == column.table));
            found.personal = personal;
            Ok(found)
        }
    }
}

/// A policy for gaps and why it is the right one.
pub type GapAnswer = (&'static str, String);

/// Finds out what a missing row of a table means: `zero`, `missing` or `closed`, as [`infer_project`] does.
/// `None` if the table lacks the time, the target or a column of the id.
///
/// # Errors
/// [`InferProjectError`] if a file cannot be read.
pub fn infer_gaps(
    spec: &TableSpec,
    id: &[String],
    time: &str,
    target: &str,
    freq: Option<Freq>,
) -> Result<Option<GapAnswer>, InferProjectError> {
    let frame = Frame::load(spec)?;
    let id: Option<Vec<&Column>> = id.iter().map(|name| frame.column(name)).collect();
    let (Some(id), Some(time), Some(target)) = (id, frame.column(time), frame.column(target)) else { return Ok(None) };
    let series = SeriesRows::new(&frame, &id);
    let told = || spacing::frequencies(&series, time).first().map(|(freq, _)| *freq).or_else(|| spacing::frequency_of_union(&frame, time));
    let freq = match freq {
        Some(freq) => freq,
        None if !time.is_time() => Freq::Step,
        None => told().ok_or_else(|| InferProjectError::NoFreq { column: time.name.clone() })?,
    };
    Ok(Some(spacing::gaps(&frame, &series, time, target, freq)))
}
