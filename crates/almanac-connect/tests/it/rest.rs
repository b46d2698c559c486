//! A service that pages in each of the usual ways, and fails now and then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use almanac_connect::ConnectError;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::place::{Place, rows, said};

const ROWS: usize = 23;

#[derive(Debug, Default)]
struct Seen {
    requests: AtomicU32,
    authorized: AtomicU32,
    queries: Mutex<Vec<BTreeMap<String, String>>>,
}

type Params = Query<BTreeMap<String, String>>;

fn number(params: &BTreeMap<String, String>, name: &str, usual: usize) -> usize {
    params.get(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn items(from: usize, count: usize) -> Vec<Value> {
    (from..(from + count).min(ROWS))
        .map(|n| json!({"id": n, "name": format!("Käse {n}"), "at": format!("2024-01-{:02}T00:00:00Z", n + 1)}))
        .collect()
}

async fn list(State(seen): State<Arc<Seen>>, headers: HeaderMap, Query(params): Params) -> Response {
    let request = seen.requests.fetch_add(1, Ordering::Relaxed);
    seen.authorized.fetch_add(u32::from(headers.get("x-api-key").is_some_and(|key| key == "hunter22")), Ordering::Relaxed);
    seen.queries.lock().expect("whole").push(params.clone());
    if params.contains_key("flaky") {
        match request % 5 {
            0 => return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response(),
            2 => return (StatusCode::INTERNAL_SERVER_ERROR, "oops").into_response(),
            4 => return "{\"data\": {\"items\": [{\"id\": 1".into_response(),
            _ => {}
        }
    }
    let limit = number(&params, "limit", 5);
    let from = match params.get("by").map(String::as_str) {
        Some("page") => (number(&params, "page", 1) - 1) * limit,
        Some("cursor") => params.get("after").and_then(|text| text.strip_prefix("c=")).map_or(0, |text| text.parse().expect("ours")),
        _ => number(&params, "offset", 0),
    };
    let items: Vec<Value> = match params.get("since") {
        Some(since) => items(0, ROWS).into_iter().filter(|row| row["at"].as_str().is_some_and(|at| at >= since.as_str())).collect(),
        None => items(from, limit),
    };
    let next = from + limit;
    let more = next < ROWS && !params.contains_key("since");
    let body = json!({"data": {"items": items}, "meta": {"next": if more { json!(format!("c={next}")) } else { Value::Null }}});
    let link = if more { format!("</rows?by=link&offset={next}&limit={limit}>; rel=\"next\"") } else { String::new() };
    ([("link", link)], axum::Json(body)).into_response()
}

async fn serve() -> (String, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let home = format!("http://{}", listener.local_addr().expect("an address"));
    let other = home.replace("127.0.0.1", "localhost");
    let app = Router::new()
        .route("/rows", get(list).post(list))
        .route("/same", get(async || axum::Json(json!([{"id": 1}]))))
        .route("/circle", get(async || axum::Json(json!({"rows": [{"id": 1}], "next": "/circle"}))))
        .route("/odd", get(async || axum::Json(json!({"rows": [1, 2], "value": 7}))))
        .route("/none", get(async || axum::Json(json!([]))))
        .route("/text", get(async || "<html>"))
        .route("/401", get(async || (StatusCode::UNAUTHORIZED, "who is hunter22?")))
        .route("/busy", get(async || StatusCode::SERVICE_UNAVAILABLE))
        .route("/away", get(async move || (StatusCode::FOUND, [("location", format!("{other}/rows?limit=50"))])))
        .route("/sales.csv", get(async || ([("etag", "\"v1\"")], "id,n\n1,2\n")))
        .with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (home, seen)
}

fn ids(files: &[std::path::PathBuf]) -> Vec<u64> {
    rows(files).iter().filter_map(|row| serde_json::from_str::<Value>(row).ok()?["id"].as_u64()).collect()
}

#[tokio::test]
async fn pages_are_followed_in_each_way() {
    let (home, _) = serve().await;
    let all: Vec<u64> = (0..ROWS as u64).collect();
    for paging in [
        r#""paging": "link""#,
        r#""paging": "offset", "params": {"by": "offset"}"#,
        r#""paging": "page", "params": {"by": "page"}"#,
        r#""paging": "cursor", "cursor": "/meta/next", "cursor_param": "after", "params": {"by": "cursor"}"#,
        r#""paging": "offset", "limit": 7, "method": "POST", "body": "{}""#,
    ] {
        let place = Place::new();
        let keys = format!(r#"{{"url": "{home}/rows", "rows": "/data/items", {paging}}}"#);
        let landed = place.land(&keys).await.expect(paging);
        assert_eq!(ids(&landed.current), all, "{paging}");
        assert_eq!(place.land(&keys).await.expect(paging).news, None, "nothing new: {paging}");
    }
}

#[tokio::test]
async fn failures_now_and_then_are_ridden_out() {
    let (home, seen) = serve().await;
    let place = Place::new();
    let keys = format!(
        r#"{{"url": "{home}/rows", "rows": "/data/items", "paging": "offset", "limit": 2, "params": {{"flaky": "yes"}}, "rate": "1000/s"}}"#
    );
    let landed = place.land(&keys).await.expect("in the end");
    assert_eq!(ids(&landed.current), (0..ROWS as u64).collect::<Vec<_>>());
    assert!(seen.requests.load(Ordering::Relaxed) > 20);
}

#[tokio::test]
async fn a_service_is_asked_for_what_is_newer() {
    let (home, seen) = serve().await;
    let place = Place::new();
    let keys = format!(
        r#"{{"url": "{home}/rows", "rows": "/data/items", "params": {{"limit": "20", "since": "{{watermark}}"}}, "watermark": "at", "key": "id", "lookback": "2d"}}"#
    );
    assert_eq!(place.land(&keys).await.expect("landed").news, Some(20));
    let landed = place.land(&keys).await.expect("landed");
    assert_eq!(landed.news, Some(6));
    let queries = seen.queries.lock().expect("whole").clone();
    assert!(!queries[0].contains_key("since"));
    assert_eq!(queries[1]["since"], "2024-01-18T00:00:00.000000Z");
    let mut now = ids(&landed.current);
    now.sort_unstable();
    assert_eq!(now, (0..ROWS as u64).collect::<Vec<_>>());
    assert_eq!(rows(&landed.history.expect("a history")).len(), ROWS, "what came twice is one version");
}

#[tokio::test]
async fn secrets_stay_with_the_host_they_are_for() {
    let (home, seen) = serve().await;
    let place = Place::new().with("KEY", "hunter22");
    let keys = |path: &str| {
        format!(r#"{{"url": "{home}{path}", "rows": "/data/items", "headers": {{"X-Api-Key": "${{env:KEY}}"}}, "retries": 0}}"#)
    };
    place.land(&keys("/rows")).await.expect("landed");
    assert_eq!(seen.authorized.load(Ordering::Relaxed), 1);
    let landed = place.land(&keys("/away")).await.expect("landed");
    assert_eq!(ids(&landed.current).len(), ROWS);
    assert_eq!(seen.authorized.load(Ordering::Relaxed), 1, "the key did not go along to another host");
    let error = place.land(&keys("/401")).await.expect_err("refused");
    let text = said(&error);
    assert!(matches!(error, ConnectError::Denied { .. }) && text.contains("who is ***?") && !text.contains("hunter22"), "{text}");
    assert!(!place.manifest().1.contains("hunter22"));
}

#[tokio::test]
async fn services_that_make_no_sense_are_told() {
    let (home, _) = serve().await;
    let place = Place::new();
    for (keys, expected) in [
        (r#""rows": "", "paging": "page""#, "go round in a circle"),
        (r#""rows": "/rows", "paging": "cursor", "cursor": "/next", "path": "/circle""#, "go round in a circle: page 1"),
        (r#""rows": "/rows", "path": "/odd""#, "row 1 of a page is a number, not an object"),
        (r#""rows": "/value", "path": "/odd""#, "finds a number where a list of rows should be"),
        (r#""rows": "/nope", "path": "/odd""#, "finds nothing; the answer has rows, value"),
        (r#""rows": "", "path": "/none""#, "has no rows for the table"),
        (r#""rows": "", "path": "/text""#, "a page is no JSON"),
        (r#""rows": "", "path": "/busy""#, "cannot be reached: 503 Service Unavailable"),
        (r#""rows": "", "path": "/404""#, "404 Not Found"),
        (r#""rows": "/data/items", "path": "/rows", "max_pages": 2, "paging": "offset""#, "sent more than 2 pages"),
    ] {
        let path = keys.split_once("\"path\": \"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("/same");
        let rest = keys.replace(&format!(", \"path\": \"{path}\""), "");
        let keys = format!(r#"{{"url": "{home}{path}", "retries": 1, {rest}}}"#);
        let error = place.land(&keys).await.expect_err(&keys);
        assert!(error.to_string().contains(expected), "{keys}: {error}");
    }
    assert_eq!(place.manifest().0, 0, "nothing landed");
}

#[tokio::test]
async fn a_file_behind_a_url_is_fetched_once() {
    let (home, _) = serve().await;
    let place = Place::new();
    let keys = format!(r#"{{"url": "{home}/sales.csv"}}"#);
    let landed = place.land(&keys).await.expect("landed");
    assert_eq!(std::fs::read_to_string(&landed.current[0]).expect("there"), "id,n\n1,2\n");
    assert!(landed.current[0].to_string_lossy().ends_with("load-000001.csv"));
    assert_eq!(place.land(&keys).await.expect("landed").news, None);
    place.probe(&keys).await.expect("there");
    place.probe(&format!(r#"{{"url": "{home}/nope.csv"}}"#)).await.expect_err("not there");
}

#[tokio::test]
async fn a_service_whose_rows_change_is_taken_as_it_is_unless_their_key_goes() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let answer = async || {
        let rows = [
            json!([{"id": 1, "n": 10, "old": "x", "at": 1}]),
            json!([{"id": 2, "n": "many", "new": true, "at": 2}]),
            json!([{"number": 3, "at": 3}]),
            json!([{"id": 4, "at": "2024-01-31"}]),
        ];
        axum::Json(rows[CALLS.fetch_add(1, Ordering::Relaxed)].clone())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let home = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/rows", get(answer))).await });
    let place = Place::new();
    let keys = format!(
        r#"{{"url": "{home}/rows", "rows": "", "watermark": "at", "params": {{"since": "{{watermark}}"}}, "key": "id", "retries": 0}}"#
    );
    place.land(&keys).await.expect("landed");
    let landed = place.land(&keys).await.expect("landed");
    // Bronze types all versions alike: `n` is text, members that are missing are null.
    assert_eq!(rows(&landed.current), [r#"{"at":1,"id":1,"n":10,"old":"x"}"#, r#"{"at":2,"id":2,"n":"many","new":true}"#]);
    for (expected, why) in [("`key` names the column `id`", "no key"), ("at", "a watermark of another kind")] {
        let error = place.land(&keys).await.expect_err(why);
        assert!(error.to_string().contains(expected), "{why}: {error}");
    }
    assert_eq!(place.manifest().0, 2, "nothing of it landed");
}
