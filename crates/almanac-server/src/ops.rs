//! Endpoints for operators: liveness, readiness, metrics.

use crate::error::ApiError;
use crate::router::App;
use almanac_api::Readiness;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Liveness: the process answers.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, description = "The server is alive", body = String)))]
pub(crate) async fn health() -> &'static str {
    "OK"
}

/// Readiness: a champion and forecasts exist.
#[utoipa::path(get, path = "/ready", tag = "operations", responses(
    (status = 200, description = "Forecasts can be served", body = Readiness),
    (status = 503, description = "Not yet; `reason` says what is missing", body = Readiness),
))]
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    let readiness = app.caller.call(|service| Ok(service.readiness())).await?;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(readiness)).into_response())
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses(
    (status = 200, description = "Prometheus text", content_type = "text/plain", body = String),
))]
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let telemetry = app.telemetry.clone();
    let text = app.caller.call(move |service| Ok(telemetry.render(service))).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
