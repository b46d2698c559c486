//! The whole job through the binary: run, run again, change, kill and resume, export, audit.

use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use expect_test::expect;

use crate::program::{Workplace, files_below};

/// A demo small enough for a test, with every step of the whole job.
const DEMO: &str = "demo shop --series 24 --days 500 --horizon 14 --no-run";

/// A smaller one still, for tests that run the job many times: [`small_shop`].
const SMALL_DEMO: &str = "demo shop --series 8 --days 300 --horizon 7 --no-run";
const FEW_MODELS: &str =
    "[models.lightgbm]\ntrees = 30\nbag = 1\n\n[forecast]\nmodels = [\"seasonal_naive\", \"auto_ets\", \"ridge\", \"lightgbm\"]\n";

fn shop() -> Workplace {
    made_by(DEMO)
}

/// A shop of a few models, one of each kind.
fn small_shop() -> Workplace {
    let place = made_by(SMALL_DEMO);
    let settings = place.path("shop/almanac.toml");
    let text = std::fs::read_to_string(&settings).expect("the demo wrote it");
    std::fs::write(&settings, text.replace("[forecast]\n", FEW_MODELS)).expect("written");
    place
}

fn made_by(demo: &str) -> Workplace {
    let place = Workplace::new();
    let made = place.almanac(demo);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    place
}

#[track_caller]
fn succeed(place: &Workplace, line: &str) -> String {
    let answer = place.almanac(line);
    assert_eq!(answer.code, Some(0), "`{line}`:\n{}\n{}", answer.stdout, answer.stderr);
    answer.stdout
}

/// The forecast table as names and bytes, relative to its folder.
fn forecast_table(place: &Workplace) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = place.path("shop/.almanac/forecasts");
    let relative = |path: PathBuf| path.strip_prefix(&folder).map(Path::to_path_buf).expect("below the folder");
    files_below(&folder).into_iter().map(|(path, bytes)| (relative(path), bytes)).collect()
}

fn made(json: &str) -> u64 {
    let summary: serde_json::Value = serde_json::from_str(json).expect("the summary is JSON");
    summary["made"].as_u64().expect("it counts the assets made")
}

#[test]
fn a_second_run_does_nothing_and_a_change_runs_only_what_depends_on_it() {
    let place = shop();
    let first = made(&succeed(&place, "-C shop run --format json"));
    assert!(first > 20, "{first} assets");
    let table = forecast_table(&place);
    assert_eq!(made(&succeed(&place, "-C shop run --format json")), 0);

    let settings = place.path("shop/almanac.toml");
    let text = std::fs::read_to_string(&settings).expect("the demo wrote it");
    std::fs::write(&settings, text.replace("[forecast]", "[gates]\nbeats = [\"naive\"]\n\n[forecast]")).expect("written");
    let again = made(&succeed(&place, "-C shop run --format json"));
    assert!((1..=4).contains(&again), "the gate changes the choice, not the backtest: {again} assets");

    std::fs::write(&settings, &text).expect("written");
    let prices = place.path("shop/raw/prices.csv");
    let mut bytes = std::fs::read(&prices).expect("the demo wrote it");
    bytes.extend_from_slice(b"\n");
    std::fs::write(&prices, bytes).expect("written");
    assert!(made(&succeed(&place, "-C shop run --format json")) > 10, "a source changed");
    assert_eq!(table.len(), forecast_table(&place).iter().filter(|file| table.iter().any(|old| old.0 == file.0)).count());
}

#[test]
fn one_thread_and_two_give_the_same_forecast_table() {
    let (one, two) = (shop(), shop());
    succeed(&one, "-C shop --threads 1 run");
    succeed(&two, "-C shop --threads 2 run");
    let (one, two) = (forecast_table(&one), forecast_table(&two));
    assert!(!one.is_empty());
    assert!(one == two, "the forecast tables differ");
}

/// Runs and kills the process after `moment`.
fn run_and_kill(place: &Workplace, moment: Duration) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_almanac"))
        .args(["-C", "shop", "run"])
        .current_dir(place.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built for this test");
    // The moment is what is tested, so there is no event to wait for.
    std::thread::sleep(moment);
    child.kill().expect("ours to kill");
    child.wait().expect("it was started");
}

#[test]
fn a_run_killed_at_any_of_twenty_moments_goes_on_to_the_same_forecast_table() {
    const KILLS: u32 = 20;
    let undisturbed = small_shop();
    let started = std::time::Instant::now();
    succeed(&undisturbed, "-C shop run");
    let whole = started.elapsed();
    let expected = forecast_table(&undisturbed);
    assert!(!expected.is_empty());
    let mut random = std::collections::hash_map::RandomState::new().hash_one("moments");
    for kill in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // A random moment in each twentieth of the run.
        let moment = whole.mul_f64((f64::from(kill) + (random >> 33) as f64 / f64::from(1_u32 << 31)) / f64::from(KILLS));
        let killed = small_shop();
        run_and_kill(&killed, moment);
        succeed(&killed, "-C shop run");
        assert!(forecast_table(&killed) == expected, "killed after {moment:?} of {whole:?}: the forecast tables differ");
        assert_eq!(made(&succeed(&killed, "-C shop run --format json")), 0, "killed after {moment:?} of {whole:?}");
    }
}

#[test]
fn a_run_killed_again_and_again_goes_on_to_the_same_forecast_table() {
    let undisturbed = small_shop();
    let started = std::time::Instant::now();
    succeed(&undisturbed, "-C shop run");
    let whole = started.elapsed();
    let killed = small_shop();
    // Each in a part of its own; a run that is resumed is shorter than a whole one.
    for kill in 0..6_u32 {
        run_and_kill(&killed, whole.mul_f64(0.02 + 0.13 * f64::from(kill)).max(Duration::from_millis(5)));
    }
    succeed(&killed, "-C shop run");
    assert!(forecast_table(&undisturbed) == forecast_table(&killed), "the forecast tables differ");
    assert_eq!(made(&succeed(&killed, "-C shop run --format json")), 0);
}

#[test]
fn forecasts_are_exported_in_every_form_and_cut_as_asked() {
    let place = shop();
    succeed(&place, "-C shop run");
    let csv = succeed(&place, "-C shop forecast --out - --horizon 3");
    let mut lines = csv.lines();
    let header = lines.next().expect("a header");
    assert!(header.starts_with("unique_id,ds,cutoff,model,mean,q0.005,"), "{header}");
    let rows: Vec<&str> = lines.collect();
    assert!(rows.len() >= 30 && rows.len().is_multiple_of(3), "{} rows", rows.len());

    let id = rows[0].split(',').next().expect("a key");
    let one = succeed(&place, &format!("-C shop forecast --out - --series {id}"));
    assert_eq!(one.lines().count(), 15);
    let total = succeed(&place, "-C shop forecast --out - --level total --model seasonal_naive");
    assert_eq!(total.lines().count(), 15);
    assert!(total.contains(",seasonal_naive,"));
    for form in ["csv", "parquet", "json"] {
        succeed(&place, &format!("-C shop forecast --out out.{form}"));
        assert!(place.path(&format!("shop/out.{form}")).exists(), "paths start at the folder of `-C`");
    }
    let parsed: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("shop/out.json")).expect("written")).expect("one JSON document");
    assert!(parsed.as_array().is_some_and(|rows| !rows.is_empty() && rows[0]["mean"].is_number()));
    let refused = place.almanac("-C shop forecast --out - --series nobody");
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("nobody"), "{}", refused.stderr);
}

#[test]
fn the_parts_of_a_forecast_add_up() {
    let place = shop();
    succeed(&place, "-C shop run");
    let means = |level: &str| -> Vec<(String, f64)> {
        let csv = succeed(&place, &format!("-C shop forecast --out - --level {level}"));
        let row = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            (cells[1].to_owned(), cells[4].parse().expect("a mean"))
        };
        csv.lines().skip(1).map(row).collect()
    };
    let total = means("total");
    let bottom = means("bottom");
    assert_eq!(total.len(), 14);
    for (ds, sum) in total {
        let parts: f64 = bottom.iter().filter(|(at, _)| *at == ds).map(|(_, mean)| mean).sum();
        assert!((sum - parts).abs() <= 1e-9 * sum.abs().max(1.0), "{ds}: {sum} and {parts}");
    }
}

#[test]
fn no_number_depends_on_the_future() {
    let place = shop();
    succeed(&place, "-C shop run");
    let audits: serde_json::Value = serde_json::from_str(&succeed(&place, "-C shop audit leakage --format json")).expect("JSON");
    let audits = audits.as_array().expect("one per cutoff");
    assert!(audits.len() >= 3);
    for audit in audits {
        assert!(audit["disturbed"].as_u64() > Some(100) && audit["features_compared"].as_u64() > Some(1000), "{audit}");
    }
}

#[test]
fn a_champion_that_beats_nothing_is_not_promoted() {
    let place = shop();
    let settings = place.path("shop/almanac.toml");
    let text = std::fs::read_to_string(&settings).expect("the demo wrote it");
    let strict = text.replace("[forecast]", "[gates]\nbeats = [\"naive\"]\n\n[forecast]\nmodels = [\"naive\"]");
    std::fs::write(&settings, strict).expect("written");
    let refused = place.almanac("-C shop run");
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    assert!(refused.stderr.contains("naive"), "{}", refused.stderr);
    assert!(!place.path("shop/.almanac/champion.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn xgboost_without_its_library_stops_the_run_and_says_how_to_get_it() {
    let place = made_by(SMALL_DEMO);
    let settings = place.path("shop/almanac.toml");
    let text = std::fs::read_to_string(&settings).expect("the demo wrote it");
    std::fs::write(&settings, text.replace("[forecast]", "[forecast]\nmodels = [\"naive\", \"xgboost\"]")).expect("written");
    let refused = place.almanac_with(&[("ALMANAC_XGBOOST_LIB", "/nowhere/libxgboost.so")], "-C shop run --quiet");
    expect![[r#"
        exit 3
        --- stderr
        error: `backtest/fold-0/xgboost` failed
          caused by: fold 0 (cutoff 2024-12-09), model `xgboost`
          caused by: `xgboost` cannot be trained: `/nowhere/libxgboost.so` cannot be loaded as the XGBoost library: /nowhere/libxgboost.so: cannot open shared object file: No such file or directory

        hint: name a `libxgboost` of this machine, or install one with `pip install xgboost`
    "#]].assert_eq(&refused.to_text());

    // It is mended outside of the project, so nothing of it is remembered.
    let Some(library) = std::env::var("ALMANAC_XGBOOST_LIB").ok() else {
        eprintln!("skipped: name the XGBoost library in ALMANAC_XGBOOST_LIB");
        return;
    };
    let trained = place.almanac_with(&[("ALMANAC_XGBOOST_LIB", &library)], "-C shop run --quiet");
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    // What is learnt needs no library.
    let again = place.almanac_with(&[("ALMANAC_XGBOOST_LIB", "/nowhere/libxgboost.so")], "-C shop forecast --out forecast.csv");
    assert_eq!(again.code, Some(0), "{}", again.stderr);
}

#[test]
fn a_broken_expectation_stops_the_run_before_any_model() {
    let place = shop();
    let settings = place.path("shop/almanac.toml");
    let text = std::fs::read_to_string(&settings).expect("the demo wrote it");
    std::fs::write(&settings, text.replace("price = [0.01, 1000.0]", "price = [0.01, 0.02]")).expect("written");
    let refused = place.almanac("-C shop run");
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    assert!(refused.stderr.contains("price"), "{}", refused.stderr);
    assert!(!place.path("shop/.almanac/backtest").exists());
}
