//! Optuna's storage service: messages and codes as its proxy expects them, and HTTP/2 on the same port.

use almanac_server::{NoProject, Services, bind, router};
use almanac_tracking::{StoreUrl, TrackingStore};
use axum::body::Body;
use axum::http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::ServiceExt;

const NOT_FOUND: i32 = 5;
const ALREADY_EXISTS: i32 = 6;
const FAILED_PRECONDITION: i32 = 9;
const INVALID_ARGUMENT: i32 = 3;
const UNIMPLEMENTED: i32 = 12;

/// A server over a new store; the folder goes with it.
struct Server {
    services: Services,
    _folder: TempDir,
}

fn server() -> Server {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("a new file");
    let services = Services { tracking: Some(Arc::new(store)), ..Services::forecasts(Arc::new(NoProject)) };
    Server { services, _folder: folder }
}

/// The id of a study or trial, and every other message whose first field is a number.
#[derive(Clone, PartialEq, Message)]
struct Key {
    #[prost(int64, tag = "1")]
    id: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Name {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct NewStudy {
    #[prost(int32, repeated, tag = "1")]
    directions: Vec<i32>,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct NewTrial {
    #[prost(int64, tag = "1")]
    study_id: i64,
    #[prost(message, optional, tag = "2")]
    template: Option<Trial>,
    #[prost(bool, tag = "3")]
    is_none: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Param {
    #[prost(int64, tag = "1")]
    trial_id: i64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(double, tag = "3")]
    value: f64,
    #[prost(string, tag = "4")]
    distribution: String,
}

#[derive(Clone, PartialEq, Message)]
struct State {
    #[prost(int64, tag = "1")]
    trial_id: i64,
    #[prost(int32, tag = "2")]
    number: i32,
    #[prost(double, repeated, tag = "3")]
    values: Vec<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(int64, tag = "1")]
    id: i64,
    #[prost(string, tag = "2")]
    key: String,
    #[prost(string, tag = "3")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(int64, tag = "1")]
    study_id: i64,
    #[prost(int64, repeated, tag = "2")]
    also: Vec<i64>,
    #[prost(int64, tag = "3")]
    newer_than: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Trials {
    #[prost(message, repeated, tag = "1")]
    trials: Vec<Trial>,
}

#[derive(Clone, PartialEq, Message)]
struct Trial {
    #[prost(int64, tag = "1")]
    id: i64,
    #[prost(int64, tag = "2")]
    number: i64,
    #[prost(int32, tag = "3")]
    state: i32,
    #[prost(double, repeated, tag = "4")]
    values: Vec<f64>,
    #[prost(string, tag = "5")]
    started: String,
    #[prost(string, tag = "6")]
    completed: String,
    #[prost(btree_map = "string, double", tag = "7")]
    params: BTreeMap<String, f64>,
    #[prost(btree_map = "string, string", tag = "8")]
    distributions: BTreeMap<String, String>,
    #[prost(btree_map = "int64, double", tag = "11")]
    intermediate_values: BTreeMap<i64, f64>,
}

/// Sends the bytes of a body and returns the code of gRPC with those of the answer's message.
async fn send(server: &Server, method: &str, body: Vec<u8>) -> (i32, Vec<u8>) {
    let request = Request::post(format!("/optuna.StorageService/{method}"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(body))
        .expect("valid request");
    let response = router(server.services.clone()).oneshot(request).await.expect("the router cannot fail");
    assert_eq!(response.status(), StatusCode::OK, "gRPC speaks of failures elsewhere");
    let headers = response.headers().clone();
    let collected = response.into_body().collect().await.expect("the body has an end");
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let status = trailers.get("grpc-status").or(headers.get("grpc-status")).expect("a status");
    let code = status.to_str().expect("text").parse().expect("a number");
    (code, collected.to_bytes().get(5..).unwrap_or_default().to_vec())
}

/// Calls a method.
async fn call<A: Message + Default>(server: &Server, method: &str, request: &impl Message) -> Result<A, i32> {
    let message = request.encode_to_vec();
    let mut body = vec![0];
    body.extend((message.len() as u32).to_be_bytes());
    body.extend(message);
    match send(server, method, body).await {
        (0, answer) => Ok(A::decode(answer.as_slice()).expect("the message that was asked for")),
        (code, _) => Err(code),
    }
}

const FLOAT: &str = r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#;

#[tokio::test]
async fn a_trial_goes_from_one_worker_to_another() {
    let server = server();
    let new = NewStudy { directions: vec![0, 1], name: "a".into() };
    let study: Key = call(&server, "CreateNewStudy", &new).await.expect("a new name");
    let found: Key = call(&server, "GetStudyIdFromName", &Name { name: "a".into() }).await.expect("it is there");
    assert_eq!(found, study);
    let template = Trial {
        id: 99,
        number: 99,
        state: 4,
        params: [("x".to_owned(), 0.5)].into(),
        distributions: [("x".to_owned(), FLOAT.to_owned())].into(),
        intermediate_values: [(0, f64::INFINITY)].into(),
        ..Trial::default()
    };
    let new = NewTrial { study_id: study.id, template: Some(template.clone()), is_none: false };
    let trial: Key = call(&server, "CreateNewTrial", &new).await.expect("a study");
    let taken: Key =
        call(&server, "SetTrialStateValues", &State { trial_id: trial.id, number: 0, values: vec![] }).await.expect("it waits");
    assert_eq!(taken.id, 1, "it was updated");
    let taken: Key = call(&server, "SetTrialStateValues", &State { trial_id: trial.id, number: 0, values: vec![] }).await.expect("it runs");
    assert_eq!(taken.id, 0, "another worker has it");
    let done = State { trial_id: trial.id, number: 1, values: vec![0.25, -1.0] };
    let _: Key = call(&server, "SetTrialStateValues", &done).await.expect("it runs");

    let asked = Asked { study_id: study.id, also: vec![], newer_than: -1 };
    let mut found: Trials = call(&server, "GetTrials", &asked).await.expect("a study");
    let found = found.trials.pop().expect("one trial");
    let is_time = |text: &str| text.len() == 26 && text.as_bytes()[19] == b'.';
    assert!(is_time(&found.started) && is_time(&found.completed), "{} {}", found.started, found.completed);
    let expected = Trial {
        id: trial.id,
        number: 0,
        state: 1,
        values: vec![0.25, -1.0],
        started: found.started.clone(),
        completed: found.completed.clone(),
        ..template
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn refusals_have_the_codes_that_the_proxy_knows() {
    let server = server();
    let new = NewStudy { directions: vec![0], name: "a".into() };
    let study: Key = call(&server, "CreateNewStudy", &new).await.expect("a new name");
    assert_eq!(call::<Key>(&server, "CreateNewStudy", &new).await, Err(ALREADY_EXISTS));
    assert_eq!(call::<Key>(&server, "DeleteStudy", &Key { id: study.id + 1 }).await, Err(NOT_FOUND));
    assert_eq!(call::<Key>(&server, "GetTrial", &Key { id: 1 }).await, Err(NOT_FOUND));
    let new = NewTrial { study_id: study.id, template: None, is_none: true };
    let trial: Key = call(&server, "CreateNewTrial", &new).await.expect("a study");
    let bad = Param { trial_id: trial.id, name: "x".into(), value: 0.5, distribution: "?".into() };
    assert_eq!(call::<Key>(&server, "SetTrialParameter", &bad).await, Err(INVALID_ARGUMENT));
    let done = State { trial_id: trial.id, number: 1, values: vec![0.5] };
    let _: Key = call(&server, "SetTrialStateValues", &done).await.expect("it runs");
    let late = Attribute { id: trial.id, key: "a".into(), value: "1".into() };
    assert_eq!(call::<Key>(&server, "SetTrialUserAttribute", &late).await, Err(FAILED_PRECONDITION));
}

#[tokio::test]
async fn messages_that_mean_nothing_are_refused() {
    let server = server();
    let unknown = NewStudy { directions: vec![7], name: "a".into() };
    assert_eq!(call::<Key>(&server, "CreateNewStudy", &unknown).await, Err(INVALID_ARGUMENT));
    let study: Key = call(&server, "CreateNewStudy", &NewStudy { directions: vec![0], name: "a".into() }).await.expect("a new name");
    let without = NewTrial { study_id: study.id, template: None, is_none: false };
    assert_eq!(call::<Key>(&server, "CreateNewTrial", &without).await, Err(INVALID_ARGUMENT));
    for template in [
        Trial { state: 5, ..Trial::default() },
        Trial { started: "yesterday".into(), ..Trial::default() },
        Trial { params: [("x".to_owned(), 0.5)].into(), ..Trial::default() },
        Trial { distributions: [("x".to_owned(), FLOAT.to_owned())].into(), ..Trial::default() },
    ] {
        let new = NewTrial { study_id: study.id, template: Some(template), is_none: false };
        assert_eq!(call::<Key>(&server, "CreateNewTrial", &new).await, Err(INVALID_ARGUMENT));
    }
    let long = Name { name: "n".repeat(1 << 20) };
    assert_eq!(call::<Key>(&server, "GetStudyIdFromName", &long).await, Err(NOT_FOUND));
    assert_eq!(call::<Key>(&server, "Explode", &Key { id: 1 }).await, Err(UNIMPLEMENTED));
}

#[tokio::test]
async fn bytes_that_are_no_message_are_refused() {
    let server = server();
    for body in
        [vec![], vec![0], vec![0, 0, 0, 0, 9, 1], vec![0, 0xff, 0xff, 0xff, 0xff], vec![1, 0, 0, 0, 0], vec![0, 0, 0, 0, 2, 0xff, 0xff]]
    {
        let (code, _) = send(&server, "GetTrial", body.clone()).await;
        assert_ne!(code, 0, "{body:?}");
    }
}

#[tokio::test]
async fn what_is_not_grpc_is_turned_away() {
    let server = server();
    for (method, path) in [("POST", "GetAllStudies"), ("POST", "Explode"), ("GET", "GetAllStudies")] {
        let request = Request::builder().method(method).uri(format!("/optuna.StorageService/{path}"));
        let request = request.header("content-type", "text/plain").body(Body::empty()).expect("valid request");
        let response = router(server.services.clone()).oneshot(request).await.expect("the router cannot fail");
        let expected = if method == "GET" { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::UNSUPPORTED_MEDIA_TYPE };
        assert_eq!(response.status(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_speaks_http_2_without_being_asked() {
    let server = server();
    let listening = bind("127.0.0.1:0".parse().expect("valid")).await.expect("a free port");
    let address = listening.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(listening.serve(server.services.clone(), async {
        // A test that ends early drops the sender, which stops the server as well.
        let _ = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("sent");
    stream.write_all(&settings).await.expect("sent");
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4, "the server's settings");
    drop(stream);
    stop.send(()).expect("the server waits for it");
    served.await.expect("no panic").expect("it ends in order");
}
