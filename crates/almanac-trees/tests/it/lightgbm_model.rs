//! The LightGBM model's contract, and that its state is all of it.

use almanac_model::testing::check_forecaster;
use almanac_model::{FittedForecaster, Forecaster, PredictError};
use almanac_series::{Freq, Horizon, PanelBuilder, Period, RowStatus, Seed, SeriesRows};
use almanac_trees::{GlobalConfig, GlobalLightGbm, LightGbmConfig, Objective};

use crate::panels::{HISTORY, horizon, sales, shops, training_shops};

fn small() -> LightGbmConfig {
    LightGbmConfig {
        trees: Some(40),
        num_leaves: Some(15),
        min_data_in_leaf: Some(10),
        learning_rate: Some(0.1),
        ..LightGbmConfig::default()
    }
}

fn fitted() -> Box<dyn FittedForecaster> {
    GlobalLightGbm::new(small()).fit(&training_shops(), horizon(), Seed(1)).expect("enough rows")
}

#[test]
fn global_lightgbm_keeps_the_contract() {
    check_forecaster(&GlobalLightGbm::new(small()));
}

#[test]
fn a_bag_of_tweedie_models_keeps_the_contract() {
    let global =
        GlobalConfig { bag: Some(2), objective: Objective::Tweedie { power: 1.2 }, max_train_rows: 1_500, ..GlobalConfig::default() };
    let config = LightGbmConfig { global, ..small() };
    check_forecaster(&GlobalLightGbm::new(config));
}

#[test]
fn a_loaded_model_forecasts_the_same_bits() {
    let model = fitted();
    let again = GlobalLightGbm::load(&model.state()).expect("its own state");
    let context = shops(&["a", "z"], &["north", "south"], 12.0);
    assert_eq!(model.predict(&context, horizon(), &[]), again.predict(&context, horizon(), &[]));
    assert_eq!(model.state(), again.state());
}

#[test]
fn a_new_series_of_another_level_is_forecast_from_what_others_taught() {
    let context = shops(&["new"], &["east"], 700.0);
    let forecast = fitted().predict(&context, horizon(), &[]).expect("forecast");
    for (step, mean) in forecast.mean_of(0).iter().enumerate() {
        let actual = sales(700.0, HISTORY + step as i64);
        assert!((mean / actual - 1.0).abs() < 0.12, "step {}: {mean} for {actual}", step + 1);
    }
}

#[test]
fn statics_are_matched_by_text_not_by_code() {
    let model = fitted();
    // `south` alone has the code that `north` had in training.
    let alone = model.predict(&shops(&["b"], &["south"], 20.0), horizon(), &[]).expect("forecast");
    let among = model.predict(&shops(&["b", "x"], &["south", "north"], 20.0), horizon(), &[]).expect("forecast");
    assert_eq!(alone.mean_of(0), among.mean_of(0));
}

#[test]
fn a_missing_column_is_named() {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    let rows = SeriesRows { y: vec![1.0; 30], status: vec![RowStatus::Observed; 30], ..SeriesRows::default() };
    builder.push("a".into(), Period(0), rows).expect("no columns");
    let context = builder.finish(vec![]).expect("one series");
    let error = fitted().predict(&context, horizon(), &[]).unwrap_err();
    assert_eq!(error, PredictError::MissingColumn { model: "lightgbm".into(), column: "promo".into() });
}

#[test]
fn more_steps_than_learnt_are_refused() {
    let error = fitted().predict(&shops(&["a"], &["north"], 1.0), Horizon::new(15).expect("in range"), &[]).unwrap_err();
    assert_eq!(error, PredictError::HorizonTooLong { model: "lightgbm".into(), fitted: 14, asked: 15 });
}

#[test]
fn a_state_that_is_none_is_refused() {
    assert!(GlobalLightGbm::load("{}").is_err());
}
