//! Classical models of one series at a time: one file per model, each a [`LocalForecaster`](almanac_model::LocalForecaster).
//!
//! | model | type | forecast |
//! |---|---|---|
//! | `naive` | [`Naive`] | the last value |
//! | `seasonal_naive` | [`SeasonalNaive`] | the last value of the same place in the season |
//! | `drift` | [`Drift`] | the last value and the mean step |
//! | `historic_average` | [`HistoricAverage`] | the mean of all values |
//! | `window_average` | [`WindowAverage`] | the mean of the last values |
//! | `seasonal_window_average` | [`SeasonalWindowAverage`] | the mean of the last values of the same place in the season |
//! | `year_over_year` | [`YearOverYear`] | the same days of past years, times the growth since |
//! | `ses` | [`Ses`] | a smoothed level |
//! | `holt` | [`Holt`] | a smoothed level and slope |
//! | `holt_winters` | [`HoltWinters`] | a smoothed level, slope and season |
//! | `ets` | [`Ets`] | exponential smoothing of a given form |
//! | `auto_ets` | [`AutoEts`] | exponential smoothing, the form chosen by AICc |
//! | `ces` | [`Ces`] | complex exponential smoothing of a given form |
//! | `auto_ces` | [`AutoCes`] | complex exponential smoothing, the form chosen by AICc |
//! | `theta`, `optimized_theta`, `dynamic_theta`, `dynamic_optimized_theta` | [`Theta`] | smoothing along a line, of a given form |
//! | `auto_theta` | [`AutoTheta`] | smoothing along a line, the form chosen by squared errors |
//! | `arima` | [`Arima`] | seasonal ARIMA of a given order |
//! | `auto_arima` | [`AutoArima`] | seasonal ARIMA, differences by tests and lags by AICc |
//! | `mstl` | [`Mstl`] | seasons by decomposition, the rest by exponential smoothing |
//! | `croston` | [`Croston`] | intermittent: smoothed size over smoothed interval |
//! | `croston_optimized` | [`CrostonOptimized`] | the same, both smoothings optimised |
//! | `sba` | [`Sba`] | Croston's without its bias |
//! | `tsb` | [`Tsb`] | intermittent: smoothed size times smoothed probability |
//! | `adida` | [`Adida`] | intermittent: sums over the mean interval, smoothed |
//! | `imapa` | [`Imapa`] | the same over all shorter intervals, averaged |
//! | `auto_intermittent` | [`AutoIntermittent`] | the one of these that fits the kind of the demand |
//!
//! All of them learn from scored rows only ([`RowStatus::is_scored`](almanac_series::RowStatus::is_scored)): missing,
//! stock-out and closed rows keep their place in time and teach nothing. Forecasts start after the last row of the history,
//! scored or not. Nothing is clipped here: a model of non-negative sales may forecast below 0, and the caller decides.
//!
//! Not here: which models a run uses, scores, conformal intervals, anything learnt across series.

mod adida;
mod arima;
mod auto_arima;
mod auto_ces;
mod auto_ets;
mod auto_intermittent;
mod auto_theta;
mod ces;
mod croston;
mod croston_optimized;
mod demand;
mod drift;
mod ets;
mod historic_average;
mod history;
mod holt;
mod holt_winters;
mod imapa;
mod mstl;
mod naive;
mod predictive;
mod sba;
mod season;
mod seasonal_naive;
mod seasonal_window_average;
mod ses;
mod theta;
mod tsb;
mod window_average;
mod year_over_year;

pub use adida::Adida;
pub use arima::{Arima, ArimaFit, ArimaOrder};
pub use auto_arima::AutoArima;
pub use auto_ces::AutoCes;
pub use auto_ets::AutoEts;
pub use auto_intermittent::AutoIntermittent;
pub use auto_theta::AutoTheta;
pub use ces::{Ces, CesFit, CesForm};
pub use croston::Croston;
pub use croston_optimized::CrostonOptimized;
pub use drift::Drift;
pub use ets::{Ets, EtsError, EtsFit, EtsForm, EtsSeason, EtsTrend, Smoothing};
pub use historic_average::HistoricAverage;
pub use holt::Holt;
pub use holt_winters::HoltWinters;
pub use imapa::Imapa;
pub use mstl::Mstl;
pub use naive::Naive;
pub use sba::Sba;
pub use seasonal_naive::SeasonalNaive;
pub use seasonal_window_average::SeasonalWindowAverage;
pub use ses::Ses;
pub use theta::{Theta, ThetaFit, ThetaForm};
pub use tsb::Tsb;
pub use window_average::WindowAverage;
pub use year_over_year::YearOverYear;
