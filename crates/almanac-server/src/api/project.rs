//! `GET /api/v1/project`.

use crate::ForecastService;
use crate::error::ApiError;
use crate::router::App;
use almanac_api::{Problem, ProjectInfo};
use axum::Json;
use axum::extract::State;

/// The project, its levels, models, issues and latest run.
#[utoipa::path(get, path = "/api/v1/project", tag = "forecasts", responses(
    (status = 200, description = "The project", body = ProjectInfo),
    (status = 500, description = "Internal error", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn project(State(app): State<App>) -> Result<Json<ProjectInfo>, ApiError> {
    Ok(Json(app.caller.call(ForecastService::project).await?))
}
