//! The text of a source as a UTF-8 stream, whatever it was written in.
//!
//! A byte order mark decides; then valid UTF-8; then UTF-16 by its zero bytes; then what `chardetng` guesses (windows-1252 where
//! it has no better idea). A file that is plainly UTF-8 with a few broken bytes stays UTF-8: the rows that hold them are put aside.
//!
//! Not here: packing (`unpack`), delimiters (`dialect`), cells.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{CoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::IngestError;
use super::unpack::{self, Place, fault, read_full};

/// A text file whose encoding is known.
#[derive(Debug, Clone)]
pub(crate) struct TextSource {
    /// What the user calls it: `sales.csv`, `archive.zip!/sales.csv`.
    pub(crate) path: PathBuf,
    pub(crate) place: Place,
    pub(crate) encoding: &'static Encoding,
    /// Whether the bytes are valid UTF-8 throughout, so that cells need no check.
    pub(crate) is_valid_utf8: bool,
    /// Where the rows of a JSON document stand, if the user says it.
    pub(crate) pointer: Option<String>,
}

impl TextSource {
    /// Opens the text as UTF-8, without a byte order mark. Broken bytes of a UTF-8 file come through as they are.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>, IngestError> {
        let failed = |error| fault(&self.path, error);
        let mut file = unpack::open(&self.place).map_err(failed)?;
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

/// Tells the encoding, and whether the bytes are valid UTF-8; reads the text once from end to end.
pub(crate) fn detect(path: &Path, place: &Place, head: &[u8]) -> Result<(&'static Encoding, bool), IngestError> {
    let failed = |error| fault(path, error);
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
    let mut stream = unpack::open(place).map_err(failed)?;
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
