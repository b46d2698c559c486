//! Refusals and failures as MLflow's clients expect them: `{"error_code": …, "message": …}` with its status.
//!
//! Not here: the words of refusals, which the store chooses.

use almanac_tracking::{ErrorCode, StoreError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::log_failure;

/// Anything a handler of MLflow's interface can end in, other than an answer.
#[derive(Debug)]
pub(crate) struct MlflowError {
    code: ErrorCode,
    message: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error_code: &'a str,
    message: &'a str,
}

impl MlflowError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A value that was given is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameterValue, message)
    }

    /// A fault on our side: the cause goes to the log, not to the client.
    pub(crate) fn internal(cause: &dyn std::error::Error) -> Self {
        log_failure(cause);
        Self::new(ErrorCode::InternalError, "the request could not be answered; the server's log has the cause")
    }
}

impl From<StoreError> for MlflowError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused { code, message } => Self { code, message },
            StoreError::Busy { .. } | StoreError::DiskFull { .. } => {
                tracing::error!(%error, "request failed");
                Self::new(ErrorCode::TemporarilyUnavailable, error.to_string())
            }
            error => Self::internal(&error),
        }
    }
}

/// Returns the status that goes with a code.
pub(crate) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest | ErrorCode::InvalidParameterValue | ErrorCode::ResourceAlreadyExists => StatusCode::BAD_REQUEST,
        ErrorCode::EndpointNotFound | ErrorCode::ResourceDoesNotExist => StatusCode::NOT_FOUND,
        ErrorCode::InternalError | ErrorCode::InvalidState => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorCode::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorCode::RequestLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ResourceConflict => StatusCode::CONFLICT,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
    }
}

impl IntoResponse for MlflowError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&Body { error_code: self.code.as_str(), message: &self.message }).expect("two texts");
        let mut response = (status(self.code), body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
