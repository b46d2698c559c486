//! MLflow's REST interface over the tracking store, so that its own clients work against this server.
//!
//! One file a family of routes. Each handler reads a [`request::Request`], asks the store on a thread that may block, and
//! answers with a struct of `almanac_api::mlflow`. Refusals of the store are already in MLflow's words ([`error`]).
//!
//! Not here: what the store does (`almanac-tracking`), who may call (`access`).

mod absent;
mod artifacts;
mod assessments;
mod error;
mod experiments;
mod inputs;
mod logged_models;
mod logging;
mod otlp;
mod registry;
mod request;
mod runs;
mod traces;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use almanac_tracking::{ArtifactStore, Millis, StoreError, TrackingStore};
use axum::Json;
use axum::Router;

pub(crate) use error::MlflowError;

/// What handlers get: the stores, shared by all requests.
#[derive(Clone)]
pub(crate) struct Tracking {
    pub(crate) store: Arc<TrackingStore>,
    pub(crate) artifacts: ArtifactStore,
}

/// What a handler ends in.
pub(crate) type Answer<T> = Result<Json<T>, MlflowError>;

impl Tracking {
    pub(crate) fn new(store: Arc<TrackingStore>, artifacts: ArtifactStore) -> Self {
        Self { store, artifacts }
    }

    /// Asks the store on a thread that may block.
    pub(crate) async fn call<T, F>(&self, ask: F) -> Result<T, MlflowError>
    where
        T: Send + 'static,
        F: FnOnce(&TrackingStore) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let answer = tokio::task::spawn_blocking(move || ask(&store)).await;
        match answer {
            Ok(answer) => Ok(answer?),
            Err(error) => Err(MlflowError::internal(&error)),
        }
    }
}

/// The time as the store wants it.
pub(crate) fn now() -> Millis {
    Millis(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64))
}

/// Builds all routes of MLflow.
pub(crate) fn router(tracking: Tracking) -> Router {
    // What is the same in both versions of the interface.
    let families = || {
        Router::new()
            .merge(experiments::routes())
            .merge(runs::routes())
            .merge(logging::routes())
            .merge(inputs::routes())
            .merge(logged_models::routes())
            .merge(registry::routes())
            .merge(artifacts::routes())
            .merge(assessments::routes())
    };
    let second = absent::complete(families().merge(traces::routes_v2()));
    let third = absent::complete(families().merge(traces::routes_v3()));
    Router::new()
        .merge(artifacts::routes_of_server())
        .merge(otlp::routes())
        .merge(absent::at_root())
        .nest("/api/2.0/mlflow", second.clone())
        .nest("/ajax-api/2.0/mlflow", second)
        .nest("/api/3.0/mlflow", third.clone())
        .nest("/ajax-api/3.0/mlflow", third)
        .merge(inputs::odd_routes())
        .nest("/api/v1/registry", registry::own_routes())
        .with_state(tracking)
}
