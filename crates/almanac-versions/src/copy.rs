//! Copying a large file into the cache: hashed on its way, and written past the system's memory while the disk keeps up.
//!
//! A copy in the cache is read seldom. Written directly it takes no memory from what is in use, and the disk works from the
//! first piece on instead of when memory is full. Where the file system cannot do that, or the disk is slower than the hash,
//! the system buffers as for any other file.
//!
//! Not here: small files (`cache.rs`), and copies that are checked against a known hash (`remote/folder.rs`).

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, OFlags};

use crate::error::{Doing, Result};
use crate::hash::{self, Hasher, Md5};

/// Bytes read, hashed and written at once.
const PIECE: usize = 4 << 20;
/// Pieces on their way at once.
const PIECES: usize = 6;
/// What addresses, places and lengths of direct writes are multiples of; disks want 512 or this.
const BLOCK: usize = 4096;
/// After so many bytes it shows whether the disk keeps up.
const TRIED: usize = 64 << 20;

/// Copies a file to one that must not exist yet, and returns its hash. `size`: bytes that are expected; `mode`: permissions.
///
/// # Errors
/// If it cannot be read or written. The copy is the caller's to remove then.
pub(crate) fn copy_and_hash(mut from: File, source: &Path, size: u64, target: &Path, mode: u32) -> Result<(Md5, File)> {
    let mut copy = Copy::create(target, mode).doing("write", target)?;
    copy.reserve(size).doing("write", target)?;
    let mut hasher = Hasher::new(false);
    std::thread::scope(|scope| {
        // Each piece goes round: read, hashed, written, read anew. Whoever fails lets go of its ends, which stops the others.
        let (to_read, free) = mpsc::channel::<Piece>();
        let (to_hash, read) = mpsc::channel::<io::Result<Piece>>();
        let (to_write, hashed) = mpsc::channel::<Piece>();
        for _ in 0..PIECES {
            let _ = to_read.send(Piece::new());
        }
        scope.spawn(move || {
            for mut piece in free {
                let filled = piece.fill(&mut from);
                let is_last = !matches!(filled, Ok(PIECE));
                if to_hash.send(filled.map(|_| piece)).is_err() || is_last {
                    return;
                }
            }
        });
        let writer = scope.spawn(move || -> io::Result<File> {
            let mut waited = Instant::now();
            for piece in hashed {
                copy.write(piece.bytes(), waited.elapsed())?;
                waited = Instant::now();
                // Nobody reads any more at the end.
                let _ = to_read.send(piece);
            }
            Ok(copy.file)
        });
        let mut failed = None;
        for piece in read {
            match piece {
                Ok(piece) => {
                    hasher.update(piece.bytes());
                    // A writer that ended early says why below.
                    if to_write.send(piece).is_err() {
                        break;
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        drop(to_write);
        let written = writer.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread ended")));
        match failed {
            Some(error) => Err(error).doing("read", source),
            None => Ok((hasher.finish(), written.doing("write", target)?)),
        }
    })
}

/// Bytes whose address suits direct writes.
struct Piece {
    space: Vec<u8>,
    start: usize,
    length: usize,
}

impl Piece {
    fn new() -> Self {
        let space = vec![0; PIECE + BLOCK];
        // Where an address cannot be rounded, direct writing is refused and not used.
        let start = Some(space.as_ptr().align_offset(BLOCK)).filter(|start| *start < BLOCK).unwrap_or(0);
        Self { space, start, length: 0 }
    }

    fn fill(&mut self, from: &mut File) -> io::Result<usize> {
        self.length = hash::read_full(from, &mut self.space[self.start..self.start + PIECE])?;
        Ok(self.length)
    }

    fn bytes(&self) -> &[u8] {
        &self.space[self.start..self.start + self.length]
    }
}

/// The file that is written.
struct Copy {
    file: File,
    is_direct: bool,
    written: usize,
    /// Writing directly, and waiting for something to write.
    busy: Duration,
    idle: Duration,
}

impl Copy {
    fn create(path: &Path, mode: u32) -> io::Result<Self> {
        let open =
            |flags: OFlags| File::options().write(true).create_new(true).mode(mode).custom_flags(flags.bits().cast_signed()).open(path);
        let (file, is_direct) = match open(OFlags::DIRECT) {
            // Some file systems make the file before they refuse.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let _ = std::fs::remove_file(path);
                (open(OFlags::empty())?, false)
            }
            other => (other?, true),
        };
        Ok(Self { file, is_direct, written: 0, busy: Duration::ZERO, idle: Duration::ZERO })
    }

    /// Asks for the room now, so that a disk without it is found before anything is hashed.
    fn reserve(&self, size: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, size) {
            Err(error @ (rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT | rustix::io::Errno::FBIG)) => Err(error.into()),
            // The others say that this file system does not know how.
            _ => Ok(()),
        }
    }

    fn write(&mut self, piece: &[u8], waited: Duration) -> io::Result<()> {
        let start = Instant::now();
        let mut rest = piece;
        while !rest.is_empty() {
            let whole = rest.len() - rest.len() % BLOCK;
            if self.is_direct && whole == 0 {
                self.buffer()?;
            }
            let part = if self.is_direct { &rest[..whole] } else { rest };
            match self.file.write(part) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::InvalidInput && self.is_direct => self.buffer()?,
                Err(error) => return Err(error),
            }
        }
        self.written += piece.len();
        if self.is_direct {
            self.busy += start.elapsed();
            self.idle += waited;
            // It never waits for the hash: the disk is what is slow.
            if self.written >= TRIED && self.idle * 20 < self.busy {
                self.buffer()?;
            }
        }
        Ok(())
    }

    /// From here on through the system's memory.
    fn buffer(&mut self) -> io::Result<()> {
        self.is_direct = false;
        let flags = rustix::fs::fcntl_getfl(&self.file)?;
        Ok(rustix::fs::fcntl_setfl(&self.file, flags - OFlags::DIRECT)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_any_length_is_the_same_and_has_its_hash() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, PIECE - 1, PIECE, PIECE + 1, PIECE * 3 + BLOCK * 2 + 17, TRIED + PIECE + 5] {
            let bytes: Vec<u8> = (0..length).map(|at| ((at * 31) >> 3) as u8).collect();
            let (source, target) = (folder.path().join("from"), folder.path().join(length.to_string()));
            std::fs::write(&source, &bytes).expect("can be written");
            let from = File::open(&source).expect("is there");
            let (md5, _) = copy_and_hash(from, &source, length as u64, &target, 0o644).expect("can be copied");
            assert_eq!(md5, Md5::of(&bytes), "{length}");
            assert!(std::fs::read(&target).expect("is there") == bytes, "{length}");
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = folder.path().join("from");
        std::fs::write(&source, vec![7; PIECE * 2 + 1]).expect("can be written");
        let from = File::open(&source).expect("is there");
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let mut copy = Copy {
            file: File::options().write(true).open(full).expect("can be opened"),
            is_direct: false,
            written: 0,
            busy: Duration::ZERO,
            idle: Duration::ZERO,
        };
        assert_eq!(copy.write(&[1, 2], Duration::ZERO).expect_err("is full").kind(), ErrorKind::StorageFull);
        // More than any disk has.
        let told = copy_and_hash(from, &source, 1 << 60, &folder.path().join("to"), 0o644).expect_err("has no room");
        assert!(told.to_string().contains("to"), "{told}");
    }
}
