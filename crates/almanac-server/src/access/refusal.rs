//! Why a call is refused, in the form that its caller reads: MLflow's clients, gRPC, browsers, and everyone else.

use std::time::Duration;

use almanac_api::Problem;
use almanac_tracking::{ErrorCode, Role};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Actor;
use crate::error::problem_response;
use crate::mlflow::MlflowError;
use crate::pages;

/// Why a call is refused. Its text is for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the host is not one of ours")]
    Host,
    #[error("the page that calls is of another site")]
    Origin,
    #[error("no credentials")]
    Unknown,
    #[error("wrong credentials for {name:?}")]
    Wrong { name: Option<String> },
    #[error("too many wrong passwords, now for {name:?}")]
    TooMany { name: String, wait: Duration },
    #[error("too many passwords to check at a time")]
    Busy,
    #[error("`{:?}` is `{}`, `{needed}` is needed", actor.name, actor.role)]
    Forbidden { actor: Actor, needed: Role },
    #[error("the credentials could not be checked: {error}")]
    Failed { error: String },
}

/// How the caller reads answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Mlflow,
    Grpc,
    Page,
    Problem,
}

impl Shape {
    pub(super) fn of(request: &Parts) -> Self {
        let path = request.uri.path();
        let content_type = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let of_mlflow = ["/api/2.0", "/api/3.0", "/ajax-api/", "/get-artifact", "/model-versions/", "/v1/", "/api/v1/registry/"];
        if content_type.starts_with("application/grpc") {
            Self::Grpc
        } else if of_mlflow.iter().any(|prefix| path.starts_with(prefix)) {
            Self::Mlflow
        } else if pages::wants_html(&request.headers) && !path.starts_with("/api/") {
            Self::Page
        } else {
            Self::Problem
        }
    }
}

/// What the caller is told.
struct Told {
    status: StatusCode,
    code: ErrorCode,
    /// Of gRPC.
    number: &'static str,
    kind: &'static str,
    title: &'static str,
    detail: String,
    hint: &'static str,
}

impl Refusal {
    pub(super) fn respond(self, shape: Shape) -> Response {
        let is_plain = matches!(self, Self::Host | Self::Origin);
        let wait = match &self {
            Self::TooMany { wait, .. } => Some(wait.as_secs() + 1),
            Self::Busy | Self::Failed { .. } => Some(5),
            _ => None,
        };
        let told = self.told();
        let status = told.status;
        let mut response = match shape {
            Shape::Grpc => return grpc(&told),
            _ if is_plain => return (status, told.detail).into_response(),
            Shape::Mlflow => MlflowError::new(told.code, format!("{}: {}", told.detail, told.hint)).into_response(),
            Shape::Page => pages::problem(told.problem()),
            Shape::Problem => problem_response(told.problem()),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"almanac\""));
        }
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }

    fn told(self) -> Told {
        let unavailable = |detail: &str| Told {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: ErrorCode::TemporarilyUnavailable,
            number: "14",
            kind: "busy",
            title: "Busy",
            detail: detail.to_owned(),
            hint: "try again in a few seconds",
        };
        let is_new = matches!(self, Self::Unknown);
        let elsewhere = |detail: &str| Told {
            status: StatusCode::FORBIDDEN,
            code: ErrorCode::PermissionDenied,
            number: "7",
            kind: "forbidden",
            title: "Not allowed",
            detail: detail.to_owned(),
            hint: "",
        };
        match self {
            Self::Unknown | Self::Wrong { .. } => Told {
                status: StatusCode::UNAUTHORIZED,
                code: ErrorCode::Unauthenticated,
                number: "16",
                kind: "unauthenticated",
                title: "Who are you?",
                detail: if is_new { "You are not authenticated" } else { "The token, or the name and password, are not right" }.to_owned(),
                hint: "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; `almanac access token create` makes a token",
            },
            Self::TooMany { wait, .. } => Told {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: ErrorCode::RequestLimitExceeded,
                number: "8",
                kind: "too-many-attempts",
                title: "Too many attempts",
                detail: format!("too many wrong passwords came from this address; the next one is looked at in {} s", wait.as_secs() + 1),
                hint: "a token works meanwhile",
            },
            Self::Forbidden { actor, needed } => Told {
                status: StatusCode::FORBIDDEN,
                code: ErrorCode::PermissionDenied,
                number: "7",
                kind: "forbidden",
                title: "Not allowed",
                detail: format!("Permission denied: `{}` has the role `{}`, this needs `{needed}`", actor.name, actor.role),
                hint: "ask an admin for another role",
            },
            Self::Busy => unavailable("too many passwords are being checked"),
            Self::Failed { error } => {
                tracing::error!(error, "failed to check credentials");
                unavailable("the credentials could not be checked")
            }
            // The words of MLflow's own server.
            Self::Host => elsewhere("Invalid Host header - possible DNS rebinding attack detected"),
            Self::Origin => elsewhere("Cross-origin request blocked"),
        }
    }
}

impl Told {
    fn problem(&self) -> Problem {
        Problem {
            kind: format!("/problems/{}", self.kind),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            hint: Some(self.hint.to_owned()),
        }
    }
}

/// gRPC has its status in a header of its own.
fn grpc(told: &Told) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from_static(told.number));
    if let Ok(message) = HeaderValue::from_str(&told.detail.replace('%', "%25")) {
        headers.insert("grpc-message", message);
    }
    response
}
