//! Features over HTTP: our lookup, that of Feast's server, the list, the page, and Feast's own client.
//!
//! `ALMANAC_TEST_PYTHON_FEAST` names a Python that has Feast 0.67; the client's test is skipped with a printed reason where it is not set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_feature_store::{Materialise, OnlineStore, ParquetFiles, SourceOf, import_feast, parse_instant};
use almanac_server::{NoProject, Services, bind, router};
use axum::body::Body;
use axum::http::Request;
use expect_test::{Expect, expect};
use http_body_util::BodyExt;
use jiff::tz::TimeZone;
use tower::ServiceExt;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../almanac-feature-store/tests/fixtures/feast")
}

/// Another one with what is strange: lists, bytes, views without keys, renamed by a service, offline.
fn odd_repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../almanac-feature-store/tests/fixtures/feast-odd")
}

/// The Feast repository of the fixtures, materialised until 2024-01-20.
fn store(folder: &Path, change: impl Fn(String) -> String) -> Arc<OnlineStore> {
    store_of(&repository(), folder, change)
}

/// A file, or the files of a folder by their names.
fn files(path: &str) -> Vec<PathBuf> {
    let path = PathBuf::from(path);
    if !path.is_dir() {
        return vec![path];
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn store_of(repository: &Path, folder: &Path, change: impl Fn(String) -> String) -> Arc<OnlineStore> {
    let yaml = change(import_feast(repository).expect("a repository").to_yaml());
    let (declared, online) = (folder.join("features.yaml"), folder.join("online"));
    std::fs::write(&declared, yaml).expect("writable");
    let declarations = almanac_feature_store::Declarations::read(&declared).expect("sound");
    let until = parse_instant("2024-01-20", &TimeZone::UTC).expect("a time");
    for view in declarations.views.iter().filter(|view| view.online) {
        let SourceOf::File(path) = &view.source else { panic!("a file") };
        let source = ParquetFiles::open(&view.name, files(path)).expect("a file");
        Materialise { folder: &online, view, until, now: until, full: false, memory: 1 << 30 }.run(&source).expect("materialised");
    }
    Arc::new(OnlineStore::open(declared, online).expect("sound"))
}

fn services(features: Option<Arc<OnlineStore>>) -> Services {
    Services { features, ..Services::forecasts(Arc::new(NoProject)) }
}

async fn ask(services: Services, request: Request<Body>) -> (u16, String) {
    let response = router(services).oneshot(request).await.expect("the router cannot fail");
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("the body has an end").to_bytes();
    (status, String::from_utf8(bytes.to_vec()).expect("text"))
}

async fn post(path: &str, body: &str) -> (u16, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let services = services(Some(store(folder.path(), |yaml| yaml)));
    ask(services, Request::post(path).body(Body::from(body.to_owned())).expect("valid request")).await
}

#[tokio::test]
async fn a_lookup_gives_values_statuses_and_times() {
    let body = r#"{"features": ["item_stats:units", "item_stats:label", "item_stats:share", "item_stats:first_sold"],
        "entities": {"item": ["tea", "cocoa", "none"], "shop_id": [1, 1, 1]}, "at": "2024-01-20"}"#;
    let (status, text) = post("/api/v1/features", body).await;
    assert_eq!(status, 200);
    expect![[r#"{"at":"2024-01-20T00:00:00Z","entities":{"item":["tea","cocoa","none"],"shop_id":[1,1,1]},"features":[{"name":"units","values":[null,null,null],"statuses":["OUTSIDE_MAX_AGE","OUTSIDE_MAX_AGE","NOT_FOUND"],"times":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z",null]},{"name":"label","values":[null,null,null],"statuses":["OUTSIDE_MAX_AGE","OUTSIDE_MAX_AGE","NOT_FOUND"],"times":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z",null]},{"name":"share","values":[null,null,null],"statuses":["OUTSIDE_MAX_AGE","OUTSIDE_MAX_AGE","NOT_FOUND"],"times":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z",null]},{"name":"first_sold","values":[null,null,null],"statuses":["OUTSIDE_MAX_AGE","OUTSIDE_MAX_AGE","NOT_FOUND"],"times":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z",null]}]}"#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn feasts_form_has_the_keys_first() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let services = services(Some(store(folder.path(), |yaml| yaml.replace("  ttl: 5d\n", ""))));
    let body = r#"{"features": ["item_stats:price", "item_stats:first_sold", "item_stats:share"], "full_feature_names": true,
        "include_feature_view_version_metadata": false, "entities": {"item": ["tea", "cocoa", "none"], "shop_id": [1, 1, 1]}}"#;
    let (status, text) = ask(services, Request::post("/get-online-features").body(Body::from(body)).expect("valid request")).await;
    assert_eq!(status, 200);
    expect![[r#"{"metadata":{"feature_names":["item","shop_id","item_stats__price","item_stats__first_sold","item_stats__share"]},"results":[{"values":["tea","cocoa","none"],"statuses":["PRESENT","PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},{"values":[1,1,1],"statuses":["PRESENT","PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},{"values":[null,4.0,null],"statuses":["NULL_VALUE","PRESENT","NOT_FOUND"],"event_timestamps":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z","1970-01-01T00:00:00Z"]},{"values":[1695427200,1695427200,null],"statuses":["PRESENT","PRESENT","NOT_FOUND"],"event_timestamps":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z","1970-01-01T00:00:00Z"]},{"values":[0.3,0.5,null],"statuses":["PRESENT","PRESENT","NOT_FOUND"],"event_timestamps":["2024-01-10T00:00:00Z","2024-01-02T00:00:00Z","1970-01-01T00:00:00Z"]}]}"#]]
    .assert_eq(&text);
}

async fn check(body: &str, expected: Expect) {
    let (status, text) = post("/api/v1/features", body).await;
    let json: serde_json::Value = serde_json::from_str(&text).expect("a problem");
    let hint = json["hint"].as_str().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    expected.assert_eq(&format!("{status} {}{hint}", json["detail"].as_str().unwrap_or("no detail")));
}

#[tokio::test]
async fn a_wrong_lookup_is_told_what_is_wrong() {
    check(
        "",
        expect![[r#"
        400 the body is not a JSON object
        hint: send an object with `features` and `entities`; `/docs` has an example"#]],
    )
    .await;
    check(
        r#"{"features": ["item_stats"], "entities": {"item": [NaN]}}"#,
        expect![[r#"
        400 `entities.item[0]`: expected value at line 1 column 52
        hint: `/docs` has an example; JSON has no NaN or infinity"#]],
    )
    .await;
    check(
        r#"{"features": ["item_stats"], "entity": {}}"#,
        expect![[r#"
        400 `entity`: unknown field `entity`, expected one of `features`, `service`, `entities`, `at`, `full_names` at line 1 column 37
        hint: `/docs` has an example; JSON has no NaN or infinity"#]],
    )
    .await;
    check(r#"{"features": ["items"], "entities": {}}"#, expect!["404 feature view `items` does not exist"]).await;
    check(
        r#"{"features": ["item_stats:units"], "entities": {"item": ["tea"], "shop_id": ["1"]}}"#,
        expect![[r#"
        400 the lookup: `shop_id` is a text, but a key of type `int` is needed
        hint: the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared"#]],
    )
    .await;
    check(
        r#"{"features": ["item_stats:units"], "entities": {"item": ["tea"], "shop_id": [1]}, "at": "soon"}"#,
        expect![[r#"
        400 `at`: `soon` is no time
        hint: write one such as `2024-01-31T12:00:00Z`"#]],
    )
    .await;
    check(
        r#"{"features": ["item_stats:units"], "entities": {"item": ["tea"], "shop_id": [1]}, "at": "2024-01-01"}"#,
        expect![[r#"
        400 `at` is 2024-01-01T00:00:00Z, but the newest values of `item_stats` are those at 2024-01-20T00:00:00Z
        hint: values of the past are what `almanac features get` gives"#]],
    )
    .await;
}

#[tokio::test]
async fn the_list_and_the_page_show_how_fresh_each_view_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let features = store(folder.path(), |yaml| yaml);
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("valid request");
    let (status, text) = ask(services(Some(Arc::clone(&features))), get("/api/v1/features")).await;
    assert_eq!(status, 200);
    let list: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(list["views"][0]["until"], "2024-01-20T00:00:00Z");
    assert_eq!(list["views"][0]["entities"], 3);
    assert_eq!(list["services"]["demand"][2], "shop_facts:area");
    let (status, page) = ask(services(Some(features)), get("/features")).await;
    assert_eq!(status, 200);
    assert!(page.contains("item_stats") && page.contains("20 Jan 2024, 00:00 UTC"), "{page}");
    let (status, page) = ask(services(None), get("/features")).await;
    assert!(status == 200 && page.contains("No features yet"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn feasts_own_client_reads_from_the_server() {
    let Some(python) = std::env::var_os("ALMANAC_TEST_PYTHON_FEAST") else {
        println!("skipped: ALMANAC_TEST_PYTHON_FEAST is not set");
        return;
    };
    // Feast's server does not look at the ttl.
    let without_ttl = |yaml: String| yaml.lines().filter(|line| !line.starts_with("  ttl:")).flat_map(|line| [line, "\n"]).collect();
    for (repository, script) in [(repository(), "feast_online.py"), (odd_repository(), "feast_odd.py")] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let services = services(Some(store_of(&repository, folder.path(), without_ttl)));
        let listening = bind("127.0.0.1:0".parse().expect("valid")).await.expect("a free port");
        let url = format!("http://{}", listening.address());
        let server = tokio::spawn(listening.serve(services, std::future::pending()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
        let python = python.clone();
        let run = move || {
            let mut client = std::process::Command::new(python);
            client.arg(script).arg(url).arg(repository).env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1").output()
        };
        let output = tokio::task::spawn_blocking(run).await.expect("no panic").expect("a Python");
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        server.abort();
    }
}

async fn ask_odd(body: &str) -> (u16, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let services = services(Some(store_of(&odd_repository(), folder.path(), |yaml| yaml)));
    let (status, text) = ask(services, Request::post("/get-online-features").body(Body::from(body.to_owned())).expect("valid")).await;
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn keys_that_no_view_asks_for_are_passed_over_as_feast_does() {
    let (status, answer) = ask_odd(r#"{"features": ["naive:n"], "entities": {"customer_id": [1], "stray": ["x"]}}"#).await;
    assert_eq!((status, &answer["metadata"]["feature_names"]), (200, &serde_json::json!(["customer_id", "n"])));
    let (status, answer) = ask_odd(r#"{"features": ["naive:n"], "entities": {"customer_id": ["1", 2.0]}}"#).await;
    assert_eq!((status, &answer["results"][1]["values"]), (200, &serde_json::json!([2, 4])));
    for wrong in [r#""x""#, "1.5", "null"] {
        let (status, _) = ask_odd(&format!(r#"{{"features": ["naive:n"], "entities": {{"customer_id": [{wrong}]}}}}"#)).await;
        assert_eq!(status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_view_without_keys_answers_whoever_asks() {
    for (entities, values) in [("{}", serde_json::json!([2.0])), (r#"{"customer_id": [1, 99]}"#, serde_json::json!([2.0, 2.0]))] {
        let (status, answer) = ask_odd(&format!(r#"{{"features": ["rates:rate"], "entities": {entities}}}"#)).await;
        // The ttl of the view is 100 days, and the clock is later: that it was found is what is asked here.
        assert_eq!(status, 200, "{answer}");
        let statuses = answer["results"].as_array().expect("results").last().expect("one")["statuses"].clone();
        assert_eq!(statuses.as_array().map(Vec::len), values.as_array().map(Vec::len));
    }
}

#[tokio::test]
async fn what_feasts_server_has_and_this_one_has_not_is_a_clear_answer() {
    let (status, answer) = ask_odd(r#"{"features": ["odfv:y"], "entities": {"customer_id": [1], "x": [2.0]}}"#).await;
    assert_eq!(status, 501);
    expect!["feature view `odfv` is not here: an on-demand feature view of Feast is a Python function; write it as fields with `derive`"]
        .assert_eq(answer["detail"].as_str().expect("text"));
    let (status, answer) = ask_odd(r#"{"features": ["offline_only:n"], "entities": {"customer_id": [1]}}"#).await;
    assert_eq!(
        (status, answer["detail"].as_str()),
        (400, Some("feature view `offline_only` is not for lookups: it is declared with `online: false`"))
    );
    for path in ["/push", "/materialize", "/materialize-incremental", "/write-to-online-store", "/search"] {
        let (status, text) = ask(services(None), Request::post(path).body(Body::from("{}")).expect("valid request")).await;
        assert!(status == 501 && text.contains(&format!("`{path}` of Feast's feature server is not here")), "{status} {text}");
    }
    let (status, _) = ask(services(None), Request::get("/health").body(Body::empty()).expect("valid request")).await;
    assert_eq!(status, 200);
}
