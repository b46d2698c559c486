//! One request to the router, without a port.

use crate::fake::FakeService;
use almanac_server::{ForecastService, Services, router};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::sync::Arc;
use tower::ServiceExt;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }
}

pub(crate) async fn send_to(service: Arc<dyn ForecastService>, request: Request<Body>) -> Answer {
    let response: Response<Body> = router(Services::forecasts(service)).oneshot(request).await.expect("the router cannot fail");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("the body has an end").to_bytes();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).expect("text") }
}

pub(crate) async fn get(path: &str) -> Answer {
    get_from(FakeService::default(), path).await
}

pub(crate) async fn get_from(service: FakeService, path: &str) -> Answer {
    send_to(Arc::new(service), Request::get(path).body(Body::empty()).expect("valid request")).await
}

pub(crate) async fn post(path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header("content-type", "application/json").body(body.into()).expect("valid request");
    send_to(Arc::new(FakeService::default()), request).await
}
