//! Why an artifact could not be stored or read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_series::Hint;

use crate::InvalidName;

/// What the sender of a file said when it stopped half-way.
pub type Interruption = Box<dyn std::error::Error + Send + Sync>;

/// Why an artifact could not be stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum ArtifactError {
    #[error("failed to {action} artifact `{}`", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("failed to {action} artifact `{path}` in the object store")]
    Remote { action: &'static str, path: String, source: Arc<object_store::Error> },
    #[error("No such artifact: '{path}'")]
    Missing { path: String },
    #[error("Artifact path refers to a directory, not a file: '{path}'")]
    IsFolder { path: String },
    #[error("'{path}' cannot be written: something that is not a directory is in its way")]
    InTheWay { path: String },
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error("The artifacts at '{uri}' are not served here: they lie outside the artifact root of this server.")]
    Elsewhere { uri: String },
    #[error("the upload of `{path}` was interrupted")]
    Interrupted { path: String, source: Interruption },
    #[error("The content of '{path}' does not match its digest: expected {expected}, got {got}.")]
    Digest { path: String, expected: String, got: String },
    #[error("No multipart upload with id '{upload}' is under way for '{path}'.")]
    NoUpload { path: String, upload: String },
    #[error("The parts of the multipart upload of '{path}' do not match what was uploaded: {reason}.")]
    Parts { path: String, reason: String },
    #[error("{what} is not supported for the current artifact repository")]
    Unsupported { what: &'static str },
    #[error("`{url}` cannot be the root of artifacts: {reason}")]
    BadRoot { url: String, reason: String },
    #[error("a task that handled artifacts did not end")]
    Lost,
}

impl Hint for ArtifactError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free some space and run the same command again".into()),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some("check the rights of the folder".into()),
                _ => None,
            },
            Self::BadRoot { .. } => Some(
                "write a folder, `s3://bucket/prefix`, `gs://bucket/prefix` or `abfss://container@account.dfs.core.windows.net/prefix`"
                    .into(),
            ),
            Self::Remote { .. } => {
                Some("check the bucket, its region and the keys in the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`)".into())
            }
            _ => None,
        }
    }
}

/// Makes the error of something done to a file.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArtifactError {
    let path = path.to_owned();
    move |source| ArtifactError::Io { action, path, source }
}
