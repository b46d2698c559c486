//! Records of a text file in batches of raw cells, with the rows that have no sound shape put aside.
//!
//! One thread splits the stream; what cells mean is worked out column by column, in parallel, by whoever takes the batches.
//! `row` counts records from 1, the header being record 1 of a CSV file, as a spreadsheet shows it; lines in JSON lines.
//!
//! Not here: types of columns (`profile`, `columns`).

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use serde::de::{Deserializer, MapAccess, Visitor};

use super::error::{IngestError, MAX_COLUMNS};
use super::source::{SourceFormat, TextSource};
use super::{CsvOptions, Quarantined, dialect};

const BATCH_ROWS: usize = 65_536;
const BATCH_BYTES: usize = 16 << 20;
/// Longest single JSON line that is read.
const MAX_LINE: usize = 64 << 20;
/// Share of rows without a sound shape above which the file is refused.
const MAX_RAGGED: f64 = 0.1;

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
    fn new(columns: usize, is_valid_utf8: bool) -> Self {
        Self { columns, is_valid_utf8, ..Self::default() }
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

    fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.data.len() >= BATCH_BYTES || self.ends.len() >= 4 << 20
    }
}

/// What a whole pass over a file found besides the batches.
#[derive(Debug, Clone)]
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

/// Reads the file and hands each batch to `take`, which may break off.
pub(crate) fn read(
    format: SourceFormat,
    source: &TextSource,
    options: &CsvOptions,
    take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>,
) -> Result<Pass, IngestError> {
    match format {
        SourceFormat::JsonLines => read_json(source, take),
        _ => read_csv(source, options, take),
    }
}

fn read_csv(source: &TextSource, options: &CsvOptions, take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>) -> Result<Pass, IngestError> {
    let path = &source.path;
    let failed = |error: csv::Error| IngestError::Read { path: path.clone(), source: error.into() };
    let delimiter = dialect::delimiter(source, options)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(256 * 1024)
        .from_reader(source.open()?);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(failed)? {
        return Err(IngestError::Empty { path: path.clone() });
    }
    if record.len() > MAX_COLUMNS {
        return Err(IngestError::TooManyColumns { path: path.clone(), got: record.len() });
    }
    let mut notes = Vec::new();
    let header = name_columns(&record, &mut notes);
    let mut pass = Pass { header, rows: 0, ragged: Vec::new(), delimiter: Some(delimiter), notes };
    let columns = pass.header.len();
    let mut batch = RawBatch::new(columns, source.is_valid_utf8);
    let mut number = 1;
    while reader.read_byte_record(&mut record).map_err(failed)? {
        number += 1;
        pass.rows += 1;
        let extra_is_blank = record.len() > columns && record.iter().skip(columns).all(<[u8]>::is_empty);
        if record.len() != columns && !extra_is_blank {
            let text: Vec<_> = record.iter().take(20).map(String::from_utf8_lossy).collect();
            let reason = format!("the row has {} cells, the header {columns}", record.len());
            pass.ragged.push(Quarantined::new(path, number, "", &text.join(&(delimiter as char).to_string()), reason));
            continue;
        }
        let kept = record.range(columns - 1).map_or(0, |range| range.end);
        if kept > MAX_LINE {
            return Err(IngestError::UnknownFormat {
                path: path.clone(),
                reason: format!("record {number} is longer than 64 MiB: a quote is not closed"),
            });
        }
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
fn name_columns(record: &csv::ByteRecord, notes: &mut Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (index, bytes) in record.iter().enumerate() {
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

/// The members of one JSON object, as text, in their order.
struct JsonRecord(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for JsonRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = JsonRecord;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonRecord, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
                    let text = match value {
                        serde_json::Value::Null => String::new(),
                        serde_json::Value::String(text) => text,
                        other => other.to_string(),
                    };
                    members.push((name, text));
                }
                Ok(JsonRecord(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn read_json(source: &TextSource, take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>) -> Result<Pass, IngestError> {
    let path = &source.path;
    let failed = |error| IngestError::Read { path: path.clone(), source: error };
    let mut reader = BufReader::with_capacity(256 * 1024, source.open()?);
    let mut pass = Pass { header: Vec::new(), rows: 0, ragged: Vec::new(), delimiter: None, notes: Vec::new() };
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut pending: Vec<(u64, JsonRecord)> = Vec::new();
    let (mut line, mut bytes, mut number) = (Vec::new(), 0, 0);
    let mut skipped = Vec::new();
    loop {
        line.clear();
        let got = (&mut reader).take(MAX_LINE as u64).read_until(b'\n', &mut line).map_err(failed)?;
        number += u64::from(got > 0);
        let trimmed = line.trim_ascii();
        if !trimmed.is_empty() {
            pass.rows += 1;
            // A JSON array of objects over several lines reads like JSON lines once its frame is off.
            let body = trimmed.strip_suffix(b",").unwrap_or(trimmed);
            match serde_json::from_slice::<JsonRecord>(body) {
                Ok(record) => {
                    for (name, _) in &record.0 {
                        if !positions.contains_key(name) {
                            positions.insert(name.clone(), pass.header.len());
                            pass.header.push(name.clone());
                        }
                    }
                    if pass.header.len() > MAX_COLUMNS {
                        return Err(IngestError::TooManyColumns { path: path.clone(), got: pass.header.len() });
                    }
                    bytes += got;
                    pending.push((number, record));
                }
                Err(_) if matches!(body, b"[" | b"]") => pass.rows -= 1,
                Err(error) => {
                    let text = String::from_utf8_lossy(&trimmed[..trimmed.len().min(200)]).into_owned();
                    skipped.push(Quarantined::new(path, number, "", &text, format!("the line is no JSON object: {error}")));
                }
            }
        }
        let cells = pending.len() * pass.header.len().max(1);
        if !pending.is_empty() && (got == 0 || pending.len() >= BATCH_ROWS || bytes >= BATCH_BYTES || cells >= 4 << 20) {
            let batch = lay_out(&mut pending, &positions, source.is_valid_utf8);
            bytes = 0;
            if take(batch).is_break() {
                return Ok(pass);
            }
        }
        if got == 0 {
            break;
        }
    }
    if let Some(first) = skipped.first()
        && skipped.len() as f64 > MAX_RAGGED * pass.rows as f64
    {
        return Err(IngestError::NotJson { path: path.clone(), bad: skipped.len() as u64, rows: pass.rows, row: first.row });
    }
    pass.ragged = skipped;
    Ok(pass)
}

fn lay_out(pending: &mut Vec<(u64, JsonRecord)>, positions: &HashMap<String, usize>, is_valid_utf8: bool) -> RawBatch {
    let columns = positions.len();
    let mut batch = RawBatch::new(columns, is_valid_utf8);
    let mut cells: Vec<Option<String>> = vec![None; columns];
    for (number, record) in pending.drain(..) {
        for (name, text) in record.0 {
            cells[positions[&name]] = Some(text);
        }
        for cell in &mut cells {
            if let Some(text) = cell.take() {
                batch.data.extend_from_slice(text.as_bytes());
            }
            batch.ends.push(batch.data.len() as u32);
        }
        batch.rows.push(number);
    }
    batch
}
