//! Traces over HTTP, in both versions of the interface, and spans by OpenTelemetry's protocol. What the store does is in its
//! own suite.

use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Mlflow, text};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const PROTOBUF: &str = "application/x-protobuf";

/// Sends a request below the third version of the interface.
pub(super) async fn below_v3(mlflow: &Mlflow, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    mlflow.send(method, &format!("/api/3.0/mlflow/{path}"), &body).await
}

fn trace_info(id: &str, experiment: &str) -> Value {
    json!({
        "trace_id": id, "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2023-11-14T22:13:20.123Z", "execution_duration": "1.500s", "state": "OK", "request_preview": "q",
        "trace_metadata": {"mlflow.user": "me"}, "tags": {"mlflow.traceName": "f"},
    })
}

/// Starts a trace and returns its id and its experiment.
pub(super) async fn started(mlflow: &Mlflow) -> (String, String) {
    let experiment = mlflow.experiment("traces").await;
    let body = json!({"trace": {"trace_info": trace_info("tr-1", &experiment)}});
    let (status, answer) = below_v3(mlflow, Method::POST, "traces", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    (text(&answer, "/trace/trace_info/trace_id"), experiment)
}

#[tokio::test]
async fn a_trace_has_the_form_that_clients_read() {
    let mlflow = Mlflow::new();
    let (id, experiment) = started(&mlflow).await;
    let mut expected = trace_info(&id, &experiment);
    expected["trace_metadata"]["mlflow.trace.infoFinalized"] = json!("true");
    expected["tags"]["mlflow.artifactLocation"] = json!(format!("mlflow-artifacts:/{experiment}/traces/{id}/artifacts"));
    let (_, got) = below_v3(&mlflow, Method::GET, &format!("traces/{id}"), Value::Null).await;
    assert_eq!(got, json!({"trace": {"trace_info": expected}}));
    let search = json!({"locations": [trace_info("", &experiment)["trace_location"]], "filter": "name = 'f'", "max_results": 10});
    let (_, found) = below_v3(&mlflow, Method::POST, "traces/search", search).await;
    assert_eq!(found, json!({"traces": [expected]}));
    let (_, infos) = below_v3(&mlflow, Method::POST, "traces/batchGetInfos", json!({"trace_ids": [id, "tr-none"]})).await;
    assert_eq!(infos, json!({"trace_infos": [expected]}));
    let (status, missing) = below_v3(&mlflow, Method::GET, "traces/tr-none", Value::Null).await;
    let expected = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Trace with ID 'tr-none' not found."});
    assert_eq!((status, missing), (StatusCode::NOT_FOUND, expected));
}

#[tokio::test]
async fn clients_of_old_begin_end_and_search_traces() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("old").await;
    let pair = |key: &str, value: &str| json!([{"key": key, "value": value}]);
    let body = json!({"experiment_id": experiment, "timestamp_ms": "1000", "request_metadata": pair("m", "1"), "tags": pair("t", "1")});
    let begun = mlflow.ok(Method::POST, "traces", body).await;
    let id = text(&begun, "/trace_info/request_id");
    assert_eq!((&begun["trace_info"]["status"], &begun["trace_info"]["execution_time_ms"]), (&json!("IN_PROGRESS"), &json!(0)));
    let body = json!({"timestamp_ms": 1500, "status": "OK", "request_metadata": pair("n", "2"), "tags": pair("t", "2")});
    let ended = mlflow.ok(Method::PATCH, &format!("traces/{id}"), body).await;
    let location = format!("mlflow-artifacts:/{experiment}/traces/{id}/artifacts");
    let expected = json!({
        "request_id": id, "experiment_id": experiment, "timestamp_ms": 1000, "execution_time_ms": 500, "status": "OK",
        "request_metadata": [{"key": "m", "value": "1"}, {"key": "n", "value": "2"}],
        "tags": [{"key": "mlflow.artifactLocation", "value": location}, {"key": "t", "value": "2"}],
    });
    assert_eq!(ended, json!({"trace_info": expected}));
    assert_eq!(mlflow.ok(Method::GET, &format!("traces/{id}/info"), Value::Null).await, ended);
    let query = format!("traces?experiment_ids={experiment}&filter=tags.t%20%3D%20%272%27&max_results=5&order_by=timestamp%20DESC");
    assert_eq!(mlflow.ok(Method::GET, &query, Value::Null).await, json!({"traces": [expected]}));
}

#[tokio::test]
async fn tags_links_and_deletions_answer_as_clients_expect() {
    let mlflow = Mlflow::new();
    let (id, experiment) = started(&mlflow).await;
    let run = mlflow.run(&experiment).await;
    assert_eq!(mlflow.ok(Method::PATCH, &format!("traces/{id}/tags"), json!({"key": "k", "value": "v"})).await, json!({}));
    assert_eq!(mlflow.ok(Method::DELETE, &format!("traces/{id}/tags"), json!({"key": "k"})).await, json!({}));
    assert_eq!(mlflow.ok(Method::POST, "traces/link-to-run", json!({"trace_ids": [id], "run_id": run})).await, json!({}));
    let prompts = json!({"trace_id": id, "prompt_versions": [{"name": "p", "version": "1"}]});
    assert_eq!(mlflow.ok(Method::POST, "traces/link-prompts", prompts).await, json!({}));
    let delete = |more: Value| {
        let mut body = json!({"experiment_id": experiment});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let refused = mlflow.refused(Method::POST, "traces/delete-traces", delete(json!({}))).await;
    assert_eq!(refused, "400 INVALID_PARAMETER_VALUE: Either `max_timestamp_millis` or `trace_ids` must be specified.");
    let refused =
        mlflow.refused(Method::POST, "traces/delete-traces", delete(json!({"request_ids": [id], "max_timestamp_millis": 5}))).await;
    assert_eq!(refused, "400 INVALID_PARAMETER_VALUE: Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
    let deleted = mlflow.ok(Method::POST, "traces/delete-traces", delete(json!({"max_timestamp_millis": "1800000000000"}))).await;
    assert_eq!(deleted, json!({"traces_deleted": 1}));
    let deleted = mlflow.ok(Method::POST, "traces/delete-traces", delete(json!({"request_ids": [id]}))).await;
    assert_eq!(deleted, json!({"traces_deleted": 0}));
}

#[tokio::test]
async fn what_is_no_trace_is_refused() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("odd").await;
    let with = |field: &str, value: Value| {
        let mut info = trace_info("tr-2", &experiment);
        info[field] = value;
        json!({"trace": {"trace_info": info}})
    };
    let odd = [
        json!({}),
        json!({"trace": 5}),
        json!({"trace": {}}),
        with("trace_id", json!("../../x")),
        with("trace_id", json!("")),
        with("trace_location", json!({"type": "INFERENCE_TABLE"})),
        with("trace_location", json!({"mlflow_experiment": {"experiment_id": "x"}})),
        with("request_time", json!("soon")),
        with("request_time", json!(5)),
        with("execution_duration", json!("1e9")),
        with("state", json!("FINE")),
        with("tags", json!({"a": 1})),
        with("tags", json!([])),
        with("assessments", json!([5])),
    ];
    for body in odd {
        let (status, answer) = below_v3(&mlflow, Method::POST, "traces", body.clone()).await;
        assert_eq!((status, &answer["error_code"]), (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER_VALUE")), "{body}: {answer}");
    }
    let nowhere = with("trace_location", json!({"mlflow_experiment": {"experiment_id": "123456"}}));
    assert_eq!(below_v3(&mlflow, Method::POST, "traces", nowhere).await.0, StatusCode::NOT_FOUND);
    let search = below_v3(&mlflow, Method::POST, "traces/search", json!({"locations": []})).await;
    assert_eq!(search.0, StatusCode::BAD_REQUEST);
    assert_eq!(below_v3(&mlflow, Method::GET, "traces/get", Value::Null).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(below_v3(&mlflow, Method::GET, "traces/batchGet", Value::Null).await.0, StatusCode::BAD_REQUEST);
    let ids = below_v3(&mlflow, Method::POST, "traces/batchGetInfos", json!({"traceIds": ["a", 5]})).await;
    assert_eq!(ids.0, StatusCode::BAD_REQUEST);
}

/// One field of a protobuf message that has a length.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut length = content.len();
    let mut bytes = vec![number << 3 | 2];
    while length > 0x7f {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(content);
    bytes
}

fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    field(9, &[field(1, key.as_bytes()), field(2, value)].concat())
}

/// A request with one span, the root of a trace, in protobuf.
fn one_span() -> Vec<u8> {
    let id: Vec<u8> = (0..16).map(|place| u8::from_str_radix(&TRACE[2 * place..2 * place + 2], 16).expect("hex")).collect();
    let time = |number: u8, nanos: u64| [vec![number << 3 | 1], nanos.to_le_bytes().to_vec()].concat();
    let inputs = field(6, &field(1, &[field(1, b"q"), field(2, &[3 << 3, 7])].concat()));
    let span = [
        field(1, &id),
        field(2, &[0, 0, 0, 0, 0, 0, 0, 9]),
        field(5, b"root"),
        time(7, 1_544_712_660_000_000_000),
        time(8, 1_544_712_661_500_000_000),
        attribute("mlflow.spanInputs", &inputs),
        attribute("mlflow.traceRequestId", &field(1, b"tr-forged")),
        attribute("half", &[&[4 << 3 | 1][..], &0.5_f64.to_le_bytes()].concat()),
        field(15, &[3 << 3, 2]),
    ];
    let resource = field(1, &[field(1, b"service.name"), field(2, &field(1, b"svc"))].concat());
    field(1, &[field(1, &resource), field(2, &field(2, &span.concat()))].concat())
}

async fn export(mlflow: &Mlflow, headers: &[(&str, &str)], body: Vec<u8>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::post("/v1/traces");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(mlflow, request.body(Body::from(body)).expect("a valid request")).await
}

async fn answer(mlflow: &Mlflow, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let (parts, body) = mlflow.router.clone().oneshot(request).await.expect("the router cannot fail").into_parts();
    (parts.status, parts.headers, body.collect().await.expect("the body has an end").to_bytes().to_vec())
}

#[tokio::test]
async fn spans_come_as_protobuf_and_go_out_as_json() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("spans").await;
    let run = mlflow.run(&experiment).await;
    let headers = [("x-mlflow-experiment-id", experiment.as_str()), ("x-mlflow-run-id", &run), ("content-type", PROTOBUF)];
    let (status, answered, body) = export(&mlflow, &headers, one_span()).await;
    assert_eq!((status, answered["content-type"].to_str().expect("text"), body.as_slice()), (StatusCode::OK, PROTOBUF, &b""[..]));
    let id = format!("tr-{TRACE}");
    let (_, got) = below_v3(&mlflow, Method::GET, &format!("traces/get?trace_id={id}"), Value::Null).await;
    let q = json!({"kvlist_value": {"values": [{"key": "q", "value": {"int_value": 7}}]}});
    let span = json!({
        "trace_id": "W47/95gDgQPSabYzgT/GDA==", "span_id": "AAAAAAAAAAk=", "name": "root",
        "start_time_unix_nano": 1_544_712_660_000_000_000_u64, "end_time_unix_nano": 1_544_712_661_500_000_000_u64,
        "attributes": [
            {"key": "mlflow.spanInputs", "value": q}, {"key": "half", "value": {"double_value": 0.5}},
            {"key": "mlflow.traceRequestId", "value": {"string_value": id}},
        ],
        "status": {"code": "STATUS_CODE_ERROR"},
    });
    assert_eq!(got["trace"]["spans"], json!([span]));
    let info = &got["trace"]["trace_info"];
    assert_eq!((&info["state"], &info["request_preview"]), (&json!("ERROR"), &json!("{\"q\": 7}")));
    assert_eq!((&info["execution_duration"], &info["tags"]["service.name"]), (&json!("1.500s"), &json!("svc")));
    let (_, both) = below_v3(&mlflow, Method::GET, &format!("traces/batchGet?trace_ids={id}&trace_ids=tr-none"), Value::Null).await;
    assert_eq!(both, json!({"traces": [got["trace"]]}));
    let search = json!({"locations": [trace_info("", &experiment)["trace_location"]], "filter": format!("run_id = '{run}'")});
    let (_, found) = below_v3(&mlflow, Method::POST, "traces/search", search).await;
    assert_eq!(found["traces"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn spans_may_be_packed_or_json() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("spans").await;
    let to = ("x-mlflow-experiment-id", experiment.as_str());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&one_span()).expect("in memory");
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&one_span()).expect("in memory");
    for (encoding, body) in [("gzip", gzip.finish().expect("in memory")), ("deflate", zlib.finish().expect("in memory"))] {
        let (status, ..) = export(&mlflow, &[to, ("content-type", PROTOBUF), ("content-encoding", encoding)], body).await;
        assert_eq!(status, StatusCode::OK, "{encoding}");
    }
    let span = json!({
        "traceId": TRACE, "spanId": "000000000000000a", "parentSpanId": "0000000000000009", "name": "child", "kind": "SPAN_KIND_CLIENT",
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
        "attributes": [{"key": "n", "value": {"intValue": "7"}}, {"key": "none", "value": {}}], "status": {"code": 1},
    });
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let (status, _, answered) = export(&mlflow, &[to, ("content-type", "application/json; charset=utf-8")], body.to_string().into()).await;
    assert_eq!((status, answered.as_slice()), (StatusCode::OK, &b"{}"[..]));
    let path = format!("/ajax-api/3.0/mlflow/get-trace-artifact?request_id=tr-{TRACE}");
    let (status, file) = mlflow.send(Method::GET, &path, &Value::Null).await;
    let names: Vec<&Value> = file["spans"].as_array().expect("a list").iter().map(|span| &span["name"]).collect();
    assert_eq!((status, names), (StatusCode::OK, vec![&json!("root"), &json!("child")]));
    assert_eq!(file["spans"][1]["attributes"], json!({"n": "7", "none": "null", "mlflow.traceRequestId": format!("\"tr-{TRACE}\"")}));
    assert_eq!(file["spans"][0]["attributes"]["mlflow.spanInputs"], "{\"q\": 7}");
}

/// What is wrong, headers, body.
type Asked<'a> = (&'a str, Vec<(&'a str, &'a str)>, Vec<u8>);

#[tokio::test]
async fn what_are_no_spans_is_refused_and_leaves_nothing() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("spans").await;
    let to = ("x-mlflow-experiment-id", experiment.as_str());
    let (protobuf, json) = (("content-type", PROTOBUF), ("content-type", "application/json"));
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    bomb.write_all(&vec![0; 40 << 20]).expect("in memory");
    let mut deep = vec![];
    for _ in 0..5_000 {
        deep = field(5, &field(1, &deep));
    }
    let deep = field(1, &field(2, &field(2, &attribute("deep", &deep))));
    let deep_json = format!("{{\"resourceSpans\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let short = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "ab", "spanId": "cd"}]}]}]}).to_string();
    let odd: Vec<Asked> = vec![
        ("no experiment", vec![protobuf], one_span()),
        ("no number", vec![("x-mlflow-experiment-id", "x"), protobuf], one_span()),
        ("no type", vec![to], one_span()),
        ("another type", vec![to, ("content-type", "text/plain")], one_span()),
        ("nothing", vec![to, protobuf], vec![]),
        ("noise", vec![to, protobuf], vec![0xff; 100]),
        ("cut", vec![to, protobuf], one_span()[..50].to_vec()),
        ("not gzip", vec![to, protobuf, ("content-encoding", "gzip")], one_span()),
        ("another packing", vec![to, protobuf, ("content-encoding", "br")], one_span()),
        ("a bomb", vec![to, protobuf, ("content-encoding", "gzip")], bomb.finish().expect("in memory")),
        ("deep", vec![to, protobuf], deep),
        ("deep JSON", vec![to, json], deep_json.into()),
        ("short ids", vec![to, json], short.into()),
        ("no object", vec![to, json], b"[1]".to_vec()),
    ];
    for (what, headers, body) in odd {
        let (status, _, answered) = export(&mlflow, &headers, body).await;
        let answered: Value = serde_json::from_slice(&answered).unwrap_or_default();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{what}: {answered}");
        assert!(answered["error_code"].is_string() && answered["message"].is_string(), "{what}: {answered}");
    }
    let (status, ..) = export(&mlflow, &[("x-mlflow-experiment-id", "987654"), protobuf], one_span()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let search = json!({"locations": [trace_info("", &experiment)["trace_location"]]});
    assert_eq!(below_v3(&mlflow, Method::POST, "traces/search", search).await, (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn files_that_clients_uploaded_are_where_they_put_them() {
    let mlflow = Mlflow::new();
    let (id, experiment) = started(&mlflow).await;
    let ask = async |more: &str| {
        let path = format!("/ajax-api/2.0/mlflow/get-trace-artifact?request_id={id}{more}");
        let (status, headers, _) = answer(&mlflow, Request::get(path).body(Body::empty()).expect("a valid request")).await;
        (status, headers.get("location").map(|to| to.to_str().expect("text").to_owned()))
    };
    let root = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/traces/{id}/artifacts");
    assert_eq!(ask("").await, (StatusCode::TEMPORARY_REDIRECT, Some(format!("{root}/traces.json"))));
    assert_eq!(ask("&path=a%20b.png").await, (StatusCode::TEMPORARY_REDIRECT, Some(format!("{root}/attachments/a%20b.png"))));
    for odd in ["&path=../x", "&path=%2e%2e%2fx", "&path=/etc/passwd", "&path=a//b", "&path=a%5C..%5Cb"] {
        assert_eq!(ask(odd).await, (StatusCode::BAD_REQUEST, None), "{odd}");
    }
    let refused = mlflow.refused(Method::GET, "get-trace-artifact", Value::Null).await;
    assert_eq!(refused, "400 BAD_REQUEST: Request must include the \"request_id\" query parameter.");
}
