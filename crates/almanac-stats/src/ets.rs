//! Exponential smoothing in state-space form, ETS(error, trend, season).
//!
//! ```text
//!   History ──initial──► states and smoothing to start from ──optimise──► least -2 log L ──fit──► EtsFit ──predictive──► forecast
//!                                     state_space: the recursion and its gradient ◄──┘
//! ```
//!
//! The forms are those that R's `forecast::ets` and statsforecast's `AutoETS` consider by default: no multiplicative trend,
//! no additive error with a multiplicative season, and multiplicative parts only for strictly positive data. Parameter
//! bounds are R's usual ones. Two things differ, and both only find the optimum sooner: the likelihood is minimised by a
//! quasi-Newton method with exact gradients instead of Nelder–Mead, and a row that is not scored moves the state forward
//! without an error and stays out of the likelihood.
//!
//! Source: Hyndman, Koehler, Ord, Snyder (2008), "Forecasting with exponential smoothing: the state space approach".
//!
//! Not here: the choice between forms (`auto_ets`).

mod fit;
mod form;
mod initial;
pub(crate) mod optimise;
mod spread;
mod state_space;

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

pub use form::{EtsError, EtsForm, EtsSeason, EtsTrend};
pub use state_space::Smoothing;

pub(crate) use fit::{Fitted, Fitter};

use crate::history::History;
use crate::naive;
use crate::predictive::Predictive;

/// Rows of the history that are learnt from, the newest ones: four years of days. Older rows weigh nothing in the last state.
pub(crate) const MAX_ROWS: usize = 1_500;
/// Longest season that gets states of its own, as in R.
pub(crate) const MAX_SEASON_LENGTH: usize = 24;
/// Longest run of rows after the last scored one that is stepped through; longer ones are cut by whole seasons.
const MAX_GAP: usize = 1_000;

/// Exponential smoothing of one given form.
///
/// # Errors
/// Its forecasts fail with [`FitError::TooShort`] for fewer scored rows than the form has parameters plus 2, or fewer than
/// two seasons, and with [`FitError::NotFinite`] where the form cannot be computed: multiplicative parts and data that are
/// not positive, or a season of more than 24 steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ets {
    /// Which error, trend and season.
    pub form: EtsForm,
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

/// What was estimated on one series, in the units of `y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EtsFit {
    /// Which error, trend and season.
    pub form: EtsForm,
    /// Smoothing parameters; 0 (`phi`: 1) where the form has none.
    pub smoothing: Smoothing,
    /// -2 log likelihood without its constant, as R's `ets` and statsforecast report it (there: -2 `loglik`).
    pub minus_two_log_likelihood: f64,
    /// Corrected Akaike criterion: smaller is better, comparable between forms on the same rows.
    pub aicc: f64,
    /// Estimated parameters: smoothing, initial states and the error variance.
    pub n_parameters: usize,
}

impl Ets {
    /// Estimates the form on a series, without forecasting.
    ///
    /// # Errors
    /// As the forecasts of [`Ets`].
    pub fn fit(&self, series: &SeriesView<'_>) -> Result<EtsFit, FitError> {
        let (_, fitter, fitted) = self.estimate(series)?;
        Ok(fitter.describe(&fitted))
    }

    fn estimate(&self, series: &SeriesView<'_>) -> Result<(History, Fitter, Fitted), FitError> {
        let history = History::read(series, self.name(), MAX_ROWS)?;
        let mut fitter = Fitter::new(&history, season_length(self.season_length, series));
        let not_finite = || FitError::NotFinite { series: series.id().clone(), model: self.name().to_owned() };
        fitter.check_rows(self.form).map_err(|needed| {
            let got = history.n_scored;
            if got >= needed {
                return not_finite();
            }
            FitError::TooShort { series: series.id().clone(), model: self.name().to_owned(), got, needed }
        })?;
        let fitted = fitter.fit(self.form, None).ok_or_else(not_finite)?;
        Ok((history, fitter, fitted))
    }
}

impl LocalForecaster for Ets {
    fn name(&self) -> &'static str {
        "ets"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let (history, fitter, fitted) = self.estimate(series)?;
        predict(&history, &fitter, &fitted, horizon, quantiles, series, self.name())
    }
}

/// Reads a series as every ETS model does.
pub(crate) fn read(series: &SeriesView<'_>, model: &str) -> Result<History, FitError> {
    History::read(series, model, MAX_ROWS)
}

/// Steps per season: the configured one, or the usual one of the panel's frequency.
pub(crate) fn season_length(configured: Option<SeasonLength>, series: &SeriesView<'_>) -> usize {
    configured.unwrap_or_else(|| series.freq().season_length()).steps()
}

/// Forecasts from the end of the history with an estimated form.
pub(crate) fn predict(
    history: &History,
    fitter: &Fitter,
    fitted: &Fitted,
    horizon: Horizon,
    quantiles: &[Quantile],
    series: &SeriesView<'_>,
    model: &str,
) -> Result<LocalForecast, FitError> {
    let (predictive, gap) = look_ahead(history, fitter, fitted, horizon);
    predictive.into_forecast(history, gap, quantiles, series.id(), model)
}

/// Mean and spread of the steps after the last scored row, and how many of them come before the first step to forecast.
pub(crate) fn look_ahead(history: &History, fitter: &Fitter, fitted: &Fitted, horizon: Horizon) -> (Predictive, usize) {
    let season_length = fitter.season_length();
    let excess = history.gap.saturating_sub(MAX_GAP);
    let gap = history.gap - excess.next_multiple_of(season_length).min(history.gap / season_length * season_length);
    (spread::predict(fitted, gap + horizon.steps()), gap)
}

/// Forecasts a series too short for any form, or constant, as `naive` does.
pub(crate) fn predict_naively(
    history: &History,
    horizon: Horizon,
    quantiles: &[Quantile],
    series: &SeriesView<'_>,
    model: &str,
) -> Result<LocalForecast, FitError> {
    let predictive: Predictive = naive::predict(history, history.gap + horizon.steps());
    predictive.into_forecast(history, history.gap, quantiles, series.id(), model)
}
