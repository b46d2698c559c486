//! Assets: named steps whose result is kept as long as what they were made from does not change.
//!
//! An asset is finished when its record lies in `.almanac/assets/`; the record is written after the outputs and by rename, so
//! that a crash at any moment leaves either no record or a true one. An asset without a true record is made again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;
use crate::progress::{Event, Observer};
use crate::{PipelineError, RunError};

/// What is kept of a finished asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record<T> {
    /// Name, e.g. `backtest/fold-0/auto_ets`.
    pub name: String,
    /// What it was made from.
    pub fingerprint: Fingerprint,
    /// Files and folders it wrote, with their size in bytes (of all files below, for a folder).
    pub outputs: Vec<(PathBuf, u64)>,
    /// Seconds it took.
    pub seconds: f64,
    /// What later steps and the summary need to know.
    pub summary: T,
}

/// An asset as a later step sees it.
#[derive(Debug, Clone)]
pub(crate) struct Made<T> {
    /// What it was made from: the input of the assets that depend on it.
    pub fingerprint: Fingerprint,
    /// What it told of itself.
    pub summary: T,
    /// Whether it had been made before.
    pub cached: bool,
}

/// The finished assets of a project.
#[derive(Debug)]
pub(crate) struct AssetStore<'a> {
    dir: PathBuf,
    root: PathBuf,
    force: bool,
    observer: &'a dyn Observer,
}

impl<'a> AssetStore<'a> {
    /// Opens the records in `dir`. Output paths are kept relative to `root`. With `force`, everything is made again.
    pub(crate) fn open(dir: PathBuf, root: PathBuf, force: bool, observer: &'a dyn Observer) -> Self {
        Self { dir, root, force, observer }
    }

    /// Returns who is told of progress.
    pub(crate) fn observer(&self) -> &'a dyn Observer {
        self.observer
    }

    /// Returns the asset's summary, making the asset only if its record is missing, of another fingerprint, or its outputs are gone.
    ///
    /// # Errors
    /// What `make` fails with, named after the asset; [`PipelineError::State`] if the record cannot be written.
    pub(crate) fn get_or_make<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        fingerprint: Fingerprint,
        outputs: &[PathBuf],
        make: impl FnOnce() -> Result<T, PipelineError>,
    ) -> Result<Made<T>, RunError> {
        if !self.force
            && let Some(summary) = self.find(name, &fingerprint)
        {
            self.observer.on(&Event::Cached { asset: name });
            return Ok(Made { fingerprint, summary, cached: true });
        }
        self.observer.on(&Event::Started { asset: name });
        let started = Instant::now();
        let failed = |source| RunError { asset: name.to_owned(), source };
        let summary = make().map_err(failed)?;
        let seconds = started.elapsed().as_secs_f64();
        let sized = outputs
            .iter()
            .map(|path| {
                let size = size_of(path).map_err(|source| failed(PipelineError::state(path, source)))?;
                Ok((path.strip_prefix(&self.root).unwrap_or(path).to_owned(), size))
            })
            .collect::<Result<Vec<_>, RunError>>()?;
        let record = Record { name: name.to_owned(), fingerprint, outputs: sized, seconds, summary };
        self.write(&record).map_err(failed)?;
        self.observer.on(&Event::Finished { asset: name, seconds });
        Ok(Made { fingerprint: record.fingerprint, summary: record.summary, cached: false })
    }

    fn find<T: DeserializeOwned>(&self, name: &str, fingerprint: &Fingerprint) -> Option<T> {
        let text = fs::read(self.path(name)).ok()?;
        let record: Record<T> = serde_json::from_slice(&text).ok()?;
        let intact = record.outputs.iter().all(|(path, size)| size_of(&self.root.join(path)).is_ok_and(|found| found == *size));
        (record.fingerprint == *fingerprint && intact).then_some(record.summary)
    }

    fn write<T: Serialize>(&self, record: &Record<T>) -> Result<(), PipelineError> {
        let path = self.path(&record.name);
        let text = serde_json::to_vec_pretty(record).expect("summaries are plain data");
        write_atomically(&path, &text)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}.json", name.replace('/', "--")))
    }
}

/// Reads every record, by name, without its summary.
///
/// # Errors
/// [`PipelineError::State`] if the folder cannot be listed.
pub fn records(dir: &Path) -> Result<Vec<Record<serde_json::Value>>, PipelineError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(PipelineError::state(dir, error)),
    };
    let mut records: Vec<Record<serde_json::Value>> =
        entries.filter_map(|entry| fs::read(entry.ok()?.path()).ok()).filter_map(|text| serde_json::from_slice(&text).ok()).collect();
    records.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(records)
}

/// Writes a small file so that a reader sees the old content or the new, never a part.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), PipelineError> {
    almanac_data::write_bytes(path, content).map_err(|source| PipelineError::state(path, source))
}

fn size_of(path: &Path) -> std::io::Result<u64> {
    let meta = fs::metadata(path)?;
    if !meta.is_dir() {
        return Ok(meta.len());
    }
    let mut total = 0;
    for entry in fs::read_dir(path)? {
        total += size_of(&entry?.path())?;
    }
    Ok(total)
}
