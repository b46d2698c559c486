//! Files replaced in one step, hashed, walked.
//!
//! A replacement is written beside its target under a name that [`sweep`] knows, synced, and only then renamed: its hash can
//! be put into the journal before the file is touched.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const MARK: &str = ".almanac-erase.tmp";

/// A file written beside its target and not yet in its place.
#[derive(Debug)]
pub(crate) struct Staged {
    file: tempfile::NamedTempFile,
    target: PathBuf,
    /// BLAKE3 of the new content.
    pub(crate) hash: String,
    pub(crate) size: u64,
}

impl Staged {
    /// Writes the new content of `target` beside it. Mode and owner's rights of an old file are taken over.
    pub(crate) fn write<T, E: From<io::Error>>(
        target: &Path,
        write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        let folder = parent(target);
        fs::create_dir_all(folder)?;
        let file = tempfile::Builder::new().prefix(".").suffix(MARK).tempfile_in(folder)?;
        let mut hashing = Hashing { out: BufWriter::with_capacity(1 << 20, file.as_file()), hasher: blake3::Hasher::new(), size: 0 };
        let made = write(&mut hashing)?;
        hashing.out.flush()?;
        let (hash, size) = (hashing.hasher.finalize().to_hex().to_string(), hashing.size);
        drop(hashing);
        if let Ok(old) = fs::metadata(target) {
            fs::set_permissions(file.path(), old.permissions())?;
        }
        file.as_file().sync_all()?;
        Ok((Self { file, target: target.to_owned(), hash, size }, made))
    }

    /// Reads the new content.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts the new content in the place of the old.
    pub(crate) fn commit(self) -> io::Result<()> {
        let target = self.target.clone();
        self.commit_to(&target)
    }

    /// Puts the new content somewhere else on the same disk.
    pub(crate) fn commit_to(self, target: &Path) -> io::Result<()> {
        fs::create_dir_all(parent(target))?;
        self.file.persist(target).map_err(|error| error.error)?;
        sync_dir(parent(target))
    }
}

struct Hashing<'a> {
    out: BufWriter<&'a File>,
    hasher: blake3::Hasher,
    size: u64,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let got = self.out.write(bytes)?;
        self.hasher.update(&bytes[..got]);
        self.size += got as u64;
        Ok(got)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Replaces a file with `bytes`, in one step.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (staged, ()) = Staged::write(path, |out| out.write_all(bytes))?;
    staged.commit()
}

/// Makes renames and removals inside a folder durable.
pub(crate) fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// BLAKE3 of a file, or `None` where there is none.
pub(crate) fn hash_of(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(Some(hasher.finalize().to_hex().to_string()))
}

/// Reads as much of the beginning of a file as there is, up to `most` bytes.
pub(crate) fn head(reader: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(most.min(1 << 16));
    reader.take(most as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Ordinary files, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be looked into, and why: unreadable folders, links that lead outside.
    pub(crate) missed: Vec<(PathBuf, String)>,
}

/// Lists every file below `root`. Links are not followed; `.git` and what `spared` names are left out.
pub(crate) fn walk(root: &Path, spared: &[PathBuf]) -> Walk {
    let mut found = Walk::default();
    let whole = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    walk_into(root, &whole, spared, &mut found);
    found.files.sort();
    found
}

fn walk_into(folder: &Path, root: &Path, spared: &[PathBuf], found: &mut Walk) {
    if folder.is_file() {
        return found.files.push(folder.to_owned());
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.missed.push((folder.to_owned(), format!("cannot be read: {error}"))),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found.missed.push((folder.to_owned(), format!("cannot be read: {error}")));
                continue;
            }
        };
        let path = entry.path();
        if spared.contains(&path) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if entry.file_name() != ".git" {
                    walk_into(&path, root, spared, found);
                }
            }
            Ok(kind) if kind.is_file() => found.files.push(path),
            Ok(kind) if kind.is_symlink() => match fs::canonicalize(&path) {
                // What lies inside is found where it lies.
                Ok(target) if target.starts_with(root) => {}
                Ok(_) => found.missed.push((path, "is a link to a place outside the project".to_owned())),
                Err(_) => {}
            },
            Ok(_) => {}
            Err(error) => found.missed.push((path, format!("cannot be read: {error}"))),
        }
    }
}

/// Removes what an interrupted erasure left half written.
pub(crate) fn sweep(files: &mut Vec<PathBuf>) -> io::Result<()> {
    let is_ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(MARK));
    for path in files.iter().filter(|path| is_ours(path)) {
        fs::remove_file(path)?;
    }
    files.retain(|path| !is_ours(path));
    Ok(())
}

/// Removes a file and then the folders that it leaves empty, up to `root`.
pub(crate) fn remove(path: &Path, root: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut folder = parent(path);
    while folder != root && folder.starts_with(root) && fs::remove_dir(folder).is_ok() {
        folder = parent(folder);
    }
    // The folder may have gone with another file of it.
    match sync_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Bytes as hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}
