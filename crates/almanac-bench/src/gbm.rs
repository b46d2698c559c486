//! A global LightGBM end to end: features, training, and a recursive forecast, with the trees that a peer grows too.

use almanac_features::{FeatureSpec, WindowSpec};
use almanac_model::Forecaster;
use almanac_series::{Freq, Horizon, Panel, Seed};
use almanac_trees::{GlobalConfig, GlobalLightGbm, LightGbmConfig, Objective, Strategy};
use serde_json::json;

use crate::clock::{Clock, peak_gib};

const HORIZON: usize = 28;

/// Lags 1, 7, 14, 28, mean and deviation over 7 and 28 rows, the calendar; trees of 63 leaves over 255 bins, no sampling.
fn config(trees: usize, threads: usize) -> LightGbmConfig {
    let window = |rows| WindowSpec { std: true, ..WindowSpec::mean(rows) };
    let horizon = Horizon::new(HORIZON).expect("at least 1");
    let features = FeatureSpec {
        lags: vec![1, 7, 14, 28],
        windows: vec![window(7), window(28)],
        ewm: Vec::new(),
        season_lengths: Vec::new(),
        year: None,
        ..FeatureSpec::for_freq(Freq::Day, horizon)
    };
    let global = GlobalConfig {
        objective: Objective::Ratio,
        strategy: Strategy::Recursive,
        bag: Some(1),
        max_train_rows: usize::MAX,
        num_threads: threads,
        features: Some(features),
        ..GlobalConfig::default()
    };
    LightGbmConfig {
        global,
        trees: Some(trees),
        num_leaves: Some(63),
        learning_rate: Some(0.05),
        min_data_in_leaf: Some(20),
        feature_fraction: 1.0,
        bagging_fraction: 1.0,
        lambda_l2: 0.0,
        max_bin: 255,
    }
}

/// Prints seconds, the weighted absolute percentage error of the rows held out, and memory.
pub(crate) fn time(panel: &Panel, trees: usize, threads: usize) {
    let last = panel.last_period().expect("there are rows");
    let train = panel.until(last.plus(-(HORIZON as i64)));
    let horizon = Horizon::new(HORIZON).expect("at least 1");
    let clock = Clock::start();
    let fitted = GlobalLightGbm::new(config(trees, threads)).fit(&train, horizon, Seed(7)).expect("a fit");
    let (fit_s, _) = clock.seconds();
    let forecast = fitted.predict(&train, horizon, &[]).expect("a forecast");
    let (wall_s, cpu_s) = clock.seconds();
    let (mut errors, mut sum) = (0.0, 0.0);
    for (index, view) in panel.views().enumerate() {
        let actual = &view.y()[view.len() - HORIZON..];
        for (y, f) in actual.iter().zip(forecast.mean_of(index)) {
            errors += (y - f).abs();
            sum += y.abs();
        }
    }
    println!(
        "{}",
        json!({
            "series": train.n_series(), "rows": train.n_rows(), "trees": trees, "fit_s": fit_s, "wall_s": wall_s, "cpu_s": cpu_s,
            "wape": errors / sum, "peak_gib": peak_gib(),
        })
    );
}
