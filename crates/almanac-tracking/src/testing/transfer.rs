//! Moving a store out and in.

use std::path::Path;

use crate::{Artifacts, Batch, ImportOptions, Metric, Millis, NewExperiment, NewRun, Param, RunId, Source, StoreUrl, Tag, TrackingStore};

pub(super) fn transfer(store: &TrackingStore) {
    let folder = tempfile::tempdir().expect("a folder");
    fill(store);
    let first = folder.path().join("first");
    store.export(&first).expect("exports");

    let other = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("other.db"))).expect("opens");
    let report = import(&other, &first);
    assert_eq!((report.problem_count, report.conflict_count()), (0, 0), "{:?} {:?}", report.problems, report.conflicts);
    let second = folder.path().join("second");
    other.export(&second).expect("exports");
    assert_same(&first, &second);

    let again = import(store, &second);
    assert_eq!((again.added(), again.conflict_count(), again.problem_count), (0, 0, 0), "{:?} {:?}", again.conflicts, again.problems);
    let third = folder.path().join("third");
    store.export(&third).expect("exports");
    assert_same(&first, &third);
}

fn import(store: &TrackingStore, folder: &Path) -> crate::ImportReport {
    let source = Source::detect(&folder.display().to_string()).expect("an export");
    store.import(&source, &ImportOptions { artifacts: Artifacts::Keep, dry_run: false }).expect("imports")
}

fn fill(store: &TrackingStore) {
    let new = NewExperiment { name: format!("suite-transfer {}", RunId::random()), ..NewExperiment::default() };
    let experiment = store.create_experiment(&new, Millis(5)).expect("made");
    for number in 0..3_u8 {
        let id = RunId::random();
        let run =
            NewRun { id: id.clone(), experiment, name: format!("é {number}"), user: String::new(), started: Millis(7), tags: Vec::new() };
        store.create_run(&run).expect("made");
        let metrics = [1.5, f64::NAN, f64::INFINITY, -0.1].iter().enumerate();
        let metrics = metrics.map(|(step, value)| Metric::new("loss", *value, Millis(9), step as i64)).collect();
        let params = vec![Param { key: "a/b".to_owned(), value: "line\nline \"quoted\"".to_owned() }];
        let tags = vec![Tag { key: "Z".to_owned(), value: String::new() }, Tag { key: "a".to_owned(), value: "ü".to_owned() }];
        store.log_batch(&id, &Batch { params, metrics, tags }).expect("logs");
    }
}

fn assert_same(left: &Path, right: &Path) {
    for file in std::fs::read_dir(left).expect("a folder") {
        let name = file.expect("a file").file_name();
        let text = |folder: &Path| std::fs::read_to_string(folder.join(&name)).expect("reads");
        assert_eq!(text(left), text(right), "{}", name.display());
    }
}
