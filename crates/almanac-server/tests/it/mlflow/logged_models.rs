//! Logged models over HTTP.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Mlflow, text};

async fn made(mlflow: &Mlflow, experiment: &str, name: &str) -> String {
    let made = mlflow.ok(Method::POST, "logged-models", json!({"experiment_id": experiment, "name": name})).await;
    text(&made, "/model/info/model_id")
}

#[tokio::test]
async fn a_model_goes_from_pending_to_ready() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    let body = json!({
        "experiment_id": experiment, "name": "naive", "model_type": "forecaster", "source_run_id": "r",
        "params": [{"key": "b", "value": "1"}, {"key": "a"}], "tags": [{"key": "t", "value": "x"}],
    });
    let model = mlflow.ok(Method::POST, "logged-models", body).await["model"].clone();
    let id = text(&model, "/info/model_id");
    let created = model["info"]["creation_timestamp_ms"].clone();
    assert!(created.is_i64(), "numbers of 64 bits are numbers: {created}");
    let expected = json!({
        "info": {
            "model_id": id, "experiment_id": experiment, "name": "naive",
            "creation_timestamp_ms": created, "last_updated_timestamp_ms": created,
            "artifact_uri": format!("mlflow-artifacts:/{experiment}/models/{id}/artifacts"),
            "status": "LOGGED_MODEL_PENDING", "model_type": "forecaster", "source_run_id": "r",
            "tags": [{"key": "t", "value": "x"}],
        },
        "data": {"params": [{"key": "a", "value": ""}, {"key": "b", "value": "1"}]},
    });
    assert_eq!(model, expected);

    let path = format!("logged-models/{id}");
    for (status, expected) in
        [(json!("LOGGED_MODEL_READY"), "LOGGED_MODEL_READY"), (json!(3), "LOGGED_MODEL_UPLOAD_FAILED"), (json!("2"), "LOGGED_MODEL_READY")]
    {
        let answer = mlflow.ok(Method::PATCH, &path, json!({"model_id": id, "status": status})).await;
        assert_eq!(text(&answer, "/model/info/status"), expected);
    }
    for (status, expected) in
        [(json!("DONE"), "Unknown model status: DONE"), (json!(9), "Unknown model status: 9"), (json!([]), "Unknown model status: []")]
    {
        let refused = mlflow.refused(Method::PATCH, &path, json!({"status": status})).await;
        assert_eq!(refused, format!("400 INVALID_PARAMETER_VALUE: {expected}"));
    }
    let refused = mlflow.refused(Method::PATCH, &path, json!({})).await;
    assert!(refused.starts_with("400 INVALID_PARAMETER_VALUE: Missing value for required parameter 'status'."), "{refused}");

    assert_eq!(mlflow.ok(Method::DELETE, &path, Value::Null).await, json!({}));
    let missing = format!("404 RESOURCE_DOES_NOT_EXIST: Logged model with ID '{id}' not found.");
    assert_eq!(mlflow.refused(Method::GET, &path, Value::Null).await, missing);
    assert_eq!(mlflow.refused(Method::DELETE, &path, Value::Null).await, missing);
    mlflow.ok(Method::GET, &format!("{path}?allow_deleted=true"), Value::Null).await;
}

#[tokio::test]
async fn a_model_without_anything_has_empty_data() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    let model = mlflow.ok(Method::POST, "logged-models", json!({"experiment_id": experiment})).await["model"].clone();
    assert_eq!(model["data"], json!({}));
    assert_eq!((&model["info"]["model_type"], &model["info"]["source_run_id"], model["info"].get("tags")), (&json!(""), &json!(""), None));
}

#[tokio::test]
async fn a_model_that_is_wrong_is_refused_in_the_words_of_mlflow() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    for (body, expected) in [
        (json!({}), "400 INVALID_PARAMETER_VALUE: Missing value for required parameter 'experiment_id'."),
        (json!({"experiment_id": "99"}), "404 RESOURCE_DOES_NOT_EXIST: No Experiment with id=99 exists"),
        (json!({"experiment_id": experiment, "name": "a/b"}), "400 INVALID_PARAMETER_VALUE: Invalid model name ('a/b') provided."),
        (json!({"experiment_id": experiment, "name": 5}), "400 INVALID_PARAMETER_VALUE: Invalid value 5 for parameter 'name' supplied:"),
        (
            json!({"experiment_id": experiment, "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
            "400 BAD_REQUEST: Changing param values is not allowed.",
        ),
    ] {
        let refused = mlflow.refused(Method::POST, "logged-models", body).await;
        assert!(refused.starts_with(expected), "{refused}");
    }
    let found = mlflow.ok(Method::POST, "logged-models/search", json!({"experiment_ids": [experiment]})).await;
    assert_eq!(found, json!({}), "nothing was made");
}

#[tokio::test]
async fn labels_and_metrics_come_back() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    let (id, run) = (made(&mlflow, &experiment, "naive").await, mlflow.run(&experiment).await);
    let path = format!("logged-models/{id}");
    mlflow.ok(Method::POST, &format!("{path}/params"), json!({"model_id": id, "params": [{"key": "p", "value": "1"}]})).await;
    mlflow.ok(Method::PATCH, &format!("{path}/tags"), json!({"tags": [{"key": "a", "value": "1"}, {"key": "b/c", "value": "2"}]})).await;
    mlflow.ok(Method::DELETE, &format!("{path}/tags/b%2Fc"), Value::Null).await;
    let refused = mlflow.refused(Method::DELETE, &format!("{path}/tags/b"), Value::Null).await;
    assert_eq!(refused, format!("404 RESOURCE_DOES_NOT_EXIST: No tag with key 'b' found for model with ID '{id}'."));
    let metric = json!({"run_id": run, "key": "m", "value": 1.5, "timestamp": 10, "model_id": id});
    mlflow.ok(Method::POST, "runs/log-metric", metric).await;
    let on = json!({"key": "m", "value": "NaN", "timestamp": 20, "step": 2, "model_id": id, "dataset_name": "d", "dataset_digest": "g"});
    mlflow.ok(Method::POST, "runs/log-batch", json!({"run_id": run, "metrics": [on]})).await;
    let found = mlflow.ok(Method::GET, &path, Value::Null).await["model"].clone();
    assert_eq!(found["info"]["tags"], json!([{"key": "a", "value": "1"}]));
    let expected = json!({
        "params": [{"key": "p", "value": "1"}],
        "metrics": [
            {"key": "m", "value": 1.5, "timestamp": 10, "step": 0, "model_id": id, "run_id": run},
            {
                "key": "m", "value": "NaN", "timestamp": 20, "step": 2, "dataset_name": "d", "dataset_digest": "g",
                "model_id": id, "run_id": run,
            },
        ],
    });
    assert_eq!(found["data"], expected);
    let unknown = json!({"run_id": run, "key": "m", "value": 1, "timestamp": 10, "model_id": "m-x"});
    let refused = mlflow.refused(Method::POST, "runs/log-metric", unknown).await;
    assert_eq!(refused, "400 BAD_REQUEST: Logged model with ID 'm-x' not found.");
}

#[tokio::test]
async fn searches_page_filter_and_order() {
    let mlflow = Mlflow::new();
    let experiment = mlflow.experiment("e").await;
    let run = mlflow.run(&experiment).await;
    for (name, value) in [("a", 1), ("b", 3), ("c", 2)] {
        let id = made(&mlflow, &experiment, name).await;
        let metric =
            json!({"run_id": run, "key": "m", "value": value, "timestamp": 1, "model_id": id, "dataset_name": name, "dataset_digest": "g"});
        mlflow.ok(Method::POST, "runs/log-metric", metric).await;
    }
    let by_metric = json!([{"field_name": "metrics.m", "ascending": false}]);
    let ask = async |more: Value| {
        let mut body = json!({"experiment_ids": [experiment]});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let page = mlflow.ok(Method::POST, "logged-models/search", body).await;
        let names: String = page["models"].as_array().into_iter().flatten().map(|model| text(model, "/info/name")).collect();
        (names, page.get("next_page_token").cloned())
    };
    assert_eq!(ask(json!({"order_by": by_metric})).await, ("bca".to_owned(), None));
    let order = json!([{"field_name": "metrics.m", "dataset_name": "c"}, {"field_name": "name"}]);
    assert_eq!(ask(json!({"order_by": order})).await.0, "cab");
    assert_eq!(ask(json!({"filter": "metrics.m > 1", "order_by": by_metric})).await.0, "bc");
    assert_eq!(ask(json!({"datasets": [{"dataset_name": "a"}, {"dataset_name": "b", "dataset_digest": "other"}]})).await.0, "a");
    let (names, token) = ask(json!({"max_results": "2", "order_by": by_metric})).await;
    assert_eq!(names, "bc");
    assert_eq!(ask(json!({"max_results": 2, "order_by": by_metric, "page_token": token})).await, ("a".to_owned(), None));
    for (more, expected) in [
        (json!({"filter": "Foo"}), "Invalid filter string: 'Foo'."),
        (json!({"order_by": [{"field_name": "foo"}]}), "Invalid order by field name: foo"),
        (json!({"order_by": ["foo"]}), "Invalid value [\"foo\"] for parameter 'order_by' supplied:"),
        (json!({"datasets": [{"dataset_digest": "g"}]}), "`dataset_name` in the `datasets` clause must be specified."),
        (json!({"max_results": -1}), "Invalid value -1 for parameter 'max_results' supplied."),
        (json!({"page_token": "?"}), "Invalid page token: ?."),
        (json!({"page_token": token}), "Order by in the page token does not match the requested order by."),
        (json!({"experiment_ids": null}), "Missing value for required parameter 'experiment_ids'."),
        (json!({"experiment_ids": ["x"]}), "Invalid experiment ID 'x'."),
    ] {
        let mut body = json!({"experiment_ids": [experiment]});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let refused = mlflow.refused(Method::POST, "logged-models/search", body).await;
        assert!(refused.starts_with(&format!("400 INVALID_PARAMETER_VALUE: {expected}")), "{refused}");
    }
}
