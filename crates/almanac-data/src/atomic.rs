//! Writing to disk so that a reader sees the old content or the new one, never a half of either.
//!
//! A file is written beside its target, synced, renamed over it, and the folder is synced. A folder is staged beside its
//! target and swapped in; a crash between the two renames of a swap is healed by the next [`StagedDir::new`].
//!
//! Not here: locks. Two writers of one target are kept apart by the pipeline.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const STAGED: &str = ".tmp-";
const ASIDE: &str = ".old-";

/// Replaces `path` with what `write` writes, in one step.
///
/// # Errors
/// Whatever `write` or the file system raises; the target is then untouched and nothing is left beside it.
pub fn write_atomically<E: From<io::Error>>(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>) -> Result<(), E> {
    let folder = parent(path);
    fs::create_dir_all(folder)?;
    let staged = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
    {
        let mut buffered = BufWriter::new(staged.as_file());
        write(&mut buffered)?;
        buffered.flush()?;
    }
    staged.as_file().sync_all()?;
    staged.persist(path).map_err(|error| error.error)?;
    sync_dir(folder)?;
    Ok(())
}

/// Replaces `path` with `bytes`, in one step.
///
/// # Errors
/// Whatever the file system raises.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically(path, |file| file.write_all(bytes))
}

/// Makes renames inside the folder durable.
///
/// # Errors
/// Whatever the file system raises.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A folder being written beside its target, swapped in by [`StagedDir::commit`], removed when dropped before.
#[derive(Debug)]
pub struct StagedDir {
    target: PathBuf,
    staged: PathBuf,
    is_committed: bool,
}

impl StagedDir {
    /// Makes an empty folder beside `target`, after removing what an interrupted writer left.
    ///
    /// # Errors
    /// Whatever the file system raises.
    pub fn new(target: &Path) -> io::Result<Self> {
        let folder = parent(target);
        fs::create_dir_all(folder)?;
        heal(target)?;
        let staged = beside(target, STAGED);
        fs::create_dir(&staged)?;
        Ok(Self { target: target.to_owned(), staged, is_committed: false })
    }

    /// Returns the folder to write into.
    pub fn path(&self) -> &Path {
        &self.staged
    }

    /// Syncs every file of the folder and puts it in the place of the target.
    ///
    /// # Errors
    /// Whatever the file system raises; the old target then stays or is put back by the next [`StagedDir::new`].
    pub fn commit(mut self) -> io::Result<()> {
        for entry in fs::read_dir(&self.staged)? {
            File::open(entry?.path())?.sync_all()?;
        }
        sync_dir(&self.staged)?;
        let folder = parent(&self.target);
        let aside = beside(&self.target, ASIDE);
        let had_old = self.target.exists();
        if had_old {
            fs::rename(&self.target, &aside)?;
        }
        fs::rename(&self.staged, &self.target)?;
        self.is_committed = true;
        sync_dir(folder)?;
        if had_old {
            fs::remove_dir_all(&aside)?;
        }
        Ok(())
    }
}

impl Drop for StagedDir {
    fn drop(&mut self) {
        if !self.is_committed {
            // Nothing can be done about a failure here; the next `new` tries again.
            let _ = fs::remove_dir_all(&self.staged);
        }
    }
}

/// Puts an old folder back where a crash hit between the two renames, and removes staged leftovers.
fn heal(target: &Path) -> io::Result<()> {
    let (Some(name), folder) = (target.file_name(), parent(target)) else { return Ok(()) };
    let name = name.to_string_lossy();
    let mut is_present = target.exists();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(found) = path.file_name().map(|found| found.to_string_lossy().into_owned()) else { continue };
        let Some(rest) = found.strip_prefix('.').and_then(|rest| rest.strip_prefix(&*name)) else { continue };
        if rest.starts_with(ASIDE) && !is_present {
            fs::rename(&path, target)?;
            is_present = true;
        } else if rest.starts_with(ASIDE) || rest.starts_with(STAGED) {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

fn beside(target: &Path, mark: &str) -> PathBuf {
    let name = target.file_name().map_or_else(|| "target".into(), |name| name.to_string_lossy().into_owned());
    parent(target).join(format!(".{name}{mark}{}", std::process::id()))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state.json");
        write_bytes(&path, b"old").expect("writable");
        let failed = write_atomically(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_staged_folder_replaces_the_old_one_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("table");
        for text in ["one", "two"] {
            let staged = StagedDir::new(&target).expect("writable");
            fs::write(staged.path().join(text), text).expect("writable");
            staged.commit().expect("writable");
        }
        assert!(!target.join("one").exists() && target.join("two").exists());
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_crash_between_the_renames_is_healed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("table");
        fs::create_dir(folder.path().join(".table.old-1")).expect("writable");
        fs::create_dir(folder.path().join(".table.tmp-1")).expect("writable");
        drop(StagedDir::new(&target).expect("writable"));
        assert!(target.exists());
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }
}
