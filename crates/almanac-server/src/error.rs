//! What can go wrong while a request is answered, and its one translation to problem details.

use almanac_api::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Why a request could not be answered. Knows no HTTP status; [`ApiError`] does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The thing asked for does not exist.
    #[error("{what} `{name}` does not exist")]
    NotFound {
        /// Kind of thing: `series`, `level`, `model`, `cutoff`.
        what: &'static str,
        /// Its name, as asked for.
        name: String,
    },
    /// The request says something that cannot be meant.
    #[error("{detail}")]
    Invalid {
        /// What is wrong, naming the field.
        detail: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Nothing can be served yet.
    #[error("{reason}")]
    NotReady {
        /// What is missing.
        reason: String,
    },
    /// A fault on our side; the source is for the log, not for the client.
    #[error("internal error")]
    Internal {
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ServiceError {
    /// Wraps a fault on our side.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { source: source.into() }
    }
}

/// Everything a handler can end in, other than an answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    Service(ServiceError),
    TooLarge {
        limit: usize,
    },
    Busy,
    TimedOut {
        limit: Duration,
    },
    Panicked {
        message: String,
    },
    NoRoute {
        path: String,
    },
    Method {
        method: String,
        path: String,
    },
    /// Something that the protocol has and this server does not.
    NotImplemented {
        detail: String,
        hint: Option<String>,
    },
    /// Features whose newest values nobody has written yet.
    NotMaterialised {
        detail: String,
        hint: Option<String>,
    },
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl ApiError {
    /// Builds the error of a request with one wrong part.
    pub(crate) fn invalid(detail: impl Into<String>, hint: Option<String>) -> Self {
        Self::Service(ServiceError::Invalid { detail: detail.into(), hint })
    }

    /// Returns the problem as it goes to the client, and writes to the log what the client is not told.
    pub(crate) fn into_problem(self) -> Problem {
        let (status, kind, title, detail, hint) = match self {
            Self::Service(ServiceError::NotFound { what, name }) => {
                let hint = match what {
                    "level" => Some("`/api/v1/project` lists the levels".to_owned()),
                    "series" => Some("`/api/v1/series?search=` finds series; keys are unique in their level only".to_owned()),
                    "model" | "cutoff" => Some(format!("`/api/v1/project` lists each {what} with forecasts")),
                    _ => None,
                };
                (StatusCode::NOT_FOUND, "not-found", "Not found", format!("{what} `{name}` does not exist"), hint)
            }
            Self::Service(ServiceError::Invalid { detail, hint }) => {
                (StatusCode::BAD_REQUEST, "invalid-request", "Invalid request", detail, hint)
            }
            Self::Service(ServiceError::NotReady { reason }) => {
                let hint = Some("run `almanac run` in the project, then ask again".to_owned());
                (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready", reason, hint)
            }
            Self::Service(ServiceError::Internal { source }) => {
                log_failure(&*source);
                internal()
            }
            Self::Panicked { message } => {
                tracing::error!(panic = message, "request panicked");
                internal()
            }
            Self::TooLarge { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "Request too large",
                format!("the body is larger than {} MiB", limit >> 20),
                Some("send fewer series in one request".to_owned()),
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Busy",
                "too many requests are being answered".to_owned(),
                Some("try again in a few seconds".to_owned()),
            ),
            Self::TimedOut { limit } => (
                StatusCode::GATEWAY_TIMEOUT,
                "timed-out",
                "Timed out",
                format!("no answer within {} s", limit.as_secs()),
                Some("ask for fewer series or steps".to_owned()),
            ),
            Self::NoRoute { path } => (
                StatusCode::NOT_FOUND,
                "not-found",
                "Not found",
                format!("nothing is served at `{path}`"),
                Some("`/docs` lists what is".to_owned()),
            ),
            Self::NotImplemented { detail, hint } => (StatusCode::NOT_IMPLEMENTED, "not-implemented", "Not implemented", detail, hint),
            Self::NotMaterialised { detail, hint } => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready", detail, hint),
            Self::Method { method, path } => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
                format!("`{path}` does not answer `{method}`"),
                Some("`/docs` lists what it answers".to_owned()),
            ),
        };
        Problem { kind: format!("/problems/{kind}"), title: title.to_owned(), status: status.as_u16(), detail, hint }
    }
}

/// Writes to the log what failed on our side, with all its causes: the client is not told.
pub(crate) fn log_failure(cause: &dyn std::error::Error) {
    let mut chain = cause.to_string();
    let mut next = cause.source();
    while let Some(error) = next {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        next = error.source();
    }
    tracing::error!(error = chain, "request failed");
}

fn internal() -> (StatusCode, &'static str, &'static str, String, Option<String>) {
    let hint = Some("the server's log has the cause".to_owned());
    (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", "the request could not be answered".to_owned(), hint)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem_response(self.into_problem())
    }
}

/// Returns a problem as it goes over the wire.
pub(crate) fn problem_response(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).expect("problems are made with statuses of HTTP");
    let body = serde_json::to_vec(&problem).expect("a problem is strings and a number");
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
