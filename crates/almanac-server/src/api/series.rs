//! `GET /api/v1/series`.

use super::{level_or_leaves, query_error};
use crate::error::ApiError;
use crate::router::App;
use crate::{Order, SeriesQuery, SeriesSort};
use almanac_api::{Problem, SeriesPage};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

/// Most series on one page.
const MOST: u64 = 1000;

/// Which page of which series.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesParams {
    /// Hierarchy level; the leaves where absent.
    level: Option<String>,
    /// Part of `unique_id`, ignoring case.
    search: Option<String>,
    /// What to sort by; `value` where absent.
    #[param(inline)]
    sort: Option<SeriesSort>,
    /// Direction; `desc` where absent, `asc` for names.
    #[param(inline)]
    order: Option<Order>,
    /// How many to leave out.
    offset: Option<u64>,
    /// Most series to return, 1 to 1000; 100 where absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// A page of the series of one level.
#[utoipa::path(get, path = "/api/v1/series", tag = "forecasts", params(SeriesParams), responses(
    (status = 200, description = "One page", body = SeriesPage),
    (status = 400, description = "Invalid parameters", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown level", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No series yet", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn series(
    State(app): State<App>,
    params: Result<Query<SeriesParams>, QueryRejection>,
) -> Result<Json<SeriesPage>, ApiError> {
    let Query(params) = params.map_err(query_error)?;
    let limit = params.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::invalid(format!("`limit` must be between 1 and {MOST}, got {limit}"), None));
    }
    let sort = params.sort.unwrap_or(SeriesSort::Value);
    let usual = if sort == SeriesSort::Name { Order::Asc } else { Order::Desc };
    let page = app.caller.call(move |service| {
        let level = level_or_leaves(&service.project()?, params.level)?;
        let search = params.search.filter(|text| !text.is_empty());
        let order = params.order.unwrap_or(usual);
        service.series(&SeriesQuery { level, search, sort, order, offset: params.offset.unwrap_or(0), limit })
    });
    Ok(Json(page.await?))
}
