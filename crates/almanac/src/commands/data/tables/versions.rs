//! The files of a table as they were in a revision of git: committed as they are, or as a `.dvc` file that names them.
//!
//! Files named by a `.dvc` file are taken from the cache, `.dvc/cache`, and nothing is fetched.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use almanac_series::Hint;
use serde::Deserialize;

/// Why an old version is not at hand.
#[derive(Debug, thiserror::Error)]
pub(super) enum VersionError {
    #[error("failed to run git")]
    NoGit { source: io::Error },
    #[error("there is neither `{path}` nor `{path}.dvc` in revision `{revision}`")]
    NotThere { revision: String, path: String },
    #[error("`{revision}` cannot be a revision of git")]
    Revision { revision: String },
    #[error("`{path}.dvc` of revision `{revision}` names no data: {reason}")]
    Pointer { revision: String, path: String, reason: &'static str },
    #[error("`{path}` as of revision `{revision}` is not in the cache")]
    NotCached { revision: String, path: String, object: PathBuf },
    #[error("failed to copy `{path}` as of revision `{revision}`")]
    Copy { revision: String, path: String, source: io::Error },
}

impl Hint for VersionError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoGit { .. } => Some("install git, or name two files".to_owned()),
            Self::NotThere { .. } => {
                Some("`git log -- PATH` shows the revisions that have it; paths start at the project's folder".to_owned())
            }
            Self::Revision { .. } => Some("name a commit, a branch or a tag: HEAD~1, main, v3".to_owned()),
            Self::Pointer { .. } | Self::Copy { .. } => None,
            Self::NotCached { .. } => Some("check that revision out and pull its data once; it then stays in the cache".to_owned()),
        }
    }
}

/// An entry of a folder in the cache.
#[derive(Debug, Deserialize)]
struct Entry {
    md5: String,
    relpath: String,
}

/// Returns the files, in a folder that goes with the second value where they are copies.
pub(super) fn checkout(folder: &Path, revision: &str, path: &str) -> Result<(Vec<PathBuf>, tempfile::TempDir), VersionError> {
    if revision.is_empty() || revision.starts_with('-') || revision.contains(char::is_whitespace) {
        return Err(VersionError::Revision { revision: revision.to_owned() });
    }
    let failed = |source| VersionError::Copy { revision: revision.to_owned(), path: path.to_owned(), source };
    let copies = tempfile::tempdir().map_err(failed)?;
    // The name says the format where the content does not.
    let name = Path::new(path).file_name().unwrap_or(path.as_ref());
    let copy = copies.path().join(name);
    if blob(folder, revision, path, &copy, failed)? {
        return Ok((vec![copy], copies));
    }
    let pointer = copies.path().join("pointer");
    if !blob(folder, revision, &format!("{path}.dvc"), &pointer, failed)? {
        return Err(VersionError::NotThere { revision: revision.to_owned(), path: path.to_owned() });
    }
    let text = fs::read_to_string(&pointer).map_err(failed)?;
    Ok((pointed(folder, revision, path, &text)?, copies))
}

/// Writes a file of a revision; false if it has none of that name.
fn blob(
    folder: &Path,
    revision: &str,
    path: &str,
    to: &Path,
    failed: impl Fn(io::Error) -> VersionError + Copy,
) -> Result<bool, VersionError> {
    let file = File::create(to).map_err(failed)?;
    let status = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["cat-file", "blob", &format!("{revision}:./{path}")])
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::null())
        .status()
        .map_err(|source| VersionError::NoGit { source })?;
    Ok(status.success())
}

fn pointed(folder: &Path, revision: &str, path: &str, text: &str) -> Result<Vec<PathBuf>, VersionError> {
    let pointer = |reason| VersionError::Pointer { revision: revision.to_owned(), path: path.to_owned(), reason };
    let line = text.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix("md5:"));
    let hash = line.ok_or_else(|| pointer("it has no md5"))?.trim();
    let cached = |hash: &str| {
        let plain = hash.strip_suffix(".dir").unwrap_or(hash);
        if plain.len() != 32 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(pointer("its md5 is none"));
        }
        let object = cache(folder).join(&hash[..2]).join(&hash[2..]);
        if object.is_file() {
            Ok(object)
        } else {
            Err(VersionError::NotCached { revision: revision.to_owned(), path: path.to_owned(), object })
        }
    };
    if hash.strip_suffix(".dir").is_none() {
        return Ok(vec![cached(hash)?]);
    }
    let listing =
        fs::read(cached(hash)?).map_err(|source| VersionError::Copy { revision: revision.to_owned(), path: path.to_owned(), source })?;
    let mut entries: Vec<Entry> = serde_json::from_slice(&listing).map_err(|_| pointer("its folder's listing is damaged"))?;
    entries.sort_by(|a, b| a.relpath.cmp(&b.relpath));
    entries.iter().map(|entry| cached(&entry.md5)).collect()
}

/// The cache of the nearest folder upwards that has one.
fn cache(folder: &Path) -> PathBuf {
    let start = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let found = start.ancestors().map(|folder| folder.join(".dvc/cache/files/md5")).find(|cache| cache.is_dir());
    found.unwrap_or_else(|| start.join(".dvc/cache/files/md5"))
}
