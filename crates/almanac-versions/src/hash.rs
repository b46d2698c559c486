//! The name of an object: the md5 of its bytes, and how it is taken.
//!
//! Not here: which files are hashed, and what is remembered of them (`index.rs`).

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use md5::Digest as _;

use crate::error::{Doing, Result, VersionsError};

/// Bytes read at once.
pub(crate) const CHUNK: usize = 1 << 20;

/// An md5 sum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Md5(pub [u8; 16]);

impl Md5 {
    /// Hashes bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(md5::Md5::digest(bytes).into())
    }
}

impl Md5 {
    /// The 32 digits, in ASCII.
    fn digits(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        text
    }

    /// Reads 32 lower-case digits.
    pub(crate) fn from_digits(digits: &[u8]) -> Option<Self> {
        let digit = |at: u8| match at {
            b'0'..=b'9' => Some(at - b'0'),
            b'a'..=b'f' => Some(at - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 16];
        if digits.len() != 32 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low)?;
        }
        Some(Self(bytes))
    }

    /// Writes the digits behind a text, for there are lists of many.
    pub(crate) fn push_to(self, text: &mut String) {
        text.extend(self.digits().map(char::from));
    }
}

impl fmt::Display for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Md5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no md5 sum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an md5 sum")]
pub struct NotMd5(String);

impl FromStr for Md5 {
    type Err = NotMd5;

    fn from_str(text: &str) -> Result<Self, NotMd5> {
        Self::from_digits(text.as_bytes()).ok_or_else(|| NotMd5(text.chars().take(80).collect()))
    }
}

/// The name of an object in a cache or remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    /// Of its bytes.
    pub md5: Md5,
    /// Whether it is the list of a folder's files.
    pub is_dir: bool,
    /// Whether it lies where DVC 2 kept it, hashed as DVC 2 did: text with `\n` for `\r\n`.
    pub is_legacy: bool,
}

impl Oid {
    /// The name of a file's bytes.
    pub fn file(md5: Md5) -> Self {
        Self { md5, is_dir: false, is_legacy: false }
    }

    /// The name of a folder's list.
    pub fn dir(md5: Md5) -> Self {
        Self { md5, is_dir: true, is_legacy: false }
    }

    /// Reads a name as it stands in pointer files, with `.dir` behind a folder's.
    ///
    /// # Errors
    /// If it is not 32 lower-case hexadecimal digits.
    pub fn parse(text: &str, is_legacy: bool) -> Result<Self, NotMd5> {
        let (digits, is_dir) = text.strip_suffix(".dir").map_or((text, false), |digits| (digits, true));
        Ok(Self { md5: digits.parse()?, is_dir, is_legacy })
    }

    /// Returns where the object lies below the root of a cache or remote, `/` between folders.
    pub fn place(self) -> String {
        let name = self.to_string();
        let root = if self.is_legacy { "" } else { "files/md5/" };
        format!("{root}{}/{}", &name[..2], &name[2..])
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.md5, if self.is_dir { ".dir" } else { "" })
    }
}

/// Hashes bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hasher {
    md5: md5::Md5,
    /// As DVC 2 did it.
    is_legacy: bool,
}

impl Hasher {
    /// The hash that an object of this name has. Pieces must be of [`CHUNK`] bytes, for DVC 2 judged them one by one.
    pub(crate) fn for_oid(oid: Oid) -> Self {
        Self::new(oid.is_legacy && !oid.is_dir)
    }

    pub(crate) fn new(is_legacy: bool) -> Self {
        Self { md5: md5::Md5::new(), is_legacy }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        if self.is_legacy && looks_like_text(&piece[..piece.len().min(512)]) {
            self.md5.update(without_carriage_returns(piece));
        } else {
            self.md5.update(piece);
        }
    }

    pub(crate) fn finish(self) -> Md5 {
        Md5(self.md5.finalize().into())
    }
}

fn looks_like_text(block: &[u8]) -> bool {
    let others = block.iter().filter(|byte| !matches!(byte, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08)).count();
    !block.contains(&0) && others * 10 <= block.len() * 3
}

fn without_carriage_returns(piece: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(piece.len());
    for (at, &byte) in piece.iter().enumerate() {
        if byte != b'\r' || piece.get(at + 1) != Some(&b'\n') {
            text.push(byte);
        }
    }
    text
}

/// Fills as much of the buffer as there is.
pub(crate) fn read_full(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Hashes a whole file. Large ones are read ahead by a second thread, so that reading costs nothing.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn hash_file(path: &Path, is_legacy: bool) -> Result<Md5> {
    let mut file = File::open(path).doing("open", path)?;
    let length = file.metadata().doing("open", path)?.len();
    let mut hasher = Hasher::new(is_legacy);
    if length <= CHUNK as u64 * 4 {
        let mut buffer = vec![0; (length as usize + 1).min(CHUNK)];
        loop {
            let count = read_full(&mut file, &mut buffer).doing("read", path)?;
            if count == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(&buffer[..count]);
        }
    }
    pieces(file, |piece| {
        hasher.update(piece);
        Ok(())
    })
    .doing("read", path)?;
    Ok(hasher.finish())
}

/// Reads in one thread, hands over in this one.
pub(crate) fn pieces(mut source: impl Read + Send, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    const AHEAD: usize = 4;
    std::thread::scope(|scope| {
        let (full, pieces) = std::sync::mpsc::sync_channel::<io::Result<(Vec<u8>, usize)>>(AHEAD);
        let (give_back, empty) = std::sync::mpsc::channel::<Vec<u8>>();
        scope.spawn(move || {
            loop {
                let mut buffer = empty.try_recv().unwrap_or_else(|_| vec![0; CHUNK]);
                let read = read_full(&mut source, &mut buffer);
                let is_last = !matches!(read, Ok(count) if count == CHUNK);
                // A reader that stopped listening has failed and says so itself.
                if full.send(read.map(|count| (buffer, count))).is_err() || is_last {
                    return;
                }
            }
        });
        for piece in pieces {
            let (buffer, count) = piece?;
            each(&buffer[..count])?;
            let _ = give_back.send(buffer);
        }
        Ok(())
    })
}

impl From<NotMd5> for VersionsError {
    fn from(problem: NotMd5) -> Self {
        Self::malformed("md5", "a hash", problem)
    }
}
