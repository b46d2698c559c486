//! MLflow's interface over a new store, without a port.

mod absent;
mod artifacts;
mod assessments;
mod inputs;
mod logged_models;
mod registry;
mod traces;

use std::sync::Arc;

use almanac_server::{NoProject, Services, router};
use almanac_tracking::{StoreUrl, TrackingStore};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// A server with a store of its own.
pub(crate) struct Mlflow {
    router: Router,
    _folder: tempfile::TempDir,
}

impl Mlflow {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("a new file");
        let services = Services { tracking: Some(Arc::new(store)), ..Services::forecasts(Arc::new(NoProject)) };
        Self { router: router(services), _folder: folder }
    }

    /// Sends a request to a whole path; `null` is no body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header("content-type", "application/json").body(Body::from(body.to_string()))
        };
        let response = self.router.clone().oneshot(request.expect("a valid request")).await.expect("the router cannot fail");
        let status = response.status();
        let bytes = response.into_body().collect().await.expect("the body has an end").to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}: {text}"));
        (status, body)
    }

    /// Sends a request below `/api/2.0/mlflow` that must succeed.
    #[track_caller]
    pub(crate) fn ok(&self, method: Method, path: &str, body: Value) -> impl Future<Output = Value> {
        let path = format!("/api/2.0/mlflow/{path}");
        async move {
            let (status, answer) = self.send(method, &path, &body).await;
            assert_eq!(status, StatusCode::OK, "{path}: {answer}");
            answer
        }
    }

    /// Sends a request below `/api/2.0/mlflow` that must be refused; returns status, code and message as one text.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: Value) -> String {
        let (status, answer) = self.send(method, &format!("/api/2.0/mlflow/{path}"), &body).await;
        let field = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        format!("{} {}: {}", status.as_u16(), field("error_code"), field("message"))
    }

    /// Makes an experiment and returns its id.
    pub(crate) async fn experiment(&self, name: &str) -> String {
        let made = self.ok(Method::POST, "experiments/create", json!({"name": name})).await;
        text(&made, "/experiment_id")
    }

    /// Makes a run and returns its id.
    pub(crate) async fn run(&self, experiment: &str) -> String {
        let made = self.ok(Method::POST, "runs/create", json!({"experiment_id": experiment, "start_time": 1})).await;
        text(&made, "/run/info/run_id")
    }
}

/// Returns the text at a place of an answer.
#[track_caller]
pub(crate) fn text(answer: &Value, place: &str) -> String {
    answer.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {place}: {answer}")).to_owned()
}
