//! Prophet keeps the contract of a forecaster, whatever its settings.

use almanac_model::testing::check_forecaster;
use almanac_prophet::{Growth, HolidayWindow, Prophet, Seasonality, SeasonalityMode};

#[test]
fn prophet_keeps_the_contract() {
    check_forecaster(&Prophet::default());
}

#[test]
fn multiplicative_prophet_with_holidays_keeps_the_contract() {
    check_forecaster(&Prophet {
        seasonality_mode: SeasonalityMode::Multiplicative,
        country: Some("US".into()),
        holiday_window: HolidayWindow { days_before: 1, days_after: 2 },
        yearly: Seasonality::Order(5),
        ..Prophet::default()
    });
}

#[test]
fn flat_prophet_keeps_the_contract() {
    check_forecaster(&Prophet { growth: Growth::Flat, ..Prophet::default() });
}

#[test]
fn saturating_prophet_keeps_the_contract() {
    check_forecaster(&Prophet { growth: Growth::Logistic { cap: 200.0, floor: -50.0 }, ..Prophet::default() });
}
