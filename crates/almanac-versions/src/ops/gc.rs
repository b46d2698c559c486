//! `gc`: removes objects that nothing refers to.
//!
//! What cannot be understood keeps everything: a list of a folder that is nowhere, or a commit whose pointers cannot be read, stops
//! the collection unless it is forced.

use std::collections::HashSet;

use crate::error::{NamedOid, Result, VersionsError};
use crate::git::Which;
use crate::hash::Oid;
use crate::progress::Progress;
use crate::repo::Repo;

/// What to keep, and where to collect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcOptions {
    /// Keep what these commits use. The working folder's is always kept.
    pub commits: Vec<Which>,
    /// Collect in a remote too.
    pub cloud: bool,
    /// Which remote; the default one where none is named.
    pub remote: Option<String>,
    /// Collect although something is not known.
    pub force: bool,
    /// Only say what would be removed.
    pub dry: bool,
    /// Keep also what these other repositories, with the same cache, use.
    pub repos: Vec<std::path::PathBuf>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects removed from the cache, or that would be.
    pub cache: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Objects removed from the remote, if it was asked for.
    pub remote: Option<usize>,
}

impl Repo {
    /// Collects garbage.
    ///
    /// # Errors
    /// If what is used cannot be known, or the cache or remote cannot be read or written.
    pub fn gc(&self, options: &GcOptions, progress: &dyn Progress) -> Result<Collected> {
        let mut work = self.begin()?;
        let mut used: HashSet<Oid> = HashSet::new();
        let mut unknown: Vec<NamedOid> = Vec::new();
        let mut unreadable: Vec<String> = Vec::new();
        let others: Vec<Self> = options.repos.iter().map(|folder| Self::open(folder)).collect::<Result<_>>()?;
        for repo in std::iter::once(self).chain(&others) {
            let (outs, bad) = repo.outs_of(&options.commits)?;
            unreadable.extend(bad);
            for out in outs {
                let Some(oid) = out.oid() else { continue };
                used.insert(oid);
                match repo.objects_of(&out) {
                    Ok(Some(objects)) => used.extend(objects.into_iter().map(|object| object.oid)),
                    Ok(None) | Err(VersionsError::Corrupt { .. }) => unknown.push(NamedOid { name: out.path.clone(), oid }),
                    Err(other) => return Err(other),
                }
            }
        }
        unknown.sort();
        unknown.dedup_by_key(|object| object.oid);
        if !unknown.is_empty() {
            // The list may be in the remote only; with it, its files are known.
            unknown = work.fetch_lists(options.remote.as_deref(), unknown, progress)?;
            for object in std::mem::take(&mut unknown) {
                match self.tree(object.oid)? {
                    Some(tree) => used.extend(tree.files().values().map(|md5| Oid { is_legacy: object.oid.is_legacy, ..Oid::file(*md5) })),
                    None => unknown.push(object),
                }
            }
        }
        if !options.force {
            if let Some(first) = unreadable.first() {
                return Err(VersionsError::usage(format!(
                    "pointers of a commit cannot be read, and what they use is not known: {first}; `--force` collects all the same"
                )));
            }
            if !unknown.is_empty() {
                return Err(VersionsError::Missing {
                    place: "from the cache and the remote, and what they use is not known".to_owned(),
                    objects: unknown,
                });
            }
        }
        let mut collected = Collected::default();
        for oid in self.cache().list()?.into_iter().filter(|oid| !used.contains(oid)) {
            collected.cache += 1;
            collected.bytes += self.cache().stamp(oid)?.map_or(0, |stamp| stamp.size);
            if !options.dry {
                self.cache().remove(oid)?;
                work.index.forget_object(oid);
            }
        }
        work.index.save()?;
        if options.cloud {
            let remote = self.remote(options.remote.as_deref())?;
            let unused: Vec<Oid> = remote.list()?.into_iter().filter(|oid| !used.contains(oid)).collect();
            collected.remote = Some(unused.len());
            if !options.dry {
                remote.remove(&unused)?;
            }
        }
        Ok(collected)
    }
}
