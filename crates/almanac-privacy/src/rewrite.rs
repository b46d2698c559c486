//! A file without the subject: told by its content, read as a stream, written anew only where the subject stood.
//!
//! The same content gives the same new content, whatever the file is called, so that a file and its object in a cache stay one.
//! Looking and taking out are one code path: a look writes to nowhere.
//!
//! Not here: which files (`erase`), databases, which change in place (`sqlite`).

mod csv;
mod json;
pub(crate) mod list;
mod packed;
pub(crate) mod parquet;
pub(crate) mod sqlite;
mod text;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use crate::error::EraseError;
use crate::files::head;
use crate::needles::Needles;

/// Bytes by which a file is told.
const HEAD: usize = 64 * 1024;
/// Archives in archives that are opened.
const DEEPEST: usize = 3;

/// What was taken out of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Rows of the subject.
    pub(crate) rows: u64,
    /// Other places that named it.
    pub(crate) mentions: u64,
    /// Rows that stay, where rows are counted.
    pub(crate) rows_left: Option<u64>,
    /// What stood in personal columns of the rows and is telling.
    pub(crate) telling: BTreeSet<String>,
}

impl Tally {
    pub(crate) fn is_clean(&self) -> bool {
        self.rows == 0 && self.mentions == 0
    }

    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.mentions += other.mentions;
        self.rows_left = match (self.rows_left, other.rows_left) {
            (Some(mine), Some(theirs)) => Some(mine + theirs),
            (mine, theirs) => mine.or(theirs),
        };
        self.telling.extend(other.telling);
    }
}

/// What can be done about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The new content is whole; the tally says whether it differs.
    Written(Tally),
    /// It cannot be told whether the subject is in it: why.
    Hopeless(String),
    /// The subject is in it for certain and cannot be taken out: why.
    Stuck(String),
}

/// What the beginning of a file says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Parquet,
    Sqlite,
    Gzip,
    Zstd,
    Zip,
    Utf16 { big: bool },
    Binary,
    Text,
}

impl Kind {
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            _ if head.starts_with(b"SQLite format 3\0") => Self::Sqlite,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0xff, 0xfe, ..] => Self::Utf16 { big: false },
            [0xfe, 0xff, ..] => Self::Utf16 { big: true },
            _ if head.contains(&0) => Self::Binary,
            _ => Self::Text,
        }
    }
}

/// Writes a file without the subject to `out`.
///
/// # Errors
/// [`EraseError::Io`] for a file that cannot be read or an `out` that cannot be written.
pub(crate) fn file(path: &Path, out: &mut (dyn Write + Send), needles: &Needles) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let start = head(&mut File::open(path).map_err(failed)?, HEAD).map_err(failed)?;
    match Kind::of(&start) {
        Kind::Parquet => parquet::rewrite(parquet::Source::File(path), out, needles, path),
        Kind::Zip => packed::zip(path, File::open(path).map_err(failed)?, out, needles, 0),
        Kind::Sqlite => Ok(Fate::Hopeless("a database inside another file".into())),
        _ => stream(path, Box::new(File::open(path).map_err(failed)?), out, needles, 0),
    }
}

/// Looks for the subject in a content that is held in memory.
pub(crate) fn content(path: &Path, bytes: &[u8], needles: &Needles) -> Result<Fate, EraseError> {
    stream(path, Box::new(bytes), &mut std::io::sink(), needles, 0)
}

/// The same for a stream, which has no end that could be looked at first.
fn stream(
    path: &Path,
    input: Box<dyn Read + '_>,
    out: &mut (dyn Write + Send),
    needles: &Needles,
    depth: usize,
) -> Result<Fate, EraseError> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    // What was read for a look is read again.
    let start = match head(&mut input, HEAD) {
        Ok(start) => start,
        Err(error) if depth > 0 => return Ok(Fate::Hopeless(format!("it cannot be unpacked: {error}"))),
        Err(error) => return Err(EraseError::io(path, error)),
    };
    let kind = Kind::of(&start);
    let mut whole: Box<dyn BufRead + '_> = Box::new(BufReader::with_capacity(1 << 20, std::io::Cursor::new(start.clone()).chain(input)));
    let written = match kind {
        Kind::Gzip | Kind::Zstd | Kind::Zip if depth >= DEEPEST => return Ok(Fate::Hopeless("it is packed more than three times".into())),
        Kind::Gzip => packed::gzip(path, whole, out, needles, depth),
        Kind::Zstd => packed::zstd(path, whole, out, needles, depth),
        Kind::Parquet | Kind::Zip | Kind::Sqlite => {
            let mut bytes = Vec::new();
            whole.read_to_end(&mut bytes).map_err(|error| EraseError::io(path, error))?;
            match kind {
                Kind::Parquet => parquet::rewrite(parquet::Source::Memory(bytes.into()), out, needles, path),
                Kind::Zip => packed::zip(path, std::io::Cursor::new(bytes), out, needles, depth),
                _ if needles.mentions(&bytes) > 0 => Ok(Fate::Stuck("it is a database inside an archive".into())),
                _ => pass(path, &bytes, out),
            }
        }
        Kind::Utf16 { big } => text::utf16(path, &mut *whole, out, needles, big),
        Kind::Binary => text::binary(path, &mut *whole, out, needles),
        Kind::Text if csv::is_table(&start, needles) => csv::rewrite(path, &mut *whole, out, needles),
        Kind::Text if json::is_document(&start) => json::rewrite(path, &mut *whole, out, needles),
        Kind::Text => text::lines(path, &mut *whole, out, needles),
    };
    match written {
        // A stream that ends too early, inside a packed file, says that the file is damaged.
        Err(EraseError::Io { source, .. }) if depth > 0 && source.kind() != std::io::ErrorKind::StorageFull => {
            Ok(Fate::Hopeless(format!("it cannot be unpacked: {source}")))
        }
        other => other,
    }
}

fn pass(path: &Path, bytes: &[u8], out: &mut (dyn Write + Send)) -> Result<Fate, EraseError> {
    out.write_all(bytes).map_err(|error| EraseError::io(path, error))?;
    Ok(Fate::Written(Tally::default()))
}
