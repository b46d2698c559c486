//! Experiments: names, tags, deletion and what is found.

use super::{active, deleted, tag};
use crate::{ErrorCode, ExperimentId, ExperimentQuery, LifecycleStage, Millis, NewExperiment, NewRun, RunId, TrackingStore, ViewType};

pub(super) fn experiments(store: &TrackingStore) {
    let default = store.get_experiment(ExperimentId(0)).expect("clients that name none log to experiment 0");
    assert_eq!((default.name.as_str(), default.artifact_location.as_str()), ("Default", "mlflow-artifacts:/0"));
    names_are_unique(store);
    tags_are_set_and_taken_away(store);
    a_deleted_experiment_takes_its_runs_along(store);
    found_by_filter_and_order(store);
}

fn made(store: &TrackingStore, name: &str, at: i64) -> ExperimentId {
    let new = NewExperiment { name: name.to_owned(), ..NewExperiment::default() };
    store.create_experiment(&new, Millis(at)).expect("a new name")
}

fn names_are_unique(store: &TrackingStore) {
    let id = made(store, "größe 'x'; --", 5);
    let found = store.get_experiment_by_name("größe 'x'; --").expect("asks").expect("is there");
    assert_eq!((found.id, found.created, found.artifact_location), (id, Millis(5), format!("mlflow-artifacts:/{id}")));
    let again = NewExperiment { name: found.name.clone(), ..NewExperiment::default() };
    assert_eq!(store.create_experiment(&again, Millis(6)).expect_err("taken").code(), Some(ErrorCode::ResourceAlreadyExists));
    assert_eq!(store.get_or_create_experiment(&found.name, Millis(7)).expect("finds").id, id);

    store.rename_experiment(id, "renamed", Millis(8)).expect("a free name");
    assert_eq!(store.get_experiment(id).expect("is there").updated, Millis(8));
    let taken = store.rename_experiment(id, "Default", Millis(9)).expect_err("taken");
    assert_eq!(taken.code(), Some(ErrorCode::ResourceAlreadyExists));
    for name in ["", &"n".repeat(501)] {
        let new = NewExperiment { name: name.to_owned(), ..NewExperiment::default() };
        assert_eq!(store.create_experiment(&new, Millis(1)).expect_err("no name").code(), Some(ErrorCode::InvalidParameterValue));
    }
    assert_eq!(store.get_experiment(ExperimentId(987_654)).expect_err("unknown").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert!(store.get_experiment_by_name("nobody").expect("asks").is_none());
}

fn tags_are_set_and_taken_away(store: &TrackingStore) {
    let new = NewExperiment {
        name: "tagged".to_owned(),
        artifact_location: Some("s3://bucket/tagged".to_owned()),
        tags: vec![tag("team", "a"), tag("note", "x")],
    };
    let id = store.create_experiment(&new, Millis(1)).expect("a new name");
    store.set_experiment_tag(id, &tag("team", "b")).expect("a tag may change");
    let found = store.get_experiment(id).expect("is there");
    assert_eq!(found.tags, [tag("note", "x"), tag("team", "b")]);
    assert_eq!(found.artifact_location, "s3://bucket/tagged");
    store.delete_experiment_tag(id, "note").expect("is there");
    assert_eq!(store.delete_experiment_tag(id, "note").expect_err("gone").code(), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(store.set_experiment_tag(id, &tag("a//b", "x")).expect_err("no path").code(), Some(ErrorCode::InvalidParameterValue));
}

fn a_deleted_experiment_takes_its_runs_along(store: &TrackingStore) {
    let id = made(store, "doomed", 1);
    let new =
        NewRun { id: RunId::from_bytes([0xd0; 16]), experiment: id, name: "r".into(), user: "u".into(), started: Millis(1), tags: vec![] };
    store.create_run(&new).expect("starts");
    store.delete_experiment(id, Millis(2)).expect("is there");
    assert_eq!(store.get_experiment(id).expect("still there").lifecycle_stage, LifecycleStage::Deleted);
    assert_eq!(store.get_run(&new.id).expect("still there").lifecycle_stage, LifecycleStage::Deleted);
    assert_eq!(store.delete_experiment(id, Millis(3)).expect_err("deleted").code(), Some(ErrorCode::ResourceDoesNotExist));
    let late = NewRun { id: RunId::from_bytes([0xd1; 16]), ..new.clone() };
    assert_eq!(store.create_run(&late).expect_err("deleted").code(), Some(ErrorCode::InvalidParameterValue));
    let taken = NewExperiment { name: "doomed".into(), ..NewExperiment::default() };
    assert_eq!(store.create_experiment(&taken, Millis(4)).expect_err("holds its name").code(), Some(ErrorCode::ResourceAlreadyExists));
    assert_eq!(store.get_or_create_experiment("doomed", Millis(4)).expect_err("deleted").code(), Some(ErrorCode::InvalidState));
    store.restore_experiment(id, Millis(5)).expect("is deleted");
    assert_eq!(store.get_run(&new.id).expect("is there").lifecycle_stage, LifecycleStage::Active);
}

fn found_by_filter_and_order(store: &TrackingStore) {
    for (name, at) in [("find-a", 100), ("find-b", 101), ("Find-C", 102)] {
        let id = made(store, name, at);
        store.set_experiment_tag(id, &tag("find", name)).expect("sets");
    }
    let find = |filter: &str, order: &[&str], view: ViewType| {
        let query = ExperimentQuery {
            filter: filter.to_owned(),
            order_by: order.iter().map(|term| (*term).to_owned()).collect(),
            view,
            ..ExperimentQuery::default()
        };
        let found = store.search_experiments(&query).expect("a good filter");
        found.items.into_iter().map(|found| found.name).collect::<Vec<_>>()
    };
    assert_eq!(find("name LIKE 'find-%'", &[], active()), ["find-b", "find-a"], "newest first, and case counts");
    assert_eq!(find("name ILIKE 'find-%'", &["name ASC"], active()).len(), 3);
    assert_eq!(find("tags.find = 'find-a'", &[], active()), ["find-a"]);
    assert_eq!(find("tags.find IS NOT NULL AND creation_time >= 101", &["creation_time ASC"], active()), ["find-b", "Find-C"]);
    assert!(find("name = 'find-a'", &[], deleted()).is_empty());
    for bad in ["names = 'x'", "name > 'x'", "metrics.a = 1", "creation_time = 'x'", "name = 5"] {
        let query = ExperimentQuery { filter: bad.to_owned(), ..ExperimentQuery::default() };
        assert_eq!(store.search_experiments(&query).expect_err(bad).code(), Some(ErrorCode::InvalidParameterValue), "{bad}");
    }
    let query = ExperimentQuery { filter: "name ILIKE 'find-%'".to_owned(), max_results: 2, ..ExperimentQuery::default() };
    let first = store.search_experiments(&query).expect("a page");
    let second = store.search_experiments(&ExperimentQuery { page_token: first.next.clone(), ..query }).expect("a page");
    assert_eq!((first.items.len(), second.items.len(), second.next), (2, 1, None));
}
