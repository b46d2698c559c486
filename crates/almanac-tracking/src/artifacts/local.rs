//! Artifacts in a local folder. Calls block.
//!
//! A file appears under its name only when it is whole: it is written beside it, synced, and renamed, and the folder is synced
//! too. A process that is killed leaves a file whose name starts with `.unfinished-`, which [`LocalFolder::sweep`] removes.
//! Links below the root are never followed, so that no path leads out of it.
//!
//! Not here: threads that may block (`store`), uploads in parts (`parts`).

use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::error::failed;
use super::path::UNFINISHED;
use super::{ArtifactError, ArtifactFolder, ArtifactInfo, ArtifactMeta, ArtifactPath, Stored};

/// How often a folder is made again that somebody else has just taken away because it was empty.
const ATTEMPTS: usize = 5;

/// A folder with artifacts below it.
#[derive(Debug, Clone)]
pub(super) struct LocalFolder {
    root: PathBuf,
}

/// A file that is being written and is not there yet. Dropped, it leaves nothing.
#[derive(Debug)]
pub(super) struct Unfinished {
    file: NamedTempFile,
    folder: PathBuf,
    target: PathBuf,
    path: ArtifactPath,
    hash: Sha256,
    size: u64,
}

impl LocalFolder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where a path lies, whether something is there or not.
    pub(super) fn at(&self, path: &ArtifactPath) -> PathBuf {
        self.root.join(path.as_str())
    }

    pub(super) fn at_folder(&self, folder: &ArtifactFolder) -> PathBuf {
        folder.path().map_or_else(|| self.root.clone(), |path| self.at(path))
    }

    /// Returns what is there, without following links: a link below the root, or something under one, is not there.
    fn look(&self, path: &ArtifactPath) -> Result<Option<Metadata>, ArtifactError> {
        let mut place = self.root.clone();
        let mut found = None;
        for part in path.as_str().split('/') {
            place.push(part);
            let metadata = match fs::symlink_metadata(&place) {
                Ok(metadata) => metadata,
                Err(error) if is_absence(&error) => return Ok(None),
                Err(error) => return Err(failed("read", &place)(error)),
            };
            if metadata.is_symlink() {
                return Ok(None);
            }
            found = Some(metadata);
        }
        Ok(found)
    }

    /// Opens a file for reading.
    pub(super) fn open(&self, path: &ArtifactPath) -> Result<(ArtifactMeta, File), ArtifactError> {
        let missing = || ArtifactError::Missing { path: path.as_str().to_owned() };
        let kind = self.look(path)?.ok_or_else(missing)?.file_type();
        if kind.is_dir() {
            return Err(ArtifactError::IsFolder { path: path.as_str().to_owned() });
        }
        // A pipe or a device would be waited for.
        if !kind.is_file() {
            return Err(missing());
        }
        let place = self.at(path);
        let file = match File::open(&place) {
            Ok(file) => file,
            Err(error) if is_absence(&error) => return Err(missing()),
            Err(error) => return Err(failed("read", &place)(error)),
        };
        let metadata = file.metadata().map_err(failed("read", &place))?;
        Ok((meta(&metadata), file))
    }

    /// Starts to write a file.
    pub(super) fn begin(&self, path: &ArtifactPath) -> Result<Unfinished, ArtifactError> {
        let target = self.at(path);
        if self.look(path)?.is_some_and(|metadata| metadata.is_dir()) {
            return Err(ArtifactError::IsFolder { path: path.as_str().to_owned() });
        }
        let mut attempt = 1;
        loop {
            let folder = self.make(&path.parent(), path)?;
            match temporary(&folder) {
                Ok(file) => return Ok(Unfinished { file, folder, target, path: path.clone(), hash: Sha256::new(), size: 0 }),
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(failed("write", &target)(error)),
            }
        }
    }

    /// Makes a folder and those above it; each is on disk when this returns.
    pub(super) fn make(&self, folder: &ArtifactFolder, path: &ArtifactPath) -> Result<PathBuf, ArtifactError> {
        let mut place = self.root.clone();
        if !place.is_dir() {
            fs::create_dir_all(&place).map_err(failed("write", &place))?;
        }
        for part in folder.path().into_iter().flat_map(|folder| folder.as_str().split('/')) {
            let above = place.clone();
            place.push(part);
            match fs::symlink_metadata(&place) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(ArtifactError::InTheWay { path: path.as_str().to_owned() }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    match fs::create_dir_all(&place) {
                        Ok(()) => {}
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                        Err(error) => return Err(failed("write", &place)(error)),
                    }
                    // Somebody may have taken it away again; then the file cannot be made either, and says so.
                    match sync(&above) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("write", &above)(error)),
                        _ => {}
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                    return Err(ArtifactError::InTheWay { path: path.as_str().to_owned() });
                }
                Err(error) => return Err(failed("write", &place)(error)),
            }
        }
        Ok(place)
    }

    /// Lists one folder by name. What is not a folder has nothing in it.
    pub(super) fn list(&self, folder: &ArtifactFolder) -> Result<Vec<ArtifactInfo>, ArtifactError> {
        let is_folder = match folder.path() {
            Some(path) => self.look(path)?.is_some_and(|metadata| metadata.is_dir()),
            None => true,
        };
        let place = self.at_folder(folder);
        let entries = match fs::read_dir(&place) {
            Ok(entries) if is_folder => entries,
            Ok(_) => return Ok(Vec::new()),
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed("list", &place)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed("list", &place))?;
            let kind = entry.file_type().map_err(failed("list", &place))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_listed(name, kind)) else { continue };
            let size = if kind.is_dir() {
                None
            } else {
                match entry.metadata() {
                    Ok(metadata) => Some(metadata.len()),
                    // Deleted while the list was made.
                    Err(error) if is_absence(&error) => continue,
                    Err(error) => return Err(failed("list", &place)(error)),
                }
            };
            found.push(ArtifactInfo { name: name.to_owned(), size });
        }
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    /// Deletes a file, or a folder with all that is in it, and the folders above that are empty then. What is not there is no error.
    pub(super) fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        let Some(metadata) = self.look(path)? else { return Ok(()) };
        let place = self.at(path);
        let outcome = if metadata.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
        match outcome {
            Err(error) if !is_absence(&error) => return Err(failed("delete", &place)(error)),
            _ => {}
        }
        let mut above = path.parent();
        while let Some(folder) = above.path() {
            // It refuses where something is left.
            if fs::remove_dir(self.at(folder)).is_err() {
                break;
            }
            above = folder.parent();
        }
        let left = self.at_folder(&above);
        match sync(&left) {
            Err(error) if !is_absence(&error) => Err(failed("delete", &left)(error)),
            _ => Ok(()),
        }
    }

    /// Removes what writers that were killed left behind, if it was last touched before that time. Returns how many.
    pub(super) fn sweep(&self, before: SystemTime) -> Result<u64, ArtifactError> {
        let mut removed = 0;
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if is_absence(&error) => continue,
                Err(error) => return Err(failed("list", &folder)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(failed("list", &folder))?;
                let Ok(metadata) = entry.metadata() else { continue };
                let is_unfinished = entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED));
                if is_unfinished {
                    if metadata.modified().is_ok_and(|time| time < before) {
                        let place = entry.path();
                        let outcome = if metadata.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
                        removed += u64::from(outcome.is_ok());
                    }
                } else if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        Ok(removed)
    }
}

impl Unfinished {
    /// Appends.
    pub(super) fn write(&mut self, content: &[u8]) -> Result<(), ArtifactError> {
        self.file.write_all(content).map_err(failed("write", &self.target))?;
        self.hash.update(content);
        self.size += content.len() as u64;
        Ok(())
    }

    /// Appends all that a reader gives.
    pub(super) fn copy(&mut self, content: &mut dyn Read) -> Result<(), ArtifactError> {
        let mut piece = vec![0; 256 << 10];
        loop {
            match content.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(length) => self.write(&piece[..length])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("write", &self.target)(error)),
            }
        }
    }

    /// Puts the file under its name, over one that is there. It is on disk when this returns.
    ///
    /// # Errors
    /// [`ArtifactError::Digest`] if a digest was expected and the content has another one; then nothing is stored.
    pub(super) fn finish(self, expected: Option<&[u8; 32]>) -> Result<Stored, ArtifactError> {
        let stored = Stored { size: self.size, sha256: self.hash.finalize().into() };
        stored.check(&self.path, expected)?;
        self.file.as_file().sync_all().map_err(failed("write", &self.target))?;
        match self.file.persist(&self.target) {
            Ok(_) => {}
            Err(error) if matches!(error.error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty) => {
                return Err(ArtifactError::IsFolder { path: self.path.as_str().to_owned() });
            }
            Err(error) => return Err(failed("write", &self.target)(error.error)),
        }
        // The rename itself is on disk only once the folder is.
        sync(&self.folder).map_err(failed("write", &self.target))?;
        Ok(stored)
    }
}

fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // Otherwise nobody but this user could read what is stored.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn is_absence(error: &io::Error) -> bool {
    // The last one: a name that no file can have.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename)
}

fn is_listed(name: &str, kind: FileType) -> bool {
    !name.starts_with(UNFINISHED) && (kind.is_dir() || kind.is_file())
}

fn meta(metadata: &Metadata) -> ArtifactMeta {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    #[cfg(unix)]
    let place = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let place = 0;
    // A file is only ever replaced by another one, so these three name one content.
    let etag = format!("\"{place:x}-{:x}-{:x}\"", since.as_nanos(), metadata.len());
    ArtifactMeta { size: metadata.len(), modified: Some(modified), etag: Some(etag) }
}
