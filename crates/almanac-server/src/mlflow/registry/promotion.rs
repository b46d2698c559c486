//! Promotion, which MLflow does not have: evidence of versions, and moving aliases with a reason, a history and a way back.
//!
//! | method | path under `/api/v1/registry` | body | answer |
//! |---|---|---|---|
//! | GET | `/models/{name}/versions/{version}/evidence` | | `{"version_evidence": {…}}`, 404 if there is none |
//! | PUT | `/models/{name}/versions/{version}/evidence` | `{"evidence": {…}, "passed": true}` | the same |
//! | PUT | `/models/{name}/aliases/{alias}` | `{"version": "3", "reason": "…"}` | `{"model_version": {…}}` |
//! | DELETE | `/models/{name}/aliases/{alias}` | `{"reason": "…"}`, or none | `{}` |
//! | POST | `/models/{name}/aliases/{alias}/rollback` | `{"reason": "…"}` | `{"model_version": {…}}` |
//! | GET | `/models/{name}/aliases/{alias}/moves` | | `{"moves": […]}`, newest first, at most 1000 |
//! | GET | `/models/{name}/moves` | | the same of all aliases |
//!
//! `evidence` is an object; `champion` asks for its parts `backtest`, `data_version`, `config`, `code`, `coverage` and
//! `leakage_audit` once any version of the model has evidence. Refusals have MLflow's form; a shut gate is a 409 with
//! `RESOURCE_CONFLICT`, which MLflow's clients show at once, while they try again for minutes after an `INVALID_STATE`.

use almanac_api::mlflow as wire;
use almanac_tracking::{AliasMove, ErrorCode, VersionEvidence};
use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post, put};
use serde_json::Value;

use super::super::request::{Request, missing, wrong_type};
use super::super::{Answer, MlflowError, Tracking, now};
use super::{Caller, number, wire_version};

pub(super) fn routes() -> Router<Tracking> {
    Router::new()
        .route("/models/{name}/versions/{version}/evidence", get(get_evidence).put(put_evidence))
        .route("/models/{name}/aliases/{alias}", put(set_alias).delete(delete_alias))
        .route("/models/{name}/aliases/{alias}/rollback", post(rollback))
        .route("/models/{name}/aliases/{alias}/moves", get(moves_of_alias))
        .route("/models/{name}/moves", get(moves))
}

async fn get_evidence(State(tracking): State<Tracking>, Path((name, version)): Path<(String, String)>) -> Answer<wire::EvidenceFound> {
    let number = number(&name, &version)?;
    let model = name.clone();
    let found = tracking.call(move |store| store.get_evidence(&model, number)).await?;
    let none = || format!("No evidence is recorded for Model Version (name={name}, version={number})");
    let found = found.ok_or_else(|| MlflowError::new(ErrorCode::ResourceDoesNotExist, none()))?;
    wire_evidence(name, number, &found)
}

async fn put_evidence(
    State(tracking): State<Tracking>,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Answer<wire::EvidenceFound> {
    let number = number(&name, &version)?;
    let evidence = match request.get("evidence") {
        Some(evidence @ Value::Object(_)) => evidence.to_string(),
        Some(other) => return Err(wrong_type("evidence", other)),
        None => return Err(missing("evidence")),
    };
    let evidence = VersionEvidence { evidence, passed: request.truth("passed")?.ok_or_else(|| missing("passed"))?, since: now() };
    let (model, put) = (name.clone(), evidence.clone());
    tracking.call(move |store| store.put_evidence(&model, number, &put.evidence, put.passed, put.since)).await?;
    wire_evidence(name, number, &evidence)
}

async fn set_alias(
    State(tracking): State<Tracking>,
    Path((name, alias)): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Answer<wire::ModelVersionFound> {
    let number = number(&name, &request.required("version")?)?;
    let change = caller.change(reason(&request)?);
    let found = tracking
        .call(move |store| {
            store.set_alias(&name, &alias, number, &change, now())?;
            store.get_model_version(&name, number)
        })
        .await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(found) }))
}

async fn delete_alias(
    State(tracking): State<Tracking>,
    Path((name, alias)): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Answer<wire::Empty> {
    let change = caller.change(reason(&request)?);
    tracking.call(move |store| store.delete_alias(&name, &alias, &change, now())).await?;
    Ok(Json(wire::Empty {}))
}

async fn rollback(
    State(tracking): State<Tracking>,
    Path((name, alias)): Path<(String, String)>,
    caller: Caller,
    request: Request,
) -> Answer<wire::ModelVersionFound> {
    let change = caller.change(reason(&request)?);
    let found = tracking.call(move |store| store.rollback_alias(&name, &alias, &change, now())).await?;
    Ok(Json(wire::ModelVersionFound { model_version: wire_version(found) }))
}

async fn moves_of_alias(State(tracking): State<Tracking>, Path((name, alias)): Path<(String, String)>) -> Answer<wire::AliasMovesFound> {
    let found = tracking.call(move |store| store.alias_moves(&name, Some(&alias))).await?;
    Ok(Json(wire::AliasMovesFound { moves: found.into_iter().map(wire_move).collect() }))
}

async fn moves(State(tracking): State<Tracking>, Path(name): Path<String>) -> Answer<wire::AliasMovesFound> {
    let found = tracking.call(move |store| store.alias_moves(&name, None)).await?;
    Ok(Json(wire::AliasMovesFound { moves: found.into_iter().map(wire_move).collect() }))
}

fn reason(request: &Request) -> Result<String, MlflowError> {
    Ok(request.text("reason")?.unwrap_or_default())
}

fn wire_evidence(name: String, number: u32, evidence: &VersionEvidence) -> Answer<wire::EvidenceFound> {
    let parts = serde_json::from_str(&evidence.evidence).map_err(|error| MlflowError::internal(&error))?;
    let version_evidence =
        wire::Evidence { name, version: number.to_string(), evidence: parts, passed: evidence.passed, since: evidence.since.0 };
    Ok(Json(wire::EvidenceFound { version_evidence }))
}

fn wire_move(moved: AliasMove) -> wire::AliasMove {
    wire::AliasMove {
        move_no: moved.number,
        name: moved.model,
        alias: moved.alias,
        kind: moved.kind.as_str(),
        from_version: moved.from.map(|number| number.to_string()),
        to_version: moved.to.map(|number| number.to_string()),
        actor: moved.change.actor,
        reason: moved.change.reason,
        moved_at: moved.moved.0,
    }
}
