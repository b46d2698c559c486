//! Experiments and their tags.

use almanac_api::mlflow as wire;
use almanac_tracking::{ErrorCode, Experiment, ExperimentId, ExperimentQuery, NewExperiment, Tag};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

use super::request::{Request, missing};
use super::runs::view;
use super::{Answer, MlflowError, Tracking, now};

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/experiments/create", post(create))
        .route("/experiments/get", get(get_one))
        .route("/experiments/get-by-name", get(get_by_name))
        .route("/experiments/delete", post(delete))
        .route("/experiments/restore", post(restore))
        .route("/experiments/update", post(update))
        .route("/experiments/search", get(search).post(search))
        .route("/experiments/set-experiment-tag", post(set_tag))
        .route("/experiments/delete-experiment-tag", post(delete_tag))
}

/// Reads the id of an experiment; what is no number exists nowhere.
pub(super) fn experiment_id(text: &str) -> Result<ExperimentId, MlflowError> {
    let invalid = || format!("Invalid experiment ID '{text}'. Experiment ID must be a valid integer.");
    text.trim().parse().map(ExperimentId).map_err(|_| MlflowError::invalid(invalid()))
}

/// Reads the tags of a request.
pub(super) fn tags(request: &Request) -> Result<Vec<Tag>, MlflowError> {
    let tag = |tag: Request| Ok(Tag { key: tag.text("key")?.unwrap_or_default(), value: tag.text("value")?.unwrap_or_default() });
    request.messages("tags")?.into_iter().map(tag).collect()
}

pub(super) fn wire_tag(tag: Tag) -> wire::KeyValue {
    wire::KeyValue { key: tag.key, value: tag.value }
}

pub(super) fn wire_experiment(experiment: Experiment) -> wire::Experiment {
    wire::Experiment {
        experiment_id: experiment.id.to_string(),
        name: experiment.name,
        artifact_location: experiment.artifact_location,
        lifecycle_stage: experiment.lifecycle_stage.as_str(),
        last_update_time: experiment.updated.0,
        creation_time: experiment.created.0,
        tags: experiment.tags.into_iter().map(wire_tag).collect(),
    }
}

async fn create(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ExperimentCreated> {
    let new = NewExperiment {
        name: request.required("name")?,
        artifact_location: request.text("artifact_location")?.filter(|location| !location.is_empty()),
        tags: tags(&request)?,
    };
    let id = tracking.call(move |store| store.create_experiment(&new, now())).await?;
    Ok(Json(wire::ExperimentCreated { experiment_id: id.to_string() }))
}

async fn get_one(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ExperimentFound> {
    let id = experiment_id(&request.required("experiment_id")?)?;
    let found = tracking.call(move |store| store.get_experiment(id)).await?;
    Ok(Json(wire::ExperimentFound { experiment: wire_experiment(found) }))
}

async fn get_by_name(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ExperimentFound> {
    let name = request.required("experiment_name")?;
    let asked = name.clone();
    let found = tracking.call(move |store| store.get_experiment_by_name(&asked)).await?;
    let missing = || MlflowError::new(ErrorCode::ResourceDoesNotExist, format!("Could not find experiment with name '{name}'"));
    Ok(Json(wire::ExperimentFound { experiment: wire_experiment(found.ok_or_else(missing)?) }))
}

async fn delete(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = experiment_id(&request.required("experiment_id")?)?;
    tracking.call(move |store| store.delete_experiment(id, now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn restore(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = experiment_id(&request.required("experiment_id")?)?;
    tracking.call(move |store| store.restore_experiment(id, now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn update(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = experiment_id(&request.required("experiment_id")?)?;
    let name = request.required("new_name")?;
    tracking.call(move |store| store.rename_experiment(id, &name, now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn set_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = experiment_id(&request.required("experiment_id")?)?;
    let tag = Tag { key: request.required("key")?, value: request.text("value")?.unwrap_or_default() };
    tracking.call(move |store| store.set_experiment_tag(id, &tag)).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let id = experiment_id(&request.required("experiment_id")?)?;
    let key = request.required("key")?;
    tracking.call(move |store| store.delete_experiment_tag(id, &key)).await?;
    Ok(Json(wire::Empty {}))
}

async fn search(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ExperimentsFound> {
    let max_results = request.int("max_results")?.ok_or_else(|| missing("max_results"))?;
    let query = ExperimentQuery {
        filter: request.text("filter")?.unwrap_or_default(),
        view: view(&request, "view_type")?,
        max_results,
        order_by: request.texts("order_by")?,
        page_token: request.text("page_token")?,
    };
    let found = tracking.call(move |store| store.search_experiments(&query)).await?;
    let experiments = found.items.into_iter().map(wire_experiment).collect();
    Ok(Json(wire::ExperimentsFound { experiments, next_page_token: found.next }))
}
