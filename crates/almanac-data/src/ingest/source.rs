//! Source files: which there are, what format they have, and their text as a UTF-8 stream.
//!
//! Formats and compression are told from the content, not from the name. Encodings: a byte order mark decides; then valid
//! UTF-8; then UTF-16 by its zero bytes; then what `chardetng` guesses (windows-1252 where it has no better idea). A file that is
//! plainly UTF-8 with a few broken bytes stays UTF-8: the rows that hold them are put aside.
//!
//! Not here: delimiters (`dialect`), cells.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{CoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::IngestError;

/// Format of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum SourceFormat {
    /// Cells between delimiters.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

impl SourceFormat {
    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON lines",
            Self::Parquet => "Parquet",
        }
    }
}

const EXTENSIONS: [&str; 8] = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "pq"];

/// Returns the files that a path, a folder or a glob below `root` names, sorted by path.
///
/// A folder gives the files directly in it whose extension is a known one, `.gz` included.
///
/// # Errors
/// [`IngestError::NoFile`] if there are none.
pub fn expand_source(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, IngestError> {
    let whole = root.join(pattern);
    if whole.is_file() {
        return Ok(vec![whole]);
    }
    let mut files = Vec::new();
    if whole.is_dir() {
        let failed = |source| IngestError::Read { path: whole.clone(), source };
        for entry in std::fs::read_dir(&whole).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_file() && has_known_extension(&path) {
                files.push(path);
            }
        }
    } else {
        let bad = |reason: String| IngestError::BadPattern { pattern: pattern.to_owned(), reason };
        let escaped = glob::Pattern::escape(&root.to_string_lossy());
        let text = if Path::new(pattern).is_absolute() {
            pattern.to_owned()
        } else {
            Path::new(&escaped).join(pattern).to_string_lossy().into_owned()
        };
        for found in glob::glob(&text).map_err(|error| bad(error.to_string()))? {
            let path = found.map_err(|error| IngestError::Read { path: error.path().to_owned(), source: error.into() })?;
            if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() { Err(IngestError::NoFile { pattern: pattern.to_owned() }) } else { Ok(files) }
}

fn has_known_extension(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if name.starts_with('.') {
        return false;
    }
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

fn has_extension(name: &str, wanted: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| wanted.contains(&extension))
}

/// A text file whose format and encoding are known.
#[derive(Debug, Clone)]
pub(crate) struct TextSource {
    pub(crate) path: PathBuf,
    pub(crate) encoding: &'static Encoding,
    /// Whether the bytes are valid UTF-8 throughout, so that cells need no check.
    pub(crate) is_valid_utf8: bool,
}

/// What a file turned out to be.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Text { format: SourceFormat, text: TextSource },
    Parquet,
}

/// Tells whether a file is Parquet, by its content.
pub(crate) fn is_parquet(path: &Path) -> Result<bool, IngestError> {
    Ok(matches!(examine(path, None)?, Source::Parquet))
}

/// Tells format and encoding; reads a text file once from end to end.
pub(crate) fn examine(path: &Path, encoding: Option<&str>) -> Result<Source, IngestError> {
    let failed = |source| IngestError::Read { path: path.to_owned(), source };
    let mut head = [0_u8; 4096];
    let mut file = raw(path).map_err(failed)?;
    let got = read_full(&mut file, &mut head).map_err(failed)?;
    let head = &head[..got];
    if head.is_empty() {
        return Err(IngestError::Empty { path: path.to_owned() });
    }
    let name = path.to_string_lossy().to_ascii_lowercase();
    if head.starts_with(b"PAR1") || has_extension(&name, &["parquet", "pq"]) {
        return Ok(Source::Parquet);
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err(IngestError::UnknownFormat { path: path.to_owned(), reason: "it is a zip archive or a spreadsheet".into() });
    }
    let (encoding, is_valid_utf8) = match encoding {
        Some(label) => {
            let known =
                Encoding::for_label(label.trim().as_bytes()).ok_or_else(|| IngestError::UnknownEncoding { given: label.to_owned() })?;
            (known, false)
        }
        None => detect_encoding(path, head)?,
    };
    let text = TextSource { path: path.to_owned(), encoding, is_valid_utf8 };
    let mut start = [0_u8; 256];
    let got = read_full(&mut text.open()?, &mut start).map_err(failed)?;
    let first = String::from_utf8_lossy(&start[..got]);
    let first = first.trim_start();
    if first.is_empty() && got < start.len() {
        return Err(IngestError::Empty { path: path.to_owned() });
    }
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let is_json = has_extension(stem, &["json", "jsonl", "ndjson"]) || first.starts_with("{\"");
    Ok(Source::Text { format: if is_json { SourceFormat::JsonLines } else { SourceFormat::Csv }, text })
}

impl TextSource {
    /// Opens the text as UTF-8, without a byte order mark. Broken bytes of a UTF-8 file come through as they are.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>, IngestError> {
        let failed = |source| IngestError::Read { path: self.path.clone(), source };
        let mut file = raw(&self.path).map_err(failed)?;
        if self.encoding == UTF_8 {
            let mut mark = [0_u8; 3];
            let got = read_full(&mut file, &mut mark).map_err(failed)?;
            let kept = if mark[..got] == [0xef, 0xbb, 0xbf] { Vec::new() } else { mark[..got].to_vec() };
            return Ok(Box::new(io::Cursor::new(kept).chain(file)));
        }
        Ok(Box::new(Decoding {
            inner: file,
            decoder: self.encoding.new_decoder_with_bom_removal(),
            raw: vec![0; 64 * 1024],
            filled: 0,
            text: vec![0; 256 * 1024],
            from: 0,
            to: 0,
            is_done: false,
        }))
    }
}

/// Opens the bytes, unpacked where they are gzip.
fn raw(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let is_gzip = {
        let head = io::BufRead::fill_buf(&mut file)?;
        head.starts_with(&[0x1f, 0x8b])
    };
    Ok(if is_gzip { Box::new(BufReader::with_capacity(256 * 1024, flate2::bufread::MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// Fills the buffer as far as the stream goes.
pub(crate) fn read_full(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..])? {
            0 => break,
            got => filled += got,
        }
    }
    Ok(filled)
}

fn detect_encoding(path: &Path, head: &[u8]) -> Result<(&'static Encoding, bool), IngestError> {
    let failed = |source| IngestError::Read { path: path.to_owned(), source };
    if let Some((found, _)) = Encoding::for_bom(head)
        && found != UTF_8
    {
        return Ok((found, false));
    }
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    if zeros(0) + zeros(1) > 0 {
        let half = head.len() / 2;
        return match (zeros(0) * 10 > half * 3, zeros(1) * 10 > half * 3) {
            (false, true) => Ok((UTF_16LE, false)),
            (true, false) => Ok((UTF_16BE, false)),
            _ => Err(IngestError::UnknownFormat { path: path.to_owned(), reason: "it holds zero bytes, as binary files do".into() }),
        };
    }
    let mut stream = raw(path).map_err(failed)?;
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    let mut buffer = vec![0_u8; 1 << 20];
    let (mut carried, mut good, mut broken) = (0_usize, 0_u64, 0_u64);
    loop {
        let got = read_full(&mut stream, &mut buffer[carried..]).map_err(failed)?;
        let mut block = &buffer[..carried + got];
        let is_last = got == 0;
        if !block.is_ascii() {
            detector.feed(block, false);
        }
        loop {
            match std::str::from_utf8(block) {
                Ok(text) => {
                    good += multibyte(text.as_bytes());
                    block = &[];
                    break;
                }
                Err(error) => {
                    good += multibyte(&block[..error.valid_up_to()]);
                    block = &block[error.valid_up_to()..];
                    // Without a length the block ends inside a character: the next one completes it.
                    let Some(length) = error.error_len() else { break };
                    broken += 1;
                    block = &block[length..];
                }
            }
        }
        carried = block.len();
        if is_last {
            broken += u64::from(carried > 0);
            break;
        }
        let rest = block.to_vec();
        buffer[..carried].copy_from_slice(&rest);
    }
    if broken == 0 {
        return Ok((UTF_8, true));
    }
    if good >= 10 * broken {
        return Ok((UTF_8, false));
    }
    detector.feed(b"", true);
    Ok((detector.guess(None, chardetng::Utf8Detection::Deny), false))
}

/// Number of characters that take more than one byte.
fn multibyte(valid: &[u8]) -> u64 {
    if valid.is_ascii() { 0 } else { valid.iter().filter(|b| **b >= 0xc0).count() as u64 }
}

/// Turns another encoding into UTF-8; what cannot be read becomes U+FFFD, which puts the row aside.
struct Decoding {
    inner: Box<dyn Read + Send>,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    filled: usize,
    text: Vec<u8>,
    from: usize,
    to: usize,
    is_done: bool,
}

impl Read for Decoding {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.from == self.to && !self.is_done {
            let got = self.inner.read(&mut self.raw[self.filled..])?;
            let is_last = got == 0;
            let available = self.filled + got;
            let (result, read, written, _) = self.decoder.decode_to_utf8(&self.raw[..available], &mut self.text, is_last);
            self.raw.copy_within(read..available, 0);
            self.filled = available - read;
            (self.from, self.to) = (0, written);
            self.is_done = is_last && result == CoderResult::InputEmpty;
        }
        let count = out.len().min(self.to - self.from);
        out[..count].copy_from_slice(&self.text[self.from..self.from + count]);
        self.from += count;
        Ok(count)
    }
}
