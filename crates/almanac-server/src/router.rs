//! All routes on one port, and the layers around them.

use crate::access::{self, Gate};
use crate::blocking::{Caller, panic_message};
use crate::error::ApiError;
use crate::mlflow::{self, Tracking};
use crate::telemetry::{Telemetry, measure};
use crate::{Services, api, assets, openapi, ops, optuna, pages};
use almanac_feature_store::OnlineStore;
use almanac_tracking::TrackingStore;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// Most bytes in the body of a request: 32 MiB.
pub const BODY_LIMIT: usize = 32 << 20;
/// How long a request may take until its answer begins; a body that trickles in counts.
const REQUEST_LIMIT: Duration = Duration::from_secs(150);

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) caller: Caller,
    pub(crate) telemetry: Telemetry,
    pub(crate) features: Option<Arc<OnlineStore>>,
    /// Where the history of validations is kept.
    pub(crate) checks: Option<Arc<TrackingStore>>,
}

/// Builds the whole server as a router, for tests and for embedding.
pub fn router(services: Services) -> Router {
    router_with(services, Telemetry::new())
}

pub(crate) fn router_with(services: Services, telemetry: Telemetry) -> Router {
    let gate = Gate::new(services.access);
    let app = App {
        caller: Caller::new(services.forecasts),
        telemetry: telemetry.clone(),
        features: services.features,
        checks: services.tracking.clone(),
    };
    // Clients of MLflow move files and small answers: neither is compressed or cut short by time.
    let studies = services.tracking.clone().map(optuna::router).unwrap_or_default();
    let tracking = services.tracking.map(|store| mlflow::router(Tracking::new(store, services.artifacts))).unwrap_or_default();
    let own = Router::new()
        .route("/", get(pages::explorer))
        .route("/leaderboard", get(pages::leaderboard))
        .route("/data", get(pages::data))
        .route("/features", get(pages::features))
        .route("/checks", get(pages::checks))
        .route("/assets/{*path}", get(assets::serve))
        .route("/api/v1/project", get(api::project))
        .route("/api/v1/series", get(api::series))
        .route("/api/v1/history", get(api::history))
        .route("/api/v1/forecasts", get(api::forecasts))
        .route("/api/v1/data", get(api::table_data))
        .route("/api/v1/leaderboard", get(api::leaderboard))
        .route("/api/v1/predict", post(api::predict))
        .route("/api/v1/features", get(api::feature_catalogue).post(api::features))
        .route("/get-online-features", post(api::feast_features))
        .merge(api::not_of_feast())
        .route("/health", get(ops::health))
        .route("/ready", get(ops::ready))
        .route("/metrics", get(ops::metrics))
        .route("/openapi.json", get(openapi::serve))
        .with_state(app.clone())
        .merge(openapi::docs())
        .merge(access::tokens::routes(gate.clone()))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(in_time))
        .layer(CompressionLayer::new());
    own.merge(tracking)
        .merge(studies)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(gate, access::check))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(telemetry, measure))
        .layer(from_fn(harden))
}

async fn no_route(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if pages::wants_html(request.headers()) && !path.starts_with("/api/") {
        return pages::problem(ApiError::NoRoute { path }.into_problem());
    }
    ApiError::NoRoute { path }.into_response()
}

async fn no_method(request: Request) -> ApiError {
    ApiError::Method { method: request.method().to_string(), path: request.uri().path().to_owned() }
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut { limit: REQUEST_LIMIT }.into_response(),
    }
}

/// Headers that keep a browser from guessing types or telling other sites what was looked at.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    ApiError::Panicked { message: panic_message(&*panic) }.into_response()
}
