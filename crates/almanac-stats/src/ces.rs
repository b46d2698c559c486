//! Complex exponential smoothing: a level and what is not seen behind it, as the two parts of a complex number.
//!
//! ```text
//!   error      = y - level - season
//!   level'     = level - (1 - α₁) potential + (α₀ - α₁) error
//!   potential' = level + (1 - α₀) potential + (α₀ + α₁) error
//! ```
//!
//! | form | season |
//! |---|---|
//! | none | none |
//! | simple | level and potential are those of one season ago: each place goes its own way |
//! | partial | a figure per place that is added, `figure' = figure + β error` |
//! | full | a complex number per place that is added and goes on as level and potential do, with `β₀` and `β₁` |
//!
//! The smoothing makes the squared one-step errors least; the first states are found by going over the rows forwards,
//! backwards and forwards again, so that they are no parameters. Intervals are normal, the variance of step `h` that of the
//! errors times the squared weights with which they are still felt.
//!
//! The squared errors have several minima and are searched from two starts, with exact derivatives; statsforecast searches
//! from one, without, so that ours are as small or smaller.
//!
//! A row that is not scored moves the states on without an error. Only the newest 2,000 rows are looked at.
//!
//! Source: Svetunkov, Kourentzes, Ord (2022), "Complex exponential smoothing"; bounds, first states and the number of
//! parameters in the criterion are those of statsforecast's `AutoCES`, which counts a state per component and not per place.
//!
//! Not here: the choice between forms (`auto_ces`).

mod fit;
mod least_squares;
mod recursion;
mod spread;

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

pub(crate) use fit::{Fitted, Fitter};

use crate::history::History;
use crate::naive;

/// Rows of the history that are learnt from, the newest ones: five years of days.
const MAX_ROWS: usize = 2_000;

/// Which season complex exponential smoothing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CesForm {
    /// No season.
    #[default]
    None,
    /// Each place in the season is smoothed by itself.
    Simple,
    /// A level, and a figure per place that is added to it.
    Partial,
    /// A level, and a complex number per place that is added to it.
    Full,
}

impl CesForm {
    /// All forms, simplest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Simple, Self::Partial, Self::Full];

    /// Smoothing parameters.
    pub(crate) fn n_smoothing(self) -> usize {
        match self {
            Self::None | Self::Simple => 2,
            Self::Partial => 3,
            Self::Full => 4,
        }
    }

    /// Parameters that the criterion counts: the components of the state and the variance.
    pub(crate) fn n_parameters(self) -> usize {
        self.n_smoothing() + 1
    }
}

/// Complex exponential smoothing of one given form.
///
/// # Errors
/// Its forecasts fail with [`FitError::TooShort`] for fewer scored rows than the form has parameters plus 3, or fewer than two
/// seasons of them, and with [`FitError::NotFinite`] where states or forecasts leave the range of `f64`, or where a place in
/// the season was never scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ces {
    /// Which season.
    pub form: CesForm,
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

/// What was estimated on one series, in the units of `y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CesFit {
    /// Which season.
    pub form: CesForm,
    /// `α₀` and `α₁`.
    pub alpha: [f64; 2],
    /// `β₀` and `β₁` of the season; 0 where the form has none.
    pub beta: [f64; 2],
    /// -2 log likelihood without its constant, as statsforecast reports it (there: -2 `loglik`).
    pub minus_two_log_likelihood: f64,
    /// Corrected Akaike criterion: smaller is better, comparable between forms on the same rows.
    pub aicc: f64,
}

impl Ces {
    /// Estimates the form on a series, without forecasting.
    ///
    /// # Errors
    /// As the forecasts of [`Ces`].
    pub fn fit(&self, series: &SeriesView<'_>) -> Result<CesFit, FitError> {
        let (_, fitted) = self.estimate(series)?;
        Ok(fitted.describe())
    }

    fn estimate(&self, series: &SeriesView<'_>) -> Result<(History, Fitted), FitError> {
        let history = read(series, self.name())?;
        let fitter = Fitter::new(&history, season_length(self.season_length, series));
        let needed = fitter.needed_rows(self.form);
        if history.n_scored < needed {
            return Err(FitError::TooShort { series: series.id().clone(), model: self.name().to_owned(), got: history.n_scored, needed });
        }
        let not_finite = || FitError::NotFinite { series: series.id().clone(), model: self.name().to_owned() };
        let fitted = fitter.fit(self.form).ok_or_else(not_finite)?;
        Ok((history, fitted))
    }
}

impl LocalForecaster for Ces {
    fn name(&self) -> &'static str {
        "ces"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let (history, fitted) = self.estimate(series)?;
        predict(&history, Some(&fitted), horizon, quantiles, series, self.name())
    }
}

/// Reads a series as every model of complex smoothing does.
pub(crate) fn read(series: &SeriesView<'_>, model: &str) -> Result<History, FitError> {
    History::read(series, model, MAX_ROWS)
}

/// Steps per season: the configured one, or the usual one of the panel's frequency.
pub(crate) fn season_length(configured: Option<SeasonLength>, series: &SeriesView<'_>) -> usize {
    configured.unwrap_or_else(|| series.freq().season_length()).steps()
}

/// Forecasts from the end of the history with an estimated form, or as `naive` does.
pub(crate) fn predict(
    history: &History,
    fitted: Option<&Fitted>,
    horizon: Horizon,
    quantiles: &[Quantile],
    series: &SeriesView<'_>,
    model: &str,
) -> Result<LocalForecast, FitError> {
    let steps = history.gap + horizon.steps();
    let predictive = match fitted {
        Some(fitted) => spread::predict(fitted, steps),
        None => naive::predict(history, steps),
    };
    predictive.into_forecast(history, history.gap, quantiles, series.id(), model)
}
