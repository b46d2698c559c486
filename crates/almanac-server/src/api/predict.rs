//! `POST /api/v1/predict`.

use crate::error::ApiError;
use crate::router::{App, BODY_LIMIT};
use crate::validate;
use almanac_api::{PredictRequest, PredictResponse, Problem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;

/// Forecasts of the series in the body, known or new, by the champion.
#[utoipa::path(post, path = "/api/v1/predict", tag = "forecasts",
    request_body(content = PredictRequest, example = json!({
        "series": [{
            "unique_id": "store_1/item_7",
            "history": [{"ds": "2024-01-29", "y": 11}, {"ds": "2024-01-30", "y": 9}, {"ds": "2024-01-31", "y": null}]
        }],
        "horizon": 7,
        "levels": [0.8]
    })),
    responses(
        (status = 200, description = "Forecasts", body = PredictResponse),
        (status = 400, description = "Invalid request; `detail` names the place", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body over 32 MiB", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No champion yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn predict(State(app): State<App>, body: Result<Bytes, BytesRejection>) -> Result<Json<PredictResponse>, ApiError> {
    let body = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::TooLarge { limit: BODY_LIMIT }
        } else {
            ApiError::invalid("the body could not be read to its end", None)
        }
    })?;
    // Reading 32 MiB of JSON takes long enough to be kept off the threads that answer everyone.
    let checked = app.caller.call(move |service| {
        let project = service.project()?;
        Ok(validate::read(&body).and_then(|request| validate::check(request, &project)))
    });
    let query = checked.await??;
    let response = app.caller.call(move |service| service.predict(&query)).await?;
    app.telemetry.predicted(response.forecasts.len());
    Ok(Json(response))
}
