//! What an erasure needs to know of a project: where things lie and what may be done to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::beyond::Beyond;

/// Where to look, and what may be done there.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    /// The project's folder: everything below it is searched.
    pub root: PathBuf,
    /// Folders outside it that belong to the project.
    pub more: Vec<PathBuf>,
    /// Files and folders that the next run makes again: they go whole.
    pub derived: Vec<PathBuf>,
    /// Folders of ours: what cannot be rewritten there is deleted.
    pub owned: Vec<PathBuf>,
    /// Files and folders with data that came from outside: rows of the subject go, all else stays.
    pub sources: Vec<PathBuf>,
    /// Never looked into: the privacy key, locks.
    pub spared: Vec<PathBuf>,
    /// Folders with lists of values that are ours to edit, such as suites of expectations: a value that is the key is taken out.
    pub lists: Vec<PathBuf>,
    /// Places that are no files.
    pub beyond: Vec<Arc<dyn Beyond>>,
    /// The folder of proofs.
    pub proofs: PathBuf,
}

impl Ground {
    pub(super) fn is_derived(&self, path: &Path) -> bool {
        self.derived.iter().any(|folder| path.starts_with(folder))
    }

    pub(super) fn is_owned(&self, path: &Path) -> bool {
        self.owned.iter().chain(&self.more).any(|folder| path.starts_with(folder)) || crate::dvc::object_hash(path).is_some()
    }

    pub(super) fn is_list(&self, path: &Path) -> bool {
        self.lists.iter().any(|folder| path.starts_with(folder))
    }

    pub(super) fn is_source(&self, path: &Path) -> bool {
        self.sources.iter().any(|source| path.starts_with(source))
    }

    /// The folder that holds the file and is never removed.
    pub(super) fn root_of(&self, path: &Path) -> &Path {
        self.more.iter().find(|folder| path.starts_with(folder)).unwrap_or(&self.root)
    }

    /// A path as proofs name it: relative to the project where it lies in it.
    pub(crate) fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// The path of a name.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}
