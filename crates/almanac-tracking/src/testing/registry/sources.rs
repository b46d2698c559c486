//! Which sources a version may have, and what they are found to be.

use super::{invalid, missing, new, tag};
use crate::{
    ErrorCode, LoggedModelId, Millis, ModelVersion, NewExperiment, NewLoggedModel, NewModelVersion, NewRun, RunId, StoreError,
    TrackingStore,
};

pub(super) fn sources(store: &TrackingStore) {
    let model = "registry sources";
    store.create_registered_model(model, "", &[], Millis(1)).expect("makes");
    of_runs(store, model);
    local(store, model);
    hostile(store, model);
    of_logged_models(store, model);
    copies(store);
    of_prompts(store);
}

fn start(store: &TrackingStore, experiment: &str, location: Option<&str>) -> (RunId, String) {
    let new = NewExperiment { name: experiment.into(), artifact_location: location.map(str::to_owned), ..NewExperiment::default() };
    let experiment = store.create_experiment(&new, Millis(1)).expect("makes");
    let run = NewRun { id: RunId::random(), experiment, name: "r".into(), user: String::new(), started: Millis(1), tags: Vec::new() };
    let made = store.create_run(&run).expect("starts");
    (run.id, made.run.artifact_uri)
}

fn register(
    store: &TrackingStore,
    model: &str,
    source: &str,
    run_id: Option<&str>,
    model_id: Option<&str>,
) -> Result<ModelVersion, StoreError> {
    let (run_id, model_id) = (run_id.map(str::to_owned), model_id.map(str::to_owned));
    store.create_model_version(&NewModelVersion { run_id, model_id, ..new(model, source) }, Millis(2))
}

fn of_runs(store: &TrackingStore, model: &str) {
    let (run, artifacts) = start(store, "registry sources", None);
    let (other, _) = start(store, "registry sources 2", None);
    let (id, other) = (run.as_str(), other.as_str());
    for source in [format!("runs:/{id}/model"), format!("runs:/{id}"), artifacts.clone(), format!("{artifacts}/a b/model")] {
        let made = register(store, model, &source, Some(id), None).expect("is one of the run");
        assert_eq!((&made.source, &made.storage_location, made.run_id.as_deref()), (&source, &source, Some(id)));
        for wrong in [None, Some(""), Some(other), Some("unknown")] {
            invalid(
                register(store, model, &source, wrong, None),
                "The run_id request parameter must identify the resource that contains the source.",
            );
        }
    }
    register(store, model, "runs:/unknown/model", Some("unknown"), None).expect("the run of a `runs:/` need not be known");
    let path = artifacts.trim_start_matches("mlflow-artifacts:").to_owned();
    for source in [
        format!("runs://host/{id}/model"),
        format!("mlflow-artifacts:{path}2"),
        "mlflow-artifacts:/".to_owned(),
        format!("mlflow-artifacts:{path}/../../x/artifacts"),
        format!("mlflow-artifacts:{path}/..%2f..%2fx"),
        format!("mlflow-artifacts:{path}/%252e%252e/x"),
        format!("mlflow-artifacts:{path}#/../../x"),
        format!("mlflow-artifacts:{path}/model%00"),
        format!("mlflow-artifacts://host{path}"),
        format!("http://host/api/2.0/mlflow-artifacts/artifacts{path}"),
    ] {
        invalid(register(store, model, &source, Some(id), None), "source");
    }
}

fn local(store: &TrackingStore, model: &str) {
    let (run, artifacts) = start(store, "registry local", Some("file:///data/registry"));
    let (_, foreign) = start(store, "registry foreign", Some("file:///data/foreign"));
    let id = run.as_str();
    let path = artifacts.trim_start_matches("file://").to_owned();
    for source in
        [artifacts.clone(), path.clone(), format!("{artifacts}/model"), format!("{path}/model/.."), format!("file://localhost{path}/.")]
    {
        register(store, model, &source, Some(id), None).expect("lies in the artifacts of the run");
        invalid(register(store, model, &source, None, None), "To use a local path as a model version source, the run_id request parameter");
    }
    for source in [
        "/etc/passwd".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/".to_owned(),
        "file:///".to_owned(),
        foreign,
        format!("{path}/.."),
        format!("{path}2"),
        format!("{path}/%2e%2e/%2e%2e"),
        format!("{path}/%252e%252e%252f"),
        format!("{path}#/../../../../etc"),
        format!("{path}?/../../../../etc"),
        format!("{path}/a%00"),
        "model".to_owned(),
        "./model".to_owned(),
        "../model".to_owned(),
        path.trim_start_matches('/').to_owned(),
        "databricks".to_owned(),
        "C:/model".to_owned(),
    ] {
        invalid(register(store, model, &source, Some(id), None), "Invalid model version source");
    }
    let remote = register(store, model, "file://123.456.789.123/path", Some(id), None);
    invalid(remote, "file://123.456.789.123/path is not a valid remote uri.");
}

fn hostile(store: &TrackingStore, model: &str) {
    for source in ["s3://bucket/model", "gs://bucket/a/..../b", "dbfs:/a/b", "wasbs://c@account.blob.core.windows.net/a", "s3://b/a%20b"] {
        register(store, model, source, None, None).expect("a store of files elsewhere");
    }
    for source in
        ["s3://b/a/../c", "s3a://b/..%2fc", "gs://b/%2e%2e/c", "s3://b/a#/../c", "s3://b/a%23..%2fc", "s3://b/a/./b", "s3://b", "s3:b"]
    {
        invalid(register(store, model, source, None, None), "If supplying a source as an http, https, local file path, ftp, objectstore");
    }
    for scheme in ["http", "https", "HTTPS", "ftp", "sftp", "hdfs", "viewfs", "r2", "b2", "abfss", "mlflow-artifacts"] {
        let part = format!("'source' cannot use the '{}' scheme", scheme.to_lowercase());
        invalid(register(store, model, &format!("{scheme}://169.254.169.254/latest"), None, None), &part);
    }
}

fn of_logged_models(store: &TrackingStore, model: &str) {
    let (run, _) = start(store, "registry logged", None);
    let experiment = store.get_experiment_by_name("registry logged").expect("asks").expect("is there").id;
    let log = |run: &str| {
        let new = NewLoggedModel {
            id: LoggedModelId::random(),
            experiment,
            name: "model".into(),
            model_type: String::new(),
            source_run: run.into(),
            params: Vec::new(),
            tags: Vec::new(),
        };
        store.create_logged_model(&new, Millis(1)).expect("logs")
    };
    let (logged, other) = (log(run.as_str()), log(""));
    let id = logged.id.0.as_str();
    let source = format!("models:/{id}");
    for given in [None, Some(""), Some(id)] {
        let made = register(store, model, &source, None, given).expect("registers");
        assert_eq!((&made.source, &made.storage_location), (&source, &logged.artifact_uri));
        assert_eq!((made.model_id.as_deref(), made.run_id.as_deref()), (Some(id), Some(run.as_str())));
    }
    let found = register(store, model, &logged.artifact_uri, None, Some(id)).expect("its files, with its id");
    assert_eq!((found.model_id.as_deref(), found.run_id.as_deref()), (Some(id), Some(run.as_str())));
    register(store, model, &logged.artifact_uri, None, None).expect_err("its files, with nothing");
    let mismatch = "The model_id request parameter must identify the resource that contains the source.";
    invalid(register(store, model, &source, None, Some(other.id.0.as_str())), mismatch);
    invalid(register(store, model, &logged.artifact_uri, None, Some(other.id.0.as_str())), mismatch);
    invalid(register(store, model, &format!("runs:/{run}/model"), Some(run.as_str()), Some(id)), mismatch);
    invalid(register(store, model, "/etc/passwd", None, Some(id)), "the model_id request parameter has to be specified");
    missing(register(store, model, "models:/m-nothing", None, None), "Logged model with ID 'm-nothing' not found.");
    missing(register(store, model, "s3://b/x", None, Some("m-nothing")), "Logged model with ID 'm-nothing' not found.");
    for source in
        ["models:/", "models:", "models:/a/b/c", "models:/a@", "models:/ /1", "models:m-1", "models:/../1", &format!("models://host/{id}")]
    {
        invalid(register(store, model, source, None, None), "Invalid model version source");
    }
    store.delete_logged_model(&logged.id, Millis(3)).expect("deletes");
    missing(register(store, model, &source, None, None), "not found");
    assert!(store.search_model_versions(&crate::RegistryQuery { max_results: 10, ..Default::default() }).is_ok());
}

fn copies(store: &TrackingStore) {
    let (from, to) = ("registry origin", "registry copy");
    for name in [from, to] {
        store.create_registered_model(name, "", &[], Millis(1)).expect("makes");
    }
    register(store, from, "runs:/run-c/model", Some("run-c"), None).expect("registers");
    register(store, from, "s3://bucket/2", None, None).expect("registers");
    store.set_alias(from, "best", 1, &crate::Change::default(), Millis(2)).expect("sets");
    store.transition_stage(from, 1, crate::Stage::Production, false, Millis(2)).expect("moves");
    for suffix in ["/1", "@best", "/production"] {
        let copy = register(store, to, &format!("models:/{from}{suffix}"), None, None).expect("copies");
        assert_eq!((&copy.source[..], &copy.storage_location[..]), ("models:/registry origin/1", "runs:/run-c/model"));
        assert_eq!(copy.run_id.as_deref(), Some("run-c"));
    }
    let latest = register(store, to, "models:/registry origin/latest", Some(""), Some("")).expect("copies");
    assert_eq!((&latest.source[..], latest.run_id), ("models:/registry origin/2", None));
    let again = register(store, to, "models:/registry copy/1", Some("run-c"), None).expect("copies a copy");
    assert_eq!((&again.source[..], &again.storage_location[..]), ("models:/registry copy/1", "runs:/run-c/model"));

    let must_match = "The run_id and model_id request parameters must match the referenced model version.";
    invalid(register(store, to, "models:/registry origin/1", Some("run-d"), None), must_match);
    invalid(register(store, to, "models:/registry origin/1", Some(""), None), must_match);
    invalid(register(store, to, "models:/registry origin/2", None, Some("m-x")), must_match);
    missing(register(store, to, "models:/registry origin/9", None, None), "Model Version (name=registry origin, version=9) not found");
    missing(register(store, to, "models:/registry origin/99999999999999", None, None), "version=99999999999999) not found");
    missing(register(store, to, "models:/registry nothing/1", None, None), "Registered Model with name=registry nothing not found");
    missing(
        register(store, to, "models:/registry origin/staging", None, None),
        "No versions of model with name 'registry origin' and stage 'staging' found",
    );
    invalid(register(store, to, "models:/registry origin/odd", None, None), "Invalid Model Version stage: odd.");
    invalid(register(store, to, "models:/registry origin@odd", None, None), "Registered model alias odd not found.");
}

fn of_prompts(store: &TrackingStore) {
    let is_prompt = || vec![tag("mlflow.prompt.is_prompt", "True")];
    store.create_registered_model("registry prompt", "", &is_prompt(), Millis(1)).expect("makes");
    let prompt =
        |source: &str| store.create_model_version(&NewModelVersion { tags: is_prompt(), ..new("registry prompt", source) }, Millis(2));
    for source in ["dummy-source", "prompt-template"] {
        prompt(source).expect("as clients give it");
    }
    for source in ["/etc/passwd", "file:///etc", "s3://bucket/x", "dummy-source/../.."] {
        invalid(prompt(source), "Prompt sources must use an MLflow placeholder.");
    }
    store.create_registered_model("registry no prompt", "", &[], Millis(1)).expect("makes");
    let copy = register(store, "registry no prompt", "models:/registry prompt/1", None, None);
    invalid(copy, "Prompt versions cannot be used as model version sources.");
    let error = register(store, "registry no prompt", "dummy-source", None, None).expect_err("only for prompts");
    assert_eq!(error.code(), Some(ErrorCode::InvalidParameterValue));
}
