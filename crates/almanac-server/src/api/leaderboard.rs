//! `GET /api/v1/leaderboard`.

use crate::ForecastService;
use crate::error::ApiError;
use crate::router::App;
use almanac_api::{Leaderboard, Problem};
use axum::Json;
use axum::extract::State;

/// Out-of-sample scores of every model, by level and part of the horizon.
#[utoipa::path(get, path = "/api/v1/leaderboard", tag = "forecasts", responses(
    (status = 200, description = "The leaderboard of the backtest that chose the champion", body = Leaderboard),
    (status = 503, description = "No backtest yet", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn leaderboard(State(app): State<App>) -> Result<Json<Leaderboard>, ApiError> {
    Ok(Json(app.caller.call(ForecastService::leaderboard).await?))
}
