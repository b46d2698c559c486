//! Getting in without being let in.

use almanac_tracking::Role;

use crate::guarded::{As, PASSWORD, Server};

/// Methods and paths, parameters filled in.
fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let known = include_str!("routes.txt").lines().filter(|line| !line.starts_with('#'));
    let known = known.map(|line| line.split_once(' ').expect("a method and a path"));
    let ours = [
        ("GET", "/"),
        ("GET", "/leaderboard"),
        ("GET", "/docs/"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/ready"),
        ("GET", "/assets/app.css"),
        ("GET", "/api/v1/series"),
        ("POST", "/api/v1/predict"),
        ("GET", "/api/v1/access/tokens"),
        ("POST", "/api/v1/access/tokens"),
        ("DELETE", "/api/v1/access/tokens/viewer"),
        ("POST", "/optuna.StorageService/CreateNewStudy"),
        ("POST", "/signup"),
        ("POST", "/api/2.0/mlflow/users/create"),
    ];
    known.chain(ours)
}

/// CVE-2026-0545 (GHSA-7qhf-v65m-g5f3): jobs; CVE-2026-2652 (GHSA-75cm-x2w3-8mgf): `/v1/traces`; CVE-2026-2651
/// (GHSA-8c7q-86fq-vvmh): uploads in parts; CVE-2023-6014 (GHSA-4qq5-mxxx-m6gg): accounts.
#[tokio::test]
async fn no_route_answers_callers_who_do_not_say_who_they_are() {
    let server = Server::guarded();
    for (method, path) in routes() {
        for method in [method, "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            let answer = server.call(As::Nobody, method, path, "{}").await;
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
        }
    }
}

/// CVE-2024-4263: a role that may edit deletes artifacts.
#[tokio::test]
async fn a_viewer_changes_nothing() {
    let server = Server::guarded();
    let reads =
        ["search", "search-datasets", "get-latest-versions", "batchGetInfos", "calculate-filter-correlation", "presigned-download-url"];
    for (method, path) in routes() {
        let is_read = method == "GET" || reads.iter().any(|read| path.ends_with(read)) || path.ends_with("/traces/metrics");
        if !is_read {
            let answer = server.call(As::Role(Role::Viewer), method, path, "{}").await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
        }
    }
    for path in ["/api/2.0/mlflow-artifacts/artifacts/x", "/api/2.0/mlflow/webhooks/x"] {
        let answer = server.call(As::Role(Role::Engineer), "DELETE", path, "").await;
        assert!(matches!(answer.status.as_u16(), 403 | 404), "{path}: {}", answer.text);
    }
}

/// What proxies and frameworks read differently; none of it may reach a route, nor skip the question who calls.
#[tokio::test]
async fn no_spelling_of_a_path_goes_around_the_question_who_calls() {
    let server = Server::guarded();
    for path in [
        "//api/2.0/mlflow/experiments/create",
        "/api//2.0/mlflow/experiments/create",
        "/api/2.0/mlflow//experiments/create",
        "/health/../api/2.0/mlflow/experiments/create",
        "/health/..%2fapi/2.0/mlflow/experiments/create",
        "/health;/api/2.0/mlflow/experiments/create",
        "/api/2.0/mlflow/./experiments/create",
        "/api/2.0/mlflow/runs/../experiments/create",
        "/api/2.0/mlflow/experiments/create/",
        "/api/2.0/mlflow/experiments/create.",
        "/api/2.0/mlflow/experiments/create%20",
        "/api/2.0/mlflow/experiments/create%00",
        "/api/2.0/mlflow/experiments/create;x=/health",
        "/api/2.0/mlflow/experiments/create?x=/health",
        "/api/2.0/mlflow/%65xperiments/create",
        "/API/2.0/MLFLOW/EXPERIMENTS/CREATE",
        "/api/2.0/mlflow\\experiments\\create",
        "/health/",
        "/health%2f",
        "/HEALTH",
    ] {
        let Ok(uri) = path.parse::<axum::http::Uri>() else { continue };
        let (mut parts, body) = server.request(As::Nobody, "POST", "/", r#"{"name":"got in"}"#).into_parts();
        parts.uri = uri.clone();
        let answer = server.send(axum::http::Request::from_parts(parts, body)).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
        let viewer = server.request(As::Role(Role::Viewer), "POST", "/", r#"{"name":"got in"}"#);
        let (mut parts, body) = viewer.into_parts();
        parts.uri = uri;
        let answer = server.send(axum::http::Request::from_parts(parts, body)).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
    }
    assert_eq!(server.store.get_experiment_by_name("got in").expect("reads"), None);
}

#[tokio::test]
async fn headers_that_claim_something_are_not_believed() {
    let server = Server::guarded();
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-user", "admin"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;host=localhost"),
        ("x-remote-user", "admin"),
        ("x-original-url", "/health"),
        ("x-rewrite-url", "/health"),
        ("cookie", "session=admin"),
        ("x-http-method-override", "GET"),
    ] {
        let (mut parts, body) = server.request(As::Nobody, "POST", "/api/2.0/mlflow/experiments/create", r#"{"name":"x"}"#).into_parts();
        parts.headers.insert(name, value.parse().expect("a header"));
        assert_eq!(server.send(axum::http::Request::from_parts(parts, body)).await.status, 401, "{name}");
    }
    let viewer = server.request(As::Role(Role::Viewer), "POST", "/api/2.0/mlflow/experiments/create", r#"{"name":"x"}"#);
    let (mut parts, body) = viewer.into_parts();
    parts.headers.insert("x-http-method-override", "GET".parse().expect("a header"));
    assert_eq!(server.send(axum::http::Request::from_parts(parts, body)).await.status, 403);
}

/// GHSA-gq3w-7jj3-x7gr: `admin` with `password1234`; CVE-2025-11200 (GHSA-6xj8-rrqx-r4cv), CVE-2025-1474: empty and short ones.
#[tokio::test]
async fn there_is_no_default_and_no_weak_password() {
    let server = Server::guarded();
    for (name, password) in
        [("admin", "password1234"), ("admin", "password"), ("admin", "admin"), ("mlflow", "mlflow"), ("", ""), ("anna", "")]
    {
        let answer = server.call(As::Basic(name, password), "GET", "/api/v1/project", "").await;
        assert_eq!(answer.status, 401, "{name}");
    }
    for weak in ["", "a", "password", "12345678901"] {
        assert!(server.store.create_access_user("weak", Role::Viewer, weak, almanac_tracking::Millis(1)).is_err(), "`{weak}`");
        assert!(server.store.set_access_password("anna", weak).is_err(), "`{weak}`");
    }
}

/// Whether there is such a user is not told; that it takes as long is by the same hash being made for nobody.
#[tokio::test]
async fn an_unknown_user_is_answered_like_a_wrong_password() {
    let server = Server::guarded();
    let unknown = server.call(As::Basic("nobody", PASSWORD), "GET", "/api/v1/project", "").await;
    let wrong = server.call(As::Basic("anna", "wrong horse battery"), "GET", "/api/v1/project", "").await;
    assert_eq!((unknown.status, &unknown.text), (wrong.status, &wrong.text));
}
