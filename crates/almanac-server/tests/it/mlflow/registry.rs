//! The model registry over HTTP: its forms, and who is refused how. What the store does is in its own suite.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Mlflow, text};

const SOURCE: &str = "s3://bucket/model";

/// A server with one model that has some versions.
async fn with_versions(count: usize) -> Mlflow {
    let mlflow = Mlflow::new();
    mlflow.ok(Method::POST, "registered-models/create", json!({"name": "demand"})).await;
    for _ in 0..count {
        mlflow.ok(Method::POST, "model-versions/create", json!({"name": "demand", "source": SOURCE})).await;
    }
    mlflow
}

/// Takes the times out of an answer, which no test knows.
fn timeless(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_timestamp"));
            for value in fields.values_mut() {
                *value = timeless(value.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = timeless(item.take());
            }
        }
        _ => {}
    }
    answer
}

#[tokio::test]
async fn a_registered_model_has_the_form_that_clients_read() {
    let mlflow = Mlflow::new();
    let new = json!({"name": "demand", "description": "d", "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]});
    let made = mlflow.ok(Method::POST, "registered-models/create", new).await;
    assert!(made["registered_model"]["creation_timestamp"].as_i64().is_some_and(|time| time > 1_600_000_000_000), "{made}");
    let tags = json!([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]);
    assert_eq!(timeless(made), json!({"registered_model": {"name": "demand", "description": "d", "tags": tags}}));

    mlflow.ok(Method::POST, "model-versions/create", json!({"name": "demand", "source": SOURCE})).await;
    mlflow.ok(Method::POST, "registered-models/alias", json!({"name": "demand", "alias": "best", "version": "1"})).await;
    let found = mlflow.ok(Method::GET, "registered-models/get?name=demand", Value::Null).await;
    let version = json!({
        "name": "demand", "version": "1", "current_stage": "None", "description": "", "source": SOURCE, "run_id": "", "run_link": "",
        "status": "READY",
    });
    let model = json!({
        "name": "demand", "description": "d", "tags": tags, "latest_versions": [version], "aliases": [{"alias": "best", "version": "1"}],
    });
    assert_eq!(timeless(found), json!({"registered_model": model}));

    let updated = mlflow.ok(Method::PATCH, "registered-models/update", json!({"name": "demand"})).await;
    assert_eq!(updated["registered_model"].get("description"), None, "an empty description is left out");
    let renamed = mlflow.ok(Method::POST, "registered-models/rename", json!({"name": "demand", "new_name": "sales"})).await;
    assert_eq!(text(&renamed, "/registered_model/name"), "sales");
    mlflow.ok(Method::POST, "registered-models/set-tag", json!({"name": "sales", "key": "c"})).await;
    mlflow.ok(Method::DELETE, "registered-models/delete-tag", json!({"name": "sales", "key": "a"})).await;
    let searched = mlflow.ok(Method::GET, "registered-models/search?filter=tags.b%3D'2'&max_results=5", Value::Null).await;
    assert_eq!(searched["registered_models"][0]["tags"], json!([{"key": "b", "value": "2"}, {"key": "c", "value": ""}]));
    assert_eq!(mlflow.ok(Method::DELETE, "registered-models/delete", json!({"name": "sales"})).await, json!({}));
    assert_eq!(mlflow.ok(Method::GET, "registered-models/search", Value::Null).await, json!({}), "an empty list is left out");
}

#[tokio::test]
async fn a_version_has_the_form_that_clients_read() {
    let mlflow = with_versions(1).await;
    let new = json!({
        "name": "demand", "source": "runs:/r/model", "run_id": "r", "run_link": "l", "description": "d",
        "tags": [{"key": "k", "value": "v"}],
    });
    let made = mlflow.ok(Method::POST, "model-versions/create", new).await;
    let version = json!({
        "name": "demand", "version": "2", "current_stage": "None", "description": "d", "source": "runs:/r/model", "run_id": "r",
        "run_link": "l", "status": "READY", "tags": [{"key": "k", "value": "v"}],
    });
    assert_eq!(timeless(made), json!({"model_version": version}));
    let path = "model-versions/get?name=demand&version=2";
    assert_eq!(timeless(mlflow.ok(Method::GET, path, Value::Null).await), json!({"model_version": version}));
    let uri = mlflow.ok(Method::GET, "model-versions/get-download-uri?name=demand&version=2", Value::Null).await;
    assert_eq!(uri, json!({"artifact_uri": "runs:/r/model"}));

    let body = json!({"name": "demand", "version": "2", "stage": "production", "archive_existing_versions": true});
    let moved = mlflow.ok(Method::POST, "model-versions/transition-stage", body).await;
    assert_eq!(text(&moved, "/model_version/current_stage"), "Production");
    let body = json!({"name": "demand", "stages": ["Production"]});
    let latest = mlflow.ok(Method::POST, "registered-models/get-latest-versions", body).await;
    assert_eq!((latest["model_versions"].as_array().map(Vec::len), text(&latest, "/model_versions/0/version")), (Some(1), "2".into()));
    let latest = mlflow.ok(Method::GET, "registered-models/get-latest-versions?name=demand", Value::Null).await;
    assert_eq!(latest["model_versions"].as_array().map(Vec::len), Some(2));

    let updated = mlflow.ok(Method::PATCH, "model-versions/update", json!({"name": "demand", "version": "2", "description": "e"})).await;
    assert_eq!(text(&updated, "/model_version/description"), "e");
    mlflow.ok(Method::POST, "model-versions/set-tag", json!({"name": "demand", "version": "2", "key": "t", "value": "1"})).await;
    mlflow.ok(Method::DELETE, "model-versions/delete-tag", json!({"name": "demand", "version": "2", "key": "k"})).await;
    let page = mlflow.ok(Method::GET, "model-versions/search?max_results=1&order_by=version_number%20DESC", Value::Null).await;
    assert_eq!(page["model_versions"][0]["tags"], json!([{"key": "t", "value": "1"}]));
    let token = text(&page, "/next_page_token").replace('=', "%3D");
    let path = format!("model-versions/search?max_results=1&order_by=version_number%20DESC&page_token={token}");
    let rest = mlflow.ok(Method::GET, &path, Value::Null).await;
    assert_eq!((text(&rest, "/model_versions/0/version"), rest.get("next_page_token")), ("1".into(), None));
    mlflow.ok(Method::DELETE, "model-versions/delete", json!({"name": "demand", "version": "2"})).await;
    let refused = mlflow.refused(Method::GET, "model-versions/get?name=demand&version=2", Value::Null).await;
    assert_eq!(refused, "404 RESOURCE_DOES_NOT_EXIST: Model Version (name=demand, version=2) not found");
}

#[tokio::test]
async fn aliases_are_set_read_and_taken_away() {
    let mlflow = with_versions(2).await;
    let alias = |version: &str| json!({"name": "demand", "alias": "best", "version": version});
    assert_eq!(mlflow.ok(Method::POST, "registered-models/alias", alias("2")).await, json!({}));
    let path = "registered-models/alias?name=demand&alias=best";
    let found = mlflow.ok(Method::GET, path, Value::Null).await;
    assert_eq!((text(&found, "/model_version/version"), &found["model_version"]["aliases"]), ("2".into(), &json!(["best"])));
    assert_eq!(mlflow.ok(Method::DELETE, "registered-models/alias", json!({"name": "demand", "alias": "best"})).await, json!({}));
    let refused = mlflow.refused(Method::GET, path, Value::Null).await;
    assert_eq!(refused, "400 INVALID_PARAMETER_VALUE: Registered model alias best not found.");
    let refused = mlflow.refused(Method::POST, "registered-models/alias", alias("9")).await;
    assert_eq!(refused, "404 RESOURCE_DOES_NOT_EXIST: Model Version (name=demand, version=9) not found");
}

#[tokio::test]
async fn bad_requests_are_told_in_mlflows_words() {
    let mlflow = with_versions(1).await;
    let docs = "See the API docs for more information about request parameters.";
    for (method, path, body, expected) in [
        (Method::POST, "registered-models/create", json!({}), format!("Missing value for required parameter 'name'. {docs}")),
        (
            Method::POST,
            "registered-models/create",
            json!({"name": 5}),
            format!("Invalid value 5 for parameter 'name' supplied:  Hint: Value was of type 'int'. {docs}"),
        ),
        (Method::GET, "registered-models/get", Value::Null, format!("Missing value for required parameter 'name'. {docs}")),
        (Method::POST, "registered-models/create", json!({"name": " "}), "Missing value for required parameter 'name'.".into()),
        (
            Method::POST,
            "registered-models/create",
            json!({"name": "a", "tags": [5]}),
            format!("Invalid value [5] for parameter 'tags' supplied:  Hint: Value was of type 'list'. {docs}"),
        ),
        (
            Method::GET,
            "registered-models/search?max_results=1001",
            Value::Null,
            format!("Invalid value \"1001\" for parameter 'max_results' supplied:  Hint: Value was of type 'str'. {docs}"),
        ),
        (
            Method::GET,
            "model-versions/get?name=demand&version=one",
            Value::Null,
            "Parameter 'version' must be an integer, got 'one'.".into(),
        ),
        (
            Method::POST,
            "model-versions/create",
            json!({"name": "demand"}),
            format!("Missing value for required parameter 'source'. {docs}"),
        ),
        (
            Method::POST,
            "model-versions/transition-stage",
            json!({"name": "demand", "version": "1", "stage": "best"}),
            "Invalid Model Version stage: best. Value must be one of None, Staging, Production, Archived.".into(),
        ),
    ] {
        assert_eq!(mlflow.refused(method, path, body).await, format!("400 INVALID_PARAMETER_VALUE: {expected}"));
    }
    for version in ["-1", "0", "4294967296", "9223372036854775807"] {
        let refused = mlflow.refused(Method::GET, &format!("model-versions/get?name=demand&version={version}"), Value::Null).await;
        assert_eq!(refused, format!("404 RESOURCE_DOES_NOT_EXIST: Model Version (name=demand, version={version}) not found"));
    }
}

/// What was published about MLflow: sources that made the server hand out files of its own.
#[tokio::test]
async fn a_source_does_not_lead_to_files_of_the_server() {
    let mlflow = with_versions(0).await;
    let experiment = mlflow.experiment("e").await;
    let run = mlflow.run(&experiment).await;
    let own = format!("mlflow-artifacts:/{experiment}/{run}/artifacts");
    let body = |source: &str| json!({"name": "demand", "source": source, "run_id": run});
    mlflow.ok(Method::POST, "model-versions/create", body(&format!("{own}/model"))).await;
    for source in [
        "/etc/passwd",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "file:///#/../../etc/passwd",
        "/proc/self/environ",
        "../../etc/passwd",
        "./x",
        "x",
        "\t/etc/passwd",
        "fi\tle:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "https://example.org/x#/../../etc/passwd",
        "ftp://localhost/x",
        "mlflow-artifacts://example.org/x",
        "mlflow-artifacts:/../../etc/passwd",
        &format!("{own}/../../../../etc/passwd"),
        &format!("{own}/..%2f..%2f..%2fetc"),
        &format!("{own}/%252e%252e/%252e%252e/etc"),
        &format!("{own}#/../../etc"),
        &format!("{own}%23/../../etc"),
        &format!("{own}?/../../etc"),
        &format!("{own}/a%00"),
        &format!("{own}/..\\..\\etc"),
        "s3://bucket/../other",
        "models:/demand/../../etc",
        "runs:/another/model",
    ] {
        let refused = mlflow.refused(Method::POST, "model-versions/create", body(source)).await;
        assert!(refused.starts_with("400 INVALID_PARAMETER_VALUE: "), "`{source}`: {refused}");
    }
    let found = mlflow.ok(Method::GET, "model-versions/search", Value::Null).await;
    assert_eq!(found["model_versions"].as_array().map(Vec::len), Some(1), "a refusal leaves nothing");
}

const OWN: &str = "/api/v1/registry/models/demand";

#[tokio::test]
async fn a_champion_needs_evidence_and_goes_back_in_one_call() {
    let mlflow = with_versions(3).await;
    let send = |method, path: String, body: Value| {
        let mlflow = &mlflow;
        async move { mlflow.send(method, &format!("{OWN}/{path}"), &body).await }
    };
    let champion = |version: &str| json!({"version": version, "reason": "backtest"});
    let parts = json!({"backtest": {"wape": 0.1}, "data_version": "d", "config": "c", "code": "v1", "coverage": {}, "leakage_audit": {}});
    let (status, none) = send(Method::GET, "versions/1/evidence".into(), Value::Null).await;
    assert_eq!((status, text(&none, "/error_code")), (StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST".into()));
    for version in ["1", "2"] {
        let body = json!({"evidence": parts, "passed": true});
        let (status, _) = send(Method::PUT, format!("versions/{version}/evidence"), body).await;
        assert_eq!(status, StatusCode::OK);
        let (status, set) = send(Method::PUT, "aliases/champion".into(), champion(version)).await;
        assert_eq!((status, text(&set, "/model_version/version")), (StatusCode::OK, version.to_owned()));
    }
    let (_, found) = send(Method::GET, "versions/2/evidence".into(), Value::Null).await;
    let evidence = &found["version_evidence"];
    assert_eq!((&evidence["evidence"], &evidence["passed"], &evidence["version"]), (&parts, &json!(true), &json!("2")));

    let shut = "409 RESOURCE_CONFLICT: Alias 'champion' of model 'demand' cannot point at version 3: no evidence is recorded \
                (backtest, data_version, config, code, coverage, leakage_audit are needed).";
    let body = json!({"name": "demand", "alias": "champion", "version": "3"});
    assert_eq!(mlflow.refused(Method::POST, "registered-models/alias", body).await, shut, "also for MLflow's own clients");

    let (status, back) = send(Method::POST, "aliases/champion/rollback".into(), json!({"reason": "wrong on Mondays"})).await;
    assert_eq!((status, text(&back, "/model_version/version")), (StatusCode::OK, "1".into()));
    let (_, moves) = send(Method::GET, "aliases/champion/moves".into(), Value::Null).await;
    let moves: Vec<Vec<&str>> = moves["moves"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| ["kind", "from_version", "to_version", "reason"].map(|name| one[name].as_str().unwrap_or("-")).to_vec())
        .collect();
    assert_eq!(moves, [["rollback", "2", "1", "wrong on Mondays"], ["set", "1", "2", "backtest"], ["set", "-", "1", "backtest"]]);
    let (status, _) = send(Method::POST, "aliases/champion/rollback".into(), json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);

    for body in
        [json!({"passed": true}), json!({"evidence": [], "passed": true}), json!({"evidence": {}}), json!({"evidence": {}, "passed": 1})]
    {
        let (status, answer) = send(Method::PUT, "versions/1/evidence".into(), body).await;
        assert_eq!((status, text(&answer, "/error_code")), (StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE".into()));
    }
    let (status, _) = send(Method::DELETE, "aliases/champion".into(), json!({"reason": "over"})).await;
    assert_eq!(status, StatusCode::OK);
    let (_, moves) = send(Method::GET, "moves".into(), Value::Null).await;
    assert_eq!((moves["moves"].as_array().map(Vec::len), text(&moves, "/moves/0/reason")), (Some(4), "over".into()));
}

#[tokio::test]
async fn webhooks_are_kept_and_never_called() {
    let mlflow = Mlflow::new();
    let new = |url: &str| {
        json!({
            "name": "hook", "url": url, "secret": "s", "description": "d",
            "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}, {"entity": 4, "action": 1}],
        })
    };
    let made = mlflow.ok(Method::POST, "webhooks", new("https://8.8.8.8/x")).await;
    let id = text(&made, "/webhook/webhook_id");
    let mut shown = timeless(made);
    shown["webhook"].as_object_mut().expect("an object").remove("webhook_id");
    let events = json!([{"entity": "MODEL_VERSION", "action": "CREATED"}, {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}]);
    let expected = json!({"name": "hook", "description": "d", "url": "https://8.8.8.8/x", "events": events, "status": "ACTIVE"});
    assert_eq!(shown, json!({"webhook": expected}), "a secret does not come back");

    let path = format!("webhooks/{id}");
    let updated = mlflow.ok(Method::PATCH, &path, json!({"status": "DISABLED", "name": "h2"})).await;
    assert_eq!((text(&updated, "/webhook/status"), text(&updated, "/webhook/name")), ("DISABLED".into(), "h2".into()));
    let listed = mlflow.ok(Method::GET, "webhooks?max_results=10", Value::Null).await;
    assert_eq!(listed["webhooks"].as_array().map(Vec::len), Some(1));
    let tested = mlflow.refused(Method::POST, &format!("{path}/test"), json!({})).await;
    assert_eq!(tested, "501 NOT_IMPLEMENTED: Webhook 'h2' was not tested: this server keeps webhooks and does not call them.");

    for (url, part) in [
        ("http://8.8.8.8/x", "Invalid webhook URL scheme: 'http'. Allowed schemes are: https."),
        ("file:///etc/passwd", "Invalid webhook URL scheme: 'file'."),
        ("8.8.8.8", "Invalid webhook URL scheme: ''."),
        (" ", "Webhook URL cannot be empty or just whitespace: ' '"),
        ("https://", "Invalid webhook URL"),
        ("https://127.0.0.1/x", "Webhook URL must not resolve to a non-public IP address. '127.0.0.1' resolves to 127.0.0.1."),
        ("https://169.254.169.254/latest", "must not resolve to a non-public IP address"),
        ("https://[::1]/x", "must not resolve to a non-public IP address"),
        ("https://[::ffff:10.0.0.1]/x", "must not resolve to a non-public IP address"),
        ("https://u:p@10.0.0.1:8080/x", "must not resolve to a non-public IP address"),
    ] {
        for (method, path) in [(Method::POST, "webhooks"), (Method::PATCH, path.as_str())] {
            let refused = mlflow.refused(method, path, new(url)).await;
            assert!(refused.starts_with("400 INVALID_PARAMETER_VALUE: ") && refused.contains(part), "`{url}`: {refused}");
        }
    }
    let mut wrong = new("https://8.8.8.8/x");
    wrong["events"] = json!([{"entity": "MODEL_VERSION", "action": "DELETED"}]);
    let refused = mlflow.refused(Method::POST, "webhooks", wrong).await;
    assert!(refused.contains("Invalid action 'deleted' for entity 'model_version'. Valid actions are: ['created']"), "{refused}");
    assert_eq!(mlflow.ok(Method::DELETE, &path, Value::Null).await, json!({}));
    let refused = mlflow.refused(Method::GET, &path, Value::Null).await;
    assert_eq!(refused, format!("404 RESOURCE_DOES_NOT_EXIST: Webhook with ID {id} not found."));
}
