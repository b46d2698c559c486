//! What runs used and made, over HTTP.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Mlflow, text};

fn dataset(name: &str) -> Value {
    json!({"name": name, "digest": "d", "source_type": "local", "source": "{}"})
}

#[tokio::test]
async fn a_run_shows_what_it_used_and_made() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    let run = mlflow.run(&experiment).await;
    let path = format!("runs/get?run_id={run}");
    let bare = mlflow.ok(Method::GET, &path, Value::Null).await;
    assert_eq!((bare.pointer("/run/inputs"), bare.pointer("/run/outputs")), (Some(&json!({})), Some(&json!({}))));

    let context = json!([{"key": "mlflow.data.context", "value": "training"}]);
    let mut full = dataset("full");
    full["schema"] = json!("{}");
    full["profile"] = json!("");
    let datasets = json!([{"dataset": full, "tags": context}, {"dataset": dataset("bare")}]);
    let body = json!({"run_id": run, "datasets": datasets, "models": [{"model_id": "m-1"}]});
    assert_eq!(mlflow.ok(Method::POST, "runs/log-inputs", body).await, json!({}));
    let models = json!([{"model_id": "m-2", "step": "3"}, {"model_id": "m-3"}]);
    assert_eq!(mlflow.ok(Method::POST, "runs/outputs", json!({"run_id": run, "models": models})).await, json!({}));

    let inputs = json!({
        "dataset_inputs": [{"tags": context, "dataset": full}, {"dataset": dataset("bare")}],
        "model_inputs": [{"model_id": "m-1"}],
    });
    let outputs = json!({"model_outputs": [{"model_id": "m-2", "step": 3}, {"model_id": "m-3", "step": 0}]});
    let found = mlflow.ok(Method::GET, &path, Value::Null).await;
    assert_eq!((&found["run"]["inputs"], &found["run"]["outputs"]), (&inputs, &outputs));
    let searched =
        mlflow.ok(Method::POST, "runs/search", json!({"experiment_ids": [experiment], "filter": "datasets.name = 'full'"})).await;
    assert_eq!((&searched["runs"][0]["inputs"], &searched["runs"][0]["outputs"]), (&inputs, &outputs));
}

#[tokio::test]
async fn inputs_that_are_wrong_are_refused_in_the_words_of_mlflow() {
    let mlflow = Mlflow::new();
    let run = mlflow.run(&mlflow.experiment("e").await).await;
    let cases = [
        (json!({"datasets": []}), "400 INVALID_PARAMETER_VALUE: Missing value for required parameter 'run_id'."),
        (json!({"run_id": "0123", "datasets": []}), "404 RESOURCE_DOES_NOT_EXIST: Run with id=0123 not found"),
        (json!({"run_id": "../x"}), "400 INVALID_PARAMETER_VALUE: Invalid value \"../x\" for parameter 'run_id' supplied."),
        (json!({"run_id": run, "datasets": "x"}), "400 INVALID_PARAMETER_VALUE: Invalid value \"x\" for parameter 'datasets' supplied:"),
        (json!({"run_id": run, "datasets": [{}]}), "400 INVALID_PARAMETER_VALUE: Dataset cannot be None"),
        (json!({"run_id": run, "datasets": [{"dataset": {"name": "a"}}]}), "400 INVALID_PARAMETER_VALUE: Dataset digest cannot be None"),
        (
            json!({"run_id": run, "datasets": [{"dataset": {"name": "a", "digest": "x".repeat(37)}}]}),
            "400 INVALID_PARAMETER_VALUE: 'digest' exceeds the maximum length of 36 characters",
        ),
        (json!({"run_id": run, "models": [{}]}), "400 INVALID_PARAMETER_VALUE: Missing value for required parameter 'model_id'."),
    ];
    for (body, expected) in cases {
        let refused = mlflow.refused(Method::POST, "runs/log-inputs", body.clone()).await;
        assert!(refused.starts_with(expected), "{body}: {refused}");
    }
    let refused = mlflow.refused(Method::POST, "runs/outputs", json!({"run_id": run})).await;
    assert!(refused.starts_with("400 INVALID_PARAMETER_VALUE: Missing value for required parameter 'models'."), "{refused}");
}

#[tokio::test]
async fn datasets_are_listed_under_each_path() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    let run = mlflow.run(&experiment).await;
    let datasets = json!([{"dataset": dataset("a"), "tags": [{"key": "mlflow.data.context", "value": "eval"}]}, {"dataset": dataset("b")}]);
    mlflow.ok(Method::POST, "runs/log-inputs", json!({"run_id": run, "datasets": datasets})).await;
    let expected = json!({"dataset_summaries": [
        {"experiment_id": experiment, "name": "a", "digest": "d", "context": "eval"},
        {"experiment_id": experiment, "name": "b", "digest": "d"},
    ]});
    for root in ["/ajax-api/2.0/mlflow", "/api/2.0/mlflow", "/api/2.0mlflow", "/ajax-api/2.0mlflow"] {
        let path = format!("{root}/experiments/search-datasets");
        let answer = mlflow.send(Method::POST, &path, &json!({"experiment_ids": [experiment]})).await;
        assert_eq!(answer, (StatusCode::OK, expected.clone()), "{path}");
    }
    let path = "experiments/search-datasets";
    let ids: Vec<String> = (0..21).map(|id| id.to_string()).collect();
    let refused = mlflow.refused(Method::POST, path, json!({"experiment_ids": ids})).await;
    let rule = "SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids.";
    assert_eq!(refused, format!("400 INVALID_PARAMETER_VALUE: {rule}"));
    let refused = mlflow.refused(Method::POST, path, json!({"experiment_ids": ["abc"]})).await;
    assert_eq!(refused, "400 INVALID_PARAMETER_VALUE: Invalid experiment ID 'abc'. Experiment ID must be a valid integer.");
    assert_eq!(mlflow.ok(Method::POST, path, json!({"experiment_ids": ["99"]})).await, json!({}));
}

#[tokio::test]
async fn the_models_of_an_old_client_are_kept_in_a_tag() {
    let mlflow = Mlflow::new();
    let run = mlflow.run(&mlflow.experiment("e").await).await;
    let model = json!({
        "run_id": run, "artifact_path": "m", "utc_time_created": "2020-01-01", "model_uuid": "u", "signature": {"inputs": ""},
        "flavors": {"python_function": {"loader_module": "x", "config": {"secret": 1}}},
    });
    let body = json!({"run_id": run, "model_json": model.to_string()});
    assert_eq!(mlflow.ok(Method::POST, "runs/log-model", body).await, json!({}));
    let found = mlflow.ok(Method::GET, &format!("runs/get?run_id={run}"), Value::Null).await;
    let tags = found["run"]["data"]["tags"].as_array().expect("tags").clone();
    let tag = tags.iter().find(|tag| tag["key"] == "mlflow.log-model.history").expect("the tag is there");
    let history: Value = serde_json::from_str(&text(tag, "/value")).expect("JSON");
    let expected = json!([{
        "run_id": run, "artifact_path": "m", "utc_time_created": "2020-01-01", "model_uuid": "u",
        "flavors": {"python_function": {"loader_module": "x"}},
    }]);
    assert_eq!(history, expected);
    for (text, expected) in [
        ("{", "400 INVALID_PARAMETER_VALUE: Malformed model info. \n { \n is not a valid JSON."),
        ("[]", "400 INVALID_PARAMETER_VALUE: Malformed model info. \n [] \n is not a valid JSON."),
        (
            "{\"run_id\": 1}",
            "400 INVALID_PARAMETER_VALUE: Model json is missing mandatory fields: {'artifact_path', 'flavors', 'utc_time_created'}",
        ),
    ] {
        let refused = mlflow.refused(Method::POST, "runs/log-model", json!({"run_id": run, "model_json": text})).await;
        assert_eq!(refused, expected);
    }
}
