//! `GET /api/v1/data`: what `/data` shows, for programs.

use almanac_api::{Problem, TableData, TableVersion};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::query_error;
use crate::ServiceError;
use crate::data_report::DataReport;
use crate::error::ApiError;
use crate::router::App;

/// Which table.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TableParams {
    /// A table with profiles, such as `bronze.sales` or `silver`; the first by default.
    table: Option<String>,
}

/// The profile of a table, and how it differs from its version before.
#[utoipa::path(get, path = "/api/v1/data", tag = "data", params(TableParams), responses(
    (status = 200, description = "The profile of the table", body = TableData),
    (status = 404, description = "No such table", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No table has been profiled yet", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn table_data(
    State(app): State<App>,
    params: Result<Query<TableParams>, QueryRejection>,
) -> Result<Json<TableData>, ApiError> {
    let Query(TableParams { table }) = params.map_err(query_error)?;
    let report = app.caller.call(move |service| service.data(table.as_deref())).await?;
    Ok(Json(in_wire_form(report).map_err(ServiceError::internal)?))
}

fn in_wire_form(report: DataReport) -> serde_json::Result<TableData> {
    let shown = report.shown;
    let at = |millis: i64| jiff::Timestamp::from_millisecond(millis).map_or_else(|_| String::new(), |at| at.to_string());
    Ok(TableData {
        tables: report.tables,
        table: shown.name,
        versions: shown
            .versions
            .into_iter()
            .map(|line| TableVersion { version: line.version, kept_at: at(line.kept_at), rows: line.rows })
            .collect(),
        summary: serde_json::to_value(&shown.summary)?,
        drift: shown.drift.as_ref().map(serde_json::to_value).transpose()?,
    })
}
