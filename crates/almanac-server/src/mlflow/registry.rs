//! The model registry: MLflow's routes for registered models, versions, aliases and webhooks, and our own for promotion.

mod aliases;
mod models;
mod promotion;
mod versions;
mod webhooks;

use std::convert::Infallible;

use almanac_api::mlflow as wire;
use almanac_tracking::{Change, ErrorCode, ModelVersion, RegisteredModel};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::experiments::wire_tag;
use super::request::{Request, wrong_type};
use super::{MlflowError, Tracking};
use crate::access::Actor;

pub(super) fn routes() -> Router<Tracking> {
    Router::new().merge(models::routes()).merge(versions::routes()).merge(aliases::routes()).merge(webhooks::routes())
}

/// Routes that MLflow does not have, under `/api/v1/registry`; see `promotion`.
pub(super) fn own_routes() -> Router<Tracking> {
    promotion::routes()
}

/// Who asks, as it is written into the history of aliases.
struct Caller(String);

impl Caller {
    fn change(self, reason: impl Into<String>) -> Change {
        Change { actor: self.0, reason: reason.into() }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Actor>().map(|actor| actor.name.to_string()).unwrap_or_default()))
    }
}

/// Reads the number of a version of a model.
fn number(name: &str, text: &str) -> Result<u32, MlflowError> {
    let number: i64 =
        text.trim().parse().map_err(|_| MlflowError::invalid(format!("Parameter 'version' must be an integer, got '{text}'.")))?;
    // What is no number of ours exists nowhere.
    u32::try_from(number)
        .map_err(|_| MlflowError::new(ErrorCode::ResourceDoesNotExist, format!("Model Version (name={name}, version={number}) not found")))
}

/// Reads name and version of a request.
fn name_and_number(request: &Request) -> Result<(String, u32), MlflowError> {
    let name = request.required("name")?;
    let number = number(&name, &request.required("version")?)?;
    Ok((name, number))
}

/// Reads how many items are asked for.
fn max_results(request: &Request, default: i64, most: i64) -> Result<i64, MlflowError> {
    match request.int("max_results")? {
        None => Ok(default),
        Some(given) if given > most => Err(wrong_type("max_results", request.get("max_results").unwrap_or(&given.into()))),
        Some(given) => Ok(given),
    }
}

fn wire_model(model: RegisteredModel) -> wire::RegisteredModel {
    let alias = |(alias, version): (String, u32)| wire::ModelAlias { alias, version: version.to_string() };
    wire::RegisteredModel {
        name: model.name,
        creation_timestamp: model.created.0,
        last_updated_timestamp: model.updated.0,
        description: model.description,
        latest_versions: model.latest.into_iter().map(wire_version).collect(),
        tags: model.tags.into_iter().map(wire_tag).collect(),
        aliases: model.aliases.into_iter().map(alias).collect(),
    }
}

fn wire_version(version: ModelVersion) -> wire::ModelVersion {
    wire::ModelVersion {
        name: version.model,
        version: version.version.to_string(),
        creation_timestamp: version.created.0,
        last_updated_timestamp: version.updated.0,
        user_id: version.user,
        current_stage: version.stage.as_str(),
        description: version.description,
        source: version.source,
        run_id: version.run_id.unwrap_or_default(),
        status: version.status.as_str(),
        status_message: version.status_message,
        tags: version.tags.into_iter().map(wire_tag).collect(),
        run_link: version.run_link,
        aliases: version.aliases,
        model_id: version.model_id,
    }
}
