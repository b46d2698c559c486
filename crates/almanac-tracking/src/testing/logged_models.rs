//! Logged models, their labels and metrics.
//!
//! Not here: searching them (`search`).

mod search;

use crate::{
    Batch, ErrorCode, ExperimentId, LifecycleStage, LoggedModel, LoggedModelId, LoggedModelStatus, Metric, Millis, NewExperiment,
    NewLoggedModel, NewModelVersion, NewRun, Param, RunId, StoreError, Tag, TrackingStore, VersionStatus,
};

/// Checks everything about logged models.
pub(super) fn logged_models(store: &TrackingStore) {
    a_new_model_is_pending(store);
    a_model_without_a_name_gets_one(store);
    names_and_experiments_are_checked(store);
    finalizing_sets_status_and_time(store);
    a_deleted_model_is_found_no_more(store);
    params_cannot_change(store);
    tags_come_and_go(store);
    versions_are_noted_in_a_tag(store);
    metrics_of_a_run_belong_to_its_models(store);
    a_metric_of_an_unknown_model_is_refused_with_its_batch(store);
    search::search(store);
}

fn code<T>(result: Result<T, StoreError>) -> Option<ErrorCode> {
    result.err().and_then(|error| error.code())
}

fn message<T>(result: Result<T, StoreError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn experiment(store: &TrackingStore) -> ExperimentId {
    let new = NewExperiment { name: format!("models-{}", RunId::random()), ..NewExperiment::default() };
    store.create_experiment(&new, Millis(1)).expect("a new name")
}

fn run(store: &TrackingStore, experiment: ExperimentId) -> RunId {
    let id = RunId::random();
    let new = NewRun { id: id.clone(), experiment, name: "run".to_owned(), user: String::new(), started: Millis(1), tags: Vec::new() };
    store.create_run(&new).expect("a new id");
    id
}

fn new(experiment: ExperimentId, name: &str) -> NewLoggedModel {
    NewLoggedModel {
        id: LoggedModelId::random(),
        experiment,
        name: name.to_owned(),
        model_type: String::new(),
        source_run: String::new(),
        params: Vec::new(),
        tags: Vec::new(),
    }
}

fn made(store: &TrackingStore, experiment: ExperimentId) -> LoggedModelId {
    store.create_logged_model(&new(experiment, "model"), Millis(5)).expect("a new id").id
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn param(key: &str, value: &str) -> Param {
    Param { key: key.to_owned(), value: value.to_owned() }
}

fn get(store: &TrackingStore, id: &LoggedModelId) -> LoggedModel {
    store.get_logged_model(id, false).expect("a model")
}

fn metric(key: &str, value: f64, at: (i64, i64), model: &LoggedModelId, dataset: Option<(&str, &str)>) -> Metric {
    Metric {
        model_id: Some(model.0.clone()),
        dataset: dataset.map(|(name, digest)| (name.to_owned(), digest.to_owned())),
        ..Metric::new(key, value, Millis(at.0), at.1)
    }
}

fn a_new_model_is_pending(store: &TrackingStore) {
    let experiment = experiment(store);
    let asked = NewLoggedModel {
        model_type: "forecaster".to_owned(),
        source_run: "not-known".to_owned(),
        params: vec![param("b", "1"), param("a", "")],
        tags: vec![tag("t", "1"), tag("s", "x"), tag("t", "2")],
        ..new(experiment, "naive")
    };
    let made = store.create_logged_model(&asked, Millis(5)).expect("made");
    let expected = LoggedModel {
        id: asked.id.clone(),
        experiment,
        name: "naive".to_owned(),
        artifact_uri: format!("mlflow-artifacts:/{experiment}/models/{}/artifacts", asked.id),
        model_type: "forecaster".to_owned(),
        source_run: "not-known".to_owned(),
        status: LoggedModelStatus::Pending,
        status_message: String::new(),
        lifecycle_stage: LifecycleStage::Active,
        created: Millis(5),
        updated: Millis(5),
        params: vec![param("a", ""), param("b", "1")],
        tags: vec![tag("s", "x"), tag("t", "2")],
        metrics: Vec::new(),
    };
    assert_eq!(made, expected);
    assert_eq!(get(store, &asked.id), expected);
    assert_eq!(code(store.create_logged_model(&asked, Millis(6))), Some(ErrorCode::ResourceAlreadyExists));
}

fn a_model_without_a_name_gets_one(store: &TrackingStore) {
    let made = store.create_logged_model(&new(experiment(store), ""), Millis(5)).expect("made");
    assert!(made.name.contains('-') && made.name.len() <= 20, "{}", made.name);
    assert!(made.id.0.starts_with("m-") && made.id.0.len() == 34, "{}", made.id);
}

fn names_and_experiments_are_checked(store: &TrackingStore) {
    let experiment = experiment(store);
    for name in ["a/b", "a:b", "a.b", "a%b", "a'b", "a\"b"] {
        let refused = message(store.create_logged_model(&new(experiment, name), Millis(5)));
        assert!(refused.starts_with("Invalid model name ("), "{refused}");
    }
    let refused = message(store.create_logged_model(&new(experiment, "a/b"), Millis(5)));
    let expected = "Invalid model name ('a/b') provided. Model name must be a non-empty string and cannot contain the following \
                    characters: ('/', ':', '.', '%', '\"', \"'\")";
    assert_eq!(refused, expected);
    assert_eq!(code(store.create_logged_model(&new(experiment, &"x".repeat(501)), Millis(5))), Some(ErrorCode::InvalidParameterValue));
    let unknown = ExperimentId(i64::MAX);
    assert_eq!(message(store.create_logged_model(&new(unknown, "a"), Millis(5))), format!("No Experiment with id={unknown} exists"));
    store.delete_experiment(experiment, Millis(6)).expect("deleted");
    let refused = message(store.create_logged_model(&new(experiment, "a"), Millis(7)));
    assert!(refused.contains("must be in the 'active' state"), "{refused}");
}

fn finalizing_sets_status_and_time(store: &TrackingStore) {
    let id = made(store, experiment(store));
    for (time, status) in [(6, LoggedModelStatus::Ready), (7, LoggedModelStatus::UploadFailed), (8, LoggedModelStatus::Unspecified)] {
        let model = store.finalize_logged_model(&id, status, Millis(time)).expect("finalized");
        assert_eq!((model.status, model.created, model.updated), (status, Millis(5), Millis(time)));
        assert_eq!(get(store, &id), model);
    }
    let unknown = LoggedModelId("m-unknown".to_owned());
    let refused = store.finalize_logged_model(&unknown, LoggedModelStatus::Ready, Millis(6));
    assert_eq!(message(refused), "Logged model with ID 'm-unknown' not found.");
}

fn a_deleted_model_is_found_no_more(store: &TrackingStore) {
    let experiment = experiment(store);
    let (id, run) = (made(store, experiment), run(store, experiment));
    store.delete_logged_model(&id, Millis(9)).expect("deleted");
    let missing = Some(ErrorCode::ResourceDoesNotExist);
    assert_eq!(code(store.get_logged_model(&id, false)), missing);
    assert_eq!(code(store.delete_logged_model(&id, Millis(10))), missing);
    assert_eq!(code(store.finalize_logged_model(&id, LoggedModelStatus::Ready, Millis(10))), missing);
    assert_eq!(code(store.set_logged_model_tags(&id, &[])), missing);
    assert_eq!(code(store.log_logged_model_params(&id, &[])), missing);
    store.log_metric(&run, &metric("m", 1.0, (1, 0), &id, None)).expect("a run may still measure it");
    let found = store.get_logged_model(&id, true).expect("still there");
    assert_eq!((found.lifecycle_stage, found.updated, found.metrics.len()), (LifecycleStage::Deleted, Millis(9), 1));
}

fn params_cannot_change(store: &TrackingStore) {
    let id = made(store, experiment(store));
    let many: Vec<Param> = (0..250).map(|number| param(&format!("p{number:03}"), "x")).collect();
    store.log_logged_model_params(&id, &many).expect("logged");
    store.log_logged_model_params(&id, &many[..2]).expect("the same again is fine");
    let refused = store.log_logged_model_params(&id, &[param("new", "1"), param("p001", "y")]);
    let expected = format!(
        "Changing param values is not allowed. Param with key='p001' was already logged with value='x' for logged model ID='{id}'. \
         Attempted logging new value 'y'."
    );
    assert_eq!((message(refused.clone()), code(refused)), (expected, Some(ErrorCode::BadRequest)));
    assert_eq!(get(store, &id).params, many, "all or nothing");
    let long = store.log_logged_model_params(&id, &[param(&"x".repeat(256), "")]);
    assert_eq!(message(long), "'key' exceeds the maximum length of 255 characters");
}

fn tags_come_and_go(store: &TrackingStore) {
    let id = made(store, experiment(store));
    store.set_logged_model_tags(&id, &[tag("a", "1"), tag("b/c d", "2")]).expect("set");
    store.set_logged_model_tags(&id, &[tag("a", "3"), tag("a", "4")]).expect("set");
    assert_eq!(get(store, &id).tags, [tag("a", "4"), tag("b/c d", "2")]);
    store.delete_logged_model_tag(&id, "b/c d").expect("deleted");
    assert_eq!(get(store, &id).tags, [tag("a", "4")]);
    let expected = format!("No tag with key 'b/c d' found for model with ID '{id}'.");
    let refused = store.delete_logged_model_tag(&id, "b/c d");
    assert_eq!((message(refused.clone()), code(refused)), (expected, Some(ErrorCode::ResourceDoesNotExist)));
    let unknown = LoggedModelId("m-unknown".to_owned());
    assert_eq!(code(store.delete_logged_model_tag(&unknown, "a")), Some(ErrorCode::ResourceDoesNotExist));
}

fn versions_are_noted_in_a_tag(store: &TrackingStore) {
    let id = made(store, experiment(store));
    let name = format!("registered-{}", RunId::random());
    store.create_registered_model(&name, "", &[], Millis(5)).expect("a new name");
    let version = NewModelVersion {
        model: name.clone(),
        run_id: None,
        model_id: None,
        source: format!("models:/{id}"),
        status: VersionStatus::Ready,
        description: String::new(),
        user: String::new(),
        run_link: String::new(),
        tags: Vec::new(),
    };
    for number in [1, 2] {
        assert_eq!(store.create_model_version(&version, Millis(6)).expect("registered").version, number);
    }
    let expected = format!(r#"[{{"name":"{name}","version":1}},{{"name":"{name}","version":2}}]"#);
    assert_eq!(get(store, &id).tags, [tag("mlflow.modelVersions", &expected)]);
}

fn metrics_of_a_run_belong_to_its_models(store: &TrackingStore) {
    let experiment = experiment(store);
    let (first, second, run) = (made(store, experiment), made(store, experiment), run(store, experiment));
    let batch = Batch {
        metrics: vec![
            metric("loss", 2.0, (20, 1), &first, Some(("train", "d"))),
            metric("loss", 2.0, (20, 1), &first, Some(("train", "d"))),
            metric("loss", f64::INFINITY, (10, 0), &first, None),
            metric("loss", f64::NAN, (20, 1), &first, Some(("eval", "d"))),
            metric("loss", 1.0, (10, 0), &second, None),
            Metric::new("other", 1.0, Millis(10), 0),
        ],
        ..Batch::default()
    };
    store.log_batch(&run, &batch).expect("logged");
    store.log_metric(&run, &batch.metrics[0]).expect("the same again is fine");
    let found = get(store, &first).metrics;
    assert!(found.iter().all(|measured| measured.run == run && measured.metric.model_id.as_ref() == Some(&first.0)));
    let shown: Vec<String> = found.iter().map(|measured| format!("{:?} {:?}", measured.metric.value, measured.metric.dataset)).collect();
    let expected = [format!("{:?} None", f64::MAX), "NaN Some((\"eval\", \"d\"))".to_owned(), "2.0 Some((\"train\", \"d\"))".to_owned()];
    assert_eq!(shown, expected, "sorted by time, step and key");
    assert_eq!(get(store, &second).metrics.len(), 1);
    assert_eq!(store.get_run_record(&run).expect("a run").data.metrics.len(), 2, "the run has them too");
}

fn a_metric_of_an_unknown_model_is_refused_with_its_batch(store: &TrackingStore) {
    let run = run(store, experiment(store));
    let unknown = LoggedModelId("m-unknown".to_owned());
    let batch = Batch {
        metrics: vec![Metric::new("a", 1.0, Millis(1), 0), metric("b", 1.0, (1, 0), &unknown, None)],
        params: vec![param("p", "1")],
        ..Batch::default()
    };
    let refused = store.log_batch(&run, &batch);
    let expected = ("Logged model with ID 'm-unknown' not found.".to_owned(), Some(ErrorCode::BadRequest));
    assert_eq!((message(refused.clone()), code(refused)), expected);
    let data = store.get_run_record(&run).expect("a run").data;
    assert!(data.metrics.is_empty() && data.params.is_empty());
}
