//! Every model keeps the contract of a forecaster.

use almanac_model::Local;
use almanac_model::testing::check_forecaster;
use almanac_stats::{
    Arima, ArimaOrder, AutoArima, AutoCes, AutoEts, AutoTheta, Ces, CesForm, Ets, EtsError, EtsForm, EtsSeason, EtsTrend, Naive, SeasonalNaive, SeasonalWindowAverage, Theta, ThetaForm, WindowAverage, YearOverYear,
};

#[test]
fn naive_keeps_the_contract() {
    check_forecaster(&Local::new(Naive));
}

#[test]
fn seasonal_naive_keeps_the_contract() {
    check_forecaster(&Local::new(SeasonalNaive::default()));
}

#[test]
fn window_average_keeps_the_contract() {
    check_forecaster(&Local::new(WindowAverage::default()));
}

#[test]
fn seasonal_window_average_keeps_the_contract() {
    check_forecaster(&Local::new(SeasonalWindowAverage::default()));
}

#[test]
fn year_over_year_keeps_the_contract() {
    check_forecaster(&Local::new(YearOverYear::default()));
}

#[test]
fn ets_keeps_the_contract() {
    let form = EtsForm::new(EtsError::Additive, EtsTrend::Damped, EtsSeason::Additive);
    check_forecaster(&Local::new(Ets { form, season_length: None }));
}

#[test]
fn auto_ets_keeps_the_contract() {
    check_forecaster(&Local::new(AutoEts::default()));
}

#[test]
fn theta_keeps_the_contract_in_every_form() {
    for form in ThetaForm::ALL {
        check_forecaster(&Local::new(Theta { form, season_length: None }));
    }
}

#[test]
fn auto_theta_keeps_the_contract() {
    check_forecaster(&Local::new(AutoTheta::default()));
}

#[test]
fn ces_keeps_the_contract_in_every_form() {
    for form in CesForm::ALL {
        check_forecaster(&Local::new(Ces { form, season_length: None }));
    }
}

#[test]
fn auto_ces_keeps_the_contract() {
    check_forecaster(&Local::new(AutoCes::default()));
}

#[test]
fn arima_keeps_the_contract() {
    let order = ArimaOrder::new(1, 1, 1).seasonal(0, 1, 1);
    check_forecaster(&Local::new(Arima { order, constant: false, season_length: None, exog: true }));
}

#[test]
fn auto_arima_keeps_the_contract() {
    check_forecaster(&Local::new(AutoArima::default()));
}
