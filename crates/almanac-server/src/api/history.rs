//! `GET /api/v1/history`.

use super::{level_or_leaves, query_error};
use crate::HistoryQuery;
use crate::error::ApiError;
use crate::router::App;
use almanac_api::{History, Problem};
use almanac_series::SeriesId;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// Key of the series.
    series: String,
    /// Hierarchy level; the leaves where absent.
    level: Option<String>,
    /// Number of rows from the end; all where absent.
    last: Option<u64>,
}

/// The past of one series.
#[utoipa::path(get, path = "/api/v1/history", tag = "forecasts", params(HistoryParams), responses(
    (status = 200, description = "Rows, oldest first", body = History),
    (status = 400, description = "Invalid parameters", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown level or series", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn history(
    State(app): State<App>,
    params: Result<Query<HistoryParams>, QueryRejection>,
) -> Result<Json<History>, ApiError> {
    let Query(params) = params.map_err(query_error)?;
    let history = app.caller.call(move |service| {
        let level = level_or_leaves(&service.project()?, params.level)?;
        service.history(&HistoryQuery { level, unique_id: SeriesId::new(params.series), last: params.last })
    });
    Ok(Json(history.await?))
}
