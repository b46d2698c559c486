//! The manifest of a view's online values: the one file that says what is there.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::FeatureError;
use crate::clock::{Micros, write_instant};

/// Version of the form; a newer one is refused.
const VERSION: u32 = 1;

/// What is materialised of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Version of this form.
    pub(crate) version: u32,
    /// The view.
    pub(crate) view: String,
    /// Fingerprint of the declaration that the rows were chosen by.
    pub(crate) declaration: String,
    /// Rows up to this time are in the segments.
    pub(crate) until: Micros,
    /// The greatest `created` of the source's rows up to then.
    pub(crate) newest_created: Micros,
    /// Rows of the source up to then: one more or less later on means that the past was changed.
    pub(crate) source_rows: u64,
    /// When it was materialised.
    pub(crate) made: Micros,
    /// Entities, as of the last time everything was made anew, and rows added since.
    pub(crate) segments: Vec<SegmentFile>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentFile {
    /// Its number: greater ones are newer.
    pub(crate) number: u64,
    /// Its rows.
    pub(crate) rows: u64,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// Hash of its bytes.
    pub(crate) blake3: String,
}

impl SegmentFile {
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("segment-{}.parquet", self.number))
    }

    /// Tells whether its file is there, as long as it was written.
    pub(crate) fn has_its_size(&self, folder: &Path) -> bool {
        fs::metadata(self.path(folder)).is_ok_and(|file| file.len() == self.bytes)
    }
}

impl Manifest {
    /// Starts a manifest without segments.
    pub(crate) fn new(view: &str, declaration: String) -> Self {
        let view = view.to_owned();
        Self {
            version: VERSION,
            view,
            declaration,
            until: Micros::MIN,
            newest_created: Micros::MIN,
            source_rows: 0,
            made: 0,
            segments: Vec::new(),
        }
    }

    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("manifest.json")
    }

    /// Reads the manifest of a folder; `None` where there is none.
    ///
    /// # Errors
    /// [`FeatureError::Damaged`] for one that is not sound, or of a newer form.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, FeatureError> {
        let path = Self::path(folder);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FeatureError::read(&path, error)),
        };
        let found: Self =
            serde_json::from_slice(&text).map_err(|error| FeatureError::Damaged { path: path.clone(), why: error.to_string() })?;
        if found.version > VERSION {
            return Err(FeatureError::Damaged { path, why: format!("it is of form {}, and {VERSION} is the newest known", found.version) });
        }
        Ok(Some(found))
    }

    /// Replaces the manifest in one step.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), FeatureError> {
        let text = serde_json::to_vec_pretty(self).expect("plain data");
        write_atomically(&Self::path(folder), |file| file.write_all(&text))
    }
}

/// How fresh the online values of a view are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Freshness {
    /// Rows up to this time are known.
    pub until: String,
    /// When it was materialised.
    pub made: String,
    /// Rows kept.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Files.
    pub segments: usize,
    /// Fingerprint of the declaration they were chosen by.
    #[serde(skip)]
    pub declaration: String,
}

/// Returns how fresh the online values of a view are; `None` where there are none. `folder`: that of all views.
///
/// # Errors
/// [`FeatureError::Damaged`] for a manifest that is not sound.
pub fn read_freshness(folder: &Path, view: &str) -> Result<Option<Freshness>, FeatureError> {
    Ok(Manifest::read(&folder.join(view))?.map(|manifest| Freshness {
        until: write_instant(manifest.until),
        made: write_instant(manifest.made),
        rows: manifest.segments.iter().map(|segment| segment.rows).sum(),
        bytes: manifest.segments.iter().map(|segment| segment.bytes).sum(),
        segments: manifest.segments.len(),
        declaration: manifest.declaration,
    }))
}

/// Replaces a file in one step: temporary file, sync, rename, sync of the folder.
pub(crate) fn write_atomically(path: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<(), FeatureError> {
    let failed = |error| FeatureError::written(path, error);
    // A bare name is a file of the folder one is in.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut staged = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder).map_err(failed)?;
    write(staged.as_file_mut()).map_err(failed)?;
    staged.as_file().sync_all().map_err(failed)?;
    staged.persist(path).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
