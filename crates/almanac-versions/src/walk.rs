//! The files of a folder, as they are added: links to files count as files, folders behind links are left out and named.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Doing, Result, VersionsError};
use crate::files::Stamp;
use crate::ignore::{DVCIGNORE, Ignore, Rules};

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

/// Lists a folder, on all threads.
///
/// # Errors
/// If anything in it cannot be read, is neither file nor folder, or has a name that is not Unicode.
pub(crate) fn list(folder: &Path, ignore: &mut Ignore) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut level = vec![(folder.to_owned(), String::new(), ignore.rules_of(folder)?)];
    while !level.is_empty() {
        let looked: Vec<Result<Entries>> = level.par_iter().map(|(at, prefix, rules)| entries(at, prefix, rules)).collect();
        level.clear();
        for entries in looked {
            let entries = entries?;
            listing.files.extend(entries.files);
            listing.skipped.extend(entries.skipped);
            for (path, below, rules) in entries.folders {
                level.push((path, format!("{below}/"), rules));
                listing.folders.push(below);
            }
        }
    }
    listing.files.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(listing)
}

/// What is directly in a folder.
#[derive(Default)]
struct Entries {
    files: Vec<Found>,
    /// Path, path below the folder that is listed, and what holds in it.
    folders: Vec<(PathBuf, String, Rules)>,
    skipped: Vec<String>,
}

fn entries(at: &Path, prefix: &str, rules: &Rules) -> Result<Entries> {
    /// So many are looked at by one thread before another helps.
    const TOGETHER: usize = 256;
    let mut all = Entries::default();
    let mut files: Vec<(DirEntry, String, bool)> = Vec::new();
    for entry in fs::read_dir(at).doing("list", at)? {
        let entry = entry.doing("list", at)?;
        let kind = entry.file_type().doing("look at", entry.path())?;
        let name = entry.file_name();
        if rules.is_ignored(at, &name, kind.is_dir()) {
            continue;
        }
        let name = name.to_str().ok_or_else(|| VersionsError::Unfit { path: entry.path(), why: "its name is not valid Unicode" })?;
        if name == DVCIGNORE {
            return Err(VersionsError::Unfit { path: entry.path(), why: "a `.dvcignore` inside tracked data would say what the data is" });
        }
        let below = format!("{prefix}{name}");
        if kind.is_dir() {
            let path = entry.path();
            let inside = rules.inside(&path)?;
            all.folders.push((path, below, inside));
        } else {
            files.push((entry, below, kind.is_symlink()));
        }
    }
    let looked: Vec<Result<(String, Option<Found>)>> = files
        .into_par_iter()
        .with_min_len(TOGETHER)
        .map(|(entry, below, is_link)| {
            let metadata = if is_link { followed(&entry.path())? } else { entry.metadata().doing("look at", entry.path())? };
            if metadata.is_dir() {
                return Ok((below, None));
            }
            let stamp = if metadata.is_file() { Stamp::of(&metadata) } else { regular(&entry.path(), &metadata)? };
            Ok((String::new(), Some(Found { path: below, stamp, is_link })))
        })
        .collect();
    for looked in looked {
        match looked? {
            (_, Some(found)) => all.files.push(found),
            (link, None) => all.skipped.push(link),
        }
    }
    Ok(all)
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
