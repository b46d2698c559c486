//! Theta models and complex smoothing against statsforecast 2.1.1 on a monthly, a quarterly and a weekly series, without their last season.
//!
//! The script that wrote the fixtures is `tests/fixtures/reference_theta.py`. The squared errors of theta are an optimum:
//! ours is that of the whole range of parameters, theirs the one that Nelder and Mead's method stops near. Those of complex
//! smoothing have several minima, and the one that ours finds may be deeper.

use almanac_model::LocalForecaster;
use almanac_series::{Freq, Panel, SeasonLength};
use almanac_stats::{AutoCes, AutoTheta, Ces, CesForm, SeasonalNaive, Theta, ThetaFit, ThetaForm};

use crate::series::{horizon, observed};

/// A case of the fixture: its name, the series it is made of, steps per season, steps ahead.
struct Case(&'static str, &'static str, usize, usize);

/// `wool1` is forecast without a season, `wool0` is shifted below 0.
const CASES: [Case; 5] = [
    Case("air", "air", 12, 12),
    Case("wool", "wool", 4, 4),
    Case("gas", "gas", 52, 13),
    Case("wool1", "wool", 1, 4),
    Case("wool0", "wool", 4, 4),
];
const NAMES: [&str; 4] = ["STM", "OTM", "DSTM", "DOTM"];

impl Case {
    fn panel(&self) -> Panel {
        let prefix = format!("{},", self.1);
        let rows = include_str!("../fixtures/reference_theta_series.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
        let shift = if self.0 == "wool0" { -7000.0 } else { 0.0 };
        let mut y: Vec<f64> = rows.map(|row| row.parse::<f64>().expect("a number") + shift).collect();
        y.truncate(y.len() - self.3);
        observed(&y, Freq::Step)
    }

    fn season_length(&self) -> SeasonLength {
        SeasonLength::new(self.2).expect("at least 1")
    }

    /// Values of a quantity, step by step; none where the fixture does not have it.
    fn reference(&self, name: &str) -> Vec<f64> {
        let prefix = format!("{},{name},", self.0);
        let rows = include_str!("../fixtures/reference_theta.csv").lines().filter_map(|line| line.strip_prefix(&prefix));
        rows.map(|row| row.split_once(',').expect("step,value").1.parse().expect("a number")).collect()
    }
}

fn fit(model: Theta, panel: &Panel) -> ThetaFit {
    model.fit(&panel.view(0)).expect("finite").expect("long enough")
}

/// Every case and form that the fixture has.
fn each(check: impl Fn(&Case, &str, Theta, &Panel)) {
    for case in CASES {
        let panel = case.panel();
        for (name, form) in NAMES.into_iter().zip(ThetaForm::ALL).filter(|(name, _)| !case.reference(&format!("{name} mse")).is_empty()) {
            check(&case, name, Theta { form, season_length: Some(case.season_length()) }, &panel);
        }
    }
}

#[test]
fn no_form_has_larger_errors_than_the_reference() {
    each(|case, name, model, panel| {
        let expected = case.reference(&format!("{name} mse"))[0];
        let got = fit(model, panel);
        // Also not much smaller ones, so that both are surely the same errors: the reference stops within 0.13 % of the optimum.
        assert!(got.mse <= expected * (1.0 + 1e-9), "{} {name}: {got:?} against {expected}", case.0);
        assert!(got.mse >= expected * (1.0 - 2e-3), "{} {name}: {got:?} against {expected}", case.0);
    });
}

#[test]
fn every_form_gives_the_forecasts_of_the_reference() {
    each(|case, name, model, panel| {
        let expected = case.reference(&format!("{name} mean"));
        let got = model.forecast(&panel.view(0), horizon(case.3), &[]).expect("finite").mean;
        // The squared errors hardly depend on a large theta: 30 and 10^10 differ by 0.1 % of them and 0.2 % of the mean. All
        // other forms agree on the parameters to about 1e-4, on the mean to some 1e-5.
        let is_flat = case.0 == "air" && name.starts_with(['O', 'D']) && name.contains("OTM");
        let tolerance = if is_flat { 3e-3 } else { 5e-5 };
        for (step, (got, expected)) in got.iter().zip(&expected).enumerate() {
            assert!(
                (got - expected).abs() <= tolerance * expected.abs(),
                "{} {name} step {}: {got}, expected {expected}",
                case.0,
                step + 1
            );
        }
    });
}

#[test]
fn the_season_is_found_and_removed_as_in_the_reference() {
    let found: Vec<Option<bool>> = CASES
        .iter()
        .map(|case| fit(Theta { season_length: Some(case.season_length()), ..Theta::default() }, &case.panel()).multiplicative_season)
        .collect();
    assert_eq!(found, [Some(true), Some(true), Some(true), None, Some(false)]);
}

#[test]
fn the_form_with_the_least_errors_is_that_of_the_reference() {
    for case in &CASES[..3] {
        let got =
            AutoTheta { season_length: Some(case.season_length()) }.select(&case.panel().view(0)).expect("finite").expect("long enough");
        let letters = NAMES[ThetaForm::ALL.iter().position(|form| *form == got.form).expect("one of all")];
        assert!(!case.reference(&format!("auto form {letters}")).is_empty(), "{}: {letters}", case.0);
    }
}

/// Every case and form of complex smoothing.
fn each_ces(check: impl Fn(&Case, &str, Ces, &Panel)) {
    for case in &CASES[..3] {
        let panel = case.panel();
        for (letter, form) in ["N", "S", "P", "F"].into_iter().zip(CesForm::ALL) {
            check(case, letter, Ces { form, season_length: Some(case.season_length()) }, &panel);
        }
    }
}

/// Where ours finds another, deeper minimum: by 46 and 8 in -2 log likelihood.
fn is_deeper(case: &Case, letter: &str) -> bool {
    case.0 == "air" && ["P", "F"].contains(&letter)
}

#[test]
fn no_form_of_complex_smoothing_has_a_worse_likelihood_than_the_reference() {
    each_ces(|case, letter, model, panel| {
        let expected = case.reference(&format!("{letter} minus_two_log_likelihood"))[0];
        let got = model.fit(&panel.view(0)).expect("finite");
        // Ours stops where two steps gain less than 0.0001 each; the reference is within 0.002 of the same minimum.
        let gain = expected - got.minus_two_log_likelihood;
        assert!(gain > -1e-3, "{} {letter}: {got:?} against {expected}", case.0);
        assert_eq!(gain > 2e-3, is_deeper(case, letter), "{} {letter}: {got:?} against {expected}", case.0);
    });
}

#[test]
fn complex_smoothing_at_the_same_minimum_gives_the_forecasts_of_the_reference() {
    each_ces(|case, letter, model, panel| {
        let expected = case.reference(&format!("{letter} mean"));
        let got = model.forecast(&panel.view(0), horizon(case.3), &[]).expect("finite").mean;
        // A likelihood known to 0.002 leaves parameters to about 5e-4, and the means with them.
        for (step, (got, expected)) in got.iter().zip(&expected).enumerate().filter(|_| !is_deeper(case, letter)) {
            assert!((got - expected).abs() <= 1e-3 * expected.abs(), "{} {letter} step {}: {got}, expected {expected}", case.0, step + 1);
        }
    });
}

#[test]
fn the_form_of_complex_smoothing_is_that_of_the_reference() {
    for case in &CASES[..3] {
        let model = AutoCes { season_length: Some(case.season_length()) };
        let got = model.select(&case.panel().view(0)).expect("finite").expect("long enough");
        let expected = case.reference("auto_ces aicc")[0];
        assert!(got.aicc <= expected + 1e-3, "{}: {got:?} against {expected}", case.0);
        let letter = ["N", "S", "P", "F"][CesForm::ALL.iter().position(|form| *form == got.form).expect("one of all")];
        assert!(!case.reference(&format!("auto_ces form {letter}")).is_empty(), "{}: {letter}", case.0);
    }
}

#[test]
fn the_last_year_of_passengers_is_forecast_better_than_by_seasonal_naive() {
    let season_length = Some(CASES[0].season_length());
    let all = crate::series::air_passengers();
    let panel = CASES[0].panel();
    let error = |model: &dyn LocalForecaster| -> f64 {
        let got = model.forecast(&panel.view(0), horizon(12), &[]).expect("finite").mean;
        got.iter().zip(&all[all.len() - 12..]).map(|(mean, y)| (mean - y).abs()).sum()
    };
    let naive = error(&SeasonalNaive { season_length });
    assert!(error(&AutoCes { season_length }) < 0.6 * naive);
    assert!(error(&AutoTheta { season_length }) < 0.6 * naive);
}
