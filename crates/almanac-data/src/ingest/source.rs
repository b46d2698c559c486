//! What a source file turns out to be, told from its content and not from its name.
//!
//! One file can hold several things to read: the members of an archive, the sheets of a spreadsheet. Each becomes an [`Origin`]
//! with a name of its own, which is what messages and the quarantine call it.
//!
//! Not here: which files there are (`find`), their bytes (`unpack`), their text (`encoding`).

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;

use super::archive::{self, TABLES};
use super::book::{self, BookKind, SheetSource};
use super::encoding::{self, TextSource};
use super::error::IngestError;
use super::find::{self, has_extension};
use super::json;
use super::unpack::{self, Place, fault, read_full};

/// Format of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum SourceFormat {
    /// Cells between delimiters.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// One JSON document with the rows in an array.
    Json,
    /// A sheet of a spreadsheet: xlsx, xlsb, xls or ods.
    Sheet,
    /// Apache Parquet.
    Parquet,
}

impl SourceFormat {
    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON lines",
            Self::Json => "JSON",
            Self::Sheet => "spreadsheet",
            Self::Parquet => "Parquet",
        }
    }

    /// Whether one table may have files of both.
    pub(crate) fn goes_with(self, other: Self) -> bool {
        let is_json = |format| matches!(format, Self::JsonLines | Self::Json);
        self == other || (is_json(self) && is_json(other))
    }
}

/// Something with rows.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// What the user calls it: `sales.csv`, `archive.zip!/sales.csv`, `book.xlsx!/Sales`.
    pub(crate) path: PathBuf,
    pub(crate) format: SourceFormat,
    /// Its size on disk.
    pub(crate) bytes: u64,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Text(TextSource),
    Sheet(SheetSource),
    Parquet,
}

/// What a file holds, and remarks on what of it is not read.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub(crate) origins: Vec<Origin>,
    pub(crate) notes: Vec<String>,
}

/// Tells whether a file is Parquet, by its content.
pub(crate) fn is_parquet(path: &Path) -> Result<bool, IngestError> {
    let (file, _) = find::split(path);
    let place = Place::File(file.to_owned());
    Ok(is_parquet_head(&head_of(path, &place)?, &file.to_string_lossy().to_ascii_lowercase()))
}

fn is_parquet_head(head: &[u8], lower: &str) -> bool {
    head.starts_with(b"PAR1") || head.starts_with(b"PARE") || has_extension(lower, &["parquet", "pq"])
}

fn head_of(path: &Path, place: &Place) -> Result<Vec<u8>, IngestError> {
    let mut head = vec![0_u8; 4096];
    let got = unpack::open(place).and_then(|mut stream| read_full(&mut stream, &mut head)).map_err(|error| fault(path, error))?;
    head.truncate(got);
    if head.is_empty() { Err(IngestError::Empty { path: path.to_owned() }) } else { Ok(head) }
}

/// Tells what a file holds; reads a text once from end to end.
pub(crate) fn examine(path: &Path, encoding: Option<&str>) -> Result<Examined, IngestError> {
    let (file, wanted) = find::split(path);
    let place = Place::File(file.to_owned());
    let head = head_of(file, &place)?;
    let lower = file.to_string_lossy().to_ascii_lowercase();
    let bytes = std::fs::metadata(file).map_or(0, |data| data.len());
    if is_parquet_head(&head, &lower) {
        if let Some(wanted) = wanted {
            return Err(IngestError::NoPart { path: file.to_owned(), wanted: wanted.to_owned(), there: Vec::new(), near: None });
        }
        let origin = Origin { path: file.to_owned(), format: SourceFormat::Parquet, bytes, body: Body::Parquet };
        return Ok(Examined { origins: vec![origin], notes: Vec::new() });
    }
    if let Some(kind) = book::kind(file, &head)? {
        return sheets(file, kind, wanted, bytes);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return members(file, wanted, encoding);
    }
    let origin = text(file, place, wanted, encoding, bytes, &head)?;
    Ok(Examined { origins: vec![origin], notes: Vec::new() })
}

fn sheets(file: &Path, kind: BookKind, wanted: Option<&str>, bytes: u64) -> Result<Examined, IngestError> {
    let (sheets, notes) = book::sheets(file, kind, wanted)?;
    let origins = sheets.into_iter().map(|sheet| {
        let path = archive::inside(file, &sheet.sheet);
        Origin { path, format: SourceFormat::Sheet, bytes, body: Body::Sheet(sheet) }
    });
    Ok(Examined { origins: origins.collect(), notes })
}

fn members(file: &Path, wanted: Option<&str>, encoding: Option<&str>) -> Result<Examined, IngestError> {
    let members = archive::list(file, &TABLES)?;
    if members.is_empty() {
        return Err(IngestError::Empty { path: file.to_owned() });
    }
    // What follows a second `!/` is wanted of each member.
    let (wanted, below) = wanted.map_or((None, None), |wanted| match wanted.split_once(find::INSIDE) {
        Some((outer, inner)) => (Some(outer), Some(inner)),
        None => (Some(wanted), None),
    });
    let bad =
        |error: glob::PatternError| IngestError::BadPattern { pattern: wanted.unwrap_or_default().to_owned(), reason: error.to_string() };
    let pattern = wanted.map(glob::Pattern::new).transpose().map_err(bad)?;
    let is_alone = members.len() == 1;
    let names: Vec<String> = members.iter().map(|member| member.name.clone()).collect();
    let mut examined = Examined::default();
    for member in members {
        let path = archive::inside(file, &member.name);
        match &pattern {
            Some(pattern) if wanted != Some(member.name.as_str()) && !pattern.matches(&member.name) => continue,
            None if !is_alone && !is_archive(&member.name) && !find::is_known(member.name.rsplit('/').next().unwrap_or(&member.name)) => {
                examined.notes.push(format!("`{}` is left out: it is no table", path.display()));
                continue;
            }
            _ => {}
        }
        let (size, place) = (member.packed, Place::Member { archive: file.to_owned(), member });
        let head = match head_of(&path, &place) {
            Err(IngestError::Empty { .. }) if !is_alone => {
                examined.notes.push(format!("`{}` is empty", path.display()));
                continue;
            }
            head => head?,
        };
        if let Some(what) = needs_unpacking(&head) {
            return Err(IngestError::Nested { path, what });
        }
        examined.origins.push(text(&path, place, below, encoding, size, &head)?);
    }
    if examined.origins.is_empty() {
        let wanted = wanted.unwrap_or("*.csv").to_owned();
        let near = super::nearest(&wanted, names.iter().map(String::as_str));
        return Err(IngestError::NoPart { path: file.to_owned(), wanted, there: names, near });
    }
    Ok(examined)
}

fn is_archive(name: &str) -> bool {
    has_extension(&name.to_ascii_lowercase(), &["zip", "tar", "tgz", "7z", "rar", "bz2", "xz"])
}

/// What a member is that cannot be read as a stream.
fn needs_unpacking(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "an archive or a spreadsheet",
        [b'P', b'A', b'R', b'1' | b'E', ..] => "a Parquet file",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "a spreadsheet",
        _ => return foreign(head),
    })
}

/// Names content that is plainly something else.
fn foreign(head: &[u8]) -> Option<&'static str> {
    let text = head.trim_ascii_start().get(..6).unwrap_or_default().to_ascii_lowercase();
    Some(match head {
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => "a bzip2 file",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "an xz file",
        [b'7', b'z', 0xbc, 0xaf, ..] => "a 7-Zip archive",
        [b'R', b'a', b'r', b'!', ..] => "a RAR archive",
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'O', b'b', b'j', 1, ..] => "an Avro file",
        [b'O', b'R', b'C', ..] if head.contains(&0) => "an ORC file",
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => "an Arrow file",
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', ..] => "an SQLite database",
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => "a packed file inside a packed file",
        [b'P', b'A', b'R', b'1', ..] => "a packed Parquet file",
        [b'P', b'K', 3, 4, ..] => "a packed archive",
        _ if head.get(257..262) == Some(b"ustar") => "a tar archive",
        _ if text.starts_with(b"<html") || text.starts_with(b"<!doct") || text.starts_with(b"<table") => "a web page",
        _ if text.starts_with(b"<?xml") => "an XML file",
        _ => return None,
    })
}

fn text(path: &Path, place: Place, pointer: Option<&str>, encoding: Option<&str>, bytes: u64, head: &[u8]) -> Result<Origin, IngestError> {
    if let Some(what) = foreign(head) {
        return Err(IngestError::UnknownFormat { path: path.to_owned(), reason: format!("it is {what}") });
    }
    let (encoding, is_valid_utf8) = match encoding {
        Some(label) => {
            let known =
                Encoding::for_label(label.trim().as_bytes()).ok_or_else(|| IngestError::UnknownEncoding { given: label.to_owned() })?;
            (known, false)
        }
        None => encoding::detect(path, &place, head)?,
    };
    let pointer = pointer.map(|pointer| if pointer.is_empty() { String::new() } else { format!("/{pointer}") });
    let text = TextSource { path: path.to_owned(), place, encoding, is_valid_utf8, pointer };
    let mut start = vec![0_u8; json::LOOK_AHEAD];
    let got = read_full(&mut text.open()?, &mut start).map_err(|error| fault(path, error))?;
    let is_whole = got < start.len();
    let first = start[..got].trim_ascii_start();
    if first.is_empty() && is_whole {
        return Err(IngestError::Empty { path: path.to_owned() });
    }
    let lower = path.to_string_lossy().to_ascii_lowercase();
    let (stem, _) = find::unpacked(&lower);
    let is_named_json = has_extension(stem, &["json", "jsonl", "ndjson"]);
    let format = match json::layout(first, is_whole) {
        _ if text.pointer.is_some() => SourceFormat::Json,
        Some(_) if has_extension(stem, &["jsonl", "ndjson"]) => SourceFormat::JsonLines,
        Some(format) if is_named_json || first.starts_with(b"{\"") || first.starts_with(b"[") => format,
        _ if is_named_json => SourceFormat::JsonLines,
        _ => SourceFormat::Csv,
    };
    if text.pointer.is_some() && !matches!(first.first(), Some(b'{' | b'[')) {
        let wanted = text.pointer.unwrap_or_default();
        return Err(IngestError::NoPart { path: path.to_owned(), wanted, there: Vec::new(), near: None });
    }
    Ok(Origin { path: path.to_owned(), format, bytes, body: Body::Text(text) })
}
