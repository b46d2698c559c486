//! Uploads in parts: a client asks for places, fills them, and has the whole put together.
//!
//! In an object store that signs URLs the places are its own, so that the parts do not pass through this server. In a local
//! folder they are numbers; the server takes each part like a file, and puts them together when all are there.
//!
//! Not here: the signatures (`presign`), files that come in one piece (`store`).

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use object_store::multipart::{MultipartStore, PartId};
use object_store::signer::Signer;
use sha2::{Digest as _, Sha256};

use super::bucket::{Bucket, failed as remote};
use super::digest::hex;
use super::error::failed;
use super::local::LocalFolder;
use super::path::UNFINISHED;
use super::presign::with_parameters;
use super::store::{Backend, blocking, put_local};
use super::{ArtifactError, ArtifactFolder, ArtifactPath, ArtifactStore, Interruption};

/// Most parts of one file, as in S3.
const MOST_PARTS: u32 = 10_000;
/// How long the URLs of parts are good.
const PARTS_GOOD_FOR: Duration = Duration::from_hours(1);

/// An upload that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Names it; nobody can guess it.
    pub id: String,
    /// Where the parts go, in their order.
    pub parts: Vec<PartTarget>,
}

/// Where a part goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartTarget {
    /// To this URL, by `PUT`.
    Url(String),
    /// To [`ArtifactStore::put_part`], with this number.
    Number(u32),
}

/// A part, as the client says that it was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPart {
    /// Counts from 1.
    pub number: u32,
    /// What the part was answered with.
    pub etag: String,
}

impl ArtifactStore {
    /// Whether clients may better send large files in parts, to the object store itself.
    pub fn offers_parts(&self) -> bool {
        matches!(&self.backend, Backend::Remote(bucket) if bucket.s3.is_some())
    }

    /// Begins an upload in parts.
    ///
    /// # Errors
    /// [`ArtifactError::Unsupported`] where the root does not take parts, [`ArtifactError::Parts`] for a wrong number of them.
    pub async fn begin_upload(&self, path: &ArtifactPath, parts: u32) -> Result<Upload, ArtifactError> {
        if !(1..=MOST_PARTS).contains(&parts) {
            let reason = format!("a file has 1 to {MOST_PARTS} parts, not {parts}");
            return Err(ArtifactError::Parts { path: path.as_str().to_owned(), reason });
        }
        match &self.backend {
            Backend::Local(folder) => {
                let (folder, path) = (Arc::clone(folder), path.clone());
                blocking(move || {
                    let id = hex(&rand::random::<[u8; 16]>());
                    let above = folder.make(&path.parent(), &path)?;
                    let place = above.join(format!("{UNFINISHED}{id}"));
                    fs::create_dir(&place).map_err(failed("write", &place))?;
                    Ok(Upload { id, parts: (1..=parts).map(PartTarget::Number).collect() })
                })
                .await
            }
            Backend::Remote(bucket) => {
                let s3 = presigning(bucket)?;
                let key = bucket.key(path)?;
                let fail = || remote("write", path.as_str());
                let id = s3.create_multipart(&key).await.map_err(fail())?;
                let credential = s3.credentials().get_credential().await.map_err(fail())?;
                let signed = s3.signed_url("PUT".parse().expect("a method of HTTP"), &key, PARTS_GOOD_FOR).await.map_err(fail())?;
                let url = |number: u32| {
                    let parameters = [("partNumber", &*number.to_string()), ("uploadId", id.as_str())];
                    with_parameters(&signed, "PUT", &credential.secret_key, &parameters).map(|url| PartTarget::Url(url.into()))
                };
                let parts: Option<Vec<_>> = (1..=parts).map(url).collect();
                let parts = parts.ok_or(ArtifactError::Unsupported { what: "Multipart upload" })?;
                Ok(Upload { id, parts })
            }
        }
    }

    /// Takes one part of an upload to a local folder and returns its ETag.
    ///
    /// # Errors
    /// [`ArtifactError::NoUpload`] if it is not under way here.
    pub async fn put_part<S>(&self, path: &ArtifactPath, upload: &str, number: u32, mut content: S) -> Result<String, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, Interruption>> + Unpin + Send,
    {
        let Backend::Local(folder) = &self.backend else {
            return Err(ArtifactError::Unsupported { what: "Multipart upload through the server" });
        };
        let inside = {
            let (folder, path, upload) = (Arc::clone(folder), path.clone(), upload.to_owned());
            blocking(move || under_way(&folder, &path, &upload)).await?
        };
        if !(1..=MOST_PARTS).contains(&number) {
            let reason = format!("there is no part {number}");
            return Err(ArtifactError::Parts { path: path.as_str().to_owned(), reason });
        }
        let part = ArtifactPath::new(number.to_string())?;
        let stored = put_local(&Arc::new(LocalFolder::new(inside)), &part, &mut content, None).await?;
        Ok(format!("\"{}\"", hex(&stored.sha256)))
    }

    /// Puts the parts of an upload together, in that order, and checks that each is what was uploaded.
    ///
    /// # Errors
    /// [`ArtifactError::NoUpload`] if it is not under way, [`ArtifactError::Parts`] if a part is missing or another one.
    pub async fn complete_upload(&self, path: &ArtifactPath, upload: &str, parts: Vec<UploadedPart>) -> Result<(), ArtifactError> {
        let bad = |reason: String| ArtifactError::Parts { path: path.as_str().to_owned(), reason };
        if parts.is_empty() || parts.iter().zip(1..).any(|(part, number)| part.number != number) {
            return Err(bad("they are numbered from 1 without a gap".to_owned()));
        }
        match &self.backend {
            Backend::Local(folder) => {
                let (folder, path, upload) = (Arc::clone(folder), path.clone(), upload.to_owned());
                blocking(move || complete_local(&folder, &path, &upload, &parts)).await
            }
            Backend::Remote(bucket) => {
                let s3 = presigning(bucket)?;
                let ids = parts.into_iter().map(|part| PartId { content_id: part.etag }).collect();
                let completed = s3.complete_multipart(&bucket.key(path)?, &upload.to_owned(), ids).await;
                completed.map(|_| ()).map_err(|error| told(error, path, upload))
            }
        }
    }

    /// Gives an upload up; what was uploaded of it is deleted.
    ///
    /// # Errors
    /// [`ArtifactError::NoUpload`] if it is not under way.
    pub async fn abort_upload(&self, path: &ArtifactPath, upload: &str) -> Result<(), ArtifactError> {
        match &self.backend {
            Backend::Local(folder) => {
                let (folder, path, upload) = (Arc::clone(folder), path.clone(), upload.to_owned());
                blocking(move || {
                    let place = under_way(&folder, &path, &upload)?;
                    fs::remove_dir_all(&place).map_err(failed("delete", &place))
                })
                .await
            }
            Backend::Remote(bucket) => {
                let s3 = presigning(bucket)?;
                s3.abort_multipart(&bucket.key(path)?, &upload.to_owned()).await.map_err(|error| told(error, path, upload))
            }
        }
    }

    /// Returns a URL at which a file can be read without passing through this server.
    ///
    /// # Errors
    /// [`ArtifactError::Unsupported`] where there is none.
    pub async fn presigned(&self, path: &ArtifactPath, method: &'static str, good_for: Duration) -> Result<String, ArtifactError> {
        let what = if method == "PUT" { "Presigned upload" } else { "Presigned download" };
        let Backend::Remote(bucket) = &self.backend else { return Err(ArtifactError::Unsupported { what }) };
        let s3 = bucket.s3.as_ref().ok_or(ArtifactError::Unsupported { what })?;
        let url = s3
            .signed_url(method.parse().expect("a method of HTTP"), &bucket.key(path)?, good_for)
            .await
            .map_err(remote("sign", path.as_str()))?;
        Ok(url.into())
    }
}

fn presigning(bucket: &Bucket) -> Result<&object_store::aws::AmazonS3, ArtifactError> {
    bucket.s3.as_deref().ok_or(ArtifactError::Unsupported { what: "Multipart upload" })
}

fn told(error: object_store::Error, path: &ArtifactPath, upload: &str) -> ArtifactError {
    match error {
        object_store::Error::NotFound { .. } => ArtifactError::NoUpload { path: path.as_str().to_owned(), upload: upload.to_owned() },
        error => remote("write", path.as_str())(error),
    }
}

/// Returns the folder with the parts of an upload.
fn under_way(folder: &LocalFolder, path: &ArtifactPath, upload: &str) -> Result<PathBuf, ArtifactError> {
    let none = || ArtifactError::NoUpload { path: path.as_str().to_owned(), upload: upload.to_owned() };
    if upload.len() != 32 || !upload.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(none());
    }
    let above: ArtifactFolder = path.parent();
    let place = folder.at_folder(&above).join(format!("{UNFINISHED}{upload}"));
    if fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_dir()) { Ok(place) } else { Err(none()) }
}

fn complete_local(folder: &LocalFolder, path: &ArtifactPath, upload: &str, parts: &[UploadedPart]) -> Result<(), ArtifactError> {
    let place = under_way(folder, path, upload)?;
    let bad = |reason: String| ArtifactError::Parts { path: path.as_str().to_owned(), reason };
    let mut whole = folder.begin(path)?;
    for part in parts {
        let at = place.join(part.number.to_string());
        let mut file = File::open(&at).map_err(|_| bad(format!("part {} was not uploaded", part.number)))?;
        let mut hash = Sha256::new();
        let mut piece = vec![0; 256 << 10];
        loop {
            let length = file.read(&mut piece).map_err(failed("read", &at))?;
            if length == 0 {
                break;
            }
            hash.update(&piece[..length]);
            whole.write(&piece[..length])?;
        }
        if part.etag.trim_matches('"') != hex(&hash.finalize()) {
            return Err(bad(format!("part {} has another content", part.number)));
        }
    }
    whole.finish(None)?;
    // The file is there; parts that stay behind are swept away later.
    let _ = fs::remove_dir_all(&place);
    Ok(())
}
