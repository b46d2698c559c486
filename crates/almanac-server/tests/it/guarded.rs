//! A server that asks who calls, over a store of its own, and calls to it without a port.

use std::sync::Arc;

use almanac_server::{Access, Guard, NoProject, Services, router};
use almanac_tracking::{ArtifactStore, Millis, NewAccessToken, Role, StoreUrl, TrackingStore};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::request::Answer;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server with one token for each role, named like it, and the user `anna`, a viewer with [`PASSWORD`].
pub(crate) struct Server {
    router: Router,
    pub(crate) store: Arc<TrackingStore>,
    tokens: Vec<(Role, String)>,
    pub(crate) folder: TempDir,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum As<'a> {
    Nobody,
    Role(Role),
    Bearer(&'a str),
    Basic(&'a str, &'a str),
}

impl Server {
    pub(crate) fn guarded() -> Self {
        Self::with(|store| Access { guard: Guard::Guarded(store), ..Access::default() })
    }

    pub(crate) fn open() -> Self {
        Self::with(|_| Access::default())
    }

    pub(crate) fn with(access: impl FnOnce(Arc<TrackingStore>) -> Access) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens");
        let store = Arc::new(store);
        let token = |role: Role| {
            let new = NewAccessToken { name: role.to_string(), role, expires: None };
            (role, store.create_access_token(&new, Millis(1)).expect("made").1.expose().to_owned())
        };
        let tokens = Role::ALL.map(token).to_vec();
        store.create_access_user("anna", Role::Viewer, PASSWORD, Millis(1)).expect("made");
        let root = folder.path().join("artifacts");
        let services = Services {
            forecasts: Arc::new(NoProject),
            tracking: Some(Arc::clone(&store)),
            artifacts: ArtifactStore::open(root.to_str().expect("a path of UTF-8")).expect("opens"),
            features: None,
            access: access(Arc::clone(&store)),
        };
        Self { router: router(services), store, tokens, folder }
    }

    pub(crate) fn token(&self, role: Role) -> &str {
        &self.tokens.iter().find(|(other, _)| *other == role).expect("one for each role").1
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router cannot fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body has an end").to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// Calls with a body of JSON, or without one where it is empty.
    pub(crate) async fn call(&self, caller: As<'_>, method: &str, path: &str, body: &str) -> Answer {
        self.send(self.request(caller, method, path, body)).await
    }

    pub(crate) fn request(&self, caller: As<'_>, method: &str, path: &str, body: &str) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if method != "GET" {
            request = request.header("content-type", "application/json");
        }
        let header = match caller {
            As::Nobody => None,
            As::Role(role) => Some(format!("Bearer {}", self.token(role))),
            As::Bearer(token) => Some(format!("Bearer {token}")),
            As::Basic(name, password) => Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))),
        };
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        request.body(Body::from(body.to_owned())).unwrap_or_else(|error| panic!("`{method} {path}`: {error}"))
    }
}
