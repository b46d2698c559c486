//! A repository while one process works on it: what is at a path now, which objects are whole, what targets mean.
//!
//! Not here: the verbs, one file each under `ops/`; what is tracked (`outs.rs`).

use std::fs;
use std::io;

use rayon::prelude::*;

use crate::error::{Doing, NamedOid, Result, VersionsError};
use crate::files::{self, Stamp};
use crate::hash::{self, Md5, Oid};
use crate::ignore::Ignore;
use crate::index::{Index, is_at_or_below};
use crate::lock::Lock;
use crate::outs::{Out, Tracked};
use crate::progress::Progress;
use crate::repo::Repo;
use crate::tree::{self, Tree};
use crate::walk::{self, Found, Listing};

/// The repository while one process works on it.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) index: Index,
    pub(crate) ignore: Ignore,
    _lock: Lock,
}

/// What is at a path now.
#[derive(Debug)]
pub(crate) enum State {
    Nothing,
    File { md5: Md5 },
    Folder { listing: Listing, hashes: Vec<Md5> },
}

impl State {
    /// Returns what an output of this content is called.
    pub(crate) fn oid(&self, is_legacy: bool) -> Option<Oid> {
        let oid = match self {
            Self::Nothing => return None,
            Self::File { md5 } => Oid::file(*md5),
            Self::Folder { listing, hashes } => {
                let files = listing.files.iter().map(|file| file.path.as_str()).zip(hashes.iter().copied());
                Oid::dir(Md5::of(&tree::list_bytes(hashes.len(), files)))
            }
        };
        Some(Oid { is_legacy, ..oid })
    }

    /// Returns the files of a folder; those of anything else are none.
    pub(crate) fn tree(&self) -> Tree {
        match self {
            Self::Folder { listing, hashes } => Tree::new(listing.files.iter().map(|file| file.path.clone()).zip(hashes.iter().copied())),
            _ => Tree::default(),
        }
    }
}

impl<'a> Work<'a> {
    /// `lock`: held as long as the work goes on.
    pub(crate) fn new(repo: &'a Repo, index: Index, ignore: Ignore, lock: Lock) -> Self {
        Self { repo, index, ignore, _lock: lock }
    }
}

impl Work<'_> {
    /// Looks at a path and hashes what the index does not know.
    pub(crate) fn state(&mut self, path: &str, is_legacy: bool, progress: &dyn Progress) -> Result<State> {
        let absolute = walk::absolute(self.repo.root(), path);
        let metadata = match fs::symlink_metadata(&absolute) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(State::Nothing),
            Err(error) => return Err(error).doing("look at", absolute),
        };
        if metadata.is_dir() {
            let listing = walk::list(&absolute, &mut self.ignore)?;
            let hashes = self.hash(path, &listing.files, is_legacy, progress)?;
            return Ok(State::Folder { listing, hashes });
        }
        let is_link = metadata.is_symlink();
        let metadata = if is_link { walk::followed(&absolute)? } else { metadata };
        if metadata.is_dir() {
            return Err(VersionsError::Unfit { path: absolute, why: "it is a link to a folder" });
        }
        let stamp = walk::regular(&absolute, &metadata)?;
        let file = Found { path: String::new(), stamp, is_link };
        let md5 = self.hash(path, &[file], is_legacy, progress)?[0];
        Ok(State::File { md5 })
    }

    /// The hashes of files at or below a path, in order.
    fn hash(&mut self, at: &str, files: &[Found], is_legacy: bool, progress: &dyn Progress) -> Result<Vec<Md5>> {
        let mut name = at.to_owned();
        let mut known = |file: &Found| {
            if is_legacy {
                return None;
            }
            name.truncate(at.len());
            if !file.path.is_empty() {
                name.push('/');
                name.push_str(&file.path);
            }
            self.index.file(&name, file.stamp)
        };
        let mut hashes: Vec<Option<Md5>> = files.iter().map(&mut known).collect();
        let unknown: Vec<usize> = (0..files.len()).filter(|at| hashes[*at].is_none()).collect();
        if unknown.is_empty() {
            return Ok(hashes.into_iter().flatten().collect());
        }
        progress.begin("hashing", unknown.iter().map(|at| files[*at].stamp.size).sum());
        let root = self.repo.root();
        let found: Vec<Result<(usize, String, Md5)>> = unknown
            .into_par_iter()
            .map(|which| {
                let file = &files[which];
                let name = if file.path.is_empty() { at.to_owned() } else { format!("{at}/{}", file.path) };
                let path = walk::absolute(root, &name);
                let md5 = hash::hash_file(&path, is_legacy)?;
                if !files::is_unchanged(&path, file.stamp) {
                    return Err(VersionsError::Changed { path });
                }
                progress.advance(file.stamp.size);
                Ok((which, name, md5))
            })
            .collect();
        for found in found {
            let (which, name, md5) = found?;
            if !is_legacy {
                self.index.remember_file(&name, files[which].stamp, md5);
            }
            hashes[which] = Some(md5);
        }
        Ok(hashes.into_iter().flatten().collect())
    }

    /// Tells whether an object is there and whole, hashing it if it is not known to be.
    pub(crate) fn is_whole(&mut self, oid: Oid) -> Result<Option<bool>> {
        let Some(stamp) = self.repo.cache().stamp(oid)? else { return Ok(None) };
        if self.index.is_whole(oid, stamp) {
            return Ok(Some(true));
        }
        let is_whole = self.repo.cache().verify(oid)?;
        if is_whole {
            self.index.remember_object(oid, stamp);
        }
        Ok(Some(is_whole))
    }

    /// Sorts objects into missing and corrupted ones; those that are neither are remembered as whole. Corrupted ones are removed,
    /// so that they are fetched or added anew.
    pub(crate) fn examine(&mut self, objects: &[NamedOid], progress: &dyn Progress) -> Result<(Vec<NamedOid>, Vec<NamedOid>)> {
        let index = &self.index;
        let cache = self.repo.cache();
        let looked: Result<Vec<(Option<Stamp>, bool)>> = objects
            .par_iter()
            .map(|object| match cache.stamp(object.oid)? {
                None => Ok((None, false)),
                Some(stamp) if index.is_whole(object.oid, stamp) => Ok((None, true)),
                Some(stamp) => {
                    let is_whole = cache.verify(object.oid)?;
                    progress.advance(stamp.size);
                    Ok((Some(stamp), is_whole))
                }
            })
            .collect();
        let (mut missing, mut corrupted) = (Vec::new(), Vec::new());
        for (object, (stamp, is_whole)) in objects.iter().zip(looked?) {
            match (stamp, is_whole) {
                (Some(stamp), true) => self.index.remember_object(object.oid, stamp),
                (None, true) => {}
                (None, false) => missing.push(object.clone()),
                (Some(_), false) => {
                    self.repo.cache().remove(object.oid)?;
                    self.index.forget_object(object.oid);
                    corrupted.push(object.clone());
                }
            }
        }
        Ok((missing, corrupted))
    }

    /// Finds what targets mean: outputs, pointer files, stages, or files inside a tracked folder, then with the path inside.
    pub(crate) fn select<'t>(tracked: &'t Tracked, targets: &[String], recursive: bool) -> Result<Vec<(&'t Out, Option<String>)>> {
        if targets.is_empty() {
            return Ok(tracked.outs().map(|out| (out, None)).collect());
        }
        let mut selected: Vec<(&Out, Option<String>)> = Vec::new();
        for target in targets {
            let before = selected.len();
            for stage in &tracked.stages {
                let is_stage = stage.address == *target || stage.outs.first().is_some_and(|out| out.file == *target && out.stage.is_some());
                for out in &stage.outs {
                    if is_stage
                        || out.path == *target
                        || recursive && (is_at_or_below(&out.path, target) || is_at_or_below(&out.file, target))
                    {
                        selected.push((out, None));
                    } else if out.is_dir() && is_at_or_below(target, &out.path) {
                        selected.push((out, Some(target[out.path.len() + 1..].to_owned())));
                    }
                }
            }
            if selected.len() == before {
                return Err(VersionsError::NotTracked { target: target.clone() });
            }
        }
        Ok(selected)
    }
}
