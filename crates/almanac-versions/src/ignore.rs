//! `.dvcignore`: which files are not data. The syntax is that of `.gitignore`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::{Result, VersionsError};

/// The name of the file.
pub(crate) const DVCIGNORE: &str = ".dvcignore";

/// The rules of a repository, read folder by folder as they are needed.
#[derive(Debug)]
pub(crate) struct Ignore {
    root: PathBuf,
    rules: HashMap<PathBuf, Rules>,
}

/// What holds for the entries of one folder. Copies are cheap, and threads can share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// Of the innermost folder first; files without any pattern are left out.
    files: Vec<Arc<Gitignore>>,
}

impl Ignore {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), rules: HashMap::new() }
    }

    /// Tells whether an entry of a folder is ignored. The folder itself is not. Both are absolute.
    pub(crate) fn is_ignored(&mut self, path: &Path, is_dir: bool) -> Result<bool> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(false) };
        Ok(self.rules_of(folder)?.is_ignored(folder, name, is_dir))
    }

    /// Tells whether a path, or a folder above it, is ignored.
    pub(crate) fn is_ignored_or_inside(&mut self, path: &Path, is_dir: bool) -> Result<bool> {
        let above: Vec<_> = path.ancestors().skip(1).take_while(|at| at.starts_with(&self.root) && *at != self.root).collect();
        for folder in above {
            if self.is_ignored(folder, true)? {
                return Ok(true);
            }
        }
        self.is_ignored(path, is_dir)
    }

    /// Returns what holds in a folder: its own rules and those of the folders above.
    pub(crate) fn rules_of(&mut self, folder: &Path) -> Result<Rules> {
        if let Some(known) = self.rules.get(folder) {
            return Ok(known.clone());
        }
        let mut ways: Vec<&Path> = folder.ancestors().take_while(|at| at.starts_with(&self.root)).collect();
        ways.reverse();
        let mut rules = Rules::default();
        for at in ways {
            rules = match self.rules.get(at) {
                Some(known) => known.clone(),
                None => rules.inside(at)?,
            };
            self.rules.insert(at.to_owned(), rules.clone());
        }
        Ok(rules)
    }
}

impl Rules {
    /// Returns what holds in a folder inside: the first rule that says anything is right, and its own come first.
    pub(crate) fn inside(&self, folder: &Path) -> Result<Self> {
        let file = folder.join(DVCIGNORE);
        let mut rules = self.clone();
        if file.is_file() {
            let refused = |error: ignore::Error| VersionsError::malformed(file.display(), "rules of what to ignore", error);
            let mut builder = GitignoreBuilder::new(folder);
            if let Some(error) = builder.add(&file) {
                return Err(refused(error));
            }
            let own = builder.build().map_err(refused)?;
            if !own.is_empty() {
                rules.files.insert(0, Arc::new(own));
            }
        }
        Ok(rules)
    }

    /// Tells whether an entry of the folder is ignored.
    pub(crate) fn is_ignored(&self, folder: &Path, name: &OsStr, is_dir: bool) -> bool {
        // Not data, whatever the rules say; `.git` may be a file.
        if name == ".git" || is_dir && (name == ".hg" || name == ".dvc") {
            return true;
        }
        if self.files.is_empty() && !is_dir {
            return false;
        }
        let path = folder.join(name);
        if is_dir && path.join(".dvc").is_dir() {
            return true;
        }
        let verdict = self.files.iter().map(|rules| rules.matched(&path, is_dir)).find(|verdict| !verdict.is_none());
        verdict.is_some_and(|verdict| verdict.is_ignore())
    }
}
