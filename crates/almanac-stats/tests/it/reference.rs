//! Numbers against statsforecast 2.1.1 on AirPassengers without its last year.
//!
//! The script that wrote the fixture is `tests/fixtures/reference.py`. The simple models are arithmetic and agree to rounding.
//! ETS is an optimum: ours may be better, and where it is about as good the forecasts are near.

use almanac_model::{LocalForecast, LocalForecaster};
use almanac_stats::{
    AutoEts, Ets, EtsError, EtsForm, EtsSeason, EtsTrend, Naive, SeasonalNaive, SeasonalWindowAverage, WindowAverage, YearOverYear,
};

use crate::series::{MONTH, air_passengers, horizon, observed, quantiles};

/// Arithmetic in another order.
const ROUNDING: f64 = 1e-12;

/// Values of a quantity of a case, step by step.
fn reference(case: &str, name: &str) -> Vec<f64> {
    let prefix = format!("{case},{name},");
    let rows = include_str!("../fixtures/reference.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
    let values: Vec<f64> = rows.map(|row| row.split_once(',').expect("step,value").1.parse().expect("a number")).collect();
    assert!(!values.is_empty(), "the fixture has {case} {name}");
    values
}

fn forecast(model: &dyn LocalForecaster, steps: usize) -> LocalForecast {
    let y = air_passengers();
    let panel = observed(&y[..y.len() - 12], MONTH);
    model.forecast(&panel.view(0), horizon(steps), &quantiles([0.1, 0.9])).expect("132 rows are enough")
}

fn quantile_column(forecast: &LocalForecast, column: usize) -> Vec<f64> {
    forecast.quantile_values.chunks(2).map(|step| step[column]).collect()
}

#[track_caller]
fn assert_near(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (step, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= tolerance * expected.abs(), "step {}: {got}, expected {expected}", step + 1);
    }
}

fn letters(form: EtsForm) -> String {
    form.to_string().replace("ETS(", "").replace([',', ')'], "")
}

#[test]
fn naive_matches_the_reference_with_its_intervals() {
    let got = forecast(&Naive, 24);
    assert_near(&got.mean, &reference("naive", "mean"), ROUNDING);
    assert_near(&quantile_column(&got, 0), &reference("naive", "q0.1"), ROUNDING);
    assert_near(&quantile_column(&got, 1), &reference("naive", "q0.9"), ROUNDING);
}

#[test]
fn seasonal_naive_matches_the_reference_with_its_intervals() {
    let got = forecast(&SeasonalNaive::default(), 24);
    assert_near(&got.mean, &reference("seasonal_naive", "mean"), ROUNDING);
    assert_near(&quantile_column(&got, 0), &reference("seasonal_naive", "q0.1"), ROUNDING);
    assert_near(&quantile_column(&got, 1), &reference("seasonal_naive", "q0.9"), ROUNDING);
}

#[test]
fn window_average_matches_the_reference() {
    assert_near(&forecast(&WindowAverage::default(), 24).mean, &reference("window_average", "mean"), ROUNDING);
}

#[test]
fn seasonal_window_average_matches_the_reference() {
    let model = SeasonalWindowAverage { season_length: None, window: Some(3) };
    assert_near(&forecast(&model, 24).mean, &reference("seasonal_window_average", "mean"), ROUNDING);
}

#[test]
fn year_over_year_is_last_years_months_times_the_growth() {
    // The second year is twice the first, so the third is twice the second.
    let y: Vec<f64> = (0..24).map(|month| f64::from(100 + month % 12) * if month < 12 { 1.0 } else { 2.0 }).collect();
    let panel = observed(&y, MONTH);
    let got = YearOverYear::default().forecast(&panel.view(0), horizon(12), &[]).expect("two years are enough");
    let expected: Vec<f64> = y[12..].iter().map(|value| 2.0 * value).collect();
    assert_near(&got.mean, &expected, ROUNDING);
}

#[test]
fn no_form_has_a_worse_likelihood_than_the_reference() {
    let y = air_passengers();
    let panel = observed(&y[..y.len() - 12], MONTH);
    for form in EtsForm::ALL {
        let fit = Ets { form, season_length: None }.fit(&panel.view(0)).expect("132 positive rows");
        let [expected] = reference(&letters(form), "minus_two_log_likelihood")[..] else { unreachable!("one value") };
        // The optimiser stops where two steps gain less than 0.001 each. The reference's ETS(A,N,A) leaves the bound
        // `gamma <= 1 - alpha` (0.36 and 0.92) and gains 3 by it.
        let is_outside = letters(form) == "ANA";
        let slack = if is_outside { 3.1 } else { 0.02 };
        assert!(fit.minus_two_log_likelihood <= expected + slack, "{form}: {} against {expected}", fit.minus_two_log_likelihood);
    }
}

#[test]
fn forms_with_one_clear_optimum_give_the_forecasts_of_the_reference() {
    let form = |error, trend, season| EtsForm::new(error, trend, season);
    // Where both stop near the same optimum the means agree; the likelihood is flat to about 1 % of the mean there.
    for (form, tolerance) in [
        (form(EtsError::Additive, EtsTrend::None, EtsSeason::None), 1e-3),
        (form(EtsError::Multiplicative, EtsTrend::None, EtsSeason::None), 1e-3),
        (form(EtsError::Multiplicative, EtsTrend::Additive, EtsSeason::Multiplicative), 0.02),
    ] {
        let got = forecast(&Ets { form, season_length: None }, 12);
        assert_near(&got.mean, &reference(&letters(form), "mean"), tolerance);
    }
}

#[test]
fn the_chosen_form_is_as_good_as_the_one_the_reference_chose() {
    let y = air_passengers();
    let panel = observed(&y[..y.len() - 12], MONTH);
    let fit = AutoEts::default().select(&panel.view(0)).expect("finite").expect("long enough");
    let [expected] = reference("auto", "aicc")[..] else { unreachable!("one value") };
    assert!(fit.aicc <= expected + 0.02, "{} with {} against {expected}", fit.form, fit.aicc);
}

#[test]
fn the_last_year_is_forecast_better_than_by_seasonal_naive() {
    let y = air_passengers();
    let error = |model: &dyn LocalForecaster| -> f64 {
        forecast(model, 12).mean.iter().zip(&y[y.len() - 12..]).map(|(mean, y)| (mean - y).abs()).sum()
    };
    assert!(error(&AutoEts::default()) < 0.6 * error(&SeasonalNaive::default()));
}
