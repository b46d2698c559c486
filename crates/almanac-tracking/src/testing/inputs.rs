//! What runs used and made, and the datasets of experiments.

use crate::{
    Dataset, DatasetInput, DatasetSummary, ErrorCode, ExperimentId, LoggedModelId, Millis, ModelOutput, NewExperiment, NewRun, RunId,
    RunInputs, RunQuery, StoreError, Tag, TrackingStore, ViewType,
};

/// Checks everything about inputs and outputs.
pub(super) fn inputs(store: &TrackingStore) {
    a_run_without_inputs_has_none(store);
    datasets_and_models_come_back_as_they_were_logged(store);
    what_was_logged_before_stays(store);
    each_run_of_a_search_has_its_own(store);
    texts_that_are_too_long_are_refused(store);
    deleted_and_unknown_runs_are_refused(store);
    a_batch_that_is_refused_leaves_nothing(store);
    datasets_are_listed_by_context(store);
    the_history_of_models_grows_in_a_tag(store);
}

fn code<T>(result: Result<T, StoreError>) -> Option<ErrorCode> {
    result.err().and_then(|error| error.code())
}

fn message<T>(result: Result<T, StoreError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn experiment(store: &TrackingStore) -> ExperimentId {
    let new = NewExperiment { name: format!("inputs-{}", RunId::random()), ..NewExperiment::default() };
    store.create_experiment(&new, Millis(1)).expect("a new name")
}

fn run(store: &TrackingStore, experiment: ExperimentId) -> RunId {
    let id = RunId::random();
    let new = NewRun { id: id.clone(), experiment, name: "run".to_owned(), user: String::new(), started: Millis(1), tags: Vec::new() };
    store.create_run(&new).expect("a new id");
    id
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn dataset(name: &str, digest: &str) -> Dataset {
    Dataset {
        name: name.to_owned(),
        digest: digest.to_owned(),
        source_type: "local".to_owned(),
        source: "data.csv".to_owned(),
        ..Dataset::default()
    }
}

fn input(name: &str, digest: &str, tags: &[Tag]) -> DatasetInput {
    DatasetInput { dataset: dataset(name, digest), tags: tags.to_vec() }
}

fn model(id: &str) -> LoggedModelId {
    LoggedModelId(id.to_owned())
}

fn inputs_of(store: &TrackingStore, id: &RunId) -> RunInputs {
    store.get_run_record(id).expect("a run").inputs
}

fn a_run_without_inputs_has_none(store: &TrackingStore) {
    let id = run(store, experiment(store));
    assert_eq!(inputs_of(store, &id), RunInputs::default());
    store.log_inputs(&id, &[], &[]).expect("nothing is fine");
    store.log_outputs(&id, &[]).expect("nothing is fine");
    assert_eq!(inputs_of(store, &id), RunInputs::default());
}

fn datasets_and_models_come_back_as_they_were_logged(store: &TrackingStore) {
    let id = run(store, experiment(store));
    let mut full = input("sales", "d1", &[tag("mlflow.data.context", "training"), tag("a", "")]);
    full.dataset.schema = Some("{}".to_owned());
    full.dataset.profile = Some(String::new());
    let bare = input("", "", &[]);
    store.log_inputs(&id, &[full.clone(), bare.clone()], &[model("m-z"), model("m-a")]).expect("logged");
    let outputs = [ModelOutput { model: model("m-z"), step: 7 }, ModelOutput { model: model("m-b"), step: -1 }];
    store.log_outputs(&id, &outputs).expect("logged");
    full.tags.reverse();
    let found = inputs_of(store, &id);
    assert_eq!(found.datasets, [full, bare], "tags are sorted by key");
    assert_eq!(found.models, [model("m-z"), model("m-a")], "models need not be known, and keep their order");
    assert_eq!(found.outputs, outputs);
}

fn what_was_logged_before_stays(store: &TrackingStore) {
    let experiment = experiment(store);
    let (first, second) = (run(store, experiment), run(store, experiment));
    let twice = [input("a", "1", &[tag("k", "v"), tag("k", "w")]), input("a", "1", &[tag("other", "")])];
    store.log_inputs(&first, &twice, &[model("m-1"), model("m-1")]).expect("logged");
    let mut changed = input("a", "1", &[tag("k", "x")]);
    "elsewhere".clone_into(&mut changed.dataset.source);
    store.log_inputs(&first, &[changed.clone()], &[model("m-1")]).expect("the same again is fine");
    store.log_inputs(&second, &[changed], &[]).expect("logged");
    let found = inputs_of(store, &first);
    assert_eq!(found.datasets, [input("a", "1", &[tag("k", "w")])], "of a key that comes twice the last value counts");
    assert_eq!(found.models, [model("m-1")]);
    let found = inputs_of(store, &second).datasets;
    assert_eq!(found, [input("a", "1", &[tag("k", "x")])], "a dataset is known by name and digest, tags belong to the run");

    let output = ModelOutput { model: model("m-1"), step: 3 };
    store.log_outputs(&first, &[output.clone(), output.clone()]).expect("the same again is fine");
    let other = ModelOutput { model: model("m-1"), step: 4 };
    let refused = store.log_outputs(&first, &[ModelOutput { model: model("m-2"), step: 0 }, other]);
    assert_eq!(code(refused), Some(ErrorCode::BadRequest));
    assert_eq!(inputs_of(store, &first).outputs, [output], "all or nothing");
}

fn each_run_of_a_search_has_its_own(store: &TrackingStore) {
    let experiment = experiment(store);
    let ids: Vec<RunId> = (0..3).map(|_| run(store, experiment)).collect();
    store.log_inputs(&ids[0], &[input("a", "1", &[tag("k", "0")]), input("b", "1", &[])], &[]).expect("logged");
    store.log_inputs(&ids[2], &[input("b", "1", &[tag("k", "2")])], &[model("m-1")]).expect("logged");
    let query = RunQuery {
        experiments: vec![experiment],
        filter: String::new(),
        view: ViewType::ActiveOnly,
        max_results: 10,
        order_by: Vec::new(),
        page_token: None,
    };
    let found = store.search_runs(&query).expect("found").items;
    assert_eq!(found.len(), 3);
    for record in found {
        let expected = match ids.iter().position(|id| *id == record.run.id) {
            Some(0) => vec![input("a", "1", &[tag("k", "0")]), input("b", "1", &[])],
            Some(2) => vec![input("b", "1", &[tag("k", "2")])],
            _ => Vec::new(),
        };
        assert_eq!(record.inputs.datasets, expected);
    }
}

fn texts_that_are_too_long_are_refused(store: &TrackingStore) {
    let id = run(store, experiment(store));
    let long = |change: fn(&mut DatasetInput)| {
        let mut long = input("a", "1", &[tag("k", "v")]);
        change(&mut long);
        message(store.log_inputs(&id, &[long], &[]))
    };
    assert_eq!(long(|input| input.dataset.name = "é".repeat(501)), "'name' exceeds the maximum length of 500 characters");
    assert_eq!(long(|input| input.dataset.digest = "x".repeat(37)), "'digest' exceeds the maximum length of 36 characters");
    assert_eq!(long(|input| input.dataset.source = "x".repeat(65_536)), "'source' exceeds the maximum length of 65535 characters");
    assert_eq!(
        long(|input| input.dataset.schema = Some("x".repeat(1_048_576))),
        "'schema' exceeds the maximum length of 1048575 characters"
    );
    assert_eq!(long(|input| input.tags[0].key = "x".repeat(256)), "'key' exceeds the maximum length of 255 characters");
    assert_eq!(long(|input| input.tags[0].value = "x".repeat(501)), "'value' exceeds the maximum length of 500 characters");
    assert_eq!(long(|input| input.dataset.name = "é".repeat(500)), "");
}

fn deleted_and_unknown_runs_are_refused(store: &TrackingStore) {
    let id = run(store, experiment(store));
    store.delete_run(&id, Millis(2)).expect("deleted");
    let expected = format!("The run {id} must be in the 'active' state. Current state is deleted.");
    assert_eq!(message(store.log_inputs(&id, &[input("a", "1", &[])], &[])), expected);
    assert_eq!(message(store.log_outputs(&id, &[ModelOutput { model: model("m"), step: 0 }])), expected);
    let unknown = RunId::random();
    assert_eq!(code(store.log_inputs(&unknown, &[], &[])), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(message(store.log_outputs(&unknown, &[])), format!("Run with id={unknown} not found"));
}

fn a_batch_that_is_refused_leaves_nothing(store: &TrackingStore) {
    let experiment = experiment(store);
    let id = run(store, experiment);
    let refused = store.log_inputs(&id, &[input("a", "1", &[]), input("a", &"x".repeat(37), &[])], &[model("m")]);
    assert_eq!(code(refused), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(inputs_of(store, &id), RunInputs::default());
    assert_eq!(store.search_datasets(&[experiment]).expect("read"), []);
}

fn datasets_are_listed_by_context(store: &TrackingStore) {
    let (experiment, other) = (experiment(store), experiment(store));
    let context = |value: &str| [tag("mlflow.data.context", value)];
    for value in ["train", "train", "eval"] {
        let id = run(store, experiment);
        store.log_inputs(&id, &[input("a", "1", &context(value)), input("b", "2", &[tag("x", "y")])], &[]).expect("logged");
    }
    store.log_inputs(&run(store, other), &[input("a", "1", &context("train"))], &[]).expect("logged");
    let summary = |name: &str, digest: &str, context: Option<&str>| DatasetSummary {
        experiment,
        name: name.to_owned(),
        digest: digest.to_owned(),
        context: context.map(str::to_owned),
    };
    let expected = [summary("a", "1", Some("eval")), summary("a", "1", Some("train")), summary("b", "2", None)];
    assert_eq!(store.search_datasets(&[experiment, ExperimentId(i64::MAX)]).expect("read"), expected);
    assert_eq!(store.search_datasets(&[other]).expect("read").len(), 1);
    let few = vec![experiment; 20];
    assert!(store.search_datasets(&few).is_ok());
    assert_eq!(
        message(store.search_datasets(&[few, vec![other]].concat())),
        "SearchDatasets request cannot specify more than 20 experiment_ids. Received 21 experiment_ids."
    );
    assert_eq!(message(store.search_datasets(&[])), "SearchDatasets request must specify at least one experiment_id.");
}

fn the_history_of_models_grows_in_a_tag(store: &TrackingStore) {
    let id = run(store, experiment(store));
    store.log_model(&id, &serde_json::json!({"artifact_path": "a"})).expect("logged");
    store.log_model(&id, &serde_json::json!({"artifact_path": "b"})).expect("logged");
    let tags = store.get_run_record(&id).expect("a run").data.tags;
    let history = tags.iter().find(|tag| tag.key == "mlflow.log-model.history").expect("the tag is there");
    assert_eq!(history.value, r#"[{"artifact_path":"a"},{"artifact_path":"b"}]"#);
    store.set_tag(&id, &tag("mlflow.log-model.history", "{}")).expect("set");
    assert_eq!(code(store.log_model(&id, &serde_json::json!({}))), Some(ErrorCode::BadRequest));
}
