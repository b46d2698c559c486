//! [`Prophet`] as a model of panels: series by series, in parallel, the error of each kept apart.

use almanac_features::Country;
use almanac_model::{Abilities, FitError, FittedForecaster, Forecast, ForecastSpan, Forecaster, PredictError, Skipped};
use almanac_series::{Hint, Horizon, Panel, Quantile, Seed};
use rayon::prelude::*;

use crate::clock::Clock;
use crate::series::{self, NAME, Setting};
use crate::terms::KnownColumn;
use crate::{Growth, Prophet, ProphetFit};

impl Prophet {
    /// Estimates the `index`-th series of a panel, without forecasting.
    ///
    /// # Errors
    /// As the forecasts of [`Prophet`].
    pub fn fit_series(&self, panel: &Panel, index: usize) -> Result<ProphetFit, FitError> {
        let library = |message: String| FitError::Library { model: NAME.into(), message };
        let country = self.check().map_err(library)?;
        let setting = self.setting(country.as_ref(), panel).map_err(library)?;
        series::fit(&setting, &panel.view(index))
    }

    /// Checks the settings and finds the country; the error is a sentence.
    fn check(&self) -> Result<Option<Country>, String> {
        for (name, scale) in [
            ("changepoint_prior_scale", self.changepoint_prior_scale),
            ("seasonality_prior_scale", self.seasonality_prior_scale),
            ("holidays_prior_scale", self.holidays_prior_scale),
        ] {
            if !(scale.is_finite() && scale > 0.0) {
                return Err(format!("`{name}` is {scale}, which is not above 0"));
            }
        }
        if let Growth::Logistic { cap, floor } = self.growth
            && !(cap > floor && (cap - floor).is_finite())
        {
            return Err(format!("the cap {cap} of logistic growth is not above its floor {floor}"));
        }
        self.country.as_deref().map(Country::find).transpose().map_err(|error| {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("{error}{hint}")
        })
    }

    fn setting<'a>(&'a self, country: Option<&'a Country>, panel: &Panel) -> Result<Setting<'a>, String> {
        let is_wanted = |(_, name): &(usize, &str)| self.regressors && !self.left_out.iter().any(|left_out| left_out == name);
        let wanted = panel.future_names().enumerate().filter(is_wanted);
        let columns = wanted.map(|(column, _)| KnownColumn { column, is_text: !panel.future_categories(column).is_empty() });
        Ok(Setting { model: self, country, clock: Clock::new(panel)?, columns: columns.collect() })
    }
}

impl Forecaster for Prophet {
    fn name(&self) -> &'static str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { global: false, exog: true, quantiles: true }
    }

    fn fit(&self, _train: &Panel, _horizon: Horizon, _seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        let country = self.check().map_err(|message| FitError::Library { model: NAME.into(), message })?;
        Ok(Box::new(FittedProphet { model: self.clone(), country }))
    }
}

/// Settings that were checked. Series are estimated where they are forecast, on the newest history there is.
#[derive(Debug)]
struct FittedProphet {
    model: Prophet,
    country: Option<Country>,
}

impl FittedForecaster for FittedProphet {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict(&self, context: &Panel, horizon: Horizon, quantiles: &[Quantile]) -> Result<Forecast, PredictError> {
        let library = |message: String| PredictError::Library { model: NAME.into(), message };
        let setting = self.model.setting(self.country.as_ref(), context).map_err(library)?;
        let results: Vec<_> = (0..context.n_series())
            .into_par_iter()
            .map(|index| series::forecast(&setting, &context.view(index), horizon, quantiles))
            .collect();
        let mut forecast = Forecast::empty(NAME, context.freq(), horizon, quantiles);
        for (span, result) in context.series().iter().zip(results) {
            match result {
                Ok(one) => {
                    let to = ForecastSpan { id: span.id.clone(), cutoff: span.cutoff() };
                    forecast.push(to, &one.mean, &one.quantile_values);
                }
                Err(reason) => forecast.skipped.push(Skipped { series: span.id.clone(), reason }),
            }
        }
        Ok(forecast)
    }

    fn state(&self) -> String {
        String::new()
    }
}
