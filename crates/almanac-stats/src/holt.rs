//! Holt's linear trend: a level and a slope, both smoothed; [`Ets`](crate::Ets) of the one form ETS(A,A,N).
//!
//! Not damped, as in the book; statsforecast's `Holt` also tries ETS(A,Ad,N). Missing rows move the level along the slope and
//! teach nothing. A history of fewer than 7 scored rows is forecast by [`Ses`](crate::Ses), one value throughout as by
//! [`Naive`](crate::Naive). Only the newest 1,500 rows are looked at.
//!
//! Source: Holt (1957); FPP3, section 8.2.

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::ets::{self, EtsError, EtsForm, EtsSeason, EtsTrend};
use crate::history::History;
use crate::{auto_ets, ses};

const FORM: EtsForm = EtsForm::new(EtsError::Additive, EtsTrend::Additive, EtsSeason::None);

/// Holt's linear trend, ETS(A,A,N).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holt;

impl LocalForecaster for Holt {
    fn name(&self) -> &'static str {
        "holt"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        let history = ets::read(series, self.name())?;
        forecast(&history, series, horizon, quantiles, self.name())
    }
}

/// Forecasts from the end of a history.
pub(crate) fn forecast(
    history: &History,
    series: &SeriesView<'_>,
    horizon: Horizon,
    quantiles: &[Quantile],
    model: &str,
) -> Result<LocalForecast, FitError> {
    let (fitter, fitted) = auto_ets::select(history, 1, &[FORM]);
    if let Some(fitted) = fitted {
        return ets::predict(history, &fitter, &fitted, horizon, quantiles, series, model);
    }
    let predictive = ses::predict(history, history.gap + horizon.steps());
    predictive.into_forecast(history, history.gap, quantiles, series.id(), model)
}
