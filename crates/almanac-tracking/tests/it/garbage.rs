//! What is deleted for good goes with its files.

use std::sync::Arc;

use almanac_tracking::{
    ArtifactFolder, ArtifactPath, ArtifactStore, CollectProgress, CollectWanted, Collected, Millis, NewExperiment, NewRun, RunId, StoreUrl,
    TrackingStore, collect_garbage,
};
use bytes::Bytes;

fn run(store: &TrackingStore, artifacts: &ArtifactStore, location: Option<&str>, files: &[&str]) -> RunId {
    let new = NewExperiment { name: RunId::random().to_string(), artifact_location: location.map(str::to_owned), tags: Vec::new() };
    let experiment = store.create_experiment(&new, Millis(1)).expect("a new experiment");
    let id = RunId::random();
    let new = NewRun { id: id.clone(), experiment, name: String::new(), user: String::new(), started: Millis(2), tags: Vec::new() };
    store.create_run(&new).expect("a new run");
    let uri = store.artifact_uri_of_run(&id).expect("it is there");
    let Ok(folder) = artifacts.locate(&uri) else { return id };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for file in files {
        let path = folder.join(&ArtifactPath::new(*file).expect("valid")).expect("short");
        runtime.block_on(artifacts.put_bytes(&path, Bytes::from("x"))).expect("writes");
    }
    id
}

#[test]
fn files_go_after_their_rows_also_when_a_collection_was_killed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = Arc::new(TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens"));
    let root = folder.path().join("artifacts");
    let artifacts = ArtifactStore::open(root.to_str().expect("a plain path")).expect("a folder");
    let [killed, dead, alive] = [(); 3].map(|()| run(&store, &artifacts, None, &["a.txt", "model/b.bin"]));
    let elsewhere = run(&store, &artifacts, Some("s3://bucket/of/others"), &[]);
    for run in [&killed, &dead, &elsewhere] {
        store.delete_run(run, Millis(100)).expect("deletes");
    }
    let plan = |runs: &[&RunId]| {
        let runs = runs.iter().map(|run| (*run).clone()).collect();
        store.collect_plan(&CollectWanted { before: Millis(200), runs, ..CollectWanted::default() }).expect("a plan")
    };
    // Rows only, as if it was killed then.
    store.collect_step(&plan(&[&killed]), CollectProgress::default(), Millis(300)).expect("a step");
    assert_eq!(plan(&[&dead]).waiting, 1);

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut told: Vec<Collected> = Vec::new();
    let collect = collect_garbage(Arc::clone(&store), &artifacts, plan(&[&dead, &elsewhere]), Millis(300), |done| told.push(done.clone()));
    let collected = runtime.block_on(collect).expect("collects");
    assert_eq!((collected.rows.deleted_runs, collected.places), (2, 2));
    assert_eq!(collected.elsewhere, [format!("s3://bucket/of/others/{elsewhere}/artifacts")]);
    assert_eq!(told.last(), Some(&collected));
    let left = runtime.block_on(artifacts.list(&ArtifactFolder::ROOT)).expect("lists");
    assert_eq!(left.len(), 1, "{left:?}");
    let uri = store.artifact_uri_of_run(&alive).expect("it is there");
    let files = runtime.block_on(artifacts.list(&artifacts.locate(&uri).expect("ours"))).expect("lists");
    assert_eq!(files.len(), 2);
    assert_eq!(store.garbage("", 10).expect("garbage").len(), 1, "what lies elsewhere is asked about again");
}
