//! Theta models against statsforecast 2.1.1 on a monthly, a quarterly and a weekly series, without their last season.
//!
//! The script that wrote the fixtures is `tests/fixtures/reference_theta.py`. The squared errors are an optimum: ours is that
//! of the whole range of parameters, theirs the one that Nelder and Mead's method stops near.

use almanac_model::LocalForecaster;
use almanac_series::{Freq, Panel, SeasonLength};
use almanac_stats::{AutoTheta, Theta, ThetaFit, ThetaForm};

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
