//! Deleting for good.

use crate::{
    Batch, CollectPlan, CollectProgress, CollectWanted, ErrorCode, ExperimentId, LoggedModelId, Metric, Millis, NewExperiment,
    NewLoggedModel, NewRun, Param, RunId, Tag, TrackingStore,
};

pub(super) fn garbage(store: &TrackingStore) {
    only_what_was_deleted_for_long_enough_goes(store);
    a_run_that_was_restored_meanwhile_stays(store);
    an_experiment_goes_with_all_that_is_in_it(store);
    a_place_that_is_shared_is_kept(store);
}

fn experiment(store: &TrackingStore, name: &str, location: Option<&str>) -> ExperimentId {
    let new = NewExperiment { name: name.to_owned(), artifact_location: location.map(str::to_owned), tags: Vec::new() };
    store.create_experiment(&new, Millis(1)).expect("a new experiment")
}

fn run(store: &TrackingStore, experiment: ExperimentId) -> RunId {
    let id = RunId::random();
    let new = NewRun { id: id.clone(), experiment, name: String::new(), user: String::new(), started: Millis(2), tags: Vec::new() };
    store.create_run(&new).expect("a new run");
    id
}

fn model(store: &TrackingStore, experiment: ExperimentId) -> String {
    let id = LoggedModelId::random();
    let new = NewLoggedModel {
        id: id.clone(),
        experiment,
        name: "model".to_owned(),
        model_type: String::new(),
        source_run: String::new(),
        params: Vec::new(),
        tags: Vec::new(),
    };
    store.create_logged_model(&new, Millis(3)).expect("a new model").id.to_string()
}

fn carry_out(store: &TrackingStore, plan: &CollectPlan) -> CollectProgress {
    let mut at = CollectProgress::default();
    while let Some(next) = store.collect_step(plan, at, Millis(9_999)).expect("a step") {
        assert!(next != at, "each step gets on");
        at = next;
    }
    at
}

fn waits(store: &TrackingStore, uri: &str) -> bool {
    store.garbage("", 10_000).expect("garbage").iter().any(|other| other == uri)
}

fn of_runs(before: i64, runs: &[&RunId]) -> CollectWanted {
    CollectWanted { before: Millis(before), runs: runs.iter().map(|run| (*run).clone()).collect(), ..CollectWanted::default() }
}

fn only_what_was_deleted_for_long_enough_goes(store: &TrackingStore) {
    let experiment = experiment(store, "garbage of runs", None);
    let [old, young, active] = [(); 3].map(|()| run(store, experiment));
    let batch = Batch {
        params: vec![Param { key: "p".to_owned(), value: "1".to_owned() }],
        metrics: (0..500).map(|step| Metric::new("m", 0.5, Millis(5), step)).collect(),
        tags: vec![Tag { key: "t".to_owned(), value: "1".to_owned() }],
    };
    store.log_batch(&old, &batch).expect("logs");
    store.delete_run(&old, Millis(100)).expect("deletes");
    store.delete_run(&young, Millis(200)).expect("deletes");

    let all = store.collect_plan(&CollectWanted { before: Millis(150), ..CollectWanted::default() }).expect("a plan");
    let planned = |run: &RunId| all.runs.iter().any(|doomed| doomed.id == *run);
    assert_eq!((planned(&old), planned(&young), planned(&active)), (true, false, false));

    let refused = |wanted: &CollectWanted| store.collect_plan(wanted).expect_err("refused").code();
    assert_eq!(refused(&of_runs(150, &[&old, &active])), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(refused(&of_runs(150, &[&young])), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(refused(&of_runs(150, &[&RunId::random()])), Some(ErrorCode::ResourceDoesNotExist));

    let plan = store.collect_plan(&of_runs(150, &[&old])).expect("a plan");
    let uri = plan.runs[0].artifact_uri.clone();
    assert!(!waits(store, &uri));
    assert_eq!(carry_out(store, &plan).deleted_runs, 1);
    assert!(waits(store, &uri), "its files are still to go");
    assert_eq!(store.artifact_uri_of_run(&old).expect_err("gone").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert!(store.artifact_uri_of_run(&young).is_ok() && store.artifact_uri_of_run(&active).is_ok());
    // As after a kill: the plan is carried out once more.
    assert_eq!(carry_out(store, &plan).deleted_runs, 0);
    store.forget_garbage(std::slice::from_ref(&uri)).expect("forgets");
    assert!(!waits(store, &uri));
}

fn a_run_that_was_restored_meanwhile_stays(store: &TrackingStore) {
    let run = run(store, experiment(store, "garbage restored", None));
    store.delete_run(&run, Millis(100)).expect("deletes");
    let plan = store.collect_plan(&of_runs(150, &[&run])).expect("a plan");
    store.restore_run(&run).expect("restores");
    assert_eq!(carry_out(store, &plan).deleted_runs, 0);
    assert!(!waits(store, &store.artifact_uri_of_run(&run).expect("it is there")));
}

fn an_experiment_goes_with_all_that_is_in_it(store: &TrackingStore) {
    let experiment = experiment(store, "garbage of an experiment", None);
    let (run, model) = (run(store, experiment), model(store, experiment));
    let location = store.get_experiment(experiment).expect("it is there").artifact_location;
    let wanted = CollectWanted { before: Millis(500), experiments: vec![experiment], ..CollectWanted::default() };
    assert_eq!(store.collect_plan(&wanted).expect_err("active").code(), Some(ErrorCode::InvalidParameterValue));
    store.delete_experiment(experiment, Millis(400)).expect("deletes");
    let plan = store.collect_plan(&wanted).expect("a plan");
    assert_eq!((plan.runs.len(), plan.models.len(), plan.experiments.len()), (1, 1, 1));
    let done = carry_out(store, &plan);
    assert_eq!((done.deleted_runs, done.deleted_models, done.deleted_experiments), (1, 1, 1));
    assert_eq!(store.get_experiment(experiment).expect_err("gone").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert!(store.artifact_uri_of_run(&run).is_err() && store.artifact_uri_of_model(&model).is_err());
    assert!(waits(store, &location) && waits(store, &plan.runs[0].artifact_uri) && waits(store, &plan.models[0].artifact_uri));
}

fn a_place_that_is_shared_is_kept(store: &TrackingStore) {
    let place = "mlflow-artifacts:/shared";
    let (one, below) = (experiment(store, "garbage shared", Some(place)), "mlflow-artifacts:/shared/below");
    experiment(store, "garbage below", Some(below));
    let mine = run(store, one);
    store.delete_experiment(one, Millis(600)).expect("deletes");
    let wanted = CollectWanted { before: Millis(700), experiments: vec![one], ..CollectWanted::default() };
    let plan = store.collect_plan(&wanted).expect("a plan");
    assert_eq!(carry_out(store, &plan).deleted_experiments, 1);
    assert!(!waits(store, place), "another experiment lies in it");
    assert!(waits(store, &format!("{place}/{mine}/artifacts")));
}
