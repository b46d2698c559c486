//! Liveness, readiness and metrics.

use crate::fake::FakeService;
use crate::request::{get, get_from};
use almanac_server::{Services, router};
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use std::sync::Arc;
use tower::ServiceExt;

#[tokio::test]
async fn a_project_without_forecasts_is_alive_but_not_ready() {
    let empty = FakeService { is_empty: true, ..FakeService::default() };
    assert_eq!(get_from(empty.clone(), "/health").await.status, 200);
    let ready = get_from(empty, "/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["reason"], "no champion and no forecasts: run `almanac run` first");
    assert_eq!(get("/ready").await.status, 200);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_status() {
    let app = router(Services::forecasts(Arc::new(FakeService::default())));
    for path in ["/api/v1/project", "/api/v1/project", "/api/v1/series?limit=0", "/no/such/path", "/another/one"] {
        let request = Request::get(path).body(Body::empty()).expect("valid");
        app.clone().oneshot(request).await.expect("the router cannot fail").into_body().collect().await.expect("body");
    }
    let body = r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}]}],"horizon":3}"#;
    let request = Request::post("/api/v1/predict").body(Body::from(body)).expect("valid");
    assert_eq!(app.clone().oneshot(request).await.expect("the router cannot fail").status(), 200);
    let request = Request::get("/metrics").body(Body::empty()).expect("valid");
    let bytes = app.oneshot(request).await.expect("the router cannot fail").into_body().collect().await.expect("body").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    for line in [
        "almanac_http_requests_total{method=\"GET\",route=\"/api/v1/project\",status=\"200\"} 2",
        "almanac_http_requests_total{method=\"GET\",route=\"/api/v1/series\",status=\"400\"} 1",
        "almanac_http_requests_total{method=\"GET\",route=\"unknown\",status=\"404\"} 2",
        "almanac_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/project\",status=\"200\"} 2",
        "almanac_predict_rows_total 3",
        "almanac_ready 1",
        "almanac_build_info{version=",
    ] {
        assert!(text.lines().any(|given| given.starts_with(line)), "no line `{line}` in\n{text}");
    }
    let age = text.lines().find_map(|line| line.strip_prefix("almanac_forecast_age_seconds ")).expect("an age");
    assert!(age.parse::<f64>().expect("a number") > 0.0);
}
