//! `diff`: which tracked files differ between two revisions, or between one and the working folder.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::Result;
use crate::hash::{Md5, Oid};
use crate::index::is_at_or_below;
use crate::outs::Tracked;
use crate::progress::Progress;
use crate::repo::Repo;
use crate::work::State;

/// A file or folder that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Relative to the root; a folder ends in `/`.
    pub path: String,
    /// What it is.
    pub oid: Option<Oid>,
}

/// A file that is in both and differs, or has another name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// Before.
    pub old: Entry,
    /// After.
    pub new: Entry,
}

/// The differences, each list sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Only in the second.
    pub added: Vec<Entry>,
    /// Only in the first.
    pub deleted: Vec<Entry>,
    /// In both, with other bytes.
    pub modified: Vec<Changed>,
    /// The same bytes under another name.
    pub renamed: Vec<Changed>,
    /// Of the first, and not in the cache; only told of a comparison with the working folder.
    pub not_in_cache: Vec<Entry>,
}

impl Diff {
    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns it as `dvc diff --json` prints it. `with_cache`: with what is not in the cache.
    pub fn to_json(&self, with_hashes: bool, with_cache: bool) -> Value {
        if self.is_empty() {
            return json!({});
        }
        let hash = |oid: Option<Oid>| oid.map_or(Value::Null, |oid| oid.to_string().into());
        let one =
            |entry: &Entry| if with_hashes { json!({"path": entry.path, "hash": hash(entry.oid)}) } else { json!({"path": entry.path}) };
        let modified = |change: &Changed| {
            let mut value = json!({"path": change.old.path});
            if with_hashes {
                value["hash"] = json!({"old": hash(change.old.oid), "new": hash(change.new.oid)});
            }
            value
        };
        let renamed = |change: &Changed| {
            let mut value = json!({"path": {"old": change.old.path, "new": change.new.path}});
            if with_hashes {
                value["hash"] = hash(change.old.oid);
            }
            value
        };
        let mut value = json!({
            "added": self.added.iter().map(one).collect::<Vec<_>>(),
            "deleted": self.deleted.iter().map(one).collect::<Vec<_>>(),
            "modified": self.modified.iter().map(modified).collect::<Vec<_>>(),
            "renamed": self.renamed.iter().map(renamed).collect::<Vec<_>>(),
        });
        if with_cache {
            value["not in cache"] = self.not_in_cache.iter().map(one).collect();
        }
        value
    }
}

/// Everything tracked, file by file; folders too, with `/` behind.
type Files = BTreeMap<String, Option<Oid>>;

impl Repo {
    /// Compares two revisions, or one with the working folder. Without commits there is nothing to compare.
    ///
    /// # Errors
    /// If a revision does not exist, or something cannot be read.
    pub fn diff(&self, old: &str, new: Option<&str>, targets: &[String], progress: &dyn Progress) -> Result<Diff> {
        let git = self.need_git()?;
        if !git.has_commits() {
            return Ok(Diff::default());
        }
        let mut work = self.begin()?;
        let before = self.files_of(&self.tracked_at(old)?, progress)?;
        let after = if let Some(new) = new {
            self.files_of(&self.tracked_at(new)?, progress)?
        } else {
            let mut files = Files::new();
            for out in self.tracked()?.outs().filter(|out| out.entry.is_cached) {
                let is_legacy = out.entry.oid.is_some_and(|oid| oid.is_legacy);
                let state = work.state(&out.path, is_legacy, progress)?;
                if let State::Folder { .. } = state {
                    files.insert(format!("{}/", out.path), state.oid(is_legacy));
                    files.extend(
                        state.tree().files().iter().map(|(path, md5)| (format!("{}/{path}", out.path), Some(file(*md5, is_legacy)))),
                    );
                } else if let Some(oid) = state.oid(is_legacy) {
                    files.insert(out.path.clone(), Some(oid));
                }
            }
            work.index.save()?;
            files
        };
        let is_wanted = |path: &str| targets.is_empty() || targets.iter().any(|target| is_at_or_below(path.trim_end_matches('/'), target));
        let mut diff = compare(&before, &after, is_wanted);
        if new.is_none() {
            for (path, oid) in before.into_iter().filter(|(path, _)| is_wanted(path)) {
                if let Some(oid) = oid
                    && self.cache().stamp(oid)?.is_none()
                {
                    diff.not_in_cache.push(Entry { path, oid: Some(oid) });
                }
            }
        }
        Ok(diff)
    }

    /// The files of all outputs; those of folders whose list is not in the cache are not known.
    fn files_of(&self, tracked: &Tracked, progress: &dyn Progress) -> Result<Files> {
        let mut files = Files::new();
        for out in tracked.outs() {
            let Some(oid) = out.oid() else { continue };
            if !oid.is_dir {
                files.insert(out.path.clone(), Some(oid));
                continue;
            }
            files.insert(format!("{}/", out.path), Some(oid));
            if let Some(tree) = self.tree(oid)? {
                files.extend(tree.files().iter().map(|(path, md5)| (format!("{}/{path}", out.path), Some(file(*md5, oid.is_legacy)))));
            } else {
                progress.note(&format!("the list of `{}` is not in the cache: its files are not compared", out.path));
            }
        }
        Ok(files)
    }
}

fn file(md5: Md5, is_legacy: bool) -> Oid {
    Oid { is_legacy, ..Oid::file(md5) }
}

fn compare(before: &Files, after: &Files, is_wanted: impl Fn(&str) -> bool) -> Diff {
    let mut diff = Diff::default();
    let entry = |path: &String, oid: &Option<Oid>| Entry { path: path.clone(), oid: *oid };
    for (path, oid) in before.iter().filter(|(path, _)| is_wanted(path)) {
        match after.get(path) {
            None => diff.deleted.push(entry(path, oid)),
            Some(new) if new != oid => diff.modified.push(Changed { old: entry(path, oid), new: entry(path, new) }),
            Some(_) => {}
        }
    }
    diff.added =
        after.iter().filter(|(path, _)| is_wanted(path) && !before.contains_key(*path)).map(|(path, oid)| entry(path, oid)).collect();
    // A file that went and one that came with the same bytes are one that moved.
    let mut came: BTreeMap<Option<Oid>, Vec<Entry>> = BTreeMap::new();
    for entry in std::mem::take(&mut diff.added).into_iter().rev() {
        came.entry(entry.oid).or_default().push(entry);
    }
    for old in std::mem::take(&mut diff.deleted) {
        match came.get_mut(&old.oid).and_then(Vec::pop) {
            Some(new) => diff.renamed.push(Changed { old, new }),
            None => diff.deleted.push(old),
        }
    }
    diff.added = came.into_values().flatten().collect();
    diff.added.sort();
    diff
}
