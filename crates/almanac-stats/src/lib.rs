//! Classical models of one series at a time: one file per model, each a [`LocalForecaster`](almanac_model::LocalForecaster).
//!
//! | model | type | forecast |
//! |---|---|---|
//! | `naive` | [`Naive`] | the last value |
//! | `seasonal_naive` | [`SeasonalNaive`] | the last value of the same place in the season |
//! | `window_average` | [`WindowAverage`] | the mean of the last values |
//! | `seasonal_window_average` | [`SeasonalWindowAverage`] | the mean of the last values of the same place in the season |
//! | `year_over_year` | [`YearOverYear`] | the same days of past years, times the growth since |
//! | `ets` | [`Ets`] | exponential smoothing of a given form |
//! | `auto_ets` | [`AutoEts`] | exponential smoothing, the form chosen by AICc |
//! | `theta`, `optimized_theta`, `dynamic_theta`, `dynamic_optimized_theta` | [`Theta`] | smoothing along a line, of a given form |
//! | `ces` | [`Ces`] | complex exponential smoothing of a given form |
//! | `auto_ces` | [`AutoCes`] | complex exponential smoothing, the form chosen by AICc |
//! | `auto_theta` | [`AutoTheta`] | smoothing along a line, the form chosen by squared errors |
//! | `arima` | [`Arima`] | seasonal ARIMA of a given order |
//! | `auto_arima` | [`AutoArima`] | seasonal ARIMA, differences by tests and lags by AICc |
//!
//! All of them learn from scored rows only ([`RowStatus::is_scored`](almanac_series::RowStatus::is_scored)): missing,
//! stock-out and closed rows keep their place in time and teach nothing. Forecasts start after the last row of the history,
//! scored or not. Nothing is clipped here: a model of non-negative sales may forecast below 0, and the caller decides.
//!
//! Not here: which models a run uses, scores, conformal intervals, anything learnt across series.

mod auto_ces;
mod arima;
mod auto_arima;
mod auto_ets;
mod auto_theta;
mod ces;
mod ets;
mod history;
mod naive;
mod predictive;
mod season;
mod seasonal_naive;
mod seasonal_window_average;
mod theta;
mod window_average;
mod year_over_year;

pub use auto_ces::AutoCes;
pub use arima::{Arima, ArimaFit, ArimaOrder};
pub use auto_arima::AutoArima;
pub use auto_ets::AutoEts;
pub use auto_theta::AutoTheta;
pub use ces::{Ces, CesFit, CesForm};
pub use ets::{Ets, EtsError, EtsFit, EtsForm, EtsSeason, EtsTrend, Smoothing};
pub use naive::Naive;
pub use seasonal_naive::SeasonalNaive;
pub use seasonal_window_average::SeasonalWindowAverage;
pub use theta::{Theta, ThetaFit, ThetaForm};
pub use window_average::WindowAverage;
pub use year_over_year::YearOverYear;
