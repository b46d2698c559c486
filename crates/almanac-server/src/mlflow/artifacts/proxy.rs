//! The artifact proxy: files under their path below the root, as clients with `mlflow-artifacts:` URIs ask for them.
//!
//! Not here: uploads in parts (`parts`), artifacts of a run by its id (`of_runs`).

use almanac_api::mlflow as wire;
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::TryStreamExt;

use super::super::request::Request;
use super::super::{Answer, MlflowError, Tracking};
use super::send::send;
use super::{FilePath, folder, wire_files};

/// Digest of a whole representation (RFC 9530).
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

pub(super) fn routes() -> Router<Tracking> {
    Router::new().route("/artifacts", get(list)).route("/artifacts/{*path}", get(download).put(upload).delete(delete))
}

async fn list(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ArtifactsListed> {
    let found = tracking.artifacts.list(&folder(&request.text("path")?.unwrap_or_default())?).await?;
    // Clients want names here, not paths.
    let files = wire_files(found, &almanac_tracking::ArtifactFolder::ROOT);
    Ok(Json(wire::ArtifactsListed { root_uri: None, files }))
}

async fn download(State(tracking): State<Tracking>, FilePath(path): FilePath, headers: HeaderMap) -> Result<Response, MlflowError> {
    send(&tracking, &path, &headers).await
}

async fn upload(
    State(tracking): State<Tracking>,
    FilePath(path): FilePath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, MlflowError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let expected = expected_digest(&headers)?;
    let content = body.into_data_stream().map_err(Into::into);
    let stored = tracking.artifacts.put(&path, content, length, expected).await?;
    let mut response = Json(wire::Empty {}).into_response();
    let digest = format!("sha-256=:{}:", BASE64_STANDARD.encode(stored.sha256));
    response.headers_mut().insert(REPR_DIGEST, HeaderValue::try_from(digest).expect("base64 is ASCII"));
    Ok(response)
}

async fn delete(State(tracking): State<Tracking>, FilePath(path): FilePath) -> Answer<wire::Empty> {
    tracking.artifacts.delete(&path).await?;
    Ok(Json(wire::Empty {}))
}

/// Reads the SHA-256 that a client may send with a file, `sha-256=:…:`.
fn expected_digest(headers: &HeaderMap) -> Result<Option<[u8; 32]>, MlflowError> {
    for name in [REPR_DIGEST, CONTENT_DIGEST] {
        let Some(value) = headers.get(&name) else { continue };
        let bad = || MlflowError::invalid(format!("The header '{name}' holds no valid digest."));
        let text = value.to_str().map_err(|_| bad())?;
        for digest in text.split(',') {
            // Others are not checked.
            let Some(encoded) = digest.trim().strip_prefix("sha-256=") else { continue };
            let encoded = encoded.trim().trim_matches(':');
            let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| bad())?;
            return Ok(Some(bytes.try_into().map_err(|_| bad())?));
        }
    }
    Ok(None)
}
