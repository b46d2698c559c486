//! What a file brings with it: kill, damage, versions, two processes.

use std::fs;
use std::path::Path;

use almanac_series::Hint;
use almanac_tracking::testing::check_store;
use almanac_tracking::{Batch, Metric, Millis, NewRun, Param, RunId, SCHEMA_VERSION, SqliteStore, StoreError, TrackingStore};
use expect_test::expect;

fn new_run(experiment: almanac_tracking::ExperimentId, n: u8) -> NewRun {
    NewRun { id: RunId::from_bytes([n; 16]), experiment, name: format!("run-{n}"), started: Millis(i64::from(n)), tags: Vec::new() }
}

/// The message without the folder, and the hint.
fn shown(error: &StoreError, folder: &Path) -> String {
    let text = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
    text.replace(&format!("{}/", folder.display()), "")
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = SqliteStore::open(&folder.path().join("deep/er/almanac.db")).await.expect("opens");
    check_store(&store).await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_closing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let store = SqliteStore::open(&path).await.expect("opens");
    let experiment = store.experiment("e", Millis(1)).await.expect("makes");
    store.close().await;
    let store = SqliteStore::open(&path).await.expect("opens again");
    assert_eq!(store.experiments().await.expect("lists"), [experiment]);
}

/// A killed process leaves the file and its WAL as they are at that moment; a copy of both is what the next one finds.
#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_committed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let store = SqliteStore::open(&path).await.expect("opens");
    let experiment = store.experiment("e", Millis(1)).await.expect("makes").id;
    store.start_or_resume_run(&new_run(experiment, 1)).await.expect("starts");
    let metrics = (0..100).map(|step| Metric { key: "m".into(), value: 1.5, timestamp: Millis(step), step }).collect();
    store.log(&RunId::from_bytes([1; 16]), &Batch { metrics, ..Batch::default() }).await.expect("logs");

    let after = folder.path().join("after");
    fs::create_dir(&after).expect("made");
    for name in ["almanac.db", "almanac.db-wal"] {
        fs::copy(folder.path().join(name), after.join(name)).expect("the WAL is there while the store is open");
    }
    let revived = SqliteStore::open(&after.join("almanac.db")).await.expect("opens");
    assert_eq!(revived.metric_history(&RunId::from_bytes([1; 16]), "m").await.expect("is there").len(), 100);
    let (_, is_new) = revived.start_or_resume_run(&new_run(experiment, 1)).await.expect("resumes");
    assert!(!is_new);
}

#[tokio::test]
async fn two_stores_on_one_file_write_at_once() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    let (one, two) = tokio::join!(SqliteStore::open(&path), SqliteStore::open(&path));
    let stores = [one.expect("opens"), two.expect("opens beside it")];
    let experiment = stores[0].experiment("e", Millis(1)).await.expect("makes").id;
    let mut tasks = Vec::new();
    for n in 1..=40_u8 {
        let store = stores[usize::from(n % 2)].clone();
        tasks.push(tokio::spawn(async move {
            let run = new_run(experiment, n);
            store.start_or_resume_run(&run).await.expect("starts");
            let batch = Batch { params: vec![Param { key: "n".into(), value: n.to_string() }], ..Batch::default() };
            store.log(&run.id, &batch).await.expect("logs");
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(stores[0].runs(experiment, 100).await.expect("lists").len(), 40);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    SqliteStore::open(&path).await.expect("opens").close().await;
    assert_eq!(SCHEMA_VERSION, 1);
    // Bytes 60..64 of the header are the user version, big endian.
    let mut bytes = fs::read(&path).expect("read");
    bytes[60..64].copy_from_slice(&7_u32.to_be_bytes());
    fs::write(&path, &bytes).expect("written");
    let error = SqliteStore::open(&path).await.expect_err("newer");
    assert_eq!(fs::read(&path).expect("read"), bytes);
    expect![[r#"
        database `almanac.db` has schema version 7, this program knows versions up to 1
        hint: use the newer Almanac that wrote it"#]]
    .assert_eq(&shown(&error, folder.path()));
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    fs::write(&path, "date,store,units\n".repeat(100)).expect("written");
    let error = SqliteStore::open(&path).await.expect_err("a CSV");
    expect![[r#"
        `almanac.db` is not a tracking database of Almanac
        hint: put back a copy, or move `almanac.db` away: forecasts and the lake stay, the history of runs starts anew"#]]
    .assert_eq(&shown(&error, folder.path()));
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    SqliteStore::open(&path).await.expect("opens").close().await;
    let mut bytes = fs::read(&path).expect("read");
    bytes[100..].fill(0xa5);
    fs::write(&path, &bytes).expect("written");
    let error = SqliteStore::open(&path).await.expect_err("damaged");
    expect![[r#"
        database `almanac.db` is damaged
        hint: put back a copy, or move `almanac.db` away: forecasts and the lake stay, the history of runs starts anew"#]]
    .assert_eq(&shown(&error, folder.path()));
}

#[tokio::test]
async fn a_folder_in_the_place_of_the_file_is_an_error() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("almanac.db");
    fs::create_dir(&path).expect("made");
    let error = SqliteStore::open(&path).await.expect_err("a folder");
    expect![[r#"
        failed to open database `almanac.db`
        hint: check the rights of the file and of its folder, which must be writable too"#]]
    .assert_eq(&shown(&error, folder.path()));
}
