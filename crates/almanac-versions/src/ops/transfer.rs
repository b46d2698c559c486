//! `push`, `fetch`, `pull`: objects between the cache and a remote.
//!
//! What has arrived stays, whatever happens after; a repetition transfers the rest. The list of a folder is sent behind its files, so
//! that a remote that has the list has the folder.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::{NamedOid, Result, VersionsError};
use crate::git::Which;
use crate::hash::Oid;
use crate::index::is_at_or_below;
use crate::ops::checkout::{CheckedOut, CheckoutOptions};
use crate::outs::Out;
use crate::progress::Progress;
use crate::remote::{Outcome, Remote};
use crate::repo::Repo;
use crate::work::Work;

/// What to transfer and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferOptions {
    /// What these commits use too.
    pub commits: Vec<Which>,
    /// Everything tracked below the targets.
    pub recursive: bool,
    /// Transfers at once.
    pub jobs: Option<usize>,
}

/// What was transferred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transferred {
    /// Objects.
    pub objects: usize,
    /// Objects of the cache that were corrupted and are replaced.
    pub mended: Vec<NamedOid>,
}

/// An object that is needed, and the remote that its output names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Needed {
    object: NamedOid,
    remote: Option<String>,
    is_pushed: bool,
}

impl Repo {
    /// Sends what the remote does not have.
    ///
    /// # Errors
    /// If objects are nowhere, corrupted in the cache, or could not be sent; all others are there then.
    pub fn push(
        &self,
        remote: Option<&str>,
        targets: &[String],
        options: &TransferOptions,
        progress: &dyn Progress,
    ) -> Result<Transferred> {
        let mut work = self.begin()?;
        let needed = work.needed(targets, options, progress)?;
        let mut done = Transferred::default();
        let mut failures: Vec<Outcome> = Vec::new();
        let mut missing = Vec::new();
        for (remote, objects) in work.by_remote(remote, needed, true)? {
            let there = remote.existing(&objects.iter().map(|object| object.oid).collect::<Vec<_>>())?;
            let mut todo = Vec::new();
            for object in objects.into_iter().filter(|object| !there.contains(&object.oid)) {
                if self.cache().stamp(object.oid)?.is_some() { todo.push(object) } else { missing.push(object) }
            }
            let (lists, files): (Vec<_>, Vec<_>) = todo.into_iter().partition(|object| object.oid.is_dir);
            progress.begin(&format!("pushing to `{}`", remote.name()), self.bytes(files.iter().chain(&lists))?);
            let absent: HashSet<Oid> = missing.iter().map(|object| object.oid).collect();
            let (sent, failed) = split(remote.send(self.cache(), files, options.jobs, progress));
            done.objects += sent;
            let unsent: HashSet<Oid> = failed.iter().map(|(object, _)| object.oid).chain(absent).collect();
            failures.extend(failed);
            let mut complete = Vec::new();
            for list in lists {
                let tree = self.tree(list.oid)?.unwrap_or_default();
                let is_complete =
                    !tree.files().values().any(|md5| unsent.contains(&Oid { is_legacy: list.oid.is_legacy, ..Oid::file(*md5) }));
                if is_complete {
                    complete.push(list);
                }
            }
            let (sent, failed) = split(remote.send(self.cache(), complete, options.jobs, progress));
            done.objects += sent;
            failures.extend(failed);
            remote.sync()?;
        }
        for (object, outcome) in &failures {
            // So that the next `add` or `fetch` puts a whole one in its place.
            if matches!(outcome, Err(VersionsError::Corrupt { .. })) {
                self.cache().remove(object.oid)?;
                work.index.forget_object(object.oid);
            }
        }
        work.index.save()?;
        fail_of("pushed", done.objects, failures)?;
        if missing.is_empty() {
            Ok(done)
        } else {
            Err(VersionsError::Missing { place: "from the cache and the remote".to_owned(), objects: missing })
        }
    }

    /// Gets what the cache does not have, or has corrupted.
    ///
    /// # Errors
    /// If objects are nowhere, corrupted in the remote, or could not be read; all others are in the cache then.
    pub fn fetch(
        &self,
        remote: Option<&str>,
        targets: &[String],
        options: &TransferOptions,
        progress: &dyn Progress,
    ) -> Result<Transferred> {
        let mut work = self.begin()?;
        let result = work.fetch(remote, targets, options, progress);
        let saved = work.index.save();
        result.and_then(|done| saved.map(|()| done))
    }

    /// Gets every object of a remote that the cache does not have, whatever names it; returns how many came.
    ///
    /// # Errors
    /// If the remote cannot be listed, or an object cannot be read or is corrupted there; all others are in the cache then.
    pub fn fetch_everything(&self, remote: &str, progress: &dyn Progress) -> Result<usize> {
        let remote = self.remote(Some(remote))?;
        let work = self.begin()?;
        let mut todo = Vec::new();
        for oid in remote.list()? {
            if self.cache().stamp(oid)?.is_none() {
                todo.push(NamedOid { name: oid.to_string(), oid });
            }
        }
        if todo.is_empty() {
            return Ok(0);
        }
        progress.begin(&format!("fetching from `{}`", remote.name()), 0);
        let (fetched, failures) = split(remote.fetch(self.cache(), todo, None, progress));
        drop(work);
        fail_of("fetched", fetched, failures)?;
        Ok(fetched)
    }

    /// Fetches, then makes the working folder what the pointers say.
    ///
    /// # Errors
    /// As `fetch` and `checkout`. What was fetched is checked out even if something else was not.
    pub fn pull(
        &self,
        remote: Option<&str>,
        targets: &[String],
        options: &TransferOptions,
        checkout: CheckoutOptions,
        progress: &dyn Progress,
    ) -> Result<(Transferred, CheckedOut)> {
        let mut work = self.begin()?;
        let fetched = work.fetch(remote, targets, options, progress);
        let tracked = self.tracked()?;
        let out = work.checkout(&tracked, targets, checkout, progress);
        work.index.save()?;
        match (fetched, out) {
            (Err(VersionsError::Missing { .. }), Ok(out)) if checkout.allow_missing => Ok((Transferred::default(), out)),
            (fetched, out) => Ok((fetched?, out?)),
        }
    }

    fn bytes<'o>(&self, objects: impl Iterator<Item = &'o NamedOid>) -> Result<u64> {
        let mut bytes = 0;
        for object in objects {
            bytes += self.cache().stamp(object.oid)?.map_or(0, |stamp| stamp.size);
        }
        Ok(bytes)
    }
}

impl Work<'_> {
    fn fetch(
        &mut self,
        remote: Option<&str>,
        targets: &[String],
        options: &TransferOptions,
        progress: &dyn Progress,
    ) -> Result<Transferred> {
        let outs = self.outs(targets, options)?;
        let lists: Vec<Needed> = outs.iter().filter_map(|(out, _)| needed_of(out, out.oid().filter(|oid| oid.is_dir)?, None)).collect();
        let mut done = Transferred::default();
        let mut failures = Vec::new();
        self.fetch_needed(remote, lists, options, &mut done, &mut failures, progress)?;
        let failed: HashSet<Oid> = failures.iter().map(|(object, _)| object.oid).collect();
        let mut needed = self.needed(targets, options, progress)?;
        needed.retain(|needed| !failed.contains(&needed.object.oid));
        self.fetch_needed(remote, needed, options, &mut done, &mut failures, progress)?;
        fail_of("fetched", done.objects, failures)?;
        Ok(done)
    }

    fn fetch_needed(
        &mut self,
        remote: Option<&str>,
        needed: Vec<Needed>,
        options: &TransferOptions,
        done: &mut Transferred,
        failures: &mut Vec<Outcome>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let objects: Vec<NamedOid> = needed.iter().map(|needed| needed.object.clone()).collect();
        let (missing, corrupted) = self.examine(&objects, progress)?;
        for object in &corrupted {
            progress.note(&format!("{object} was corrupted in the cache and is fetched again"));
        }
        let wanted: HashSet<Oid> = missing.iter().chain(&corrupted).map(|object| object.oid).collect();
        done.mended.extend(corrupted);
        let needed: Vec<Needed> = needed.into_iter().filter(|needed| wanted.contains(&needed.object.oid)).collect();
        if needed.is_empty() {
            return Ok(());
        }
        for (remote, objects) in self.by_remote(remote, needed, false)? {
            progress.begin(&format!("fetching from `{}`", remote.name()), 0);
            for (object, outcome) in remote.fetch(self.repo.cache(), objects, options.jobs, progress) {
                match outcome {
                    Ok(stamp) => {
                        done.objects += 1;
                        if let Some(stamp) = stamp {
                            self.index.remember_object(object.oid, stamp);
                        }
                    }
                    Err(error) => failures.push((object, Err(error))),
                }
            }
        }
        Ok(())
    }

    /// Gets lists of folders from wherever they are; returns those that are nowhere.
    pub(crate) fn fetch_lists(&mut self, remote: Option<&str>, lists: Vec<NamedOid>, progress: &dyn Progress) -> Result<Vec<NamedOid>> {
        match self.repo.remote(remote) {
            Ok(remote) => {
                for (object, outcome) in remote.fetch(self.repo.cache(), lists.clone(), None, progress) {
                    if let Ok(Some(stamp)) = outcome {
                        self.index.remember_object(object.oid, stamp);
                    }
                }
                Ok(lists)
            }
            Err(VersionsError::NoRemote) => Ok(lists),
            Err(other) => Err(other),
        }
    }

    /// The outputs that are meant, with the part of a folder that is.
    fn outs(&self, targets: &[String], options: &TransferOptions) -> Result<Vec<(Out, Option<String>)>> {
        let tracked = self.repo.tracked()?;
        let mut outs: Vec<(Out, Option<String>)> =
            Self::select(&tracked, targets, options.recursive)?.into_iter().map(|(out, part)| (out.clone(), part)).collect();
        if !options.commits.is_empty() {
            let (all, unreadable) = self.repo.outs_of(&options.commits)?;
            if let Some(first) = unreadable.into_iter().next() {
                return Err(VersionsError::usage(format!("pointers of a commit cannot be read: {first}")));
            }
            outs.extend(all.into_iter().filter(|out| targets.is_empty() || targets.contains(&out.path)).map(|out| (out, None)));
        }
        Ok(outs)
    }

    /// The objects of what is meant, each once. Those of a folder whose list is not in the cache are not known: the list stands for them.
    pub(crate) fn needed(&mut self, targets: &[String], options: &TransferOptions, progress: &dyn Progress) -> Result<Vec<Needed>> {
        let mut seen = BTreeSet::new();
        let mut needed = Vec::new();
        for (out, part) in self.outs(targets, options)? {
            let Some(oid) = out.oid() else { continue };
            let objects = match self.repo.objects_of(&out) {
                Ok(Some(objects)) => objects,
                Ok(None) => {
                    progress.note(&format!("the list of `{}` is not in the cache", out.path));
                    vec![NamedOid { name: out.path.clone(), oid }]
                }
                Err(VersionsError::Corrupt { .. }) => {
                    self.repo.cache().remove(oid)?;
                    self.index.forget_object(oid);
                    vec![NamedOid { name: out.path.clone(), oid }]
                }
                Err(other) => return Err(other),
            };
            let inside = part.map(|part| format!("{}/{part}", out.path));
            for object in objects {
                let is_meant = object.oid.is_dir || inside.as_ref().is_none_or(|inside| is_at_or_below(&object.name, inside));
                if is_meant && seen.insert((out.entry.remote.clone(), object.oid)) {
                    needed.push(Needed { object, remote: out.entry.remote.clone(), is_pushed: out.entry.is_pushed });
                }
            }
        }
        Ok(needed)
    }

    /// Sorts objects by the remote they belong to.
    pub(crate) fn by_remote(&self, name: Option<&str>, needed: Vec<Needed>, is_push: bool) -> Result<Vec<(Remote, Vec<NamedOid>)>> {
        let mut groups: BTreeMap<Option<String>, Vec<NamedOid>> = BTreeMap::new();
        for needed in needed.into_iter().filter(|needed| needed.is_pushed || !is_push) {
            groups.entry(needed.remote).or_default().push(needed.object);
        }
        if groups.is_empty() {
            // Even if there is nothing to do, a remote that is not there is told.
            self.repo.config().remote(name)?;
        }
        groups
            .into_iter()
            .map(|(own, mut objects)| {
                let mut seen = HashSet::new();
                objects.retain(|object| seen.insert(object.oid));
                Ok((self.repo.remote(own.as_deref().or(name))?, objects))
            })
            .collect()
    }
}

fn needed_of(out: &Out, oid: Oid, name: Option<String>) -> Option<Needed> {
    let object = NamedOid { name: name.unwrap_or_else(|| out.path.clone()), oid };
    out.entry.is_cached.then(|| Needed { object, remote: out.entry.remote.clone(), is_pushed: out.entry.is_pushed })
}

/// How many went well, and the others.
fn split(outcomes: Vec<Outcome>) -> (usize, Vec<Outcome>) {
    let (well, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, outcome)| outcome.is_ok());
    (well.len(), failed)
}

/// One error for many. Those that are only missing or corrupted are named together.
fn fail_of(verb: &'static str, well: usize, failures: Vec<Outcome>) -> Result<()> {
    let failed = failures.len();
    let mut first = None;
    let mut same: Option<VersionsError> = None;
    let mut is_uniform = true;
    for (object, outcome) in failures {
        let Err(error) = outcome else { continue };
        match (&mut same, &error) {
            (None, VersionsError::Missing { .. } | VersionsError::Corrupt { .. }) => same = Some(clone_of(&error)),
            (Some(VersionsError::Missing { objects, .. }), VersionsError::Missing { objects: more, .. })
            | (Some(VersionsError::Corrupt { objects, .. }), VersionsError::Corrupt { objects: more, .. }) => {
                objects.extend(more.iter().cloned());
            }
            _ => is_uniform = false,
        }
        first.get_or_insert((object.name, error));
    }
    match (same.filter(|_| is_uniform), first) {
        (Some(same), _) => Err(same),
        (None, Some((name, source))) => Err(VersionsError::Transfer { verb, failed, total: well + failed, name, source: Box::new(source) }),
        (None, None) => Ok(()),
    }
}

fn clone_of(error: &VersionsError) -> VersionsError {
    match error {
        VersionsError::Missing { place, objects } => VersionsError::Missing { place: place.clone(), objects: objects.clone() },
        VersionsError::Corrupt { place, objects } => VersionsError::Corrupt { place: place.clone(), objects: objects.clone() },
        other => VersionsError::usage(other.to_string()),
    }
}
