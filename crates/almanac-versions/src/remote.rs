//! Where objects are shared: a folder, or a bucket. The tree is that of the cache.
//!
//! Not here: which objects go there (`ops/transfer.rs`).

mod folder;
mod object;
mod open;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::cache::Cache;
use crate::config::{Config, RemoteConfig};
use crate::error::{NamedOid, Result, VersionsError};
use crate::files::Stamp;
use crate::hash::Oid;
use crate::progress::Progress;
use crate::repo::Repo;

/// A remote, open.
#[derive(Debug)]
pub struct Remote {
    name: String,
    store: Store,
}

#[derive(Debug)]
enum Store {
    Folder(folder::Folder),
    Object(object::ObjectRemote),
}

pub(crate) use open::open as open_bucket;

/// What became of one object.
pub(crate) type Outcome = (NamedOid, Result<Option<Stamp>>);

impl Repo {
    /// Opens a remote by name, or the default one. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If there is none of this name, or its address is of a kind that is not supported.
    pub fn remote(&self, name: Option<&str>) -> Result<Remote> {
        Remote::open(self.config(), self.config().remote(name)?)
    }
}

impl Remote {
    fn open(config: &Config, remote: RemoteConfig) -> Result<Self> {
        let name = remote.name.clone();
        let problem = |problem: &str| VersionsError::Remote { name: name.clone(), problem: problem.to_owned() };
        if remote.flag("worktree") == Some(true) || remote.flag("version_aware") == Some(true) {
            return Err(problem("remotes that keep versions by the bucket's own means are not supported"));
        }
        let store = match remote.url.split_once("://") {
            None => Store::Folder(folder::Folder::new(remote.url.clone().into())),
            Some(("file", path)) => Store::Folder(folder::Folder::new(path.into())),
            Some(("remote", rest)) => {
                let (other, path) = rest.split_once('/').unwrap_or((rest, ""));
                let mut other = config.remote(Some(other))?;
                if other.url.starts_with("remote://") {
                    return Err(problem("it stands for a remote that stands for another"));
                }
                other.url = format!("{}/{path}", other.url.trim_end_matches('/'));
                other.name.clone_from(&name);
                return Self::open(config, other);
            }
            Some(_) => Store::Object(object::ObjectRemote::new(name.clone(), open::open(&remote)?)?),
        };
        Ok(Self { name, store })
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns which of these objects it has.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub fn existing(&self, oids: &[Oid]) -> Result<HashSet<Oid>> {
        match &self.store {
            Store::Folder(folder) => folder.existing(oids),
            Store::Object(bucket) => bucket.existing(oids),
        }
    }

    /// Lists all objects.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub fn list(&self) -> Result<Vec<Oid>> {
        match &self.store {
            Store::Folder(folder) => folder.list(),
            Store::Object(bucket) => bucket.list(),
        }
    }

    /// Removes objects.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn remove(&self, oids: &[Oid]) -> Result<()> {
        match &self.store {
            Store::Folder(folder) => folder.remove(oids),
            Store::Object(bucket) => bucket.remove(oids),
        }
    }

    /// Sends objects that the cache has. Each is checked while it is read: a corrupted one does not arrive.
    pub(crate) fn send(&self, cache: &Cache, objects: Vec<NamedOid>, jobs: Option<usize>, progress: &dyn Progress) -> Vec<Outcome> {
        match &self.store {
            Store::Folder(folder) => folder.send(cache, objects, progress),
            Store::Object(bucket) => bucket.send(cache, objects, jobs, progress),
        }
    }

    /// Makes what was sent survive a power loss.
    pub(crate) fn sync(&self) -> Result<()> {
        match &self.store {
            Store::Folder(folder) => folder.sync(),
            Store::Object(_) => Ok(()),
        }
    }

    /// Fetches objects into the cache, each checked before it gets its name there.
    pub(crate) fn fetch(&self, cache: &Arc<Cache>, objects: Vec<NamedOid>, jobs: Option<usize>, progress: &dyn Progress) -> Vec<Outcome> {
        match &self.store {
            Store::Folder(folder) => folder.fetch(&self.name, cache, objects, progress),
            Store::Object(bucket) => bucket.fetch(cache, objects, jobs, progress),
        }
    }
}

pub(crate) fn corrupt_in(remote: &str, object: &NamedOid) -> VersionsError {
    VersionsError::Corrupt { place: format!("in remote `{remote}`"), objects: vec![object.clone()] }
}

pub(crate) fn missing_in(remote: &str, object: &NamedOid) -> VersionsError {
    VersionsError::Missing { place: format!("from the cache and from remote `{remote}`"), objects: vec![object.clone()] }
}

/// The first two digits of the names of objects.
pub(crate) fn prefixes(oids: &[Oid]) -> BTreeSet<u8> {
    oids.iter().filter(|oid| !oid.is_legacy).map(|oid| oid.md5.0[0]).collect()
}
