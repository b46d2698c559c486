//! What is not there answers clearly, in the form that clients read.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Mlflow;

#[tokio::test]
async fn features_that_are_not_there_say_so() {
    let mlflow = Mlflow::new();
    let paths = [
        (Method::POST, "/api/3.0/mlflow/prompt-optimization/jobs"),
        (Method::GET, "/api/3.0/mlflow/scorers/list"),
        (Method::POST, "/ajax-api/3.0/mlflow/datasets/search"),
        (Method::POST, "/api/3.0/mlflow/gateway/secrets/create"),
        (Method::POST, "/gateway/mlflow/v1/chat/completions"),
        (Method::GET, "/api/3.0/mlflow/workspaces"),
        (Method::POST, "/api/3.0/mlflow/issues/search"),
        (Method::GET, "/api/3.0/mlflow/label-schemas/list"),
        (Method::GET, "/api/3.0/mlflow/review-queues/list"),
        (Method::POST, "/ajax-api/3.0/mlflow/demo/generate"),
        (Method::GET, "/ajax-api/3.0/mlflow/assistant/config"),
        (Method::POST, "/ajax-api/3.0/jobs/search"),
        (Method::POST, "/api/3.0/mlflow/traces/metrics"),
        (Method::POST, "/graphql"),
    ];
    for (method, path) in paths {
        let (status, answer) = mlflow.send(method, path, &json!({"a": 1})).await;
        assert_eq!((status, &answer["error_code"]), (StatusCode::NOT_IMPLEMENTED, &json!("NOT_IMPLEMENTED")), "{path}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains("not part of this server.")), "{path}: {answer}");
    }
    let (_, answer) = mlflow.send(Method::GET, "/api/3.0/mlflow/gateway/secrets/list", &Value::Null).await;
    let message = "The AI gateway is not part of this server. This server keeps experiments, runs, models and traces; call providers of models directly.";
    assert_eq!(answer["message"], message);
}

#[tokio::test]
async fn paths_that_nobody_knows_are_no_endpoints() {
    let mlflow = Mlflow::new();
    let paths = [
        (Method::GET, "/api/2.0/mlflow/nope"),
        (Method::POST, "/ajax-api/3.0/mlflow/experiments/list"),
        (Method::GET, "/api/2.0/mlflow/experiments/create"),
        (Method::PUT, "/api/3.0/mlflow/traces/search"),
        (Method::GET, "/api/9.9/mlflow/runs/get"),
    ];
    for (method, path) in paths {
        let (status, answer) = mlflow.send(method.clone(), path, &Value::Null).await;
        let expected = json!({"error_code": "ENDPOINT_NOT_FOUND", "message": format!("There is no endpoint {method} {path}.")});
        assert_eq!((status, answer), (StatusCode::NOT_FOUND, expected));
    }
}
