//! Studies and trials of Optuna.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    AttributeKind, ErrorCode, Micros, StoreError, StudyDirection, StudyId, TrackingStore, Trial, TrialContent, TrialId, TrialParam,
    TrialState,
};

const FLOAT: &str = r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#;
const INT: &str = r#"{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 9}}"#;
const CATEGORICAL: &str = r#"{"name": "CategoricalDistribution", "attributes": {"choices": ["a", NaN, null]}}"#;
const NOW: Micros = Micros(1_700_000_000_123_456);

/// Checks everything about studies.
pub(super) fn studies(store: &TrackingStore) {
    a_name_is_taken_once(store);
    attributes_are_kept_by_kind(store);
    what_is_not_there_is_said_to_be_missing(store);
    trials_are_numbered_without_gaps(store);
    a_waiting_trial_is_taken_once(store);
    a_finished_trial_does_not_change(store);
    a_template_comes_back_as_it_was(store);
    params_keep_their_distributions(store);
    numbers_that_are_none_are_kept(store);
    what_no_worker_could_read_is_refused(store);
    only_what_is_new_is_read(store);
    a_study_is_deleted_with_its_trials(store);
    a_thousand_trials_are_read(store);
}

fn code<T>(result: Result<T, StoreError>) -> Option<ErrorCode> {
    result.err().and_then(|error| error.code())
}

fn name() -> String {
    format!("study-{:032x}", rand::random::<u128>())
}

fn study(store: &TrackingStore) -> StudyId {
    store.create_study(&name(), &[StudyDirection::Minimize]).expect("a new name")
}

fn trial(store: &TrackingStore, study: StudyId) -> TrialId {
    store.create_trial(study, &TrialContent::running(NOW)).expect("a study")
}

fn param(value: f64, distribution: &str) -> TrialParam {
    TrialParam { value, distribution: distribution.to_owned() }
}

fn all(store: &TrackingStore, study: StudyId) -> Vec<Trial> {
    store.get_trials(study, TrialId(-1), &[]).expect("a study")
}

fn a_name_is_taken_once(store: &TrackingStore) {
    let name = name();
    let directions = [StudyDirection::Maximize, StudyDirection::Minimize];
    let id = store.create_study(&name, &directions).expect("a new name");
    assert_eq!(code(store.create_study(&name, &directions)), Some(ErrorCode::ResourceAlreadyExists));
    assert_eq!(store.get_study_id(&name).expect("it is there"), id);
    let found = store.get_study(id).expect("it is there");
    assert_eq!((found.name.as_str(), found.directions.as_slice()), (name.as_str(), directions.as_slice()));
    assert_eq!(code(store.create_study(&self::name(), &[])), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(code(store.create_study(&"n".repeat(513), &directions)), Some(ErrorCode::InvalidParameterValue));
    let long = format!("{}{}", &name, "ü".repeat(512 - name.len()));
    store.create_study(&long, &directions).expect("as long as may be");
}

fn attributes_are_kept_by_kind(store: &TrackingStore) {
    let id = study(store);
    let trial = trial(store, id);
    for (kind, value) in [(AttributeKind::User, "1"), (AttributeKind::User, "NaN"), (AttributeKind::System, "{\"a\": [Infinity]}")] {
        store.set_study_attribute(id, kind, "key", value).expect("JSON of Python");
        store.set_trial_attribute(trial, kind, "key", value).expect("JSON of Python");
    }
    let expected = |value: &str| [("key".to_owned(), value.to_owned())].into();
    let found = store.get_study(id).expect("it is there");
    assert_eq!((found.user_attributes, found.system_attributes), (expected("NaN"), expected("{\"a\": [Infinity]}")));
    let listed = store.list_studies().expect("lists");
    assert!(listed.is_sorted_by_key(|study| study.id));
    assert_eq!(listed.iter().find(|study| study.id == id), store.get_study(id).ok().as_ref());
    let content = store.get_trial(trial).expect("it is there").content;
    assert_eq!((content.user_attributes, content.system_attributes), (expected("NaN"), expected("{\"a\": [Infinity]}")));
    for (key, value) in [("key", "{"), ("key", ""), (&*"k".repeat(513), "1")] {
        assert_eq!(code(store.set_study_attribute(id, AttributeKind::User, key, value)), Some(ErrorCode::InvalidParameterValue));
        assert_eq!(code(store.set_trial_attribute(trial, AttributeKind::User, key, value)), Some(ErrorCode::InvalidParameterValue));
    }
}

fn what_is_not_there_is_said_to_be_missing(store: &TrackingStore) {
    let missing = Some(ErrorCode::ResourceDoesNotExist);
    let (study, trial) = (StudyId(i64::MAX), TrialId(i64::MAX));
    assert_eq!(code(store.get_study_id(&name())), missing);
    assert_eq!(code(store.get_study(study)), missing);
    assert_eq!(code(store.delete_study(study)), missing);
    assert_eq!(code(store.set_study_attribute(study, AttributeKind::User, "a", "1")), missing);
    assert_eq!(code(store.create_trial(study, &TrialContent::running(NOW))), missing);
    assert_eq!(code(store.get_trials(study, TrialId(-1), &[])), missing);
    assert_eq!(code(store.get_trial_id(study, 0)), missing);
    assert_eq!(code(store.get_trial(trial)), missing);
    assert_eq!(code(store.set_trial_param(trial, "x", &param(0.5, FLOAT))), missing);
    assert_eq!(code(store.set_trial_state(trial, TrialState::Running, &[], NOW)), missing);
    assert_eq!(code(store.set_trial_intermediate_value(trial, 0, 1.0)), missing);
    assert_eq!(code(store.set_trial_attribute(trial, AttributeKind::System, "a", "1")), missing);
}

fn trials_are_numbered_without_gaps(store: &TrackingStore) {
    const WORKERS: usize = 8;
    const EACH: usize = 25;
    let id = study(store);
    let bad = TrialContent { values: vec![f64::NAN], ..TrialContent::running(NOW) };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    trial(store, id);
                    // What fails takes no number away.
                    assert_eq!(code(store.create_trial(id, &bad)), Some(ErrorCode::InvalidParameterValue));
                }
            });
        }
    });
    let found = all(store, id);
    let numbers: Vec<i64> = found.iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, (0..(WORKERS * EACH) as i64).collect::<Vec<_>>(), "in the order of ids");
    assert_eq!(store.get_trial_id(id, 7).expect("it is there"), found[7].id);
}

fn a_waiting_trial_is_taken_once(store: &TrackingStore) {
    let id = study(store);
    let waiting = store.create_trial(id, &TrialContent::new(TrialState::Waiting)).expect("a study");
    let takers = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                if store.set_trial_state(waiting, TrialState::Running, &[], NOW).expect("it is not finished") {
                    takers.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(takers.into_inner(), 1);
    let later = Micros(NOW.0 + 1);
    assert!(!store.set_trial_state(waiting, TrialState::Running, &[1.0], later).expect("it runs"));
    let content = store.get_trial(waiting).expect("it is there").content;
    assert_eq!(content, TrialContent::running(NOW), "a refused change leaves nothing");
    assert!(store.set_trial_state(waiting, TrialState::Waiting, &[], later).expect("it may wait again"));
}

fn a_finished_trial_does_not_change(store: &TrackingStore) {
    let id = study(store);
    for state in [TrialState::Complete, TrialState::Pruned, TrialState::Fail] {
        let trial = trial(store, id);
        assert!(store.set_trial_state(trial, state, &[0.5, f64::INFINITY], NOW).expect("it runs"));
        let before = store.get_trial(trial).expect("it is there");
        assert_eq!((before.content.completed, before.content.values.as_slice()), (Some(NOW), [0.5, f64::INFINITY].as_slice()));
        let refused = Some(ErrorCode::InvalidState);
        for next in [TrialState::Running, TrialState::Waiting, TrialState::Complete] {
            assert_eq!(code(store.set_trial_state(trial, next, &[], NOW)), refused);
        }
        assert_eq!(code(store.set_trial_param(trial, "x", &param(0.5, FLOAT))), refused);
        assert_eq!(code(store.set_trial_intermediate_value(trial, 0, 1.0)), refused);
        assert_eq!(code(store.set_trial_attribute(trial, AttributeKind::User, "a", "1")), refused);
        assert_eq!(store.get_trial(trial).expect("it is there"), before);
    }
}

fn a_template_comes_back_as_it_was(store: &TrackingStore) {
    let id = study(store);
    let content = TrialContent {
        state: TrialState::Complete,
        values: vec![1.5, f64::NEG_INFINITY],
        started: Some(Micros(-1)),
        completed: Some(NOW),
        params: [("x".to_owned(), param(0.5, FLOAT)), ("choice".to_owned(), param(2.0, CATEGORICAL))].into(),
        user_attributes: [("größe".to_owned(), "\"\\ud83d\"".to_owned())].into(),
        system_attributes: [("constraints".to_owned(), "[-1.0, 0.0]".to_owned())].into(),
        intermediate_values: [(-3, 0.25), (i64::MAX, f64::INFINITY)].into(),
    };
    let trial = store.create_trial(id, &content).expect("a whole trial");
    assert_eq!(store.get_trial(trial).expect("it is there"), Trial { id: trial, number: 0, content: content.clone() });
    let other = TrialContent { params: [("x".to_owned(), param(3.0, INT))].into(), ..content };
    assert_eq!(code(store.create_trial(id, &other)), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(all(store, id).len(), 1);
}

fn params_keep_their_distributions(store: &TrackingStore) {
    let id = study(store);
    let (first, second) = (trial(store, id), trial(store, id));
    store.set_trial_param(first, "x", &param(0.5, FLOAT)).expect("the first decides");
    let wider = FLOAT.replace("1.0", "2.0");
    store.set_trial_param(second, "x", &param(1.5, &wider)).expect("a range may grow");
    store.set_trial_param(second, "x", &param(0.25, FLOAT)).expect("a value may be set again");
    assert_eq!(code(store.set_trial_param(second, "x", &param(1.0, INT))), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(store.get_trial(second).expect("it is there").content.params, [("x".to_owned(), param(0.25, FLOAT))].into());
    // Another study knows nothing of it.
    let other = trial(store, study(store));
    store.set_trial_param(other, "x", &param(1.0, INT)).expect("the first of its study");

    let kinds = BTreeSet::from([FLOAT, INT, CATEGORICAL]);
    let accepted = AtomicUsize::new(0);
    let trials: Vec<TrialId> = kinds.iter().map(|_| trial(store, id)).collect();
    std::thread::scope(|scope| {
        for (kind, trial) in kinds.iter().zip(trials) {
            let accepted = &accepted;
            scope.spawn(move || {
                if store.set_trial_param(trial, "y", &param(1.0, kind)).is_ok() {
                    accepted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(accepted.into_inner(), 1, "one kind wins, also when all come at once");
}

fn numbers_that_are_none_are_kept(store: &TrackingStore) {
    let trial = trial(store, study(store));
    for (step, value) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -f64::MIN_POSITIVE].into_iter().enumerate() {
        store.set_trial_intermediate_value(trial, step as i64, 0.0).expect("any number");
        store.set_trial_intermediate_value(trial, step as i64, value).expect("any number");
        let found = store.get_trial(trial).expect("it is there").content.intermediate_values[&(step as i64)];
        assert!(found == value || found.is_nan() && value.is_nan(), "{value} came back as {found}");
    }
    assert_eq!(code(store.set_trial_state(trial, TrialState::Complete, &[f64::NAN], NOW)), Some(ErrorCode::InvalidParameterValue));
    assert_eq!(store.get_trial(trial).expect("it is there").content.state, TrialState::Running);
}

fn what_no_worker_could_read_is_refused(store: &TrackingStore) {
    let id = study(store);
    let trial = trial(store, id);
    let bad = Some(ErrorCode::InvalidParameterValue);
    for (value, distribution) in [(0.5, "{"), (3.0, CATEGORICAL), (f64::NAN, FLOAT), (f64::INFINITY, INT)] {
        assert_eq!(code(store.set_trial_param(trial, "x", &param(value, distribution))), bad);
        let content = TrialContent { params: [("x".to_owned(), param(value, distribution))].into(), ..TrialContent::running(NOW) };
        assert_eq!(code(store.create_trial(id, &content)), bad);
    }
    assert_eq!(code(store.set_trial_param(trial, &"x".repeat(513), &param(0.5, FLOAT))), bad);
    let content = TrialContent { user_attributes: [("a".to_owned(), "{".to_owned())].into(), ..TrialContent::running(NOW) };
    assert_eq!(code(store.create_trial(id, &content)), bad);
    assert_eq!(all(store, id).len(), 1);
}

fn only_what_is_new_is_read(store: &TrackingStore) {
    let (id, other) = (study(store), study(store));
    let foreign = trial(store, other);
    let trials: Vec<TrialId> = (0..700).map(|_| trial(store, id)).collect();
    let ids = |newer_than: TrialId, also: &[TrialId]| -> Vec<TrialId> {
        store.get_trials(id, newer_than, also).expect("a study").into_iter().map(|trial| trial.id).collect()
    };
    assert_eq!(ids(TrialId(-1), &[]), trials);
    assert_eq!(ids(trials[699], &[]), []);
    assert_eq!(
        ids(trials[697], &[trials[3], trials[1], trials[699], foreign, trials[3]]),
        [trials[1], trials[3], trials[698], trials[699]]
    );
    assert_eq!(ids(trials[699], &trials[..40]), trials[..40]);
    // More than are asked for one by one.
    let most: Vec<TrialId> = trials[2..].iter().copied().filter(|id| *id != trials[5]).collect();
    assert_eq!(ids(trials[698], &most), most);
    store.set_trial_intermediate_value(trials[1], 4, 0.5).expect("it runs");
    let found = store.get_trials(id, trials[699], &[trials[1]]).expect("a study");
    assert_eq!(found, [store.get_trial(trials[1]).expect("it is there")]);
    assert_eq!(found[0].content.intermediate_values, [(4, 0.5)].into());
}

fn a_study_is_deleted_with_its_trials(store: &TrackingStore) {
    let name = name();
    let id = store.create_study(&name, &[StudyDirection::Minimize]).expect("a new name");
    let trial = trial(store, id);
    store.set_trial_param(trial, "x", &param(0.5, FLOAT)).expect("it runs");
    store.set_trial_intermediate_value(trial, 0, 0.5).expect("it runs");
    store.set_trial_attribute(trial, AttributeKind::User, "a", "1").expect("it runs");
    store.set_study_attribute(id, AttributeKind::User, "a", "1").expect("it is there");
    store.delete_study(id).expect("it is there");
    assert_eq!(code(store.get_trial(trial)), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(code(store.delete_study(id)), Some(ErrorCode::ResourceDoesNotExist));
    let again = store.create_study(&name, &[StudyDirection::Maximize]).expect("the name is free");
    assert!(again > id, "workers remember trials by the id of their study");
    assert!(all(store, again).is_empty());
}

fn a_thousand_trials_are_read(store: &TrackingStore) {
    let id = study(store);
    let content = TrialContent {
        state: TrialState::Complete,
        values: vec![1.0],
        params: (0..4).map(|place| (format!("x{place}"), param(0.5, FLOAT))).collect(),
        intermediate_values: (0..4).map(|step| (step, 0.5)).collect(),
        ..TrialContent::running(NOW)
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..125).for_each(|_| _ = store.create_trial(id, &content).expect("a study")));
        }
    });
    let found = all(store, id);
    assert_eq!(found.len(), 1_000);
    assert!(found.iter().all(|trial| trial.content == content));
    store.delete_study(id).expect("it is there");
}
