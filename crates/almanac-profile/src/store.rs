//! Profiles kept beside the versions of a table, so that an old version need not be read again to be compared with.
//!
//! ```text
//! profiles/sales/versions.json        which versions there are, oldest first
//! profiles/sales/<version>.json       the profile of one
//! ```
//!
//! A profile is on disk before its line is in `versions.json`; both appear whole or not at all. A version that is made again, say
//! because an old file came back, becomes the newest.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ProfileError;
use crate::table::{FORMAT, TableProfile};

/// Versions of a table that are kept.
const VERSIONS: usize = 50;

/// The folder with the profiles of all tables.
#[derive(Debug, Clone)]
pub struct ProfileStore {
    folder: PathBuf,
}

/// A version of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionLine {
    /// What tells it from other versions: a fingerprint.
    pub version: String,
    /// When it was kept, in milliseconds since 1970.
    pub kept_at: i64,
    /// Rows.
    pub rows: u64,
}

/// A profile and its version.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptProfile {
    /// Which version.
    pub line: VersionLine,
    /// What is in it.
    pub profile: TableProfile,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Versions {
    format: u32,
    versions: Vec<VersionLine>,
}

impl ProfileStore {
    /// Uses a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps the profile of a version as the newest. The oldest beyond 50 are removed.
    ///
    /// # Errors
    /// [`ProfileError::Name`] for names that would leave the folder, [`ProfileError::Io`] and [`ProfileError::Kept`] of files.
    pub fn keep(&self, table: &str, version: &str, kept_at: i64, profile: &TableProfile) -> Result<PathBuf, ProfileError> {
        let path = self.path(table, version)?;
        let bytes = serde_json::to_vec(profile).map_err(|error| ProfileError::kept(&path, error))?;
        write(&path, &bytes)?;
        let mut lines = self.versions(table)?;
        lines.retain(|line| line.version != version);
        lines.push(VersionLine { version: version.to_owned(), kept_at, rows: profile.rows });
        let old: Vec<VersionLine> = lines.drain(..lines.len().saturating_sub(VERSIONS)).collect();
        let index = self.index(table)?;
        let bytes =
            serde_json::to_vec_pretty(&Versions { format: FORMAT, versions: lines }).map_err(|error| ProfileError::kept(&index, error))?;
        write(&index, &bytes)?;
        for line in old {
            let path = self.path(table, &line.version)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(ProfileError::write(&path)(error)),
                _ => {}
            }
        }
        Ok(path)
    }

    /// Forgets versions whose profile holds values of a column that may not be shown any more; returns how many. Such a version cannot be
    /// compared with any longer, as if it were older than the 50 that are kept.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub fn forget(&self, table: &str, is_personal: &dyn Fn(&str) -> bool) -> Result<usize, ProfileError> {
        let mut lines = self.versions(table)?;
        let mut gone = Vec::new();
        for line in &lines {
            // A profile that cannot be read may hold anything.
            let shows = self
                .read(table, &line.version)
                .map_or(true, |profile| profile.columns.iter().any(|column| is_personal(&column.name) && !column.is_hidden()));
            if shows {
                gone.push(line.version.clone());
            }
        }
        if gone.is_empty() {
            return Ok(0);
        }
        for version in &gone {
            let path = self.path(table, version)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(ProfileError::write(&path)(error)),
                _ => {}
            }
        }
        lines.retain(|line| !gone.contains(&line.version));
        let index = self.index(table)?;
        let bytes =
            serde_json::to_vec_pretty(&Versions { format: FORMAT, versions: lines }).map_err(|error| ProfileError::kept(&index, error))?;
        write(&index, &bytes)?;
        Ok(gone.len())
    }

    /// Returns the tables that have profiles, in the order of their names.
    ///
    /// # Errors
    /// [`ProfileError::Io`] if the folder cannot be read; none if there is no folder.
    pub fn tables(&self) -> Result<Vec<String>, ProfileError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(ProfileError::read(&self.folder))?,
        };
        let mut tables = Vec::new();
        for entry in entries {
            let entry = entry.map_err(ProfileError::read(&self.folder))?;
            if let Ok(name) = entry.file_name().into_string()
                && entry.path().join("versions.json").is_file()
            {
                tables.push(name);
            }
        }
        tables.sort_unstable();
        Ok(tables)
    }

    /// Returns the versions of a table, oldest first; none if there is no such table.
    ///
    /// # Errors
    /// [`ProfileError::Io`], [`ProfileError::Kept`].
    pub fn versions(&self, table: &str) -> Result<Vec<VersionLine>, ProfileError> {
        let path = self.index(table)?;
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(ProfileError::read(&path))?,
        };
        let versions: Versions = serde_json::from_slice(&bytes).map_err(|error| ProfileError::kept(&path, error))?;
        if versions.format != FORMAT {
            return Err(ProfileError::kept(&path, format!("format {} where {FORMAT} is known", versions.format)));
        }
        Ok(versions.versions)
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`ProfileError::Io`] if it is not there, [`ProfileError::Kept`] if it is damaged.
    pub fn read(&self, table: &str, version: &str) -> Result<TableProfile, ProfileError> {
        read_profile(&self.path(table, version)?)
    }

    /// Reads the profiles of the newest `n` versions, oldest of them first.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn newest(&self, table: &str, n: usize) -> Result<Vec<KeptProfile>, ProfileError> {
        let lines = self.versions(table)?;
        let newest = lines.into_iter().rev().take(n).map(|line| Ok(KeptProfile { profile: self.read(table, &line.version)?, line }));
        let mut newest = newest.collect::<Result<Vec<_>, ProfileError>>()?;
        newest.reverse();
        Ok(newest)
    }

    fn index(&self, table: &str) -> Result<PathBuf, ProfileError> {
        Ok(self.folder.join(checked(table)?).join("versions.json"))
    }

    fn path(&self, table: &str, version: &str) -> Result<PathBuf, ProfileError> {
        Ok(self.folder.join(checked(table)?).join(format!("{}.json", checked(version)?)))
    }
}

/// Reads a profile from a file.
pub(crate) fn read_profile(path: &Path) -> Result<TableProfile, ProfileError> {
    let bytes = fs::read(path).map_err(ProfileError::read(path))?;
    let profile: TableProfile = serde_json::from_slice(&bytes).map_err(|error| ProfileError::kept(path, error))?;
    if profile.format != FORMAT {
        return Err(ProfileError::kept(path, format!("format {} where {FORMAT} is known", profile.format)));
    }
    Ok(profile)
}

fn checked(name: &str) -> Result<&str, ProfileError> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if name.is_empty() || name.starts_with('.') || name == "versions" || !name.chars().all(is_plain) {
        return Err(ProfileError::Name { name: name.to_owned() });
    }
    Ok(name)
}

/// Replaces a file in one step, on disk when it returns.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ProfileError> {
    let failed = || ProfileError::write(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed())?;
    let mut staged = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(folder).map_err(failed())?;
    staged.write_all(bytes).map_err(failed())?;
    staged.as_file().sync_all().map_err(failed())?;
    staged.persist(path).map_err(|error| failed()(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed())
}
