//! Profiles that are kept.

use std::fs;

use almanac_profile::{DriftOptions, ProfileError, ProfileOptions, ProfileStore, compare};

use crate::sample::{profile, sales};

#[test]
fn the_last_two_versions_can_be_compared_without_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let store = ProfileStore::new(folder.path().join("profiles"));
    assert!(store.tables().unwrap().is_empty() && store.newest("sales", 2).unwrap().is_empty());
    for (version, days, time) in [("a1", 10, 1_000), ("b2", 20, 2_000), ("c3", 30, 3_000)] {
        store.keep("sales", version, time, &profile(&sales(0..days, 5, 1), &ProfileOptions::default())).unwrap();
    }
    let newest = store.newest("sales", 2).unwrap();
    assert_eq!(newest.iter().map(|kept| kept.line.version.as_str()).collect::<Vec<_>>(), ["b2", "c3"]);
    let drift = compare(&newest[0].profile, &newest[1].profile, &DriftOptions::default());
    assert_eq!((drift.rows.before, drift.rows.after), (100, 150));
    assert_eq!(store.tables().unwrap(), ["sales"]);
}

#[test]
fn an_old_version_that_comes_back_is_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let store = ProfileStore::new(folder.path());
    let table = profile(&sales(0..10, 5, 1), &ProfileOptions::default());
    for version in ["a", "b", "a"] {
        store.keep("sales", version, 0, &table).unwrap();
    }
    let versions: Vec<String> = store.versions("sales").unwrap().into_iter().map(|line| line.version).collect();
    assert_eq!(versions, ["b", "a"]);
}

#[test]
fn only_the_newest_fifty_versions_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = ProfileStore::new(folder.path());
    let table = profile(&sales(0..2, 2, 1), &ProfileOptions::default());
    for version in 0..53 {
        store.keep("sales", &format!("v{version}"), version, &table).unwrap();
    }
    assert_eq!(store.versions("sales").unwrap().len(), 50);
    assert_eq!(fs::read_dir(folder.path().join("sales")).unwrap().count(), 51);
    assert!(store.read("sales", "v2").is_err() && store.read("sales", "v3").is_ok());
}

#[test]
fn damaged_newer_and_misnamed_profiles_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let store = ProfileStore::new(folder.path());
    let table = profile(&sales(0..2, 2, 1), &ProfileOptions::default());
    let path = store.keep("sales", "v1", 0, &table).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for damaged in ["", "{", "[]", &text[..text.len() / 2], &text.replacen("\"format\":1", "\"format\":2", 1)] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(store.read("sales", "v1"), Err(ProfileError::Kept { .. })), "{damaged}");
    }
    for name in ["", "..", "../x", "a/b", ".hidden", "versions", "a\0b"] {
        assert!(matches!(store.keep(name, "v1", 0, &table), Err(ProfileError::Name { .. })), "{name}");
        assert!(matches!(store.keep("sales", name, 0, &table), Err(ProfileError::Name { .. })), "{name}");
    }
}

// The form of version 0.1: it must load for ever.
#[test]
fn profiles_of_earlier_programs_still_load() {
    let old: almanac_profile::TableProfile = serde_json::from_str(include_str!("../fixtures/profile-v1.json")).unwrap();
    assert_eq!(old, profile(&sales(0..20, 3, 1), &ProfileOptions { key: vec!["store".to_owned()], ..ProfileOptions::default() }));
}
