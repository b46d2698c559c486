//! Push, fetch and pull through a remote that is a folder; what buckets do is shown with a real server beside the real DVC.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use almanac_versions::{CheckoutOptions, ImportOptions, Level, Md5, OptionName, TransferOptions, VersionsError, Which};
use expect_test::expect;

use crate::place::Place;

fn with_remote() -> Place {
    let place = Place::new();
    place.set("remote.store.url", &place.path("remote").display().to_string());
    place.set("core.remote", "store");
    place
}

fn push(place: &Place) -> almanac_versions::Result<usize> {
    place.repo().push(None, &[], &TransferOptions::default(), &()).map(|done| done.objects)
}

fn pull(place: &Place) -> almanac_versions::Result<usize> {
    place.repo().pull(None, &[], &TransferOptions::default(), CheckoutOptions::default(), &()).map(|(done, _)| done.objects)
}

fn forget(place: &Place, name: &str) {
    place.remove(".dvc/cache");
    place.remove(name);
}

#[test]
fn what_was_pushed_is_pulled_elsewhere() {
    let place = with_remote();
    place.write("d/a", "1");
    place.write("d/b", "2");
    place.write("d/same", "1");
    place.add("d");
    assert_eq!(push(&place).expect("arrives"), 3);
    assert_eq!(push(&place).expect("is there"), 0);
    forget(&place, "d");
    assert_eq!(pull(&place).expect("comes back"), 3);
    assert!(place.status().is_clean());
    assert_eq!(place.read("d/same"), "1");
    let status = place.repo().cloud_status(None, &[], TransferOptions::default(), &()).expect("can be told");
    assert!(status.files.is_empty());
}

#[test]
fn a_corrupted_object_of_the_cache_is_fetched_again_and_one_of_the_remote_never_arrives() {
    let place = with_remote();
    place.write("d/a", "1");
    place.write("d/b", "2");
    place.add("d");
    push(&place).expect("arrives");
    place.corrupt("1");
    place.remove("d");
    assert_eq!(pull(&place).expect("is mended"), 1);
    assert_eq!(place.read("d/a"), "1");
    let object = place.path("remote").join(almanac_versions::Oid::file(Md5::of(b"1")).place());
    fs::remove_file(&object).expect("is there");
    fs::write(&object, "spoilt").expect("can be written");
    forget(&place, "d");
    let error = pull(&place).expect_err("is corrupted");
    assert_eq!(error.to_string(), format!("1 object is corrupted in remote `store`: `d/a` ({})", Md5::of(b"1")));
    assert!(!place.objects().iter().any(|(_, bytes)| bytes == b"spoilt"));
    assert!(place.objects().iter().any(|(_, bytes)| bytes == b"2"), "the others arrive");
}

#[test]
fn a_corrupted_object_is_not_pushed_and_neither_is_a_list_without_its_files() {
    let place = with_remote();
    place.write("d/a", "1");
    place.write("d/b", "2");
    place.add("d");
    place.corrupt("1");
    let error = push(&place).expect_err("is corrupted");
    assert!(matches!(error, VersionsError::Corrupt { .. }), "{error}");
    let there: Vec<_> = place.repo().remote(None).expect("is configured").list().expect("can be listed");
    assert_eq!(there, [almanac_versions::Oid::file(Md5::of(b"2"))]);
    place.add("d");
    assert_eq!(push(&place).expect("is whole again"), 2);
}

#[test]
fn what_is_nowhere_is_named() {
    let place = with_remote();
    place.write("a", "1");
    place.write("b", "2");
    place.add("a");
    place.add("b");
    place.repo().remove_objects([almanac_versions::Oid::file(Md5::of(b"1"))]).expect("can be removed");
    let error = push(&place).expect_err("is nowhere");
    assert_eq!(error.to_string(), format!("1 object is missing from the cache and the remote: `a` ({})", Md5::of(b"1")));
    place.remove("b");
    let error = pull(&place).expect_err("is nowhere");
    assert!(error.to_string().contains("`a`"), "{error}");
    assert_eq!(place.read("b"), "2", "what is there is checked out all the same");
}

#[test]
fn one_file_of_a_folder_can_be_pulled_alone() {
    let place = with_remote();
    place.write("d/a", "1");
    place.write("d/b", "2");
    place.add("d");
    push(&place).expect("arrives");
    forget(&place, "d");
    place.repo().pull(None, &["d/b".to_owned()], &TransferOptions::default(), CheckoutOptions::default(), &()).expect("comes back");
    assert_eq!(place.read("d/b"), "2");
    assert!(!place.path("d/a").exists());
}

#[test]
fn remotes_are_written_as_dvc_writes_them_and_keys_are_never_shown() {
    let place = Place::new();
    place.set("remote.My.url", "s3://bucket/prefix");
    place.set("remote.my.endpointurl", "http://x:1/#a,b");
    place.set("cache.type", "reflink,hardlink");
    place.set("core.remote", "my");
    let mut repo = place.repo();
    repo.configure(Level::Local, &OptionName::of_remote("my", "secret_access_key"), Some("a\"b,c#d")).expect("can be set");
    repo.configure(Level::Local, &OptionName::of_remote("my", "access_key_id"), Some("it's")).expect("can be set");
    expect![[r#"
        [core]
            no_scm = True
            remote = my
        ['remote "my"']
            url = s3://bucket/prefix
            endpointurl = "http://x:1/#a,b"
        [cache]
            type = "reflink,hardlink"
    "#]]
    .assert_eq(&place.read(".dvc/config"));
    expect![[r#"
        ['remote "my"']
            secret_access_key = 'a"b,c#d'
            access_key_id = it's
    "#]]
    .assert_eq(&place.read(".dvc/config.local"));
    let repo = place.repo();
    let remote = repo.config().remote(None).expect("is configured");
    assert_eq!((remote.url.as_str(), remote.get("secret_access_key")), ("s3://bucket/prefix", Some("a\"b,c#d")));
    let shown = format!("{repo:?} {remote:?} {:?}", repo.remote(None).expect("opens"));
    assert!(!shown.contains("a\\\"b,c#d") && !shown.contains("a\"b,c#d"), "{shown}");
    for (option, value) in
        [("core.remot", "x"), ("cache.type", "magic"), ("remote.my.jobs", "0"), ("nothing", "x"), ("core.no_scm", "maybe")]
    {
        let set = OptionName::parse(option).and_then(|name| place.repo().configure(Level::Project, &name, Some(value)));
        assert!(matches!(set, Err(VersionsError::Setting { .. })), "{option}");
    }
}

#[test]
fn comments_in_a_configuration_stay() {
    let place = Place::new();
    fs::write(
        place.path(".dvc/config"),
        "# ours\n[core]\n    no_scm = True ; not a comment\n    # where\n    remote = a\n[other]\n    x = 1\n",
    )
    .expect("can be written");
    place.set("core.remote", "b");
    place.set("core.autostage", "false");
    assert!(
        place.read(".dvc/config").starts_with(
            "# ours\n[core]\n    no_scm = True ; not a comment\n    # where\n    remote = b\n    autostage = false\n[other]\n"
        )
    );
}

#[test]
fn kinds_of_remotes_that_are_not_supported_say_so() {
    let place = Place::new();
    place.set("remote.x.url", "ssh://host/path");
    let error = place.repo().remote(Some("x")).expect_err("is not supported");
    expect!["remote `x`: `ssh://` is not supported; folders, `s3://`, `gs://` and `azure://` are"].assert_eq(&error.to_string());
    assert!(matches!(place.repo().remote(None), Err(VersionsError::NoRemote)));
    assert!(place.repo().remote(Some("y")).expect_err("is not there").to_string().contains("`y`"));
}

#[test]
fn gc_keeps_what_is_used_here_and_in_commits() {
    let place = Place::with_git();
    place.set("remote.store.url", &place.path("remote").display().to_string());
    place.set("core.remote", "store");
    fs::write(place.path(".gitignore"), "/remote\n").expect("can be written");
    place.write("d/a", "old");
    place.add("d");
    place.commit("one");
    place.write("d/a", "new");
    place.add("d");
    place.commit("two");
    push(&place).expect("arrives");
    place.write("never", "committed");
    place.add("never");
    place.remove("never.dvc");
    let count = |options: almanac_versions::GcOptions| place.repo().gc(&options, &()).expect("can be collected");
    let commits = vec![Which::All];
    assert_eq!(count(almanac_versions::GcOptions { commits: commits.clone(), dry: true, ..Default::default() }).cache, 1);
    assert_eq!(count(almanac_versions::GcOptions { commits, ..Default::default() }).cache, 1);
    assert_eq!(place.objects().len(), 4);
    assert_eq!(count(almanac_versions::GcOptions { cloud: true, ..Default::default() }).cache, 2);
    assert_eq!(place.objects().len(), 2);
    assert!(place.status().is_clean());
}

#[test]
fn gc_stops_where_it_cannot_know_what_is_used() {
    let place = Place::new();
    place.write("d/a", "1");
    place.add("d");
    place.write("unused", "x");
    place.add("unused");
    place.remove("unused.dvc");
    let list = place.repo().tracked().expect("can be read").outs().find_map(|out| out.oid()).expect("is tracked");
    place.repo().remove_objects([list]).expect("can be removed");
    assert!(matches!(place.repo().gc(&almanac_versions::GcOptions::default(), &()), Err(VersionsError::Missing { .. })));
    assert_eq!(place.objects().len(), 2);
}

#[test]
fn data_is_imported_from_a_path_and_from_http() {
    let place = Place::new();
    let source = tempfile::tempdir().expect("a temporary folder");
    fs::write(source.path().join("f.txt"), "hi\n").expect("can be written");
    fs::create_dir(source.path().join("dd")).expect("can be made");
    fs::write(source.path().join("dd/a"), "1\n").expect("can be written");
    let import = |url: &str, out: &str| place.repo().import_url(url, Some(&place.path(out)), ImportOptions::default(), &());
    import(&source.path().join("f.txt").display().to_string(), "f.txt").expect("can be imported");
    import(&source.path().join("dd").display().to_string(), "dd").expect("can be imported");
    assert!(matches!(import(&source.path().join("dd").display().to_string(), "f.txt"), Err(VersionsError::Exists { .. })));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/x/g.txt?y=1", listener.local_addr().expect("bound"));
    let server = std::thread::spawn(move || {
        for answer in [
            "HTTP/1.1 200 OK\r\nETag: \"tag\"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhi\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 30\r\nConnection: close\r\n\r\ncut",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ] {
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(answer.as_bytes()).expect("is read");
        }
    });
    import(&url, ".").expect("can be imported");
    assert_eq!((place.read("f.txt").as_str(), place.read("dd/a").as_str(), place.read("g.txt").as_str()), ("hi\n", "1\n", "hi\n"));
    let pointer = place.read("g.txt.dvc");
    assert!(
        pointer.contains("frozen: true\ndeps:\n- checksum: '\"tag\"'\n  size: 3\n  hash: md5\n") && pointer.contains("outs:\n- md5: "),
        "{pointer}"
    );
    assert!(import(&url, "cut").expect_err("is cut off").to_string().starts_with("failed to read `http://127.0.0.1:"));
    assert!(import(&url, "cut").expect_err("is not there").to_string().contains("404"));
    assert!(!place.path("cut").exists() && !place.path("cut.dvc").exists());
    server.join().expect("answered");
    assert!(place.status().is_clean());
}

#[test]
fn a_private_configuration_with_keys_is_for_nobody_else_to_read() {
    let place = Place::new();
    let set = |level, name: &str, value: &str| {
        let name = OptionName::parse(name).expect("an option");
        place.repo().configure(level, &name, Some(value)).expect("can be set");
    };
    let mode = |name: &str| fs::metadata(place.path(name)).expect("is there").permissions().mode() & 0o077;
    set(Level::Local, "remote.store.url", "s3://bucket");
    fs::set_permissions(place.path(".dvc/config.local"), Permissions::from_mode(0o644)).expect("is ours");
    set(Level::Local, "remote.store.secret_access_key", "a-secret-key");
    assert_eq!(mode(".dvc/config.local"), 0);
    set(Level::Local, "core.autostage", "true");
    assert_eq!(mode(".dvc/config.local"), 0);
}
