//! Flags over environment over file over defaults; and the file system.

use std::path::Path;

use almanac_config::{ENVIRONMENT, Overrides, Settings};
use almanac_series::{Hint, Seed};
use expect_test::expect;

use crate::MINIMAL;

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let text = format!("{MINIMAL}[forecast]\nhorizon = 7\nseed = 1\nfolds = 4\n");
    let environment = Overrides { horizon: Some(14), seed: Some(2), ..Overrides::default() };
    let flags = Overrides { horizon: Some(21), ..Overrides::default() };
    let settings = Settings::from_text(Path::new("p"), &text, &environment, &flags).expect("valid");
    assert_eq!(settings.forecast.horizon.map(almanac_series::Horizon::steps), Some(21));
    assert_eq!(settings.forecast.seed, Seed(2));
    assert_eq!(settings.forecast.folds, 4);
}

#[test]
fn every_variable_of_the_list_is_read() {
    for variable in ENVIRONMENT {
        let value = |name: &str| (name == variable.name).then(|| "3".to_owned());
        let read = Overrides::from_environment(value).expect("3 is fine everywhere");
        assert_ne!(read, Overrides::default(), "{}", variable.name);
    }
}

#[test]
fn a_wrong_value_names_its_variable_or_flag() {
    let error = Overrides::from_environment(|name| (name == "ALMANAC_THREADS").then(|| "many".into())).expect_err("not a number");
    expect!["environment variable `ALMANAC_THREADS`: `run.threads` should be a whole number, got `many`"].assert_eq(&error.to_string());
    let flags = Overrides { horizon: Some(0), ..Overrides::default() };
    let error = Settings::from_text(Path::new("p"), MINIMAL, &Overrides::default(), &flags).expect_err("0 steps");
    expect!["flag `--horizon`: `forecast.horizon` is not right: horizon must be between 1 and 10000 steps, got 0"]
        .assert_eq(&error.to_string());
}

#[test]
fn a_folder_without_a_project_says_how_to_make_one() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let error = Settings::load(folder.path(), &Overrides::default()).expect_err("no file");
    assert!(error.to_string().starts_with("there is no `almanac.toml` in `"));
    assert!(error.hint().is_some_and(|hint| hint.contains("almanac init")));
}

#[test]
fn a_file_that_is_not_utf8_is_an_error() {
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::write(folder.path().join("almanac.toml"), b"[data]\nsource = \"caf\xe9.csv\"\n").expect("written");
    let error = Settings::load(folder.path(), &Overrides::default()).expect_err("latin-1");
    assert!(error.to_string().starts_with("failed to read `"));
}

#[test]
fn paths_start_at_the_project() {
    let settings = Settings::from_text(Path::new("/p"), MINIMAL, &Overrides::default(), &Overrides::default()).expect("valid");
    assert_eq!(settings.path(&settings.data.tables[0].patterns[0]), Path::new("/p/sales.csv"));
    assert_eq!(settings.path("/data/x.csv"), Path::new("/data/x.csv"));
}
