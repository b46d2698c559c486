//! The default file, the defaults and the known keys are one thing.

use almanac_config::{CanonicalJson, DEFAULT_TOML, ProjectFile, TreeObjective, TreePool, TreeStrategy};
use almanac_series::Freq;

use crate::{MINIMAL, read};

#[test]
fn the_default_file_holds_the_defaults() {
    let required = MINIMAL.strip_prefix("[data]\n").expect("starts with the section");
    let full = DEFAULT_TOML.replacen("[data]\n", &format!("[data]\n{required}"), 1);
    assert_eq!(read(&full).expect("valid"), read(MINIMAL).expect("valid"));
}

#[test]
fn every_example_of_the_default_file_is_a_known_key_of_the_right_type() {
    let mut count = 0;
    let mut section = "";
    for line in DEFAULT_TOML.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let Some((key, _)) = line.trim_start_matches('#').split_once(" = ").filter(|_| !line.starts_with("# ")) {
            let text = format!("{section}\n{}", line.trim_start_matches('#'));
            toml::from_str::<ProjectFile>(&text).unwrap_or_else(|error| panic!("`{key}`: {error}"));
            count += 1;
        }
    }
    assert_eq!(count, 125, "a key was added or taken away: is it in default.toml, in file.rs and in keys.rs?");
}

/// serde lists the keys of a struct when it refuses one, and so do our suggestions.
#[test]
fn the_list_of_keys_is_that_of_the_structs() {
    for section in [
        "data",
        "data.csv",
        "privacy",
        "features",
        "forecast",
        "models.lightgbm",
        "models.xgboost",
        "checks",
        "gates",
        "run",
        "tracking",
        "serve",
    ] {
        let message = toml::from_str::<ProjectFile>(&format!("[{section}]\nzzzzzz = 1\n")).expect_err("unknown").message().to_owned();
        let keys: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        assert!(!keys.is_empty(), "{message}");
        let header = if section == "data" { String::new() } else { format!("[{section}]\n") };
        let ours = read(&format!("{MINIMAL}{header}zzzzzz = 1\n")).expect_err("unknown");
        let hint = almanac_series::Hint::hint(&ours).expect("lists the keys");
        let listed: Vec<&str> = hint.split('`').skip(3).step_by(2).collect();
        let sorted = |mut list: Vec<&str>| {
            list.sort_unstable();
            list.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(sorted(keys), sorted(listed), "[{section}]");
    }
}

#[test]
fn horizon_and_season_follow_the_frequency() {
    let forecast = read(MINIMAL).expect("valid").forecast;
    let horizon = |alias: &str| forecast.horizon_at(alias.parse().expect("known")).steps();
    assert_eq!([horizon("D"), horizon("W-SUN"), horizon("MS"), horizon("QS"), horizon("YS"), horizon("h")], [28, 13, 12, 8, 4, 48]);
    assert_eq!(forecast.season_length_at(Freq::Day).steps(), 7);
    assert_eq!(forecast.fold_stride_at(Freq::Day), 28);
}

#[test]
fn auto_is_left_to_the_data_and_a_gate_adds_its_baselines() {
    let auto = read(MINIMAL).expect("valid");
    assert!(auto.is_auto());
    assert_eq!(auto.named_models(), ["naive", "seasonal_naive"]);
    let one = read(&format!("{MINIMAL}[forecast]\nmodels = \"auto_ets\"\n")).expect("valid");
    assert!(!one.is_auto());
    assert_eq!(one.named_models(), ["naive", "seasonal_naive", "auto_ets"]);
    let both = read(&format!("{MINIMAL}[forecast]\nmodels = [\"auto\", \"sba\"]\n")).expect("valid");
    assert!(both.is_auto());
    assert_eq!(both.named_models(), ["naive", "seasonal_naive", "sba"]);
    let asked = read(&format!("{MINIMAL}[forecast]\nmodels = [\"ensemble\", \"prophet\", \"auto_ets\"]\n")).expect("valid");
    assert_eq!(asked.named_models(), ["naive", "seasonal_naive", "auto_ets", "prophet", "ensemble"]);
}

#[test]
fn a_budget_is_a_time() {
    let budget =
        |text: &str| read(&format!("{MINIMAL}[forecast]\nbudget = \"{text}\"\n")).map(|settings| settings.forecast.budget.as_secs());
    assert_eq!(budget("90s").expect("valid"), 90);
    assert_eq!(budget("1h30m").expect("valid"), 5400);
    for wrong in ["soon", "-5m", "0s", ""] {
        let error = budget(wrong).expect_err("not a time").to_string();
        assert!(error.contains("budget"), "{error}");
    }
}

#[test]
fn canonical_json_is_the_same_for_the_same_settings_only() {
    let first = read(MINIMAL).expect("valid");
    let spelt_out = read(&format!("{MINIMAL}freq = \"auto\"\n[forecast]\nseed = 42\n")).expect("valid");
    assert_eq!(first.data.canonical_json(), spelt_out.data.canonical_json());
    assert_eq!(first.forecast.canonical_json(), spelt_out.forecast.canonical_json());
    let other = read(&format!("{MINIMAL}freq = \"D\"\n")).expect("valid");
    assert_ne!(first.data.canonical_json(), other.data.canonical_json());
    expect_test::expect![[r#"{"beats":["naive","seasonal_naive"],"min_folds":3}"#]].assert_eq(&first.gates.canonical_json());
}

#[test]
fn optional_features_are_asked_for_one_by_one() {
    let features = read(MINIMAL).expect("valid").features;
    assert!(!features.has_optional());
    let asked = "[features]\nquantiles = [0.9, 0.5]\ndifferences = [7, 1]\nfourier = [365.25, 7]\n";
    let features = read(&format!("{MINIMAL}{asked}")).expect("valid").features;
    assert!(features.has_optional());
    assert_eq!((features.quantiles, features.differences, features.fourier), (vec![0.5, 0.9], vec![1, 7], Some(vec![7.0, 365.25])));
    let usual = read(&format!("{MINIMAL}[features]\nfourier = true\n")).expect("valid").features;
    assert_eq!(usual.fourier, Some(vec![]), "those of the frequency");
}

#[test]
fn a_model_of_trees_is_told_what_the_file_says() {
    let text = "static = [\"region\"]\nfuture = [\"price\"]\n[models.lightgbm]\nobjective = \"tweedie\"\ntweedie_power = 1.4\nstrategy = \"blocks\"\n\
                pool = \"both:region\"\nearly_stopping = 30\nmonotone = { price = -1 }\nweights = \"value\"\ntrees = 70\n\
                [models.xgboost]\nobjective = \"quantile\"\nquantile = 0.9\nquantiles = true\nmax_depth = 3\n";
    let models = read(&format!("{MINIMAL}{text}")).expect("valid").models;
    let trees = &models.lightgbm.trees;
    assert_eq!(trees.objective, TreeObjective::Tweedie { power: 1.4 });
    assert_eq!((trees.strategy, trees.pool.clone()), (TreeStrategy::Blocks { steps: 7 }, TreePool::Both("region".into())));
    assert_eq!((trees.early_stopping, trees.by_value, trees.trees), (Some(30), true, Some(70)));
    assert_eq!(trees.monotone, [("price".to_owned(), -1)].into());
    let trees = &models.xgboost.trees;
    assert_eq!((trees.objective, trees.quantiles), (TreeObjective::Quantile { probability: 0.9 }, true));
    assert_eq!((models.xgboost.max_depth, trees.early_stopping, trees.pool.clone()), (Some(3), None, TreePool::Whole));
}
