//! The bytes of a source file, unpacked where they are gzip or zstd, and what can be wrong with a stream of bytes.
//!
//! Packing is told from the first bytes, not from the name. What a stream can suffer travels as a [`Fault`] inside an
//! [`io::Error`], through whichever reader stands above, and becomes an [`IngestError`] again in [`fault`].
//!
//! Not here: archives with members (`archive`), encodings (`source`).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::archive::{self, Member};
use super::error::IngestError;

const BUFFER: usize = 256 * 1024;
/// Largest window of zstd that is unpacked, as a power of two: what `zstd` itself takes without `--long`.
const ZSTD_WINDOW: u32 = 27;

/// Where the bytes of a source lie.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A file of its own.
    File(PathBuf),
    /// A member of a zip archive.
    Member { archive: PathBuf, member: Member },
}

/// What is wrong with a stream of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It cannot be unpacked.
    #[error("damaged at byte {offset}: {reason}")]
    Damaged { format: &'static str, offset: u64, reason: String },
    /// One record, line or value takes more than a reader may hold.
    #[error("longer than {} MiB", limit >> 20)]
    TooLong { limit: u64 },
}

impl Fault {
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }
}

/// Turns an error of a stream into the error of the file.
pub(crate) fn fault(path: &Path, error: io::Error) -> IngestError {
    let path = path.to_owned();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
        Some(Fault::Damaged { format, offset, reason }) => IngestError::Damaged { path, format, offset: *offset, reason: reason.clone() },
        Some(Fault::TooLong { limit }) => IngestError::TooLong { path, what: "a value".into(), limit: *limit },
        None => IngestError::Read { path, source: error },
    }
}

/// Opens the bytes as they are.
pub(crate) fn raw(place: &Place) -> io::Result<Box<dyn Read + Send>> {
    Ok(match place {
        Place::File(path) => Box::new(File::open(path)?),
        Place::Member { archive, member } => archive::open(archive, member)?,
    })
}

/// Opens the bytes, unpacked.
pub(crate) fn open(place: &Place) -> io::Result<Box<dyn Read + Send>> {
    let mut raw = raw(place)?;
    let mut head = [0_u8; 4];
    let got = read_full(&mut raw, &mut head)?;
    let consumed = Arc::new(AtomicU64::new(0));
    let whole = Cursor::new(head[..got].to_vec()).chain(raw);
    let counted = Counted { inner: BufReader::with_capacity(BUFFER, whole), consumed: consumed.clone() };
    let (format, inner): (_, Box<dyn Read + Send>) = match head {
        [0x1f, 0x8b, ..] => ("gzip", Box::new(flate2::bufread::MultiGzDecoder::new(counted))),
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(counted)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            ("zstd", Box::new(decoder))
        }
        _ => return Ok(Box::new(counted)),
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, Unpacking { inner, format, consumed })))
}

/// Counts the bytes that the reader above has taken.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) consumed: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(out)?;
        self.consumed.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.consumed.fetch_add(count as u64, Ordering::Relaxed);
        self.inner.consume(count);
    }
}

/// Names the place where unpacking failed.
pub(crate) struct Unpacking {
    pub(crate) inner: Box<dyn Read + Send>,
    pub(crate) format: &'static str,
    pub(crate) consumed: Arc<AtomicU64>,
}

impl Read for Unpacking {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out).map_err(|error| {
            let is_ours = error.get_ref().is_some_and(|inner| inner.is::<Fault>());
            // A number of the operating system: the disk failed, not the content.
            if is_ours || error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            let reason = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends in the middle".to_owned(),
                _ => error.to_string(),
            };
            Fault::Damaged { format: self.format, offset: self.consumed.load(Ordering::Relaxed), reason }.into_io()
        })
    }
}

/// A stream that refuses to give more than `limit` bytes until its [`Meter`] is set back, so that what a reader gathers for one
/// record cannot fill the memory.
pub(crate) struct Metered<R> {
    inner: R,
    meter: Meter,
    limit: u64,
}

/// Bytes since the last record.
#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Lets everything through until the next [`Self::reset`].
    pub(crate) fn suspend(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }
}

impl<R: Read> Metered<R> {
    pub(crate) fn new(inner: R, limit: u64) -> (Self, Meter) {
        let meter = Meter::default();
        (Self { inner, meter: meter.clone(), limit }, meter)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let spent = self.meter.0.load(Ordering::Relaxed);
        if spent != u64::MAX {
            if spent > self.limit {
                return Err(Fault::TooLong { limit: self.limit }.into_io());
            }
            let got = self.inner.read(out)?;
            self.meter.0.store(spent + got as u64, Ordering::Relaxed);
            return Ok(got);
        }
        self.inner.read(out)
    }
}

/// Fills the buffer as far as the stream goes.
pub(crate) fn read_full(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
