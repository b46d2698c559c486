//! What was hashed before: path, size, time and inode to md5, so that an unchanged tree costs no reading.
//!
//! One file, replaced as a whole. It is only a help: lost, damaged or foreign, it is empty and everything is hashed again.
//!
//! Two dangers are met. A file written again within one tick of the clock keeps its time: what was written just before it was
//! hashed is not remembered. And after a power loss a file may have its size and not its bytes: what was remembered shortly
//! before the last save of another boot is forgotten.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Result;
use crate::files::{self, Stamp};
use crate::hash::{Md5, Oid};

type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

const MAGIC: &[u8; 8] = b"ALMDATA2";
/// Bytes of one object: its kind and what was seen.
const OBJECT: usize = 1 + SEEN;
const SEEN: usize = 8 + 8 + 8 + 16 + 4;
/// The system's clock of files ticks every 4 to 10 ms.
const TICK_NS: i64 = 20_000_000;
/// The system writes to disk within 30 s what is not synced.
const FLUSHED_S: u32 = 120;

/// What is remembered of files and objects.
#[derive(Debug, Default)]
pub struct Index {
    path: PathBuf,
    files: HashMap<Box<str>, Seen>,
    /// Decoded when first asked for: most commands only look at files.
    objects: OnceLock<HashMap<Oid, Seen>>,
    encoded: Encoded,
    /// Outputs that we put into the working folder, and with what.
    outs: HashMap<Box<str>, Oid>,
    is_changed: bool,
}

/// Objects as they stand in the file.
#[derive(Debug, Default)]
struct Encoded {
    file: Vec<u8>,
    objects: Range<usize>,
    age: Age,
}

/// When the file was written.
#[derive(Debug, Default, Clone, Copy)]
struct Age {
    is_same_boot: bool,
    /// Seconds since 1970.
    saved: u32,
}

impl Age {
    fn is_safe(self, seen: &Seen) -> bool {
        self.is_same_boot || seen.when.saturating_add(FLUSHED_S) < self.saved
    }
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    stamp: Stamp,
    md5: Md5,
    /// Seconds since 1970.
    when: u32,
}

impl Index {
    /// Reads the index, or begins one.
    pub fn load(path: PathBuf) -> Self {
        let mut index = fs::read(&path).ok().and_then(|bytes| Self::decode(bytes, &boot())).unwrap_or_default();
        index.path = path;
        index
    }

    /// Writes it if anything is new.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&mut self) -> Result<()> {
        if self.is_changed {
            files::write_atomic(&self.path, &self.encode(&boot()))?;
            self.is_changed = false;
        }
        Ok(())
    }

    /// Returns the md5 of a file, if it is as it was.
    pub fn file(&self, path: &str, stamp: Stamp) -> Option<Md5> {
        self.files.get(path).filter(|seen| seen.stamp == stamp).map(|seen| seen.md5)
    }

    /// Remembers the md5 of a file that looked like this before and after it was hashed.
    pub fn remember_file(&mut self, path: &str, stamp: Stamp, md5: Md5) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_fresh = now.as_nanos() as i64 - stamp.mtime_ns < TICK_NS;
        self.is_changed = true;
        if is_fresh {
            self.files.remove(path);
        } else {
            self.files.insert(path.into(), Seen { stamp, md5, when: now.as_secs() as u32 });
        }
    }

    /// Remembers the md5 of a file that we have written ourselves and nobody else knows yet.
    pub fn remember_written(&mut self, path: &str, stamp: Stamp, md5: Md5) {
        self.is_changed = true;
        self.files.insert(path.into(), Seen { stamp, md5, when: now_s() });
    }

    /// Tells whether an object of the cache was found whole and has not been touched since.
    pub fn is_whole(&self, oid: Oid, stamp: Stamp) -> bool {
        self.objects().get(&oid).is_some_and(|seen| seen.stamp == stamp)
    }

    /// Remembers that an object is whole.
    pub fn remember_object(&mut self, oid: Oid, stamp: Stamp) {
        if let Some(objects) = self.objects_mut() {
            objects.insert(oid, Seen { stamp, md5: oid.md5, when: now_s() });
            self.is_changed = true;
        }
    }

    /// Forgets an object.
    pub fn forget_object(&mut self, oid: Oid) {
        let was_known = self.objects_mut().is_some_and(|objects| objects.remove(&oid).is_some());
        self.is_changed |= was_known;
    }

    /// Returns the outputs that were put into the working folder, and with what.
    pub fn outs(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.outs.iter().map(|(path, oid)| (&**path, *oid))
    }

    /// Remembers an output that is in the working folder.
    pub fn remember_out(&mut self, path: &str, oid: Oid) {
        self.is_changed |= self.outs.insert(path.into(), oid) != Some(oid);
    }

    /// Forgets an output, and every file of it.
    pub fn forget_out(&mut self, path: &str) {
        self.is_changed |= self.outs.remove(path).is_some();
    }

    /// Forgets the files at and below a path other than those that `keep` names.
    pub fn forget_files(&mut self, path: &str, keep: impl Fn(&str) -> bool) {
        let before = self.files.len();
        self.files.retain(|file, _| !is_at_or_below(file, path) || keep(file));
        self.is_changed |= self.files.len() != before;
    }

    fn objects(&self) -> &HashMap<Oid, Seen> {
        self.objects.get_or_init(|| self.encoded.decode())
    }

    fn objects_mut(&mut self) -> Option<&mut HashMap<Oid, Seen>> {
        self.objects();
        // Never absent: it was filled just now.
        self.objects.get_mut()
    }

    fn encode(&self, boot: &[u8; 16]) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.files.len() * 96 + self.objects().len() * OBJECT);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(boot);
        out.extend_from_slice(&now_s().to_le_bytes());
        let put_text = |out: &mut Vec<u8>, text: &str| {
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        let put_seen = |out: &mut Vec<u8>, seen: &Seen| {
            out.extend_from_slice(&seen.stamp.size.to_le_bytes());
            out.extend_from_slice(&seen.stamp.mtime_ns.to_le_bytes());
            out.extend_from_slice(&seen.stamp.inode.to_le_bytes());
            out.extend_from_slice(&seen.md5.0);
            out.extend_from_slice(&seen.when.to_le_bytes());
        };
        out.extend_from_slice(&(self.files.len() as u64).to_le_bytes());
        for (path, seen) in &self.files {
            put_text(&mut out, path);
            put_seen(&mut out, seen);
        }
        out.extend_from_slice(&(self.objects().len() as u64).to_le_bytes());
        for (oid, seen) in self.objects() {
            out.push(kind(*oid));
            put_seen(&mut out, seen);
        }
        out.extend_from_slice(&(self.outs.len() as u64).to_le_bytes());
        for (path, oid) in &self.outs {
            put_text(&mut out, path);
            out.push(kind(*oid));
            out.extend_from_slice(&oid.md5.0);
        }
        let sum = crc32fast::hash(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    fn decode(bytes: Vec<u8>, boot: &[u8; 16]) -> Option<Self> {
        let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
        if crc32fast::hash(body).to_le_bytes() != sum {
            return None;
        }
        let mut rest = Rest(body);
        if rest.take(8)? != MAGIC {
            return None;
        }
        let age = Age { is_same_boot: rest.take(16)? == boot, saved: rest.u32()? };
        let mut index = Self::default();
        let count = rest.u64()?;
        index.files.reserve((count as usize).min(bytes.len() / SEEN));
        for _ in 0..count {
            let path = rest.text()?;
            let seen = rest.seen()?;
            if age.is_safe(&seen) {
                index.files.insert(path.into(), seen);
            }
        }
        let count = usize::try_from(rest.u64()?).ok()?;
        let start = body.len() - rest.0.len();
        let objects = start..start + rest.take(count.checked_mul(OBJECT)?)?.len();
        for _ in 0..rest.u64()? {
            let path = rest.text()?;
            let kind = rest.take(1)?[0];
            index.outs.insert(path.into(), oid_of(kind, rest.md5()?));
        }
        if !rest.0.is_empty() {
            return None;
        }
        index.encoded = Encoded { file: bytes, objects, age };
        Some(index)
    }
}

impl Encoded {
    fn decode(&self) -> HashMap<Oid, Seen> {
        let objects = self.file.get(self.objects.clone()).unwrap_or_default().chunks_exact(OBJECT).filter_map(|object| {
            let seen = Rest(&object[1..]).seen()?;
            self.age.is_safe(&seen).then_some((oid_of(object[0], seen.md5), seen))
        });
        objects.collect()
    }
}

/// Tells whether a path is another or lies below it.
pub(crate) fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.is_empty())
}

fn kind(oid: Oid) -> u8 {
    u8::from(oid.is_dir) | u8::from(oid.is_legacy) << 1
}

fn oid_of(kind: u8, md5: Md5) -> Oid {
    Oid { md5, is_dir: kind & 1 != 0, is_legacy: kind & 2 != 0 }
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn md5(&mut self) -> Option<Md5> {
        self.array().map(Md5)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.u32()?;
        std::str::from_utf8(self.take(length as usize)?).ok()
    }

    fn seen(&mut self) -> Option<Seen> {
        let stamp = Stamp { size: self.u64()?, mtime_ns: self.u64()? as i64, inode: self.u64()? };
        Some(Seen { stamp, md5: self.md5()?, when: self.u32()? })
    }
}

fn now_s() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as u32
}

/// Which start of the machine this is.
fn boot() -> [u8; 16] {
    let id = fs::read(Path::new("/proc/sys/kernel/random/boot_id")).unwrap_or_default();
    Md5::of(&id).0
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Stamp = Stamp { size: 3, mtime_ns: 1_000, inode: 7 };

    fn filled() -> Index {
        let mut index = Index::default();
        index.remember_file("a/ü", OLD, Md5::of(b"a"));
        index.remember_object(Oid::dir(Md5::of(b"d")), OLD);
        index.remember_out("a", Oid::dir(Md5::of(b"d")));
        index
    }

    #[test]
    fn what_was_written_is_read_again() {
        let read = Index::decode(filled().encode(&[1; 16]), &[1; 16]).expect("whole");
        assert_eq!(read.file("a/ü", OLD), Some(Md5::of(b"a")));
        assert_eq!(read.file("a/ü", Stamp { size: 4, ..OLD }), None);
        assert!(read.is_whole(Oid::dir(Md5::of(b"d")), OLD));
        assert_eq!(read.outs().count(), 1);
    }

    #[test]
    fn what_was_remembered_just_before_a_power_loss_is_forgotten() {
        let read = Index::decode(filled().encode(&[1; 16]), &[2; 16]).expect("whole");
        assert_eq!(read.file("a/ü", OLD), None);
        assert!(!read.is_whole(Oid::dir(Md5::of(b"d")), OLD));
    }

    #[test]
    fn a_damaged_index_is_empty() {
        let bytes = filled().encode(&[1; 16]);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Index::decode(damaged, &[1; 16]).is_none(), "byte {at}");
            assert!(Index::decode(bytes[..at].to_vec(), &[1; 16]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_file_written_this_very_moment_is_not_remembered() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as i64;
        let mut index = Index::default();
        let stamp = Stamp { mtime_ns: now, ..OLD };
        index.remember_file("a", stamp, Md5::of(b"a"));
        assert_eq!(index.file("a", stamp), None);
    }
}
