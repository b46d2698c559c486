//! Work without bounds.

use crate::guarded::{As, Server};

const CREATE: &str = "/api/2.0/mlflow/experiments/create";

async fn post(server: &Server, path: &str, body: &str) -> u16 {
    server.call(As::Nobody, "POST", path, body).await.status.as_u16()
}

#[tokio::test]
async fn long_names_and_locations_are_refused() {
    let server = Server::open();
    let long = "x".repeat(1 << 20);
    for body in [
        serde_json::json!({ "name": long }),
        serde_json::json!({ "name": "x", "artifact_location": long }),
        serde_json::json!({ "name": "x", "tags": [{ "key": long, "value": "v" }] }),
        serde_json::json!({ "name": "x", "tags": [{ "key": "k", "value": long }] }),
    ] {
        assert_eq!(post(&server, CREATE, &body.to_string()).await, 400);
    }
    assert_eq!(server.store.get_experiment_by_name("x").expect("reads"), None);
}

#[tokio::test]
async fn deep_and_broken_bodies_are_refused() {
    let server = Server::open();
    let deep = |open: &str, close: &str| format!(r#"{{"name":{}{}}}"#, open.repeat(200_000), close.repeat(200_000));
    for body in [deep("[", "]"), deep(r#"{"a":"#, "}"), "{".repeat(1 << 20), "\"".to_owned(), "[1,2".to_owned(), "\u{0}".to_owned()] {
        assert_eq!(post(&server, CREATE, &body).await, 400);
    }
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let server = Server::guarded();
    let huge = format!(r#"{{"name":"x","role":"viewer","pad":"{}"}}"#, "x".repeat(1 << 20));
    let answer = server.call(As::Role(almanac_tracking::Role::Admin), "POST", "/api/v1/access/tokens", &huge).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    let huge = format!(r#"{{"name":"{}"}}"#, "x".repeat(65 << 20));
    assert!((400..500).contains(&post(&Server::open(), CREATE, &huge).await));
}

/// CVE-2025-0453: searches for everything at once.
#[tokio::test]
async fn pages_of_searches_have_a_limit() {
    let server = Server::open();
    for (path, limit) in [("/api/2.0/mlflow/runs/search", 50_000), ("/api/2.0/mlflow/experiments/search", 50_000)] {
        for size in [limit + 1, i64::MAX, 0, -1, i64::MIN] {
            let body = serde_json::json!({ "experiment_ids": ["0"], "max_results": size }).to_string();
            let status = post(&server, path, &body).await;
            assert!((400..500).contains(&status), "{path} {size}: {status}");
        }
    }
}

#[tokio::test]
async fn long_lists_are_answered_or_refused() {
    let server = Server::open();
    let ids: Vec<String> = (0..100_000).map(|id| id.to_string()).collect();
    let quoted = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let terms: Vec<String> = (0..5_000).map(|n| format!("metrics.m{n} DESC")).collect();
    let tags: Vec<_> = (0..20_000).map(|n| serde_json::json!({ "key": format!("k{n}"), "value": "v" })).collect();
    for (path, body) in [
        ("/api/2.0/mlflow/runs/search", serde_json::json!({ "experiment_ids": ids })),
        ("/api/2.0/mlflow/runs/search", serde_json::json!({ "experiment_ids": ["0"], "filter": format!("run_id IN ({quoted})") })),
        ("/api/2.0/mlflow/runs/search", serde_json::json!({ "experiment_ids": ["0"], "order_by": terms })),
        ("/api/2.0/mlflow/experiments/search", serde_json::json!({ "max_results": 10, "order_by": terms })),
        ("/api/2.0/mlflow/logged-models/search", serde_json::json!({ "experiment_ids": ids })),
        ("/api/2.0/mlflow/experiments/search-datasets", serde_json::json!({ "experiment_ids": ids })),
        (CREATE, serde_json::json!({ "name": "x", "tags": tags })),
        ("/api/2.0/mlflow/runs/create", serde_json::json!({ "experiment_id": "0", "tags": tags })),
    ] {
        let status = post(&server, path, &body.to_string()).await;
        assert!(status < 500, "{path} {}: {status}", body.to_string().chars().take(60).collect::<String>());
    }
}

#[tokio::test]
async fn filters_cannot_be_made_to_do_something_else() {
    let server = Server::open();
    let long = (0..20_000).map(|n| format!("params.p{n} = 'x'")).collect::<Vec<_>>().join(" AND ");
    for filter in [
        "params.x = 'a' OR 1=1",
        "params.x = 'a'; DROP TABLE runs",
        "params.x = 'a' UNION SELECT 1",
        "params.`x' OR '1'='1` = 'a' OR",
        "attributes.password = 'x'",
        &(0..100).map(|n| format!("params.p{n} = 'x'")).collect::<Vec<_>>().join(" AND "),
        &"(".repeat(100_000),
        &long,
    ] {
        let body = serde_json::json!({ "experiment_ids": ["0"], "filter": filter }).to_string();
        let status = post(&server, "/api/2.0/mlflow/runs/search", &body).await;
        assert!((400..500).contains(&status), "{}: {status}", filter.chars().take(60).collect::<String>());
    }
    assert_eq!(post(&server, CREATE, r#"{"name":"still there"}"#).await, 200);
}
