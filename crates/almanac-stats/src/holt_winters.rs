//! Holt–Winters: level, slope and season, all smoothed; [`Ets`](crate::Ets) of the form ETS(A,A,A) or ETS(M,A,M).
//!
//! The season is added where the history has a value of 0 or less; otherwise the form with the better AICc is taken. Missing
//! rows move the level along the slope, keep their place in the season and teach nothing. Fewer than two seasons of scored
//! rows, or a season of more than 24 steps, are forecast by [`Holt`](crate::Holt). Only the newest 1,500 rows are looked at.
//!
//! Source: Winters (1960); FPP3, section 8.3. statsforecast's `HoltWinters` asks the caller for the form.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::ets::{self, EtsError, EtsForm, EtsSeason, EtsTrend};
use crate::{auto_ets, holt};

const FORMS: [EtsForm; 2] = [
    EtsForm::new(EtsError::Additive, EtsTrend::Additive, EtsSeason::Additive),
    EtsForm::new(EtsError::Multiplicative, EtsTrend::Additive, EtsSeason::Multiplicative),
];

/// Holt–Winters with an additive or a multiplicative season, whichever the data have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HoltWinters {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

impl LocalForecaster for HoltWinters {
    fn name(&self) -> &'static str {
        "holt_winters"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = ets::read(series, self.name())?;
        let (fitter, fitted) = auto_ets::select(&history, ets::season_length(self.season_length, series), &FORMS);
        match fitted {
            Some(fitted) => ets::predict(&history, &fitter, &fitted, horizon, quantiles, series, self.name()),
            None => holt::forecast(&history, series, horizon, quantiles, self.name()),
        }
    }
}
