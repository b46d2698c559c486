//! What a file brings with it: kill, damage, versions, two processes, writers that share a commit.

use std::fs;
use std::path::Path;
use std::sync::Barrier;

use almanac_series::Hint;
use almanac_tracking::testing::check_store;
use almanac_tracking::{
    Batch, ErrorCode, ExperimentId, Metric, Millis, NewRun, NewValidation, Param, RunId, RunQuery, RunStatus, SCHEMA_VERSION, StoreError,
    StoreUrl, TrackingStore,
};
use expect_test::expect;

/// A database as version 1 wrote it.
const V1: &str = include_str!("../data/v1.sql");

fn open(path: &Path) -> Result<TrackingStore, StoreError> {
    TrackingStore::open(&StoreUrl::Sqlite(path.to_owned()))
}

fn new_run(n: u8) -> NewRun {
    let id = RunId::from_bytes([n; 16]);
    NewRun { id, experiment: ExperimentId(0), name: format!("run-{n}"), user: String::new(), started: Millis(i64::from(n)), tags: vec![] }
}

/// The message without the folder, and the hint.
fn shown(error: &StoreError, folder: &Path) -> String {
    let text = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
    text.replace(&format!("{}/", folder.display()), "")
}

#[test]
fn the_store_keeps_the_contract_in_a_file() {
    let folder = tempfile::tempdir().expect("temporary folder");
    check_store(&open(&folder.path().join("deep/er/almanac.db")).expect("opens"));
}

#[test]
fn what_was_stored_is_there_after_closing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let id = open(&path).expect("opens").get_or_create_experiment("e", Millis(1)).expect("makes").id;
    assert_eq!(open(&path).expect("opens again").get_experiment(id).expect("is there").name, "e");
}

/// A killed process leaves the file and its WAL as they are at that moment; a copy of both is what the next one finds.
#[test]
fn a_killed_process_loses_nothing_that_was_committed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = open(&folder.path().join("almanac.db")).expect("opens");
    store.create_run(&new_run(1)).expect("starts");
    let metrics = (0..100).map(|step| Metric::new("m", 1.5, Millis(step), step)).collect();
    store.log_batch(&RunId::from_bytes([1; 16]), &Batch { metrics, ..Batch::default() }).expect("logs");
    let after = folder.path().join("after");
    fs::create_dir(&after).expect("made");
    for name in ["almanac.db", "almanac.db-wal"] {
        fs::copy(folder.path().join(name), after.join(name)).expect("the WAL is there while the store is open");
    }
    let revived = open(&after.join("almanac.db")).expect("opens");
    assert_eq!(revived.metric_history(&RunId::from_bytes([1; 16]), "m", None, None).expect("is there").items.len(), 100);
}

#[test]
fn writers_share_commits_and_fail_alone() {
    const WRITERS: u8 = 8;
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = open(&folder.path().join("almanac.db")).expect("opens");
    let barrier = Barrier::new(usize::from(WRITERS));
    std::thread::scope(|scope| {
        for n in 1..=WRITERS {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                store.create_run(&new_run(n)).expect("starts");
                let id = RunId::from_bytes([n; 16]);
                store.log_param(&id, &Param { key: "p".into(), value: "1".into() }).expect("logs");
                barrier.wait();
                for step in 0..200 {
                    let metrics = vec![Metric::new("m", 1.0, Millis(step), step)];
                    // Every third batch meets a param that has another value.
                    let value = if step % 3 == 0 { "2" } else { "1" };
                    let batch = Batch { metrics, params: vec![Param { key: "p".into(), value: value.into() }], tags: vec![] };
                    let logged = store.log_batch(&id, &batch);
                    assert_eq!(logged.is_ok(), step % 3 != 0, "{logged:?}");
                }
            });
        }
    });
    for n in 1..=WRITERS {
        let history = store.metric_history(&RunId::from_bytes([n; 16]), "m", None, None).expect("is there").items;
        let steps: Vec<i64> = history.iter().map(|metric| metric.step).collect();
        assert_eq!(steps, (0..200).filter(|step| step % 3 != 0).collect::<Vec<_>>(), "what failed left nothing, what did not is there");
    }
}

#[test]
fn two_programs_write_to_one_file() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    std::thread::scope(|scope| {
        for n in 1..=4 {
            let path = &path;
            // Each has connections of its own, as another process would have.
            scope.spawn(move || {
                let store = open(path).expect("opens at the same time as the others");
                store.create_run(&new_run(n)).expect("starts");
            });
        }
    });
    let query = RunQuery { experiments: vec![ExperimentId(0)], ..RunQuery::default() };
    assert_eq!(open(&path).expect("opens").search_runs(&query).expect("finds").items.len(), 4);
}

#[test]
fn metrics_are_the_same_before_and_after_they_are_sorted() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let store = open(&path).expect("opens");
    store.create_run(&new_run(1)).expect("starts");
    let id = RunId::from_bytes([1; 16]);
    let batch =
        |from: i64| Batch { metrics: (from..from + 50).map(|step| Metric::new("m", 1.0, Millis(5), step)).collect(), ..Batch::default() };
    store.log_batch(&id, &batch(0)).expect("logs");
    drop(store);
    // Opening sorts what was left; the same again comes as new once more.
    let store = open(&path).expect("opens");
    store.log_batch(&id, &batch(25)).expect("logs");
    assert_eq!(store.metric_history(&id, "m", None, None).expect("is there").items.len(), 75, "each value once");
}

#[test]
fn a_database_of_version_1_is_taken_over() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let id = "0123456789abcdef0123456789abcdef";
    let rows = format!(
        "INSERT INTO experiments VALUES (1, 'shop', 5);
         INSERT INTO runs VALUES ('{id}', 1, 'lightgbm', 'FINISHED', 10, 20);
         INSERT INTO params VALUES ('{id}', 'horizon', '28');
         INSERT INTO metrics VALUES ('{id}', 'wape', 0, 7, 1, 0.5), ('{id}', 'wape', 1, 8, 0, 0), ('{id}', 'bias', 0, 7, 1, 0.1);
         INSERT INTO tags VALUES ('{id}', 'almanac.version', '0.1.0');
         INSERT INTO registered_models VALUES ('shop', 5, 6, 3);
         INSERT INTO model_versions VALUES ('shop', 3, '{id}', 'artifacts/1/{id}/artifacts/model', 'READY', 6);
         INSERT INTO model_aliases VALUES ('shop', 'champion', 3);"
    );
    let old = rusqlite::Connection::open(&path).expect("opens");
    old.execute_batch(V1).and_then(|()| old.execute_batch(&rows)).expect("the old tables");
    drop(old);

    let store = open(&path).expect("takes it over");
    let record = store.get_run_record(&RunId::new(id).expect("an id")).expect("is there");
    assert_eq!((record.run.status, record.run.ended, record.run.name.as_str()), (RunStatus::Finished, Some(Millis(20)), "lightgbm"));
    assert_eq!(record.run.artifact_uri, format!("mlflow-artifacts:/1/{id}/artifacts"));
    assert_eq!(record.data.params.len(), 1);
    assert_eq!(record.data.metrics[0], Metric::new("bias", 0.1, Millis(7), 0));
    assert!(record.data.metrics[1].value.is_nan() && record.data.metrics[1].step == 1);
    assert_eq!(store.metric_history(&record.run.id, "wape", None, None).expect("is there").items.len(), 2);
    let champion = store.version_by_alias("shop", "champion").expect("asks").expect("is there");
    assert_eq!((champion.version, champion.run_id.as_deref()), (3, Some(id)));
    assert_eq!(store.get_experiment(ExperimentId(0)).expect("is made").name, "Default");
    drop(store);
    open(&path).expect("opens once more");
}

fn validation(suite: &str, failed: i64) -> NewValidation {
    NewValidation {
        layer: "bronze".into(),
        table: "sales".into(),
        suite: suite.into(),
        success: failed == 0,
        expectations: 3,
        failed,
        rows: 100,
        report: r#"{"outcomes":[]}"#.into(),
    }
}

#[test]
fn a_database_of_version_2_keeps_its_runs_and_learns_to_keep_validations() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let store = open(&path).expect("opens");
    store.create_run(&new_run(1)).expect("starts");
    let id = RunId::from_bytes([1; 16]);
    let batch = Batch { params: vec![Param { key: "horizon".into(), value: "28".into() }], ..Batch::default() };
    store.log_batch(&id, &batch).expect("logs");
    drop(store);
    // What version 2 was: all but the table of validations.
    let old = rusqlite::Connection::open(&path).expect("opens");
    old.execute_batch("DROP TABLE validations; PRAGMA user_version = 2").expect("goes back");
    drop(old);

    // Two programs open it at once; one of them brings it up to date.
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                open(&path).expect("takes it over");
            });
        }
    });
    let store = open(&path).expect("opens once more");
    assert_eq!(store.get_run_record(&id).expect("is there").data.params.len(), 1);
    assert!(store.validations(10).expect("asks").is_empty());
    store.record_validation(&validation("a", 1), Millis(5)).expect("keeps");
    let kept = store.validations(10).expect("asks");
    assert_eq!((kept.len(), kept[0].failed, kept[0].success), (1, 1, false));
    let (_, report) = store.validation_report(kept[0].id).expect("asks").expect("is there");
    assert_eq!(report, r#"{"outcomes":[]}"#);
}

#[test]
fn five_hundred_validations_of_each_suite_are_kept() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = open(&folder.path().join("almanac.db")).expect("opens");
    store.record_validation(&validation("rare", 0), Millis(1)).expect("keeps");
    for time in 0..505 {
        store.record_validation(&validation("often", 0), Millis(time)).expect("keeps");
    }
    store.record_validation(&validation("rare", 2), Millis(1000)).expect("keeps");
    let kept = store.validations(10_000).expect("asks");
    let of = |suite: &str| kept.iter().filter(|one| one.suite == suite).count();
    assert_eq!((of("often"), of("rare")), (500, 2));
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE notes (text TEXT)").expect("makes");
    let error = open(&path).expect_err("not ours");
    expect![[r#"
        `other.db` is not a tracking database of Almanac
        hint: put back a copy, or move `other.db` away: forecasts and the lake stay, the history of runs starts anew"#]]
    .assert_eq(&shown(&error, folder.path()));

    other.execute_batch("CREATE TABLE experiments (x); CREATE TABLE runs (x); CREATE TABLE alembic_version (x)").expect("makes");
    let error = open(&path).expect_err("MLflow's");
    expect![[r#"
        `other.db` is the database of an MLflow server
        hint: `almanac tracking import other.db` copies it into a database of Almanac and leaves it as it is"#]]
    .assert_eq(&shown(&error, folder.path()));

    let text = folder.path().join("text.db");
    fs::write(&text, "this is no database, but a text that is long enough to look like one ".repeat(20)).expect("written");
    assert!(matches!(open(&text), Err(StoreError::NotOurs { .. })));
    assert!(matches!(open(folder.path()), Err(StoreError::Unopenable { .. } | StoreError::Database { .. })));
}

#[test]
fn a_newer_database_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    drop(open(&path).expect("opens"));
    let newer = rusqlite::Connection::open(&path).expect("opens");
    newer.pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("sets");
    let error = open(&path).expect_err("newer");
    expect![[r#"
        database `almanac.db` has schema version 4, this program knows versions up to 3
        hint: use the newer Almanac that wrote it"#]]
    .assert_eq(&shown(&error, folder.path()));
}

#[test]
fn what_a_call_refuses_is_no_failure_of_the_database() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = open(&folder.path().join("almanac.db")).expect("opens");
    let error = store.get_experiment(ExperimentId(77)).expect_err("unknown");
    assert_eq!(error.code(), Some(ErrorCode::ResourceDoesNotExist));
    assert_eq!(error.to_string(), "No Experiment with id=77 exists");
}
