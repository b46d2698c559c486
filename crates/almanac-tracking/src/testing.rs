//! The suite that every [`TrackingStore`] passes; shipped, so that stores elsewhere can run it too.
//!
//! Not here: what only one store has, such as the schema of a file.

use crate::{
    Batch, ExperimentId, Metric, Millis, NewModelVersion, NewRun, Param, RunId, RunStatus, StoreError, Tag, TrackingStore, VersionStatus,
};

/// Checks a fresh, empty store against the contract of [`TrackingStore`].
///
/// # Panics
/// Where the store breaks the contract.
pub async fn check_store(store: &dyn TrackingStore) {
    experiments(store).await;
    runs(store).await;
    logging(store).await;
    batches(store).await;
    registry(store).await;
}

fn id(n: u8) -> RunId {
    RunId::from_bytes([n; 16])
}

fn param(key: &str, value: &str) -> Param {
    Param { key: key.into(), value: value.into() }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.into(), value: value.into() }
}

fn metric(key: &str, value: f64, step: i64) -> Metric {
    Metric { key: key.into(), value, timestamp: Millis(1_000 + step), step }
}

async fn start(store: &dyn TrackingStore, n: u8, experiment: ExperimentId) -> RunId {
    let run = NewRun { id: id(n), experiment, name: format!("run-{n}"), started: Millis(i64::from(n)), tags: Vec::new() };
    store.start_or_resume_run(&run).await.expect("a new run starts");
    id(n)
}

async fn experiments(store: &dyn TrackingStore) {
    assert!(store.experiments().await.expect("lists").is_empty(), "the suite wants an empty store");
    let first = store.experiment("weekly", Millis(1)).await.expect("makes");
    let again = store.experiment("weekly", Millis(2)).await.expect("finds");
    assert_eq!(first, again, "the same name is the same experiment");
    let second = store.experiment("größe 'x'; --", Millis(3)).await.expect("odd names are names");
    assert_eq!(store.experiments().await.expect("lists"), [second, first], "newest first");
    assert!(matches!(store.experiment(" ", Millis(1)).await, Err(StoreError::InvalidName(_))));
}

async fn runs(store: &dyn TrackingStore) {
    let experiment = store.experiment("runs", Millis(1)).await.expect("makes").id;
    let other = store.experiment("other", Millis(1)).await.expect("makes").id;
    let new = NewRun { id: id(1), experiment, name: "first".into(), started: Millis(10), tags: vec![tag("host", "a")] };
    let (run, is_new) = store.start_or_resume_run(&new).await.expect("starts");
    assert!(is_new && run.status == RunStatus::Running && run.ended.is_none());

    store.end_run(&id(1), RunStatus::Failed, Millis(20)).await.expect("ends");
    let ended = store.run(&id(1)).await.expect("is there");
    assert_eq!((ended.status, ended.ended), (RunStatus::Failed, Some(Millis(20))));

    let later = NewRun { name: "second".into(), started: Millis(30), tags: vec![tag("host", "b")], ..new.clone() };
    let (resumed, is_new) = store.start_or_resume_run(&later).await.expect("resumes");
    assert!(!is_new, "the same id is the same run");
    assert_eq!(resumed, run, "name and start stay");
    assert_eq!(store.run_data(&id(1)).await.expect("is there").tags, [tag("host", "b")]);

    let moved = NewRun { experiment: other, ..new.clone() };
    assert!(matches!(store.start_or_resume_run(&moved).await, Err(StoreError::RunElsewhere { .. })));
    let lost = NewRun { id: id(9), experiment: ExperimentId(987_654), ..new };
    assert!(matches!(store.start_or_resume_run(&lost).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.run(&id(9)).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.end_run(&id(9), RunStatus::Finished, Millis(1)).await, Err(StoreError::NotFound { .. })));

    for n in [12, 11, 13] {
        start(store, n, experiment).await;
    }
    let newest: Vec<RunId> = store.runs(experiment, 3).await.expect("lists").into_iter().map(|run| run.id).collect();
    assert_eq!(newest, [id(13), id(12), id(11)]);
    assert!(store.runs(other, 10).await.expect("lists").is_empty());
}

async fn logging(store: &dyn TrackingStore) {
    let experiment = store.experiment("logging", Millis(1)).await.expect("makes").id;
    let run = start(store, 20, experiment).await;
    let batch = Batch {
        params: vec![param("model/lags", "7"), param("a", "")],
        metrics: vec![metric("wape", 0.3, 0), metric("wape", 0.1, 2), metric("wape", 0.2, 1), metric("nan", f64::NAN, 0)],
        tags: vec![tag("k", "1")],
    };
    store.log(&run, &batch).await.expect("logs");
    store.log(&run, &batch).await.expect("the same again is fine");
    store.log(&run, &Batch { tags: vec![tag("k", "2")], ..Batch::default() }).await.expect("a tag may change");

    let data = store.run_data(&run).await.expect("is there");
    assert_eq!(data.params, [param("a", ""), param("model/lags", "7")]);
    assert_eq!(data.tags, [tag("k", "2")]);
    assert_eq!(data.metrics.len(), 2);
    assert!(data.metrics[0].value.is_nan(), "NaN is kept");
    assert_eq!(data.metrics[1], metric("wape", 0.1, 2), "the latest step counts");
    let history = store.metric_history(&run, "wape").await.expect("is there");
    assert_eq!(history, [metric("wape", 0.3, 0), metric("wape", 0.2, 1), metric("wape", 0.1, 2)], "stored once each");
    assert!(store.metric_history(&run, "none").await.expect("is there").is_empty());

    let extreme = Batch { metrics: vec![metric("inf", f64::NEG_INFINITY, 0), metric("tiny", 5e-324, 0)], ..Batch::default() };
    store.log(&run, &extreme).await.expect("logs");
    assert_eq!(store.metric_history(&run, "inf").await.expect("is there")[0].value, f64::MIN);
    assert_eq!(store.metric_history(&run, "tiny").await.expect("is there")[0].value, 5e-324);
}

async fn batches(store: &dyn TrackingStore) {
    let experiment = store.experiment("batches", Millis(1)).await.expect("makes").id;
    let run = start(store, 30, experiment).await;
    store.log(&run, &Batch { params: vec![param("p", "1")], ..Batch::default() }).await.expect("logs");
    let conflict =
        Batch { params: vec![param("new", "1"), param("p", "2")], metrics: vec![metric("m", 1.0, 0)], tags: vec![tag("t", "1")] };
    assert!(matches!(store.log(&run, &conflict).await, Err(StoreError::ParamChanged { .. })));
    for key in ["", "a//b", "../x", "/a", "a$b", &"k".repeat(251)] {
        let batch = Batch { metrics: vec![metric("fine", 1.0, 0), metric(key, 1.0, 0)], ..Batch::default() };
        assert!(matches!(store.log(&run, &batch).await, Err(StoreError::InvalidName(_))), "`{key}`");
    }
    let data = store.run_data(&run).await.expect("is there");
    assert_eq!((data.params, data.metrics, data.tags), (vec![param("p", "1")], vec![], vec![]), "a failed batch leaves nothing");
    assert!(matches!(store.log(&id(31), &Batch::default()).await, Err(StoreError::NotFound { .. })));

    let many: Vec<Metric> = (0..5_000).map(|step| metric("loss", step as f64 / 7.0, step)).collect();
    store.log(&run, &Batch { metrics: many.clone(), ..Batch::default() }).await.expect("logs many");
    assert_eq!(store.metric_history(&run, "loss").await.expect("is there"), many);
}

async fn registry(store: &dyn TrackingStore) {
    let new = |source: &str, n: u8| NewModelVersion {
        model: "demand".into(),
        run: Some(id(n)),
        source: source.into(),
        status: VersionStatus::Pending,
        created: Millis(i64::from(n)),
    };
    assert!(store.version_by_alias("demand", "champion").await.expect("asks").is_none());
    assert!(store.model_versions("demand").await.expect("asks").is_empty());
    let first = store.register_version(&new("a", 40)).await.expect("registers");
    let again = store.register_version(&new("a", 40)).await.expect("finds");
    assert_eq!(first, again, "the same run and source is the same version");
    let second = store.register_version(&new("b", 41)).await.expect("registers");
    assert_eq!((first.version, second.version), (1, 2));

    store.set_version_status("demand", 2, VersionStatus::Ready, Millis(50)).await.expect("sets");
    let versions = store.model_versions("demand").await.expect("lists");
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1], "newest first");
    assert_eq!(versions[0].status, VersionStatus::Ready);

    store.set_alias("demand", "champion", 1, Millis(60)).await.expect("sets");
    store.set_alias("demand", "champion", 2, Millis(61)).await.expect("moves");
    let champion = store.version_by_alias("demand", "champion").await.expect("asks").expect("is there");
    assert_eq!(champion.version, 2);
    let models = store.registered_models().await.expect("lists");
    assert_eq!((models.len(), &models[0].name[..], models[0].updated), (1, "demand", Millis(61)));
    assert_eq!(models[0].aliases, [("champion".to_owned(), 2)]);

    store.delete_alias("demand", "champion", Millis(62)).await.expect("deletes");
    store.delete_alias("demand", "champion", Millis(63)).await.expect("twice is fine");
    assert!(store.version_by_alias("demand", "champion").await.expect("asks").is_none());

    assert!(matches!(store.set_alias("demand", "champion", 9, Millis(1)).await, Err(StoreError::NotFound { .. })));
    for alias in ["latest", "V12", "a/b", ""] {
        assert!(matches!(store.set_alias("demand", alias, 1, Millis(1)).await, Err(StoreError::InvalidName(_))), "`{alias}`");
    }
    let bad = NewModelVersion { model: "a/b".into(), ..new("c", 42) };
    assert!(matches!(store.register_version(&bad).await, Err(StoreError::InvalidName(_))));
}
