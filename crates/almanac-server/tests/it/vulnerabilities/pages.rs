//! Scripts in names and files, which a browser must not run.

use axum::body::Body;
use axum::http::Request;

use crate::guarded::{As, Server};

const SCRIPT: &str = "<script>alert(1)</script>";

#[tokio::test]
async fn names_come_back_as_data() {
    let server = Server::open();
    let body = serde_json::json!({ "name": SCRIPT, "tags": [{ "key": "k", "value": SCRIPT }] }).to_string();
    let made = server.call(As::Nobody, "POST", "/api/2.0/mlflow/experiments/create", &body).await;
    let path = format!("/api/2.0/mlflow/experiments/get?experiment_id={}", made.json()["experiment_id"].as_str().expect("an id"));
    let missing = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=%3Cscript%3Ealert(1)%3C/script%3Ex";
    for path in [path.as_str(), missing] {
        let request = Request::get(path).header("accept", "text/html").body(Body::empty()).expect("valid");
        let answer = server.send(request).await;
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn pages_show_what_was_asked_for_as_text() {
    for server in [Server::open(), Server::guarded()] {
        for path in ["/%3Cscript%3Ealert(1)%3C/script%3E", "/x?%3Cscript%3Ealert(1)%3C/script%3E", "/leaderboard?x=<script>"] {
            let Ok(request) = Request::get(path).header("accept", "text/html").body(Body::empty()) else { continue };
            let answer = server.send(request).await;
            assert!(!answer.text.contains("<script>alert"), "{path}: {}", answer.text);
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
        }
    }
}
