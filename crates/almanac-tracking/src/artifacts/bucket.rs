//! Artifacts in an object store: below a prefix of a bucket.
//!
//! Large files go up in parts, a few at a time, and come down in windows: memory stays small, and no single request takes so
//! long that it runs into a limit of time. An upload that fails is taken back.
//!
//! Not here: which store and with which keys (`root`), uploads that clients make themselves (`parts`).

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use super::gather::Gather;
use super::{ArtifactError, ArtifactFolder, ArtifactInfo, ArtifactMeta, ArtifactPath, Interruption, Stored};

/// Bytes of a part; the stores ask for at least 5 MiB.
const PART: u64 = 8 << 20;
/// Bytes of a part of the largest files.
const LARGEST_PART: u64 = 64 << 20;
/// Most parts of one file: S3 takes 10 000.
const MOST_PARTS: u64 = 9_000;
/// Parts on their way at a time.
const PARTS_AT_A_TIME: usize = 3;
/// Bytes of a window.
const WINDOW: u64 = 4 << 20;
/// Windows on their way at a time.
const WINDOWS_AT_A_TIME: usize = 2;

/// A prefix of a bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// As it was written, without a `/` at its end.
    pub(super) url: String,
    pub(super) prefix: ArtifactFolder,
    store: Arc<dyn ObjectStore>,
    /// The same store, if it signs URLs of parts.
    pub(super) s3: Option<Arc<AmazonS3>>,
}

/// Takes an upload in parts back, unless it was completed.
struct Parts(Option<Box<dyn MultipartUpload>>);

impl Drop for Parts {
    fn drop(&mut self) {
        let (Some(mut upload), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "the parts of an interrupted upload could not be deleted");
            }
        });
    }
}

impl Bucket {
    pub(super) fn new(url: &str, prefix: ArtifactFolder, store: Arc<dyn ObjectStore>) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), prefix, store, s3: None }
    }

    pub(super) fn with_presigning(self, s3: Arc<AmazonS3>) -> Self {
        Self { s3: Some(s3), ..self }
    }

    /// Returns the key of an object.
    pub(super) fn key(&self, path: &ArtifactPath) -> Result<ObjectPath, ArtifactError> {
        let whole = self.prefix.join(path)?;
        ObjectPath::parse(whole.as_str()).map_err(|error| failed("name", path.as_str())(error.into()))
    }

    fn key_of_folder(&self, folder: &ArtifactFolder) -> Result<Option<ObjectPath>, ArtifactError> {
        let whole = self.prefix.folder(folder)?;
        let parse = |path: &ArtifactPath| ObjectPath::parse(path.as_str()).map_err(|error| failed("name", path.as_str())(error.into()));
        whole.path().map(parse).transpose()
    }

    pub(super) async fn put<S>(
        &self,
        path: &ArtifactPath,
        content: &mut S,
        length: Option<u64>,
        expected: Option<&[u8; 32]>,
    ) -> Result<Stored, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, Interruption>> + Unpin + Send,
    {
        let key = self.key(path)?;
        let fail = || failed("write", path.as_str());
        let part_size = length.unwrap_or_default().div_ceil(MOST_PARTS).clamp(PART, LARGEST_PART);
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut pieces = Gather::default();
        let mut parts: Option<Parts> = None;
        let mut on_their_way: JoinSet<object_store::Result<()>> = JoinSet::new();
        while let Some(piece) = content.next().await {
            let mut piece = piece.map_err(|source| ArtifactError::Interrupted { path: path.as_str().to_owned(), source })?;
            hash.update(&piece);
            size += piece.len() as u64;
            while !piece.is_empty() {
                let taken = piece.split_to(piece.len().min(part_size as usize - pieces.len()));
                pieces.push(taken);
                if pieces.len() < part_size as usize {
                    continue;
                }
                let upload = if let Some(Parts(Some(upload))) = &mut parts {
                    upload
                } else {
                    let upload = self.store.put_multipart(&key).await.map_err(fail())?;
                    parts.insert(Parts(Some(upload))).0.as_mut().expect("it was put there")
                };
                if on_their_way.len() >= PARTS_AT_A_TIME {
                    arrived(&mut on_their_way).await?.map_err(fail())?;
                }
                on_their_way.spawn(upload.put_part(PutPayload::from_iter(pieces.take())));
            }
        }
        let stored = Stored { size, sha256: hash.finalize().into() };
        stored.check(path, expected)?;
        let rest = PutPayload::from_iter(pieces.take());
        let Some(mut guard) = parts else {
            self.store.put(&key, rest).await.map_err(fail())?;
            return Ok(stored);
        };
        let upload = guard.0.as_mut().expect("taken only below");
        if rest.content_length() > 0 {
            on_their_way.spawn(upload.put_part(rest));
        }
        while !on_their_way.is_empty() {
            arrived(&mut on_their_way).await?.map_err(fail())?;
        }
        upload.complete().await.map_err(fail())?;
        guard.0 = None;
        Ok(stored)
    }

    /// Returns what is known of an object, and its ETag as the store says it.
    pub(super) async fn head(&self, path: &ArtifactPath) -> Result<(ArtifactMeta, Option<String>), ArtifactError> {
        let key = self.key(path)?;
        match self.store.head(&key).await {
            Ok(found) => Ok((meta(&found), found.e_tag)),
            Err(object_store::Error::NotFound { .. }) => {
                let is_folder = self.store.list(Some(&key)).next().await.is_some_and(|found| found.is_ok());
                let path = path.as_str().to_owned();
                Err(if is_folder { ArtifactError::IsFolder { path } } else { ArtifactError::Missing { path } })
            }
            Err(error) => Err(failed("read", path.as_str())(error)),
        }
    }

    /// Reads a range, all of one and the same version of the object.
    pub(super) fn read(
        &self,
        path: &ArtifactPath,
        etag: Option<String>,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, ArtifactError>>, ArtifactError> {
        let (key, path, store) = (self.key(path)?, path.as_str().to_owned(), Arc::clone(&self.store));
        let windows = (0..(range.end - range.start).div_ceil(WINDOW)).map(move |window| {
            let start = range.start + window * WINDOW;
            start..range.end.min(start + WINDOW)
        });
        let read = move |window: Range<u64>| {
            let (key, path, store, etag) = (key.clone(), path.clone(), Arc::clone(&store), etag.clone());
            async move {
                let options = GetOptions::new().with_range(Some(window)).with_if_match(etag);
                let read = async { store.get_opts(&key, options).await?.bytes().await };
                read.await.map_err(failed("read", &path))
            }
        };
        Ok(stream::iter(windows).map(read).buffered(WINDOWS_AT_A_TIME).boxed())
    }

    pub(super) async fn list(&self, folder: &ArtifactFolder) -> Result<Vec<ArtifactInfo>, ArtifactError> {
        let key = self.key_of_folder(folder)?;
        let shown = folder.path().map_or("", ArtifactPath::as_str);
        let found = self.store.list_with_delimiter(key.as_ref()).await.map_err(failed("list", shown))?;
        let name = |path: &ObjectPath| path.filename().unwrap_or_default().to_owned();
        let folders = found.common_prefixes.iter().map(|path| ArtifactInfo { name: name(path), size: None });
        // Some programs mark a folder by an object of its name.
        let objects = found.objects.iter().filter(|object| Some(&object.location) != key.as_ref());
        let files = objects.map(|object| ArtifactInfo { name: name(&object.location), size: Some(object.size) });
        let mut all: Vec<ArtifactInfo> = folders.chain(files).filter(|info| ArtifactPath::new(info.name.as_str()).is_ok()).collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(all)
    }

    pub(super) async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        let key = self.key(path)?;
        let below = self.store.list(Some(&key)).map_ok(|object| object.location).boxed();
        let mut deleted = self.store.delete_stream(below);
        while let Some(outcome) = deleted.next().await {
            unless_missing(outcome.map(|_| ())).map_err(failed("delete", path.as_str()))?;
        }
        unless_missing(self.store.delete(&key).await).map_err(failed("delete", path.as_str()))
    }

    pub(super) async fn copy(&self, from: &ArtifactPath, to: &ArtifactPath) -> Result<(), ArtifactError> {
        match self.store.copy(&self.key(from)?, &self.key(to)?).await {
            Err(object_store::Error::NotFound { .. }) => Err(ArtifactError::Missing { path: from.as_str().to_owned() }),
            outcome => outcome.map_err(failed("copy", from.as_str())),
        }
    }
}

async fn arrived(on_their_way: &mut JoinSet<object_store::Result<()>>) -> Result<object_store::Result<()>, ArtifactError> {
    match on_their_way.join_next().await {
        Some(Ok(outcome)) => Ok(outcome),
        Some(Err(_)) => Err(ArtifactError::Lost),
        None => Ok(Ok(())),
    }
}

fn unless_missing(outcome: object_store::Result<()>) -> object_store::Result<()> {
    if matches!(outcome, Err(object_store::Error::NotFound { .. })) { Ok(()) } else { outcome }
}

fn meta(found: &ObjectMeta) -> ArtifactMeta {
    let etag = found.e_tag.clone().map(|etag| if etag.ends_with('"') { etag } else { format!("\"{etag}\"") });
    ArtifactMeta { size: found.size, modified: Some(SystemTime::from(found.last_modified)), etag }
}

/// Makes the error of something done to an object.
pub(super) fn failed(action: &'static str, path: &str) -> impl FnOnce(object_store::Error) -> ArtifactError {
    let path = path.to_owned();
    move |source| ArtifactError::Remote { action, path, source: Arc::new(source) }
}
