//! `almanac data` beside the real DVC: each reads what the other wrote, in a folder and through a server that speaks S3.
//!
//! `ALMANAC_TEST_DVC` names the `dvc` to run; `moto_server` lies beside it. `make test` makes both. Skipped with a printed line where
//! it is not set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};

use crate::bucket::S3;
use crate::program::{Answer, Workplace, files_below};

/// Names that need care somewhere: in YAML, JSON, `.gitignore`, on a command line.
const NAMES: [&str; 17] = [
    "plain.csv",
    "ü ñ",
    "e\u{301}",
    "😀",
    " lead",
    "trail ",
    "it's",
    "say \"hi\"",
    "new\nline",
    "tab\there",
    "#hash",
    "!bang",
    "*star",
    "[b",
    "123",
    "null",
    "a: b",
];

struct Shop {
    place: Workplace,
    dvc: PathBuf,
}

impl Shop {
    /// A git repository, if the real DVC is there.
    fn open() -> Option<Self> {
        let Some(dvc) = std::env::var_os("ALMANAC_TEST_DVC").map(PathBuf::from) else {
            println!("skipped: ALMANAC_TEST_DVC is not set");
            return None;
        };
        let shop = Self { place: Workplace::new(), dvc };
        shop.run("git", &["init", "-q", "-b", "main"]);
        Some(shop)
    }

    fn run(&self, program: &str, args: &[&str]) -> Answer {
        let path = match program {
            "almanac" => PathBuf::from(env!("CARGO_BIN_EXE_almanac")),
            "dvc" => self.dvc.clone(),
            other => PathBuf::from(other),
        };
        let home = self.place.path(".home");
        fs::create_dir_all(&home).expect("can be made");
        let output = Command::new(&path)
            .args(args)
            .current_dir(self.place.path(""))
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("DVC_SITE_CACHE_DIR", home.join("site"))
            .env("DVC_NO_ANALYTICS", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-key")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Answer { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    fn almanac(&self, args: &[&str]) -> String {
        let answer = self.run("almanac", &[&["data"], args].concat());
        assert_eq!(answer.code, Some(0), "almanac data {args:?}\n{}", answer.to_text());
        assert!(!answer.to_text().contains("a-secret-key"));
        answer.stdout
    }

    #[track_caller]
    fn dvc(&self, args: &[&str]) -> String {
        let answer = self.run("dvc", args);
        assert_eq!(answer.code, Some(0), "dvc {args:?}\n{}", answer.to_text());
        answer.stdout
    }

    /// A folder with odd names, an empty file, and depth; and single files beside it.
    fn stock(&self) {
        for name in NAMES {
            self.write(&format!("d/{name}"), name);
            self.write(&format!("d/deep/er/{name}"), &format!("deeper {name}"));
            self.write(name, &format!("single {name}"));
        }
        self.write("d/empty", "");
        self.write("zero", "");
        fs::create_dir(self.place.path("none")).expect("can be made");
    }

    fn tracked() -> Vec<&'static str> {
        NAMES.into_iter().chain(["d", "zero", "none"]).collect()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.place.path(name);
        fs::create_dir_all(path.parent().expect("inside")).expect("can be made");
        fs::write(path, text).expect("can be written");
    }

    fn remove_data(&self) {
        for name in Self::tracked() {
            let path = self.place.path(name);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("is there");
        }
    }

    /// The data, byte for byte.
    fn data(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all = files_below(&self.place.path("d"));
        all.extend(NAMES.into_iter().chain(["zero"]).map(|name| (PathBuf::from(name), fs::read(self.place.path(name)).expect(name))));
        all
    }

    /// What the programs write for each other: pointers, ignore files and the cache.
    fn written(&self) -> Vec<(String, Vec<u8>)> {
        let root = self.place.path("");
        let name = |path: &Path| path.strip_prefix(&root).expect("below").to_string_lossy().into_owned();
        let pointers = fs::read_dir(&root)
            .expect("is there")
            .map(|entry| entry.expect("stays").path())
            .filter(|path| path.extension().is_some_and(|end| end == "dvc") && path.is_file());
        let mut all: Vec<_> = pointers.map(|path| (name(&path), fs::read(&path).expect("is there"))).collect();
        all.extend(files_below(&root.join(".dvc/cache/files")).into_iter().map(|(path, bytes)| (name(&path), bytes)));
        all.sort();
        all
    }

    fn is_clean(&self) {
        assert_eq!(self.dvc(&["status", "--json"]).trim(), "{}");
        assert_eq!(self.dvc(&["status"]), "Data and pipelines are up to date.\n");
        assert_eq!(self.almanac(&["status", "--json"]).trim(), "{}");
        assert_eq!(self.almanac(&["status"]), "Data and pipelines are up to date.\n");
    }
}

/// `add` with names that begin like options.
fn add(tracked: &[&'static str]) -> Vec<&'static str> {
    [&["add", "-q", "--"], tracked].concat()
}

#[test]
fn both_write_the_same_bytes_and_find_each_others_clean() {
    let (Some(ours), Some(theirs)) = (Shop::open(), Shop::open()) else { return };
    ours.almanac(&["init"]);
    theirs.dvc(&["init", "-q"]);
    for (shop, program) in [(&ours, "almanac"), (&theirs, "dvc")] {
        shop.stock();
        if program == "dvc" {
            shop.dvc(&add(&Shop::tracked()))
        } else {
            shop.almanac(&add(&Shop::tracked()))
        };
        shop.is_clean();
    }
    assert_eq!(ours.written(), theirs.written());
    for file in [".dvc/config", ".dvc/.gitignore", ".dvcignore"] {
        assert_eq!(fs::read(ours.place.path(file)).expect(file), fs::read(theirs.place.path(file)).expect(file), "{file}");
    }
    // A blank at the end of a line means nothing to git: there we write a backslash before it, DVC does not.
    let ignored = |shop: &Shop| fs::read_to_string(shop.place.path(".gitignore")).expect("is there").replace("\\ \n", " \n");
    assert_eq!(ignored(&ours), ignored(&theirs));

    // Each checks out what the other added.
    let before = ours.data();
    ours.remove_data();
    ours.dvc(&["checkout", "-q"]);
    assert_eq!(ours.data(), before);
    let before = theirs.data();
    theirs.remove_data();
    theirs.almanac(&["checkout"]);
    assert_eq!(theirs.data(), before);
    ours.is_clean();
    theirs.is_clean();

    // Each adds again what the other has changed; a pointer that is rewritten stays as the other writes it.
    for shop in [&ours, &theirs] {
        shop.write("d/plain.csv", "changed");
        shop.write("plain.csv", "changed too");
    }
    ours.dvc(&["add", "-q", "d", "plain.csv"]);
    theirs.almanac(&["add", "-q", "d", "plain.csv"]);
    assert_eq!(ours.written(), theirs.written());
    ours.is_clean();
    theirs.is_clean();
}

#[test]
fn both_tell_the_same_of_what_changed() {
    let Some(shop) = Shop::open() else { return };
    shop.almanac(&["init"]);
    shop.stock();
    // DVC loses control characters of names that it reads from git.
    let tracked: Vec<_> = Shop::tracked().into_iter().filter(|name| !name.contains(['\n', '\t'])).collect();
    shop.almanac(&add(&tracked));
    shop.run("git", &["add", "-A", "--", "*.dvc", ".dvc", ".dvcignore", ".gitignore"]);
    let commit = ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m"];
    shop.run("git", &[&commit[..], &["one"]].concat());
    shop.write("d/new", "new");
    fs::rename(shop.place.path("d/plain.csv"), shop.place.path("d/renamed.csv")).expect("is there");
    fs::remove_file(shop.place.path("d/empty")).expect("is there");
    fs::remove_file(shop.place.path("123")).expect("is there");
    shop.write("plain.csv", "changed");
    let same = |args: &[&str]| {
        let value = |text: String| serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
        assert_eq!(value(shop.almanac(args)), value(shop.dvc(args)), "{args:?}");
    };
    same(&["status", "--json"]);
    same(&["diff", "--json", "--show-hash"]);
    assert_eq!(shop.almanac(&["diff"]), shop.dvc(&["diff"]));
    fs::write(shop.place.path("123"), "single 123").expect("can be written");
    shop.almanac(&["add", "-q", "d", "plain.csv"]);
    shop.run("git", &["add", "-A", "--", "*.dvc", ".gitignore"]);
    shop.run("git", &[&commit[..], &["two"]].concat());
    same(&["diff", "--json", "--show-hash", "HEAD~1", "HEAD"]);
    // Nothing of any commit goes; then all that the working folder does not use.
    shop.write("never", "committed");
    shop.almanac(&["add", "-q", "never"]);
    fs::remove_file(shop.place.path("never.dvc")).expect("is there");
    shop.almanac(&["gc", "-w", "--all-commits", "-f"]);
    assert_eq!(shop.dvc(&["gc", "-w", "--all-commits", "-f"]).lines().filter(|line| line.starts_with("Removed")).count(), 0);
    shop.is_clean();
    shop.almanac(&["gc", "-w", "-f"]);
    assert_eq!(shop.dvc(&["gc", "-w", "-f"]).lines().filter(|line| line.starts_with("Removed")).count(), 0);
    shop.is_clean();
}

#[test]
fn both_share_a_bucket() {
    let (Some(shop), Some(bucket)) = (Shop::open(), S3::start()) else { return };
    bucket.put("/data", b"");
    shop.almanac(&["init"]);
    shop.almanac(&["remote", "add", "-d", "store", "s3://data/some/prefix"]);
    shop.almanac(&["remote", "modify", "store", "endpointurl", &bucket.url]);
    shop.stock();
    // Large enough to go in parts.
    fs::write(shop.place.path("d/large"), vec![7; 40 << 20]).expect("can be written");
    shop.almanac(&add(&Shop::tracked()));
    let before = shop.data();
    shop.almanac(&["push"]);
    assert_eq!(shop.almanac(&["push"]), "Everything is up to date.\n");
    assert!(shop.dvc(&["status", "-c"]).contains("in sync"));
    assert!(shop.dvc(&["push"]).contains("Everything is up to date."));
    let forget = || {
        fs::remove_dir_all(shop.place.path(".dvc/cache")).expect("is there");
        shop.remove_data();
    };
    forget();
    shop.dvc(&["pull", "-q"]);
    assert_eq!(shop.data(), before);
    forget();
    shop.almanac(&["pull"]);
    assert_eq!(shop.data(), before);
    shop.is_clean();

    // What DVC pushes, we pull.
    shop.write("d/large", "small now");
    shop.dvc(&["add", "-q", "d"]);
    assert!(shop.almanac(&["status", "-c", "--json"]).contains("\"d/large\": \"new\""));
    shop.dvc(&["push", "-q"]);
    assert!(shop.almanac(&["status", "-c"]).contains("in sync"));
    forget();
    shop.almanac(&["pull"]);
    assert_eq!(fs::read_to_string(shop.place.path("d/large")).expect("is there"), "small now");
    shop.is_clean();

    // A corrupted object of the bucket is named and does not arrive.
    let pointer = fs::read_to_string(shop.place.path("zero.dvc")).expect("is there");
    let plain = fs::read_to_string(shop.place.path("plain.csv.dvc")).expect("is there");
    assert!(pointer.contains("d41d8cd98f00b204e9800998ecf8427e"));
    let sum = plain.split("md5: ").nth(1).and_then(|rest| rest.get(..32)).expect("a hash");
    bucket.put(&format!("/data/some/prefix/files/md5/{}/{}", &sum[..2], &sum[2..]), b"spoilt");
    forget();
    let answer = shop.run("almanac", &["data", "pull"]);
    assert_eq!(answer.code, Some(4), "{}", answer.to_text());
    assert!(answer.stderr.contains(&format!("corrupted in remote `store`: `plain.csv` ({sum})")), "{}", answer.stderr);
    assert!(!shop.place.path("plain.csv").exists());
    assert!(shop.place.path("d/plain.csv").exists(), "the rest is there");
}

#[test]
fn both_import_the_same() {
    let (Some(ours), Some(theirs), Some(bucket)) = (Shop::open(), Shop::open(), S3::start()) else { return };
    bucket.put("/data", b"");
    bucket.put("/data/in/one.csv", b"1\n");
    bucket.put("/data/in/sub/two.csv", b"22\n");
    let source = tempfile::tempdir().expect("a temporary folder");
    fs::write(source.path().join("f"), "f\n").expect("can be written");
    fs::create_dir(source.path().join("dir")).expect("can be made");
    fs::write(source.path().join("dir/a"), "a\n").expect("can be written");
    let local = |name: &str| source.path().join(name).display().to_string();
    for shop in [&ours, &theirs] {
        shop.almanac(&["init"]);
        shop.almanac(&["remote", "add", "data", "s3://data"]);
        shop.almanac(&["remote", "modify", "data", "endpointurl", &bucket.url]);
    }
    for (url, out) in [(local("f"), "f"), (local("dir"), "dir"), ("remote://data/in/one.csv".to_owned(), "one.csv")] {
        ours.almanac(&["import-url", &url, out]);
        theirs.dvc(&["import-url", "-q", &url, out]);
    }
    assert_eq!(ours.written(), theirs.written());
    assert_eq!(ours.dvc(&["status", "--json"]).lines().last().map(str::trim), Some("{}"));
}

#[test]
fn both_tell_the_same_of_pipelines() {
    const PIPELINE: &str = "stages:
  prep:
    cmd: mkdir -p clean && cp raw/in.csv clean/out.csv
    deps:
    - raw
    outs:
    - clean
  train:
    cmd: cp clean/out.csv model.bin && echo 1 > m.json
    deps:
    - clean
    params:
    - lr
    - model.depth
    outs:
    - model.bin
    metrics:
    - m.json:
        cache: false
  inner:
    wdir: sub
    cmd: cp ../raw/in.csv w.csv
    deps:
    - ../raw/in.csv
    outs:
    - w.csv
  each:
    foreach: [u, v]
    do:
      cmd: echo ${item} > ${item}.txt
      outs:
      - ${item}.txt
";
    const NEVER: &str = "  never:
    cmd: echo z > z.txt
    deps:
    - raw
    - nothere
    params:
    - lr
    - other.yaml:
    outs:
    - z.txt
";
    let Some(shop) = Shop::open() else { return };
    shop.dvc(&["init", "-q"]);
    shop.write("raw/in.csv", "1\n");
    shop.write("raw/skip.tmp", "ignored");
    shop.write(".dvcignore", "*.tmp\n");
    shop.write("sub/.keep", "");
    shop.write("params.yaml", "lr: 0.1\nmodel:\n  depth: 3\n");
    shop.write("dvc.yaml", PIPELINE);
    shop.dvc(&["repro", "-q"]);
    let same = |args: &[&str]| {
        // Above it DVC may print a warning.
        let told = shop.dvc(args);
        let theirs = told.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok()).expect("JSON");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shop.almanac(args)).expect("JSON"), theirs, "{args:?}");
    };
    same(&["status", "--json"]);
    let commit = ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "one"];
    shop.run("git", &["add", "-A", "--", "*.dvc", ".dvc", "dvc.yaml", "dvc.lock", "params.yaml"]);
    shop.run("git", &commit);
    shop.write("raw/in.csv", "2\n");
    shop.write("params.yaml", "lr: 0.2\nmodel:\n  depth: 3.0\n");
    shop.write("model.bin", "other");
    shop.write("m.json", "2");
    fs::remove_file(shop.place.path("sub/w.csv")).expect("is there");
    shop.write("dvc.yaml", &format!("{}{NEVER}", PIPELINE.replace("echo 1", "echo 3").replace("  inner:", "  inner:\n    frozen: true")));
    same(&["status", "--json"]);
    same(&["status", "--json", "train"]);
    same(&["diff", "--json"]);
    shop.almanac(&["gc", "-w", "-f"]);
    assert!(!files_below(&shop.place.path(".dvc/cache/runs")).is_empty(), "what DVC remembers of runs stays");
    same(&["status", "--json"]);
}

#[track_caller]
fn check(line: &str, expected: Expect) {
    expected.assert_eq(&Workplace::new().almanac(line).to_text());
}

#[test]
fn without_a_repository_it_says_how_to_make_one() {
    let place = Workplace::new();
    let answer = place.almanac("data status");
    assert_eq!(answer.code, Some(2));
    assert!(
        answer.stderr.contains("is not inside a folder under version control") && answer.stderr.contains("almanac data init"),
        "{}",
        answer.stderr
    );
}

#[test]
fn help_is_one_screen_with_an_example() {
    check(
        "data --help",
        expect![[r#"
            exit 0
            --- stdout
            Keep versions of data beside git, in the files of DVC

            Usage: almanac data [OPTIONS] <COMMAND>

            Commands:
              init        Begin to keep versions in this folder
              add         Track files and folders
              checkout    Make files what the pointers say, from the cache
              status      Show which tracked files changed, or what a remote does not have
              diff        Show how data differs between two versions: which tracked files, or with `--tables`
                          what is in them
              push        Send what a remote does not have
              pull        Fetch, then check out
              fetch       Get from a remote what the cache does not have
              gc          Remove objects that nothing uses from the cache, or from a remote
              import-url  Copy data from a path or an address and track where it came from
              remote      Say where objects are shared
              config      Show or set an option, such as `cache.type` or `core.remote`
              install     Write git hooks: checkout after a checkout, status before a commit, push before a push

            Options:
              -h, --help  Print help

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac data init && almanac data add sales.csv images/
              almanac data remote add -d store s3://bucket/data && almanac data push
              git checkout v1 && almanac data checkout
        "#]],
    );
    check(
        "data gc --help",
        expect![[r#"
        exit 0
        --- stdout
        Remove objects that nothing uses from the cache, or from a remote

        Usage: almanac data gc [OPTIONS]

        Options:
          -w, --workspace          Keep what the working folder uses; everything below keeps that too
          -a, --all-branches       Also what the tips of all branches use
          -T, --all-tags           Also what all tags use
          -A, --all-commits        Also what any commit uses
              --rev <COMMIT>       Also what this revision uses
          -n, --num <N>            With `--rev`: and that many commits before it, itself counted
          -c, --cloud              Collect in a remote too
          -r, --remote <NAME>      The remote
          -p, --projects <DIR>...  Keep also what these repositories with the same cache use
              --dry                Only say what would be removed
          -f, --force              Do not ask, and collect although what some commit uses is not known
              --format <FORMAT>    Form of the answer [default: text] [possible values: text, json]
              --json               The same as `--format json`
          -h, --help               Print help

        Global options:
          -C, --project <DIR>  Work in this folder, that of the project [default: .]
              --threads <N>    Threads to use; all cores by default
          -q, --quiet          Say only what went wrong
          -v, --verbose...     Say more; twice for a log
              --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                               never]

        Example:
          almanac data gc -w --all-commits --dry
    "#]],
    );
}
