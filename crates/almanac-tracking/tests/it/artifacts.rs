//! Artifacts are whole, listed as MLflow lists them, and never outside their run.

use std::fs;

use almanac_tracking::{ArtifactPath, ArtifactStore, ExperimentId, RunId};

const EXPERIMENT: ExperimentId = ExperimentId(3);

fn run() -> RunId {
    RunId::from_bytes([0xab; 16])
}

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::new(text).expect("valid")
}

#[test]
fn what_is_written_is_read_and_listed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = ArtifactStore::new(folder.path());
    assert!(store.list(EXPERIMENT, &run(), None).expect("empty").is_empty());
    store.write(EXPERIMENT, &run(), &path("model/card.md"), b"one").expect("writes");
    store.write(EXPERIMENT, &run(), &path("model/card.md"), b"two, longer").expect("writes over it");
    let lies = store.write(EXPERIMENT, &run(), &path("größe 100%.json"), b"{}").expect("writes");
    assert_eq!(lies, folder.path().join("3").join("ab".repeat(16)).join("artifacts/größe 100%.json"));
    assert_eq!(store.read(EXPERIMENT, &run(), &path("model/card.md")).expect("reads"), b"two, longer");

    let list = |folder: Option<&ArtifactPath>| -> Vec<(String, Option<u64>)> {
        store.list(EXPERIMENT, &run(), folder).expect("lists").into_iter().map(|info| (info.path, info.size)).collect()
    };
    assert_eq!(list(None), [("größe 100%.json".to_owned(), Some(2)), ("model".to_owned(), None)]);
    assert_eq!(list(Some(&path("model"))), [("model/card.md".to_owned(), Some(11))]);
}

#[test]
fn a_file_is_copied_in() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let from = folder.path().join("table.csv");
    fs::write(&from, "a,b\n1,2\n").expect("written");
    let store = ArtifactStore::new(folder.path().join("artifacts"));
    let to = store.copy_in(EXPERIMENT, &run(), &path("t.csv"), &from).expect("copies");
    assert_eq!(fs::read(to).expect("read"), b"a,b\n1,2\n");
    let error = store.copy_in(EXPERIMENT, &run(), &path("u.csv"), &folder.path().join("none")).expect_err("no such file");
    assert!(error.to_string().starts_with("failed to read artifact `"));
}

#[test]
fn no_path_leads_out_of_its_run() {
    for bad in ["", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "a/", "a\\..\\b", "C:x", "a\0b", "a\nb"] {
        assert!(ArtifactPath::new(bad).is_err(), "`{bad}`");
    }
}

#[test]
fn a_run_id_is_32_hex_digits() {
    assert!(RunId::new("0123456789abcdef0123456789abcdef").is_ok());
    for bad in ["", "../../../../../../../../etc/pass", "0123456789ABCDEF0123456789ABCDEF", "0123"] {
        assert!(RunId::new(bad).is_err(), "`{bad}`");
    }
}
