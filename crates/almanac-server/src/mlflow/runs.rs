//! Runs: starting, ending, deleting, reading and searching them.

use almanac_api::mlflow as wire;
use almanac_tracking::{
    ExperimentId, Metric, Millis, NewRun, Run, RunData, RunId, RunInputs, RunQuery, RunRecord, RunStatus, RunUpdate, ViewType,
};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde_json::Value;

use super::experiments::{experiment_id, tags, wire_tag};
use super::request::{Request, wrong_type};
use super::{Answer, MlflowError, Tracking, now};

/// Runs of a page where none are asked for.
const DEFAULT_RESULTS: i64 = 1_000;

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/runs/create", post(create))
        .route("/runs/get", get(get_one))
        .route("/runs/update", post(update))
        .route("/runs/delete", post(delete))
        .route("/runs/restore", post(restore))
        .route("/runs/search", post(search))
}

pub(super) fn wire_info(run: Run) -> wire::RunInfo {
    wire::RunInfo {
        run_id: run.id.to_string(),
        run_uuid: run.id.to_string(),
        experiment_id: run.experiment.to_string(),
        run_name: run.name,
        user_id: run.user,
        status: run.status.as_str(),
        start_time: run.started.0,
        end_time: run.ended.map(|time| time.0),
        artifact_uri: run.artifact_uri,
        lifecycle_stage: run.lifecycle_stage.as_str(),
    }
}

pub(super) fn wire_metric(metric: Metric) -> wire::Metric {
    wire::Metric { key: metric.key, value: metric.value, timestamp: metric.timestamp.0, step: metric.step }
}

fn wire_data(data: RunData) -> wire::RunData {
    wire::RunData {
        metrics: data.metrics.into_iter().map(wire_metric).collect(),
        params: data.params.into_iter().map(|param| wire::KeyValue { key: param.key, value: param.value }).collect(),
        tags: data.tags.into_iter().map(wire_tag).collect(),
    }
}

fn wire_inputs(inputs: RunInputs) -> (wire::RunInputs, wire::RunOutputs) {
    let dataset = |input: almanac_tracking::DatasetInput| wire::DatasetInput {
        tags: input.tags.into_iter().map(wire_tag).collect(),
        dataset: wire::Dataset {
            name: input.dataset.name,
            digest: input.dataset.digest,
            source_type: input.dataset.source_type,
            source: input.dataset.source,
            schema: input.dataset.schema,
            profile: input.dataset.profile,
        },
    };
    let used = wire::RunInputs {
        dataset_inputs: inputs.datasets.into_iter().map(dataset).collect(),
        model_inputs: inputs.models.into_iter().map(|model| wire::ModelInput { model_id: model.0 }).collect(),
    };
    let made = inputs.outputs.into_iter().map(|made| wire::ModelOutput { model_id: made.model.0, step: made.step }).collect();
    (used, wire::RunOutputs { model_outputs: made })
}

fn wire_run(record: RunRecord) -> wire::Run {
    let (inputs, outputs) = wire_inputs(record.inputs);
    wire::Run { info: wire_info(record.run), data: wire_data(record.data), inputs, outputs: Some(outputs) }
}

/// Reads the status of a run, as a word or as MLflow's number.
fn status(request: &Request) -> Result<Option<RunStatus>, MlflowError> {
    let Some(value) = request.get("status") else { return Ok(None) };
    let read = match value {
        Value::String(word) => RunStatus::parse(word).or_else(|| word.parse().ok().and_then(RunStatus::from_number)),
        Value::Number(number) => number.as_i64().and_then(RunStatus::from_number),
        _ => None,
    };
    read.map(Some).ok_or_else(|| wrong_type("status", value))
}

/// Reads which lifecycle stages are asked for, as a word or as MLflow's number.
pub(super) fn view(request: &Request, name: &str) -> Result<ViewType, MlflowError> {
    let Some(value) = request.get(name) else { return Ok(ViewType::ActiveOnly) };
    let read = match value {
        Value::String(word) => ViewType::parse(word).or_else(|| word.parse().ok().and_then(view_of_number)),
        Value::Number(number) => number.as_i64().and_then(view_of_number),
        _ => None,
    };
    read.ok_or_else(|| wrong_type(name, value))
}

fn view_of_number(number: i64) -> Option<ViewType> {
    match number {
        1 => Some(ViewType::ActiveOnly),
        2 => Some(ViewType::DeletedOnly),
        3 => Some(ViewType::All),
        _ => None,
    }
}

async fn create(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RunFound> {
    let experiment = match request.text("experiment_id")?.filter(|id| !id.is_empty()) {
        Some(id) => experiment_id(&id)?,
        None => ExperimentId(0),
    };
    let new = NewRun {
        id: RunId::random(),
        experiment,
        name: request.text("run_name")?.unwrap_or_default(),
        user: request.text("user_id")?.unwrap_or_default(),
        started: Millis(request.int("start_time")?.unwrap_or_default()),
        tags: tags(&request)?,
    };
    let record = tracking.call(move |store| store.create_run(&new)).await?;
    let run = wire::Run { outputs: None, ..wire_run(record) };
    Ok(Json(wire::RunFound { run }))
}

async fn get_one(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RunFound> {
    let id = request.run_id()?;
    let record = tracking.call(move |store| store.get_run_record(&id)).await?;
    Ok(Json(wire::RunFound { run: wire_run(record) }))
}

async fn update(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RunUpdated> {
    let id = request.run_id()?;
    let update = RunUpdate { status: status(&request)?, ended: request.int("end_time")?.map(Millis), name: request.text("run_name")? };
    let run = tracking.call(move |store| store.update_run(&id, &update)).await?;
    Ok(Json(wire::RunUpdated { run_info: wire_info(run) }))
}

async fn delete(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    tracking.call(move |store| store.delete_run(&id, now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn restore(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = request.run_id()?;
    tracking.call(move |store| store.restore_run(&id)).await?;
    Ok(Json(wire::Empty {}))
}

async fn search(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RunsFound> {
    let query = RunQuery {
        experiments: request.texts("experiment_ids")?.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?,
        filter: request.text("filter")?.unwrap_or_default(),
        view: view(&request, "run_view_type")?,
        max_results: request.int("max_results")?.unwrap_or(DEFAULT_RESULTS),
        order_by: request.texts("order_by")?,
        page_token: request.text("page_token")?,
    };
    let answer = tracking
        .call(move |store| {
            let found = store.search_runs(&query)?;
            Ok(wire::RunsFound { runs: found.items.into_iter().map(wire_run).collect(), next_page_token: found.next })
        })
        .await?;
    Ok(Json(answer))
}
