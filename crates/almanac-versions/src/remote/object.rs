//! A remote that is a bucket: many transfers at once, large objects in parts, downloads that go on where they stopped.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};
use tokio::runtime::Runtime;

use crate::cache::Cache;
use crate::error::{Doing, NamedOid, Result, VersionsError};
use crate::files::{Stamp, Temporary};
use crate::hash::{self, Hasher, Md5, Oid};
use crate::progress::Progress;
use crate::remote::open::Bucket;
use crate::remote::{Outcome, corrupt_in, missing_in, prefixes};

/// Objects up to this size travel as a whole.
const SMALL: u64 = 16 << 20;
/// Bytes of one part of a larger one.
const PART: u64 = 16 << 20;
/// Parts of one object at once.
const PARTS: usize = 4;
/// Requests at once.
const JOBS: usize = 32;
/// Objects up to this number are asked for one by one.
const FEW: usize = 48;

#[derive(Debug)]
pub(crate) struct ObjectRemote {
    runtime: Runtime,
    bucket: Bucket,
    name: String,
}

impl ObjectRemote {
    pub(super) fn new(name: String, bucket: Bucket) -> Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().doing("start threads for", &name)?;
        Ok(Self { runtime, bucket, name })
    }

    pub(super) fn existing(&self, oids: &[Oid]) -> Result<HashSet<Oid>> {
        let (listed, mut asked): (Vec<Oid>, Vec<Oid>) = oids.iter().copied().partition(|oid| !oid.is_legacy);
        let mut there = HashSet::new();
        if listed.len() <= FEW || !self.is_worth_listing(&listed, &mut there)? {
            asked.extend(listed.into_iter().filter(|oid| !there.contains(oid)));
        }
        let answers: Vec<Result<Option<Oid>>> = self.runtime.block_on(
            futures::stream::iter(asked)
                .map(|oid| async move {
                    match self.bucket.store.head(&self.key(oid)).await {
                        Ok(_) => Ok(Some(oid)),
                        Err(object_store::Error::NotFound { .. }) => Ok(None),
                        Err(error) => Err(self.failed("look for objects in", &error)),
                    }
                })
                .buffer_unordered(JOBS)
                .collect(),
        );
        for answer in answers {
            there.extend(answer?);
        }
        Ok(there)
    }

    /// Lists, if that takes fewer requests than asking one by one, which the first prefix tells: all at once where that is a few
    /// pages, each prefix for itself where it is many.
    fn is_worth_listing(&self, oids: &[Oid], there: &mut HashSet<Oid>) -> Result<bool> {
        const PAGE: usize = 1_000;
        /// Pages of one listing come one after the other.
        const FEW_PAGES: usize = 16;
        let mut wanted: Vec<u8> = prefixes(oids).into_iter().collect();
        let Some(first) = wanted.pop() else { return Ok(true) };
        let sample = self.list_prefixes(&[first])?;
        let pages = (sample.len() * 256).div_ceil(PAGE).max(1);
        let requests = wanted.len() * sample.len().div_ceil(PAGE).max(1);
        there.extend(sample);
        if requests.min(pages) > oids.len() {
            return Ok(false);
        }
        if pages <= FEW_PAGES.min(requests) {
            let found: Vec<_> = self
                .runtime
                .block_on(self.bucket.store.list(Some(&self.base())).try_collect())
                .map_err(|error| self.failed("list", &error))?;
            there.extend(found.iter().filter_map(|object| self.oid(&object.location)));
        } else {
            there.extend(self.list_prefixes(&wanted)?);
        }
        Ok(true)
    }

    /// Where the objects of DVC 3 lie.
    fn base(&self) -> Key {
        self.bucket.prefix.clone().join("files").join("md5")
    }

    fn list_prefixes(&self, wanted: &[u8]) -> Result<Vec<Oid>> {
        let base = self.base();
        let lists: Result<Vec<Vec<Oid>>> = self.runtime.block_on(
            futures::stream::iter(wanted.to_vec())
                .map(|first| {
                    let folder = base.clone().join(format!("{first:02x}"));
                    async move {
                        let found: Vec<_> =
                            self.bucket.store.list(Some(&folder)).try_collect().await.map_err(|error| self.failed("list", &error))?;
                        Ok(found.iter().filter_map(|object| self.oid(&object.location)).collect())
                    }
                })
                .buffer_unordered(JOBS)
                .try_collect(),
        );
        Ok(lists?.into_iter().flatten().collect())
    }

    pub(super) fn list(&self) -> Result<Vec<Oid>> {
        let prefix = Some(&self.bucket.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let found: Vec<_> =
            self.runtime.block_on(self.bucket.store.list(prefix).try_collect()).map_err(|error| self.failed("list", &error))?;
        Ok(found.iter().filter_map(|object| self.oid(&object.location)).collect())
    }

    pub(super) fn remove(&self, oids: &[Oid]) -> Result<()> {
        let keys: Vec<_> = oids.iter().map(|oid| Ok(self.key(*oid))).collect();
        let removed = self.bucket.store.delete_stream(futures::stream::iter(keys).boxed());
        let removed: Vec<_> = self.runtime.block_on(removed.collect());
        for outcome in removed {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(self.failed("remove objects from", &error)),
            }
        }
        Ok(())
    }

    pub(super) fn send(&self, cache: &Cache, objects: Vec<NamedOid>, jobs: Option<usize>, progress: &dyn Progress) -> Vec<Outcome> {
        self.each(objects, jobs, progress, |object| {
            let (store, key, path, name) =
                (Arc::clone(&self.bucket.store), self.key(object.oid), cache.path(object.oid), self.name.clone());
            async move { send_one(&*store, &key, &path, &object, &name).await }
        })
    }

    pub(super) fn fetch(&self, cache: &Arc<Cache>, objects: Vec<NamedOid>, jobs: Option<usize>, progress: &dyn Progress) -> Vec<Outcome> {
        self.each(objects, jobs, progress, |object| {
            let (store, key, name, cache) = (Arc::clone(&self.bucket.store), self.key(object.oid), self.name.clone(), Arc::clone(cache));
            async move { fetch_one(store, &key, &cache, &object, &name).await }
        })
    }

    /// Runs one task per object, many at once, on all threads.
    fn each<T, F>(
        &self,
        objects: Vec<NamedOid>,
        jobs: Option<usize>,
        progress: &dyn Progress,
        task: impl Fn(NamedOid) -> F,
    ) -> Vec<(NamedOid, Result<T>)>
    where
        T: Send + 'static,
        F: Future<Output = Result<(T, u64)>> + Send + 'static,
    {
        let _inside = self.runtime.enter();
        let tasks = futures::stream::iter(objects).map(|object| {
            let running = tokio::spawn(task(object.clone()));
            async move { (object, running.await) }
        });
        let all = tasks.buffer_unordered(jobs.unwrap_or(JOBS).max(1)).map(|(object, ended)| {
            let outcome = match ended {
                Ok(Ok((value, bytes))) => {
                    progress.advance(bytes);
                    Ok(value)
                }
                Ok(Err(error)) => Err(error),
                Err(error) => Err(VersionsError::Remote { name: self.name.clone(), problem: error.to_string() }),
            };
            (object, outcome)
        });
        self.runtime.block_on(all.collect())
    }

    fn key(&self, oid: Oid) -> Key {
        oid.place().split('/').fold(self.bucket.prefix.clone(), |key, part| key.join(part))
    }

    fn oid(&self, key: &Key) -> Option<Oid> {
        let below = key.as_ref().strip_prefix(self.bucket.prefix.as_ref())?.trim_start_matches('/');
        let (name, is_legacy) = below.strip_prefix("files/md5/").map_or((below, true), |name| (name, false));
        let (first, rest) = name.split_once('/')?;
        (first.len() == 2).then(|| Oid::parse(&format!("{first}{rest}"), is_legacy).ok())?
    }

    fn failed(&self, doing: &'static str, error: &object_store::Error) -> VersionsError {
        failed(doing, &self.name, error)
    }
}

fn failed(doing: &'static str, remote: &str, error: &object_store::Error) -> VersionsError {
    VersionsError::Url { doing, url: format!("remote {remote}"), problem: error.to_string() }
}

async fn send_one(store: &dyn ObjectStore, key: &Key, path: &Path, object: &NamedOid, remote: &str) -> Result<(Option<Stamp>, u64)> {
    let corrupt = || VersionsError::Corrupt { place: "in the cache".to_owned(), objects: vec![object.clone()] };
    let refused = |error: object_store::Error| failed("write to", remote, &error);
    let mut file = File::open(path).doing("open", path)?;
    let size = file.metadata().doing("open", path)?.len();
    let mut hasher = Hasher::for_oid(object.oid);
    if size <= SMALL {
        let mut bytes = Vec::with_capacity(size as usize + 1);
        file.read_to_end(&mut bytes).doing("read", path)?;
        bytes.chunks(hash::CHUNK).for_each(|piece| hasher.update(piece));
        if hasher.finish() != object.oid.md5 {
            return Err(corrupt());
        }
        store.put(key, PutPayload::from(Bytes::from(bytes))).await.map_err(refused)?;
        return Ok((None, size));
    }
    let upload = store.put_multipart(key).await.map_err(refused)?;
    // S3 allows ten thousand parts.
    let part = PART.max(size.div_ceil(9_000).next_multiple_of(1 << 20));
    let mut writer = WriteMultipart::new_with_chunk_size(upload, part as usize);
    loop {
        let mut piece = vec![0; hash::CHUNK];
        let count = hash::read_full(&mut file, &mut piece).doing("read", path)?;
        if count == 0 {
            break;
        }
        piece.truncate(count);
        tokio::task::block_in_place(|| hasher.update(&piece));
        if let Err(error) = writer.wait_for_capacity(PARTS).await {
            let _ = writer.abort().await;
            return Err(refused(error));
        }
        writer.put(Bytes::from(piece));
    }
    // Only complete parts become an object: what is corrupted is never seen by anyone.
    if hasher.finish() != object.oid.md5 {
        let _ = writer.abort().await;
        return Err(corrupt());
    }
    writer.finish().await.map_err(refused)?;
    Ok((None, size))
}

async fn fetch_one(store: Arc<dyn ObjectStore>, key: &Key, cache: &Cache, object: &NamedOid, remote: &str) -> Result<(Option<Stamp>, u64)> {
    // What was broken on its way is whole the second time; what is broken there is not.
    for _ in 0..2 {
        let found = match store.get(key).await {
            Err(object_store::Error::NotFound { .. }) => return Err(missing_in(remote, object)),
            other => other.map_err(|error| failed("read from", remote, &error))?,
        };
        let size = found.meta.size;
        if size <= SMALL {
            let bytes = found.bytes().await.map_err(|error| failed("read from", remote, &error))?;
            let mut hasher = Hasher::for_oid(object.oid);
            bytes.chunks(hash::CHUNK).for_each(|piece| hasher.update(piece));
            if hasher.finish() == object.oid.md5 {
                return Ok((Some(cache.store_bytes(object.oid, &bytes)?), size));
            }
            continue;
        }
        drop(found);
        let path = cache.temporary()?.join(format!("{}.part", object.oid));
        if fetch_large(Arc::clone(&store), key, size, &path, object.oid, remote).await? == object.oid.md5 {
            let file = File::open(&path).doing("open", &path)?;
            return Ok((Some(cache.adopt(object.oid, Temporary::new(path), &file)?), size));
        }
        fs::remove_file(&path).doing("remove", &path)?;
    }
    Err(corrupt_in(remote, object))
}

/// Downloads in parts behind what an earlier try has left, and returns the hash of it all.
async fn fetch_large(store: Arc<dyn ObjectStore>, key: &Key, size: u64, path: &Path, oid: Oid, remote: &str) -> Result<Md5> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).doing("write", path)?;
    let mut hasher = Hasher::for_oid(oid);
    let mut have = file.metadata().doing("write", path)?.len();
    if have > size {
        file.set_len(0).doing("write", path)?;
        have = 0;
    }
    // Whole pieces only, so that they are hashed as they would have been.
    have -= have % hash::CHUNK as u64;
    file.set_len(have).doing("write", path)?;
    let mut piece = vec![0; hash::CHUNK];
    let mut hashed = 0;
    while hashed < have {
        let count = hash::read_full(&mut file, &mut piece).doing("read", path)?;
        tokio::task::block_in_place(|| hasher.update(&piece[..count]));
        hashed += count as u64;
    }
    let starts: Vec<u64> = (have..size).step_by(PART as usize).collect();
    let mut parts = futures::stream::iter(starts)
        .map(|start| {
            let (store, key) = (Arc::clone(&store), key.clone());
            async move { store.get_range(&key, start..size.min(start + PART)).await }
        })
        .buffered(PARTS);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| failed("read from", remote, &error))?;
        tokio::task::block_in_place(|| -> Result<()> {
            part.chunks(hash::CHUNK).for_each(|piece| hasher.update(piece));
            file.write_all(&part).doing("write", path)
        })?;
    }
    Ok(hasher.finish())
}
