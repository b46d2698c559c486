//! Complex exponential smoothing with the form chosen by AICc among the four of [`CesForm`].
//!
//! A form is considered if the history has three more scored rows than the criterion counts parameters, and one with a season
//! if two full seasons are scored and every place in it. So fewer than 6 scored rows, one value throughout, or values for
//! which no form can be computed fall back to [`Naive`](crate::Naive). Missing rows and sources are those of the forms (`ces`).

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeasonLength, SeriesView};

use crate::ces::{self, CesFit, CesForm, Fitted, Fitter};
use crate::history::History;

/// Complex exponential smoothing, the form chosen by AICc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoCes {
    /// Steps per season; `None` takes the usual one of the panel's frequency.
    pub season_length: Option<SeasonLength>,
}

impl AutoCes {
    /// Chooses and estimates the form for a series, without forecasting. `None`: the series falls back to naive.
    ///
    /// # Errors
    /// [`FitError`] for a series without any scored row or with an infinite value.
    pub fn select(&self, series: &SeriesView<'_>) -> Result<Option<CesFit>, FitError> {
        let history = ces::read(series, self.name())?;
        Ok(select(&history, ces::season_length(self.season_length, series)).map(|fitted| fitted.describe()))
    }
}

impl LocalForecaster for AutoCes {
    fn name(&self) -> &'static str {
        "auto_ces"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = ces::read(series, self.name())?;
        let fitted = select(&history, ces::season_length(self.season_length, series));
        ces::predict(&history, fitted.as_ref(), horizon, quantiles, series, self.name())
    }
}

fn select(history: &History, season_length: usize) -> Option<Fitted> {
    if history.is_constant() {
        return None;
    }
    let fitter = Fitter::new(history, season_length);
    let forms = CesForm::ALL.into_iter().filter(|form| history.n_scored >= fitter.needed_rows(*form));
    forms.filter_map(|form| fitter.fit(form)).min_by(|a, b| a.aicc.total_cmp(&b.aicc))
}
