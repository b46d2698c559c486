//! What holds for every history, ordinary or absurd.

use almanac_model::{LocalForecast, LocalForecaster};
use almanac_series::{Freq, RowStatus};
use almanac_stats::{
    Adida, AutoArima, AutoCes, AutoEts, AutoIntermittent, AutoTheta, Croston, CrostonOptimized, Drift, HistoricAverage, Holt, HoltWinters,
    Imapa, Mstl, Naive, Sba, SeasonalNaive, SeasonalWindowAverage, Ses, Theta, ThetaForm, Tsb, WindowAverage, YearOverYear,
};
use proptest::prelude::*;

use crate::series::{horizon, observed, quantiles, with_status};

const STEPS: usize = 10;

static MSTL: Mstl = Mstl { season_lengths: Vec::new(), robust: false };
static TSB: std::sync::LazyLock<Tsb> = std::sync::LazyLock::new(Tsb::default);

fn models() -> [&'static dyn LocalForecaster; 24] {
    [
        &Naive,
        &SeasonalNaive { season_length: None },
        &WindowAverage { window: None },
        &SeasonalWindowAverage { season_length: None, window: None },
        &YearOverYear { season_length: None },
        &AutoEts { season_length: None },
        &Theta { form: ThetaForm::Standard, season_length: None },
        &Theta { form: ThetaForm::DynamicOptimized, season_length: None },
        &AutoTheta { season_length: None },
        &AutoCes { season_length: None },
        &AutoArima { season_length: None, exog: false },
        &Drift,
        &HistoricAverage,
        &Ses,
        &Holt,
        &HoltWinters { season_length: None },
        &Croston,
        &CrostonOptimized,
        &Sba,
        &*TSB,
        &Adida,
        &Imapa,
        &AutoIntermittent,
        &MSTL,
    ]
}

fn forecast(model: &dyn LocalForecaster, y: &[f64], status: &[RowStatus]) -> Option<LocalForecast> {
    let panel = with_status(y, status, Freq::Day);
    model.forecast(&panel.view(0), horizon(STEPS), &quantiles([0.01, 0.3, 0.5, 0.8, 0.99])).ok()
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
        5 => -100.0..100.0,
        5 => 0.0..50.0_f64,
        2 => Just(0.0),
        1 => Just(1e308),
        1 => Just(-1e-300),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

fn rows(value: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<(f64, RowStatus)>> {
    prop::collection::vec((value, status()), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn garbage_gives_finite_ordered_numbers_or_an_error(rows in rows(any_value())) {
        let (y, status): (Vec<f64>, Vec<RowStatus>) = rows.into_iter().unzip();
        for model in models() {
            let Some(forecast) = forecast(model, &y, &status) else { continue };
            prop_assert_eq!(forecast.mean.len(), STEPS);
            prop_assert!(forecast.mean.iter().chain(&forecast.quantile_values).all(|value| value.is_finite()), "{}", model.name());
            for step in forecast.quantile_values.chunks(5) {
                prop_assert!(step.is_sorted(), "{}: {step:?}", model.name());
            }
        }
    }

    #[test]
    fn a_scaled_series_gives_the_scaled_forecast(rows in rows(0.5..60.0_f64), exponent in -40..40_i32) {
        let factor = 2f64.powi(exponent);
        let (y, status): (Vec<f64>, Vec<RowStatus>) = rows.into_iter().unzip();
        let scaled: Vec<f64> = y.iter().map(|y| y * factor).collect();
        for model in models() {
            let before = forecast(model, &y, &status).map(|forecast| {
                let by = |values: Vec<f64>| values.into_iter().map(|value| value * factor).collect();
                LocalForecast { mean: by(forecast.mean), quantile_values: by(forecast.quantile_values) }
            });
            prop_assert_eq!(before, forecast(model, &scaled, &status), "{}", model.name());
        }
    }

    #[test]
    fn rows_that_are_not_scored_teach_nothing(rows in rows(0.5..60.0_f64), other in 0.0..1e6_f64) {
        let (y, status): (Vec<f64>, Vec<RowStatus>) = rows.into_iter().unzip();
        let disturbed: Vec<f64> = y.iter().zip(&status).map(|(y, status)| if status.is_scored() { *y } else { other }).collect();
        for model in models() {
            prop_assert_eq!(forecast(model, &y, &status), forecast(model, &disturbed, &status), "{}", model.name());
        }
    }
}

#[test]
fn a_series_without_scored_rows_is_refused() {
    for model in models() {
        assert!(forecast(model, &[1.0, 2.0], &[RowStatus::Censored; 2]).is_none(), "{}", model.name());
    }
}

#[test]
fn a_constant_series_is_forecast_without_doubt() {
    for model in models() {
        let forecast = forecast(model, &[12.0; 60], &[RowStatus::Observed; 60]).expect("finite");
        assert!(forecast.mean.iter().chain(&forecast.quantile_values).all(|value| *value == 12.0), "{}", model.name());
    }
}

#[test]
fn one_row_is_forecast_with_doubt() {
    for model in models() {
        let forecast = forecast(model, &[12.0], &[RowStatus::Observed]).expect("finite");
        assert!(forecast.mean.iter().all(|mean| *mean == 12.0), "{}", model.name());
        assert!(forecast.quantile_values[0] < 0.0 && forecast.quantile_values[4] > 30.0, "{}", model.name());
    }
}

#[test]
fn values_near_the_end_of_the_floats_stay_finite() {
    let y: Vec<f64> = (0..60).map(|row| 1e306 * f64::from(10 + row * 37 % 11)).collect();
    for model in models() {
        assert!(forecast(model, &y, &[RowStatus::Observed; 60]).is_some(), "{}", model.name());
    }
}

#[test]
fn a_line_is_continued_and_keeps_its_season() {
    let week = [0.0, 1.0, 2.0, 1.0, 3.0, 8.0, 6.0];
    let y: Vec<f64> = (0..140).map(|row| 20.0 + 0.5 * f64::from(row) + week[row as usize % 7] + f64::from(row * 31 % 13) * 0.01).collect();
    let forecast = forecast(&AutoEts::default(), &y, &[RowStatus::Observed; 140]).expect("finite");
    for (step, mean) in forecast.mean.iter().enumerate() {
        let row = 140 + step;
        let expected = 20.0 + 0.5 * row as f64 + week[row % 7] + 0.06;
        // The noise has a range of 0.12.
        assert!((mean - expected).abs() < 0.15, "step {}: {mean}, expected {expected}", step + 1);
    }
}

#[test]
fn places_in_the_season_are_kept_over_rows_that_are_not_scored() {
    let week = [0.0, 1.0, 2.0, 1.0, 3.0, 8.0, 6.0];
    let y: Vec<f64> = (0..143).map(|row| 20.0 + week[row as usize % 7] + f64::from(row * 31 % 13) * 0.01).collect();
    let mut status = [RowStatus::Observed; 143];
    for row in (0..143).filter(|row| row % 5 == 1 || *row >= 138) {
        status[row] = RowStatus::Censored;
    }
    for model in [
        &SeasonalNaive::default() as &dyn LocalForecaster,
        &AutoEts::default(),
        &AutoTheta::default(),
        &AutoCes::default(),
        &AutoArima::default(),
    ] {
        let forecast = forecast(model, &y, &status).expect("finite");
        for (step, mean) in forecast.mean.iter().enumerate() {
            let expected = 20.0 + week[(143 + step) % 7] + 0.06;
            assert!((mean - expected).abs() < 0.2, "{} step {}: {mean}, expected {expected}", model.name(), step + 1);
        }
    }
}

#[test]
fn doubt_grows_over_rows_after_the_last_scored_one() {
    let y: Vec<f64> = (0..100).map(|row| 50.0 + f64::from(row * 31 % 13)).collect();
    let mut status = vec![RowStatus::Observed; 100];
    let width = |forecast: LocalForecast| forecast.quantile_values[4] - forecast.quantile_values[0];
    let sure = width(forecast(&Naive, &y, &status).expect("finite"));
    status[91..].fill(RowStatus::Missing);
    let unsure = width(forecast(&Naive, &y, &status).expect("finite"));
    assert!(unsure > 2.5 * sure, "{unsure} and {sure}");
}

#[test]
fn a_month_of_days_is_enough_for_a_weekly_season() {
    let y: Vec<f64> = (0..28).map(|row| if row % 7 >= 5 { 30.0 } else { 10.0 } + f64::from(row * 31 % 13) * 0.1).collect();
    let panel = observed(&y, Freq::Day);
    let fit = AutoEts::default().select(&panel.view(0)).expect("finite").expect("long enough");
    assert_ne!(fit.form.season, almanac_stats::EtsSeason::None, "{}", fit.form);
}
