//! Runs: starting, resuming, naming and deleting them.

use super::{active, deleted, experiment, id, start, tag};
use crate::{ErrorCode, ExperimentId, LifecycleStage, Millis, NewRun, RunId, RunQuery, RunStatus, RunUpdate, TrackingStore};

pub(super) fn runs(store: &TrackingStore) {
    let experiment = experiment(store, "runs");
    starts_and_resumes(store, experiment);
    names_and_tags_are_one(store, experiment);
    deletion_is_taken_back(store, experiment);
}

fn starts_and_resumes(store: &TrackingStore, experiment: ExperimentId) {
    let other = super::experiment(store, "runs of others");
    let new = NewRun { id: id(1), experiment, name: "first".into(), user: "me".into(), started: Millis(10), tags: vec![tag("host", "a")] };
    let (run, is_new) = store.start_or_resume_run(&new).expect("starts");
    assert!(is_new && run.status == RunStatus::Running && run.ended.is_none());
    assert_eq!(run.artifact_uri, format!("mlflow-artifacts:/{experiment}/{}/artifacts", id(1)));
    let ended = RunUpdate { status: Some(RunStatus::Failed), ended: Some(Millis(20)), name: None };
    let run = store.update_run(&id(1), &ended).expect("ends");
    assert_eq!((run.status, run.ended, run.name.as_str()), (RunStatus::Failed, Some(Millis(20)), "first"));

    let later = NewRun { name: "second".into(), started: Millis(30), tags: vec![tag("host", "b")], ..new.clone() };
    let (resumed, is_new) = store.start_or_resume_run(&later).expect("resumes");
    assert!(!is_new, "the same id is the same run");
    assert_eq!((resumed.name.as_str(), resumed.started, resumed.ended, resumed.status), ("first", Millis(10), None, RunStatus::Running));
    let record = store.get_run_record(&id(1)).expect("is there");
    assert_eq!(record.data.tags, [tag("host", "b"), tag("mlflow.runName", "first")]);

    assert_eq!(store.create_run(&new).expect_err("taken").code(), Some(ErrorCode::ResourceAlreadyExists));
    let moved = NewRun { experiment: other, ..new.clone() };
    assert_eq!(store.start_or_resume_run(&moved).expect_err("elsewhere").code(), Some(ErrorCode::InvalidParameterValue));
    let lost = NewRun { id: id(9), experiment: ExperimentId(987_654), ..new };
    assert_eq!(store.create_run(&lost).expect_err("no experiment").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(store.get_run(&id(9)).expect_err("unknown").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(store.update_run(&id(9), &ended).expect_err("unknown").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert!(RunId::new("../x").is_err() && RunId::new("").is_err());
}

fn names_and_tags_are_one(store: &TrackingStore, experiment: ExperimentId) {
    let new = |n: u8, name: &str, tags| NewRun { id: id(n), experiment, name: name.into(), user: String::new(), started: Millis(1), tags };
    let by_tag = store.create_run(&new(2, "", vec![tag("mlflow.runName", "by tag")])).expect("starts");
    assert_eq!(by_tag.run.name, "by tag");
    let made_up = store.create_run(&new(3, "", vec![])).expect("starts");
    assert_eq!(made_up.run.name.split('-').count(), 3, "{}", made_up.run.name);
    let torn = new(4, "a", vec![tag("mlflow.runName", "b")]);
    assert_eq!(store.create_run(&torn).expect_err("two names").code(), Some(ErrorCode::InvalidParameterValue));

    store.set_tag(&id(2), &tag("mlflow.runName", "renamed")).expect("sets");
    assert_eq!(store.get_run(&id(2)).expect("is there").name, "renamed");
    store.set_tag(&id(2), &tag("mlflow.runName", "")).expect("is ignored");
    store.update_run(&id(2), &RunUpdate { name: Some("again".into()), ..RunUpdate::default() }).expect("renames");
    let record = store.get_run_record(&id(2)).expect("is there");
    assert_eq!((record.run.name.as_str(), record.data.tags), ("again", vec![tag("mlflow.runName", "again")]));
}

fn deletion_is_taken_back(store: &TrackingStore, experiment: ExperimentId) {
    let run = start(store, 5, experiment);
    store.delete_run(&run, Millis(7)).expect("is there");
    assert_eq!(store.get_run(&run).expect("still there").lifecycle_stage, LifecycleStage::Deleted);
    assert_eq!(store.set_tag(&run, &tag("a", "b")).expect_err("deleted").code(), Some(ErrorCode::InvalidParameterValue));
    let find = |view| {
        let query = RunQuery { experiments: vec![experiment], view, ..RunQuery::default() };
        store.search_runs(&query).expect("finds").items.into_iter().any(|record| record.run.id == run)
    };
    assert!(!find(active()) && find(deleted()));
    store.restore_run(&run).expect("is deleted");
    assert!(find(active()) && !find(deleted()));
    assert_eq!(store.delete_run(&id(99), Millis(1)).expect_err("unknown").code(), Some(ErrorCode::ResourceDoesNotExist));
}
