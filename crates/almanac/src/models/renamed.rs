//! One model under another name: the same code with other settings, as a member of its own.

use almanac_model::{Abilities, FitError, FittedForecaster, Forecast, Forecaster, PredictError};
use almanac_series::{Horizon, Panel, Quantile, Seed};

/// A model, fitted or not, and the name it goes by.
#[derive(Debug)]
pub(super) struct Renamed<M> {
    pub(super) name: &'static str,
    pub(super) model: M,
}

impl<M: Forecaster> Forecaster for Renamed<M> {
    fn name(&self) -> &str {
        self.name
    }

    fn abilities(&self) -> Abilities {
        self.model.abilities()
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        Ok(Box::new(Renamed { name: self.name, model: self.model.fit(train, horizon, seed)? }))
    }
}

impl FittedForecaster for Renamed<Box<dyn FittedForecaster>> {
    fn name(&self) -> &str {
        self.name
    }

    fn predict(&self, context: &Panel, horizon: Horizon, quantiles: &[Quantile]) -> Result<Forecast, PredictError> {
        let mut forecast = self.model.predict(context, horizon, quantiles)?;
        self.name.clone_into(&mut forecast.model);
        Ok(forecast)
    }

    fn state(&self) -> String {
        self.model.state()
    }
}
