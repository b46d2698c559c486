//! Traces, in the third version of the interface and in the second, which clients of old speak.
//!
//! Not here: spans, which come by OpenTelemetry's protocol (`otlp`), assessments (`assessments`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use almanac_api::mlflow as wire;
use almanac_tracking::{ErrorCode, ExperimentId, Millis, Tag, Trace, TraceInfo, TraceSearch, TraceSelection, TraceState};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, patch, post};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::assessments::{read_assessment, wire_assessment};
use super::experiments::{experiment_id, tags, wire_tag};
use super::request::{Request, missing, wrong_type};
use super::{Answer, MlflowError, Tracking, otlp};

/// Pauses before a trace is looked for again of which not all spans have come; clients send them at the same time.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// Where clients that keep spans in a file put it, below the artifacts of the trace.
const FILE: &str = "traces.json";
/// Where the proxy of artifacts is, for redirections.
const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";
/// What is written as it is in a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// What both versions have.
fn shared() -> Router<Tracking> {
    Router::new()
        .route("/traces/delete-traces", post(delete_many))
        .route("/traces/link-to-run", post(link_to_run))
        .route("/traces/link-prompts", post(link_prompts))
        .route("/traces/{trace_id}/tags", patch(set_tag).delete(delete_tag))
        .route("/get-trace-artifact", get(artifact))
}

pub(super) fn routes_v2() -> Router<Tracking> {
    shared()
        .route("/traces", get(search_v2).post(start_v2))
        .route("/traces/{trace_id}", patch(end_v2))
        .route("/traces/{trace_id}/info", get(get_info_v2))
}

pub(super) fn routes_v3() -> Router<Tracking> {
    shared()
        .route("/traces", post(start))
        .route("/traces/search", post(search))
        .route("/traces/get", get(get_one))
        .route("/traces/batchGet", get(get_many))
        .route("/traces/batchGetInfos", post(get_infos))
        .route("/traces/{trace_id}", get(get_info))
}

/// Writes a time as protobuf does in JSON.
pub(super) fn wire_time(time: Millis) -> String {
    Timestamp::from_millisecond(time.0).unwrap_or_default().to_string()
}

/// Reads a time; `None` if it is not there.
pub(super) fn time(request: &Request, name: &str) -> Result<Option<Millis>, MlflowError> {
    let Some(value) = request.get(name) else { return Ok(None) };
    let read = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    read.map(|time| Some(Millis(time.as_millisecond()))).ok_or_else(|| wrong_type(name, value))
}

/// Writes a duration as protobuf does in JSON: `1.500s`.
fn wire_duration(millis: i64) -> String {
    let (sign, millis) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    match millis % 1_000 {
        0 => format!("{sign}{}s", millis / 1_000),
        rest => format!("{sign}{}.{rest:03}s", millis / 1_000),
    }
}

fn duration(text: &str) -> Option<i64> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse::<i64>().ok()?;
    Some(sign * seconds.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(nanos / 1_000_000)?)
}

/// Reads a field that is an object of texts.
pub(super) fn pairs(request: &Request, name: &str) -> Result<Vec<Tag>, MlflowError> {
    let Some(value) = request.get(name) else { return Ok(Vec::new()) };
    let fields = value.as_object().ok_or_else(|| wrong_type(name, value))?;
    let pair = |(key, value): (&String, &Value)| Some(Tag { key: key.clone(), value: value.as_str()?.to_owned() });
    fields.iter().map(pair).collect::<Option<_>>().ok_or_else(|| wrong_type(name, value))
}

pub(super) fn wire_pairs(tags: Vec<Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn state(request: &Request, name: &str) -> Result<TraceState, MlflowError> {
    let Some(value) = request.get(name) else { return Ok(TraceState::Unspecified) };
    let read = match value {
        Value::String(word) => TraceState::parse(word),
        Value::Number(number) => number.as_i64().and_then(TraceState::from_number),
        _ => None,
    };
    read.ok_or_else(|| wrong_type(name, value))
}

fn wire_info(info: TraceInfo) -> wire::TraceInfo {
    wire::TraceInfo {
        trace_id: info.id,
        client_request_id: info.client_request_id,
        trace_location: wire::TraceLocation {
            r#type: "MLFLOW_EXPERIMENT",
            mlflow_experiment: wire::TraceExperiment { experiment_id: info.experiment.to_string() },
        },
        request_preview: info.request_preview,
        response_preview: info.response_preview,
        request_time: wire_time(info.request_time),
        execution_duration: info.execution_duration.map(wire_duration),
        state: info.state.as_str(),
        trace_metadata: wire_pairs(info.metadata),
        assessments: info.assessments.into_iter().map(wire_assessment).collect(),
        tags: wire_pairs(info.tags),
    }
}

fn wire_info_v2(info: TraceInfo) -> wire::TraceInfoV2 {
    wire::TraceInfoV2 {
        request_id: info.id,
        experiment_id: info.experiment.to_string(),
        timestamp_ms: info.request_time.0,
        execution_time_ms: info.execution_duration.unwrap_or(0),
        status: if info.state == TraceState::Unspecified { "TRACE_STATUS_UNSPECIFIED" } else { info.state.as_str() },
        request_metadata: info.metadata.into_iter().map(wire_tag).collect(),
        tags: info.tags.into_iter().map(wire_tag).collect(),
    }
}

fn found(info: TraceInfo) -> Json<wire::TraceFound> {
    Json(wire::TraceFound { trace: wire::Trace { trace_info: wire_info(info) } })
}

fn found_v2(info: TraceInfo) -> Json<wire::TraceInfoFoundV2> {
    Json(wire::TraceInfoFoundV2 { trace_info: wire_info_v2(info) })
}

/// Writes a trace with its spans, which are JSON already.
fn write_trace(trace: Trace, text: &mut String) {
    let info = serde_json::to_string(&wire_info(trace.info)).expect("texts and lists of them");
    write!(text, "{{\"trace_info\":{info},\"spans\":[{}]}}", trace.spans.join(",")).expect("writing to a text");
}

fn json_response(text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

fn location(location: &Request) -> Result<Option<ExperimentId>, MlflowError> {
    let Some(experiment) = location.message("mlflow_experiment")? else { return Ok(None) };
    experiment_id(&experiment.required("experiment_id")?).map(Some)
}

async fn start(State(tracking): State<Tracking>, request: Request) -> Answer<wire::TraceFound> {
    let trace = request.message("trace")?.ok_or_else(|| missing("trace"))?;
    let info = trace.message("trace_info")?.ok_or_else(|| missing("trace.trace_info"))?;
    let experiment = info.message("trace_location")?.as_ref().map(location).transpose()?.flatten();
    let id = info.required("trace_id")?;
    let duration = match info.get("execution_duration") {
        None => None,
        Some(value) => Some(value.as_str().and_then(duration).ok_or_else(|| wrong_type("execution_duration", value))?),
    };
    let info = TraceInfo {
        experiment: experiment.ok_or_else(|| missing("trace.trace_info.trace_location"))?,
        request_time: time(&info, "request_time")?.unwrap_or_default(),
        execution_duration: duration,
        state: state(&info, "state")?,
        client_request_id: info.text("client_request_id")?,
        request_preview: info.text("request_preview")?,
        response_preview: info.text("response_preview")?,
        metadata: pairs(&info, "trace_metadata")?,
        tags: pairs(&info, "tags")?,
        assessments: info.messages("assessments")?.iter().map(|one| read_assessment(one, &id)).collect::<Result<_, _>>()?,
        id,
    };
    Ok(found(tracking.call(move |store| store.start_trace(&info)).await?))
}

async fn get_info(State(tracking): State<Tracking>, Path(id): Path<String>) -> Answer<wire::TraceFound> {
    Ok(found(tracking.call(move |store| store.get_trace_info(&id)).await?))
}

async fn get_one(State(tracking): State<Tracking>, request: Request) -> Result<Response, MlflowError> {
    let id = request.required("trace_id")?;
    let partly = request.truth("allow_partial")?.unwrap_or(false);
    let mut pauses = PAUSES.into_iter();
    loop {
        let asked = id.clone();
        if let Some(trace) = tracking.call(move |store| store.get_trace(&asked, partly)).await? {
            let mut text = "{\"trace\":".to_owned();
            write_trace(trace, &mut text);
            text.push('}');
            return Ok(json_response(text));
        }
        let Some(pause) = pauses.next() else {
            let message = format!("Trace with ID {id} is not fully exported yet, please try again later.");
            return Err(MlflowError::new(ErrorCode::ResourceDoesNotExist, message));
        };
        tokio::time::sleep(pause).await;
    }
}

/// Reads ids of traces and, if they are given, of the experiments that they must be in.
fn ids(request: &Request) -> Result<(Vec<String>, Option<Vec<ExperimentId>>), MlflowError> {
    let ids = request.texts("trace_ids")?;
    if ids.is_empty() {
        return Err(missing("trace_ids"));
    }
    let within = request.texts("experiment_ids")?.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?;
    Ok((ids, request.has("experiment_ids").then_some(within)))
}

async fn get_many(State(tracking): State<Tracking>, request: Request) -> Result<Response, MlflowError> {
    let (ids, within) = ids(&request)?;
    let traces = tracking.call(move |store| store.get_traces(&ids, within.as_deref())).await?;
    let mut text = "{\"traces\":[".to_owned();
    for (place, trace) in traces.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write_trace(trace, &mut text);
    }
    text.push_str("]}");
    Ok(json_response(text))
}

async fn get_infos(State(tracking): State<Tracking>, request: Request) -> Answer<wire::TraceInfosFound> {
    let (ids, within) = ids(&request)?;
    let found = tracking.call(move |store| store.get_trace_infos(&ids, within.as_deref())).await?;
    Ok(Json(wire::TraceInfosFound { trace_infos: found.into_iter().map(wire_info).collect() }))
}

fn query(request: &Request, experiments: Vec<ExperimentId>) -> Result<TraceSearch, MlflowError> {
    Ok(TraceSearch {
        experiments,
        filter: request.text("filter")?.unwrap_or_default(),
        order_by: request.texts("order_by")?,
        max_results: request.int("max_results")?.unwrap_or(100),
        page_token: request.text("page_token")?,
    })
}

async fn search(State(tracking): State<Tracking>, request: Request) -> Answer<wire::TracesFound> {
    let locations = request.messages("locations")?;
    if locations.is_empty() {
        return Err(missing("locations"));
    }
    let experiments = locations.iter().filter_map(|one| location(one).transpose()).collect::<Result<_, _>>()?;
    let query = query(&request, experiments)?;
    let found = tracking.call(move |store| store.search_traces(&query)).await?;
    Ok(Json(wire::TracesFound { traces: found.items.into_iter().map(wire_info).collect(), next_page_token: found.next }))
}

async fn search_v2(State(tracking): State<Tracking>, request: Request) -> Answer<wire::TracesFoundV2> {
    let experiments = request.texts("experiment_ids")?;
    if experiments.is_empty() {
        return Err(missing("experiment_ids"));
    }
    let experiments = experiments.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?;
    let query = query(&request, experiments)?;
    let found = tracking.call(move |store| store.search_traces(&query)).await?;
    Ok(Json(wire::TracesFoundV2 { traces: found.items.into_iter().map(wire_info_v2).collect(), next_page_token: found.next }))
}

/// Reads metadata as clients of old send it, a list of pairs.
fn metadata_v2(request: &Request) -> Result<Vec<Tag>, MlflowError> {
    let pair = |pair: Request| Ok(Tag { key: pair.text("key")?.unwrap_or_default(), value: pair.text("value")?.unwrap_or_default() });
    request.messages("request_metadata")?.into_iter().map(pair).collect()
}

async fn start_v2(State(tracking): State<Tracking>, request: Request) -> Answer<wire::TraceInfoFoundV2> {
    let experiment = experiment_id(&request.required("experiment_id")?)?;
    let started = Millis(request.int("timestamp_ms")?.unwrap_or(0));
    let (metadata, tags) = (metadata_v2(&request)?, tags(&request)?);
    Ok(found_v2(tracking.call(move |store| store.begin_trace(experiment, started, &metadata, &tags)).await?))
}

async fn end_v2(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::TraceInfoFoundV2> {
    let ended = Millis(request.int("timestamp_ms")?.unwrap_or(0));
    let state = state(&request, "status")?;
    let (metadata, tags) = (metadata_v2(&request)?, tags(&request)?);
    Ok(found_v2(tracking.call(move |store| store.end_trace(&id, ended, state, &metadata, &tags)).await?))
}

async fn get_info_v2(State(tracking): State<Tracking>, Path(id): Path<String>) -> Answer<wire::TraceInfoFoundV2> {
    Ok(found_v2(tracking.call(move |store| store.get_trace_info(&id)).await?))
}

async fn delete_many(State(tracking): State<Tracking>, request: Request) -> Answer<wire::TracesDeleted> {
    let experiment = experiment_id(&request.required("experiment_id")?)?;
    let ids = request.texts("request_ids")?;
    let most = request.int("max_traces")?;
    let which = match (request.int("max_timestamp_millis")?, ids.is_empty()) {
        (None, true) => return Err(MlflowError::invalid("Either `max_timestamp_millis` or `trace_ids` must be specified.")),
        (Some(_), false) => return Err(MlflowError::invalid("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")),
        (None, false) if most.is_some() => {
            return Err(MlflowError::invalid("`max_traces` can't be specified if `trace_ids` is specified."));
        }
        (None, false) => TraceSelection::Ids(ids),
        (Some(until), true) => TraceSelection::Until { until: Millis(until), most },
    };
    let traces_deleted = tracking.call(move |store| store.delete_traces(experiment, &which)).await?;
    Ok(Json(wire::TracesDeleted { traces_deleted }))
}

async fn set_tag(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::Empty> {
    let tag = Tag { key: request.required("key")?, value: request.text("value")?.unwrap_or_default() };
    tracking.call(move |store| store.set_trace_tag(&id, &tag)).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete_tag(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::Empty> {
    let key = request.required("key")?;
    tracking.call(move |store| store.delete_trace_tag(&id, &key)).await?;
    Ok(Json(wire::Empty {}))
}

async fn link_to_run(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let ids = request.texts("trace_ids")?;
    if ids.is_empty() {
        return Err(missing("trace_ids"));
    }
    let run = request.run_id()?;
    tracking.call(move |store| store.link_traces_to_run(&ids, &run)).await?;
    Ok(Json(wire::Empty {}))
}

async fn link_prompts(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.required("trace_id")?;
    if !request.has("prompt_versions") {
        return Err(missing("prompt_versions"));
    }
    let version = |prompt: &Request| match prompt.get("version") {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => prompt.required("version"),
    };
    let prompt = |prompt: Request| Ok::<_, MlflowError>((prompt.required("name")?, version(&prompt)?));
    let prompts: Vec<_> = request.messages("prompt_versions")?.into_iter().map(prompt).collect::<Result<_, _>>()?;
    tracking.call(move |store| store.link_prompts_to_trace(&id, &prompts)).await?;
    Ok(Json(wire::Empty {}))
}

/// Sends the spans as a file, or one attachment. What clients uploaded themselves is where they put it.
async fn artifact(State(tracking): State<Tracking>, request: Request) -> Result<Response, MlflowError> {
    let asked = || MlflowError::new(ErrorCode::BadRequest, "Request must include the \"request_id\" query parameter.");
    let id = request.text("request_id")?.filter(|id| !id.is_empty()).ok_or_else(asked)?;
    let path = request.text("path")?.filter(|path| !path.is_empty());
    if path.is_none() {
        let asked = id.clone();
        let spans = tracking
            .call(move |store| match store.get_trace(&asked, true) {
                Ok(trace) => Ok(trace.map(|trace| otlp::trace_file(&trace.spans))),
                Err(error) if error.code() == Some(ErrorCode::BadRequest) => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        if let Some(text) = spans {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
                (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=traces.json")),
            ];
            return Ok((headers, text).into_response());
        }
    }
    let info = tracking.call(move |store| store.get_trace_info(&id)).await?;
    let file = path.map_or_else(|| FILE.to_owned(), |path| format!("attachments/{path}"));
    let is_plain = file.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let root = info.tags.iter().find(|tag| tag.key == "mlflow.artifactLocation").map(|tag| tag.value.as_str());
    let root = root.and_then(|root| root.strip_prefix("mlflow-artifacts:"));
    match root {
        Some(root) if is_plain && !file.contains('\\') => {
            let path = format!("{}/{file}", root.trim_matches('/'));
            Ok(Redirect::temporary(&format!("{PROXY}/{}", utf8_percent_encode(&path, IN_PATH))).into_response())
        }
        Some(_) => Err(MlflowError::invalid("Invalid path")),
        None => Err(MlflowError::new(ErrorCode::ResourceDoesNotExist, "The artifacts of the trace are not kept by this server.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_and_read_as_protobuf_does() {
        let read: Vec<_> = ["0s", "1.5s", "1234.567000s", "-0.250s", "3.000000001s", "1.5", "s", "1e3s", "1..2s"].map(duration).to_vec();
        assert_eq!(read, [Some(0), Some(1_500), Some(1_234_567), Some(-250), Some(3_000), None, None, None, None]);
        assert_eq!([0, 1_500, 1_234_567, -250].map(wire_duration), ["0s", "1.500s", "1234.567s", "-0.250s"]);
        assert_eq!(wire_time(Millis(1_700_000_000_123)), "2023-11-14T22:13:20.123Z");
    }
}
