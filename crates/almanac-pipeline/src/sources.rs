//! The content of source files, as fingerprints.
//!
//! Hashing gigabytes on every run would make "nothing to do" slow, so a file's hash is remembered with its size and its time of
//! change, and computed again only when one of them differs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::asset::write_atomically;
use crate::fingerprint::Fingerprint;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    size: u64,
    changed_ns: u128,
    content: Fingerprint,
}

/// Remembered hashes of source files.
#[derive(Debug)]
pub(crate) struct Sources {
    path: PathBuf,
    seen: BTreeMap<PathBuf, Seen>,
}

impl Sources {
    /// Opens what is remembered in `path`; a missing or damaged memory is an empty one.
    pub(crate) fn open(path: PathBuf) -> Self {
        let seen = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { path, seen }
    }

    /// Returns the fingerprint of a file's content.
    ///
    /// # Errors
    /// [`PipelineError::Source`] if the file cannot be read.
    pub(crate) fn content(&mut self, file: &Path) -> Result<Fingerprint, PipelineError> {
        let unreadable = |source| PipelineError::Source { path: file.to_owned(), source };
        let meta = fs::metadata(file).map_err(unreadable)?;
        let changed_ns = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
        if let Some(seen) = self.seen.get(file)
            && seen.size == meta.len()
            && seen.changed_ns == changed_ns
        {
            return Ok(seen.content.clone());
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(file).map_err(unreadable)?).map_err(unreadable)?;
        let content = Fingerprint::from_hash(hasher.finalize());
        self.seen.insert(file.to_owned(), Seen { size: meta.len(), changed_ns, content: content.clone() });
        Ok(content)
    }

    /// Keeps what was learnt for the next run.
    ///
    /// # Errors
    /// [`PipelineError::State`] if it cannot be written.
    pub(crate) fn save(&self) -> Result<(), PipelineError> {
        let text = serde_json::to_vec_pretty(&self.seen).expect("plain data");
        if fs::read(&self.path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        write_atomically(&self.path, &text)
    }
}
