//! Artifacts of runs in a local folder, for programs that write them without a server: `<root>/<experiment>/<run>/artifacts/<path>`.
//!
//! A server over the same folder finds the same files as `mlflow-artifacts:/<experiment>/<run>/artifacts`.
//!
//! Not here: how a file is written (`local`), object stores (`bucket`).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::failed;
use super::local::LocalFolder;
use super::{ArtifactError, ArtifactFolder, ArtifactInfo, ArtifactPath};
use crate::{ExperimentId, RunId};

/// Artifacts of all runs in one folder. Calls block.
#[derive(Debug, Clone)]
pub struct LocalArtifacts {
    folder: LocalFolder,
}

impl LocalArtifacts {
    /// Takes the folder as root. Nothing is made before the first artifact.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { folder: LocalFolder::new(root.into()) }
    }

    /// Returns the folder of a run's artifacts, which may not be there yet.
    pub fn folder(&self, experiment: ExperimentId, run: &RunId) -> PathBuf {
        self.folder.root().join(experiment.to_string()).join(run.as_str()).join("artifacts")
    }

    /// Returns where an artifact lies.
    pub fn path(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath) -> PathBuf {
        self.folder(experiment, run).join(path.as_str())
    }

    /// Writes an artifact, over one of that name; readers see the old or the new one, never a part.
    pub fn write(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath, content: &[u8]) -> Result<PathBuf, ArtifactError> {
        self.put(experiment, run, path, &mut &content[..])
    }

    /// Copies a file in, like [`LocalArtifacts::write`].
    pub fn copy_in(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath, from: &Path) -> Result<PathBuf, ArtifactError> {
        let mut file = File::open(from).map_err(failed("read", from))?;
        self.put(experiment, run, path, &mut file)
    }

    /// Reads an artifact.
    pub fn read(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath) -> Result<Vec<u8>, ArtifactError> {
        let path = folder_of(experiment, run)?.join(path)?;
        let (meta, mut file) = self.folder.open(&path)?;
        let mut content = Vec::with_capacity(meta.size as usize);
        file.read_to_end(&mut content).map_err(failed("read", &self.folder.at(&path)))?;
        Ok(content)
    }

    /// Lists one folder of a run by name. What does not exist is empty.
    pub fn list(&self, experiment: ExperimentId, run: &RunId, folder: &ArtifactFolder) -> Result<Vec<ArtifactInfo>, ArtifactError> {
        self.folder.list(&folder_of(experiment, run)?.folder(folder)?)
    }

    fn put(&self, experiment: ExperimentId, run: &RunId, path: &ArtifactPath, content: &mut dyn Read) -> Result<PathBuf, ArtifactError> {
        let path = folder_of(experiment, run)?.join(path)?;
        let mut file = self.folder.begin(&path)?;
        file.copy(content)?;
        file.finish(None)?;
        Ok(self.folder.at(&path))
    }
}

/// Returns the folder of a run's artifacts within the root.
fn folder_of(experiment: ExperimentId, run: &RunId) -> Result<ArtifactFolder, ArtifactError> {
    Ok(ArtifactFolder::new(&format!("{experiment}/{run}/artifacts"))?)
}
