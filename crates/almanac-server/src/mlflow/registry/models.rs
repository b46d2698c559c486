//! Registered models.

use almanac_api::mlflow as wire;
use almanac_tracking::{RegistryQuery, Stage, Tag};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get, patch, post};

use super::super::experiments::tags;
use super::super::request::Request;
use super::super::{Answer, Tracking, now};
use super::{Caller, max_results, wire_model, wire_version};

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/registered-models/create", post(create))
        .route("/registered-models/get", get(get_one))
        .route("/registered-models/update", patch(update))
        .route("/registered-models/rename", post(rename))
        .route("/registered-models/delete", delete(delete_one))
        .route("/registered-models/search", get(search))
        .route("/registered-models/set-tag", post(set_tag))
        .route("/registered-models/delete-tag", delete(delete_tag))
        .route("/registered-models/get-latest-versions", get(latest).post(latest))
}

async fn create(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RegisteredModelFound> {
    let name = request.required("name")?;
    let tags = tags(&request)?;
    let description = request.text("description")?.unwrap_or_default();
    let made = tracking.call(move |store| store.create_registered_model(&name, &description, &tags, now())).await?;
    Ok(Json(wire::RegisteredModelFound { registered_model: wire_model(made) }))
}

async fn get_one(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RegisteredModelFound> {
    let name = request.required("name")?;
    let found = tracking.call(move |store| store.get_registered_model(&name)).await?;
    Ok(Json(wire::RegisteredModelFound { registered_model: wire_model(found) }))
}

async fn update(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RegisteredModelFound> {
    let name = request.required("name")?;
    let description = request.text("description")?.unwrap_or_default();
    let updated = tracking.call(move |store| store.update_registered_model(&name, &description, now())).await?;
    Ok(Json(wire::RegisteredModelFound { registered_model: wire_model(updated) }))
}

async fn rename(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RegisteredModelFound> {
    let name = request.required("name")?;
    let new_name = request.required("new_name")?;
    let renamed = tracking.call(move |store| store.rename_registered_model(&name, &new_name, now())).await?;
    Ok(Json(wire::RegisteredModelFound { registered_model: wire_model(renamed) }))
}

async fn delete_one(State(tracking): State<Tracking>, caller: Caller, request: Request) -> Answer<wire::Empty> {
    let name = request.required("name")?;
    tracking.call(move |store| store.delete_registered_model(&name, &caller.change("the model was deleted"), now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn search(State(tracking): State<Tracking>, request: Request) -> Answer<wire::RegisteredModelsFound> {
    let query = RegistryQuery {
        filter: request.text("filter")?.unwrap_or_default(),
        order_by: request.texts("order_by")?,
        max_results: max_results(&request, 100, 1_000)?,
        page_token: request.text("page_token")?,
    };
    let page = tracking.call(move |store| store.search_registered_models(&query)).await?;
    let registered_models = page.items.into_iter().map(wire_model).collect();
    Ok(Json(wire::RegisteredModelsFound { registered_models, next_page_token: page.next }))
}

async fn set_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let name = request.required("name")?;
    let tag = Tag { key: request.required("key")?, value: request.text("value")?.unwrap_or_default() };
    tracking.call(move |store| store.set_registered_model_tag(&name, &tag)).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete_tag(State(tracking): State<Tracking>, request: Request) -> Answer<wire::Empty> {
    let name = request.required("name")?;
    let key = request.required("key")?;
    tracking.call(move |store| store.delete_registered_model_tag(&name, &key)).await?;
    Ok(Json(wire::Empty {}))
}

async fn latest(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionsFound> {
    let name = request.required("name")?;
    let stages = request.texts("stages")?.iter().map(|stage| Stage::parse(stage)).collect::<Result<Vec<_>, _>>()?;
    let found = tracking.call(move |store| store.latest_versions(&name, &stages)).await?;
    Ok(Json(wire::ModelVersionsFound { model_versions: found.into_iter().map(wire_version).collect(), next_page_token: None }))
}
