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
//! | `drift` | [`Drift`] | the last value and the mean step |
//! | `historic_average` | [`HistoricAverage`] | the mean of all values |
//! | `ses` | [`Ses`] | a smoothed level |
//! | `holt` | [`Holt`] | a smoothed level and slope |
//! | `holt_winters` | [`HoltWinters`] | a smoothed level, slope and season |
//!
//! All of them learn from scored rows only ([`RowStatus::is_scored`](almanac_series::RowStatus::is_scored)): missing,
//! stock-out and closed rows keep their place in time and teach nothing. Forecasts start after the last row of the history,
//! scored or not. Nothing is clipped here: a model of non-negative sales may forecast below 0, and the caller decides.
//!
//! Not here: which models a run uses, scores, conformal intervals, anything learnt across series.

mod auto_ets;
mod drift;
mod ets;
mod historic_average;
mod history;
mod holt;
mod holt_winters;
mod naive;
mod predictive;
mod seasonal_naive;
mod seasonal_window_average;
mod ses;
mod window_average;
mod year_over_year;

pub use auto_ets::AutoEts;
pub use drift::Drift;
pub use ets::{Ets, EtsError, EtsFit, EtsForm, EtsSeason, EtsTrend, Smoothing};
pub use historic_average::HistoricAverage;
pub use holt::Holt;
pub use holt_winters::HoltWinters;
pub use naive::Naive;
pub use seasonal_naive::SeasonalNaive;
pub use seasonal_window_average::SeasonalWindowAverage;
pub use ses::Ses;
pub use window_average::WindowAverage;
pub use year_over_year::YearOverYear;
