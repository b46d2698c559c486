//! Aliases, as MLflow's clients set and read them. Reasons and history are in `promotion`.

use almanac_api::mlflow as wire;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::super::request::Request;
use super::super::{Answer, Tracking, now};
use super::{Caller, name_and_number, wire_version};

pub(super) fn routes() -> Router<Tracking> {
    Router::new().route("/registered-models/alias", get(get_one).post(set).delete(delete))
}

async fn get_one(State(tracking): State<Tracking>, request: Request) -> Answer<wire::ModelVersionFound> {
    let name = request.required("name")?;
    let alias = request.required("alias")?;
    let found = tracking.call(move |store| store.get_model_version_by_alias(&name, &alias)).await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(found) }))
}

async fn set(State(tracking): State<Tracking>, caller: Caller, request: Request) -> Answer<wire::Empty> {
    let (name, number) = name_and_number(&request)?;
    let alias = request.required("alias")?;
    tracking.call(move |store| store.set_alias(&name, &alias, number, &caller.change(""), now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn delete(State(tracking): State<Tracking>, caller: Caller, request: Request) -> Answer<wire::Empty> {
    let name = request.required("name")?;
    let alias = request.required("alias")?;
    tracking.call(move |store| store.delete_alias(&name, &alias, &caller.change(""), now())).await?;
    Ok(Json(wire::Empty {}))
}
