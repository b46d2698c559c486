//! The files of a folder, as they are added: links to files count as files, folders behind links are left out and named.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result, VersionsError};
use crate::files::Stamp;
use crate::ignore::{DVCIGNORE, Ignore};

/// A file found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Below the folder, `/` between folders.
    pub(crate) path: String,
    pub(crate) stamp: Stamp,
    /// Whether the name is a link, by which the stamp is that of its target.
    pub(crate) is_link: bool,
}

/// What is in a folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Sorted.
    pub(crate) files: Vec<Found>,
    /// Every folder below, the outer before the inner.
    pub(crate) folders: Vec<String>,
    /// Links to folders, which are not followed.
    pub(crate) skipped: Vec<String>,
}

/// Lists a folder.
///
/// # Errors
/// If anything in it cannot be read, is neither file nor folder, or has a name that is not Unicode.
pub(crate) fn list(folder: &Path, ignore: &mut Ignore) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut todo = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = todo.pop() {
        for entry in fs::read_dir(&at).doing("list", &at)? {
            let entry = entry.doing("list", &at)?;
            let path = entry.path();
            let kind = entry.file_type().doing("look at", &path)?;
            if ignore.is_ignored(&path, kind.is_dir())? {
                continue;
            }
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| VersionsError::Unfit { path: path.clone(), why: "its name is not valid Unicode" })?;
            let below = format!("{prefix}{name}");
            if name == DVCIGNORE {
                return Err(VersionsError::Unfit { path, why: "a `.dvcignore` inside tracked data would say what the data is" });
            }
            if kind.is_dir() {
                todo.push((path, format!("{below}/")));
                listing.folders.push(below);
                continue;
            }
            let metadata = if kind.is_symlink() { followed(&path)? } else { entry.metadata().doing("look at", &path)? };
            if metadata.is_dir() {
                listing.skipped.push(below);
                continue;
            }
            listing.files.push(Found { path: below, stamp: regular(&path, &metadata)?, is_link: kind.is_symlink() });
        }
    }
    listing.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// Looks at what a link leads to.
pub(crate) fn followed(path: &Path) -> Result<Metadata> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(VersionsError::Unfit { path: path.to_owned(), why: "it is a link to nothing" })
        }
        other => other.doing("look at", path),
    }
}

/// Refuses what is not an ordinary file.
pub(crate) fn regular(path: &Path, metadata: &Metadata) -> Result<Stamp> {
    if metadata.is_file() {
        return Ok(Stamp::of(metadata));
    }
    Err(VersionsError::Unfit { path: path.to_owned(), why: "it is neither a file nor a folder" })
}

/// Refuses a path that runs through a link on its way from the root: what lies behind may be anywhere.
pub(crate) fn check_way(root: &Path, path: &Path) -> Result<()> {
    let mut inner: Vec<&Path> = path.ancestors().skip(1).take_while(|at| at.starts_with(root) && *at != root).collect();
    inner.reverse();
    for folder in inner {
        match fs::symlink_metadata(folder) {
            Ok(metadata) if metadata.is_symlink() => {
                return Err(VersionsError::Unfit { path: path.to_owned(), why: "a folder on its way is a link" });
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
            Err(error) => return Err(error).doing("look at", folder),
        }
    }
    Ok(())
}

/// Names a path as pointers and messages do: relative to the root, `/` between folders.
pub(crate) fn relative(root: &Path, path: &Path) -> Result<String> {
    let below =
        path.strip_prefix(root).map_err(|_| VersionsError::Unfit { path: path.to_owned(), why: "it lies outside the repository" })?;
    below
        .to_str()
        .map(ToOwned::to_owned)
        .ok_or_else(|| VersionsError::Unfit { path: path.to_owned(), why: "its name is not valid Unicode" })
}

/// The other way round.
pub(crate) fn absolute(root: &Path, path: &str) -> PathBuf {
    if path.is_empty() { root.to_owned() } else { root.join(path) }
}
