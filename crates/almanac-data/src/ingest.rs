//! Source files into bronze: typed Parquet, one folder per table, with the rows that could not be read put aside.
//!
//! A table is read twice: once to settle formats, names and types over the whole of it, once to convert it. Memory holds a few
//! batches and one row group, not the table. The folder appears in one step, complete, or not at all.
//!
//! ```text
//! bronze/<table>/part-00000.parquet   columns of the source, then `_file` (index) and `_row` (record in the file)
//! bronze/<table>/quarantine.parquet   file, row, column, value, reason; only if there is something in it
//! ```
//! CSV, JSON and spreadsheets become rows of cells first (`records`), whatever they are packed in: gzip, zstd, zip. What a file with
//! several things in it is asked for stands behind `!/` in its path (`find`).
//!
//! Parquet sources are checked by decoding them and copied as they are (no `_file`, no `_row`), unless columns are personal: what
//! [`TableSpec::redaction`] names is hashed, masked or left out here, before a row, a refused value or a message is written.
//!
//! Policies: names are trimmed, nameless columns are `column_N`, a repeated name gets `_2`; empty lines are skipped; a record with too few
//! or too many cells is put aside (more than 10 % of them refuse the file); text keeps its blanks; `NA`, `NaN`, `null`, `N/A` and empty are
//! null, in typed columns also `none`, `-`, `?` and `.`; truth words are Boolean, 0 and 1 stay integers.
//!
//! Not here: cleaning, keys, gaps (`silver`); SQL over bronze (`query`).

mod archive;
mod book;
mod columns;
mod date;
mod dialect;
mod encoding;
mod error;
mod find;
mod hide;
mod json;
mod nested;
mod number;
mod parquet_source;
mod profile;
mod records;
mod source;
mod table;
mod unpack;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use almanac_privacy::{Policy, Redaction};
use arrow::array::RecordBatch;

pub use date::DayOrder;
pub use error::{IngestError, MAX_COLUMNS};
pub use find::{expand_source, on_disk};
pub use hide::hide_file;
pub use source::SourceFormat;
pub use table::nearest;

pub(crate) use columns::arrow_type;
pub(crate) use parquet_source::{is_canonical, kind_of};
pub(crate) use source::is_parquet;
pub(crate) use table::{Content, OpenTable};

use crate::atomic::StagedDir;

/// Column of bronze that says which file of the table a row is from, as an index.
pub const FILE_COLUMN: &str = "_file";
/// Column of bronze that says which record of its file a row is; the header is record 1.
pub const ROW_COLUMN: &str = "_row";

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Real,
    /// True or false.
    Boolean,
    /// Anything else.
    Text,
    /// Instants with a time of day.
    Timestamp,
    /// Days.
    Date,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
        })
    }
}

/// How the text files of a table are written; what is `None` is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// Between cells; one ASCII character.
    pub delimiter: Option<char>,
    /// A web label: `utf-8`, `windows-1252`, `utf-16le`.
    pub encoding: Option<String>,
    /// `.` or `,`.
    pub decimal: Option<char>,
    /// `strftime` patterns, tried before the usual forms; also `epoch` and `epoch_ms` (seconds and milliseconds since 1970).
    pub date_formats: Option<Vec<String>>,
    /// What stands for a missing value, besides nothing at all. Replaces the built-in list.
    pub null_values: Option<Vec<String>>,
}

/// One table of bronze and where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableSpec {
    /// Its name in SQL and its folder in the lake.
    pub name: String,
    /// Its files, see [`expand_source`].
    pub paths: Vec<PathBuf>,
    /// How its text files are written.
    pub csv: CsvOptions,
    /// Types of columns that are not to be found out.
    pub types: BTreeMap<String, ColumnKind>,
    /// What becomes of its personal columns before anything of them is written or said.
    pub redaction: Redaction,
}

impl TableSpec {
    /// The type of a column that is not to be found out. Values of personal columns are text: finding out would quote them.
    pub(crate) fn kind(&self, column: &str) -> Option<ColumnKind> {
        match self.redaction.policy(column) {
            Some(_) => Some(ColumnKind::Text),
            None => self.types.get(column).copied(),
        }
    }
}

/// A row that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Path of the source file.
    pub file: String,
    /// Record in the file, from 1; the header of a CSV file is record 1.
    pub row: u64,
    /// The column, or nothing if the whole row is bad.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// Why it cannot be read.
    pub reason: String,
}

impl Quarantined {
    fn new(file: &Path, row: u64, column: &str, value: &str, reason: String) -> Self {
        let value = value.chars().take(200).collect();
        Self { file: file.display().to_string(), row, column: column.to_owned(), value, reason }
    }

    /// The row as it may be written. A line that has no columns may hold anything, and parsers quote what they stumble over.
    fn hidden(mut self, redaction: &Redaction) -> Self {
        if redaction.is_empty() {
            return self;
        }
        if self.column.is_empty() {
            self.value = redaction.line(&self.value).into_owned();
            self.reason.truncate(self.reason.find(':').unwrap_or(self.reason.len()));
        } else {
            self.value = redaction.value(&self.column, &self.value).into_owned();
        }
        self
    }
}

/// One source file, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: SourceFormat,
    /// Its rows without the header, those put aside included.
    pub rows: u64,
    /// Its size on disk.
    pub bytes: u64,
    /// Encoding of a text file.
    pub encoding: Option<String>,
    /// Delimiter of a CSV file.
    pub delimiter: Option<char>,
}

/// One column, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
    /// Cells without a value.
    pub nulls: u64,
    /// What was decided about it and why.
    pub note: Option<String>,
}

/// What came of bringing in a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IngestReport {
    /// The table.
    pub table: String,
    /// Rows in bronze.
    pub rows: u64,
    /// The source files.
    pub files: Vec<FileReport>,
    /// The columns.
    pub columns: Vec<ColumnReport>,
    /// Rows put aside (a row with two bad cells counts twice).
    pub quarantined: u64,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// Columns of the source that are personal, with what became of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, Policy>,
}

/// Brings a table into `bronze_dir/<table>`, replacing what was there.
///
/// # Errors
/// [`IngestError`]; the old table then stays as it was.
pub fn ingest_table(spec: &TableSpec, bronze_dir: &Path) -> Result<IngestReport, IngestError> {
    let table = OpenTable::open(spec, false)?;
    let target = bronze_dir.join(&spec.name);
    let failed = |source| IngestError::Write { path: target.clone(), source };
    let staged = StagedDir::new(&target).map_err(failed)?;
    let (rows, quarantine) = match &table.content {
        Content::Parquet(parquet) if parquet.is_uniform && (spec.redaction.is_empty() || spec.redaction.is_done()) => {
            parquet.check()?;
            for (index, path) in parquet.paths().enumerate() {
                // A copy, not a link: a source that is later rewritten in place must not change bronze.
                let to = staged.path().join(part(index));
                std::fs::copy(path, &to).map_err(|source| IngestError::Write { path: to, source })?;
            }
            (table.files.iter().map(|file| file.rows).sum(), Vec::new())
        }
        _ => {
            let path = staged.path().join(part(0));
            let (quarantine, rows) = write::write_file(&path, table.schema(), |send| {
                table.read(&mut |batch| Ok(if send(batch) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }))
            })?;
            (rows, quarantine)
        }
    };
    if rows == 0 {
        return Err(IngestError::NoRows { path: spec.paths.first().cloned().unwrap_or_default() });
    }
    if !quarantine.is_empty() {
        write::write_quarantine(&staged.path().join("quarantine.parquet"), &quarantine)?;
    }
    staged.commit().map_err(failed)?;
    tracing::info!(table = %spec.name, rows, quarantined = quarantine.len(), "table ingested");
    Ok(IngestReport {
        table: spec.name.clone(),
        rows,
        files: table.files,
        columns: table.columns,
        quarantined: quarantine.len() as u64,
        notes: table.notes,
        personal: table.personal,
    })
}

/// Hands out a table's rows in typed batches, in the order of its files, without writing anything; returns how many did not fit. Dates
/// that fit two orders are read in the likelier one.
///
/// The columns are those of bronze without [`FILE_COLUMN`] and [`ROW_COLUMN`]; `take` gets at least one batch, which may be empty.
///
/// # Errors
/// [`IngestError`].
pub fn scan_table(spec: &TableSpec, mut take: impl FnMut(RecordBatch) -> ControlFlow<()>) -> Result<u64, IngestError> {
    let table = OpenTable::open(spec, true)?;
    let schema = table.schema();
    let kept: Vec<usize> = (0..schema.fields().len()).filter(|index| !is_origin(schema.field(*index).name())).collect();
    let project = |batch: &RecordBatch| {
        batch
            .project(&kept)
            .map_err(|source| IngestError::Encode { path: spec.paths.first().cloned().unwrap_or_default(), source: source.into() })
    };
    if take(project(&RecordBatch::new_empty(schema.clone()))?).is_break() {
        return Ok(0);
    }
    let misfits = table.read(&mut |batch| Ok(take(project(&batch)?)))?;
    Ok(misfits.len() as u64)
}

fn is_origin(column: &str) -> bool {
    column == FILE_COLUMN || column == ROW_COLUMN
}

fn part(index: usize) -> String {
    format!("part-{index:05}.parquet")
}
