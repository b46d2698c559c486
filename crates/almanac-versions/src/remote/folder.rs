//! A remote that is a folder, on this machine or mounted.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use rayon::prelude::*;

use crate::cache::{self, Cache};
use crate::error::{Doing, NamedOid, Result, VersionsError};
use crate::files::{self, Stamp, Temporary};
use crate::hash::{self, Hasher, Oid};
use crate::progress::Progress;
use crate::remote::{Outcome, corrupt_in, missing_in};

#[derive(Debug)]
pub(super) struct Folder {
    /// It is a cache like any other.
    store: Cache,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { store: Cache::open(root, true) }
    }

    pub(super) fn existing(&self, oids: &[Oid]) -> Result<HashSet<Oid>> {
        let found: Result<Vec<Option<Oid>>> = oids.par_iter().map(|oid| Ok(self.store.stamp(*oid)?.map(|_| *oid))).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    pub(super) fn list(&self) -> Result<Vec<Oid>> {
        self.store.list()
    }

    pub(super) fn remove(&self, oids: &[Oid]) -> Result<()> {
        oids.par_iter().try_for_each(|oid| self.store.remove(*oid))
    }

    pub(super) fn sync(&self) -> Result<()> {
        cache::sync_disk(self.store.root())
    }

    pub(super) fn send(&self, cache: &Cache, objects: Vec<NamedOid>, progress: &dyn Progress) -> Vec<Outcome> {
        self.store.tidy(false);
        let one = |object: &NamedOid| match copy(cache, &self.store, object.oid, progress)? {
            Copied::Whole(stamp) => Ok(Some(stamp)),
            Copied::Corrupt => Err(Cache::corrupt(object.oid, &object.name)),
            Copied::Missing => Ok(None),
        };
        objects.into_par_iter().map(|object| (object.clone(), one(&object))).collect()
    }

    pub(super) fn fetch(&self, name: &str, cache: &Cache, objects: Vec<NamedOid>, progress: &dyn Progress) -> Vec<Outcome> {
        let one = |object: &NamedOid| match copy(&self.store, cache, object.oid, progress)? {
            Copied::Whole(stamp) => Ok(Some(stamp)),
            Copied::Corrupt => Err(corrupt_in(name, object)),
            Copied::Missing => Err(missing_in(name, object)),
        };
        objects.into_par_iter().map(|object| (object.clone(), one(&object))).collect()
    }
}

enum Copied {
    Whole(Stamp),
    Corrupt,
    Missing,
}

/// Copies an object and checks what was copied before it gets its name.
fn copy(from: &Cache, to: &Cache, oid: Oid, progress: &dyn Progress) -> Result<Copied> {
    let source = from.path(oid);
    let file = match File::open(&source) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copied::Missing),
        other => other.doing("open", &source)?,
    };
    let size = file.metadata().doing("open", &source)?.len();
    let temporary = Temporary::new(to.temporary()?.join(files::temporary_name()));
    if reflink_copy::reflink(&source, temporary.path()).is_ok() {
        // The clone is read, for it is what stays.
        let is_whole = hash::hash_file(temporary.path(), oid.is_legacy && !oid.is_dir)? == oid.md5;
        progress.advance(size);
        let clone = File::open(temporary.path()).doing("open", temporary.path())?;
        return if is_whole { Ok(Copied::Whole(to.adopt(oid, temporary, &clone)?)) } else { Ok(Copied::Corrupt) };
    }
    let mut copy = files::create(temporary.path(), 0o444).doing("write", temporary.path())?;
    let mut hasher = Hasher::for_oid(oid);
    let mut each = |piece: &[u8]| -> Result<()> {
        hasher.update(piece);
        copy.write_all(piece).doing("write", temporary.path())?;
        progress.advance(piece.len() as u64);
        Ok(())
    };
    if size < hash::CHUNK as u64 {
        each(&fs::read(&source).doing("read", &source)?)?;
    } else {
        let mut failed: Option<VersionsError> = None;
        let read = hash::pieces(file, |piece| {
            each(piece).map_err(|error| {
                failed = Some(error);
                io::ErrorKind::Other.into()
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        read.doing("read", &source)?;
    }
    if hasher.finish() != oid.md5 {
        return Ok(Copied::Corrupt);
    }
    Ok(Copied::Whole(to.adopt(oid, temporary, &copy)?))
}
