//! What each role may do: one table of routes.
//!
//! | role     | may                                                                                                   |
//! |----------|-------------------------------------------------------------------------------------------------------|
//! | viewer   | read everything but webhooks and tokens; search and look features up, also where that is a POST        |
//! | planner  | forecast with `/api/v1/predict`; tag experiments and runs; tag and assess traces                       |
//! | engineer | write experiments, runs, models, artifacts, traces, data sets, the registry; Optuna's storage          |
//! | admin    | webhooks, tokens, deleting artifacts, and whatever the table does not know and is not a read           |
//!
//! The routes are the patterns that the router has matched, such as `/api/2.0/mlflow/runs/create`.
//!
//! Not here: who has which role (`credentials`).

use almanac_tracking::Role;
use axum::http::Method;

/// What stands before the routes of MLflow's JSON interface; one client writes the third.
const MLFLOW: [&str; 6] =
    ["/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/", "/api/2.0mlflow/", "/ajax-api/2.0mlflow/", "/api/3.0/mlflow/", "/ajax-api/3.0/mlflow/"];
/// What stands before the routes of MLflow's artifacts.
const ARTIFACTS: [&str; 4] =
    ["/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/", "/api/3.0/mlflow-artifacts/", "/ajax-api/3.0/mlflow-artifacts/"];

/// Returns the least role that may call a route; `None` is a path without one, where nothing is to be had but an error.
pub(super) fn needed(method: &Method, route: Option<&str>) -> Role {
    let is_reading = matches!(*method, Method::GET | Method::HEAD);
    let Some(route) = route else { return if is_reading { Role::Viewer } else { Role::Engineer } };
    if let Some(rest) = MLFLOW.iter().find_map(|prefix| route.strip_prefix(prefix)) {
        return of_mlflow(is_reading, rest);
    }
    if ARTIFACTS.iter().any(|prefix| route.starts_with(prefix)) {
        return match *method {
            _ if is_reading => Role::Viewer,
            // Only `mlflow gc` does: it cannot be taken back.
            Method::DELETE => Role::Admin,
            _ => Role::Engineer,
        };
    }
    if route.starts_with("/optuna.StorageService/") {
        return Role::Engineer;
    }
    match (is_reading, route) {
        (_, access) if access.starts_with("/api/v1/access/") => Role::Admin,
        (false, "/api/v1/predict") => Role::Planner,
        // Lookups read, though they are a POST.
        (false, "/api/v1/features" | "/get-online-features") => Role::Viewer,
        (false, "/v1/traces" | "/v1/metrics") => Role::Engineer,
        (false, promotion) if promotion.starts_with("/api/v1/registry/") => Role::Engineer,
        // The gates that guard an alias are the store's, whoever moves it.
        (false, promotion) if promotion.starts_with("/api/v1/registry/models/") => Role::Engineer,
        (true, _) => Role::Viewer,
        (false, _) => Role::Admin,
    }
}

fn of_mlflow(is_reading: bool, rest: &str) -> Role {
    let (family, action) = rest.split_once('/').unwrap_or((rest, ""));
    match (family, action) {
        // Their addresses may hold secrets, and the server calls them.
        ("webhooks" | "gateway" | "gateway-proxy", _) => Role::Admin,
        _ if is_reading => Role::Viewer,
        ("experiments" | "runs" | "logged-models" | "traces" | "datasets", "search" | "search-datasets") => Role::Viewer,
        ("registered-models", "get-latest-versions") => Role::Viewer,
        ("traces", "batchGetInfos" | "calculate-filter-correlation" | "metrics") => Role::Viewer,
        ("artifacts", "presigned-download-url") => Role::Viewer,
        ("experiments", "set-experiment-tag" | "delete-experiment-tag") => Role::Planner,
        ("runs", "set-tag" | "delete-tag") => Role::Planner,
        ("traces", action) if action.ends_with("/tags") || action.contains("/assessments") => Role::Planner,
        ("experiments" | "runs" | "metrics" | "artifacts" | "upload-artifact", _) => Role::Engineer,
        ("logged-models" | "registered-models" | "model-versions", _) => Role::Engineer,
        ("traces" | "datasets" | "scorers", _) => Role::Engineer,
        _ => Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, route: &str, role: Role) {
        assert_eq!(needed(&method, Some(route)), role, "{method} {route}");
    }

    #[test]
    fn reading_and_searching_need_a_viewer() {
        for route in ["/", "/metrics", "/docs/{*rest}", "/api/v1/series", "/get-artifact", "/api/2.0/mlflow/runs/get", "/unheard-of"] {
            check(Method::GET, route, Role::Viewer);
        }
        for route in [
            "/api/v1/features",
            "/get-online-features",
            "/api/2.0/mlflow/runs/search",
            "/ajax-api/3.0/mlflow/traces/search",
            "/ajax-api/2.0mlflow/experiments/search-datasets",
        ] {
            check(Method::POST, route, Role::Viewer);
        }
    }

    #[test]
    fn writing_needs_what_the_table_says() {
        check(Method::POST, "/api/v1/predict", Role::Planner);
        check(Method::POST, "/api/2.0/mlflow/runs/set-tag", Role::Planner);
        check(Method::PATCH, "/api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", Role::Planner);
        check(Method::PATCH, "/api/2.0/mlflow/logged-models/{model_id}/tags", Role::Engineer);
        check(Method::POST, "/api/2.0/mlflow/registered-models/alias", Role::Engineer);
        check(Method::POST, "/api/v1/registry/models/{name}/aliases/{alias}/rollback", Role::Engineer);
        check(Method::PUT, "/api/2.0/mlflow-artifacts/artifacts/{*path}", Role::Engineer);
        check(Method::POST, "/ajax-api/2.0/mlflow-artifacts/mpu/complete/{*path}", Role::Engineer);
        check(Method::DELETE, "/api/2.0/mlflow-artifacts/artifacts/{*path}", Role::Admin);
        check(Method::PUT, "/api/v1/registry/models/{name}/aliases/{alias}", Role::Engineer);
        check(Method::POST, "/optuna.StorageService/{*method}", Role::Engineer);
    }

    #[test]
    fn what_the_table_does_not_know_needs_an_admin() {
        for route in ["/api/v1/new", "/ajax-api/3.0/jobs/", "/api/3.0/mlflow/unheard-of/create", "/api/2.0/mlflow/", "/graphql", "/signup"]
        {
            check(Method::POST, route, Role::Admin);
        }
        check(Method::GET, "/api/v1/access/tokens", Role::Admin);
        check(Method::GET, "/api/2.0/mlflow/webhooks/{webhook_id}", Role::Admin);
        check(Method::OPTIONS, "/api/v1/new", Role::Admin);
        check(Method::from_bytes(b"GETX").expect("a method"), "/api/v1/series", Role::Admin);
    }
}
