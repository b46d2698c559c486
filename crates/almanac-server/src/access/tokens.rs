//! `/api/v1/access/tokens`: admins list, make and revoke tokens.
//!
//! Only where callers must say who they are: else everyone on the machine could make a token that works later. The command
//! `almanac access` works in any case, for whoever may write the store.
//!
//! Not here: users and their passwords, which only the command knows.

use std::sync::Arc;

use almanac_api::{AccessTokenCreated, AccessTokenInfo, AccessTokens, CreateAccessToken, Problem};
use almanac_tracking::{AccessToken, ErrorCode, Millis, NewAccessToken, Role, StoreError, TrackingStore};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Extension, Json, Router};
use jiff::Timestamp;

use super::{Actor, Gate};
use crate::error::{ApiError, ServiceError, problem_response};
use crate::mlflow::now;

/// Most bytes of a body.
const BODY_LIMIT: usize = 16 << 10;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// Most days that a token works: a hundred years.
const MOST_DAYS: u32 = 36_525;

pub(crate) fn routes(gate: Gate) -> Router {
    Router::new()
        .route("/api/v1/access/tokens", get(list).post(create))
        .route("/api/v1/access/tokens/{id}", delete(revoke))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(gate)
}

/// What a handler ends in, other than an answer.
pub(crate) enum Failed {
    Api(ApiError),
    Problem(Problem),
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => error.into_response(),
            Self::Problem(problem) => problem_response(problem),
        }
    }
}

/// All tokens, without their texts.
#[utoipa::path(get, path = "/api/v1/access/tokens", tag = "access", responses(
    (status = 200, description = "The tokens", body = AccessTokens),
    (status = 403, description = "For admins only", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(State(gate): State<Gate>) -> Result<Json<AccessTokens>, Failed> {
    let found = ask(&gate, |store| store.access_tokens()).await?;
    Ok(Json(AccessTokens { items: found.into_iter().map(info).collect() }))
}

/// A new token. Its text is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/access/tokens", tag = "access", request_body = CreateAccessToken, responses(
    (status = 201, description = "The token", body = AccessTokenCreated),
    (status = 400, description = "Invalid request", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "For admins only", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The name is taken", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(gate): State<Gate>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    let new = read(&headers, body)?;
    let (token, secret) = ask(&gate, move |store| store.create_access_token(&new, now())).await?;
    tracing::info!(actor = ?actor.name, token = token.id, name = token.name, role = %token.role, "a token was made");
    let created = AccessTokenCreated { info: info(token), token: secret.expose().to_owned() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(created)).into_response())
}

/// Stops a token from working, at once and for good.
#[utoipa::path(delete, path = "/api/v1/access/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "Id or name of the token")),
    responses(
        (status = 200, description = "The token as it was", body = AccessTokenInfo),
        (status = 403, description = "For admins only", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such token", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    State(gate): State<Gate>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<AccessTokenInfo>, Failed> {
    let token = ask(&gate, move |store| store.revoke_access_token(&id, now())).await?;
    if let Some(credentials) = &gate.credentials {
        credentials.forget();
    }
    tracing::info!(actor = ?actor.name, token = token.id, name = token.name, role = %token.role, "a token was revoked");
    Ok(Json(info(token)))
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<NewAccessToken, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().unwrap_or_default().trim() != "application/json" {
        return Err(ApiError::invalid("the content type must be `application/json`", None));
    }
    let body = body.map_err(|rejection| ApiError::invalid(rejection.body_text(), None))?;
    let asked: CreateAccessToken =
        serde_json::from_slice(&body).map_err(|error| ApiError::invalid(format!("the body is not what it should be: {error}"), None))?;
    let role = Role::parse(&asked.role).ok_or_else(|| {
        let words = Role::ALL.map(Role::as_str).join("`, `");
        ApiError::invalid(format!("`role` must be one of `{words}`, got `{}`", asked.role), None)
    })?;
    let expires = match asked.expires_in_days {
        Some(days) if !(1..=MOST_DAYS).contains(&days) => {
            return Err(ApiError::invalid(format!("`expires_in_days` must be between 1 and {MOST_DAYS}, got {days}"), None));
        }
        days => days.map(|days| Millis(now().0 + i64::from(days) * DAY)),
    };
    Ok(NewAccessToken { name: asked.name, role, expires })
}

/// Asks the store on a thread that may block.
async fn ask<T, F>(gate: &Gate, question: F) -> Result<T, Failed>
where
    T: Send + 'static,
    F: FnOnce(&TrackingStore) -> Result<T, StoreError> + Send + 'static,
{
    let Some(credentials) = &gate.credentials else {
        let hint = "`almanac access token create` makes a token; `almanac serve --auth always` asks for one".to_owned();
        let detail = "tokens are not managed over HTTP where nobody has to say who they are".to_owned();
        return Err(Failed::Problem(problem(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail, Some(hint))));
    };
    let store = Arc::clone(credentials.store());
    match tokio::task::spawn_blocking(move || question(&store)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(StoreError::Refused { code, message })) => Err(refused(code, message)),
        Ok(Err(error)) => Err(ApiError::from(ServiceError::internal(error)).into()),
        Err(error) => Err(ApiError::from(ServiceError::internal(error)).into()),
    }
}

fn refused(code: ErrorCode, message: String) -> Failed {
    Failed::Problem(match code {
        ErrorCode::ResourceAlreadyExists => problem(StatusCode::CONFLICT, "conflict", "Conflict", message, None),
        ErrorCode::ResourceDoesNotExist => problem(StatusCode::NOT_FOUND, "not-found", "Not found", message, None),
        _ => problem(StatusCode::BAD_REQUEST, "invalid-request", "Invalid request", message, None),
    })
}

fn problem(status: StatusCode, kind: &str, title: &str, detail: String, hint: Option<String>) -> Problem {
    Problem { kind: format!("/problems/{kind}"), title: title.to_owned(), status: status.as_u16(), detail, hint }
}

fn info(token: AccessToken) -> AccessTokenInfo {
    let time = |at: Millis| Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |time| time.to_string());
    AccessTokenInfo {
        id: token.id,
        name: token.name,
        role: token.role.as_str().to_owned(),
        created: time(token.created),
        expires: token.expires.map(time),
        revoked: token.revoked.map(time),
        last_used: token.last_used.map(time),
    }
}
