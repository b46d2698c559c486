//! The rows of a sheet, cell by cell, as text.
//!
//! Not here: which row is the header (`header`).

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

use calamine::{CellErrorType, Data, DataRef, Dimensions, ExcelDateTime, Reader, Xls, Xlsb, Xlsx};

use super::{BookKind, SheetSource, bad_sheet, open};
use crate::ingest::archive::{self, BOOK};
use crate::ingest::error::IngestError;
use crate::ingest::records::MAX_RECORD;
use crate::ingest::unpack::{self, Metered, Place, fault};

/// Cells that an OpenDocument sheet may spread to: its parser holds them all.
const MAX_ODS_CELLS: u64 = 40_000_000;
/// One more than the last day that spreadsheets know, 9999-12-31.
const LAST_DAY: f64 = 2_958_466.0;

/// A cell that is not empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Text.
    Text(String),
    /// A number, a date, a truth value.
    Value(String),
    /// `#REF!` and its like.
    Error(String),
}

impl Cell {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Value(text) | Self::Error(text) => text,
        }
    }
}

/// A row that is not empty.
#[derive(Debug)]
pub(super) struct Row {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its cells by column from 0, from left to right.
    pub(super) cells: Vec<(u32, Cell)>,
}

impl Row {
    /// Whether all cells are texts.
    pub(super) fn is_text(&self) -> bool {
        self.cells.iter().all(|(_, cell)| matches!(cell, Cell::Text(_)))
    }
}

type Take<'a> = &'a mut dyn FnMut(Row) -> Result<ControlFlow<()>, IngestError>;

/// Hands each row that is not empty to `take`, from the top. `has_comma`: whether numbers are to have a decimal comma.
pub(super) fn rows(sheet: &SheetSource, has_comma: bool, take: Take<'_>) -> Result<(), IngestError> {
    let SheetSource { file, kind, sheet: name } = sheet;
    let bad = |error: &dyn std::fmt::Debug| bad_sheet(file, &format!("{error:?}"));
    match kind {
        BookKind::Xlsx => {
            let mut book: Xlsx<BufReader<File>> = open(file)?;
            let merged = book.merge_cells_by_sheet_name(name).map_err(|error| bad(&error))?;
            let mut cells = book.worksheet_cells_reader(name).map_err(|error| bad(&error))?;
            let mut rows = Rows::new(file, &merged, take);
            while let Some(cell) = cells.next_cell().map_err(|error| bad(&error))? {
                if rows.add(cell.get_position(), of_ref(cell.get_value(), has_comma))?.is_break() {
                    return Ok(());
                }
            }
            rows.flush().map(|_| ())
        }
        BookKind::Xlsb => {
            let mut book: Xlsb<BufReader<File>> = open(file)?;
            let mut cells = book.worksheet_cells_reader(name).map_err(|error| bad(&error))?;
            let mut rows = Rows::new(file, &[], take);
            while let Some(cell) = cells.next_cell().map_err(|error| bad(&error))? {
                if rows.add(cell.get_position(), of_ref(cell.get_value(), has_comma))?.is_break() {
                    return Ok(());
                }
            }
            rows.flush().map(|_| ())
        }
        BookKind::Xls => {
            let mut book: Xls<BufReader<File>> = open(file)?;
            let merged = book.merge_cells_by_sheet_name(name).map_err(|error| bad(&error))?;
            let range = book.worksheet_range(name).map_err(|error| bad(&error))?;
            of_range(&range, Rows::new(file, &merged, take), has_comma)
        }
        BookKind::Ods => {
            let mut book: calamine::Ods<BufReader<File>> = open(file)?;
            let range = book.worksheet_range(name).map_err(|error| bad(&error))?;
            of_range(&range, Rows::new(file, &[], take), has_comma)
        }
    }
}

fn of_range(range: &calamine::Range<Data>, mut rows: Rows<'_, '_>, has_comma: bool) -> Result<(), IngestError> {
    let (top, left) = range.start().unwrap_or_default();
    for (row, column, value) in range.used_cells() {
        if rows.add((top + row as u32, left + column as u32), of_data(value, has_comma))?.is_break() {
            return Ok(());
        }
    }
    rows.flush().map(|_| ())
}

/// Gathers cells into rows.
struct Rows<'a, 't> {
    file: &'a Path,
    /// Cells that are merged over several rows, sorted by the first of these.
    merged: Vec<Dimensions>,
    next: usize,
    /// What such a cell holds, by column, and its last row.
    running: HashMap<u32, (u32, Cell)>,
    at: u32,
    cells: Vec<(u32, Cell)>,
    take: Take<'t>,
}

impl<'a, 't> Rows<'a, 't> {
    fn new(file: &'a Path, merged: &[Dimensions], take: Take<'t>) -> Self {
        let mut merged: Vec<Dimensions> = merged.iter().filter(|area| area.end.0 > area.start.0).copied().collect();
        merged.sort_by_key(|area| area.start);
        Self { file, merged, next: 0, running: HashMap::new(), at: 0, cells: Vec::new(), take }
    }

    fn add(&mut self, (row, column): (u32, u32), cell: Option<Cell>) -> Result<ControlFlow<()>, IngestError> {
        if row != self.at {
            if row < self.at {
                return Err(bad_sheet(self.file, &format!("row {} comes after row {}", row + 1, self.at + 1)));
            }
            if self.flush()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.at = row;
        }
        if let Some(cell) = cell {
            self.cells.push((column, cell));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn flush(&mut self) -> Result<ControlFlow<()>, IngestError> {
        if self.cells.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let at = self.at;
        let mut cells = std::mem::take(&mut self.cells);
        if !self.merged.is_empty() {
            self.running.retain(|_, (last, _)| *last >= at);
            let spread: Vec<(u32, Cell)> = self
                .running
                .iter()
                .filter(|(column, _)| !cells.iter().any(|(known, _)| known == *column))
                .map(|(c, (_, cell))| (*c, cell.clone()))
                .collect();
            while let Some(area) = self.merged.get(self.next).filter(|area| area.start.0 <= at) {
                if let Some((_, cell)) = cells.iter().find(|(column, _)| area.start.0 == at && *column == area.start.1) {
                    self.running.insert(area.start.1, (area.end.0, cell.clone()));
                }
                self.next += 1;
            }
            cells.extend(spread);
        }
        cells.sort_by_key(|(column, _)| *column);
        cells.dedup_by_key(|(column, _)| *column);
        (self.take)(Row { number: u64::from(at) + 1, cells })
    }
}

fn of_ref(value: &DataRef<'_>, has_comma: bool) -> Option<Cell> {
    match value {
        DataRef::Int(value) => Some(Cell::Value(value.to_string())),
        DataRef::Float(value) => Some(number(*value, has_comma)),
        DataRef::String(text) => words(text),
        DataRef::SharedString(text) => words(text),
        DataRef::Bool(value) => Some(Cell::Value(value.to_string())),
        DataRef::DateTime(at) => Some(time(at, has_comma)),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Some(Cell::Value(text.clone())),
        DataRef::Error(error) => trouble(error),
        DataRef::Empty => None,
    }
}

fn of_data(value: &Data, has_comma: bool) -> Option<Cell> {
    match value {
        Data::Int(value) => Some(Cell::Value(value.to_string())),
        Data::Float(value) => Some(number(*value, has_comma)),
        Data::String(text) => words(text),
        Data::Bool(value) => Some(Cell::Value(value.to_string())),
        Data::DateTime(at) => Some(time(at, has_comma)),
        Data::DateTimeIso(text) | Data::DurationIso(text) => Some(Cell::Value(text.clone())),
        Data::Error(error) => trouble(error),
        Data::Empty => None,
    }
}

fn words(text: &str) -> Option<Cell> {
    (!text.trim().is_empty()).then(|| Cell::Text(text.to_owned()))
}

fn trouble(error: &CellErrorType) -> Option<Cell> {
    (*error != CellErrorType::NA).then(|| Cell::Error(error.to_string()))
}

fn number(value: f64, has_comma: bool) -> Cell {
    // Spreadsheets have only one kind of number; whole ones are written as such.
    let text = if value.fract() == 0.0 && value.abs() < 1e15 { (value as i64).to_string() } else { value.to_string() };
    Cell::Value(if has_comma { text.replace('.', ",") } else { text })
}

fn time(at: &ExcelDateTime, has_comma: bool) -> Cell {
    let days = at.as_f64();
    if at.is_duration() {
        return number(days, has_comma);
    }
    if !(0.0..LAST_DAY).contains(&days) {
        return Cell::Error(format!("day {days}"));
    }
    let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    let clock = if milli == 0 { clock } else { format!("{clock}.{milli:03}") };
    Cell::Value(match (days < 1.0, days.fract() == 0.0) {
        (true, false) => clock,
        (_, true) => format!("{year:04}-{month:02}-{day:02}"),
        (false, false) => format!("{year:04}-{month:02}-{day:02} {clock}"),
    })
}

/// Refuses an OpenDocument sheet that says in a few bytes that a cell is repeated billions of times.
pub(super) fn check_ods(file: &Path) -> Result<(), IngestError> {
    let path = archive::inside(file, "content.xml");
    let failed = |error| fault(&path, error);
    let Some(member) = archive::list(file, &BOOK)?.into_iter().find(|member| member.name == "content.xml") else { return Ok(()) };
    let place = Place::Member { archive: file.to_owned(), member };
    let (bytes, meter) = Metered::new(unpack::raw(&place).map_err(failed)?, MAX_RECORD);
    let mut text = BufReader::with_capacity(256 * 1024, bytes);
    let mut tag = Vec::new();
    // Cells of the row so far, those up to its last filled one, all that were counted.
    let (mut column, mut filled, mut total, mut times) = (0_u64, 0_u64, 0_u64, 1_u64);
    loop {
        tag.clear();
        meter.reset();
        if text.read_until(b'>', &mut tag).map_err(failed)? == 0 {
            return Ok(());
        }
        let Some(start) = tag.iter().rposition(|byte| *byte == b'<') else { continue };
        let tag = &tag[start..];
        if tag.starts_with(b"<table:table-row") {
            (column, filled, times) = (0, 0, repeated(tag, "number-rows-repeated"));
        } else if tag.starts_with(b"<table:table-cell") || tag.starts_with(b"<table:covered-table-cell") {
            column = column.saturating_add(repeated(tag, "number-columns-repeated").min(16_384));
            if !tag.ends_with(b"/>") || contains(tag, b"office:value") {
                filled = column;
            }
        } else if tag.starts_with(b"</table:table-row") {
            total = total.saturating_add(filled.saturating_mul(if filled == 0 { 0 } else { times }));
        }
        if total > MAX_ODS_CELLS {
            let reason = format!("it would spread to more than {MAX_ODS_CELLS} cells");
            return Err(IngestError::Bomb { path: file.to_owned(), reason });
        }
    }
}

fn contains(tag: &[u8], wanted: &[u8]) -> bool {
    tag.windows(wanted.len()).any(|window| window == wanted)
}

/// Value of an attribute that says how often an element stands there.
fn repeated(tag: &[u8], name: &str) -> u64 {
    let text = String::from_utf8_lossy(tag);
    let Some((_, rest)) = text.split_once(name) else { return 1 };
    let digits: String = rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX).max(1)
}
