//! What is tracked: the outputs that pointer files and `dvc.lock` name, in the working folder or another revision.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::document;
use crate::error::{Doing, Result, VersionsError};
use crate::hash::Oid;
use crate::ignore::Ignore;
use crate::lock_file;
use crate::params::Params;
use crate::pointer::{self, Entry, Pointer};
use crate::walk;

/// One tracked file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Out {
    /// Relative to the root, `/` between folders.
    pub path: String,
    /// What is known of it.
    pub entry: Entry,
    /// The pointer file or `dvc.yaml` that tracks it, relative to the root.
    pub file: String,
    /// The stage of a pipeline.
    pub stage: Option<String>,
    /// Its place among the outputs of that file or stage.
    pub at: usize,
}

impl Out {
    /// Returns what DVC calls the stage: the pointer file, or the stage with its `dvc.yaml` unless that is in the root.
    pub fn address(&self) -> String {
        match &self.stage {
            None => self.file.clone(),
            Some(stage) if self.file == "dvc.yaml" => stage.clone(),
            Some(stage) => format!("{}:{stage}", self.file),
        }
    }

    /// Returns its content, unless it was never committed or the bytes are not kept.
    pub fn oid(&self) -> Option<Oid> {
        self.entry.oid.filter(|_| self.entry.is_cached)
    }

    /// Tells whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.entry.oid.is_some_and(|oid| oid.is_dir)
    }
}

/// A stage: a pointer file, or a stage of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// As [`Out::address`].
    pub address: String,
    /// Whether its sources are left alone.
    pub is_frozen: bool,
    /// Paths relative to the root, or addresses, with what is known of them.
    pub deps: Vec<(String, Entry)>,
    /// Its outputs.
    pub outs: Vec<Out>,
    /// What a stage of a pipeline has besides.
    pub pipeline: Option<Pipeline>,
}

/// What a stage of a pipeline has besides sources and outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// False if only the lock file still knows it.
    pub is_declared: bool,
    /// Whether it runs again whatever its sources are.
    pub is_always_changed: bool,
    /// Whether its command is another than the one that ran last.
    pub is_command_changed: bool,
    /// Parameters, file by file.
    pub params: Vec<Params>,
}

/// Everything that is tracked.
#[derive(Debug, Clone, Default)]
pub struct Tracked {
    /// Sorted by address.
    pub stages: Vec<Stage>,
    /// Pointer files by path from the root.
    pub pointers: BTreeMap<String, Pointer>,
}

impl Tracked {
    /// Returns all outputs.
    pub fn outs(&self) -> impl Iterator<Item = &Out> {
        self.stages.iter().flat_map(|stage| &stage.outs)
    }

    /// Reads the working folder. Tracked folders are not searched.
    ///
    /// # Errors
    /// If a pointer cannot be read or names a path outside.
    pub(crate) fn of_folder(root: &Path, ignore: &mut Ignore) -> Result<Self> {
        let mut tracked = Self::default();
        let mut todo = vec![root.to_owned()];
        while let Some(folder) = todo.pop() {
            let mut folders: Vec<PathBuf> = Vec::new();
            let mut names = Vec::new();
            for entry in fs::read_dir(&folder).doing("list", &folder)? {
                let entry = entry.doing("list", &folder)?;
                let path = entry.path();
                let kind = entry.file_type().doing("look at", &path)?;
                let is_pointer =
                    path.extension().is_some_and(|extension| extension == "dvc") || path.file_name().is_some_and(|name| name == "dvc.yaml");
                if !kind.is_dir() && !is_pointer {
                    continue;
                }
                if ignore.is_ignored(&path, kind.is_dir())? {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(path);
                } else if path.is_file() {
                    names.push(path);
                }
            }
            for path in names {
                let name = walk::relative(root, &path)?;
                if path.extension().is_some_and(|extension| extension == "dvc") {
                    tracked.add_pointer(name.clone(), &document::read(&path, &name, pointer::WHAT)?)?;
                } else {
                    let text = document::read(&path, &name, lock_file::PIPELINE)?;
                    let lock = path.with_file_name("dvc.lock");
                    let lock_name = format!("{}.lock", name.trim_end_matches(".yaml"));
                    let lock = if lock.is_file() { document::read(&lock, &lock_name, lock_file::LOCK)? } else { String::new() };
                    tracked.stages.extend(lock_file::stages(&name, &text, &lock)?);
                }
            }
            folders.retain(|path| walk::relative(root, path).map_or(true, |name| !tracked.outs().any(|out| out.path == name)));
            todo.extend(folders);
        }
        tracked.stages.sort_by(|a, b| a.address.cmp(&b.address));
        Ok(tracked)
    }

    /// Reads files of another revision: path from the root and text.
    ///
    /// # Errors
    /// As [`Tracked::of_folder`].
    pub(crate) fn of_files(files: &BTreeMap<String, String>) -> Result<Self> {
        let mut tracked = Self::default();
        for (name, text) in files {
            let base = name.rsplit('/').next().unwrap_or(name);
            if base == "dvc.yaml" {
                let lock = format!("{}dvc.lock", &name[..name.len() - base.len()]);
                tracked.stages.extend(lock_file::stages(name, text, files.get(&lock).map_or("", String::as_str))?);
            } else if base != "dvc.lock" {
                tracked.add_pointer(name.clone(), text)?;
            }
        }
        tracked.stages.sort_by(|a, b| a.address.cmp(&b.address));
        Ok(tracked)
    }

    fn add_pointer(&mut self, name: String, text: &str) -> Result<()> {
        let pointer = Pointer::parse(text, &name)?;
        let folder = in_folder(folder_of(&name), pointer.working_folder().unwrap_or("."));
        let mut outs = Vec::new();
        for (at, entry) in pointer.outs(&name)?.into_iter().enumerate() {
            let path = inside(&folder, &entry.path, &name)?;
            outs.push(Out { path, entry, file: name.clone(), stage: None, at });
        }
        let deps = pointer.deps(&name)?.into_iter().map(|entry| (dep_path(&folder, &entry.path), entry)).collect();
        self.stages.push(Stage { address: name.clone(), is_frozen: pointer.is_frozen(), deps, outs, pipeline: None });
        self.pointers.insert(name, pointer);
        Ok(())
    }
}

/// The folder of a path, empty for the root.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Puts a written path behind a folder and simplifies; a path that begins with `..` leads out of the root.
pub(crate) fn in_folder(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// Resolves the path of an output and refuses one outside the repository.
pub(crate) fn inside(folder: &str, path: &str, within: &str) -> Result<String> {
    let refused = |why| VersionsError::leads_astray(path, within, why);
    if path.contains('\0') {
        return Err(refused("holds a zero byte"));
    }
    if path.starts_with('/') || path.contains("://") {
        return Err(refused("is outside the repository"));
    }
    let resolved = in_folder(folder, path);
    if resolved == ".." || resolved.starts_with("../") {
        return Err(refused("leaves the repository"));
    }
    let first = resolved.split('/').next().unwrap_or_default();
    if resolved.is_empty() {
        return Err(refused("is the repository itself"));
    }
    if first == ".dvc" || first == ".git" || resolved.split('/').any(|part| part == ".git") {
        return Err(refused("is where versions themselves are kept"));
    }
    Ok(resolved)
}

/// Resolves what something was made from: an address, an absolute path, or one relative to the root.
pub(crate) fn dep_path(folder: &str, path: &str) -> String {
    if path.contains("://") || path.starts_with('/') { path.to_owned() } else { in_folder(folder, path) }
}
