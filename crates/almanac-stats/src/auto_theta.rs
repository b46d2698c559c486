//! Theta with the form chosen by the in-sample squared error among the four of [`ThetaForm`].
//!
//! The season is tested for and removed once, for all forms. An estimated `θ` is never worse in the sample than one of 2, so
//! that the choice is in effect between a line through all rows and one through the rows so far; where both are equally good
//! the simpler form is taken. Missing rows, short histories and sources are those of the forms (`theta`).

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::theta::{self, ThetaFit, ThetaForm};

/// The theta model with the least squared one-step errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoTheta {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

impl AutoTheta {
    /// Chooses and estimates the form for a series, without forecasting. `None`: the series falls back to naive.
    ///
    /// # Errors
    /// [`FitError`] for a series without any scored row or with an infinite value.
    pub fn select(&self, series: &SeriesView<'_>) -> Result<Option<ThetaFit>, FitError> {
        theta::select(series, self.season_length, &ThetaForm::ALL, self.name())
    }
}

impl LocalForecaster for AutoTheta {
    fn name(&self) -> &'static str {
        "auto_theta"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        theta::forecast(series, self.season_length, &ThetaForm::ALL, horizon, quantiles, self.name())
    }
}
