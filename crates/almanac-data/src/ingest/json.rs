//! JSON into rows of cells: one object per line, or a whole document with the rows in an array somewhere.
//!
//! Objects inside a row become columns of their own, `{"store": {"id": 1}}` is `store.id`; arrays stay JSON text. A document is read
//! as a stream, so that one line of any length takes the memory of one row. Its rows are the array at the given pointer; without one
//! the outermost array of objects, if there is only one.
//!
//! Not here: types of columns (`profile`).

mod document;
mod record;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::error::Category;

use super::encoding::TextSource;
use super::error::{IngestError, MAX_COLUMNS};
use super::records::{BATCH_BYTES, BATCH_ROWS, MAX_RAGGED, MAX_RECORD, Pass, RawBatch};
use super::source::SourceFormat;
use super::unpack::fault;
use super::{CsvOptions, Quarantined};

pub(crate) use document::read_document;
use record::{Record, RecordSeed};

/// Bytes at the start of a text from which its layout is told.
pub(crate) const LOOK_AHEAD: usize = 64 * 1024;

/// Tells how JSON is laid out from its start, or that it is none.
pub(crate) fn layout(start: &[u8], is_whole: bool) -> Option<SourceFormat> {
    let after = start.get(1..).unwrap_or_default().trim_ascii_start();
    let mut lines = start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let parse = |line: &[u8]| serde_json::from_slice::<IgnoredAny>(line);
    match start.first()? {
        // An array over several lines with an object on each reads like JSON lines once its frame is off.
        b'[' => {
            let is_framed = lines.next() == Some(b"[");
            if is_framed
                && lines.next().is_some_and(|line| line.starts_with(b"{") && parse(line.strip_suffix(b",").unwrap_or(line)).is_ok())
            {
                return Some(SourceFormat::JsonLines);
            }
            matches!(after.first(), Some(b'{' | b'[' | b']') | None).then_some(SourceFormat::Json)
        }
        b'{' if !matches!(after.first(), Some(b'"' | b'}') | None) => None,
        b'{' => {
            let line = lines.next()?;
            let is_cut = line.len() == start.trim_ascii_end().len() && !is_whole;
            Some(match parse(line) {
                Ok(_) if is_whole && lines.next().is_none() => SourceFormat::Json,
                Ok(_) => SourceFormat::JsonLines,
                Err(error) if is_cut || error.classify() == Category::Eof => SourceFormat::Json,
                Err(_) => SourceFormat::JsonLines,
            })
        }
        _ => None,
    }
}

/// Gathers records into batches.
struct Gather<'a> {
    source: &'a TextSource,
    take: &'a mut dyn FnMut(RawBatch) -> ControlFlow<()>,
    pass: Pass,
    positions: HashMap<String, usize>,
    pending: Vec<(u64, Record)>,
    bytes: usize,
}

impl<'a> Gather<'a> {
    fn new(source: &'a TextSource, take: &'a mut dyn FnMut(RawBatch) -> ControlFlow<()>) -> Self {
        Self { source, take, pass: Pass::default(), positions: HashMap::new(), pending: Vec::new(), bytes: 0 }
    }

    /// Puts a row aside; gives whether to go on.
    fn put_aside(&mut self, number: u64, text: &str, reason: String) -> ControlFlow<()> {
        self.pass.rows += 1;
        self.pass.ragged.push(Quarantined::new(&self.source.path, number, "", text, reason));
        if self.pass.is_hopeless() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn push(&mut self, number: u64, record: Record) -> Result<ControlFlow<()>, IngestError> {
        self.pass.rows += 1;
        for (name, text) in &record.0 {
            if !self.positions.contains_key(name) {
                self.positions.insert(name.clone(), self.pass.header.len());
                self.pass.header.push(name.clone());
            }
            self.bytes += text.len();
        }
        if self.pass.header.len() > MAX_COLUMNS {
            return Err(IngestError::TooManyColumns { path: self.source.path.clone(), got: self.pass.header.len() });
        }
        self.pending.push((number, record));
        let cells = self.pending.len() * self.pass.header.len().max(1);
        let is_full = self.pending.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES || cells >= 4 << 20;
        Ok(if is_full { self.flush() } else { ControlFlow::Continue(()) })
    }

    fn flush(&mut self) -> ControlFlow<()> {
        if self.pending.is_empty() {
            return ControlFlow::Continue(());
        }
        let columns = self.positions.len();
        let mut batch = RawBatch::new(columns, self.source.is_valid_utf8);
        let mut cells: Vec<Option<String>> = vec![None; columns];
        for (number, record) in self.pending.drain(..) {
            for (name, text) in record.0 {
                cells[self.positions[&name]] = Some(text);
            }
            for cell in &mut cells {
                batch.push_cell(cell.take().unwrap_or_default().as_bytes());
            }
            batch.end_row(number);
        }
        self.bytes = 0;
        (self.take)(batch)
    }

    fn finish(mut self) -> Result<Pass, IngestError> {
        let _ = self.flush();
        let pass = self.pass;
        match pass.ragged.first() {
            Some(first) if pass.ragged.len() as f64 > MAX_RAGGED * pass.rows as f64 => {
                let (bad, rows, row) = (pass.ragged.len() as u64, pass.rows, first.row);
                Err(IngestError::NotJson { path: self.source.path.clone(), bad, rows, row })
            }
            _ => Ok(pass),
        }
    }
}

/// Reads one object per line.
pub(crate) fn read_lines(
    source: &TextSource,
    options: &CsvOptions,
    take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>,
) -> Result<Pass, IngestError> {
    let failed = |error| fault(&source.path, error);
    let seed = RecordSeed { has_comma: options.decimal == Some(',') };
    let mut reader = BufReader::with_capacity(256 * 1024, source.open()?);
    let mut gather = Gather::new(source, take);
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        let got = (&mut reader).take(MAX_RECORD).read_until(b'\n', &mut line).map_err(failed)?;
        if got == 0 {
            return gather.finish();
        }
        number += 1;
        let trimmed = line.trim_ascii();
        let body = trimmed.strip_suffix(b",").unwrap_or(trimmed);
        if body.is_empty() || matches!(body, b"[" | b"]") {
            continue;
        }
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let found = seed.deserialize(&mut deserializer).and_then(|found| deserializer.end().map(|()| found));
        let reason = match found {
            Ok(Ok(record)) => {
                if gather.push(number, record)?.is_break() {
                    return Ok(gather.pass);
                }
                continue;
            }
            Ok(Err(what)) => format!("the line is no JSON object but {what}"),
            Err(error) => format!("the line is no JSON object: {error}"),
        };
        let text = String::from_utf8_lossy(&trimmed[..trimmed.len().min(200)]).into_owned();
        if gather.put_aside(number, &text, reason).is_break() {
            return gather.finish();
        }
    }
}
