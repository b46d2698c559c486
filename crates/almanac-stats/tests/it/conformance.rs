//! Every model keeps the contract of a forecaster.

use almanac_model::Local;
use almanac_model::testing::check_forecaster;
use almanac_stats::{
    Adida, Arima, ArimaOrder, AutoArima, AutoCes, AutoEts, AutoIntermittent, AutoTheta, Ces, CesForm, Croston, CrostonOptimized, Drift,
    Ets, EtsError, EtsForm, EtsSeason, EtsTrend, HistoricAverage, Holt, HoltWinters, Imapa, Mstl, Naive, Sba, SeasonalNaive,
    SeasonalWindowAverage, Ses, Theta, ThetaForm, Tsb, WindowAverage, YearOverYear,
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

#[test]
fn drift_keeps_the_contract() {
    check_forecaster(&Local::new(Drift));
}

#[test]
fn historic_average_keeps_the_contract() {
    check_forecaster(&Local::new(HistoricAverage));
}

#[test]
fn ses_keeps_the_contract() {
    check_forecaster(&Local::new(Ses));
}

#[test]
fn holt_keeps_the_contract() {
    check_forecaster(&Local::new(Holt));
}

#[test]
fn holt_winters_keeps_the_contract() {
    check_forecaster(&Local::new(HoltWinters::default()));
}

#[test]
fn croston_keeps_the_contract() {
    check_forecaster(&Local::new(Croston));
}

#[test]
fn croston_optimized_keeps_the_contract() {
    check_forecaster(&Local::new(CrostonOptimized));
}

#[test]
fn sba_keeps_the_contract() {
    check_forecaster(&Local::new(Sba));
}

#[test]
fn tsb_keeps_the_contract() {
    check_forecaster(&Local::new(Tsb::default()));
}

#[test]
fn adida_keeps_the_contract() {
    check_forecaster(&Local::new(Adida));
}

#[test]
fn imapa_keeps_the_contract() {
    check_forecaster(&Local::new(Imapa));
}

#[test]
fn auto_intermittent_keeps_the_contract() {
    check_forecaster(&Local::new(AutoIntermittent));
}

#[test]
fn mstl_keeps_the_contract() {
    check_forecaster(&Local::new(Mstl::default()));
}
