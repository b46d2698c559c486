//! ETS with the form chosen by AICc among those of R's `forecast::ets` ([`EtsForm::ALL`]).
//!
//! A form is considered if the history has two more scored rows than the form has parameters, and a seasonal one if the
//! season has 2 to 24 steps and two full seasons are scored. So a short series is fitted by simple smoothing, and one of
//! fewer than 5 scored rows, or of one value throughout, falls back to [`Naive`](crate::Naive). Only the newest 1,500 rows
//! are looked at.
//!
//! Not here: the forms themselves (`ets`).

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::ets::{self, EtsError, EtsFit, EtsForm, Fitter};
use crate::history::History;

/// Exponential smoothing, the form chosen by AICc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoEts {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

impl AutoEts {
    /// Chooses and estimates the form for a series, without forecasting. `None`: the series falls back to naive.
    ///
    /// # Errors
    /// [`FitError`] for a series without any finite scored row.
    pub fn select(&self, series: &SeriesView<'_>) -> Result<Option<EtsFit>, FitError> {
        let history = ets::read(series, self.name())?;
        let (fitter, fitted) = select(&history, ets::season_length(self.season_length, series), &EtsForm::ALL);
        Ok(fitted.map(|fitted| fitter.describe(&fitted)))
    }
}

impl LocalForecaster for AutoEts {
    fn name(&self) -> &'static str {
        "auto_ets"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = ets::read(series, self.name())?;
        let (fitter, fitted) = select(&history, ets::season_length(self.season_length, series), &EtsForm::ALL);
        match fitted {
            Some(fitted) => ets::predict(&history, &fitter, &fitted, horizon, quantiles, series, self.name()),
            None => ets::predict_naively(&history, horizon, quantiles, series, self.name()),
        }
    }
}

/// Estimates those of `forms` that the history allows and takes the one of least AICc; none for one value throughout.
pub(crate) fn select(history: &History, season_length: usize, forms: &[EtsForm]) -> (Fitter, Option<ets::Fitted>) {
    let mut fitter = Fitter::new(history, season_length);
    if history.is_constant() {
        return (fitter, None);
    }
    let mut best: Option<ets::Fitted> = None;
    let mut additive: Option<ets::Fitted> = None;
    for &form in forms {
        if (form.needs_positive() && !fitter.is_positive()) || fitter.check_rows(form).is_err() {
            continue;
        }
        // The recursion of a form does not depend on its error, so that the additive optimum is a good place to start.
        let like = additive.as_ref().filter(|like| like.form.trend == form.trend && like.form.season == form.season);
        let Some(fitted) = fitter.fit(form, like) else { continue };
        if best.as_ref().is_none_or(|best| fitted.aicc < best.aicc) {
            best = Some(fitted.clone());
        }
        if form.error == EtsError::Additive {
            additive = Some(fitted);
        }
    }
    (fitter, best)
}
