//! Artifacts go up and down as MLflow's clients send them; hostile paths and places get nowhere.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use almanac_server::{Access, NoProject, Services, router};
use almanac_tracking::{ArtifactStore, ExperimentId, Millis, NewExperiment, NewRun, RunId, StoreUrl, TrackingStore};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use futures::stream;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

const PROXY: &str = "/api/2.0/mlflow-artifacts";

struct Server {
    folder: TempDir,
    store: Arc<TrackingStore>,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    #[track_caller]
    fn refused(&self, code: &str, message: &str) {
        let answer = self.json();
        assert_eq!(answer["error_code"], code, "{answer}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains(message)), "{answer}");
        assert_eq!(answer.get("files"), None);
    }
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let root = folder.path().join("root");
        Self::over(folder, ArtifactStore::open(root.to_str().expect("a plain path")).expect("a folder"))
    }

    fn over(folder: TempDir, artifacts: ArtifactStore) -> Self {
        let store = Arc::new(TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens"));
        let services = Services {
            forecasts: Arc::new(NoProject),
            tracking: Some(Arc::clone(&store)),
            artifacts,
            features: None,
            access: Access::default(),
        };
        Self { folder, store, router: router(services) }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("valid request");
        let response = self.router.clone().oneshot(request).await.expect("the router cannot fail");
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.expect("the body has an end").to_bytes() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::PUT, &format!("{PROXY}/artifacts/{path}"), &[], body).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    fn run(&self, experiment: ExperimentId) -> RunId {
        let id = RunId::random();
        let new = NewRun { id: id.clone(), experiment, name: String::new(), user: String::new(), started: Millis(2), tags: Vec::new() };
        self.store.create_run(&new).expect("a new run");
        id
    }

    /// Starts a run in a new experiment at that place, if the store takes such a place at all.
    fn run_at(&self, location: &str) -> Option<RunId> {
        let new = NewExperiment { name: location.to_owned(), artifact_location: Some(location.to_owned()), tags: Vec::new() };
        self.store.create_experiment(&new, Millis(1)).ok().map(|experiment| self.run(experiment))
    }
}

/// All files below a folder, and all unfinished ones.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path.display().to_string());
    }
    found
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_under_any_name() {
    let server = Server::new();
    let run = server.run(ExperimentId(0));
    for (encoded, name) in [
        ("a%20b.txt", "a b.txt"),
        ("100%25.txt", "100%.txt"),
        ("a+b&c=d;e@f.txt", "a+b&c=d;e@f.txt"),
        ("gr%C3%B6%C3%9Fe.txt", "größe.txt"),
        ("dir/%E6%97%A5%E6%9C%AC.bin", "dir/日本.bin"),
    ] {
        let path = format!("0/{run}/artifacts/{encoded}");
        let stored = server.put(&path, name).await;
        assert_eq!((stored.status, stored.json()), (StatusCode::OK, json!({})));
        assert!(stored.header("repr-digest").starts_with("sha-256=:"));
        let read = server.get(&format!("{PROXY}/artifacts/{path}")).await;
        assert_eq!((read.status, &read.body[..]), (StatusCode::OK, name.as_bytes()));
        assert!(read.header("content-disposition").starts_with("attachment; filename="), "{}", read.header("content-disposition"));
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        assert_eq!(read.header("content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!(read.header("content-length"), name.len().to_string());
        assert_eq!(read.header("accept-ranges"), "bytes");
        assert!(read.header("last-modified").ends_with("GMT") && read.header("etag").starts_with('"'));
        let by_run = server
            .get(&format!("/get-artifact?run_uuid={run}&path={}", encoded.replace('+', "%2B").replace('&', "%26").replace(';', "%3B")))
            .await;
        assert_eq!(by_run.body, read.body);
    }
    let twin = server.get(&format!("/ajax-api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/a%20b.txt")).await;
    assert_eq!(&twin.body[..], b"a b.txt");

    let names = server.get(&format!("{PROXY}/artifacts?path=0/{run}/artifacts/dir")).await;
    assert_eq!(names.json(), json!({"files": [{"path": "日本.bin", "is_dir": false, "file_size": 14}]}));
    assert_eq!(server.get(&format!("{PROXY}/artifacts?path=none/at/all")).await.json(), json!({}));
    let listed = server.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run}")).await.json();
    assert_eq!(listed["root_uri"], format!("mlflow-artifacts:/0/{run}/artifacts"));
    assert_eq!(listed["files"].as_array().map(Vec::len), Some(5));
    assert_eq!(listed["files"][3], json!({"path": "dir", "is_dir": true}));
    let listed = server.get(&format!("/ajax-api/2.0/mlflow/artifacts/list?run_uuid={run}&path=dir/")).await.json();
    assert_eq!(listed["files"], json!([{"path": "dir/日本.bin", "is_dir": false, "file_size": 14}]));

    let path = format!("{PROXY}/artifacts/0/{run}/artifacts/dir");
    for path in [&path, &path, &format!("{PROXY}/artifacts/0/{run}/artifacts/")] {
        assert_eq!(server.send(Method::DELETE, path, &[], Body::empty()).await.json(), json!({}));
    }
    assert!(files(&server.folder.path().join("root")).is_empty());
    assert_eq!(server.get(&format!("{path}/%E6%97%A5%E6%9C%AC.bin")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn parts_of_a_file_can_be_asked_for() {
    let server = Server::new();
    server.put("0/x.bin", "0123456789").await;
    let path = format!("{PROXY}/artifacts/0/x.bin");
    let ask = async |headers: &[(&str, &str)]| server.send(Method::GET, &path, headers, Body::empty()).await;
    for (range, wanted, said) in
        [("bytes=0-3", "0123", "bytes 0-3/10"), ("bytes=7-", "789", "bytes 7-9/10"), ("bytes=-2", "89", "bytes 8-9/10")]
    {
        let answer = ask(&[("range", range)]).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::PARTIAL_CONTENT, wanted.as_bytes()));
        assert_eq!((answer.header("content-range"), answer.header("content-length")), (said, &*wanted.len().to_string()));
    }
    let answer = ask(&[("range", "bytes=10-")]).await;
    assert_eq!((answer.status, answer.header("content-range")), (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10"));
    let whole = ask(&[("range", "bytes=0-1,4-5")]).await;
    assert_eq!((whole.status, whole.body.len()), (StatusCode::OK, 10));
    let etag = whole.header("etag");
    assert_eq!(ask(&[("if-none-match", etag)]).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&[("if-none-match", "\"other\"")]).await.status, StatusCode::OK);
    assert_eq!(ask(&[("range", "bytes=0-3"), ("if-range", etag)]).await.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(ask(&[("range", "bytes=0-3"), ("if-range", "\"other\"")]).await.status, StatusCode::OK);
    let head = server.send(Method::HEAD, &path, &[], Body::empty()).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (StatusCode::OK, "10", 0));
}

#[tokio::test]
async fn no_path_leads_out_of_the_root() {
    let server = Server::new();
    let run = server.run(ExperimentId(0));
    let secret = server.folder.path().join("secret");
    fs::write(&secret, "s").expect("written");
    let absolute = secret.to_str().expect("a plain path").replace('/', "%2F");
    let bad = [
        "..%2Fsecret",
        "../secret",
        "a/../../secret",
        "%2e%2e/secret",
        "%2E%2E%2Fsecret",
        "%252e%252e%252fsecret",
        "%25252e%25252e/secret",
        "..%5Csecret",
        "a%00b",
        "a%0Ab",
        "%2Fetc%2Fpasswd",
        "C%3A%5Cwindows",
        "C:/windows",
        "a%2F%2Fb",
        "a%23b",
        ".unfinished-1",
        "%ff",
        &absolute,
    ];
    for path in bad {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = server.send(method.clone(), &format!("{PROXY}/artifacts/{path}"), &[], "x").await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} `{path}`");
            answer.refused("INVALID_PARAMETER_VALUE", "Invalid path");
        }
        for query in [
            format!("{PROXY}/artifacts?path={path}"),
            format!("/api/2.0/mlflow/artifacts/list?run_id={run}&path={path}"),
            format!("/get-artifact?run_id={run}&path={path}"),
            format!("{PROXY}/presigned/{path}"),
        ] {
            // A form reads bytes that are no text as a mark, which is a name like any other.
            if path != "%ff" || query.contains("presigned") {
                server.get(&query).await.refused("INVALID_PARAMETER_VALUE", "Invalid path");
            }
        }
        let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={path}");
        if path != "%ff" {
            server.send(Method::POST, &upload, &[], "x").await.refused("INVALID_PARAMETER_VALUE", "Invalid path");
        }
        for step in ["create", "complete", "abort"] {
            let body = json!({"path": "x", "num_parts": 1, "upload_id": "y", "parts": [{"part_number": 1, "etag": "z"}]});
            server.post(&format!("{PROXY}/mpu/{step}/{path}"), body).await.refused("INVALID_PARAMETER_VALUE", "Invalid path");
        }
    }
    assert_eq!(fs::read(&secret).expect("still there"), b"s");
    assert!(files(&server.folder.path().join("root")).is_empty());
}

#[tokio::test]
async fn artifacts_that_lie_elsewhere_are_never_asked_for() {
    let server = Server::new();
    fs::write(server.folder.path().join("secret"), "s").expect("written");
    let outside = server.folder.path().display().to_string();
    let bad = [
        "/etc".to_owned(),
        "file:///etc".to_owned(),
        outside.clone(),
        format!("file://{outside}/root/../"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "s3://bucket/of/others".to_owned(),
        "dbfs:/x".to_owned(),
        "mlflow-artifacts:/../..".to_owned(),
    ];
    let mut asked = 0;
    for location in bad {
        let Some(run) = server.run_at(&location) else { continue };
        asked += 1;
        for path in ["passwd", "secret"] {
            let answer = server.get(&format!("/get-artifact?run_id={run}&path={path}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "`{location}`");
            answer.refused("INVALID_PARAMETER_VALUE", "are not served here");
        }
        server.get(&format!("/api/2.0/mlflow/artifacts/list?run_id={run}")).await.refused("INVALID_PARAMETER_VALUE", "are not served here");
        let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x");
        server.send(Method::POST, &upload, &[], "x").await.refused("INVALID_PARAMETER_VALUE", "are not served here");
    }
    assert!(asked >= 4, "the store took only {asked} of these places");
    let run = server.run_at(&format!("file://{outside}/root/custom")).expect("a new experiment");
    let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=a/x.txt");
    assert_eq!(server.send(Method::POST, &upload, &[], "x").await.status, StatusCode::OK);
    assert_eq!(fs::read(server.folder.path().join(format!("root/custom/{run}/artifacts/a/x.txt"))).expect("written"), b"x");
    assert_eq!(&server.get(&format!("/get-artifact?run_id={run}&path=a/x.txt")).await.body[..], b"x");
}

#[tokio::test]
async fn nothing_that_is_served_runs_scripts() {
    let server = Server::new();
    for name in ["x.html", "x.svg", "x.xhtml", "x.htm"] {
        server.put(&format!("0/{name}"), "<script>alert(1)</script>").await;
        let answer = server.get(&format!("{PROXY}/artifacts/0/{name}")).await;
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8", "`{name}`");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_or_is_not_what_was_meant_changes_nothing() {
    let server = Server::new();
    server.put("0/x.bin", "old").await;
    for whole_pieces in [0, 1, 40] {
        let pieces = (0..whole_pieces).map(|_| Ok(Bytes::from(vec![0; 100_000]))).chain([Err(std::io::Error::other("cut"))]);
        let answer = server.put("0/x.bin", Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()))).await;
        answer.refused("BAD_REQUEST", "interrupted");
    }
    let digest = [("repr-digest", "sha-256=:RK/1mmRkkp7X7TbF6pMxbUd7q8oKOnH6xuUM9Qx7h5M=:")];
    let path = format!("{PROXY}/artifacts/0/x.bin");
    server.send(Method::PUT, &path, &digest, "new").await.refused("INVALID_PARAMETER_VALUE", "does not match its digest");
    server.send(Method::PUT, &path, &[("repr-digest", "sha-256=:x:")], "new").await.refused("INVALID_PARAMETER_VALUE", "no valid digest");
    assert_eq!(&server.get(&path).await.body[..], b"old");
    let left = files(&server.folder.path().join("root"));
    assert_eq!(left.len(), 2, "{left:?}");
    let right = server.put("0/y.bin", "new").await.header("repr-digest").to_owned();
    assert_eq!(server.send(Method::PUT, &path, &[("repr-digest", &right)], "new").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts() {
    let server = Server::new();
    let begin = json!({"path": "C:\\data\\big 100%.bin", "num_parts": 2});
    let headers =
        [("content-type", "application/json"), ("host", "tracking:5000"), ("x-forwarded-proto", "https"), ("authorization", "Bearer t")];
    let begun = server.send(Method::POST, &format!("{PROXY}/mpu/create/0/dir"), &headers, begin.to_string()).await.json();
    let mut parts = Vec::new();
    for number in [1, 2] {
        let credential = &begun["credentials"][number - 1];
        assert_eq!((&credential["part_number"], &credential["headers"]), (&json!(number), &json!({"Authorization": "Bearer t"})));
        let url = credential["url"].as_str().expect("a URL");
        let at = url.strip_prefix("https://tracking:5000").expect("where the client is");
        let stored = server.send(Method::PUT, at, &[], format!("part {number};")).await;
        parts.push(json!({"part_number": number, "etag": stored.header("etag"), "url": url}));
    }
    let end = |parts: &[Value]| json!({"path": "C:\\data\\big 100%.bin", "upload_id": begun["upload_id"], "parts": parts});
    let complete = format!("{PROXY}/mpu/complete/0/dir");
    server.post(&complete, end(&[])).await.refused("INVALID_PARAMETER_VALUE", "parts");
    server.post(&complete, end(&parts[1..])).await.refused("INVALID_PARAMETER_VALUE", "without a gap");
    assert_eq!(server.get(&format!("{PROXY}/artifacts?path=0/dir")).await.json(), json!({}));
    assert_eq!(server.post(&complete, end(&parts)).await.json(), json!({}));
    let read = server.get(&format!("{PROXY}/artifacts/0/dir/big%20100%25.bin")).await;
    assert_eq!(&read.body[..], b"part 1;part 2;");
    server.post(&complete, end(&parts)).await.refused("RESOURCE_DOES_NOT_EXIST", "No multipart upload");
    server.post(&format!("{PROXY}/mpu/abort/0/dir"), end(&parts)).await.refused("RESOURCE_DOES_NOT_EXIST", "No multipart upload");
    for count in [json!(0), json!(-1), json!(10_001), json!(1_u64 << 40)] {
        let begin = json!({"path": "x", "num_parts": count});
        server.post(&format!("{PROXY}/mpu/create/0/dir"), begin).await.refused("INVALID_PARAMETER_VALUE", "1 to 10000");
    }
    server
        .post(&format!("{PROXY}/mpu/create/0/dir"), json!({"path": "..", "num_parts": 1}))
        .await
        .refused("INVALID_PARAMETER_VALUE", "Invalid path");
}

#[tokio::test]
async fn what_a_root_cannot_do_is_said_so_that_clients_do_without() {
    let server = Server::over(tempfile::tempdir().expect("temporary folder"), ArtifactStore::in_memory());
    server.put("0/x.bin", "x").await;
    let refused = server.post(&format!("{PROXY}/mpu/create/0"), json!({"path": "x", "num_parts": 1})).await;
    assert_eq!(refused.status, StatusCode::NOT_IMPLEMENTED);
    let message = refused.json()["message"].as_str().map(str::to_owned).expect("a message");
    assert!(message.starts_with("Multipart upload is not supported for the current artifact repository"), "{message}");
    let presigned = server.get(&format!("{PROXY}/presigned/0/x.bin")).await;
    assert_eq!(presigned.status, StatusCode::NOT_IMPLEMENTED);
    presigned.refused("NOT_IMPLEMENTED", "Presigned download is not supported");
    let run = server.run(ExperimentId(0));
    for (route, word) in [("upload", "upload"), ("download", "download")] {
        let asked = json!({"run_id": run.as_str(), "path": "x.bin"});
        let answer = server.post(&format!("/api/2.0/mlflow/artifacts/presigned-{route}-url"), asked).await;
        answer.refused("INVALID_PARAMETER_VALUE", &format!("Presigned {word} is not supported for"));
    }
    assert_eq!(&server.get("/version").await.body[..], b"3.17.2");
    let info = server.get("/api/3.0/mlflow/server-info").await.json();
    assert_eq!((&info["store_type"], &info["multipart_uploads_enabled"]), (&json!("SqlStore"), &json!(false)));
}

#[tokio::test]
async fn what_is_not_there_or_not_a_file_is_said() {
    let server = Server::new();
    let run = server.run(ExperimentId(0));
    server.put(&format!("0/{run}/artifacts/dir/x.txt"), "x").await;
    let missing = server.get(&format!("{PROXY}/artifacts/0/{run}/artifacts/none")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    missing.refused("RESOURCE_DOES_NOT_EXIST", "No such artifact: ");
    server.get(&format!("{PROXY}/artifacts/0/{run}/artifacts/dir")).await.refused("INVALID_PARAMETER_VALUE", "refers to a directory");
    server.put(&format!("0/{run}/artifacts/dir"), "x").await.refused("INVALID_PARAMETER_VALUE", "refers to a directory");
    server.put(&format!("0/{run}/artifacts/dir/x.txt/y"), "x").await.refused("INVALID_PARAMETER_VALUE", "in its way");
    server.get(&format!("/get-artifact?run_id={}&path=x", RunId::random())).await.refused("RESOURCE_DOES_NOT_EXIST", "Run with id=");
    server.get("/get-artifact?path=x").await.refused("INVALID_PARAMETER_VALUE", "run_id");
    server.get(&format!("/get-artifact?run_id={run}")).await.refused("INVALID_PARAMETER_VALUE", "path");
    server.get("/model-versions/get-artifact?name=n&version=1&path=x").await.refused("RESOURCE_DOES_NOT_EXIST", "Model Version (name=n");
    server.get("/model-versions/get-artifact?name=n&version=x&path=x").await.refused("RESOURCE_DOES_NOT_EXIST", "Model Version (name=n");
    let files = "/ajax-api/2.0/mlflow/logged-models/m-1/artifacts/files";
    server.get(files).await.refused("BAD_REQUEST", "artifact_file_path");
    server.get(&format!("{files}?artifact_file_path=x")).await.refused("RESOURCE_DOES_NOT_EXIST", "Logged model with ID 'm-1' not found.");
    let folders = "/api/2.0/mlflow/logged-models/m-1/artifacts/directories";
    server.get(folders).await.refused("RESOURCE_DOES_NOT_EXIST", "Logged model with ID 'm-1' not found.");
}

#[tokio::test]
async fn small_files_may_be_uploaded_by_the_id_of_their_run() {
    let server = Server::new();
    let run = server.run(ExperimentId(0));
    let upload = "/ajax-api/2.0/mlflow/upload-artifact";
    let at = format!("{upload}?run_uuid={run}&path=dir/x.txt");
    let post = async |path: &str, body: Vec<u8>| server.send(Method::POST, path, &[], body).await;
    assert_eq!(post(&at, b"x".to_vec()).await.status, StatusCode::OK);
    assert_eq!(&server.get(&format!("/get-artifact?run_id={run}&path=dir/x.txt")).await.body[..], b"x");
    post(upload, b"x".to_vec()).await.refused("INVALID_PARAMETER_VALUE", "Request must specify run_uuid.");
    post(&format!("{upload}?run_uuid={run}"), b"x".to_vec()).await.refused("INVALID_PARAMETER_VALUE", "Request must specify path.");
    post(&at, Vec::new()).await.refused("INVALID_PARAMETER_VALUE", "Request must specify data.");
    post(&at, vec![0; (10 << 20) + 1]).await.refused("INVALID_PARAMETER_VALUE", "Artifact size is too large. Max size is 10MB.");
}
