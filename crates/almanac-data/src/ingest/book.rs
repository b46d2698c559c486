//! Sheets of a spreadsheet (xlsx, xlsm, xlsb, xls, ods) as rows of cells.
//!
//! The header is found: titles above the table are left out, and said. Empty rows are skipped; a value that is merged over several
//! rows stands in each of them. Dates become ISO text, durations days, `#N/A` nothing; a row with any other error in it is put aside.
//! Row numbers are those that the spreadsheet shows.
//!
//! The parsers are given bytes from anywhere, so a panic in one is turned into [`IngestError::BadSheet`]; xlsx and xlsb are read as
//! a stream of cells, because a sheet may claim to have 17 billion.
//!
//! Not here: what the columns mean (`profile`).

mod cells;
mod header;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use calamine::{Reader, SheetType, SheetVisible};

use self::cells::{Cell, Row};
use self::header::{Found, HEADER_WITHIN};
use super::archive::{self, BOOK};
use super::error::{IngestError, MAX_COLUMNS};
use super::records::{MAX_RAGGED, Pass, RawBatch, name_columns};
use super::unpack::{Place, fault};
use super::{CsvOptions, Quarantined, nearest};

/// Largest old spreadsheet that is read: it is held in memory, and no program writes one that is larger.
const MAX_XLS: u64 = 512 << 20;

/// Kind of a spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BookKind {
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

/// One sheet of a file.
#[derive(Debug, Clone)]
pub(crate) struct SheetSource {
    file: PathBuf,
    kind: BookKind,
    pub(crate) sheet: String,
}

/// Tells a spreadsheet from an archive and from everything else.
pub(crate) fn kind(file: &Path, head: &[u8]) -> Result<Option<BookKind>, IngestError> {
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        if is_encrypted_package(file).map_err(|source| IngestError::Read { path: file.to_owned(), source })? {
            return Err(IngestError::Encrypted { path: file.to_owned() });
        }
        return Ok(Some(BookKind::Xls));
    }
    if !head.starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    // Names only: an archive is judged where it is read as one.
    let Ok(open) = File::open(file) else { return Ok(None) };
    let Ok(zip) = zip::ZipArchive::new(BufReader::new(open)) else { return Ok(None) };
    let has = |name: &str| zip.index_for_name(name).is_some();
    let kind = if has("xl/workbook.xml") {
        BookKind::Xlsx
    } else if has("xl/workbook.bin") {
        BookKind::Xlsb
    } else if has("mimetype") && has("content.xml") {
        BookKind::Ods
    } else if has("[Content_Types].xml") {
        let reason = "it is an Office document, but no spreadsheet".to_owned();
        return Err(IngestError::UnknownFormat { path: file.to_owned(), reason });
    } else {
        return Ok(None);
    };
    for member in archive::list(file, &BOOK)? {
        let name = archive::inside(file, &member.name);
        let place = Place::Member { archive: file.to_owned(), member };
        // The parsers trust the sizes, so these are found true first.
        super::unpack::raw(&place).and_then(|mut bytes| io::copy(&mut bytes, &mut io::sink())).map_err(|error| fault(&name, error))?;
    }
    if kind == BookKind::Ods {
        cells::check_ods(file)?;
    }
    Ok(Some(kind))
}

/// Whether an old container holds an encrypted new spreadsheet.
fn is_encrypted_package(file: &Path) -> io::Result<bool> {
    let mark: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_XLS).read_to_end(&mut bytes)?;
    Ok(bytes.chunks(512).any(|sector| sector.chunks(128).any(|entry| entry.starts_with(&mark))))
}

/// Returns the sheets that are wanted: the one of that name, all for `*`, else the first that is visible and has rows.
pub(crate) fn sheets(file: &Path, kind: BookKind, wanted: Option<&str>) -> Result<(Vec<SheetSource>, Vec<String>), IngestError> {
    if kind == BookKind::Xls && std::fs::metadata(file).map_or(0, |data| data.len()) > MAX_XLS {
        return Err(IngestError::Bomb { path: file.to_owned(), reason: format!("it is larger than {} MiB", MAX_XLS >> 20) });
    }
    let all = guarded(file, || {
        Ok(match kind {
            BookKind::Xlsx => names(&open::<calamine::Xlsx<_>>(file)?),
            BookKind::Xlsb => names(&open::<calamine::Xlsb<_>>(file)?),
            BookKind::Xls => names(&open::<calamine::Xls<_>>(file)?),
            BookKind::Ods => names(&open::<calamine::Ods<_>>(file)?),
        })
    })?;
    let source = |name: &str| SheetSource { file: file.to_owned(), kind, sheet: name.to_owned() };
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != "*") {
        return match names.iter().find(|name| **name == wanted) {
            Some(name) => Ok((vec![source(name)], Vec::new())),
            None => Err(IngestError::NoPart {
                path: file.to_owned(),
                wanted: wanted.to_owned(),
                near: nearest(wanted, names.iter().copied()),
                there: names.iter().map(|name| (*name).to_owned()).collect(),
            }),
        };
    }
    let mut filled = Vec::new();
    let mut others = Vec::new();
    for (name, is_visible) in &all {
        let sheet = source(name);
        if wanted.is_none() && !filled.is_empty() {
            // Opening a sheet means reading the texts of the whole file: those that are not wanted are only named.
            others.extend(is_visible.then(|| format!("`{name}`")));
        } else if (*is_visible || wanted.is_some()) && !is_blank(&sheet)? {
            filled.push(sheet);
        }
    }
    let Some(first) = filled.first() else { return Err(IngestError::Empty { path: file.to_owned() }) };
    let mut notes = Vec::new();
    if !others.is_empty() {
        let (shown, others) = (file.display(), others.join(", "));
        notes.push(format!("`{shown}`: sheet `{}` is read, not {others} (`{shown}!/NAME` reads another, `!/*` all)", first.sheet));
    }
    Ok((filled, notes))
}

fn names<R: Reader<BufReader<File>>>(book: &R) -> Vec<(String, bool)> {
    let tables = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    tables.map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible)).collect()
}

/// Opens a spreadsheet.
fn open<R: Reader<BufReader<File>>>(file: &Path) -> Result<R, IngestError> {
    let opened = File::open(file).map_err(|source| IngestError::Read { path: file.to_owned(), source })?;
    R::new(BufReader::new(opened)).map_err(|error| bad_sheet(file, &format!("{error:?}")))
}

fn bad_sheet(file: &Path, reason: &str) -> IngestError {
    if reason.contains("Password") {
        return IngestError::Encrypted { path: file.to_owned() };
    }
    IngestError::BadSheet { path: file.to_owned(), reason: reason.chars().take(200).collect() }
}

/// Runs a step of a parser; its panics mean that the file is damaged.
fn guarded<T>(file: &Path, step: impl FnOnce() -> Result<T, IngestError>) -> Result<T, IngestError> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|_| Err(IngestError::BadSheet { path: file.to_owned(), reason: "it cannot be decoded".into() }))
}

fn is_blank(sheet: &SheetSource) -> Result<bool, IngestError> {
    let mut is_blank = true;
    rows(sheet, false, &mut |_| {
        is_blank = false;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(is_blank)
}

/// Hands each row that is not empty to `take`, from the top.
fn rows(
    sheet: &SheetSource,
    has_comma: bool,
    take: &mut dyn FnMut(Row) -> Result<ControlFlow<()>, IngestError>,
) -> Result<(), IngestError> {
    guarded(&sheet.file, || cells::rows(sheet, has_comma, take))
}

/// Reads a sheet.
pub(crate) fn read(
    sheet: &SheetSource,
    path: &Path,
    options: &CsvOptions,
    take: &mut dyn FnMut(RawBatch) -> ControlFlow<()>,
) -> Result<Pass, IngestError> {
    let has_comma = options.decimal == Some(',');
    let mut reading = Reading { path, take, pass: Pass::default(), first: 0, batch: RawBatch::default() };
    let mut head: Option<Vec<Row>> = Some(Vec::new());
    let mut is_stopped = false;
    rows(sheet, has_comma, &mut |row| {
        let flow = match &mut head {
            Some(rows) if rows.len() < HEADER_WITHIN => {
                rows.push(row);
                ControlFlow::Continue(())
            }
            Some(rows) => {
                let rows = std::mem::take(rows);
                head = None;
                match reading.start(rows)? {
                    ControlFlow::Continue(()) => reading.row(row),
                    ControlFlow::Break(()) => ControlFlow::Break(()),
                }
            }
            None => reading.row(row),
        };
        is_stopped = flow.is_break();
        Ok(flow)
    })?;
    if let Some(rows) = head {
        if rows.is_empty() {
            return Err(IngestError::Empty { path: path.to_owned() });
        }
        is_stopped = reading.start(rows)?.is_break();
    }
    let mut pass = reading.pass;
    if !is_stopped && reading.batch.len() > 0 {
        let _ = (reading.take)(reading.batch);
    }
    match pass.ragged.first() {
        Some(first) if pass.ragged.len() as f64 > MAX_RAGGED * pass.rows as f64 => {
            let (bad, rows, row) = (pass.ragged.len() as u64, pass.rows, first.row);
            let reason = std::mem::take(&mut pass.ragged[0].reason);
            Err(IngestError::BadRows { path: path.to_owned(), bad, rows, row, reason })
        }
        _ => Ok(pass),
    }
}

struct Reading<'a> {
    path: &'a Path,
    take: &'a mut dyn FnMut(RawBatch) -> ControlFlow<()>,
    pass: Pass,
    /// The sheet's column of the table's first.
    first: u32,
    batch: RawBatch,
}

impl Reading<'_> {
    /// Finds the header in the rows at the top and reads those below it.
    fn start(&mut self, rows: Vec<Row>) -> Result<ControlFlow<()>, IngestError> {
        let Found { at, first, width } = header::find(&rows);
        if width > MAX_COLUMNS {
            return Err(IngestError::TooManyColumns { path: self.path.to_owned(), got: width });
        }
        self.first = first;
        let mut names = vec![""; width];
        for (column, cell) in &rows[at].cells {
            names[(column - first) as usize] = cell.text();
        }
        self.pass.header = name_columns(names.iter().map(|name| name.as_bytes()), &mut self.pass.notes);
        if at > 0 {
            let text: Vec<&str> = rows[..at].iter().flat_map(|row| &row.cells).map(|(_, cell)| cell.text()).take(3).collect();
            self.pass.notes.push(format!(
                "the table starts in row {}; what is above is left out: `{}`",
                rows[at].number,
                text.join("`, `")
            ));
        }
        self.batch = RawBatch::new(width, true);
        for row in rows.into_iter().skip(at + 1) {
            if self.row(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn row(&mut self, row: Row) -> ControlFlow<()> {
        self.pass.rows += 1;
        let width = self.pass.header.len();
        let mut texts = vec![""; width];
        for (column, cell) in &row.cells {
            let place = column.checked_sub(self.first).map(|place| place as usize).filter(|place| *place < width);
            let bad = match (place, cell) {
                (Some(place), Cell::Error(_)) => Some((self.pass.header[place].as_str(), "the spreadsheet shows an error here".to_owned())),
                (None, cell) if !cell.text().is_empty() => {
                    Some(("", format!("cell {}{} stands beside the table", header::letters(*column), row.number)))
                }
                _ => None,
            };
            if let Some((name, reason)) = bad {
                self.pass.ragged.push(Quarantined::new(self.path, row.number, name, cell.text(), reason));
                return if self.pass.is_hopeless() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            if let Some(place) = place {
                texts[place] = cell.text();
            }
        }
        for text in texts {
            self.batch.push_cell(text.as_bytes());
        }
        self.batch.end_row(row.number);
        if self.batch.is_full() {
            return (self.take)(std::mem::replace(&mut self.batch, RawBatch::new(width, true)));
        }
        ControlFlow::Continue(())
    }
}
