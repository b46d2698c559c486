//! Theta models: simple smoothing pulled along a straight line, in four forms.
//!
//! ```text
//!   forecast of row t = level + (1 - 1/θ) (intercept · (1 - α)^(t-1) + slope · (1 - (1 - α)^t) / α)
//!   level             = level + α (y - level)
//! ```
//!
//! | form | line | `θ` |
//! |---|---|---|
//! | standard | through all rows | 2 |
//! | optimized | through all rows | estimated |
//! | dynamic | through the rows so far | 2 |
//! | dynamic optimized | through the rows so far | estimated |
//!
//! `α`, `θ` and the initial level make the squared one-step errors least, those of the first three rows not counted. A season
//! of four steps or more is first tested for and divided out, or taken off where a value is not positive or a figure is below
//! 0.01 (`season`); the quantiles are normal, exact for the values without season.
//!
//! A row that is not scored is passed over by the lines, and the level takes the forecast for it. Fewer than 8 scored rows, or
//! one value throughout, are forecast as by [`Naive`](crate::Naive). Only the newest 10,000 rows are looked at.
//!
//! Source: Fiorucci, Pellegrini, Louzada, Petropoulos, Koehler (2016), "Models for optimising the theta method and their
//! relationship to state space models"; bounds and the choices the paper leaves open are those of statsforecast's `AutoTheta`.
//!
//! Not here: the choice between forms (`auto_theta`).

mod fit;
mod lanes;
mod line;
mod spread;

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::history::History;
use crate::naive;
use crate::predictive::Predictive;
use crate::season::{self, Season};
use fit::Estimate;

/// Rows of the history that are learnt from, the newest ones.
const MAX_ROWS: usize = 10_000;
/// Scored rows below which nothing is estimated.
const MIN_SCORED: usize = 8;
/// Shortest season that is tested for.
const MIN_SEASON_LENGTH: usize = 4;
/// Smallest figure that values are divided by.
const SMALLEST_FACTOR: f64 = 0.01;

/// Which line, and whether its weight is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThetaForm {
    /// Line through all rows, `θ` of 2: the theta method of the M3 competition but for the estimated initial level.
    #[default]
    Standard,
    /// Line through all rows, `θ` estimated.
    Optimized,
    /// Line through the rows so far, `θ` of 2.
    Dynamic,
    /// Line through the rows so far, `θ` estimated.
    DynamicOptimized,
}

impl ThetaForm {
    /// All forms, simplest first.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Optimized, Self::Dynamic, Self::DynamicOptimized];

    pub(crate) fn is_dynamic(self) -> bool {
        matches!(self, Self::Dynamic | Self::DynamicOptimized)
    }

    pub(crate) fn is_optimized(self) -> bool {
        matches!(self, Self::Optimized | Self::DynamicOptimized)
    }
}

/// A theta model of one given form. Its name is that of the form: `theta`, `optimized_theta`, `dynamic_theta`,
/// `dynamic_optimized_theta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Theta {
    /// Which line, and whether its weight is estimated.
    pub form: ThetaForm,
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

/// What was estimated on one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThetaFit {
    /// Which line, and whether its weight is estimated.
    pub form: ThetaForm,
    /// Smoothing of the level, 0.1 to 0.99.
    pub alpha: f64,
    /// From 1, simple smoothing, to 10^10, where the line counts fully.
    pub theta: f64,
    /// Level before the first row, in the units of `y` without season.
    pub initial_level: f64,
    /// Mean squared one-step error after the third scored row, in the squared units of `y` without season.
    pub mse: f64,
    /// Whether a season was found and divided out (`Some(true)`) or taken off.
    pub multiplicative_season: Option<bool>,
}

impl Theta {
    /// Estimates the form on a series, without forecasting. `None`: the series falls back to naive.
    ///
    /// # Errors
    /// [`FitError`] for a series without any scored row or with an infinite value.
    pub fn fit(&self, series: &SeriesView<'_>) -> Result<Option<ThetaFit>, FitError> {
        select(series, self.season_length, &[self.form], self.name())
    }
}

impl LocalForecaster for Theta {
    fn name(&self) -> &'static str {
        match self.form {
            ThetaForm::Standard => "theta",
            ThetaForm::Optimized => "optimized_theta",
            ThetaForm::Dynamic => "dynamic_theta",
            ThetaForm::DynamicOptimized => "dynamic_optimized_theta",
        }
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        forecast(series, self.season_length, &[self.form], horizon, quantiles, self.name())
    }
}

/// Estimates the forms and describes the one with the least squares; `None` where the series falls back to naive.
pub(crate) fn select(
    series: &SeriesView<'_>,
    season_length: Option<SeasonLength>,
    forms: &[ThetaForm],
    model: &str,
) -> Result<Option<ThetaFit>, FitError> {
    let history = History::read(series, model, MAX_ROWS)?;
    Ok(Fitted::best(&history, steps_per_season(season_length, series), forms).map(|fitted| fitted.describe(history.scale)))
}

/// Forecasts with the form of the least squares.
pub(crate) fn forecast(
    series: &SeriesView<'_>,
    season_length: Option<SeasonLength>,
    forms: &[ThetaForm],
    horizon: Horizon,
    quantiles: &[Quantile],
    model: &str,
) -> Result<LocalForecast, FitError> {
    let history = History::read(series, model, MAX_ROWS)?;
    let steps = history.gap + horizon.steps();
    let predictive = match Fitted::best(&history, steps_per_season(season_length, series), forms) {
        Some(fitted) => fitted.predict(history.values.len(), steps),
        None => naive::predict(&history, steps),
    };
    predictive.into_forecast(&history, history.gap, quantiles, series.id(), model)
}

fn steps_per_season(configured: Option<SeasonLength>, series: &SeriesView<'_>) -> usize {
    configured.unwrap_or_else(|| series.freq().season_length()).steps()
}

/// An estimated form with the season that was removed before, in the units of the history.
struct Fitted {
    form: ThetaForm,
    estimate: Estimate,
    season: Option<Season>,
}

impl Fitted {
    /// Returns the form with the least mean squared error, the first of equals; `None` for short and constant histories.
    fn best(history: &History, season_length: usize, forms: &[ThetaForm]) -> Option<Self> {
        if history.n_scored < MIN_SCORED || history.is_constant() {
            return None;
        }
        let season = if season_length >= MIN_SEASON_LENGTH && season::is_seasonal(history, season_length) {
            figures(history, season_length)
        } else {
            None
        };
        let mut y = history.values.clone();
        if let Some(season) = &season {
            y.iter_mut().enumerate().for_each(|(row, y)| *y = season.remove(row, *y));
        }
        let estimates = forms.iter().map(|form| (*form, fit::fit(&y, *form)));
        let (form, estimate) = estimates.min_by(|(_, a), (_, b)| a.mse().total_cmp(&b.mse()))?;
        Some(Self { form, estimate, season })
    }

    fn describe(&self, scale: f64) -> ThetaFit {
        ThetaFit {
            form: self.form,
            alpha: self.estimate.alpha,
            theta: 1.0 / (1.0 - self.estimate.weight),
            initial_level: self.estimate.initial_level * scale,
            mse: self.estimate.mse() * scale * scale,
            multiplicative_season: self.season.as_ref().map(|season| season.is_multiplicative),
        }
    }

    /// Forecasts `steps` steps after the last scored row. `rows`: those of the history.
    fn predict(&self, rows: usize, steps: usize) -> Predictive {
        let mut predictive = spread::predict(&self.estimate, rows, steps);
        if let Some(season) = &self.season {
            for (step, (mean, sd)) in predictive.mean.iter_mut().zip(&mut predictive.sd).enumerate() {
                (*mean, *sd) = season.restore(rows + step, *mean, *sd);
            }
        }
        predictive
    }
}

/// Factors where all values are positive and none is nearly nothing, else what adds up to nothing.
fn figures(history: &History, season_length: usize) -> Option<Season> {
    let is_positive = history.scored().all(|(_, y)| y > 0.0);
    let factors = if is_positive { Season::classical(history, season_length, true) } else { None };
    let factors = factors.filter(|season| season.figures.iter().all(|figure| *figure >= SMALLEST_FACTOR));
    factors.or_else(|| Season::classical(history, season_length, false))
}

#[cfg(test)]
mod tests;
