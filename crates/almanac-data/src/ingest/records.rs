//! Records of a text file in batches of raw cells, with the rows that have no sound shape put aside.
//!
//! One thread splits the stream; what cells mean is worked out column by column, in parallel, by whoever takes the batches.
//! `row` counts records from 1, the header being record 1 of a CSV file, as a spreadsheet shows it; lines in JSON lines.
//!
//! Not here: types of columns (`profile`, `columns`).

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use super::encoding::TextSource;
use super::error::{IngestError, MAX_COLUMNS};
use super::source::{Body, Origin, SourceFormat};
use super::unpack::{Metered, fault};
use super::{CsvOptions, Quarantined, book, dialect, json};

pub(crate) const BATCH_ROWS: usize = 65_536;
pub(crate) const BATCH_BYTES: usize = 16 << 20;
/// Longest single record that is read, in bytes.
pub(crate) const MAX_RECORD: u64 = 64 << 20;
/// Share of rows without a sound shape above which the file is refused.
pub(crate) const MAX_RAGGED: f64 = 0.1;
/// Rows without a sound shape from which the share is looked at before the end.
const MANY_RAGGED: usize = 100_000;

/// Cells of some rows, row by row in one buffer.
#[derive(Debug, Default, Clone)]
pub(crate) struct RawBatch {
    data: Vec<u8>,
    /// End of each cell in `data`, `columns` per row.
    ends: Vec<u32>,
    columns: usize,
    /// Record number of each row.
    pub(crate) rows: Vec<u64>,
    /// Whether all of `data` is known to be UTF-8.
    is_valid_utf8: bool,
}

impl RawBatch {
    pub(crate) fn new(columns: usize, is_valid_utf8: bool) -> Self {
        Self { columns, is_valid_utf8, ..Self::default() }
    }

    /// Adds the next cell of the row in the making.
    pub(crate) fn push_cell(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.ends.push(self.data.len() as u32);
    }

    /// Completes the row, which has had a cell for every column.
    pub(crate) fn end_row(&mut self, number: u64) {
        debug_assert_eq!(self.ends.len(), (self.rows.len() + 1) * self.columns);
        self.rows.push(number);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns how many columns were known when the batch was read.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Returns a cell's bytes; empty past the columns that were known when the batch was read.
    fn bytes(&self, row: usize, column: usize) -> &[u8] {
        if column >= self.columns {
            return &[];
        }
        let index = row * self.columns + column;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.data[start..self.ends[index] as usize]
    }

    /// Returns a cell as text; `Err` holds a lossy rendering of one that cannot be read in the file's encoding.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Result<&str, String> {
        let bytes = self.bytes(row, column);
        let text = std::str::from_utf8(bytes).map_err(|_| String::from_utf8_lossy(bytes).into_owned())?;
        if !self.is_valid_utf8 && text.contains('\u{fffd}') { Err(text.to_owned()) } else { Ok(text) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.data.len() >= BATCH_BYTES || self.ends.len() >= 4 << 20
    }
}

/// What a whole pass over a file found besides the batches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pass {
    /// Column names in the order of the file.
    pub(crate) header: Vec<String>,
    /// All data rows, those put aside included.
    pub(crate) rows: u64,
    /// Rows without a sound shape.
    pub(crate) ragged: Vec<Quarantined>,
    pub(crate) delimiter: Option<u8>,
    /// Remarks on the header.
    pub(crate) notes: Vec<String>,
}

impl Pass {
    /// Whether so many rows are without a sound shape that the rest need not be read.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.ragged.len() >= MANY_RAGGED && self.ragged.len() as f64 > MAX_RAGGED * self.rows as f64
    }
}

/// Reads an origin and hands each batch to `take`, which may break off.
pub(crate) fn read(origin: &Origin, options: &CsvOptions, take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>) -> Result<Pass, IngestError> {
    match (&origin.body, origin.format) {
        (Body::Sheet(sheet), _) => book::read(sheet, &origin.path, options, take),
        (Body::Text(text), SourceFormat::JsonLines) => json::read_lines(text, options, take),
        (Body::Text(text), SourceFormat::Json) => json::read_document(text, options, take),
        (Body::Text(text), _) => read_csv(text, options, take),
        (Body::Parquet, _) => Ok(Pass::default()),
    }
}

fn csv_fault(path: &Path, row: u64, error: csv::Error) -> IngestError {
    let error = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    };
    match fault(path, error) {
        IngestError::TooLong { path, limit, .. } => IngestError::TooLong { path, what: format!("record {row}"), limit },
        other => other,
    }
}

/// What is read after the last record: alone on its line it says that no quote is open. It holds no delimiter.
fn end_mark(delimiter: u8) -> &'static [u8] {
    if (0x1c..=0x1f).contains(&delimiter) { b"\n\x01\x02\x01\n" } else { b"\n\x1d\x1e\x1d\n" }
}

fn read_csv(source: &TextSource, options: &CsvOptions, take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>) -> Result<Pass, IngestError> {
    let path = &source.path;
    let delimiter = dialect::delimiter(source, options)?;
    let end = end_mark(delimiter);
    let (stream, meter) = Metered::new(source.open()?.chain(end), MAX_RECORD);
    let is_end = |record: &csv::ByteRecord| record.len() == 1 && record.get(0) == Some(end.trim_ascii());
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(256 * 1024).from_reader(stream);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(|error| csv_fault(path, 1, error))? || is_end(&record) {
        return Err(IngestError::Empty { path: path.clone() });
    }
    let not_open = |record: &csv::ByteRecord, number: u64| {
        let is_open = record.iter().next_back().is_some_and(|cell| cell.ends_with(end));
        if is_open { Err(IngestError::OpenQuote { path: path.clone(), record: number }) } else { Ok(()) }
    };
    not_open(&record, 1)?;
    if record.len() > MAX_COLUMNS {
        return Err(IngestError::TooManyColumns { path: path.clone(), got: record.len() });
    }
    let mut notes = Vec::new();
    let header = name_columns(record.iter(), &mut notes);
    let mut pass = Pass { header, rows: 0, ragged: Vec::new(), delimiter: Some(delimiter), notes };
    let columns = pass.header.len();
    let mut batch = RawBatch::new(columns, source.is_valid_utf8);
    let mut number = 1;
    loop {
        meter.reset();
        if !reader.read_byte_record(&mut record).map_err(|error| csv_fault(path, number + 1, error))? || is_end(&record) {
            break;
        }
        number += 1;
        not_open(&record, number)?;
        pass.rows += 1;
        let extra_is_blank = record.len() > columns && record.iter().skip(columns).all(<[u8]>::is_empty);
        if record.len() != columns && !extra_is_blank {
            let text: Vec<_> = record.iter().take(20).map(String::from_utf8_lossy).collect();
            let reason = format!("the row has {} cells, the header {columns}", record.len());
            pass.ragged.push(Quarantined::new(path, number, "", &text.join(&(delimiter as char).to_string()), reason));
            if pass.is_hopeless() {
                break;
            }
            continue;
        }
        let kept = record.range(columns - 1).map_or(0, |range| range.end);
        let start = batch.data.len();
        let cells = record.as_slice();
        for index in 0..columns {
            let range = record.range(index).expect("the record has as many cells as the header");
            batch.ends.push((start + range.end) as u32);
        }
        batch.data.extend_from_slice(&cells[..kept]);
        batch.rows.push(number);
        if batch.is_full() {
            let full = std::mem::replace(&mut batch, RawBatch::new(columns, source.is_valid_utf8));
            if take(full).is_break() {
                return Ok(pass);
            }
        }
    }
    if batch.len() > 0 {
        let _ = take(batch);
    }
    if let Some(first) = pass.ragged.first()
        && pass.ragged.len() as f64 > MAX_RAGGED * pass.rows as f64
    {
        let (bad, row) = (pass.ragged.len() as u64, first.row);
        return Err(IngestError::Ragged { path: path.clone(), bad, rows: pass.rows, expected: columns, row });
    }
    Ok(pass)
}

/// Trims names, names the nameless by position, numbers the repeated.
pub(crate) fn name_columns<'a>(cells: impl Iterator<Item = &'a [u8]>, notes: &mut Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    for (index, bytes) in cells.enumerate() {
        let given = String::from_utf8_lossy(bytes).trim().to_owned();
        let base = if given.is_empty() { format!("column_{}", index + 1) } else { given };
        let mut name = base.clone();
        while seen.contains_key(&name) {
            let count = seen.get_mut(&base).expect("the base was seen first");
            *count += 1;
            name = format!("{base}_{count}");
        }
        seen.insert(name.clone(), 1);
        if name != base {
            notes.push(format!("column {} repeats the name `{base}`; it is read as `{name}`", index + 1));
        }
        names.push(name);
    }
    names
}
