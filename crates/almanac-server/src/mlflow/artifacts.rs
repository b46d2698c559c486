//! Artifacts: the proxy that MLflow's clients send files through, what runs, logged models and model versions hold, and what
//! the server offers.
//!
//! Files pass through piece by piece. What is read or written is always a path below the artifact root: where a run says that
//! its artifacts are somewhere else, the answer is an error, never a request to that place.
//!
//! Not here: keeping files (`almanac_tracking::ArtifactStore`), who may call (`access`).

mod of_runs;
mod parts;
mod proxy;
mod send;
mod server_info;

use almanac_api::mlflow as wire;
use almanac_tracking::{ArtifactError, ArtifactFolder, ArtifactInfo, ArtifactPath, ErrorCode};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::Method;
use axum::http::request::Parts;

use super::{MlflowError, Tracking};

/// Routes below each of `/api/…/mlflow`.
pub(super) fn routes() -> Router<Tracking> {
    of_runs::routes()
}

/// Routes that have one place only.
pub(super) fn routes_of_server() -> Router<Tracking> {
    let proxy = proxy::routes().merge(parts::routes());
    Router::new()
        .nest("/api/2.0/mlflow-artifacts", proxy.clone())
        .nest("/ajax-api/2.0/mlflow-artifacts", proxy)
        .merge(of_runs::routes_of_server())
        .merge(server_info::routes())
}

/// The path of a file in the path of a request, decoded once and checked.
struct FilePath(ArtifactPath);

impl<S: Send + Sync> FromRequestParts<S> for FilePath {
    type Rejection = MlflowError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MlflowError> {
        let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        let Path(path) = path.map_err(|_| invalid_path())?;
        // So clients write the whole of a run when they delete it.
        let path = if parts.method == Method::DELETE { path.strip_suffix('/').unwrap_or(&path) } else { &path };
        Ok(Self(file(path)?))
    }
}

fn invalid_path() -> MlflowError {
    MlflowError::invalid("Invalid path")
}

fn file(path: &str) -> Result<ArtifactPath, MlflowError> {
    ArtifactPath::new(path).map_err(|_| invalid_path())
}

fn folder(path: &str) -> Result<ArtifactFolder, MlflowError> {
    ArtifactFolder::new(path).map_err(|_| invalid_path())
}

/// Writes entries of a listing, with `within` before their names.
fn wire_files(found: Vec<ArtifactInfo>, within: &ArtifactFolder) -> Vec<wire::FileInfo> {
    let path = |name: String| match within.path() {
        Some(folder) => format!("{}/{name}", folder.as_str()),
        None => name,
    };
    found.into_iter().map(|info| wire::FileInfo { path: path(info.name), is_dir: info.size.is_none(), file_size: info.size }).collect()
}

impl From<ArtifactError> for MlflowError {
    fn from(error: ArtifactError) -> Self {
        let code = match &error {
            ArtifactError::Missing { .. } | ArtifactError::NoUpload { .. } => ErrorCode::ResourceDoesNotExist,
            ArtifactError::Name(_) => return invalid_path(),
            ArtifactError::IsFolder { .. }
            | ArtifactError::InTheWay { .. }
            | ArtifactError::Elsewhere { .. }
            | ArtifactError::Digest { .. }
            | ArtifactError::Parts { .. } => ErrorCode::InvalidParameterValue,
            ArtifactError::Interrupted { .. } => ErrorCode::BadRequest,
            ArtifactError::Unsupported { .. } => ErrorCode::NotImplemented,
            ArtifactError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                tracing::error!(%error, "request failed");
                let message = "No space is left where artifacts are kept.";
                return Self::new(ErrorCode::TemporarilyUnavailable, message);
            }
            _ => return Self::internal(&error),
        };
        Self::new(code, error.to_string())
    }
}
