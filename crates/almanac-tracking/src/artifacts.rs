//! Files of runs in a local folder: `<root>/<experiment>/<run>/artifacts/<path>`.
//!
//! A file appears under its name only when it is whole: it is written beside it, synced, and renamed. Paths are checked by
//! [`ArtifactPath`], so that none leads out of its run; links inside the folder are not followed.
//!
//! Not here: object stores (a later implementor), what the files mean.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use almanac_series::Hint;

use crate::{ExperimentId, InvalidName, RunId};

/// Relative path of an artifact within its run: `model/card.md`. Parts are never empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// # Errors
    /// [`InvalidName`] for absolute paths, `..`, backslashes, control characters and overlong parts.
    pub fn new(path: impl Into<String>) -> Result<Self, InvalidName> {
        let given = path.into();
        let is_safe = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255;
        let is_plain = !given.chars().any(|c| c.is_control() || matches!(c, '\\' | ':'));
        if is_plain && given.len() <= 4096 && given.split('/').all(is_safe) {
            Ok(Self(given))
        } else {
            Err(InvalidName { what: "artifact path", given, rule: "it is relative, with `/` between parts, and stays inside its run" })
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why an artifact could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} artifact `{}`", path.display())]
pub struct ArtifactError {
    /// What was tried.
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Hint for ArtifactError {
    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free some space and run the same command again".into()),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some("check the rights of the folder".into()),
            _ => None,
        }
    }
}

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactInfo {
    /// Path within the run.
    pub path: String,
    /// Bytes, or `None` for a folder.
    pub size: Option<u64>,
}

/// Artifacts of all runs in one folder.
#[derive(Debug, Clone)]
pub struct ArtifactStore {
    root: PathBuf,
}

impl ArtifactStore {
    /// Takes the folder as root. Nothing is made before the first artifact.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder of a run's artifacts, which may not be there yet.
    pub fn folder(&self, experiment: ExperimentId, run: &RunId) -> PathBuf {
        self.root.join(experiment.to_string()).join(run.as_str()).join("artifacts")
    }

    /// Returns where an artifact lies.
    pub fn path(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath) -> PathBuf {
        self.folder(experiment, run).join(path.as_str())
    }

    /// Writes an artifact, over one of that name; readers see the old or the new one, never a part.
    pub fn write(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath, content: &[u8]) -> Result<PathBuf, ArtifactError> {
        self.put(experiment, run, path, &mut &content[..])
    }

    /// Copies a file in, like [`ArtifactStore::write`].
    pub fn copy_in(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath, from: &Path) -> Result<PathBuf, ArtifactError> {
        let mut file = File::open(from).map_err(failed("read", from))?;
        self.put(experiment, run, path, &mut file)
    }

    /// Reads an artifact.
    pub fn read(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath) -> Result<Vec<u8>, ArtifactError> {
        let path = self.path(experiment, run, path);
        fs::read(&path).map_err(failed("read", &path))
    }

    /// Lists one folder of a run (`None`: its root) by name. What does not exist is empty.
    pub fn list(&self, experiment: ExperimentId, run: &RunId, folder: Option<&ArtifactPath>) -> Result<Vec<ArtifactInfo>, ArtifactError> {
        let root = self.folder(experiment, run);
        let wanted = folder.map_or_else(|| root.clone(), |folder| root.join(folder.as_str()));
        let entries = match fs::read_dir(&wanted) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
            Err(error) => return Err(failed("list", &wanted)(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed("list", &wanted))?;
            let (name, kind) = (entry.file_name(), entry.file_type().map_err(failed("list", &wanted))?);
            let Some(name) = name.to_str().filter(|name| !name.starts_with(UNFINISHED) && !kind.is_symlink()) else { continue };
            let path = folder.map_or_else(|| name.to_owned(), |folder| format!("{}/{name}", folder.as_str()));
            let size = if kind.is_dir() { None } else { Some(entry.metadata().map_err(failed("list", &wanted))?.len()) };
            found.push(ArtifactInfo { path, size });
        }
        found.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }

    fn put(
        &self,
        experiment: ExperimentId,
        run: &RunId,
        path: &ArtifactPath,
        content: &mut dyn io::Read,
    ) -> Result<PathBuf, ArtifactError> {
        let target = self.path(experiment, run, path);
        let folder = target.parent().expect("lies in the folder of its run");
        let store = |content: &mut dyn io::Read| -> io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
            io::copy(content, &mut file)?;
            file.flush()?;
            file.as_file().sync_all()?;
            file.persist(&target).map_err(|error| error.error)?;
            // The rename itself is on disk only once the folder is.
            File::open(folder)?.sync_all()
        };
        store(content).map_err(failed("write", &target))?;
        Ok(target)
    }
}

/// Start of the names of files that are being written.
const UNFINISHED: &str = ".unfinished-";

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArtifactError {
    let path = path.to_owned();
    move |source| ArtifactError { action, path, source }
}
