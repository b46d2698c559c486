//! Uploads in parts, and URLs at which an object store can be asked directly.
//!
//! Where the root is a local folder the parts come to this server, at URLs that are made like the one that the upload was
//! begun at. Clients use them only if they are told to: such a URL can be wrong behind a proxy.
//!
//! Not here: signatures (`almanac_tracking`).

use std::collections::BTreeMap;
use std::time::Duration;

use almanac_api::mlflow as wire;
use almanac_tracking::{ArtifactFolder, ArtifactPath, PartTarget, UploadedPart};
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use futures::TryStreamExt;

use super::super::request::{Request, missing};
use super::super::{Answer, MlflowError, Tracking};
use super::{FilePath, file, invalid_path};

/// How long a URL for a download is good.
const DOWNLOAD_GOOD_FOR: Duration = Duration::from_mins(5);

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/mpu/create/{*path}", post(create))
        .route("/mpu/complete/{*path}", post(complete))
        .route("/mpu/abort/{*path}", post(abort))
        .route("/mpu/part/{*path}", put(part))
        .route("/presigned/{*path}", get(presigned))
}

/// The file that an upload makes: in the folder of the URL, with the last part of the client's own path as its name.
fn target(folder: ArtifactPath, request: &Request) -> Result<ArtifactPath, MlflowError> {
    let local = request.required("path")?;
    let name = file(local.rsplit(['/', '\\']).next().unwrap_or_default())?;
    ArtifactFolder::from(folder).join(&name).map_err(|_| invalid_path())
}

async fn create(
    State(tracking): State<Tracking>,
    FilePath(folder): FilePath,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    request: Request,
) -> Answer<wire::UploadCreated> {
    let path = target(folder, &request)?;
    let parts = request.int("num_parts")?.unwrap_or(1);
    let parts = u32::try_from(parts).unwrap_or_default();
    let upload = tracking.artifacts.begin_upload(&path, parts).await?;
    let here = base(&uri, &headers);
    // The client does not sign in again for the parts by itself.
    let sign_in = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sign_in: BTreeMap<String, String> = sign_in.map(|value| ("Authorization".to_owned(), value.to_owned())).into_iter().collect();
    let credential = |(part, number): (PartTarget, u32)| match part {
        PartTarget::Url(url) => wire::UploadCredential { url, part_number: number, headers: BTreeMap::new() },
        PartTarget::Number(part_number) => {
            let path = percent_encoding::utf8_percent_encode(path.as_str(), percent_encoding::NON_ALPHANUMERIC);
            let url = format!("{here}/mpu/part/{path}?upload_id={}&part_number={part_number}", upload.id);
            wire::UploadCredential { url, part_number, headers: sign_in.clone() }
        }
    };
    let credentials = upload.parts.into_iter().zip(1..).map(credential).collect();
    Ok(Json(wire::UploadCreated { upload_id: upload.id.clone(), credentials }))
}

/// Returns what the client wrote before `/mpu/create/`.
fn base(uri: &Uri, headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if text("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text("host")).unwrap_or("localhost");
    let before = uri.path().split("/mpu/create/").next().unwrap_or_default();
    format!("{scheme}://{host}{before}")
}

async fn part(
    State(tracking): State<Tracking>,
    FilePath(path): FilePath,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, MlflowError> {
    let request = Request::from_query(&query.unwrap_or_default());
    let upload = request.required("upload_id")?;
    let number = request.int("part_number")?.ok_or_else(|| missing("part_number"))?;
    let number = u32::try_from(number).unwrap_or_default();
    let etag = tracking.artifacts.put_part(&path, &upload, number, body.into_data_stream().map_err(Into::into)).await?;
    let mut response = Json(wire::Empty {}).into_response();
    response.headers_mut().insert(header::ETAG, HeaderValue::try_from(etag).expect("hexadecimal digits"));
    Ok(response)
}

async fn complete(State(tracking): State<Tracking>, FilePath(folder): FilePath, request: Request) -> Answer<wire::Empty> {
    let path = target(folder, &request)?;
    let upload = request.required("upload_id")?;
    let read = |part: Request| {
        let number = part.int("part_number")?.and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
        Ok(UploadedPart { number, etag: part.text("etag")?.unwrap_or_default() })
    };
    let parts = request.messages("parts")?.into_iter().map(read).collect::<Result<Vec<_>, MlflowError>>()?;
    if parts.is_empty() {
        return Err(missing("parts"));
    }
    tracking.artifacts.complete_upload(&path, &upload, parts).await?;
    Ok(Json(wire::Empty {}))
}

async fn abort(State(tracking): State<Tracking>, FilePath(folder): FilePath, request: Request) -> Answer<wire::Empty> {
    let path = target(folder, &request)?;
    tracking.artifacts.abort_upload(&path, &request.required("upload_id")?).await?;
    Ok(Json(wire::Empty {}))
}

async fn presigned(State(tracking): State<Tracking>, FilePath(path): FilePath) -> Answer<wire::PresignedDownload> {
    let url = tracking.artifacts.presigned(&path, "GET", DOWNLOAD_GOOD_FOR).await?;
    let file_size = tracking.artifacts.get(&path).await?.meta().size;
    Ok(Json(wire::PresignedDownload { url, headers: BTreeMap::new(), file_size }))
}
