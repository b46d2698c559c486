//! What `add` writes, and that a checkout brings it back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use almanac_versions::{AddOptions, CheckoutOptions, VersionsError};
use expect_test::expect;

use crate::place::{Place, told};

#[test]
fn a_file_gets_a_pointer_and_a_read_only_object() {
    let place = Place::with_git();
    place.write("data/a.csv", "x\n1\n");
    let added = place.add("data/a.csv");
    assert_eq!(added.for_git, ["data/.gitignore", "data/a.csv.dvc"]);
    expect![[r#"
        outs:
        - md5: 4b65fa2a0e1d9dbd4e82cc35a1b6d1e4
          size: 4
          hash: md5
          path: a.csv
    "#]]
    .assert_eq(
        &place.read("data/a.csv.dvc").replace(&almanac_versions::Md5::of(b"x\n1\n").to_string(), "4b65fa2a0e1d9dbd4e82cc35a1b6d1e4"),
    );
    assert_eq!(place.read("data/.gitignore"), "/a.csv\n");
    let object = place.path(".dvc/cache").join(almanac_versions::Oid::file(almanac_versions::Md5::of(b"x\n1\n")).place());
    assert_eq!(fs::metadata(object).expect("is there").mode() & 0o777, 0o444);
    assert!(place.status().is_clean());
}

#[test]
fn a_folder_is_one_list_sorted_by_code_point() {
    let place = Place::new();
    for name in ["b", "B", "ü", "sub/x", "empty"] {
        place.write(&format!("d/{name}"), if name == "empty" { "" } else { name });
    }
    fs::create_dir(place.path("d/nothing")).expect("can be made");
    place.add("d");
    let list = place.objects().into_iter().find(|(name, _)| name.contains(".dir")).expect("a list").1;
    let names: Vec<String> = serde_json::from_slice::<Vec<serde_json::Value>>(&list)
        .expect("JSON")
        .iter()
        .map(|entry| entry["relpath"].as_str().expect("a path").to_owned())
        .collect();
    assert_eq!(names, ["B", "b", "empty", "sub/x", "ü"]);
    assert!(String::from_utf8(list).expect("ASCII").contains("\\u00fc"));
    assert!(place.read("d.dvc").contains("nfiles: 5"));
}

#[test]
fn what_was_added_comes_back_as_it_was() {
    let place = Place::new();
    let names = ["d/a", "d/sub/ü ñ", "d/e\u{301}", "d/\u{e9}", "d/new\nline", "d/it's \"quoted\"", "d/ lead", "d/trail ", "d/empty"];
    for name in names {
        place.write(name, if name == "d/empty" { "" } else { name });
    }
    place.write("single", "1");
    place.add("d");
    place.add("single");
    place.remove("d");
    place.remove("single");
    let done = place.checkout();
    assert_eq!(done.added, ["d/", "single"]);
    for name in names {
        assert_eq!(place.read(name), if name == "d/empty" { "" } else { name });
    }
    assert!(place.status().is_clean());
}

#[test]
fn empty_folders_and_empty_files_have_versions() {
    let place = Place::new();
    fs::create_dir(place.path("none")).expect("can be made");
    place.write("zero", "");
    place.add("none");
    place.add("zero");
    place.remove("none");
    place.remove("zero");
    place.checkout();
    assert!(place.path("none").is_dir());
    assert_eq!(place.read("zero"), "");
    assert!(place.status().is_clean());
}

#[test]
fn adding_again_keeps_what_others_wrote_in_the_pointer() {
    let place = Place::new();
    place.write("a", "1");
    place.add("a");
    let pointer = format!(
        "# mine\ndesc: the data\nouts:\n{}  desc: kept # why\n  labels:\n  - x\nmeta:\n  owner: me\n",
        place.read("a.dvc").replace("outs:\n", "")
    );
    fs::write(place.path("a.dvc"), &pointer).expect("can be written");
    place.write("a", "22");
    place.add("a");
    let now = place.read("a.dvc");
    let sum = |text: &str| almanac_versions::Md5::of(text.as_bytes()).to_string();
    assert_eq!(now, pointer.replace(&sum("1"), &sum("22")).replace("size: 1", "size: 2"));
}

#[test]
fn a_file_that_becomes_a_folder_and_back_is_followed() {
    let place = Place::new();
    place.write("x", "file");
    place.add("x");
    let as_file = place.read("x.dvc");
    place.remove("x");
    place.write("x/inner", "folder");
    place.add("x");
    let as_folder = place.read("x.dvc");
    assert!(as_folder.contains(".dir") && as_folder.contains("nfiles: 1"), "{as_folder}");
    fs::write(place.path("x.dvc"), &as_file).expect("can be written");
    place.checkout();
    assert_eq!(place.read("x"), "file");
    fs::write(place.path("x.dvc"), &as_folder).expect("can be written");
    place.checkout();
    assert_eq!(place.read("x/inner"), "folder");
}

#[test]
fn the_executable_bit_of_a_single_file_is_kept() {
    let place = Place::new();
    place.write("run", "#!/bin/sh\n");
    fs::set_permissions(place.path("run"), fs::Permissions::from_mode(0o755)).expect("is ours");
    place.add("run");
    assert!(place.read("run.dvc").contains("\n  isexec: true\n  hash: md5\n"));
    place.remove("run");
    place.checkout();
    assert_ne!(fs::metadata(place.path("run")).expect("is there").mode() & 0o100, 0);
}

#[test]
fn links_of_every_type_share_bytes_and_come_back() {
    for kind in ["hardlink", "symlink", "reflink,copy", "copy"] {
        let place = Place::new();
        place.set("cache.type", kind);
        place.write("d/a", "one");
        place.write("d/empty", "");
        place.add("d");
        assert!(place.status().is_clean(), "{kind}");
        assert_eq!(place.path("d/a").is_symlink(), kind == "symlink");
        let is_shared = fs::metadata(place.path("d/a")).expect("is there").nlink() > 1 || kind == "symlink";
        assert_eq!(is_shared, kind.ends_with("link"), "{kind}");
        place.remove("d");
        place.checkout();
        assert_eq!((place.read("d/a").as_str(), place.read("d/empty").as_str()), ("one", ""), "{kind}");
        // From each type to copies that can be written, without a change to the object.
        place.set("cache.type", "copy");
        place.try_checkout(CheckoutOptions { relink: true, ..CheckoutOptions::default() }).expect("relinks");
        fs::write(place.path("d/a"), "two").unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(place.objects().iter().any(|(_, bytes)| bytes == b"one"), "{kind}");
        assert_eq!(place.status().stages.len(), 1, "{kind}");
    }
}

#[test]
fn part_of_a_tracked_folder_can_be_added_alone() {
    let place = Place::new();
    place.write("d/a", "1");
    place.write("d/sub/b", "1");
    place.add("d");
    place.write("d/a", "2");
    place.write("d/sub/b", "2");
    place.add("d/sub");
    place.remove("d");
    place.checkout();
    assert_eq!((place.read("d/a").as_str(), place.read("d/sub/b").as_str()), ("1", "2"));
}

#[test]
fn links_count_as_what_they_lead_to_and_folders_behind_links_do_not_count() {
    let place = Place::new();
    place.write("elsewhere/file", "there");
    fs::create_dir(place.path("d")).expect("can be made");
    symlink("../elsewhere/file", place.path("d/file")).expect("can be made");
    symlink("../elsewhere", place.path("d/folder")).expect("can be made");
    place.add("d");
    assert!(place.read("d.dvc").contains("nfiles: 1"));
    assert!(place.status().is_clean());
}

#[test]
fn without_commit_nothing_is_kept() {
    let place = Place::new();
    place.write("a", "1");
    place.repo().add(&[place.path("a")], AddOptions { no_commit: true }, &()).expect("writes the pointer");
    assert!(place.objects().is_empty());
    assert_eq!(place.status().to_json().to_string(), r#"{"a.dvc":[{"changed outs":{"a":"not in cache"}}]}"#);
}

#[test]
fn what_cannot_be_tracked_is_refused_with_a_reason() {
    let place = Place::with_git();
    place.write("out/in", "1");
    place.add("out/in");
    place.write("kept", "by git");
    place.git("add kept");
    fs::create_dir(place.path("dangling")).expect("can be made");
    symlink("nowhere", place.path("dangling/link")).expect("can be made");
    fs::create_dir(place.path("fifo")).expect("can be made");
    rustix_mkfifo(&place.path("fifo/pipe"));
    place.write("real/x", "1");
    symlink("real", place.path("linked")).expect("can be made");
    place.write("with/.dvcignore", "x");
    place.write("ignored/x", "x");
    fs::write(place.path(".dvcignore"), "ignored\n").expect("can be written");
    let mut all = String::new();
    for name in ["nothing", "out", ".dvc", "out/in.dvc", "kept", "dangling", "fifo", "linked/x", "linked", "with", "ignored", ".."] {
        let error = place.try_add(name).expect_err(name);
        all.push_str(&format!("{name}: {}\n", told(&place, &error)));
    }
    expect![[r#"
        nothing: `ROOT/nothing` does not exist
        out: `out` overlaps `out/in`, which `out/in.dvc` tracks
        .dvc: `ROOT/.dvc` cannot be put under version control: it is where versions themselves are kept
        out/in.dvc: `ROOT/out/in.dvc` cannot be put under version control: it says itself what is tracked
        kept: `ROOT/kept` cannot be put under version control: git keeps it already; `git rm -r --cached` it first
        dangling: `ROOT/dangling/link` cannot be put under version control: it is a link to nothing
        fifo: `ROOT/fifo/pipe` cannot be put under version control: it is neither a file nor a folder
        linked/x: `ROOT/linked/x` cannot be put under version control: a folder on its way is a link
        linked: `ROOT/linked` cannot be put under version control: it is a link to a folder
        with: `ROOT/with/.dvcignore` cannot be put under version control: a `.dvcignore` inside tracked data would say what the data is
        ignored: `ROOT/ignored` cannot be put under version control: `.dvcignore` leaves it out
    "#]]
    .assert_eq(all.split_inclusive("..:").next().unwrap_or_default().trim_end_matches("..:"));
    assert!(all.lines().any(|line| line.starts_with("..:") && line.ends_with("it lies outside the repository")), "{all}");
}

fn rustix_mkfifo(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("coreutils are there");
    assert!(made.success());
}

#[test]
fn files_that_dvcignore_names_are_not_data() {
    let place = Place::new();
    fs::write(place.path(".dvcignore"), "*.tmp\n!keep.tmp\n/d/cache/\n").expect("can be written");
    for name in ["d/a", "d/x.tmp", "d/keep.tmp", "d/cache/y", "d/sub/cache/z"] {
        place.write(name, name);
    }
    place.add("d");
    assert!(place.read("d.dvc").contains("nfiles: 3"), "{}", place.read("d.dvc"));
}

#[test]
fn an_unchanged_tree_is_not_read_again() {
    let place = Place::new();
    place.write("d/a", "1");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options().write(true).open(place.path("d/a")).expect("is there");
    file.set_modified(old).expect("is ours");
    place.add("d");
    // Other bytes of the same length with the same time: only a reader would see them.
    fs::write(place.path("d/a"), "2").expect("can be written");
    let file = fs::File::options().write(true).open(place.path("d/a")).expect("is there");
    file.set_modified(old).expect("is ours");
    assert!(place.status().is_clean());
    fs::remove_file(place.path(".dvc/tmp/almanac-index")).expect("is there");
    assert!(!place.status().is_clean());
}

#[test]
fn two_adding_at_once_wait_for_each_other() {
    let place = Place::new();
    for at in 0..40 {
        place.write(&format!("a/{at}"), &format!("{at}"));
        place.write(&format!("b/{at}"), &format!("{at}"));
    }
    std::thread::scope(|scope| {
        for name in ["a", "b", "a", "b"] {
            scope.spawn(|| place.add(name));
        }
    });
    assert!(place.status().is_clean());
    assert_eq!(place.objects().len(), 41);
    assert_eq!(fs::read_dir(place.path(".dvc/cache/.almanac-tmp")).expect("is there").count(), 0);
}

#[test]
fn a_repository_is_not_made_twice_and_not_where_git_is_not() {
    let place = Place::new();
    let again = almanac_versions::Repo::init(place.root(), almanac_versions::InitOptions { no_scm: true, ..Default::default() });
    assert!(matches!(again, Err(VersionsError::Exists { .. })));
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(
        almanac_versions::Repo::init(elsewhere.path(), almanac_versions::InitOptions::default()),
        Err(VersionsError::NoGit { .. })
    ));
    assert!(matches!(almanac_versions::Repo::open(elsewhere.path()), Err(VersionsError::NoRepo { .. })));
}
