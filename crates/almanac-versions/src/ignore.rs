//! `.dvcignore`: which files are not data. The syntax is that of `.gitignore`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::{Result, VersionsError};

/// The name of the file.
pub(crate) const DVCIGNORE: &str = ".dvcignore";

/// The rules of a repository, read folder by folder as they are needed.
#[derive(Debug)]
pub(crate) struct Ignore {
    root: PathBuf,
    rules: HashMap<PathBuf, Option<Gitignore>>,
}

impl Ignore {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), rules: HashMap::new() }
    }

    /// Tells whether an entry of a folder is ignored. The folder itself is not. Both are absolute.
    pub(crate) fn is_ignored(&mut self, path: &Path, is_dir: bool) -> Result<bool> {
        let name = path.file_name().unwrap_or_default();
        // Not data, whatever the rules say; `.git` may be a file.
        if name == ".git" || (is_dir && (name == ".hg" || name == ".dvc")) {
            return Ok(true);
        }
        if is_dir && path != self.root && path.join(".dvc").is_dir() {
            return Ok(true);
        }
        // The rules of the innermost folder come first, and the first that says anything is right.
        let mut folder = path.parent();
        while let Some(at) = folder.filter(|at| at.starts_with(&self.root)) {
            if let Some(rules) = self.rules_of(at)? {
                let verdict = rules.matched(path, is_dir);
                if !verdict.is_none() {
                    return Ok(verdict.is_ignore());
                }
            }
            folder = at.parent();
        }
        Ok(false)
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

    fn rules_of(&mut self, folder: &Path) -> Result<Option<&Gitignore>> {
        if !self.rules.contains_key(folder) {
            let file = folder.join(DVCIGNORE);
            let rules = if file.is_file() {
                let refused = |error: ignore::Error| VersionsError::malformed(file.display(), "rules of what to ignore", error);
                let mut builder = GitignoreBuilder::new(folder);
                if let Some(error) = builder.add(&file) {
                    return Err(refused(error));
                }
                Some(builder.build().map_err(refused)?)
            } else {
                None
            };
            self.rules.insert(folder.to_owned(), rules);
        }
        Ok(self.rules.get(folder).and_then(Option::as_ref))
    }
}
