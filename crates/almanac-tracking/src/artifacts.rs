//! Files of runs and models: in a local folder or an object store, below one root.
//!
//! ```text
//! ArtifactStore (async, any root) ──┬── LocalFolder: whole files, synced
//! LocalArtifacts (blocking, runs) ──┘
//! ArtifactStore ── Bucket: S3, Google Cloud Storage, Azure
//! ```
//!
//! Paths are checked by [`ArtifactPath`]; what a run's `artifact_uri` says is only ever understood as a path below the root
//! ([`ArtifactStore::locate`]), so that no client chooses what is read. Files pass through at constant memory.
//!
//! Not here: what the files mean, who may see them.

mod bucket;
mod digest;
mod error;
mod gather;
mod local;
mod of_runs;
mod parts;
mod path;
mod presign;
mod root;
mod store;

use std::time::SystemTime;

pub use error::{ArtifactError, Interruption};
pub use of_runs::LocalArtifacts;
pub use parts::{PartTarget, Upload, UploadedPart};
pub use path::{ArtifactFolder, ArtifactPath};
pub use store::{Artifact, ArtifactContent, ArtifactStore};

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactInfo {
    /// Name within the folder that was listed.
    pub name: String,
    /// Bytes, or `None` for a folder.
    pub size: Option<u64>,
}

/// What is known of a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactMeta {
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Option<SystemTime>,
    /// Names this content among all that were under that path; with its quotes.
    pub etag: Option<String>,
}

/// A file that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, taken as it passed.
    pub sha256: [u8; 32],
}

impl Stored {
    /// Refuses a content that has another digest than was expected.
    fn check(&self, path: &ArtifactPath, expected: Option<&[u8; 32]>) -> Result<(), ArtifactError> {
        match expected {
            Some(expected) if *expected != self.sha256 => Err(ArtifactError::Digest {
                path: path.as_str().to_owned(),
                expected: digest::hex(expected),
                got: digest::hex(&self.sha256),
            }),
            _ => Ok(()),
        }
    }
}
