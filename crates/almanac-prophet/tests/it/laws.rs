//! What holds for every history, ordinary or absurd.

use almanac_model::{FitError, Forecast, Forecaster};
use almanac_prophet::{Growth, HolidayWindow, Prophet, Seasonality, SeasonalityMode};
use almanac_series::{Freq, Horizon, RowStatus, Seed, Weekday};
use proptest::prelude::*;

use crate::series::{MONTH, panel, with_status, with_texts};

const STEPS: usize = 10;
/// 2020-01-01, a Wednesday.
const START: i64 = 18_262;

fn models() -> Vec<Prophet> {
    let usual = Prophet::default;
    vec![
        usual(),
        Prophet { seasonality_mode: SeasonalityMode::Multiplicative, ..usual() },
        Prophet { growth: Growth::Flat, yearly: Seasonality::Order(3), ..usual() },
        Prophet { country: Some("DE".into()), holiday_window: HolidayWindow { days_before: 2, days_after: 1 }, ..usual() },
    ]
}

fn forecast(model: &Prophet, y: &[f64], status: &[RowStatus]) -> Result<Forecast, FitError> {
    crate::series::forecast(model, &with_status(Freq::Day, START, y, status, &[]), STEPS, &[0.01, 0.3, 0.5, 0.8, 0.99])
}

fn status() -> impl Strategy<Value = RowStatus> {
    prop_oneof![
        6 => Just(RowStatus::Observed),
        1 => Just(RowStatus::Filled),
        1 => Just(RowStatus::Missing),
        1 => Just(RowStatus::Censored),
        1 => Just(RowStatus::Closed),
    ]
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        10 => -100.0..100.0,
        10 => 0.0..50.0_f64,
        4 => Just(0.0),
        2 => Just(1e308),
        2 => Just(-1e-300),
        2 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

fn rows(value: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<(f64, RowStatus)>> {
    prop::collection::vec((value, status()), 1..120)
}

fn wave(row: usize) -> f64 {
    [0.0, 1.0, 2.0, 1.0, 3.0, 8.0, 6.0][row % 7]
}

fn noise(row: usize) -> f64 {
    (row * 31 % 13) as f64 / 13.0 - 0.5
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn garbage_gives_finite_ordered_numbers_or_an_error(rows in rows(any_value())) {
        let (y, status): (Vec<f64>, Vec<RowStatus>) = rows.into_iter().unzip();
        let saturating = Prophet { growth: Growth::Logistic { cap: 60.0, floor: -10.0 }, ..Prophet::default() };
        for model in models().iter().chain([&saturating]) {
            let Ok(forecast) = forecast(model, &y, &status) else { continue };
            prop_assert_eq!(forecast.mean.len(), STEPS);
            prop_assert!(forecast.mean.iter().chain(&forecast.quantile_values).all(|value| value.is_finite()), "{model:?}");
            for step in forecast.quantile_values.chunks(5) {
                prop_assert!(step.is_sorted(), "{model:?}: {step:?}");
            }
        }
    }

    #[test]
    fn a_scaled_series_gives_the_scaled_forecast(rows in rows(0.5..60.0_f64), exponent in -40..40_i32) {
        let factor = 2f64.powi(exponent);
        let (y, status): (Vec<f64>, Vec<RowStatus>) = rows.into_iter().unzip();
        let scaled: Vec<f64> = y.iter().map(|y| y * factor).collect();
        for model in models() {
            let by = |values: Vec<f64>| values.into_iter().map(|value| value * factor).collect::<Vec<f64>>();
            let before = forecast(&model, &y, &status).map(|forecast| (by(forecast.mean), by(forecast.quantile_values)));
            let after = forecast(&model, &scaled, &status).map(|forecast| (forecast.mean, forecast.quantile_values));
            prop_assert_eq!(before, after, "{:?}", model);
        }
    }

    #[test]
    fn rows_that_are_not_scored_teach_nothing(rows in rows(0.5..60.0_f64), other in 0.0..1e6_f64) {
        let (y, status): (Vec<f64>, Vec<RowStatus>) = rows.into_iter().unzip();
        let disturbed: Vec<f64> = y.iter().zip(&status).map(|(y, status)| if status.is_scored() { *y } else { other }).collect();
        for model in models() {
            prop_assert_eq!(forecast(&model, &y, &status), forecast(&model, &disturbed, &status), "{:?}", model);
        }
    }
}

#[test]
fn few_scored_rows_are_refused() {
    let error = forecast(&Prophet::default(), &[1.0, 2.0, 3.0, 4.0], &[RowStatus::Observed; 4]).unwrap_err();
    assert_eq!(error.to_string(), "series `series` has 4 usable rows, `prophet` needs at least 5");
}

#[test]
fn a_constant_series_is_forecast_without_doubt() {
    for model in models() {
        let forecast = forecast(&model, &[12.0; 60], &[RowStatus::Observed; 60]).expect("finite");
        assert!(forecast.mean.iter().chain(&forecast.quantile_values).all(|value| *value == 12.0), "{model:?}");
    }
}

#[test]
fn values_near_the_end_of_the_floats_stay_finite() {
    let y: Vec<f64> = (0..60).map(|row| 1e306 * f64::from(10 + row * 37 % 11)).collect();
    for model in models() {
        assert!(forecast(&model, &y, &[RowStatus::Observed; 60]).is_ok(), "{model:?}");
    }
}

#[test]
fn a_line_is_continued_and_keeps_its_week_over_rows_that_are_not_scored() {
    let value = |row: usize| 20.0 + 0.5 * row as f64 + wave(row) + 0.1 * noise(row);
    let y: Vec<f64> = (0..143).map(value).collect();
    let mut status = [RowStatus::Observed; 143];
    for row in (0..143).filter(|row| row % 5 == 1 || *row >= 138) {
        status[row] = RowStatus::Censored;
    }
    let forecast = forecast(&Prophet::default(), &y, &status).expect("finite");
    for (step, mean) in forecast.mean.iter().enumerate() {
        // The priors shrink a little, and the noise has a range of 0.1.
        assert!((mean - value(143 + step)).abs() < 0.3, "step {}: {mean}, expected {}", step + 1, value(143 + step));
    }
}

#[test]
fn a_trend_that_bends_keeps_its_new_slope_and_doubt_grows() {
    let y: Vec<f64> = (0..200).map(|row| if row < 100 { row as f64 } else { 100.0 } + noise(row)).collect();
    let panel = panel(Freq::Step, 0, &y, &[]);
    let forecast = crate::series::forecast(&Prophet::default(), &panel, 100, &[0.1, 0.9]).expect("finite");
    assert!(forecast.mean.iter().all(|mean| (mean - 100.0).abs() < 3.0), "{:?}", forecast.mean);
    let width = |step: usize| forecast.quantile_values[2 * step + 1] - forecast.quantile_values[2 * step];
    assert!(width(99) > 2.0 * width(0), "{} {}", width(0), width(99));
    assert!(Prophet::default().fit_series(&panel, 0).expect("finite").beta.is_empty(), "no season without a calendar");
}

#[test]
fn seasons_are_switched_on_by_what_the_rows_can_show() {
    let width = |freq: Freq, rows: usize| {
        let y: Vec<f64> = (0..rows).map(|row| 10.0 + noise(row)).collect();
        Prophet::default().fit_series(&panel(freq, 0, &y, &[]), 0).expect("finite").beta.len()
    };
    assert_eq!(width(Freq::Day, 14), 0, "13 days apart");
    assert_eq!(width(Freq::Day, 15), 6);
    assert_eq!(width(Freq::Day, 731), 26);
    assert_eq!(width(Freq::Week(Weekday::Sunday), 104), 0);
    assert_eq!(width(Freq::Week(Weekday::Sunday), 106), 20);
    assert_eq!(width(MONTH, 25), 20);
    assert_eq!(width(Freq::Hour(1), 24 * 14 + 1), 14);
}

#[test]
fn known_ahead_columns_act_on_the_rows_ahead() {
    let promo = |row: usize| f64::from(u8::from(row % 9 == 4));
    let price = |row: usize| 5.0 + (row * 17 % 11) as f64;
    let value = |row: usize| 50.0 + wave(row) + 30.0 * promo(row) - 4.0 * price(row) + 0.1 * noise(row);
    let y: Vec<f64> = (0..200).map(value).collect();
    let mut prices: Vec<f64> = (0..210).map(price).collect();
    let promos: Vec<f64> = (0..210).map(promo).collect();
    let model = Prophet::default();
    let means = |prices: &[f64]| {
        let panel = panel(Freq::Day, START, &y, &[("price", prices.to_vec()), ("promo", promos.clone()), ("same", vec![3.0; 210])]);
        assert_eq!(model.fit_series(&panel, 0).expect("finite").beta.len(), 8, "a column that does not vary is left out");
        crate::series::forecast(&model, &panel, 12, &[]).expect("finite").mean
    };
    for (step, mean) in means(&prices)[..10].iter().enumerate() {
        assert!((mean - value(200 + step)).abs() < 0.5, "step {}: {mean}, expected {}", step + 1, value(200 + step));
    }
    let known = means(&prices)[3];
    prices[203] = f64::NAN;
    let mean_price = prices[..200].iter().sum::<f64>() / 200.0;
    assert!((means(&prices)[3] - known + 4.0 * (mean_price - price(203))).abs() < 0.2, "a missing price is the mean price");
    let without = Prophet { left_out: vec!["price".into()], ..Prophet::default() };
    let panel = panel(Freq::Day, START, &y, &[("price", prices), ("promo", promos)]);
    assert_eq!(without.fit_series(&panel, 0).expect("finite").beta.len(), 7);
}

#[test]
fn a_text_known_ahead_acts_like_a_holiday_of_its_name() {
    // Codes: 0 no event, 1 a fair that brings 40, 2 a strike that costs 20; the first row has no text at all.
    let event = |row: usize| match row {
        0 => f64::NAN,
        row if row % 30 == 10 => 1.0,
        row if row % 50 == 20 => 2.0,
        _ => 0.0,
    };
    let effect = |row: usize| match event(row) {
        1.0 => 40.0,
        2.0 => -20.0,
        _ => 0.0,
    };
    let value = |row: usize| 100.0 + wave(row) + effect(row) + 0.1 * noise(row);
    let y: Vec<f64> = (0..300).map(value).collect();
    let panel = with_texts(START, &y, "event", (0..330).map(event).collect(), &["", "fair", "strike"]);
    let model = Prophet::default();
    assert_eq!(model.fit_series(&panel, 0).expect("finite").beta.len(), 8, "six of the week, and two events");
    let means = crate::series::forecast(&model, &panel, 30, &[]).expect("finite").mean;
    for (step, mean) in means.iter().enumerate() {
        assert!((mean - value(300 + step)).abs() < 1.0, "step {}: {mean}, expected {}", step + 1, value(300 + step));
    }
}

#[test]
fn holidays_come_back_in_the_week_that_holds_them() {
    // Thanksgiving is the fourth Thursday of November: in weeks that end on Sundays, 2015-11-29 to 2019-12-01.
    let week_of = |day: i64| Freq::Week(Weekday::Sunday).period(day * 86_400_000_000).0;
    let thanksgivings = [16_765, 17_129, 17_493, 17_857, 18_228].map(week_of);
    let start = week_of(16_436);
    let value = |week: i64| 20.0 + if thanksgivings.contains(&week) { 9.0 } else { 0.0 } + noise(week as usize);
    let y: Vec<f64> = (start..thanksgivings[4] - 1).map(value).collect();
    let panel = panel(Freq::Week(Weekday::Sunday), start, &y, &[]);
    let model = Prophet { country: Some("US".into()), yearly: Seasonality::Off, ..Prophet::default() };
    let mean = crate::series::forecast(&model, &panel, 3, &[]).expect("finite").mean;
    assert!(mean[1] > 27.0 && mean[0] < 22.0 && mean[2] < 22.0, "{mean:?}");
}

#[test]
fn wrong_settings_are_told() {
    let panel = panel(Freq::Day, START, &[1.0; 20], &[]);
    let error = |model: Prophet| model.fit(&panel, Horizon::new(1).expect("in range"), Seed(0)).unwrap_err().to_string();
    assert_eq!(
        error(Prophet { country: Some("germny".into()), ..Prophet::default() }),
        "`prophet` failed in its library: country `germny` is not known; did you mean `DE` (germany)?"
    );
    assert_eq!(
        error(Prophet { growth: Growth::Logistic { cap: 1.0, floor: 1.0 }, ..Prophet::default() }),
        "`prophet` failed in its library: the cap 1 of logistic growth is not above its floor 1"
    );
    assert_eq!(
        error(Prophet { seasonality_prior_scale: 0.0, ..Prophet::default() }),
        "`prophet` failed in its library: `seasonality_prior_scale` is 0, which is not above 0"
    );
}
