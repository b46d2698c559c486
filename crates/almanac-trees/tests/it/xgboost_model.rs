//! The XGBoost model's contract, and that its state is all of it. Tests that train skip where the library is not found.

use almanac_model::testing::check_forecaster;
use almanac_model::{FitError, FittedForecaster, Forecaster, PredictError};
use almanac_series::{Hint, Horizon, Seed};
use almanac_trees::{GlobalConfig, GlobalXgBoost, Objective, XgBoostConfig};

use crate::panels::{HISTORY, horizon, sales, shops, training_shops};
use crate::xgboost_library::{file, library};

fn small(threads: usize) -> Option<XgBoostConfig> {
    library()?;
    let global = GlobalConfig { num_threads: threads, ..GlobalConfig::default() };
    Some(XgBoostConfig {
        global,
        library: file(),
        trees: Some(40),
        max_depth: Some(4),
        min_child_weight: Some(10.0),
        learning_rate: Some(0.1),
        ..XgBoostConfig::default()
    })
}

fn fitted(config: XgBoostConfig) -> Box<dyn FittedForecaster> {
    GlobalXgBoost::new(config).fit(&training_shops(), horizon(), Seed(1)).expect("enough rows")
}

#[test]
fn global_xgboost_keeps_the_contract() {
    let Some(config) = small(0) else { return };
    check_forecaster(&GlobalXgBoost::new(config));
}

#[test]
fn a_bag_of_tweedie_models_keeps_the_contract() {
    let Some(config) = small(2) else { return };
    let objective = Objective::Tweedie { power: 1.2 };
    let global = GlobalConfig { bag: Some(2), objective, max_train_rows: 1_500, ..config.global };
    check_forecaster(&GlobalXgBoost::new(XgBoostConfig { global, ..config }));
}

#[test]
fn the_state_is_the_same_on_any_number_of_threads() {
    let Some(one) = small(1) else { return };
    let one = fitted(one).state();
    for threads in [2, 5] {
        assert_eq!(one, fitted(small(threads).expect("it was there")).state(), "{threads} threads");
    }
}

#[test]
fn a_loaded_model_forecasts_the_same_bits() {
    let Some(config) = small(0) else { return };
    let model = fitted(config);
    let again = GlobalXgBoost::load(&model.state()).expect("its own state");
    let context = shops(&["a", "z"], &["north", "south"], 12.0);
    assert_eq!(model.predict(&context, horizon(), &[]), again.predict(&context, horizon(), &[]));
    assert_eq!(model.state(), again.state());
}

#[test]
fn a_new_series_of_another_level_is_forecast_from_what_others_taught() {
    let Some(config) = small(0) else { return };
    let context = shops(&["new"], &["east"], 700.0);
    let forecast = fitted(config).predict(&context, horizon(), &[]).expect("forecast");
    for (step, mean) in forecast.mean_of(0).iter().enumerate() {
        let actual = sales(700.0, HISTORY + step as i64);
        assert!((mean / actual - 1.0).abs() < 0.12, "step {}: {mean} for {actual}", step + 1);
    }
}

#[test]
fn more_steps_than_learnt_are_refused() {
    let Some(config) = small(0) else { return };
    let error = fitted(config).predict(&shops(&["a"], &["north"], 1.0), Horizon::new(15).expect("in range"), &[]).unwrap_err();
    assert_eq!(error, PredictError::HorizonTooLong { model: "xgboost".into(), fitted: 14, asked: 15 });
}

#[test]
fn a_state_that_is_none_is_refused() {
    assert_eq!(GlobalXgBoost::load("{}").unwrap_err().to_string(), "the text is no state of `xgboost`");
}

#[test]
#[cfg(target_os = "linux")]
fn without_the_library_it_says_what_is_missing_and_how_to_get_it() {
    let config = XgBoostConfig { library: Some("/nowhere/libxgboost.so".into()), ..XgBoostConfig::default() };
    let error = GlobalXgBoost::new(config).fit(&training_shops(), horizon(), Seed(1)).unwrap_err();
    assert!(matches!(error, FitError::NoLibrary { .. }));
    let wanted = "`xgboost` cannot be trained: `/nowhere/libxgboost.so` cannot be loaded as the XGBoost library: \
                  /nowhere/libxgboost.so: cannot open shared object file: No such file or directory";
    assert_eq!(error.to_string(), wanted);
    assert_eq!(error.hint().as_deref(), Some("name a `libxgboost` of this machine, or install one with `pip install xgboost`"));
}
