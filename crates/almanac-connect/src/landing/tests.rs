//! Commits, kills and strays.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::*;

const SOURCE: &str = "test";

fn open(folder: &Path) -> TableLanding {
    TableLanding::open(folder, "t").expect("opened")
}

fn load(table: &mut TableLanding, text: &str, commit: Commit) {
    let mut load = table.begin();
    let file = load.file("csv");
    fs::write(file.path(), text).expect("written");
    load.add(file, Some(1)).expect("added");
    load.commit(commit).expect("committed");
}

fn rows() -> Commit {
    Commit::new(LoadMode::Rows, SOURCE, Timestamp::UNIX_EPOCH)
}

fn full() -> Commit {
    Commit::new(LoadMode::Full, SOURCE, Timestamp::UNIX_EPOCH)
}

fn current(table: &TableLanding) -> Vec<String> {
    table.manifest().current(SOURCE).iter().map(|file| file.name.clone()).collect()
}

#[test]
fn what_is_not_committed_is_gone_and_what_is_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = open(folder.path());
    load(&mut table, "a\n1\n", Commit { offsets: [("p/0".to_owned(), 7)].into(), ..rows() });
    let mut dropped = table.begin();
    let file = dropped.file("csv");
    fs::write(file.path(), "a\n2\n").expect("written");
    dropped.add(file, None).expect("added");
    drop(dropped);
    // What a kill leaves.
    fs::write(table.folder().join("load-000002.csv"), "half").expect("written");
    fs::write(table.folder().join(".x.tmp"), "half").expect("written");
    let table = open(folder.path());
    assert_eq!(current(&table), ["load-000001.csv"]);
    assert_eq!(table.manifest().offsets(SOURCE).get("p/0"), Some(&7));
    assert_eq!(fs::read_dir(table.folder()).expect("listed").count(), 2);
}

#[test]
fn a_full_load_replaces_and_rows_add() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = open(folder.path());
    load(&mut table, "1", rows());
    load(&mut table, "2", rows());
    assert_eq!(current(&table), ["load-000001.csv", "load-000002.csv"]);
    load(&mut table, "3", full());
    assert_eq!(current(&table), ["load-000003.csv"]);
    load(&mut table, "4", Commit { is_anew: true, ..rows() });
    assert_eq!(current(&table), ["load-000004.csv"]);
    assert_eq!(table.manifest().current("another"), Vec::<&LandedFile>::new());
    assert_eq!(table.manifest().loads.len(), 4, "nothing is forgotten");
}

#[test]
fn another_source_starts_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = open(folder.path());
    load(&mut table, "1", rows());
    load(&mut table, "2", Commit::new(LoadMode::Rows, "other", Timestamp::UNIX_EPOCH));
    assert_eq!(table.manifest().current("other").len(), 1);
    assert!(table.manifest().current(SOURCE).is_empty());
}

#[test]
fn objects_replace_those_of_their_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = open(folder.path());
    let mut land = |names: &[(&str, &str)], gone: &[&str]| {
        let mut load = table.begin();
        for (url, text) in names {
            let file = load.file("csv");
            fs::write(file.path(), text).expect("written");
            let origin = Origin { url: (*url).to_owned(), version: (*text).to_owned(), bytes: 1 };
            load.add_with(file, None, None, Some(origin)).expect("added");
        }
        let gone = gone.iter().map(|url| (*url).to_owned()).collect();
        load.commit(Commit { gone, ..Commit::new(LoadMode::Objects, SOURCE, Timestamp::UNIX_EPOCH) }).expect("committed");
    };
    land(&[("b", "1"), ("a", "1"), ("c", "1")], &[]);
    land(&[("a", "2")], &["c"]);
    let now: Vec<(&str, &str)> = table
        .manifest()
        .current(SOURCE)
        .into_iter()
        .filter_map(|file| file.origin.as_ref())
        .map(|origin| (origin.url.as_str(), origin.version.as_str()))
        .collect();
    assert_eq!(now, [("a", "2"), ("b", "1")]);
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = open(folder.path());
    load(&mut table, "1234", rows());
    let path = table.folder().join("load-000001.csv");
    fs::write(&path, "12").expect("written");
    let error = TableLanding::open(folder.path(), "t").expect_err("cut short");
    assert!(error.to_string().contains("it has 2 bytes, 4 were landed"), "{error}");
    let manifest = table.folder().join("manifest.json");
    for (text, expected) in [
        ("{", "damaged"),
        (r#"{"format_version": 9}"#, "format 9"),
        (
            r#"{"format_version":1,"table":"t","loads":[{"number":1,"mode":"full","source":"s","loaded_at":"","files":[{"name":"../x","bytes":1,"blake3":""}]}]}"#,
            "no name",
        ),
    ] {
        fs::write(&manifest, text).expect("written");
        let error = TableLanding::open(folder.path(), "t").expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}
