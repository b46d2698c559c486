//! What is in a table, and what changed in it, as the terminal shows it.

use std::fs;
use std::process::Command;

use expect_test::{Expect, expect};

use crate::program::{Answer, Workplace};

/// Sales of three items in two shops; some prices are missing.
fn sales(days: std::ops::Range<u32>, price: f64) -> String {
    let mut text = "store,item,date,units,price,note\n".to_owned();
    for day in days {
        for (place, item) in ["apples", "bread", "milk"].into_iter().enumerate() {
            for store in ["S1", "S2"] {
                let units = (day * 7 + place as u32 * 3) % 11;
                let price = if day % 10 == 3 { String::new() } else { format!("{:.2}", price + f64::from(day % 4) * 0.25) };
                text.push_str(&format!("{store},{item},2024-{:02}-{:02},{units},{price},ok {day}\n", 1 + day / 28, 1 + day % 28));
            }
        }
    }
    text
}

fn place() -> Workplace {
    let place = Workplace::new();
    fs::write(place.path("old.csv"), sales(0..84, 1.5)).unwrap();
    fs::write(place.path("new.csv"), sales(0..112, 2.5).replace("S2,milk", "S3,milk")).unwrap();
    place
}

#[track_caller]
fn check(answer: &Answer, expected: Expect) {
    expected.assert_eq(&answer.to_text());
}

#[test]
fn help_of_profile() {
    check(
        &Workplace::new().almanac("profile --help"),
        expect![[r#"
        exit 0
        --- stdout
        Show what is in a table: types, missing values, distributions, series

        Usage: almanac profile [OPTIONS] <PATH>...

        Arguments:
          <PATH>...  Files, folders or globs that together are one table: CSV, JSON lines, Parquet

        Options:
              --key <A,B>        Columns that together name a series
              --personal <A,B>   Columns of which no value may be shown
              --format <FORMAT>  Form of the profile [default: text] [possible values: text, json]
          -h, --help             Print help

        Global options:
          -C, --project <DIR>  Work in this folder, that of the project [default: .]
              --threads <N>    Threads to use; all cores by default
          -q, --quiet          Say only what went wrong
          -v, --verbose...     Say more; twice for a log
              --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                               never]

        Examples:
          almanac profile sales.csv
          almanac profile 'sales/*.parquet' --key store,item
          almanac profile sales.csv --personal email --format json

        Bars: numbers from the 1 % to the 99 % quantile, times by period, texts by frequent values.
        `≈` is an estimate: distinct values within 3 %, ranks within 1 %. Memory does not grow with rows.
    "#]],
    );
}

#[test]
fn help_of_the_comparison_of_tables() {
    check(
        &Workplace::new().almanac("data diff --help"),
        expect![[r#"
        exit 0
        --- stdout
        Show how data differs between two versions: which tracked files, or with `--tables` what is in them

        Usage: almanac data diff [OPTIONS] [A] [B]

        Arguments:
          [A]  The older: a revision of git, HEAD by default; with --tables a file, folder or glob,
               REVISION:PATH, or TABLE@VERSION
          [B]  The newer; the working folder by default

        Options:
              --tables  Compare the content of tables
          -h, --help    Print help

        Without --tables:
              --targets [<PATH>...]  Only these files and folders
              --show-hash            Show hashes
              --hide-missing         Leave out what is not in the cache

        With --tables:
              --table <NAME>        Only this table of the project
              --key <A,B>           Columns that together name a series
              --personal <A,B>      Columns of which no value may be shown
              --method <TEST>       The test of every column, instead of the one that suits it [possible
                                    values: psi, ks, chi-square, wasserstein, jensen-shannon]
              --threshold <NUMBER>  From where a test counts as drift, instead of its own limit
              --share <SHARE>       Share of the columns that must drift for the table to have drifted
                                    [default: 0.5]
              --fail-on-drift       Exit code 5 if a table drifted
              --format <FORMAT>     Form of the answer [default: text] [possible values: text, json]
              --json                The same as `--format json`

        Global options:
          -C, --project <DIR>  Work in this folder, that of the project [default: .]
              --threads <N>    Threads to use; all cores by default
          -q, --quiet          Say only what went wrong
          -v, --verbose...     Say more; twice for a log
              --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                               never]

        Examples:
          almanac data diff v1 v2 --show-hash                    # tracked files between two revisions
          almanac data diff --tables                             # each table against its version before
          almanac data diff --tables silver@3f2a91 silver        # a kept version against the newest
          almanac data diff --tables old.csv new.csv --key store,item
          almanac data diff --tables HEAD~1:sales.csv sales.csv  # as committed, or as its .dvc file says

        Tests and limits are Evidently's. Up to 1,000 rows: Kolmogorov-Smirnov, chi-square or z-test, p of
        5 %. Beyond: Wasserstein distance over the standard deviation, or Jensen-Shannon distance, from 0.1,
        or from what chance alone gives where that is more. Columns that name rows have no test.
        Exit code 5 if a table drifted and --fail-on-drift is given.
    "#]],
    );
}

#[test]
fn a_table_is_shown_column_by_column() {
    check(
        &place().almanac("profile old.csv --key store,item"),
        expect![[r#"
        exit 0
        --- stdout
        old.csv: 504 rows, 6 columns, 6 series by store and item of 84 rows each

        column  type       missing  distinct  distribution          what is in it
        store   text             –         2  ██                    S1 50 %, S2 50 %, 2 characters
        item    text             –         3  ███                   apples 33 %, bread 33 %, milk 33 %, 4 to 6 characters
        date    timestamp        –        84  ████████████████████  2024-01-01 to 2024-03-28, 84 days, 4 missing
        units   int64            –        11  ███████████           0 to 10, median 5, mean 5.012 ± 3.164, 8.7 % zero
        price   float64       11 %         4  █     ▇      █     ▇  1.5 to 2.25, median 1.75, mean 1.857 ± 0.2777
        note    text             –        84  ██████████            ok 0 1.2 %, ok 1 1.2 %, ok 10 1.2 %, 4 to 5 characters
    "#]],
    );
}

#[test]
fn nothing_of_a_personal_column_is_shown() {
    let place = place();
    for format in ["text", "json"] {
        let answer = place.almanac(&format!("profile old.csv --personal store,note --format {format}"));
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        assert!(!answer.stdout.contains("S1") && !answer.stdout.contains("ok "), "{}", answer.stdout);
    }
}

#[test]
fn two_files_are_compared() {
    check(
        &place().almanac("data diff --tables old.csv new.csv --key store,item"),
        expect![[r#"
        exit 0
        --- stdout
        old.csv → new.csv: 504 rows → 672 rows, +33.3 % rows
        `new.csv` drifted: 3 of 5 tested columns differ, 60 % (drift from 50 %)
          series: 6 → 6; 1 new (S3/milk); 1 gone (S2/milk)
          ! 33 % more rows

        column  before                after                 test                                      what changed
        store   ██                    █▆▃                   chi-square p 0.000 ≤ 0.05          drift  1 new (S3)
        price   █ ▇  █  ▇                        █  ▇  █ ▇  Kolmogorov-Smirnov p 0.000 ≤ 0.05  drift  mean 1.857 → 2.859, missing 11 % → 9.8 %
        note    ████████              ▆▆▆▆▆▆▆▆              chi-square p 0.000 ≤ 0.05          drift  28 new (ok 100, ok 101, ok 102, ok 103, ok 104, …)
        item    ███                   ███                   chi-square p 1.000 > 0.05
        date                                                                                          2024-01-01 to 2024-03-28 → 2024-01-01 to 2024-04-28, 28 days new
        units   ███████████           ███████████           Kolmogorov-Smirnov p 1.000 > 0.05         mean 5.012 → 4.994
    "#]],
    );
}

#[test]
fn a_file_does_not_differ_from_itself() {
    check(
        &place().almanac("data diff --tables old.csv old.csv"),
        expect![[r#"
        exit 0
        --- stdout
        old.csv → old.csv: 504 rows → 504 rows, as many rows
        nothing differs
    "#]],
    );
}

#[test]
fn drift_can_be_made_an_exit_code() {
    let place = place();
    assert_eq!(place.almanac("data diff --tables old.csv new.csv --share 0.2 --fail-on-drift").code, Some(5));
    assert_eq!(place.almanac("data diff --tables old.csv new.csv --share 0.2").code, Some(0));
    assert_eq!(place.almanac("data diff --tables old.csv old.csv --fail-on-drift").code, Some(0));
    assert_eq!(place.almanac("data diff --tables old.csv new.csv --share 7").code, Some(2));
}

#[test]
fn what_cannot_be_read_is_named() {
    let place = place();
    fs::write(place.path("empty.csv"), "").unwrap();
    for (line, code, part) in [
        ("profile nowhere.csv", 4, "nowhere.csv"),
        ("profile empty.csv", 4, "empty.csv"),
        ("profile old.csv --key shop", 4, "there is no column `shop`"),
        ("data diff --tables", 2, "no two versions"),
        ("data diff --tables --table sales", 2, "no table `sales`"),
        ("data diff --tables old.csv", 2, "one table alone"),
    ] {
        let answer = place.almanac(line);
        assert_eq!(answer.code, Some(code), "{line}: {}", answer.stderr);
        assert!(answer.stderr.contains(part), "{line}: {}", answer.stderr);
    }
}

#[test]
fn a_committed_file_and_one_in_the_cache_of_dvc_are_compared_with_the_present_one() {
    let place = place();
    let git = |line: &str| {
        let name = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
        let done = Command::new("git").current_dir(place.path("")).args(name).args(line.split(' ')).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !git("init -q") {
        println!("skipped: there is no git");
        return;
    }
    fs::copy(place.path("old.csv"), place.path("sales.csv")).unwrap();
    let hash = "0123456789abcdef0123456789abcdef";
    fs::write(place.path("big.csv.dvc"), format!("outs:\n- md5: {hash}\n  size: 1\n  hash: md5\n  path: big.csv\n")).unwrap();
    assert!(git("add sales.csv big.csv.dvc") && git("commit -q -m first"));
    fs::copy(place.path("new.csv"), place.path("sales.csv")).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let diff = |line: &str| place.almanac_with(&[("PATH", &path)], line);

    let answer = diff("data diff --tables HEAD:sales.csv sales.csv");
    assert!(answer.stdout.contains("504 rows → 672 rows"), "{}", answer.to_text());
    let answer = diff("data diff --tables HEAD:big.csv new.csv");
    assert_eq!(answer.code, Some(4));
    assert!(answer.stderr.contains("is not in the cache"), "{}", answer.stderr);
    fs::create_dir_all(place.path(".dvc/cache/files/md5/01")).unwrap();
    fs::copy(place.path("old.csv"), place.path(&format!(".dvc/cache/files/md5/01/{}", &hash[2..]))).unwrap();
    let answer = diff("data diff --tables HEAD:big.csv new.csv");
    assert!(answer.stdout.contains("504 rows → 672 rows"), "{}", answer.to_text());
    for (line, part) in
        [("HEAD:none.csv", "neither `none.csv` nor"), ("--output=x:sales.csv", "unexpected argument"), ("no~such:sales.csv", "neither")]
    {
        let answer = diff(&format!("data diff --tables {line} new.csv"));
        assert!(answer.stderr.contains(part), "{line}: {}", answer.stderr);
    }
}

/// A project whose sales are `units(row)`, with a `[drift]` section.
fn shop(place: &Workplace, days: u32, units: impl Fn(u32) -> u32, drift: &str) {
    let mut rows = "customer,day,units\n".to_owned();
    for row in 0..days * 3 {
        let day = jiff::civil::date(2024, 1, 1).saturating_add(jiff::Span::new().days(row / 3));
        rows.push_str(&format!("C{},{day},{}\n", row % 3, units(row)));
    }
    fs::write(place.path("sales.csv"), rows).unwrap();
    let settings = "[data]\nsource = \"sales.csv\"\nid = [\"customer\"]\ntime = \"day\"\ntarget = \"units\"\nfreq = \"D\"\n\n[forecast]\nhorizon = 7\n";
    fs::write(place.path("almanac.toml"), format!("{settings}\n[drift]\n{drift}\n")).unwrap();
}

#[test]
fn a_run_stops_at_a_table_that_drifted_and_compares_with_the_last_version_it_has_taken() {
    let place = Workplace::new();
    let run = || place.almanac("run --only bronze");
    let calm = |row: u32| row * 7 % 11;
    let high = |row: u32| 40 + row * 7 % 11;
    let fail = "severity = \"fail\"\ncolumns = [\"units\"]";
    shop(&place, 60, calm, fail);
    assert_eq!(run().code, Some(0));
    shop(&place, 70, calm, fail);
    let same = run();
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    for _ in 0..2 {
        shop(&place, 80, high, fail);
        let stopped = run();
        assert_eq!(stopped.code, Some(5), "{}", stopped.stderr);
        assert!(stopped.stderr.contains("drifted since its last version"), "{}", stopped.stderr);
    }
    // A version that stopped a run is none to compare with.
    shop(&place, 81, high, fail);
    assert_eq!(run().code, Some(5));
    shop(&place, 81, high, "severity = \"warn\"\ncolumns = [\"units\"]");
    let warned = run();
    assert_eq!(warned.code, Some(0), "{}", warned.stderr);
    assert!(warned.stderr.contains("(warn) of `units`"), "{}", warned.stderr);
    shop(&place, 82, high, fail);
    let taken = run();
    assert_eq!(taken.code, Some(0), "what was taken once is the one to compare with: {}", taken.stderr);
    shop(&place, 83, calm, "severity = \"off\"");
    assert_eq!(run().code, Some(0));
}
