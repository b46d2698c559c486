//! Help, exit codes and the wording of failures.

use expect_test::{Expect, expect};

use crate::program::Workplace;

#[track_caller]
fn check(line: &str, expected: Expect) {
    expected.assert_eq(&Workplace::new().almanac(line).to_text());
}

#[test]
fn help_is_one_screen_with_an_example() {
    check(
        "--help",
        expect![[r#"
            exit 0
            --- stdout
            From raw sales history to served, monitored, probabilistic, coherent forecasts

            Usage: almanac [OPTIONS] <COMMAND>

            Commands:
              demo      Make a project of synthetic retail data and run the whole job on it
              init      Write `almanac.toml` for a source, inferring what its columns mean
              run       Make everything up to date: ingest, check, features, backtest, forecast
              status    Show which assets are up to date and which model serves
              forecast  Write the champion's forecasts to a file, as they are or as they would be
              backtest  Score every model over the cutoffs and show the leaderboard
              audit     Prove properties of the project
              profile   Show what is in a table: types, missing values, distributions, series
              check     Judge tables by suites of expectations, or propose a suite
              features  Features for training and for lookups, declared once
              data      Keep versions of data beside git, in the files of DVC
              serve     Serve forecasts, pages, metrics and a tracking server over HTTP
              access    Say who may call the server, and what
              tracking  Import, export and clean up the store of runs and models
              privacy   Make the key with which personal columns are hashed
              erase     Erase a person from everything the project holds, and prove it
              doctor    Check the machine, the libraries and the project

            Options:
              -h, --help     Print help
              -V, --version  Print version

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac demo shop && almanac -C shop serve
              almanac init sales.csv && almanac run && almanac forecast --out forecast.csv
        "#]],
    );
}

#[test]
fn help_of_demo() {
    check(
        "demo --help",
        expect![[r#"
            exit 0
            --- stdout
            Make a project of synthetic retail data and run the whole job on it

            Usage: almanac demo [OPTIONS] [DIR]

            Arguments:
              [DIR]  Folder to make [default: demo]

            Options:
                  --series <N>   Series: one item in one store each [default: 500]
                  --days <T>     Days of history [default: 1095]
                  --seed <S>     Seed of the random numbers [default: 7]
                  --horizon <H>  Days ahead for which prices and promotions are known [default: 28]
                  --no-run       Write the files and stop
                  --force        Write over another project's `almanac.toml` and `raw/`
              -h, --help         Print help

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac demo shop && almanac -C shop serve
              almanac demo big --series 5000 --no-run

            The same numbers give the same files, byte for byte. What is wrong with them on purpose is told in
            DIR/raw/README.md.
        "#]],
    );
}

#[test]
fn help_of_init() {
    check(
        "init --help",
        expect![[r#"
            exit 0
            --- stdout
            Write `almanac.toml` for a source, inferring what its columns mean

            Usage: almanac init [OPTIONS] <SOURCE>

            Arguments:
              <SOURCE>  File, folder or URL with the sales history

            Options:
                  --table <TABLE>         Table of the database that SOURCE names
                  --time <COLUMN>         Column that says when
                  --target <COLUMN>       Column to forecast
                  --id <COLUMN,…>         Columns that tell one series from another: `store,item`
                  --freq <FREQ>           Spacing of the history: D, W-SUN, MS, h, …
                  --horizon <H>           Steps to forecast
                  --season-length <ROWS>  Rows in a season, where it is not the usual one of the spacing
              -o, --out <FILE>            File to write; `-` is standard output [default: almanac.toml]
                  --force                 Write over an existing file
              -y, --yes                   Ask nothing: take the most likely answer and report the doubt
                  --format <FORMAT>       Form of the report of what was inferred [default: text] [possible
                                          values: text, json]
              -h, --help                  Print help

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac init sales.csv
              almanac init data/ --target Weekly_Sales --horizon 8 --yes
              almanac init postgresql://reader@db/shop --table sales

            SOURCE is a file (CSV, JSON, Excel, Parquet; zip, gzip and zstd are unpacked), a folder of them, or
            the
            URL of a database or of objects. Passwords stay in the environment: `${env:NAME}`.
        "#]],
    );
}

#[test]
fn help_of_run() {
    check(
        "run --help",
        expect![[r#"
            exit 0
            --- stdout
            Make everything up to date: ingest, check, features, backtest, forecast

            Usage: almanac run [OPTIONS]

            Options:
                  --force            Make everything again, up to date or not
                  --only <ASSET>     Stop after this asset and make nothing it does not need: bronze, silver,
                                     gold, …
                  --models <NAMES>   Models to compare, instead of those of the project; `auto` stands for those
                                     that suit the data
                  --budget <TIME>    Processor time that the models of `auto` may take: 30s, 10m, 2h
                  --offline          Fetch nothing from sources outside; use what has landed
                  --reload <TABLE>   Fetch this table from the beginning, as if nothing of it had landed
                  --format <FORMAT>  Form of the summary on standard output [default: text] [possible values:
                                     text, json]
              -h, --help             Print help

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac run
              almanac -C shop run --only silver --format json

            Nothing that is up to date is made again. A run that was stopped goes on where it stopped.
            Exit code 5: the data failed a check. 6: no model passed the gates.
        "#]],
    );
}

#[test]
fn help_of_forecast() {
    check(
        "forecast --help",
        expect![[r#"
            exit 0
            --- stdout
            Write the champion's forecasts to a file, as they are or as they would be

            Usage: almanac forecast [OPTIONS]

            Options:
              -o, --out <FILE>       File to write; `-` is standard output, which a scenario takes by default
                  --level <LEVEL>    Level of the hierarchy; the bottom by default
                  --series <ID>      Only this series; may be given several times
                  --horizon <H>      Steps ahead, at most those of the project
                  --model <NAME>     Another model than the champion
                  --scenario <FILE>  What if: prices, promotions, … as in this file
                  --models <A,B>     Fit these models now and forecast with each; nothing is kept
                  --format <FORMAT>  Form of the file; told from its name by default, csv on standard output
                                     [possible values: csv, parquet, json]
              -h, --help             Print help

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac forecast --out forecast.csv
              almanac forecast --out - --series S001/BAK-01 --horizon 7
              almanac forecast --scenario cheaper.csv --level region
              almanac forecast --models theta,auto_arima --out other.parquet

            A scenario has columns unique_id and ds, or neither (every series, every step), and known-ahead ones
            with new values.
            Columns: unique_id, ds, cutoff, model, mean, q0.005 … q0.995; of a scenario also scenario_mean,
            difference.
        "#]],
    );
}

#[test]
fn help_of_serve() {
    check(
        "serve --help",
        expect![[r#"
            exit 0
            --- stdout
            Serve forecasts, pages, metrics and a tracking server over HTTP

            Usage: almanac serve [OPTIONS]

            Options:
                  --listen <ADDR>             Address and port to listen on, port 0 for a free one; that of
                                              `almanac.toml` by default
                  --backend-store <URL>       Database of runs and models: a file or `postgresql://…`; that of
                                              the project by default
                  --artifact-root <URL>       Where files of runs and models are kept: a folder, `s3://…`,
                                              `gs://…` or `az://…`
                  --auth <WHEN>               When callers need a token or a password; `auto`: unless only this
                                              machine can call [default: auto] [possible values: auto, always,
                                              never]
                  --allowed-hosts <HOST>      Other names by which callers may reach it, such as
                                              `forecasts.example.com`
                  --allowed-origins <ORIGIN>  Other sites whose pages may call, such as
                                              `https://notebooks.example.com`
              -h, --help                      Print help

            Global options:
              -C, --project <DIR>  Work in this folder, that of the project [default: .]
                  --threads <N>    Threads to use; all cores by default
              -q, --quiet          Say only what went wrong
              -v, --verbose...     Say more; twice for a log
                  --color <WHEN>   Colour on standard error [default: auto] [possible values: auto, always,
                                   never]

            Examples:
              almanac -C shop serve
              almanac serve --listen 127.0.0.1:5000        # in an empty folder: a tracking server for MLflow
              almanac serve --listen 0.0.0.0:8080          # others may call: tokens are asked for
              almanac serve --backend-store postgresql://me@host/almanac --artifact-root s3://bucket/models

            Pages at /, API at /api/v1, its description at /openapi.json, metrics at /metrics.
            Clients of MLflow: MLFLOW_TRACKING_URI=http://127.0.0.1:8080. Optuna: GrpcStorageProxy(host, port).
        "#]],
    );
}

#[test]
fn every_verb_has_help_of_one_screen_with_an_example() {
    let place = Workplace::new();
    for verb in [
        "demo",
        "init",
        "run",
        "status",
        "forecast",
        "backtest",
        "audit leakage",
        "features",
        "features get",
        "features online",
        "serve",
        "access",
        "tracking",
        "erase",
        "privacy",
        "doctor",
    ] {
        let answer = place.almanac(&format!("{verb} --help"));
        assert_eq!(answer.code, Some(0), "{verb}");
        assert!(answer.stdout.contains("Example"), "{verb} has no example");
        assert!(answer.stdout.lines().count() <= 45, "{verb}: {} lines", answer.stdout.lines().count());
    }
}

#[test]
fn an_unknown_flag_is_refused_with_the_near_one() {
    check(
        "run --forec",
        expect![[r#"
        exit 2
        --- stderr
        error: unexpected argument '--forec' found

          tip: a similar argument exists: '--force'

        Usage: almanac run --force

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn no_verb_shows_the_help_and_is_a_mistake() {
    assert_eq!(Workplace::new().almanac("").code, Some(2));
}

#[test]
fn verbs_of_a_project_say_that_there_is_none() {
    let place = Workplace::new();
    for line in ["run", "status", "forecast --out a.csv", "backtest", "audit leakage"] {
        let answer = place.almanac(line);
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(3), ""), "{line}");
    }
    check(
        "-C nowhere status",
        expect![[r#"
        exit 3
        --- stderr
        error: there is no `almanac.toml` in `nowhere`

        hint: run `almanac init SOURCE` to write one, or name the project with `-C DIR`; `almanac demo` makes an example
    "#]],
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_near_one() {
    let place = Workplace::new();
    std::fs::write(place.path("almanac.toml"), "[data]\nsource = \"a.csv\"\n\n[forecast]\nhorizen = 28\n").expect("the folder is ours");
    expect![[r#"
        exit 3
        --- stderr
        error: the configuration has 4 errors
          almanac.toml:5: unknown key `horizen` in `[forecast]` (did you mean `horizon`?)
          almanac.toml: `data.id` is required and missing (write, for example, `id = ["store", "item"]`)
          almanac.toml: `data.time` is required and missing (write, for example, `time = "date"`)
          almanac.toml: `data.target` is required and missing (write, for example, `target = "units"`)
    "#]]
    .assert_eq(&place.almanac("status").to_text());
}

#[test]
fn init_does_not_write_over_a_project() {
    let place = Workplace::new();
    std::fs::write(place.path("almanac.toml"), "# mine\n").expect("the folder is ours");
    expect![[r#"
        exit 2
        --- stderr
        error: `almanac.toml` exists

        hint: add `--force` to write over it, or `--out -` to see what would be written
    "#]]
    .assert_eq(&place.almanac("init sales.csv").to_text());
}

#[test]
fn init_of_nothing_says_so() {
    check(
        "init sales.csv",
        expect![[r#"
        exit 4
        --- stderr
        error: there is no `sales.csv`
          caused by: No such file or directory (os error 2)

        hint: name a CSV, Parquet or JSON lines file, or a folder of them
    "#]],
    );
}

#[test]
fn a_forecast_file_without_a_known_ending_is_refused() {
    check(
        "forecast --out a.xyz",
        expect![[r#"
        exit 2
        --- stderr
        error: the name `a.xyz` does not say in which form to write

        hint: end it in `.csv`, `.parquet` or `.json`, or add `--format csv`
    "#]],
    );
}

#[test]
fn doctor_without_a_project_points_to_the_ways_to_make_one() {
    let answer = Workplace::new().almanac("doctor");
    assert_eq!(answer.code, Some(0), "{}", answer.to_text());
    assert!(answer.stdout.contains("`almanac init SOURCE`"), "{}", answer.stdout);
}

#[test]
fn doctor_speaks_json() {
    let answer = Workplace::new().almanac("doctor --format json");
    let findings: serde_json::Value = serde_json::from_str(&answer.stdout).expect("it is JSON");
    assert!(findings.as_array().is_some_and(|lines| lines.iter().all(|line| line["health"].is_string())), "{findings}");
}

#[test]
fn doctor_finds_what_a_killed_run_left() {
    let place = Workplace::new();
    std::fs::create_dir_all(place.path(".almanac/lake")).expect("the folder is new");
    std::fs::write(place.path("almanac.toml"), "[data]\nsource = \"a.csv\"\nid = []\ntime = \"ds\"\ntarget = \"y\"\n").expect("ours");
    std::fs::write(place.path(".almanac/lake/x.tmp"), "").expect("ours");
    let answer = place.almanac("doctor");
    assert!(answer.stdout.contains("1 temporary files"), "{}", answer.stdout);
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    use std::process::{Command, Stdio};

    let (reader, writer) = std::io::pipe().expect("the system has pipes");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_almanac"))
        .args(["doctor", "--format", "json"])
        .stdout(Stdio::from(writer))
        .output()
        .expect("the binary was built for this test");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}

#[test]
fn what_the_system_refuses_to_write_has_its_own_exit_code() {
    let place = Workplace::new();
    let days = (1..=28).map(|day| format!("2024-01-{day:02},{day}\n")).collect::<Vec<_>>().concat();
    std::fs::write(place.path("sales.csv"), format!("date,units\n{days}")).expect("the folder is ours");
    assert_eq!(place.almanac("init sales.csv --yes").code, Some(0));
    std::fs::write(place.path(".almanac"), "a file where a folder belongs").expect("the folder is ours");
    assert_eq!(place.almanac("run").code, Some(8));
    std::fs::remove_file(place.path(".almanac")).expect("written above");
    std::fs::create_dir(place.path(".almanac")).expect("the folder is ours");
    std::fs::write(place.path(".almanac/lake"), "a file where a folder belongs").expect("the folder is ours");
    assert_eq!(place.almanac("run").code, Some(8));
}
