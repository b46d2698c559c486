//! Versions in git: what differs between revisions, and going back and forth.

use std::fs;

use almanac_versions::{VersionsError, Which};
use expect_test::expect;

use crate::place::Place;

#[test]
fn the_difference_of_two_commits_names_files() {
    let place = Place::with_git();
    place.write("d/a", "1");
    place.write("d/moved", "2");
    place.write("d/gone", "3");
    place.write("f", "x");
    place.add("d");
    place.add("f");
    place.commit("one");
    place.write("d/a", "1b");
    place.remove("d/gone");
    fs::rename(place.path("d/moved"), place.path("d/now-here")).expect("is there");
    place.write("d/new", "4");
    let in_folder = place.repo().diff("HEAD", None, &[], &()).expect("can be told").to_json(false, true);
    place.add("d");
    place.commit("two");
    let diff = place.repo().diff("HEAD~1", Some("HEAD"), &[], &()).expect("can be told");
    let between = diff.to_json(false, false);
    expect![[r#"{"added":[{"path":"d/new"}],"deleted":[{"path":"d/gone"}],"modified":[{"path":"d/"},{"path":"d/a"}],"renamed":[{"path":{"new":"d/now-here","old":"d/moved"}}]}"#]]
        .assert_eq(&between.to_string());
    assert_eq!(in_folder["modified"], between["modified"]);
    assert_eq!(in_folder["not in cache"], serde_json::json!([]));
    assert!(place.repo().diff("HEAD", None, &[], &()).expect("can be told").is_empty());
    assert!(matches!(place.repo().diff("nothing", None, &[], &()), Err(VersionsError::Git { .. })));
}

#[test]
fn another_revision_brings_its_data_and_takes_away_what_it_does_not_track() {
    let place = Place::with_git();
    place.write("a", "old");
    place.add("a");
    place.commit("one");
    place.write("a", "new");
    place.write("d/later", "x");
    place.add("a");
    place.add("d");
    place.commit("two");
    place.git("checkout -q HEAD~1");
    let done = place.checkout();
    assert_eq!((done.modified, done.deleted), (vec!["a".to_owned()], vec!["d/".to_owned()]));
    assert_eq!(place.read("a"), "old");
    assert!(!place.path("d").exists());
    place.git("checkout -q main");
    place.checkout();
    assert_eq!((place.read("a").as_str(), place.read("d/later").as_str()), ("new", "x"));
}

#[test]
fn what_is_tracked_no_more_stays_if_it_was_changed() {
    let place = Place::with_git();
    place.write("a", "1");
    place.add("a");
    place.write("a", "mine");
    place.remove("a.dvc");
    place.checkout();
    assert_eq!(place.read("a"), "mine");
}

#[test]
fn outputs_of_all_commits_are_listed_with_their_objects() {
    let place = Place::with_git();
    place.write("d/a", "1");
    place.add("d");
    place.commit("one");
    place.write("d/a", "2");
    place.add("d");
    place.commit("two");
    let repo = place.repo();
    let (outs, unreadable) = repo.outs_of(&[Which::All]).expect("can be listed");
    assert!(unreadable.is_empty());
    let objects: Vec<_> = outs.iter().map(|out| repo.objects_of(out).expect("can be read").expect("is there").len()).collect();
    assert_eq!(objects, [2, 2]);
}

#[test]
fn outputs_of_pipelines_have_versions_too() {
    let place = Place::with_git();
    place.write("sub/raw", "1");
    place.write("sub/made", "2");
    place.write("sub/metric.json", "{}");
    place.write("sub/dvc.yaml", "stages:\n  make:\n    cmd: x\n    deps:\n    - raw\n    outs:\n    - made\n    metrics:\n    - metric.json:\n        cache: false\n");
    let sum = |text: &str| almanac_versions::Md5::of(text.as_bytes());
    let entry =
        |path: &str, text: &str| format!("    - path: {path}\n      hash: md5\n      md5: {}\n      size: {}\n", sum(text), text.len());
    place.write(
        "sub/dvc.lock",
        &format!(
            "schema: '2.0'\nstages:\n  make:\n    cmd: x\n    deps:\n{}    outs:\n{}{}",
            entry("raw", "1"),
            entry("made", "2"),
            entry("metric.json", "{}")
        ),
    );
    assert_eq!(place.status().to_json().to_string(), r#"{"sub/dvc.yaml:make":[{"changed outs":{"sub/made":"not in cache"}}]}"#);
    // DVC puts it there when the stage runs; here the same bytes are added under another name.
    place.write("copy", "2");
    place.add("copy");
    assert!(place.status().is_clean());
    place.remove("sub/made");
    place.checkout();
    assert_eq!(place.read("sub/made"), "2");
    place.write("sub/raw", "changed");
    assert_eq!(place.status().to_json().to_string(), r#"{"sub/dvc.yaml:make":[{"changed deps":{"sub/raw":"modified"}}]}"#);
    assert!(matches!(place.try_add("sub/made"), Err(VersionsError::Overlap { .. })));
}

#[test]
fn hooks_are_written_once_and_never_over_others() {
    let place = Place::with_git();
    assert_eq!(place.repo().install_hooks().expect("can be written"), ["post-checkout", "pre-commit", "pre-push"]);
    place.repo().install_hooks().expect("the same again is no harm");
    assert!(place.read(".git/hooks/pre-push").contains("exec almanac data push"));
    fs::write(place.path(".git/hooks/pre-commit"), "mine").expect("can be written");
    assert!(matches!(place.repo().install_hooks(), Err(VersionsError::Exists { .. })));
    assert_eq!(place.read(".git/hooks/pre-commit"), "mine");
}

#[test]
fn data_of_dvc_2_is_read_where_and_as_it_kept_it() {
    let place = Place::new();
    // DVC 2 hashed text as if its lines ended in `\n`, and kept it right below the cache.
    let text = "a\r\nb\r\n";
    let sum = almanac_versions::Md5::of(b"a\nb\n").to_string();
    place.write(&format!(".dvc/cache/{}/{}", &sum[..2], &sum[2..]), text);
    fs::write(place.path("x.dvc"), format!("outs:\n- md5: {sum}\n  size: 6\n  path: x\n")).expect("can be written");
    place.checkout();
    assert_eq!(place.read("x"), text);
    assert!(place.status().is_clean());
    place.write("x", "a\nb\n");
    assert!(place.status().is_clean());
    place.add("x");
    assert!(place.read("x.dvc").contains("hash: md5"));
}
