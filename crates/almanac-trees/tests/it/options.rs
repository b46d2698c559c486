//! The choices of a global model, with both libraries: each does what it says, and keeps the contract. Tests of XGBoost skip where the
//! library is not found.

use almanac_model::testing::check_forecaster;
use almanac_model::{FitError, Forecast, Forecaster};
use almanac_series::{Hint, Horizon, Panel, PanelBuilder, Quantile, RowStatus, Seed, SeriesRows};
use almanac_trees::{GlobalConfig, GlobalLightGbm, GlobalXgBoost, LightGbmConfig, Objective, Pool, Strategy, Weights, XgBoostConfig};

use crate::panels::{horizon, noisy_shops};
use crate::xgboost_library::{file, library};

fn lightgbm(global: &GlobalConfig) -> Box<dyn Forecaster> {
    let (trees, num_leaves, min_data_in_leaf, learning_rate) = (Some(40), Some(15), Some(10), Some(0.1));
    Box::new(GlobalLightGbm::new(LightGbmConfig {
        global: global.clone(),
        trees,
        num_leaves,
        min_data_in_leaf,
        learning_rate,
        ..LightGbmConfig::default()
    }))
}

fn xgboost(global: &GlobalConfig) -> Box<dyn Forecaster> {
    let (trees, max_depth, min_child_weight, learning_rate) = (Some(40), Some(4), Some(10.0), Some(0.1));
    Box::new(GlobalXgBoost::new(XgBoostConfig {
        global: global.clone(),
        library: file(),
        trees,
        max_depth,
        min_child_weight,
        learning_rate,
        ..XgBoostConfig::default()
    }))
}

/// Both models, or LightGBM alone where the other library is not there.
fn both(global: &GlobalConfig) -> Vec<Box<dyn Forecaster>> {
    let mut models = vec![lightgbm(global)];
    if library().is_some() {
        models.push(xgboost(global));
    }
    models
}

fn load(model: &str, state: &str) -> Box<dyn almanac_model::FittedForecaster> {
    let loaded = if model == "xgboost" { GlobalXgBoost::load(state) } else { GlobalLightGbm::load(state) };
    loaded.expect("its own state")
}

fn levels(probabilities: &[f64]) -> Vec<Quantile> {
    probabilities.iter().map(|p| Quantile::new(*p).expect("in range")).collect()
}

fn forecast(model: &dyn Forecaster, train: &Panel, context: &Panel) -> Forecast {
    let fitted = model.fit(train, horizon(), Seed(3)).expect("enough rows");
    fitted.predict(context, horizon(), &levels(&[0.1, 0.5, 0.9])).expect("forecast")
}

/// Every choice but the usual one.
fn choices() -> Vec<(&'static str, GlobalConfig)> {
    let few = GlobalConfig { bag: Some(1), max_train_rows: 1_500, ..GlobalConfig::default() };
    let objective = |objective| GlobalConfig { objective, ..few.clone() };
    vec![
        ("poisson", objective(Objective::Poisson)),
        ("l1", objective(Objective::Absolute)),
        ("l2", objective(Objective::Ratio)),
        ("quantile", objective(Objective::Quantile { probability: 0.8 })),
        ("quantiles", GlobalConfig { quantiles: true, ..few.clone() }),
        ("blocks", GlobalConfig { strategy: Strategy::Blocks { steps: 5 }, ..few.clone() }),
        ("recursive", GlobalConfig { strategy: Strategy::Recursive, ..few.clone() }),
        ("average", GlobalConfig { strategy: Strategy::Average, ..few.clone() }),
        ("early stopping", GlobalConfig { early_stopping: Some(5), ..few.clone() }),
        ("value", GlobalConfig { weights: Weights::Value, price: Some("price".into()), ..few.clone() }),
        ("monotone", GlobalConfig { monotone: [("price".to_owned(), -1)].into(), ..few.clone() }),
    ]
}

#[test]
fn every_choice_keeps_the_contract() {
    for (name, global) in choices() {
        for model in both(&global) {
            eprintln!("{name} of {}", model.name());
            assert_eq!(model.abilities().quantiles, global.quantiles);
            check_forecaster(model.as_ref());
        }
    }
}

#[test]
fn every_choice_changes_the_forecast_is_the_same_on_any_number_of_threads_and_survives_saving() {
    let panel = noisy_shops(false, 200);
    let by_region = |pool| ("pool", GlobalConfig { pool, bag: Some(1), max_train_rows: 5_000, ..GlobalConfig::default() });
    let usual = GlobalConfig { bag: Some(1), max_train_rows: 1_500, ..GlobalConfig::default() };
    let usual: Vec<Forecast> = both(&usual).iter().map(|model| forecast(model.as_ref(), &panel, &panel)).collect();
    let all = choices().into_iter().chain([by_region(Pool::By("region".into())), by_region(Pool::Both("region".into()))]);
    for (name, global) in all {
        let one = both(&GlobalConfig { num_threads: 1, ..global.clone() });
        let two = both(&GlobalConfig { num_threads: 2, ..global.clone() });
        for ((one, two), usual) in one.iter().zip(&two).zip(&usual) {
            let who = format!("{name} of {}", one.name());
            let fitted = one.fit(&panel, horizon(), Seed(3)).expect("enough rows");
            let other = two.fit(&panel, horizon(), Seed(3)).expect("enough rows");
            let quantiles = levels(&[0.1, 0.5, 0.9]);
            let said = fitted.predict(&panel, horizon(), &quantiles).expect("forecast");
            assert_eq!(said, other.predict(&panel, horizon(), &quantiles).expect("forecast"), "{who}");
            let again = load(one.name(), &fitted.state()).predict(&panel, horizon(), &quantiles).expect("forecast");
            assert_eq!(said, again, "{who}");
            assert!(said.mean != usual.mean || said.quantiles != usual.quantiles, "{who} does something");
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn an_objective_aims_at_what_it_says() {
    let panel = noisy_shops(false, 300);
    let of = |objective| {
        let global = GlobalConfig { objective, bag: Some(1), ..GlobalConfig::default() };
        both(&global).iter().map(|model| mean(&forecast(model.as_ref(), &panel, &panel).mean)).collect::<Vec<f64>>()
    };
    let objectives = [
        Objective::Ratio,
        Objective::Poisson,
        Objective::Absolute,
        Objective::Quantile { probability: 0.5 },
        Objective::Quantile { probability: 0.9 },
    ];
    let [squared, poisson, absolute, median, high] = objectives.map(of);
    // Of 0.5 plus half an exponential the mean is 1, the median 0.847, the upper decile 1.651.
    for at in 0..squared.len() {
        assert!((poisson[at] / squared[at] - 1.0).abs() < 0.05, "means: {poisson:?} {squared:?}");
        assert!((absolute[at] / squared[at] - 0.847).abs() < 0.05, "a median: {absolute:?} of {squared:?}");
        assert!((median[at] / absolute[at] - 1.0).abs() < 0.05, "the same median: {median:?} {absolute:?}");
        assert!((high[at] / squared[at] - 1.651).abs() < 0.2, "the upper decile: {high:?} of {squared:?}");
    }
}

#[test]
fn learnt_quantiles_cover_what_they_say() {
    let (history, ahead) = (300, 14);
    let whole = noisy_shops(false, history + ahead);
    let panel = noisy_shops(false, history);
    for model in both(&GlobalConfig { quantiles: true, ..GlobalConfig::default() }) {
        let said = forecast(model.as_ref(), &panel, &panel);
        let mut below = [0.0; 3];
        let mut rows = 0.0;
        for (series, view) in whole.views().enumerate() {
            let actual = &view.y()[history as usize..(history + ahead) as usize];
            for (values, y) in said.quantiles_of(series).chunks(3).zip(actual) {
                assert!(values.is_sorted());
                for (count, value) in below.iter_mut().zip(values) {
                    *count += f64::from(u8::from(y <= value));
                }
                rows += 1.0;
            }
        }
        for (count, wanted) in below.iter().zip([0.1, 0.5, 0.9]) {
            assert!((count / rows - wanted).abs() < 0.08, "{}: {} for {wanted}", model.name(), count / rows);
        }
    }
}

#[test]
fn a_recursive_forecast_takes_its_forecasts_for_what_happened() {
    let panel = noisy_shops(false, 120);
    let one = Horizon::new(1).expect("in range");
    let of = |strategy| GlobalConfig { strategy, bag: Some(1), ..GlobalConfig::default() };
    for model in both(&of(Strategy::Recursive)) {
        let fitted = model.fit(&panel, horizon(), Seed(3)).expect("enough rows");
        let said = fitted.predict(&panel, horizon(), &[]).expect("forecast");
        let mut grown = panel.clone();
        for step in 0..horizon().steps() {
            let next = fitted.predict(&grown, one, &[]).expect("forecast");
            for series in 0..next.n_series() {
                assert_eq!(next.mean_of(series), [said.mean_of(series)[step]], "series {series} step {step}");
            }
            grown = with_next(&grown, &next.mean);
        }
    }
    let [direct, recursive, average] = [Strategy::Direct, Strategy::Recursive, Strategy::Average]
        .map(|strategy| forecast(lightgbm(&of(strategy)).as_ref(), &panel, &panel).mean);
    for ((direct, recursive), average) in direct.iter().zip(&recursive).zip(&average) {
        assert!(((direct + recursive) / 2.0 - average).abs() < 1e-9 * average, "{average} of {direct} and {recursive}");
    }
}

/// The panel with the next value of every series.
fn with_next(panel: &Panel, values: &[f64]) -> Panel {
    let names: Vec<String> = panel.future_names().map(str::to_owned).collect();
    let mut builder = PanelBuilder::new(panel.freq(), &[], &names);
    for (view, value) in panel.views().zip(values) {
        let ahead = view.span().rows - view.len() - 1;
        let mut rows = SeriesRows { y: view.y().to_vec(), status: view.status().to_vec(), ..SeriesRows::default() };
        rows.y.push(*value);
        rows.status.push(RowStatus::Observed);
        rows.y.resize(rows.y.len() + ahead, f64::NAN);
        rows.status.resize(rows.status.len() + ahead, RowStatus::Future);
        rows.future = (0..names.len()).map(|column| view.future(column).to_vec()).collect();
        builder.push(view.id().clone(), view.start(), rows).expect("columns agree");
    }
    builder.finish(panel.statics().to_vec()).expect("keys are unique")
}

#[test]
fn what_was_sold_while_out_of_stock_teaches_nothing() {
    // The same days are out of stock; what is said to have been sold on them differs.
    let stocked = |sold: f64| {
        let panel = noisy_shops(false, 120);
        let names: Vec<String> = panel.future_names().map(str::to_owned).collect();
        let mut builder = PanelBuilder::new(panel.freq(), &[], &names);
        for view in panel.views() {
            let ahead = view.span().rows - view.len();
            let mut rows = SeriesRows { y: view.y().to_vec(), status: view.status().to_vec(), ..SeriesRows::default() };
            for row in (0..view.len()).filter(|row| row % 40 > 33) {
                rows.y[row] = sold;
                rows.status[row] = RowStatus::Censored;
            }
            rows.y.resize(view.len() + ahead, f64::NAN);
            rows.status.resize(view.len() + ahead, RowStatus::Future);
            rows.future = (0..names.len()).map(|column| view.future(column).to_vec()).collect();
            builder.push(view.id().clone(), view.start(), rows).expect("columns agree");
        }
        builder.finish(panel.statics().to_vec()).expect("keys are unique")
    };
    let global = GlobalConfig { bag: Some(1), strategy: Strategy::Average, weights: Weights::Value, ..GlobalConfig::default() };
    for model in both(&global) {
        let [none, some] = [0.0, 900.0].map(|sold| forecast(model.as_ref(), &stocked(sold), &stocked(sold)));
        assert_eq!(none, some);
    }
}

#[test]
fn a_value_never_seen_takes_the_model_of_all_and_both_is_the_mean() {
    let panel = noisy_shops(false, 200);
    let of = |pool: Pool| GlobalConfig { pool, bag: Some(1), ..GlobalConfig::default() };
    let pools = || [Pool::Whole, Pool::By("region".into()), Pool::Both("region".into())];
    let [whole, by, mixed] =
        pools().map(|pool| both(&of(pool)).iter().map(|model| forecast(model.as_ref(), &panel, &panel)).collect::<Vec<_>>());
    for ((whole, by), mixed) in whole.iter().zip(&by).zip(&mixed) {
        assert_ne!(whole.mean, by.mean);
        for ((whole, by), mixed) in whole.mean.iter().zip(&by.mean).zip(&mixed.mean) {
            assert!(((whole + by) / 2.0 - mixed).abs() < 1e-9 * mixed, "{mixed} of {whole} and {by}");
        }
    }
    let unseen = crate::panels::shops(&["x"], &["west"], 30.0);
    let train = crate::panels::training_shops();
    let [whole, by, mixed] = pools().map(|pool| forecast(lightgbm(&of(pool)).as_ref(), &train, &unseen));
    assert_eq!(whole.mean, by.mean);
    assert_eq!(whole.mean, mixed.mean);
}

#[test]
fn a_pool_with_few_rows_takes_the_model_of_all() {
    let panel = noisy_shops(false, 40);
    let of = |pool| GlobalConfig { pool, bag: Some(1), strategy: Strategy::Direct, ..GlobalConfig::default() };
    let whole = forecast(lightgbm(&of(Pool::Whole)).as_ref(), &panel.until(almanac_series::Period(20)), &panel);
    let by = forecast(lightgbm(&of(Pool::By("region".into()))).as_ref(), &panel.until(almanac_series::Period(20)), &panel);
    assert_eq!(whole.mean, by.mean);
}

#[test]
fn a_forecast_never_rises_with_the_price_if_it_must_not() {
    // Dearer goods sell more here, so that only the constraint keeps the forecast from rising.
    let panel = noisy_shops(true, 300);
    let dearer = |by: f64| {
        let changes = panel.views().enumerate().flat_map(|(series, view)| {
            let price = view.future(1);
            (300..314).map(move |row| (series, row, price[row] * by)).collect::<Vec<_>>()
        });
        panel.with_future(1, changes)
    };
    let contexts: Vec<Panel> = [0.8, 0.9, 0.97, 1.0, 1.04, 1.1, 1.3].map(dearer).into();
    let rises = |monotone: &[(&str, i8)]| {
        let monotone = monotone.iter().map(|(name, direction)| ((*name).to_owned(), *direction)).collect();
        let global = GlobalConfig { monotone, bag: Some(1), ..GlobalConfig::default() };
        let of = |model: Box<dyn Forecaster>| {
            let fitted = model.fit(&panel, horizon(), Seed(3)).expect("enough rows");
            let said: Vec<Vec<f64>> =
                contexts.iter().map(|context| fitted.predict(context, horizon(), &[]).expect("forecast").mean).collect();
            said.windows(2).map(|pair| pair[0].iter().zip(&pair[1]).filter(|(before, after)| after > before).count()).sum::<usize>()
        };
        both(&global).into_iter().map(of).collect::<Vec<_>>()
    };
    for (free, held) in rises(&[]).into_iter().zip(rises(&[("price", -1)])) {
        assert!(free > 100, "it would rise: {free}");
        assert_eq!(held, 0);
    }
}

#[test]
fn columns_that_are_not_there_are_named_with_what_is_near() {
    let panel = noisy_shops(true, 100);
    let monotone = GlobalConfig { monotone: [("prize".to_owned(), -1)].into(), ..GlobalConfig::default() };
    let pool = GlobalConfig { pool: Pool::By("regions".into()), ..GlobalConfig::default() };
    let price = GlobalConfig { weights: Weights::Value, price: Some("cost".into()), ..GlobalConfig::default() };
    for (global, text, hint) in [
        (monotone, "`monotone` of `lightgbm` names the column `prize`, which is no column of numbers", "did you mean `price`?"),
        (pool, "`pool` of `lightgbm` names the column `regions`, which is no static column", "did you mean `region`?"),
        (price, "`price` of `lightgbm` names the column `cost`, which is no column of numbers", "there are `promo`, `price`"),
    ] {
        let error = lightgbm(&global).fit(&panel, horizon(), Seed(1)).unwrap_err();
        assert!(matches!(error, FitError::UnknownColumn { .. }));
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (text, Some(hint)));
    }
}

#[test]
fn early_stopping_grows_fewer_trees_of_noise() {
    let panel = noisy_shops(false, 200);
    let trees = |early_stopping| {
        let global = GlobalConfig { early_stopping, bag: Some(1), ..GlobalConfig::default() };
        let count =
            |model: Box<dyn Forecaster>| model.fit(&panel, horizon(), Seed(3)).expect("enough rows").state().matches("ree=").count();
        count(Box::new(GlobalLightGbm::new(LightGbmConfig {
            global,
            trees: Some(150),
            learning_rate: Some(0.2),
            ..LightGbmConfig::default()
        })))
    };
    let (all, stopped) = (trees(None), trees(Some(10)));
    assert_eq!(all, 150);
    assert!((1..100).contains(&stopped), "{stopped} trees");
}

#[test]
fn a_state_without_the_choices_is_read() {
    // What was saved before there were choices: one bag of trees for all series and steps.
    let fitted = lightgbm(&GlobalConfig::default()).fit(&noisy_shops(false, 60), horizon(), Seed(1)).expect("enough rows");
    let mut state: serde_json::Value = serde_json::from_str(&fitted.state()).expect("JSON");
    let keys: Vec<&String> = state.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["cold", "plan", "target", "trees", "version"]);
    state.as_object_mut().expect("an object").remove("cold");
    let panel = noisy_shops(false, 60);
    let old = GlobalLightGbm::load(&state.to_string()).expect("an old state").predict(&panel, horizon(), &[]).expect("forecast");
    assert_eq!(old, fitted.predict(&panel, horizon(), &[]).expect("forecast"));
}
