//! A look at a table before anything is configured: its columns, their kinds, ranges and repetitions.
//!
//! Up to [`SKETCH_ROWS`] rows are held in memory, column by column: numbers and times as they are, texts as codes. Beyond that the
//! look is at the first rows, and says so.
//!
//! Not here: what the columns are for (`infer`).

mod column;

use std::ops::ControlFlow;
use std::path::PathBuf;

use crate::ingest::{ColumnKind, Content, IngestError, OpenTable, SourceFormat, TableSpec};

pub(crate) use column::{Column, NULL_CODE, Values};

/// Most rows that a sketch holds.
pub const SKETCH_ROWS: usize = 2_000_000;
const SAMPLES: usize = 5;
/// Cells held at most, for wide tables.
const SKETCH_CELLS: usize = 60_000_000;

/// One column, as far as it was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSketch {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// Cells without a value.
    pub nulls: u64,
    /// Distinct values.
    pub distinct: usize,
    /// The smallest value as text.
    pub min: Option<String>,
    /// The largest value as text.
    pub max: Option<String>,
    /// The first few distinct values.
    pub samples: Vec<String>,
    /// `strftime` pattern of dates whose order of day and month had to be settled.
    pub date_format: Option<String>,
    /// Whether values never fall from row to row.
    pub is_monotone: bool,
    /// What was decided about it and why.
    pub note: Option<String>,
}

/// A table, as far as it was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSketch {
    /// Its name.
    pub name: String,
    /// Its files.
    pub paths: Vec<PathBuf>,
    /// Format of the files.
    pub format: SourceFormat,
    /// Delimiter of CSV files.
    pub delimiter: Option<char>,
    /// Encoding of text files.
    pub encoding: Option<String>,
    /// All rows.
    pub rows: u64,
    /// Rows that were looked at.
    pub rows_seen: u64,
    /// The columns.
    pub columns: Vec<ColumnSketch>,
    /// Remarks for the user.
    pub notes: Vec<String>,
}

/// A table in memory, for inference.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) format: SourceFormat,
    pub(crate) delimiter: Option<char>,
    pub(crate) encoding: Option<String>,
    /// All rows of the files.
    pub(crate) total: u64,
    /// Rows in memory.
    pub(crate) rows: usize,
    pub(crate) columns: Vec<Column>,
    pub(crate) notes: Vec<String>,
}

impl Frame {
    pub(crate) fn load(spec: &TableSpec) -> Result<Self, IngestError> {
        let table = OpenTable::open(spec, true)?;
        let mut columns: Vec<Column> =
            table.columns.iter().map(|report| Column::new(&report.name, report.kind, report.note.clone())).collect();
        if let Content::Text(text) = &table.content {
            for column in &mut columns {
                column.order_is_guessed = text.plans.iter().any(|plan| plan.name == column.name && plan.order_is_guessed);
            }
        }
        let cap = (SKETCH_CELLS / columns.len().max(1)).clamp(10_000, SKETCH_ROWS);
        let mut rows = 0;
        table.read(&mut |batch| {
            let batch = if rows + batch.num_rows() > cap { batch.slice(0, cap - rows) } else { batch };
            for column in &mut columns {
                let array = batch.column_by_name(&column.name).expect("the batch has the columns of the table");
                column.extend(array);
            }
            rows += batch.num_rows();
            Ok(if rows >= cap { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let first = &table.files[0];
        Ok(Self {
            name: spec.name.clone(),
            paths: spec.paths.clone(),
            format: first.format,
            delimiter: first.delimiter,
            encoding: first.encoding.clone(),
            total: table.files.iter().map(|file| file.rows).sum(),
            rows,
            columns,
            notes: table.notes,
        })
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Looks at a table.
///
/// # Errors
/// [`IngestError`], but not for dates that fit two orders: the likelier one is taken.
pub fn sketch_table(spec: &TableSpec) -> Result<TableSketch, IngestError> {
    let frame = Frame::load(spec)?;
    let columns = frame.columns.iter().map(|column| ColumnSketch {
        name: column.name.clone(),
        kind: column.kind,
        nulls: column.nulls() as u64,
        distinct: column.distinct(),
        min: column.extreme(false),
        max: column.extreme(true),
        samples: column.samples(SAMPLES),
        date_format: column.order_is_guessed.then(|| "%m/%d/%Y".to_owned()),
        is_monotone: column.is_monotone(),
        note: column.note.clone(),
    });
    Ok(TableSketch {
        columns: columns.collect(),
        name: frame.name,
        paths: frame.paths,
        format: frame.format,
        delimiter: frame.delimiter,
        encoding: frame.encoding,
        rows: frame.total,
        rows_seen: frame.rows as u64,
        notes: frame.notes,
    })
}
