//! ARIMA against statsforecast 2.1.1, and statsmodels 0.15 where rows are missing, on AirPassengers, ausbeer, wineind and woolyrnq.
//!
//! The script that wrote the fixture is `tests/fixtures/reference_arima.py`. An estimate is an optimum: ours may be better, and
//! where it is about as good the forecasts are near.

use almanac_model::LocalForecaster;
use almanac_series::{Freq, Panel, PanelBuilder, Period, RowStatus, SeasonLength, SeriesRows};
use almanac_stats::{Arima, ArimaFit, ArimaOrder, AutoArima};

use crate::series::{air_passengers, horizon, observed, quantiles, with_status};

const CHOSEN: [(&str, usize); 5] = [("air_passengers", 12), ("log_air_passengers", 12), ("ausbeer", 4), ("wineind", 12), ("woolyrnq", 4)];
/// Rows of the log of AirPassengers that the fixture's cases with holes leave out.
const HOLES: [usize; 9] = [5, 30, 31, 32, 77, 100, 126, 138, 141];

fn reference(case: &str, name: &str) -> Vec<f64> {
    let prefix = format!("{case},{name},");
    let rows = include_str!("../fixtures/reference_arima.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
    let values: Vec<f64> = rows.map(|row| row.split_once(',').expect("step,value").1.parse().expect("a number")).collect();
    assert!(!values.is_empty(), "the fixture has {case} {name}");
    values
}

fn values(series: &str) -> Vec<f64> {
    match series {
        "air_passengers" => air_passengers(),
        "log_air_passengers" => air_passengers().into_iter().map(f64::ln).collect(),
        _ => {
            let prefix = format!("{series},");
            let rows = include_str!("../fixtures/arima_series.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
            rows.map(|y| y.parse().expect("a number")).collect()
        }
    }
}

fn season(steps: usize) -> SeasonLength {
    SeasonLength::new(steps).expect("at least 1")
}

fn auto(season_length: usize) -> AutoArima {
    AutoArima { season_length: Some(season(season_length)), exog: false }
}

fn select(series: &str, season_length: usize) -> ArimaFit {
    let panel = observed(&values(series), Freq::Step);
    auto(season_length).select(&panel.view(0)).expect("finite").expect("long enough")
}

/// The order that a case of the fixture is named after: `log_air 011011 constant`.
fn of_case(case: &str) -> Arima {
    let digits = case.split(' ').nth(1).expect("an order");
    let lag = |k: usize| digits[k..=k].parse().expect("a digit");
    let order = ArimaOrder::new(lag(0), lag(1), lag(2)).seasonal(lag(3), lag(4), lag(5));
    Arima { order, constant: case.ends_with("constant"), season_length: Some(season(12)), exog: case.starts_with("regressor") }
}

fn panel_of_case(case: &str) -> Panel {
    let y = values("log_air_passengers");
    let mut status = vec![RowStatus::Observed; y.len()];
    if case.starts_with("holes") {
        HOLES.iter().for_each(|row| status[*row] = RowStatus::Missing);
        return with_status(&y, &status, Freq::Step);
    }
    let column: Vec<f64> = (0..y.len()).map(|row| f64::from(u8::from(row * 37 % 11 < 3))).collect();
    let with_column = case.starts_with("regressor");
    let y = if with_column { y.iter().zip(&column).map(|(y, x)| y + 0.1 * x).collect() } else { y };
    let mut builder = PanelBuilder::new(Freq::Step, &[], &["column".into()]);
    builder
        .push("series".into(), Period(0), SeriesRows { y, status, future: vec![column], ..SeriesRows::default() })
        .expect("columns agree");
    builder.finish(vec![]).expect("one key")
}

#[test]
fn the_chosen_order_is_as_good_as_the_one_the_reference_chose() {
    for (series, season_length) in CHOSEN {
        let fit = select(series, season_length);
        let [expected] = reference(series, "aicc")[..] else { unreachable!("one value") };
        // Both optimisers stop where a step gains little; ours gains less than 0.001 in AICc there.
        assert!(fit.aicc <= expected + 0.01, "{series}: {} with {} against {expected}", fit.order, fit.aicc);
    }
}

#[test]
fn the_order_of_the_classic_series_is_the_one_the_reference_chose() {
    for (series, season_length) in CHOSEN {
        let ArimaOrder { p, d, q, seasonal_p, seasonal_d, seasonal_q } = select(series, season_length).order;
        let got = [p, d, q, seasonal_p, seasonal_d, seasonal_q].map(|lags| lags as f64);
        assert_eq!(reference(series, "order"), got, "{series}");
    }
}

#[test]
fn no_order_has_a_worse_likelihood_than_the_reference() {
    for case in ["200011 constant", "111111", "011210", "212001 constant", "301100 constant"].map(|order| format!("log_air {order}")) {
        let fit = of_case(&case).fit(&panel_of_case(&case).view(0)).expect("144 rows");
        let [expected] = reference(&case, "log_likelihood")[..] else { unreachable!("one value") };
        // The reference's filter takes its covariance for settled early, which moves its likelihood by some hundredths.
        assert!(fit.log_likelihood >= expected - 0.05, "{case}: {} against {expected}", fit.log_likelihood);
    }
}

#[test]
fn rows_without_score_leave_the_likelihood_of_the_others_alone() {
    for case in ["holes 011011", "holes 111110"] {
        let panel = panel_of_case(case);
        let fit = of_case(case).fit(&panel.view(0)).expect("135 rows");
        let [expected] = reference(case, "log_likelihood")[..] else { unreachable!("one value") };
        // Both are exact and iterate until nothing is gained.
        assert!((fit.log_likelihood - expected).abs() < 1e-3, "{case}: {} against {expected}", fit.log_likelihood);
        let got = of_case(case).forecast(&panel.view(0), horizon(12), &quantiles([0.9])).expect("135 rows");
        let (mean, sd) = (reference(case, "mean"), reference(case, "sd"));
        // The reference does not take the degrees of freedom of the coefficients off the variance.
        let n_coefficients = (fit.ar.len() + fit.ma.len()) as f64;
        let correction = (122.0 / (122.0 - n_coefficients)).sqrt();
        for step in 0..12 {
            // Coefficients agree to three digits, and logarithms of passengers to four.
            assert!((got.mean[step] - mean[step]).abs() < 3e-4, "{case} step {}: {} and {}", step + 1, got.mean[step], mean[step]);
            let spread = (got.quantile_values[step] - got.mean[step]) / 1.281_551_565_544_6 / correction;
            assert!((spread / sd[step] - 1.0).abs() < 3e-3, "{case} step {}: {spread} and {}", step + 1, sd[step]);
        }
    }
}

#[test]
fn a_regressor_is_estimated_as_by_the_reference() {
    let case = "regressor 011011";
    let fit = of_case(case).fit(&panel_of_case(case).view(0)).expect("144 rows");
    let [expected] = reference(case, "log_likelihood")[..] else { unreachable!("one value") };
    assert_eq!(fit.n_regressors, 1);
    assert!((fit.log_likelihood - expected).abs() <= 0.1, "{} against {expected}", fit.log_likelihood);
}

#[test]
fn forecasts_and_intervals_are_near_those_of_the_reference() {
    for (series, season_length) in CHOSEN {
        let panel = observed(&values(series), Freq::Step);
        let got = auto(season_length).forecast(&panel.view(0), horizon(12), &quantiles([0.9])).expect("long enough");
        let (mean, upper) = (reference(series, "mean"), reference(series, "q0.9"));
        for step in 0..12 {
            let width = upper[step] - mean[step];
            // The likelihood is flat around the optimum: coefficients that differ by a tenth of their standard error move a
            // mean by as much of its own.
            assert!(
                (got.mean[step] - mean[step]).abs() < 0.15 * width,
                "{series} step {}: {} and {}",
                step + 1,
                got.mean[step],
                mean[step]
            );
            let ratio = (got.quantile_values[step] - got.mean[step]) / width;
            assert!((ratio - 1.0).abs() < 0.04, "{series} step {}: width {ratio}", step + 1);
        }
    }
}

#[test]
fn regressors_that_say_nothing_new_are_left_out() {
    let row = |row: usize| row as f64;
    let sales = |k: usize| 40.0 + 8.0 * f64::from(u8::from(k.is_multiple_of(5))) + f64::from((k as u32 * 31) % 13) * 0.2;
    let promotion = |k: usize| f64::from(u8::from(k.is_multiple_of(5)));
    let columns: [Vec<f64>; 4] = [
        (0..130).map(promotion).collect(),
        vec![3.0; 130],
        (0..130).map(|k| 7.0 - 2.0 * promotion(k)).collect(),
        (0..130).map(|k| if k == 60 { f64::NAN } else { row(k) }).collect(),
    ];
    let names = ["promotion", "constant", "twice", "hole"].map(String::from);
    let mut builder = PanelBuilder::new(Freq::Day, &[], &names);
    let status = (0..130).map(|k| if k < 120 { RowStatus::Observed } else { RowStatus::Future }).collect();
    let y = (0..130).map(|k| if k < 120 { sales(k) } else { f64::NAN }).collect();
    builder
        .push("series".into(), Period(0), SeriesRows { y, status, future: columns.into(), ..SeriesRows::default() })
        .expect("columns agree");
    let panel = builder.finish(vec![]).expect("one key");
    let model = AutoArima { season_length: None, exog: true };
    let fit = model.select(&panel.view(0)).expect("finite").expect("long enough");
    assert_eq!(fit.n_regressors, 1, "{fit:?}");
    let forecast = model.forecast(&panel.view(0), horizon(10), &[]).expect("120 rows");
    for (step, mean) in forecast.mean.iter().enumerate() {
        // The noise lies between 0 and 2.4.
        assert!((mean - 41.2 - 8.0 * promotion(120 + step)).abs() < 2.0, "step {}: {mean}", step + 1);
    }
}

#[test]
fn a_year_of_weeks_is_described_by_waves() {
    let year = |week: usize| 50.0 + 20.0 * (std::f64::consts::TAU * week as f64 / 52.0).sin();
    let y: Vec<f64> = (0..160).map(|week| year(week) + f64::from((week as u32 * 31) % 13) * 0.3).collect();
    let panel = observed(&y, Freq::Step);
    let fit = auto(52).select(&panel.view(0)).expect("finite").expect("long enough");
    assert!(fit.n_regressors >= 2, "{fit:?}");
    let forecast = auto(52).forecast(&panel.view(0), horizon(52), &[]).expect("three years");
    for (step, mean) in forecast.mean.iter().enumerate() {
        // The noise lies between 0 and 3.6.
        assert!((mean - 1.8 - year(160 + step)).abs() < 3.0, "week {}: {mean}", step + 1);
    }
}
