//! Versions of registered models.

use almanac_api::mlflow as wire;
use almanac_tracking::{NewModelVersion, RegistryQuery, Stage, Tag};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get, patch, post};

use super::super::experiments::tags;
use super::super::request::Request;
use super::super::{Answer, Tracking, now};
use super::{Caller, max_results, name_and_number, wire_version};

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/model-versions/create", post(create))
        .route("/model-versions/get", get(get_one))
        .route("/model-versions/update", patch(update))
        .route("/model-versions/delete", delete(delete_one))
        .route("/model-versions/search", get(search))
        .route("/model-versions/transition-stage", post(transition))
        .route("/model-versions/get-download-uri", get(download_uri))
        .route("/model-versions/set-tag", post(set_tag))
        .route("/model-versions/delete-tag", delete(delete_tag))
}

async fn create(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionFound> {
    let new = NewModelVersion {
        model: request.required("name")?,
        source: request.required("source")?,
        run_id: request.text("run_id")?,
        model_id: request.text("model_id")?,
        description: request.text("description")?.unwrap_or_default(),
        run_link: request.text("run_link")?.unwrap_or_default(),
        tags: tags(&request)?,
        ..NewModelVersion::default()
    };
    let made = tracking.call(move |store| store.create_model_version(&new, now())).await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(made) }))
}

async fn get_one(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionFound> {
    let (name, number) = name_and_number(&request)?;
    let found = tracking.call(move |store| store.get_model_version(&name, number)).await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(found) }))
}

async fn update(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionFound> {
    let (name, number) = name_and_number(&request)?;
    let description = request.text("description")?.unwrap_or_default();
    let updated = tracking.call(move |store| store.update_model_version(&name, number, &description, now())).await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(updated) }))
}

async fn delete_one(State(tracking): State<Tracking>, caller: Caller, request: Request) -> Answer<wire::Empty> {
    let (name, number) = name_and_number(&request)?;
    let change = caller.change("the version was deleted");
    tracking.call(move |store| store.delete_model_version(&name, number, &change, now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn search(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionsFound> {
    let query = RegistryQuery {
        filter: request.text("filter")?.unwrap_or_default(),
        order_by: request.texts("order_by")?,
        max_results: max_results(&request, 200_000, 200_000)?,
        page_token: request.text("page_token")?,
    };
    let page = tracking.call(move |store| store.search_model_versions(&query)).await?;
    let model_versions = page.items.into_iter().map(wire_version).collect();
    Ok(Json(wire::ModelVersionsFound { model_versions, next_page_token: page.next }))
}

async fn transition(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionFound> {
    let (name, number) = name_and_number(&request)?;
    let stage = Stage::parse(&request.required("stage")?)?;
    let archives_others = request.truth("archive_existing_versions")?.unwrap_or(false);
    let moved = tracking.call(move |store| store.transition_stage(&name, number, stage, archives_others, now())).await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(moved) }))
}

async fn download_uri(State(tracking): State<Tracking>, request: Request) -> Answer<wire::DownloadUri> {
    let (name, number) = name_and_number(&request)?;
    let artifact_uri = tracking.call(move |store| store.model_version_download_uri(&name, number)).await?;
    Ok(Json(wire::DownloadUri { artifact_uri }))
}

async fn set_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let (name, number) = name_and_number(&request)?;
    let tag = Tag { key: request.required("key")?, value: request.text("value")?.unwrap_or_default() };
    tracking.call(move |store| store.set_model_version_tag(&name, number, &tag)).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let (name, number) = name_and_number(&request)?;
    let key = request.required("key")?;
    tracking.call(move |store| store.delete_model_version_tag(&name, number, &key)).await?;
    Ok(Json(wire::Empty {}))
}
