//! Artifacts of runs, logged models and model versions, by the ids of these.
//!
//! Not here: the artifact proxy (`proxy`), which most clients use.

use std::time::Duration;

use almanac_api::mlflow as wire;
use almanac_tracking::{ArtifactPath, ErrorCode};
use axum::Json;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};

use super::super::request::Request;
use super::super::{Answer, MlflowError, Tracking};
use super::send::send;
use super::{file, folder, invalid_path, wire_files};

/// Most bytes of a file that is uploaded by the id of its run.
const MOST_BYTES: usize = 10 << 20;
/// How long a URL is good where none says how long: an upload, a download.
const UPLOAD_GOOD_FOR: i64 = 900;
const DOWNLOAD_GOOD_FOR: i64 = 300;
/// Object stores sign for no longer.
const LONGEST_GOOD_FOR: i64 = 7 * 24 * 3600;

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/artifacts/list", get(list))
        .route("/artifacts/presigned-upload-url", post(presigned_upload))
        .route("/artifacts/presigned-download-url", post(presigned_download))
        .route("/logged-models/{model_id}/artifacts/directories", get(list_model))
}

pub(super) fn routes_of_server() -> Router<Tracking> {
    Router::new()
        .route("/get-artifact", get(download))
        .route("/model-versions/get-artifact", get(download_of_version))
        .route("/ajax-api/2.0/mlflow/upload-artifact", post(upload))
        .route("/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files", get(download_of_model))
}

async fn list(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ArtifactsListed> {
    let within = folder(&request.text("path")?.unwrap_or_default())?;
    let run = request.run_id()?;
    let uri = tracking.call(move |store| store.artifact_uri_of_run(&run)).await?;
    list_at(&tracking, uri, within).await
}

async fn list_model(State(tracking): State<Tracking>, Path(model): Path<String>, request: Request) -> Answer<wire::ArtifactsListed> {
    let within = folder(&request.text("artifact_directory_path")?.unwrap_or_default())?;
    let uri = tracking.call(move |store| store.artifact_uri_of_model(&model)).await?;
    list_at(&tracking, uri, within).await
}

async fn list_at(tracking: &Tracking, uri: String, within: almanac_tracking::ArtifactFolder) -> Answer<wire::ArtifactsListed> {
    let whole = tracking.artifacts.locate(&uri)?.folder(&within).map_err(|_| invalid_path())?;
    let found = tracking.artifacts.list(&whole).await?;
    Ok(Json(wire::ArtifactsListed { root_uri: Some(uri), files: wire_files(found, &within) }))
}

async fn download(State(tracking): State<Tracking>, headers: HeaderMap, request: Request) -> Result<Response, MlflowError> {
    let path = file(&request.required("path")?)?;
    let run = request.run_id()?;
    let uri = tracking.call(move |store| store.artifact_uri_of_run(&run)).await?;
    send(&tracking, &at(&tracking, &uri, &path)?, &headers).await
}

async fn download_of_version(State(tracking): State<Tracking>, headers: HeaderMap, request: Request) -> Result<Response, MlflowError> {
    let path = file(&request.required("path")?)?;
    let (name, version) = (request.required("name")?, request.required("version")?);
    let missing = format!("Model Version (name={name}, version={version}) not found");
    let version = version.parse().map_err(|_| MlflowError::new(ErrorCode::ResourceDoesNotExist, missing))?;
    let uri = tracking.call(move |store| store.artifact_uri_of_version(&name, version)).await?;
    send(&tracking, &at(&tracking, &uri, &path)?, &headers).await
}

async fn download_of_model(
    State(tracking): State<Tracking>,
    Path(model): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, MlflowError> {
    let missing = || MlflowError::new(ErrorCode::BadRequest, "Request must include the \"artifact_file_path\" query parameter.");
    let path = file(&request.text("artifact_file_path")?.filter(|path| !path.is_empty()).ok_or_else(missing)?)?;
    let uri = tracking.call(move |store| store.artifact_uri_of_model(&model)).await?;
    send(&tracking, &at(&tracking, &uri, &path)?, &headers).await
}

async fn upload(State(tracking): State<Tracking>, RawQuery(query): RawQuery, body: Body) -> Result<Response, MlflowError> {
    let request = Request::from_query(&query.unwrap_or_default());
    let needed = |name: &'static str| {
        let missing = || MlflowError::invalid(format!("Request must specify {name}."));
        request.text(name)?.filter(|text| !text.is_empty()).ok_or_else(missing)
    };
    let (run, path) = (needed("run_uuid")?, file(&needed("path")?)?);
    let too_large = || MlflowError::invalid("Artifact size is too large. Max size is 10MB.");
    let content = to_bytes(body, MOST_BYTES).await.map_err(|_| too_large())?;
    if content.is_empty() {
        return Err(MlflowError::invalid("Request must specify data."));
    }
    let run = almanac_tracking::RunId::new(run)?;
    let uri = tracking.call(move |store| store.artifact_uri_of_run(&run)).await?;
    tracking.artifacts.put_bytes(&at(&tracking, &uri, &path)?, content).await?;
    Ok(Response::new(Body::empty()))
}

async fn presigned_upload(State(tracking): State<Tracking>, request: Request) -> Answer<wire::PresignedUrl> {
    let named = |name| Ok::<_, MlflowError>(request.text(name)?.filter(|id| !id.is_empty()));
    let (run, model) = (named("run_id")?, named("model_id")?);
    if run.is_some() == model.is_some() {
        return Err(MlflowError::invalid("Exactly one of run_id and model_id must be provided."));
    }
    let path = file(&request.required("path")?)?;
    let good_for = good_for(&request, UPLOAD_GOOD_FOR)?;
    let uri = match (run, model) {
        (Some(run), _) => {
            let run = almanac_tracking::RunId::new(run)?;
            tracking.call(move |store| store.artifact_uri_of_run(&run)).await?
        }
        (None, model) => tracking.call(move |store| store.artifact_uri_of_model(&model.unwrap_or_default())).await?,
    };
    refuse_proxied(&uri, "Presigned upload is not supported for proxied artifact storage", "a direct cloud storage artifact URI")?;
    let presigned_url = tracking.artifacts.presigned(&at(&tracking, &uri, &path)?, "PUT", good_for).await?;
    Ok(Json(wire::PresignedUrl { presigned_url, file_size: None }))
}

async fn presigned_download(State(tracking): State<Tracking>, request: Request) -> Answer<wire::PresignedUrl> {
    let run = almanac_tracking::RunId::new(request.required("run_id")?)?;
    let path = file(&request.required("path")?)?;
    let good_for = good_for(&request, DOWNLOAD_GOOD_FOR)?;
    let uri = tracking.call(move |store| store.artifact_uri_of_run(&run)).await?;
    let wanted = "a run with a direct cloud storage artifact URI";
    refuse_proxied(&uri, "Presigned download is not supported for runs with proxied artifact storage", wanted)?;
    let path = at(&tracking, &uri, &path)?;
    let presigned_url = tracking.artifacts.presigned(&path, "GET", good_for).await?;
    let file_size = Some(tracking.artifacts.get(&path).await?.meta().size);
    Ok(Json(wire::PresignedUrl { presigned_url, file_size }))
}

fn good_for(request: &Request, default: i64) -> Result<Duration, MlflowError> {
    let seconds = request.int("expiration")?.unwrap_or(default);
    if !(1..=LONGEST_GOOD_FOR).contains(&seconds) {
        return Err(MlflowError::invalid(format!("expiration must be between 1 and {LONGEST_GOOD_FOR} seconds (got {seconds}).")));
    }
    Ok(Duration::from_secs(seconds as u64))
}

/// Files that clients send through this server are not signed for.
fn refuse_proxied(uri: &str, refusal: &str, wanted: &str) -> Result<(), MlflowError> {
    let scheme = uri.split(':').next().unwrap_or_default();
    if matches!(scheme, "http" | "https" | "mlflow-artifacts") {
        let message = format!("{refusal} (artifact URI scheme: {scheme}). This endpoint requires {wanted}.");
        return Err(MlflowError::invalid(message));
    }
    Ok(())
}

/// Returns where a file of these artifacts is below our root.
fn at(tracking: &Tracking, uri: &str, path: &ArtifactPath) -> Result<ArtifactPath, MlflowError> {
    tracking.artifacts.locate(uri)?.join(path).map_err(|_| invalid_path())
}
