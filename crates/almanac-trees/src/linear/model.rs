//! The global linear models.

use std::marker::PhantomData;

use almanac_model::{Abilities, FitError, FittedForecaster, Forecaster};
use almanac_series::{Horizon, Panel, Seed};

use super::config::{LinearConfig, LinearMethod};
use super::fit::{ElasticNet, Fitter, Hurdle, Kind, Lasso, Linear, Ridge};
use crate::fitted::Fitted;
use crate::global::{ABILITIES, fit};
use crate::{LoadError, Objective};

/// One line over all series at once.
#[derive(Debug, Clone)]
pub struct GlobalLinear {
    method: LinearMethod,
    config: LinearConfig,
}

impl GlobalLinear {
    /// Configures the model.
    pub fn new(method: LinearMethod, config: LinearConfig) -> Self {
        Self { method, config }
    }

    /// Reads back what [`FittedForecaster::state`] gave.
    ///
    /// # Errors
    /// [`LoadError`] if the text is not such a state.
    pub fn load(method: LinearMethod, state: &str) -> Result<Box<dyn FittedForecaster>, LoadError> {
        Ok(match method {
            LinearMethod::Ridge => Box::new(Fitted::<Linear<Ridge>>::load(state)?),
            LinearMethod::Lasso => Box::new(Fitted::<Linear<Lasso>>::load(state)?),
            LinearMethod::ElasticNet => Box::new(Fitted::<Linear<ElasticNet>>::load(state)?),
            LinearMethod::Hurdle => Box::new(Fitted::<Linear<Hurdle>>::load(state)?),
        })
    }

    fn fit_as<K: Kind>(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        let mut config = self.config.clone();
        config.global.objective = match config.global.objective {
            // Zeros and all: how much is sold where anything is shows in the ratio alone.
            _ if self.method == LinearMethod::Hurdle => Objective::Tweedie { power: 1.0 },
            Objective::Auto if train.views().any(|view| view.scored().any(|(_, y)| y <= 0.0)) => Objective::Ratio,
            Objective::Auto => Objective::LogRatio,
            Objective::LogRatio => Objective::LogRatio,
            _ => Objective::Ratio,
        };
        fit(&Fitter::<K> { config: &config, kind: PhantomData }, train, horizon, seed)
    }
}

impl Forecaster for GlobalLinear {
    fn name(&self) -> &str {
        self.method.name()
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        match self.method {
            LinearMethod::Ridge => self.fit_as::<Ridge>(train, horizon, seed),
            LinearMethod::Lasso => self.fit_as::<Lasso>(train, horizon, seed),
            LinearMethod::ElasticNet => self.fit_as::<ElasticNet>(train, horizon, seed),
            LinearMethod::Hurdle => self.fit_as::<Hurdle>(train, horizon, seed),
        }
    }
}
