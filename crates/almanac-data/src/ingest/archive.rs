//! Zip archives as sources: which members there are, that they are harmless, and the bytes of one.
//!
//! Nothing is unpacked to disk: a member is read as a stream, straight from the archive. The directory of an archive is a claim of
//! whoever made it, so names, sizes, ratios and overlaps are judged before the first byte is read, and sizes and checksums again
//! while it is.
//!
//! Not here: what a member holds (`source`), spreadsheets, which are archives too (`book`).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::CompressionMethod;
use zip::result::ZipError;

use super::error::IngestError;
use super::unpack::{Counted, Fault, Unpacking};

/// What an archive may unpack to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) members: usize,
    /// Bytes of one member, unpacked.
    pub(crate) member: u64,
    /// Bytes of all members, unpacked.
    pub(crate) total: u64,
    /// Unpacked over packed bytes, for members above `small`.
    pub(crate) ratio: u64,
    /// Members up to this many bytes may be packed as tightly as they like.
    pub(crate) small: u64,
}

/// For archives of text: a month of a large chain fits, a bomb does not. Deflate ends at 1032 to 1, tables at about 100 to 1.
pub(crate) const TABLES: Limits = Limits { members: 10_000, member: 256 << 30, total: 1 << 40, ratio: 300, small: 64 << 20 };
/// For spreadsheets, whose texts are held in memory.
pub(crate) const BOOK: Limits = Limits { members: 10_000, member: 2 << 30, total: 4 << 30, ratio: 300, small: 16 << 20 };

/// One file of an archive.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where its packed bytes start.
    start: u64,
    pub(crate) packed: u64,
    pub(crate) size: u64,
    is_deflated: bool,
    crc: u32,
}

/// Lists the files of an archive, sorted by name, without folders and the litter of operating systems.
pub(crate) fn list(path: &Path, limits: &Limits) -> Result<Vec<Member>, IngestError> {
    let failed = |source| IngestError::Read { path: path.to_owned(), source };
    let bad = |error: ZipError| match error {
        ZipError::Io(source) if source.raw_os_error().is_some() => failed(source),
        other => damaged(path, 0, other.to_string()),
    };
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(bad)?;
    let bomb = |reason: String| IngestError::Bomb { path: path.to_owned(), reason };
    if zip.len() > limits.members {
        return Err(bomb(format!("it has {} members, at most {} are read", zip.len(), limits.members)));
    }
    let mut members = Vec::new();
    let mut total = 0_u64;
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(bad)?;
        let name = entry.name().map_err(bad)?.into_owned();
        if !is_harmless(&name) {
            return Err(IngestError::UnsafeMember { path: path.to_owned(), member: name.escape_debug().to_string() });
        }
        if entry.is_dir() || is_litter(&name) {
            continue;
        }
        if entry.is_symlink() {
            return Err(IngestError::UnsafeMember { path: path.to_owned(), member: format!("{name} (a link)") });
        }
        if entry.encrypted() {
            return Err(IngestError::Encrypted { path: inside(path, &name) });
        }
        let is_deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => return Err(damaged(&inside(path, &name), 0, format!("it is packed as {other}, only deflate is unpacked"))),
        };
        let (packed, size) = (entry.compressed_size(), entry.size());
        let start = entry.data_start().ok_or_else(|| damaged(&inside(path, &name), 0, "its header is missing".into()))?;
        total = total.saturating_add(size);
        if size > limits.member {
            return Err(bomb(format!("`{name}` would unpack to {size} bytes, at most {} are read", limits.member)));
        }
        if total > limits.total {
            return Err(bomb(format!("its members would unpack to more than {} bytes", limits.total)));
        }
        if size > limits.small && size / packed.max(1) > limits.ratio {
            return Err(bomb(format!("`{name}` would unpack to {} times its size", size / packed.max(1))));
        }
        if start.checked_add(packed).is_none_or(|end| end > bytes) {
            return Err(damaged(&inside(path, &name), start, "its bytes lie beyond the end of the archive".into()));
        }
        members.push(Member { name, start, packed, size, is_deflated, crc: entry.crc32() });
    }
    members.sort_by_key(|member| (member.start, member.packed));
    if let Some(pair) = members.windows(2).find(|pair| pair[0].start + pair[0].packed > pair[1].start) {
        return Err(bomb(format!("`{}` and `{}` share their bytes", pair[0].name, pair[1].name)));
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// What a member is called in messages and in the lineage of rows.
pub(crate) fn inside(path: &Path, name: &str) -> std::path::PathBuf {
    format!("{}!/{name}", path.display()).into()
}

fn damaged(path: &Path, offset: u64, reason: String) -> IngestError {
    IngestError::Damaged { path: path.to_owned(), format: "zip", offset, reason }
}

/// Whether the name stays below the folder in which someone might unpack it, and can be printed.
fn is_harmless(name: &str) -> bool {
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    let is_odd = name.is_empty() || name.contains('\\') || name.chars().any(char::is_control) || has_drive;
    !is_odd && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn is_litter(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/")
        || file.starts_with('.')
        || file.eq_ignore_ascii_case("thumbs.db")
        || file.eq_ignore_ascii_case("desktop.ini")
}

/// Opens the bytes of a member; its size and checksum are verified at the end.
pub(crate) fn open(path: &Path, member: &Member) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(member.start))?;
    let consumed = Arc::new(AtomicU64::new(member.start));
    let packed = Counted { inner: BufReader::with_capacity(256 * 1024, file.take(member.packed)), consumed: consumed.clone() };
    let inner: Box<dyn Read + Send> =
        if member.is_deflated { Box::new(flate2::bufread::DeflateDecoder::new(packed)) } else { Box::new(packed) };
    let inner = Unpacking { inner, format: "zip", consumed: consumed.clone() };
    Ok(Box::new(Verified { inner, left: member.size, crc: flate2::Crc::new(), expected: member.crc, consumed }))
}

/// Holds a member to what the archive's directory says of it.
struct Verified {
    inner: Unpacking,
    left: u64,
    crc: flate2::Crc,
    expected: u32,
    consumed: Arc<AtomicU64>,
}

impl Read for Verified {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let got = self.inner.read(out)?;
        let damaged = |reason: &str| {
            Err(Fault::Damaged { format: "zip", offset: self.consumed.load(Ordering::Relaxed), reason: reason.to_owned() }.into_io())
        };
        if got as u64 > self.left {
            return damaged("it holds more than the archive says");
        }
        self.left -= got as u64;
        self.crc.update(&out[..got]);
        if got == 0 && self.left > 0 {
            return damaged("it ends in the middle");
        }
        if got == 0 && self.crc.sum() != self.expected {
            return damaged("its checksum is wrong");
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_not_harmless() {
        for name in ["a.csv", "dir/a.csv", "./a.csv", "ünïcode.csv"] {
            assert!(is_harmless(name), "{name}");
        }
        for name in ["../a.csv", "/a.csv", "a/../../b", "C:a.csv", "c:\\a.csv", "..\\a.csv", "a\u{0}b", "a\u{1b}[2J", ""] {
            assert!(!is_harmless(name), "{name}");
        }
    }
}
