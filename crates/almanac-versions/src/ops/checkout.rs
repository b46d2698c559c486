//! `checkout`: makes the working folder what the pointers say.
//!
//! Nothing is lost: a file that differs and whose bytes are not in the cache stops everything before anything is touched.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;

use rayon::prelude::*;

use crate::error::{Doing, NamedOid, Result, VersionsError};
use crate::files::Stamp;
use crate::hash::{Md5, Oid};
use crate::index::is_at_or_below;
use crate::outs::{Out, Tracked};
use crate::progress::Progress;
use crate::repo::Repo;
use crate::walk;
use crate::work::{State, Work};

/// How to check out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckoutOptions {
    /// Overwrite what is saved nowhere else.
    pub force: bool,
    /// Replace files that are right already, to share bytes as is configured now.
    pub relink: bool,
    /// Leave out what is not in the cache.
    pub allow_missing: bool,
    /// Everything tracked below the targets.
    pub recursive: bool,
}

/// What was changed. Folders end in `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedOut {
    /// Outputs that were not there.
    pub added: Vec<String>,
    /// Outputs that were other.
    pub modified: Vec<String>,
    /// Outputs that are tracked no more.
    pub deleted: Vec<String>,
    /// Files written and removed.
    pub files: FileCounts,
}

/// Files, not outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// Written where there was none.
    pub added: usize,
    /// Written over another.
    pub modified: usize,
    /// Removed.
    pub deleted: usize,
}

/// What is to be done for one output.
#[derive(Debug, Default)]
struct Plan {
    /// Files to write: path from the root, content, whether one is there.
    write: Vec<(NamedOid, bool)>,
    /// Files to remove.
    remove: Vec<String>,
    /// Folders to remove if they are empty then, the inner first.
    empty: Vec<String>,
    is_executable: bool,
    is_new: bool,
    is_dir: bool,
}

impl Repo {
    /// Makes the working folder what the pointers say. `targets`: outputs, pointers, stages, or files in tracked folders,
    /// relative to the root; all where there is none.
    ///
    /// # Errors
    /// If files would be lost, or objects are missing or corrupted; then everything else is in place.
    pub fn checkout(&self, targets: &[String], options: CheckoutOptions, progress: &dyn Progress) -> Result<CheckedOut> {
        let mut work = self.begin()?;
        let tracked = self.tracked()?;
        let result = work.checkout(&tracked, targets, options, progress);
        let saved = work.index.save();
        result.and_then(|done| saved.map(|()| done))
    }
}

impl Work<'_> {
    pub(crate) fn checkout(
        &mut self,
        tracked: &Tracked,
        targets: &[String],
        options: CheckoutOptions,
        progress: &dyn Progress,
    ) -> Result<CheckedOut> {
        let selected = Self::select(tracked, targets, options.recursive)?;
        let mut done = CheckedOut::default();
        let mut missing: Vec<NamedOid> = Vec::new();
        let mut corrupted: Vec<NamedOid> = Vec::new();
        let mut lost: Vec<String> = Vec::new();
        let mut plans: Vec<(&Out, Plan)> = Vec::new();
        for (out, part) in selected {
            let Some(oid) = out.oid() else { continue };
            walk::check_way(self.repo.root(), &walk::absolute(self.repo.root(), &out.path))?;
            let wanted = match self.wanted(oid) {
                Ok(Some(wanted)) => wanted,
                Ok(None) => {
                    missing.push(NamedOid { name: out.path.clone(), oid });
                    continue;
                }
                Err(VersionsError::Corrupt { .. }) => {
                    self.repo.cache().remove(oid)?;
                    self.index.forget_object(oid);
                    corrupted.push(NamedOid { name: out.path.clone(), oid });
                    continue;
                }
                Err(other) => return Err(other),
            };
            let state = self.state(&out.path, oid.is_legacy, progress)?;
            let mut plan = self.plan(out, &wanted, &state, options, &mut lost)?;
            if let Some(part) = part {
                let inside = format!("{}/{part}", out.path);
                if !wanted.keys().any(|path| is_at_or_below(path, &part)) {
                    return Err(VersionsError::NotTracked { target: inside });
                }
                plan.write.retain(|(object, _)| is_at_or_below(&object.name, &inside));
                plan.remove.retain(|path| is_at_or_below(path, &inside));
                plan.empty.retain(|path| is_at_or_below(path, &inside));
                lost.retain(|path| !is_at_or_below(path, &out.path) || is_at_or_below(path, &inside));
            }
            plans.push((out, plan));
        }
        if !lost.is_empty() {
            return Err(VersionsError::WouldLose { paths: lost });
        }
        if targets.is_empty() {
            self.remove_untracked(tracked, &mut done, progress)?;
        }
        for (out, plan) in plans {
            self.carry_out(out, plan, &mut done, &mut missing, &mut corrupted, progress)?;
        }
        if !corrupted.is_empty() {
            return Err(VersionsError::Corrupt { place: "in the cache".to_owned(), objects: corrupted });
        }
        if !missing.is_empty() && !options.allow_missing {
            return Err(VersionsError::Missing { place: "from the cache".to_owned(), objects: missing });
        }
        Ok(done)
    }

    /// The files of an output, by path below it; a single file has an empty one. `None`: the list is not in the cache.
    fn wanted(&self, oid: Oid) -> Result<Option<BTreeMap<String, Oid>>> {
        if !oid.is_dir {
            return Ok(Some(BTreeMap::from([(String::new(), oid)])));
        }
        let Some(tree) = self.repo.tree(oid)? else { return Ok(None) };
        let file = |md5: Md5| Oid { md5, is_dir: false, is_legacy: oid.is_legacy };
        Ok(Some(tree.files().iter().map(|(path, md5)| (path.clone(), file(*md5))).collect()))
    }

    fn plan(
        &mut self,
        out: &Out,
        wanted: &BTreeMap<String, Oid>,
        state: &State,
        options: CheckoutOptions,
        lost: &mut Vec<String>,
    ) -> Result<Plan> {
        let full = |path: &str| if path.is_empty() { out.path.clone() } else { format!("{}/{path}", out.path) };
        let present: BTreeMap<&str, Md5> = match state {
            State::Nothing => BTreeMap::new(),
            State::File { md5 } => BTreeMap::from([("", *md5)]),
            State::Folder { listing, hashes } => listing.files.iter().map(|file| file.path.as_str()).zip(hashes.iter().copied()).collect(),
        };
        if let State::Folder { listing, .. } = state {
            let behind = wanted.keys().find_map(|path| listing.skipped.iter().find(|link| is_at_or_below(path, link)));
            if let Some(link) = behind {
                let path = walk::absolute(self.repo.root(), &full(link));
                return Err(VersionsError::Unfit { path, why: "a link to a folder is where data should be" });
            }
        }
        let is_dir = out.is_dir();
        let mut plan = Plan { is_executable: out.entry.is_executable, is_new: matches!(state, State::Nothing), is_dir, ..Plan::default() };
        let is_legacy = out.entry.oid.is_some_and(|oid| oid.is_legacy);
        let mut losing = |work: &mut Self, path: &str, md5: Md5| -> Result<()> {
            let oid = Oid { is_legacy, ..Oid::file(md5) };
            if !options.force && work.is_whole(oid)? != Some(true) {
                lost.push(full(path));
            }
            Ok(())
        };
        for (path, oid) in wanted {
            let now = present.get(path.as_str()).copied();
            if now == Some(oid.md5) && !options.relink {
                continue;
            }
            if let Some(md5) = now.filter(|md5| *md5 != oid.md5) {
                losing(self, path, md5)?;
            }
            plan.write.push((NamedOid { name: full(path), oid: *oid }, now.is_some()));
        }
        for (path, md5) in present.iter().filter(|(path, _)| !wanted.contains_key(**path)) {
            losing(self, path, *md5)?;
            plan.remove.push(full(path));
        }
        if let State::Folder { listing, .. } = state {
            let is_emptied = |folder: &str| plan.remove.iter().any(|path| is_at_or_below(path, &full(folder)));
            let is_in_the_way =
                |folder: &str| wanted.contains_key(folder) || wanted.keys().any(|path| !path.is_empty() && is_at_or_below(folder, path));
            let mut empty: Vec<String> = listing
                .folders
                .iter()
                .filter(|folder| !is_dir || is_emptied(folder) || is_in_the_way(folder))
                .map(|folder| full(folder))
                .collect();
            if !is_dir {
                empty.push(out.path.clone());
            }
            // The inner before the outer.
            empty.sort_by_key(|path| std::cmp::Reverse(path.matches('/').count()));
            plan.empty = empty;
        }
        Ok(plan)
    }

    fn carry_out(
        &mut self,
        out: &Out,
        plan: Plan,
        done: &mut CheckedOut,
        missing: &mut Vec<NamedOid>,
        corrupted: &mut Vec<NamedOid>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let objects: Vec<NamedOid> = plan.write.iter().map(|(object, _)| object.clone()).collect();
        let (gone, bad) = self.examine(&objects, progress)?;
        let unusable: HashSet<String> = gone.iter().chain(&bad).map(|object| object.name.clone()).collect();
        missing.extend(gone);
        corrupted.extend(bad);
        if !unusable.is_empty() && unusable.len() == plan.write.len() && plan.remove.is_empty() {
            return Ok(());
        }
        let root = self.repo.root().to_owned();
        plan.remove.par_iter().try_for_each(|name| {
            let path = walk::absolute(&root, name);
            fs::remove_file(&path).doing("remove", &path)
        })?;
        for name in &plan.empty {
            let path = walk::absolute(&root, name);
            match fs::remove_dir(&path) {
                Err(error) if !matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => {
                    return Err(error).doing("remove", path);
                }
                _ => {}
            }
        }
        let write: Vec<&(NamedOid, bool)> = plan.write.iter().filter(|(object, _)| !unusable.contains(&object.name)).collect();
        let folders: HashSet<&str> =
            write.iter().filter_map(|(object, _)| object.name.rsplit_once('/').map(|(folder, _)| folder)).collect();
        for folder in folders {
            let path = walk::absolute(&root, folder);
            walk::check_way(&root, &path.join("x"))?;
            fs::create_dir_all(&path).doing("make the folder", path)?;
        }
        if plan.is_dir {
            let path = walk::absolute(&root, &out.path);
            fs::create_dir_all(&path).doing("make the folder", path)?;
        }
        progress.begin(&format!("checking out `{}`", out.path), write.len() as u64);
        let (link, place, cache) = (self.repo.link()?, self.repo.place_for_files(), self.repo.cache());
        let stamps: Result<Vec<Stamp>> = write
            .par_iter()
            .map(|(object, _)| {
                let path = walk::absolute(&root, &object.name);
                cache.place(object.oid, &path, link, plan.is_executable, &place)?;
                progress.advance(1);
                Ok(Stamp::of(&fs::metadata(&path).doing("look at", &path)?))
            })
            .collect();
        for ((object, _), stamp) in write.iter().zip(stamps?) {
            if !object.oid.is_legacy {
                self.index.remember_written(&object.name, stamp, object.oid.md5);
            }
            if link.is_shared()
                && let Some(stamp) = cache.stamp(object.oid)?
            {
                self.index.remember_object(object.oid, stamp);
            }
        }
        if let Some(oid) = out.entry.oid {
            self.index.remember_out(&out.path, oid);
        }
        let shown = if plan.is_dir { format!("{}/", out.path) } else { out.path.clone() };
        done.files.deleted += plan.remove.len();
        done.files.added += write.iter().filter(|(_, is_there)| !is_there).count();
        done.files.modified += write.iter().filter(|(_, is_there)| *is_there).count();
        if plan.is_new {
            done.added.push(shown);
        } else if !write.is_empty() || !plan.remove.is_empty() {
            done.modified.push(shown);
        }
        Ok(())
    }

    /// Removes outputs that were put here and that nothing tracks any more, if they are as they were and in the cache.
    fn remove_untracked(&mut self, tracked: &Tracked, done: &mut CheckedOut, progress: &dyn Progress) -> Result<()> {
        let is_tracked = |path: &str| tracked.outs().any(|out| is_at_or_below(path, &out.path) || is_at_or_below(&out.path, path));
        let gone: Vec<(String, Oid)> =
            self.index.outs().filter(|(path, _)| !is_tracked(path)).map(|(path, oid)| (path.to_owned(), oid)).collect();
        for (path, oid) in gone {
            self.index.forget_out(&path);
            if walk::check_way(self.repo.root(), &walk::absolute(self.repo.root(), &path)).is_err() {
                continue;
            }
            let Ok(state) = self.state(&path, oid.is_legacy, progress) else { continue };
            if matches!(state, State::Nothing) {
                continue;
            }
            let mut is_saved = state.oid(oid.is_legacy) == Some(oid) && self.is_whole(oid)? == Some(true);
            for md5 in state.tree().files().values() {
                is_saved = is_saved && self.is_whole(Oid { is_legacy: oid.is_legacy, ..Oid::file(*md5) })? == Some(true);
            }
            if !is_saved {
                progress.note(&format!("`{path}` is tracked no more and stays, for it is saved nowhere else"));
                continue;
            }
            let absolute = walk::absolute(self.repo.root(), &path);
            if let State::Folder { listing, .. } = state {
                done.files.deleted += listing.files.len();
                for file in &listing.files {
                    fs::remove_file(absolute.join(&file.path)).doing("remove", absolute.join(&file.path))?;
                }
                for folder in listing.folders.iter().rev() {
                    let _ = fs::remove_dir(absolute.join(folder));
                }
                let _ = fs::remove_dir(&absolute);
                done.deleted.push(format!("{path}/"));
            } else {
                fs::remove_file(&absolute).doing("remove", &absolute)?;
                done.files.deleted += 1;
                done.deleted.push(path.clone());
            }
            self.index.forget_files(&path, |_| false);
        }
        Ok(())
    }
}
