//! The REST interface, one file per resource.

mod data;
mod features;
mod forecasts;
mod history;
mod leaderboard;
mod predict;
mod project;
mod series;

pub(crate) use data::*;
pub(crate) use features::*;
pub(crate) use forecasts::*;
pub(crate) use history::*;
pub(crate) use leaderboard::*;
pub(crate) use predict::*;
pub(crate) use project::*;
pub(crate) use series::*;

use crate::error::{ApiError, ServiceError};
use almanac_api::ProjectInfo;
use axum::extract::rejection::QueryRejection;

/// Returns the level asked for, or the leaves where none is.
pub(crate) fn level_or_leaves(project: &ProjectInfo, level: Option<String>) -> Result<String, ServiceError> {
    match level {
        Some(name) if project.levels.iter().any(|level| level.name == name) => Ok(name),
        Some(name) => Err(ServiceError::NotFound { what: "level", name }),
        None => {
            let leaves = project.levels.iter().find(|level| level.is_leaf).or(project.levels.last());
            let reason = || ServiceError::NotReady { reason: "the project has no series yet".to_owned() };
            Ok(leaves.ok_or_else(reason)?.name.clone())
        }
    }
}

/// Turns axum's message about a query string into a problem.
fn query_error(rejection: QueryRejection) -> ApiError {
    let text = rejection.body_text();
    let detail = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
    ApiError::invalid(format!("query string: {detail}"), Some("`/docs` lists the parameters".to_owned()))
}
