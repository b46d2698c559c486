//! Where a table lies: a folder of this machine, or a place in a store.
//!
//! Not here: what its files mean (`log`, `copy`).

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};
use percent_encoding::percent_decode_str;

use super::Request;
use crate::error::ConnectError;
use crate::landing::LandingError;
use crate::objects::{self, Bucket, Listed};
use crate::secret::Scrubber;

/// Most bytes of a file of the log.
const MAX_LOG_FILE: u64 = 2 << 30;

/// A file of the log.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Milliseconds since 1970.
    pub(super) modified: i64,
}

enum Ground {
    Folder(PathBuf),
    /// A bucket, and the key of the table in it.
    Store(Bucket, String),
}

/// An open table.
pub(super) struct Place<'a> {
    request: Request<'a>,
    scrubber: Scrubber,
    ground: Ground,
}

impl<'a> Place<'a> {
    pub(super) fn open(request: Request<'a>) -> Result<Self, ConnectError> {
        let mut scrubber = Scrubber::default();
        let filled = request.spec.place.urls[0].fill(&request.lookup)?;
        scrubber.learn(&filled);
        let text = filled.text.expose();
        let ground = match text.strip_prefix("file://") {
            None if text.contains("://") => {
                let bucket = Bucket::open(store_request(request), 0, &mut scrubber)?;
                let key = bucket.pattern.trim_matches('/').to_owned();
                Ground::Store(bucket, key)
            }
            path => Ground::Folder(request.lookup.root.join(path.unwrap_or(text))),
        };
        Ok(Self { request, scrubber, ground })
    }

    /// The table as written.
    pub(super) fn shown(&self) -> &str {
        self.request.spec.url.as_written().trim_end_matches('/')
    }

    pub(super) fn refused(&self, reason: &str) -> ConnectError {
        ConnectError::Refused { url: self.shown().to_owned(), reason: self.scrubber.scrub(reason) }
    }

    pub(super) fn missing(&self, what: &str, reason: &str) -> ConnectError {
        ConnectError::Missing { url: self.shown().to_owned(), what: what.to_owned(), reason: self.scrubber.scrub(reason) }
    }

    /// A path of the log as a name below the table.
    pub(super) fn decode(&self, path: &str) -> Result<String, ConnectError> {
        let decoded = percent_decode_str(path).decode_utf8().map_err(|_| self.refused(&format!("`{path}` is no path")))?;
        let is_inside = !decoded.is_empty()
            && !decoded.starts_with(['/', '\\'])
            && !decoded.contains("://")
            && !decoded.starts_with("file:")
            && !decoded.contains('\0')
            && decoded.split(['/', '\\']).all(|part| part != "..");
        if is_inside {
            return Ok(decoded.into_owned());
        }
        Err(self.refused(&format!("its file `{}` lies outside of the table, as in a shallow clone", decoded.escape_debug())))
    }

    /// The files directly in a folder.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>, ConnectError> {
        match &self.ground {
            Ground::Folder(root) => {
                let path = root.join(folder);
                let entries = match std::fs::read_dir(&path) {
                    Ok(entries) => entries,
                    Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                        return Err(self.missing(folder, "it is no Delta table"));
                    }
                    Err(error) => return Err(unread(&path, error)),
                };
                let mut found = Vec::new();
                for entry in entries {
                    let entry = entry.map_err(|error| unread(&path, error))?;
                    let changed = entry.metadata().and_then(|meta| meta.modified()).map_err(|error| unread(&path, error))?;
                    let modified = changed.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
                    found.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), modified });
                }
                Ok(found)
            }
            Ground::Store(bucket, key) => {
                let prefix = self.key(bucket, key, folder)?;
                let all: Result<Vec<_>, _> = bucket.store.list(Some(&prefix)).try_collect().await;
                let all = all.map_err(|error| bucket.failed(folder, &error, &self.scrubber))?;
                let start = format!("{prefix}/");
                let entry = |object: &object_store::ObjectMeta| {
                    let name = object.location.as_ref().strip_prefix(&start).filter(|name| !name.contains('/'))?.to_owned();
                    Some(Entry { name, modified: object.last_modified.timestamp_millis() })
                };
                let found: Vec<Entry> = all.iter().filter_map(entry).collect();
                if found.is_empty() { Err(self.missing(folder, "it is no Delta table")) } else { Ok(found) }
            }
        }
    }

    /// A whole file of the log.
    pub(super) async fn read(&self, path: &str) -> Result<Bytes, ConnectError> {
        let too_much = || ConnectError::TooMuch { url: self.shown().to_owned(), limit: format!("2 GiB in `{path}`") };
        match &self.ground {
            Ground::Folder(root) => {
                let file = root.join(path);
                let bytes = std::fs::metadata(&file).map_err(|error| self.unread(path, &file, error))?.len();
                if bytes > MAX_LOG_FILE {
                    return Err(too_much());
                }
                std::fs::read(&file).map(Bytes::from).map_err(|error| self.unread(path, &file, error))
            }
            Ground::Store(bucket, key) => {
                let key = self.key(bucket, key, path)?;
                let failed = |error| bucket.failed(path, &error, &self.scrubber);
                let found = bucket.store.get(&key).await.map_err(failed)?;
                if found.meta.size > MAX_LOG_FILE {
                    return Err(too_much());
                }
                found.bytes().await.map_err(failed)
            }
        }
    }

    /// Some bytes of a file.
    pub(super) async fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes, ConnectError> {
        match &self.ground {
            Ground::Folder(root) => {
                let file = root.join(path);
                let read = || -> io::Result<Vec<u8>> {
                    use std::io::{Read, Seek, SeekFrom};
                    let mut opened = std::fs::File::open(&file)?;
                    opened.seek(SeekFrom::Start(range.start))?;
                    let mut bytes = Vec::new();
                    opened.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
                    Ok(bytes)
                };
                read().map(Bytes::from).map_err(|error| self.unread(path, &file, error))
            }
            Ground::Store(bucket, key) => {
                let key = self.key(bucket, key, path)?;
                bucket.store.get_range(&key, range).await.map_err(|error| bucket.failed(path, &error, &self.scrubber))
            }
        }
    }

    /// A data file on this machine: where it lies, or a copy at `to`.
    pub(super) async fn local(&self, path: &str, bytes: u64, to: &Path) -> Result<PathBuf, ConnectError> {
        match &self.ground {
            Ground::Folder(root) => {
                let file = root.join(path);
                let found = std::fs::metadata(&file).map_err(|error| self.unread(path, &file, error))?.len();
                if found != bytes {
                    return Err(self.refused(&format!("`{path}` has {found} bytes, its log says {bytes}")));
                }
                Ok(file)
            }
            Ground::Store(bucket, key) => {
                let key = self.key(bucket, key, path)?.to_string();
                let object = Listed { key, bytes, version: String::new(), etag: None };
                objects::copy(store_request(self.request), bucket, &object, to, &self.scrubber).await?;
                Ok(to.to_owned())
            }
        }
    }

    fn key(&self, bucket: &Bucket, table: &str, path: &str) -> Result<ObjectPath, ConnectError> {
        let whole = if table.is_empty() { path.to_owned() } else { format!("{table}/{path}") };
        ObjectPath::parse(whole).map_err(|error| bucket.failed(path, &error.into(), &self.scrubber))
    }

    fn unread(&self, path: &str, file: &Path, error: io::Error) -> ConnectError {
        if error.kind() == io::ErrorKind::NotFound {
            return self.missing(path, "its log names it, and it is not there");
        }
        unread(file, error)
    }
}

fn store_request(request: Request<'_>) -> objects::Request<'_> {
    objects::Request {
        table: request.table,
        spec: &request.spec.place,
        lookup: request.lookup,
        patience: request.patience,
        hiding: request.hiding,
    }
}

fn unread(path: &Path, source: io::Error) -> ConnectError {
    LandingError::Io { action: "read", path: path.to_owned(), source }.into()
}
