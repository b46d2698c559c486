//! Where everything from outside lands: immutable files beside a manifest, one folder a table.
//!
//! ```text
//! .almanac/landing/<table>/manifest.json          every load: files, hashes, watermark, offsets (`Manifest`)
//! .almanac/landing/<table>/load-000001.parquet    what came, never changed
//! ```
//! A load writes its files, syncs them, then replaces the manifest: that is the commit. A kill before it leaves strays, which the
//! next [`TableLanding::open`] removes; a kill after it leaves a whole load. Offsets and watermarks are in the same file as the list
//! of what landed, so that they cannot disagree with it.
//!
//! ```no_run
//! # fn write_rows(_: &std::path::Path) -> std::io::Result<()> { Ok(()) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let source = "kafka://broker/sales";
//! use almanac_connect::{Commit, LoadMode, TableLanding};
//!
//! let mut table = TableLanding::open("project/.almanac/landing".as_ref(), "sales")?;
//! let from = table.manifest().offsets(source); // where to go on
//! let mut load = table.begin();
//! let file = load.file("jsonl");
//! write_rows(file.path())?;
//! load.add(file, Some(3))?;
//! let offsets = [("sales/0".to_owned(), 3)].into();
//! load.commit(Commit { offsets, ..Commit::new(LoadMode::Rows, source, jiff::Timestamp::UNIX_EPOCH) })?;
//! # Ok(()) }
//! ```
//! Two writers of one table are kept apart by the caller (the lock of a run).
//!
//! Not here: what is asked of a source (`sql`, `objects`, `rest`), versions of rows (`versions`).

mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use almanac_privacy::LandedPolicy;
use almanac_series::Hint;
use jiff::Timestamp;

pub use manifest::{FORMAT_VERSION, LandedColumn, LandedFile, LandedKind, Load, LoadMode, Manifest, Mark, Origin, Packed, Watermark};

const MANIFEST: &str = "manifest.json";
/// How files begin that are made from landed ones and can be made again.
pub(crate) const VIEW: &str = "view-";

/// Why landed files cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LandingError {
    /// The file system failed.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The manifest is not what it should be, or a file that it names is missing or has another size.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a newer version.
    #[error("`{}` has format {found}, this version reads up to {FORMAT_VERSION}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

impl Hint for LandingError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { action: "write", .. } => {
                Some("look at the free space of the disk and the rights of the folder; then run again".into())
            }
            Self::Io { .. } => None,
            Self::Damaged { path, .. } => {
                let folder = path.parent().unwrap_or(path);
                Some(format!("restore it from a backup, or delete `{}` so that everything is fetched anew", folder.display()))
            }
            Self::TooNew { .. } => Some("use the version of `almanac` that wrote it".into()),
        }
    }
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> LandingError + 'a {
    move |source| LandingError::Io { action, path: path.to_owned(), source }
}

/// The landing place of one table.
#[derive(Debug)]
pub struct TableLanding {
    folder: PathBuf,
    manifest: Manifest,
}

impl TableLanding {
    /// Opens what has landed of a table below `landing`, and removes what an interrupted load left.
    ///
    /// # Errors
    /// [`LandingError`]; a file that the manifest names and that is not whole is one.
    pub fn open(landing: &Path, table: &str) -> Result<Self, LandingError> {
        let landed = Self::read(landing, table)?;
        landed.sweep()?;
        Ok(landed)
    }

    /// As [`Self::open`], but changes nothing on disk.
    ///
    /// # Errors
    /// [`LandingError`].
    pub fn read(landing: &Path, table: &str) -> Result<Self, LandingError> {
        let folder = landing.join(table);
        let path = folder.join(MANIFEST);
        let manifest = match fs::read(&path) {
            Ok(text) => parse(&path, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Manifest::new(table),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let landed = Self { folder, manifest };
        landed.check_files()?;
        Ok(landed)
    }

    /// Returns what has landed.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns the folder of the table.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where a landed file lies.
    pub fn path(&self, file: &LandedFile) -> PathBuf {
        self.folder.join(&file.name)
    }

    /// Starts the next load. Nothing of it counts before [`OpenLoad::commit`].
    pub fn begin(&mut self) -> OpenLoad<'_> {
        let number = self.manifest.loads.last().map_or(0, |load| load.number) + 1;
        OpenLoad { table: self, number, files: Vec::new(), started: Vec::new() }
    }

    /// As [`Self::turn_to`], where the new files say less: views of the old ones go first, so that a kill leaves none of them.
    pub(crate) fn replace(&mut self, manifest: Manifest) -> Result<(), LandingError> {
        for entry in fs::read_dir(&self.folder).map_err(failed("read", &self.folder))? {
            let path = entry.map_err(failed("read", &self.folder))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(VIEW)) {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        self.turn_to(manifest)
    }

    /// Turns to a manifest that says the same of fewer files, in one step; its new files are written and synced. Then the others go.
    pub(crate) fn turn_to(&mut self, mut manifest: Manifest) -> Result<(), LandingError> {
        manifest.settle();
        write_manifest(&self.folder, &manifest)?;
        self.manifest = manifest;
        self.sweep()
    }

    fn check_files(&self) -> Result<(), LandingError> {
        for file in self.manifest.loads.iter().flat_map(|load| &load.files) {
            let path = self.path(file);
            let reason = match fs::metadata(&path) {
                Ok(meta) if meta.len() == file.bytes => continue,
                Ok(meta) => format!("it has {} bytes, {} were landed", meta.len(), file.bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => "it was landed and is missing".to_owned(),
                Err(error) => return Err(failed("read", &path)(error)),
            };
            return Err(LandingError::Damaged { path, reason });
        }
        Ok(())
    }

    /// Removes files that no load names. Views stay: they are made from loads and checked by who uses them.
    fn sweep(&self) -> Result<(), LandingError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("read", &self.folder)(error)),
        };
        let known: BTreeSet<&str> = self.manifest.loads.iter().flat_map(|load| &load.files).map(|file| file.name.as_str()).collect();
        for entry in entries {
            let path = entry.map_err(failed("read", &self.folder))?.path();
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
            if name == MANIFEST || name.starts_with(VIEW) || known.contains(name.as_str()) || path.is_dir() {
                continue;
            }
            tracing::info!(table = %self.manifest.table, file = %name, "what an interrupted load left is removed");
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        Ok(())
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Manifest, LandingError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u32,
    }
    let damaged = |reason: serde_json::Error| LandingError::Damaged { path: path.to_owned(), reason: reason.to_string() };
    let version: Version = serde_json::from_slice(text).map_err(damaged)?;
    if version.format_version > FORMAT_VERSION {
        return Err(LandingError::TooNew { path: path.to_owned(), found: version.format_version });
    }
    let manifest: Manifest = serde_json::from_slice(text).map_err(damaged)?;
    let strange = |name: &str| name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']);
    if let Some(file) = manifest.loads.iter().flat_map(|load| &load.files).find(|file| strange(&file.name)) {
        let reason = format!("`{}` is no name of a landed file", file.name.escape_debug());
        return Err(LandingError::Damaged { path: path.to_owned(), reason });
    }
    Ok(manifest)
}

/// What is to be said of a load when it is committed.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as the fields of `Load`")]
pub struct Commit {
    pub mode: LoadMode,
    pub source: String,
    pub is_anew: bool,
    pub loaded_at: Timestamp,
    pub gone: Vec<String>,
    pub watermark: Option<Watermark>,
    pub offsets: BTreeMap<String, i64>,
    pub columns: Vec<LandedColumn>,
    pub notes: Vec<String>,
    pub privacy: Option<LandedPolicy>,
}

impl Commit {
    /// Makes one that says only this.
    pub fn new(mode: LoadMode, source: &str, loaded_at: Timestamp) -> Self {
        Self {
            mode,
            source: source.to_owned(),
            is_anew: false,
            loaded_at,
            gone: Vec::new(),
            watermark: None,
            offsets: BTreeMap::new(),
            columns: Vec::new(),
            notes: Vec::new(),
            privacy: None,
        }
    }
}

/// A file of a load that is being written. Dropped before [`OpenLoad::add`], it is removed with the load.
#[derive(Debug)]
pub struct StagedFile {
    path: PathBuf,
    name: String,
}

impl StagedFile {
    /// Returns where to write.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A load that is being written. Dropped before [`Self::commit`], its files are removed.
#[derive(Debug)]
pub struct OpenLoad<'a> {
    table: &'a mut TableLanding,
    number: u64,
    files: Vec<LandedFile>,
    started: Vec<PathBuf>,
}

impl OpenLoad<'_> {
    /// Returns the number that the load will have.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Names a file to write, `load-000003.parquet`; `extension` tells its format (`parquet`, `jsonl`, `csv.gz`).
    /// The folder is there when the first file is opened with [`StagedFile::path`] after this call.
    pub fn file(&mut self, extension: &str) -> StagedFile {
        // A failure here is seen where the file is written.
        let _ = fs::create_dir_all(&self.table.folder);
        let part = match self.started.len() {
            0 => String::new(),
            more => format!("-{more:05}"),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let extension: String = extension.chars().filter(|c| is_plain(*c)).take(24).collect();
        let name = format!("load-{:06}{part}.{extension}", self.number);
        let path = self.table.folder.join(&name);
        self.started.push(path.clone());
        StagedFile { path, name }
    }

    /// Takes a written file into the load: syncs it and hashes its bytes.
    ///
    /// # Errors
    /// [`LandingError::Io`].
    pub fn add(&mut self, file: StagedFile, rows: Option<u64>) -> Result<(), LandingError> {
        self.add_with(file, rows, None, None)
    }

    /// As [`Self::add`], with the hash of the rows and the object that was copied.
    ///
    /// # Errors
    /// [`LandingError::Io`].
    pub fn add_with(
        &mut self,
        file: StagedFile,
        rows: Option<u64>,
        content: Option<String>,
        origin: Option<Origin>,
    ) -> Result<(), LandingError> {
        let (bytes, blake3) = sync_and_hash(&file.path)?;
        self.files.push(LandedFile { name: file.name, rows, bytes, blake3, content, origin });
        Ok(())
    }

    /// Whether the files say the same as all of the source said the last time.
    pub fn is_unchanged(&self, source: &str) -> bool {
        self.table.manifest.last(source).is_some_and(|last| last.mode == LoadMode::Full) && self.repeats_last(source)
    }

    /// Whether the rows are those of the last load again, as a look back brings them.
    pub fn repeats_last(&self, source: &str) -> bool {
        let hash = |file: &LandedFile| file.content.clone().unwrap_or_else(|| file.blake3.clone());
        let Some(last) = self.table.manifest.last(source) else { return false };
        last.files.len() == self.files.len() && last.files.iter().zip(&self.files).all(|(old, new)| hash(old) == hash(new))
    }

    /// Commits the load. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`LandingError::Io`]; the table then is as before.
    pub fn commit(mut self, commit: Commit) -> Result<(), LandingError> {
        let load = Load {
            number: self.number,
            mode: commit.mode,
            source: commit.source,
            is_anew: commit.is_anew,
            loaded_at: format!("{:.6}", commit.loaded_at),
            files: std::mem::take(&mut self.files),
            gone: commit.gone,
            watermark: commit.watermark,
            offsets: commit.offsets,
            columns: commit.columns,
            notes: commit.notes,
            privacy: commit.privacy,
            packed: Vec::new(),
        };
        let mut manifest = self.table.manifest.clone();
        manifest.loads.push(load);
        manifest.settle();
        // From here on a failure leaves strays at most: the manifest may be in its place already.
        self.started.clear();
        fs::create_dir_all(&self.table.folder).map_err(failed("write", &self.table.folder))?;
        write_manifest(&self.table.folder, &manifest)?;
        self.table.manifest = manifest;
        Ok(())
    }
}

impl Drop for OpenLoad<'_> {
    fn drop(&mut self) {
        for path in &self.started {
            // What cannot be removed now is a stray, which the next `open` removes.
            let _ = fs::remove_file(path);
        }
    }
}

/// Makes a written file last; returns its bytes and their BLAKE3.
pub(crate) fn sync_and_hash(path: &Path) -> Result<(u64, String), LandingError> {
    let unreadable = || failed("read", path);
    let opened = File::open(path).map_err(unreadable())?;
    opened.sync_all().map_err(failed("write", path))?;
    let bytes = opened.metadata().map_err(unreadable())?.len();
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(opened).map_err(unreadable())?;
    Ok((bytes, hasher.finalize().to_hex().to_string()))
}

/// Syncs the names of the files, then replaces the manifest in one step.
fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), LandingError> {
    let path = folder.join(MANIFEST);
    let text = serde_json::to_vec_pretty(manifest).expect("plain data");
    let write = || -> io::Result<()> {
        sync(folder)?;
        let staged = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder)?;
        io::Write::write_all(&mut staged.as_file(), &text)?;
        staged.as_file().sync_all()?;
        staged.persist(&path).map_err(|error| error.error)?;
        sync(folder)?;
        // The folder's own name, for its first load.
        folder.parent().map_or(Ok(()), sync)
    };
    write().map_err(failed("write", &path))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
