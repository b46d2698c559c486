//! Spans by OpenTelemetry's protocol over HTTP, `POST /v1/traces`: protobuf or JSON, also packed by gzip or deflate.
//!
//! The header `x-mlflow-experiment-id` says where they go; with `x-mlflow-run-id` traces that have ended are linked to that run.
//!
//! Not here: the protocol over gRPC.

mod messages;
mod summary;
mod value;

use std::io::Read;

use almanac_tracking::{ErrorCode, RunId, TraceSpans};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use prost::Message as _;

use self::messages::ExportRequest;
pub(super) use self::value::trace_file;
use super::experiments::experiment_id;
use super::{MlflowError, Tracking};

/// Most bytes of a request, packed or not.
const BODY_LIMIT: u64 = 32 << 20;
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// Most traces that the store links to a run at once.
const LINKS: usize = 100;

pub(super) fn routes() -> Router<Tracking> {
    Router::new().route("/v1/traces", post(export))
}

async fn export(State(tracking): State<Tracking>, request: Request) -> Result<Response, MlflowError> {
    let (parts, body) = request.into_parts();
    let text = |name: &str| text(&parts.headers, name).map(str::to_owned);
    let missing = "Missing value for the required header 'x-mlflow-experiment-id'.";
    let experiment = experiment_id(&text("x-mlflow-experiment-id").ok_or_else(|| MlflowError::invalid(missing))?)?;
    let run = text("x-mlflow-run-id");
    let content_type = text("content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let form = match essence.as_str() {
        PROTOBUF => PROTOBUF,
        JSON => JSON,
        _ => return Err(MlflowError::invalid(format!("Invalid Content-Type: {content_type}. Expected: {PROTOBUF} or {JSON}"))),
    };
    let encoding = text("content-encoding").unwrap_or_default().to_ascii_lowercase();
    let body = to_bytes(body, BODY_LIMIT as usize).await.map_err(|_| too_large())?;
    // Reading a large body is work, and so is done where the store is asked.
    let answer = tracking
        .call(move |store| {
            let traces = match read(&body, &encoding, form) {
                Ok(traces) => traces,
                Err(error) => return Ok(Err(error)),
            };
            store.log_spans(experiment, &traces)?;
            if let Some(run) = run {
                let has_root = |trace: &&TraceSpans| trace.spans.iter().any(|span| span.parent.is_none());
                let ended: Vec<String> = traces.iter().filter(has_root).map(|trace| trace.trace.clone()).collect();
                for ended in ended.chunks(LINKS) {
                    // The spans are stored: an exporter that was told otherwise would send them again.
                    if let Err(error) = store.link_traces_to_run(ended, &RunId::unchecked(run.clone())) {
                        tracing::warn!(%error, "traces were not linked to their run");
                    }
                }
            }
            Ok(Ok(()))
        })
        .await?;
    answer?;
    let empty = if form == JSON { "{}" } else { "" };
    let mut response = empty.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    Ok(response)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty())
}

fn too_large() -> MlflowError {
    MlflowError::new(ErrorCode::BadRequest, format!("Spans must come in requests of at most {BODY_LIMIT} bytes."))
}

fn read(body: &Bytes, encoding: &str, form: &str) -> Result<Vec<TraceSpans>, MlflowError> {
    let unpacked = unpack(body, encoding)?;
    let body = unpacked.as_deref().unwrap_or(body);
    let unreadable = |error: &dyn std::fmt::Display| MlflowError::invalid(format!("Invalid OpenTelemetry format: {error}"));
    let request = if form == JSON {
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?
    } else {
        ExportRequest::decode(body).map_err(|error| unreadable(&error))?
    };
    if request.resource_spans.is_empty() {
        return Err(MlflowError::invalid("Invalid OpenTelemetry format - no spans found"));
    }
    summary::traces(request)
}

/// Unpacks a body, up to the limit; `None` where it is not packed.
fn unpack(body: &[u8], encoding: &str) -> Result<Option<Vec<u8>>, MlflowError> {
    match encoding {
        "" | "identity" => Ok(None),
        "gzip" => drain(GzDecoder::new(body), encoding).map(Some),
        // Some exporters leave out the header that the encoding asks for.
        "deflate" => drain(ZlibDecoder::new(body), encoding).or_else(|_| drain(DeflateDecoder::new(body), encoding)).map(Some),
        _ => Err(MlflowError::invalid(format!("Unsupported Content-Encoding: {encoding}"))),
    }
}

fn drain(packed: impl Read, encoding: &str) -> Result<Vec<u8>, MlflowError> {
    let mut unpacked = Vec::new();
    let read = packed.take(BODY_LIMIT + 1).read_to_end(&mut unpacked);
    read.map_err(|_| MlflowError::invalid(format!("Failed to decompress {encoding} payload")))?;
    if unpacked.len() as u64 > BODY_LIMIT { Err(too_large()) } else { Ok(unpacked) }
}
