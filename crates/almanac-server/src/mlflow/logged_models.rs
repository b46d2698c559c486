//! Logged models of MLflow 3.
//!
//! Not here: their files.

use almanac_api::mlflow as wire;
use almanac_tracking::{
    DatasetFilter, ExperimentId, LoggedModel, LoggedModelId, LoggedModelMetric, LoggedModelOrder, LoggedModelQuery, LoggedModelStatus,
    NewLoggedModel, Param,
};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, get, patch, post};
use serde_json::Value;

use super::experiments::{experiment_id, tags, wire_tag};
use super::request::{Request, missing};
use super::{Answer, MlflowError, Tracking, now};

/// Models of a page where the request does not say how many, and where it says 0.
const DEFAULT_RESULTS: i64 = 50;
const ZERO_RESULTS: i64 = 100;

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/logged-models", post(create))
        .route("/logged-models/search", post(search))
        .route("/logged-models/{model_id}", get(get_one).patch(finalize).delete(delete_one))
        .route("/logged-models/{model_id}/params", post(log_params))
        .route("/logged-models/{model_id}/tags", patch(set_tags))
        .route("/logged-models/{model_id}/tags/{tag_key}", delete(delete_tag))
}

async fn create(State(tracking): State<Tracking>, request: Request) -> Answer<wire::LoggedModelFound> {
    let new = NewLoggedModel {
        id: LoggedModelId::random(),
        experiment: experiment_id(&request.required("experiment_id")?)?,
        name: request.text("name")?.unwrap_or_default(),
        model_type: request.text("model_type")?.unwrap_or_default(),
        source_run: request.text("source_run_id")?.unwrap_or_default(),
        params: params(&request)?,
        tags: tags(&request)?,
    };
    let made = tracking.call(move |store| store.create_logged_model(&new, now())).await?;
    Ok(Json(wire::LoggedModelFound { model: wire_model(made) }))
}

async fn get_one(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::LoggedModelFound> {
    let allow_deleted = request.text("allow_deleted")?.is_some_and(|truth| truth.eq_ignore_ascii_case("true"));
    let found = tracking.call(move |store| store.get_logged_model(&LoggedModelId(id), allow_deleted)).await?;
    Ok(Json(wire::LoggedModelFound { model: wire_model(found) }))
}

async fn finalize(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::LoggedModelFound> {
    let status = match request.get("status").ok_or_else(|| missing("status"))? {
        Value::String(word) => word.parse().map_or_else(|_| LoggedModelStatus::parse(word), LoggedModelStatus::from_number),
        Value::Number(number) => number.as_i64().and_then(LoggedModelStatus::from_number),
        _ => None,
    };
    let shown = || request.get("status").map(ToString::to_string).unwrap_or_default();
    let status = status.ok_or_else(|| MlflowError::invalid(format!("Unknown model status: {}", shown().trim_matches('"'))))?;
    let model = tracking.call(move |store| store.finalize_logged_model(&LoggedModelId(id), status, now())).await?;
    Ok(Json(wire::LoggedModelFound { model: wire_model(model) }))
}

async fn delete_one(State(tracking): State<Tracking>, Path(id): Path<String>) -> Answer<wire::Empty> {
    tracking.call(move |store| store.delete_logged_model(&LoggedModelId(id), now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn log_params(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::Empty> {
    let params = params(&request)?;
    tracking.call(move |store| store.log_logged_model_params(&LoggedModelId(id), &params)).await?;
    Ok(Json(wire::Empty {}))
}

async fn set_tags(State(tracking): State<Tracking>, Path(id): Path<String>, request: Request) -> Answer<wire::Empty> {
    let tags = tags(&request)?;
    tracking.call(move |store| store.set_logged_model_tags(&LoggedModelId(id), &tags)).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete_tag(State(tracking): State<Tracking>, Path((id, key)): Path<(String, String)>) -> Answer<wire::Empty> {
    tracking.call(move |store| store.delete_logged_model_tag(&LoggedModelId(id), &key)).await?;
    Ok(Json(wire::Empty {}))
}

async fn search(State(tracking): State<Tracking>, request: Request) -> Answer<wire::LoggedModelsFound> {
    if !request.has("experiment_ids") {
        return Err(missing("experiment_ids"));
    }
    let experiments: Vec<ExperimentId> = request.texts("experiment_ids")?.iter().map(|id| experiment_id(id)).collect::<Result<_, _>>()?;
    let query = LoggedModelQuery {
        experiments,
        filter: request.text("filter")?.unwrap_or_default(),
        datasets: request.messages("datasets")?.iter().map(dataset_filter).collect::<Result<_, _>>()?,
        max_results: match request.int("max_results")? {
            None => DEFAULT_RESULTS,
            Some(0) => ZERO_RESULTS,
            Some(asked) => asked,
        },
        order_by: request.messages("order_by")?.iter().map(order).collect::<Result<_, _>>()?,
        page_token: request.text("page_token")?,
    };
    let page = tracking.call(move |store| store.search_logged_models(&query)).await?;
    Ok(Json(wire::LoggedModelsFound { models: page.items.into_iter().map(wire_model).collect(), next_page_token: page.next }))
}

fn params(request: &Request) -> Result<Vec<Param>, MlflowError> {
    let param = |param: Request| Ok(Param { key: param.text("key")?.unwrap_or_default(), value: param.text("value")?.unwrap_or_default() });
    request.messages("params")?.into_iter().map(param).collect()
}

fn dataset_filter(dataset: &Request) -> Result<DatasetFilter, MlflowError> {
    Ok(DatasetFilter {
        name: dataset.text("dataset_name")?.unwrap_or_default(),
        digest: dataset.text("dataset_digest")?.filter(|digest| !digest.is_empty()),
    })
}

fn order(term: &Request) -> Result<LoggedModelOrder, MlflowError> {
    Ok(LoggedModelOrder {
        field: term.text("field_name")?.unwrap_or_default(),
        ascending: term.truth("ascending")?.unwrap_or(true),
        dataset_name: term.text("dataset_name")?.filter(|name| !name.is_empty()),
        dataset_digest: term.text("dataset_digest")?.filter(|digest| !digest.is_empty()),
    })
}

fn wire_model(model: LoggedModel) -> wire::LoggedModel {
    wire::LoggedModel {
        info: wire::LoggedModelInfo {
            model_id: model.id.0,
            experiment_id: model.experiment.to_string(),
            name: model.name,
            creation_timestamp_ms: model.created.0,
            last_updated_timestamp_ms: model.updated.0,
            artifact_uri: model.artifact_uri,
            status: model.status.as_str(),
            model_type: model.model_type,
            source_run_id: model.source_run,
            status_message: Some(model.status_message).filter(|message| !message.is_empty()),
            tags: model.tags.into_iter().map(wire_tag).collect(),
        },
        data: wire::LoggedModelData {
            params: model.params.into_iter().map(|param| wire::KeyValue { key: param.key, value: param.value }).collect(),
            metrics: model.metrics.into_iter().map(wire_metric).collect(),
        },
    }
}

fn wire_metric(measured: LoggedModelMetric) -> wire::LoggedModelMetric {
    let LoggedModelMetric { run, metric } = measured;
    let (dataset_name, dataset_digest) = metric.dataset.unzip();
    wire::LoggedModelMetric {
        key: metric.key,
        value: metric.value,
        timestamp: metric.timestamp.0,
        step: metric.step,
        dataset_name,
        dataset_digest,
        model_id: metric.model_id.unwrap_or_default(),
        run_id: run.to_string(),
    }
}
