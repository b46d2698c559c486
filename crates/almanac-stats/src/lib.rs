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
//! | `croston` | [`Croston`] | intermittent: smoothed size over smoothed interval |
//! | `croston_optimized` | [`CrostonOptimized`] | the same, both smoothings optimised |
//! | `sba` | [`Sba`] | Croston's without its bias |
//! | `tsb` | [`Tsb`] | intermittent: smoothed size times smoothed probability |
//! | `adida` | [`Adida`] | intermittent: sums over the mean interval, smoothed |
//! | `imapa` | [`Imapa`] | the same over all shorter intervals, averaged |
//! | `auto_intermittent` | [`AutoIntermittent`] | the one of these that fits the kind of the demand |
//! | `mstl` | [`Mstl`] | seasons by decomposition, the rest by exponential smoothing |
//!
//! All of them learn from scored rows only ([`RowStatus::is_scored`](almanac_series::RowStatus::is_scored)): missing,
//! stock-out and closed rows keep their place in time and teach nothing. Forecasts start after the last row of the history,
//! scored or not. Nothing is clipped here: a model of non-negative sales may forecast below 0, and the caller decides.
//!
//! Not here: which models a run uses, scores, conformal intervals, anything learnt across series.

mod adida;
mod auto_ets;
mod auto_intermittent;
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
mod seasonal_naive;
mod seasonal_window_average;
mod ses;
mod tsb;
mod window_average;
mod year_over_year;

pub use adida::Adida;
pub use auto_ets::AutoEts;
pub use auto_intermittent::{AutoIntermittent, DemandClass};
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
pub use tsb::Tsb;
pub use window_average::WindowAverage;
pub use year_over_year::YearOverYear;
