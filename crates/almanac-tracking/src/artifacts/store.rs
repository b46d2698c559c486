//! Artifacts below one root, wherever it is. Calls wait without blocking.
//!
//! Not here: how a folder (`local`) or an object store (`bucket`) does it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use tokio::task::{JoinHandle, spawn_blocking};

use super::bucket::Bucket;
use super::error::failed;
use super::gather::Gather;
use super::local::{LocalFolder, Unfinished};
use super::root::{self, Root};
use super::{ArtifactError, ArtifactFolder, ArtifactInfo, ArtifactMeta, ArtifactPath, Interruption, Stored};

/// Bytes that are collected before a thread writes them.
const BATCH: usize = 1 << 20;
/// Bytes that a thread reads at a time.
const PIECE: u64 = 512 << 10;
/// Where a path of ours starts in the URL of an MLflow server.
const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts/";

/// The content of a file, piece by piece.
pub type ArtifactContent = BoxStream<'static, Result<Bytes, ArtifactError>>;

/// Files below one root: a local folder or a prefix in an object store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ArtifactStore {
    pub(super) backend: Backend,
}

#[derive(Debug, Clone)]
pub(super) enum Backend {
    Local(Arc<LocalFolder>),
    Remote(Arc<Bucket>),
}

/// A file that was found. What is read of it is the content that it had then, or an error.
#[derive(Debug)]
pub struct Artifact {
    meta: ArtifactMeta,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Local(File, PathBuf),
    Remote(Arc<Bucket>, ArtifactPath, Option<String>),
}

impl ArtifactStore {
    /// Takes a folder (a path or a `file:` URL) or the URL of an object store as root: `s3://bucket/prefix`, `gs://…`, `az://…`,
    /// `abfss://…`, `wasbs://…`. Keys and addresses come from the environment. Nothing is made or contacted yet.
    ///
    /// # Errors
    /// [`ArtifactError::BadRoot`] for anything else.
    pub fn open(root: &str) -> Result<Self, ArtifactError> {
        let variables = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Self::open_with(root, variables.collect())
    }

    /// Like [`ArtifactStore::open`], with these environment variables.
    ///
    /// # Errors
    /// As [`ArtifactStore::open`].
    pub fn open_with(root: &str, environment: Vec<(String, String)>) -> Result<Self, ArtifactError> {
        let backend = match root::open(root, &environment)? {
            Root::Folder(folder) => Backend::Local(Arc::new(folder)),
            Root::Bucket(bucket) => Backend::Remote(Arc::new(bucket)),
        };
        Ok(Self { backend })
    }

    /// Keeps everything in memory, for tests.
    pub fn in_memory() -> Self {
        let store = Arc::new(object_store::memory::InMemory::new());
        Self { backend: Backend::Remote(Arc::new(Bucket::new("memory:", ArtifactFolder::ROOT, store))) }
    }

    /// Returns the root, as people may read it.
    pub fn location(&self) -> String {
        match &self.backend {
            Backend::Local(folder) => folder.root().display().to_string(),
            Backend::Remote(bucket) => bucket.url.clone(),
        }
    }

    /// Understands an artifact URI as a folder below the root: `mlflow-artifacts:/3/abc/artifacts`, the same as a URL of an MLflow
    /// server, or a path or URL that starts with the root. Which server a URI names does not matter: none is ever asked.
    ///
    /// # Errors
    /// [`ArtifactError::Elsewhere`] for any other.
    pub fn locate(&self, uri: &str) -> Result<ArtifactFolder, ArtifactError> {
        let elsewhere = || ArtifactError::Elsewhere { uri: uri.to_owned() };
        if uri.contains(['?', '#']) {
            return Err(elsewhere());
        }
        let path = match uri.split_once(':') {
            Some(("mlflow-artifacts", rest)) => match rest.strip_prefix("//") {
                Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
                None => rest,
            },
            Some(("http" | "https", rest)) => rest.split_once(PROXY).ok_or_else(elsewhere)?.1,
            _ => self.below_root(uri).ok_or_else(elsewhere)?,
        };
        ArtifactFolder::new(path.trim_start_matches('/')).map_err(|_| elsewhere())
    }

    fn below_root<'a>(&self, uri: &'a str) -> Option<&'a str> {
        let (uri, root) = match &self.backend {
            Backend::Local(folder) => (uri.strip_prefix("file://").unwrap_or(uri), folder.root().to_str()?.trim_end_matches('/')),
            Backend::Remote(bucket) => (uri, bucket.url.as_str()),
        };
        uri.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Stores a file, over one of that name; readers see the old or the new one, never a part. What is interrupted leaves nothing.
    ///
    /// `length` is a hint. Memory stays constant however long the content is.
    ///
    /// # Errors
    /// [`ArtifactError::Interrupted`] if the content ends in an error, [`ArtifactError::Digest`] if it has another SHA-256 than was
    /// expected, [`ArtifactError::IsFolder`] and [`ArtifactError::InTheWay`] if the name is taken in a folder.
    pub async fn put<S>(
        &self,
        path: &ArtifactPath,
        mut content: S,
        length: Option<u64>,
        expected: Option<[u8; 32]>,
    ) -> Result<Stored, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, Interruption>> + Unpin + Send,
    {
        match &self.backend {
            Backend::Local(folder) => put_local(folder, path, &mut content, expected).await,
            Backend::Remote(bucket) => bucket.put(path, &mut content, length, expected.as_ref()).await,
        }
    }

    /// Stores a file that is in memory.
    ///
    /// # Errors
    /// As [`ArtifactStore::put`].
    pub async fn put_bytes(&self, path: &ArtifactPath, content: Bytes) -> Result<Stored, ArtifactError> {
        let length = content.len() as u64;
        self.put(path, stream::iter([Ok(content)]), Some(length), None).await
    }

    /// Finds a file.
    ///
    /// # Errors
    /// [`ArtifactError::Missing`], or [`ArtifactError::IsFolder`].
    pub async fn get(&self, path: &ArtifactPath) -> Result<Artifact, ArtifactError> {
        match &self.backend {
            Backend::Local(folder) => {
                let (folder, path) = (Arc::clone(folder), path.clone());
                blocking(move || {
                    let (meta, file) = folder.open(&path)?;
                    Ok(Artifact { meta, source: Source::Local(file, folder.at(&path)) })
                })
                .await
            }
            Backend::Remote(bucket) => {
                let (meta, etag) = bucket.head(path).await?;
                Ok(Artifact { meta, source: Source::Remote(Arc::clone(bucket), path.clone(), etag) })
            }
        }
    }

    /// Reads a whole file into memory, if it is not longer than that.
    ///
    /// # Errors
    /// As [`ArtifactStore::get`]; [`ArtifactError::Unsupported`] if it is longer.
    pub async fn get_bytes(&self, path: &ArtifactPath, most: u64) -> Result<Vec<u8>, ArtifactError> {
        let found = self.get(path).await?;
        let size = found.meta().size;
        if size > most {
            return Err(ArtifactError::Unsupported { what: "Reading a file of that size at once" });
        }
        let mut pieces = found.read(0..size)?;
        let mut content = Vec::with_capacity(size as usize);
        while let Some(piece) = pieces.next().await {
            content.extend_from_slice(&piece?);
        }
        Ok(content)
    }

    /// Lists one folder by name; what is not there is empty.
    pub async fn list(&self, folder: &ArtifactFolder) -> Result<Vec<ArtifactInfo>, ArtifactError> {
        match &self.backend {
            Backend::Local(local) => {
                let (local, folder) = (Arc::clone(local), folder.clone());
                blocking(move || local.list(&folder)).await
            }
            Backend::Remote(bucket) => bucket.list(folder).await,
        }
    }

    /// Deletes a file, or a folder with all that is in it. What is not there is no error.
    pub async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        match &self.backend {
            Backend::Local(folder) => {
                let (folder, path) = (Arc::clone(folder), path.clone());
                blocking(move || folder.delete(&path)).await
            }
            Backend::Remote(bucket) => bucket.delete(path).await,
        }
    }

    /// Copies a file.
    ///
    /// # Errors
    /// [`ArtifactError::Missing`] if there is none.
    pub async fn copy(&self, from: &ArtifactPath, to: &ArtifactPath) -> Result<(), ArtifactError> {
        match &self.backend {
            Backend::Local(folder) => {
                let (folder, from, to) = (Arc::clone(folder), from.clone(), to.clone());
                blocking(move || {
                    let (_, mut file) = folder.open(&from)?;
                    let mut copy = folder.begin(&to)?;
                    copy.copy(&mut file)?;
                    copy.finish(None).map(|_| ())
                })
                .await
            }
            Backend::Remote(bucket) => bucket.copy(from, to).await,
        }
    }

    /// Removes what uploads that were killed left behind, if it was last touched before that time. Returns how many.
    ///
    /// Object stores do it by themselves, if the bucket has a rule for it.
    pub async fn sweep(&self, before: SystemTime) -> Result<u64, ArtifactError> {
        match &self.backend {
            Backend::Local(folder) => {
                let folder = Arc::clone(folder);
                blocking(move || folder.sweep(before)).await
            }
            Backend::Remote(_) => Ok(0),
        }
    }
}

impl Artifact {
    /// Returns what is known of it.
    pub fn meta(&self) -> &ArtifactMeta {
        &self.meta
    }

    /// Reads the bytes of a range within its size.
    ///
    /// # Errors
    /// [`ArtifactError`] if it cannot be asked for; the pieces have their own.
    pub fn read(self, range: Range<u64>) -> Result<ArtifactContent, ArtifactError> {
        let start = range.start.min(self.meta.size);
        let range = start..range.end.clamp(start, self.meta.size);
        match self.source {
            Source::Local(file, place) => Ok(read_local(file, place, range)),
            Source::Remote(bucket, path, etag) => bucket.read(&path, etag, range),
        }
    }
}

/// Runs work on a thread that may block.
pub(super) async fn blocking<T, F>(work: F) -> Result<T, ArtifactError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, ArtifactError> + Send + 'static,
{
    spawn_blocking(work).await.map_err(|_| ArtifactError::Lost)?
}

/// Receives on this task and writes on threads, which are busy only while there is something to write.
pub(super) async fn put_local<S>(
    folder: &Arc<LocalFolder>,
    path: &ArtifactPath,
    content: &mut S,
    expected: Option<[u8; 32]>,
) -> Result<Stored, ArtifactError>
where
    S: Stream<Item = Result<Bytes, Interruption>> + Unpin + Send,
{
    let begin = {
        let (folder, path) = (Arc::clone(folder), path.clone());
        move || folder.begin(&path)
    };
    let mut begin = Some(begin);
    let mut writing: Option<JoinHandle<Result<Unfinished, ArtifactError>>> = None;
    let mut pieces = Gather::default();
    let mut is_done = false;
    while !is_done {
        match content.next().await {
            Some(Ok(piece)) => pieces.push(piece),
            Some(Err(source)) => {
                // When this returns, nothing is left of it.
                if let Some(writing) = writing.take() {
                    drop(writing.await);
                }
                return Err(ArtifactError::Interrupted { path: path.as_str().to_owned(), source });
            }
            None => is_done = true,
        }
        if pieces.len() < BATCH || is_done {
            continue;
        }
        let batch = pieces.take();
        let (first, before) = (begin.take(), writing.take());
        let unfinished = match before {
            Some(before) => Some(before.await.map_err(|_| ArtifactError::Lost)??),
            None => None,
        };
        writing = Some(spawn_blocking(move || append(unfinished, first, &batch)));
    }
    let unfinished = match writing {
        Some(writing) => Some(writing.await.map_err(|_| ArtifactError::Lost)??),
        None => None,
    };
    blocking(move || append(unfinished, begin, &pieces.take())?.finish(expected.as_ref())).await
}

/// Writes pieces to the file that was begun, or begins it.
fn append<F>(unfinished: Option<Unfinished>, begin: Option<F>, pieces: &[Bytes]) -> Result<Unfinished, ArtifactError>
where
    F: FnOnce() -> Result<Unfinished, ArtifactError>,
{
    let mut unfinished = match (unfinished, begin) {
        (Some(unfinished), _) => unfinished,
        (None, Some(begin)) => begin()?,
        (None, None) => return Err(ArtifactError::Lost),
    };
    for piece in pieces {
        unfinished.write(piece)?;
    }
    Ok(unfinished)
}

fn read_local(file: File, place: PathBuf, range: Range<u64>) -> ArtifactContent {
    let first = range.start;
    let pieces = stream::try_unfold((Some(file), range), move |(file, left)| {
        let place = place.clone();
        async move {
            let Some(mut file) = file.filter(|_| !left.is_empty()) else { return Ok(None) };
            blocking(move || {
                let length = PIECE.min(left.end - left.start);
                let mut read = || -> io::Result<Vec<u8>> {
                    if left.start == first && first > 0 {
                        file.seek(SeekFrom::Start(first))?;
                    }
                    let mut piece = Vec::with_capacity(length as usize);
                    if (&mut file).take(length).read_to_end(&mut piece)? as u64 != length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    Ok(piece)
                };
                let piece = Bytes::from(read().map_err(failed("read", &place))?);
                Ok(Some((piece, (Some(file), left.start + length..left.end))))
            })
            .await
        }
    });
    pieces.boxed()
}
