//! Files that appear whole or not at all, and what the system knows of a file.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::hash::BuildHasher as _;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::error::{Doing, Result};

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Which file it is on its disk.
    pub inode: u64,
}

impl Stamp {
    /// Reads what the system said.
    pub fn of(metadata: &Metadata) -> Self {
        let mtime_ns = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self { size: metadata.len(), mtime_ns, inode: metadata.ino() }
    }
}

/// Returns a name that no other file has: numbers of processes come again, in containers at once.
pub(crate) fn temporary_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(SystemTime::now()));
    format!("{}-{:016x}-{}.tmp", std::process::id(), *START, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Makes a file that must not exist yet. `mode`: permissions before the umask.
pub(crate) fn create(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Removes a temporary file when dropped, unless it has become something.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: Option<PathBuf>,
}

impl Temporary {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path: Some(path) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(""))
    }

    /// Gives it its final name.
    pub(crate) fn become_file(mut self, target: &Path) -> io::Result<()> {
        fs::rename(self.path(), target)?;
        self.path = None;
        Ok(())
    }

    /// The same for a hard link: renaming one onto another link to the same file does nothing and leaves both.
    pub(crate) fn become_link(self, target: &Path) -> io::Result<()> {
        fs::rename(self.path(), target)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes a small file: temporary, sync, rename, sync of the folder. Its permissions stay as they were.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, bytes, 0o777)
}

/// The same for a file that holds keys: nobody else may read it, whatever its permissions were.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, bytes, 0o700)
}

/// `mask`: permissions that the file may have.
fn write_with(path: &Path, bytes: &[u8], mask: u32) -> Result<()> {
    // A link stays a link: what it points to is replaced.
    let target = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => fs::canonicalize(path).doing("follow", path)?,
        _ => path.to_owned(),
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = Temporary::new(folder.join(format!(".almanac-{}", temporary_name())));
    let mut file = create(temporary.path(), 0o666 & mask).doing("write", &target)?;
    if let Ok(metadata) = fs::metadata(&target) {
        file.set_permissions(Permissions::from_mode(metadata.mode() & mask)).doing("write", &target)?;
    }
    file.write_all(bytes).and_then(|()| file.sync_all()).doing("write", &target)?;
    temporary.become_file(&target).doing("write", &target)?;
    File::open(folder).and_then(|folder| folder.sync_all()).doing("write", &target)
}

/// Tells whether the file is what it was.
pub(crate) fn is_unchanged(path: &Path, before: Stamp) -> bool {
    fs::metadata(path).is_ok_and(|now| Stamp::of(&now) == before)
}

/// Returns the permissions that new files do not get.
pub(crate) fn umask() -> u32 {
    static UMASK: LazyLock<u32> = LazyLock::new(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let digits = status.lines().find_map(|line| line.strip_prefix("Umask:")).map(str::trim);
        digits.and_then(|digits| u32::from_str_radix(digits, 8).ok()).unwrap_or(0o022)
    });
    *UMASK
}
