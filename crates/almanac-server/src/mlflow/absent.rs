//! What MLflow's server has and this one does not: a clear answer instead of a page that is not found.
//!
//! Clients go on where a feature answers `NOT_IMPLEMENTED` (501), which they do not try again, and fall back to older routes
//! where a route answers `ENDPOINT_NOT_FOUND` (404).
//!
//! Not here: paths outside MLflow's interface (`router`).

use almanac_tracking::ErrorCode;
use axum::Router;
use axum::extract::OriginalUri;
use axum::http::Method;
use axum::routing::any;

use super::{MlflowError, Tracking};

/// A family of routes that is not there.
struct Absent {
    /// How its paths start, below `/api/2.0/mlflow/` and the like.
    prefix: &'static str,
    /// What it is, with its verb.
    feature: &'static str,
    /// What there is instead.
    instead: &'static str,
}

const fn absent(prefix: &'static str, feature: &'static str, instead: &'static str) -> Absent {
    Absent { prefix, feature, instead }
}

const PROMPTS: &str = "Prompts can be kept as registered models with versions and aliases; optimize them on the client.";
const EVALUATION: &str = "mlflow.genai.evaluate runs on the client and logs its runs, traces and assessments here.";
const RUNS_AND_TRACES: &str = "Runs, traces and assessments can be logged and searched.";
const GATEWAY: &str = "This server keeps experiments, runs, models and traces; call providers of models directly.";
const WORKSPACES: &str = "This server has one workspace; who may use an experiment or model is set by permissions.";
const REVIEW: &str = "Assessments of traces can be created, updated, deleted and searched by.";
const PAGES: &str = "The REST interface answers what MLflow's pages ask by it.";

const FEATURES: &[Absent] = &[
    absent("prompt-optimization", "Prompt optimization is", PROMPTS),
    absent("scorers", "Registered scorers are", EVALUATION),
    absent("scorer", "Registered scorers are", EVALUATION),
    absent("datasets", "Evaluation datasets are", EVALUATION),
    absent("genai", "Evaluation on the server is", EVALUATION),
    absent("gateway", "The AI gateway is", GATEWAY),
    absent("gateway-proxy", "The AI gateway is", GATEWAY),
    absent("workspaces", "Workspaces are", WORKSPACES),
    absent("issues", "Issues are", REVIEW),
    absent("label-schemas", "Label schemas are", REVIEW),
    absent("review-queues", "Review queues are", REVIEW),
    absent("mcp-servers", "The registry of MCP servers is", "Models and prompts can be registered."),
    absent("traces/metrics", "Metrics of traces are", "Traces can be searched and counted by the client."),
    absent("traces/calculate-filter-correlation", "Correlation of filters is", "Traces can be searched by either filter."),
    absent("unified-traces", "Unified traces of Databricks are", "Traces are searched by /api/3.0/mlflow/traces/search."),
    absent("get-online-trace-details", "Online traces of Databricks are", "Traces are read by /api/3.0/mlflow/traces/get."),
    absent("runs/create-promptlab-run", "Runs of the prompt lab are", RUNS_AND_TRACES),
    absent("demo", "Demo data is", RUNS_AND_TRACES),
    absent("assistant", "The assistant is", RUNS_AND_TRACES),
    absent("jobs", "Jobs on the server are", RUNS_AND_TRACES),
    absent("ui-telemetry", "Telemetry of MLflow's pages is", "Nothing about its use is collected."),
    absent("graphql", "GraphQL is", PAGES),
];

/// Answers for all that the other families leave over, below one version of the interface.
pub(super) fn complete(routes: Router<Tracking>) -> Router<Tracking> {
    routes.fallback(left_over).method_not_allowed_fallback(left_over)
}

/// Absent routes that do not begin with a version of MLflow's interface.
pub(super) fn at_root() -> Router<Tracking> {
    Router::new()
        .route("/graphql", any(left_over))
        .route("/gateway/{*rest}", any(left_over))
        .route("/ajax-api/3.0/jobs", any(left_over))
        .route("/ajax-api/3.0/jobs/{*rest}", any(left_over))
        .route("/api/{version}/mlflow/{*rest}", any(left_over))
        .route("/ajax-api/{version}/mlflow/{*rest}", any(left_over))
}

async fn left_over(method: Method, OriginalUri(uri): OriginalUri) -> MlflowError {
    let path = uri.path();
    match feature(path) {
        Some(absent) => {
            MlflowError::new(ErrorCode::NotImplemented, format!("{} not part of this server. {}", absent.feature, absent.instead))
        }
        None => MlflowError::new(ErrorCode::EndpointNotFound, format!("There is no endpoint {method} {path}.")),
    }
}

fn feature(path: &str) -> Option<&'static Absent> {
    let below = match path.split_once("/mlflow/") {
        Some((version, below)) if version.starts_with("/api/") || version.starts_with("/ajax-api/") => below,
        _ => path.trim_start_matches("/ajax-api/3.0").trim_start_matches('/'),
    };
    let is_below = |absent: &&Absent| below.strip_prefix(absent.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    FEATURES.iter().find(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_known_by_the_start_of_their_path() {
        let name = |path: &str| feature(path).map(|absent| absent.feature);
        assert_eq!(name("/api/3.0/mlflow/gateway/secrets/create"), Some("The AI gateway is"));
        assert_eq!(name("/gateway/mlflow/v1/chat/completions"), Some("The AI gateway is"));
        assert_eq!(name("/ajax-api/3.0/jobs/search"), Some("Jobs on the server are"));
        assert_eq!(name("/graphql"), Some("GraphQL is"));
        assert_eq!(name("/api/2.0/mlflow/datasetsx"), None);
    }
}
