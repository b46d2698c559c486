//! Numbers of baselines, smoothing, intermittent models and MSTL against statsforecast 2.1.1, on AirPassengers, two quarterly
//! series and four spare parts of R's `carparts`. The script that wrote the fixtures is `tests/fixtures/reference_intermittent.py`.

use almanac_model::{LocalForecast, LocalForecaster};
use almanac_series::{Freq, RowStatus, SeasonLength};
use almanac_stats::{
    Adida, AutoEts, AutoIntermittent, Croston, CrostonOptimized, Drift, Ets, EtsError, EtsForm, EtsSeason, EtsTrend, HistoricAverage, Holt,
    HoltWinters, Imapa, Mstl, Sba, Ses, Tsb,
};

use crate::series::{MONTH, air_passengers, horizon, observed, quantiles, with_status};

/// Arithmetic in another order.
const ROUNDING: f64 = 1e-12;
/// The reference stops its golden section within 1e-8 of the best smoothing, and a level moves less than its own size over the
/// whole range of it.
const GOLDEN_SECTION: f64 = 1e-6;

const QUARTER: Freq = Freq::Month { months: 3, anchor: 1, end: false };
const SEASONAL: [(&str, Freq); 3] = [("air_passengers", MONTH), ("ausbeer", QUARTER), ("woolyrnq", QUARTER)];
const PARTS: [&str; 4] = ["carparts_0006", "carparts_0767", "carparts_1301", "carparts_2213"];

fn series(name: &str) -> Vec<f64> {
    if name == "air_passengers" {
        return air_passengers();
    }
    let rows = include_str!("../fixtures/intermittent_series.csv").lines().filter_map(|line| line.strip_prefix(name));
    rows.map(|line| line[1..].parse().expect("a number")).collect()
}

fn reference(case: &str, model: &str, name: &str) -> Vec<f64> {
    let prefix = format!("{case},{model},{name},");
    let rows = include_str!("../fixtures/reference_intermittent.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
    let values: Vec<f64> = rows.map(|row| row.split_once(',').expect("step,value").1.parse().expect("a number")).collect();
    assert!(!values.is_empty(), "the fixture has {case} {model} {name}");
    values
}

fn forecast(model: &dyn LocalForecaster, name: &str, freq: Freq, steps: usize) -> LocalForecast {
    let panel = observed(&series(name), freq);
    model.forecast(&panel.view(0), horizon(steps), &quantiles([0.1, 0.9])).expect("long enough")
}

fn quantile_column(forecast: &LocalForecast, column: usize) -> Vec<f64> {
    forecast.quantile_values.chunks(2).map(|step| step[column]).collect()
}

#[track_caller]
fn assert_near(got: &[f64], expected: &[f64], tolerance: f64, case: &str) {
    assert_eq!(got.len(), expected.len());
    for (step, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= tolerance * expected.abs(), "{case} step {}: {got}, expected {expected}", step + 1);
    }
}

#[test]
fn baselines_match_the_reference_with_their_intervals() {
    for (case, freq) in SEASONAL {
        for model in [&Drift as &dyn LocalForecaster, &HistoricAverage] {
            let got = forecast(model, case, freq, 8);
            assert_near(&got.mean, &reference(case, model.name(), "mean"), ROUNDING, case);
            assert_near(&quantile_column(&got, 0), &reference(case, model.name(), "q0.1"), ROUNDING, case);
            assert_near(&quantile_column(&got, 1), &reference(case, model.name(), "q0.9"), ROUNDING, case);
        }
    }
}

#[test]
fn simple_smoothing_matches_the_reference() {
    for (case, freq) in SEASONAL {
        assert_near(&forecast(&Ses, case, freq, 8).mean, &reference(case, "ses", "mean"), GOLDEN_SECTION, case);
    }
    for case in PARTS {
        assert_near(&forecast(&Ses, case, MONTH, 1).mean, &reference(case, "ses", "mean"), GOLDEN_SECTION, case);
    }
}

#[test]
fn holt_and_holt_winters_have_no_worse_likelihood_than_the_reference() {
    let form = EtsForm::new(EtsError::Additive, EtsTrend::Additive, EtsSeason::None);
    for (case, freq) in SEASONAL {
        let panel = observed(&series(case), freq);
        let holt = Ets { form, season_length: None }.fit(&panel.view(0)).expect("long enough");
        let [expected] = reference(case, "holt", "minus_two_log_likelihood")[..] else { unreachable!("one value") };
        // The optimiser stops where two steps gain less than 0.001 each.
        assert!(holt.minus_two_log_likelihood <= expected + 0.02, "{case}: {} against {expected}", holt.minus_two_log_likelihood);
        let no_season = SeasonLength::new(1).ok();
        assert_eq!(forecast(&Holt, case, freq, 8), forecast(&Ets { form, season_length: no_season }, case, freq, 8), "{case}");
        let aicc = [EtsError::Additive, EtsError::Multiplicative].map(|error| {
            let season = if error == EtsError::Additive { EtsSeason::Additive } else { EtsSeason::Multiplicative };
            let model = Ets { form: EtsForm::new(error, EtsTrend::Additive, season), season_length: None };
            (model.fit(&panel.view(0)).expect("long enough").aicc, forecast(&model, case, freq, 8))
        });
        let (best, means) = if aicc[0].0 < aicc[1].0 { &aicc[0] } else { &aicc[1] };
        let [expected] = reference(case, "holt_winters", "aicc")[..] else { unreachable!("one value") };
        assert!(*best <= expected + 0.02, "{case}: {best} against {expected}");
        // The model of both forms starts the second like the form alone does: the same optimum.
        assert_eq!(&forecast(&HoltWinters::default(), case, freq, 8), means, "{case}");
    }
}

#[test]
fn intermittent_models_match_the_reference() {
    for case in PARTS {
        for (model, tolerance) in [
            (&Croston as &dyn LocalForecaster, ROUNDING),
            (&CrostonOptimized, GOLDEN_SECTION),
            (&Sba, ROUNDING),
            (&Tsb::fixed(0.2, 0.1), ROUNDING),
            (&Adida, GOLDEN_SECTION),
            (&Imapa, GOLDEN_SECTION),
        ] {
            let got = forecast(model, case, MONTH, 1).mean;
            assert_near(&got, &reference(case, model.name(), "mean"), tolerance, &format!("{case} {}", model.name()));
        }
    }
}

#[test]
fn quantiles_of_counts_are_counts() {
    for case in PARTS {
        for model in [&Croston as &dyn LocalForecaster, &Sba, &Tsb::default(), &AutoIntermittent] {
            let panel = observed(&series(case), MONTH);
            let got = model.forecast(&panel.view(0), horizon(3), &quantiles([0.01, 0.5, 0.9, 0.99])).expect("long enough");
            for value in got.quantile_values {
                assert!(value >= 0.0 && value.fract() == 0.0, "{case} {}: {value}", model.name());
            }
        }
    }
}

#[test]
fn an_item_that_is_no_longer_sold_is_forecast_lower_by_tsb() {
    // Three demands in six months, then none in eight.
    let mean = |model: &dyn LocalForecaster| forecast(model, "carparts_0006", MONTH, 1).mean[0];
    let (croston, tsb) = (mean(&Croston), mean(&Tsb::default()));
    assert!(tsb < 0.5 * croston, "{croston}, {tsb}");
}

#[test]
fn rows_that_are_not_scored_lengthen_no_interval() {
    let mut y = [0.0, 0.0, 5.0].repeat(12);
    let mut status = vec![RowStatus::Observed; y.len()];
    let mean = |model: &dyn LocalForecaster, y: &[f64], status: &[RowStatus]| {
        let panel = with_status(y, status, Freq::Day);
        model.forecast(&panel.view(0), horizon(2), &quantiles([0.5])).expect("long enough").mean[0]
    };
    let models: [&dyn LocalForecaster; 4] = [&Croston, &Tsb::default(), &Adida, &AutoIntermittent];
    let before = models.map(|model| mean(model, &y, &status));
    y.splice(10..10, [0.0; 9]);
    status.splice(10..10, [RowStatus::Censored; 9]);
    assert_eq!(before, models.map(|model| mean(model, &y, &status)));
}

#[test]
fn mstl_forecasts_as_the_reference_does() {
    for (case, freq) in SEASONAL {
        let got = forecast(&Mstl::default(), case, freq, 8);
        let expected = reference(case, "mstl", "mean");
        // Loess is made at every second row of 11 here, at every row there, and the form is chosen again on what is left.
        // That moves AirPassengers by 0.2 %, where the slope of another form adds up, and the others by 0.02 %.
        assert_near(&got.mean, &expected, 0.004, case);
        // The two forms of AirPassengers, ETS(A,A,N) and ETS(M,A,N), are 0.2 apart in AICc, and so a coin's throw; the spread of the
        // second grows with the level. Of the others the variance is divided by other degrees of freedom and smoothed alike.
        if case != "air_passengers" {
            let half = |above: Vec<f64>, mean: &[f64]| above.iter().zip(mean).map(|(above, mean)| above - mean).collect::<Vec<_>>();
            let reference_half = half(reference(case, "mstl", "q0.9"), &expected);
            assert_near(&half(quantile_column(&got, 1), &got.mean), &reference_half, 0.06, case);
        }
    }
}

#[test]
fn mstl_keeps_two_seasons_apart_over_missing_rows() {
    let day = |row: usize| 10.0 * f64::from(u8::from(row % 24 >= 8 && row % 24 < 20));
    let week = |row: usize| if row / 24 % 7 >= 5 { -4.0 } else { 0.0 };
    let value = |row: usize| 50.0 + 0.01 * row as f64 + day(row) + week(row);
    let n = 24 * 7 * 8;
    let y: Vec<f64> = (0..n).map(|row| value(row) + (row * 31 % 13) as f64 * 0.02 - 0.12).collect();
    let status: Vec<RowStatus> =
        (0..n).map(|row| if row % 11 == 3 || row + 30 > n { RowStatus::Missing } else { RowStatus::Observed }).collect();
    let panel = with_status(&y, &status, Freq::Hour(1));
    let got = Mstl::default().forecast(&panel.view(0), horizon(168), &[]).expect("long enough");
    for (step, mean) in got.mean.iter().enumerate() {
        let expected = value(n + step);
        // The two seasons share what the jumps between the days leave.
        assert!((mean - expected).abs() < 0.6, "step {}: {mean}, expected {expected}", step + 1);
    }
    let robust = Mstl { robust: true, ..Mstl::default() };
    let burst: Vec<f64> = y.iter().enumerate().map(|(row, y)| if row % 97 == 5 { y + 500.0 } else { *y }).collect();
    let panel = with_status(&burst, &status, Freq::Hour(1));
    let means = robust.forecast(&panel.view(0), horizon(168), &[]).expect("long enough").mean;
    let error = means.iter().enumerate().map(|(step, mean)| (mean - value(n + step)).abs()).sum::<f64>() / 168.0;
    // Bursts of 500 in every hundredth row add 5 to the level that smoothing sees after the decomposition.
    assert!(error < 8.0, "{error}");
}

#[test]
fn mstl_of_a_history_shorter_than_two_seasons_is_smoothing_without_a_season() {
    let y: Vec<f64> = (0..13).map(|row| 20.0 + f64::from(row * 31 % 13)).collect();
    let panel = observed(&y, Freq::Day);
    let flat = AutoEts { season_length: SeasonLength::new(1).ok() };
    let mean = |model: &dyn LocalForecaster| model.forecast(&panel.view(0), horizon(9), &[]).expect("long enough").mean;
    assert_eq!(mean(&Mstl::default()), mean(&flat));
}
