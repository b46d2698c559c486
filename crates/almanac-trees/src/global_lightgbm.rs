//! The global LightGBM model: how the real library is given the training rows.

use almanac_model::{Abilities, FitError, FittedForecaster, Forecaster};
use almanac_series::{Horizon, Panel, Seed};

use crate::config::{GlobalConfig, LightGbmConfig, Size};
use crate::fitted::Fitted;
use crate::global::{ABILITIES, Trainer, Trees, failed, fit};
use crate::lightgbm::{Booster, DatasetBuilder, LightGbmError, Params};
use crate::rows::{Draws, Source};
use crate::{LoadError, Objective};

/// LightGBM over all series at once.
#[derive(Debug, Clone, Default)]
pub struct GlobalLightGbm {
    config: LightGbmConfig,
}

impl GlobalLightGbm {
    /// Configures the model.
    pub fn new(config: LightGbmConfig) -> Self {
        Self { config }
    }

    /// Reads back what [`FittedForecaster::state`] gave.
    ///
    /// # Errors
    /// [`LoadError`] if the text is not such a state.
    pub fn load(state: &str) -> Result<Box<dyn FittedForecaster>, LoadError> {
        Ok(Box::new(Fitted::<Booster>::load(state)?))
    }

    fn params(&self, objective: Objective, rows: usize, seed: u64) -> Params {
        let config = &self.config;
        let usual = Size::usual(rows);
        let mut params = Params::new(seed, config.global.num_threads)
            .with("max_bin", config.max_bin)
            .with("num_leaves", config.num_leaves.unwrap_or(usual.leaves).max(2))
            .with("learning_rate", config.learning_rate.unwrap_or(usual.learning_rate))
            .with("min_data_in_leaf", config.min_data_in_leaf.unwrap_or(usual.rows_per_leaf))
            .with("feature_fraction", config.feature_fraction)
            .with("lambda_l2", config.lambda_l2)
            .with("max_cat_threshold", 16)
            .with("cat_smooth", 20);
        if config.bagging_fraction < 1.0 {
            params = params.with("bagging_fraction", config.bagging_fraction).with("bagging_freq", 1);
        }
        match objective {
            Objective::Tweedie { power } => params.with("objective", "tweedie").with("tweedie_variance_power", power),
            _ => params.with("objective", "regression"),
        }
    }

    fn grow(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Booster, LightGbmError> {
        let params = self.params(source.target.objective, draws.len(), seed);
        let mut sample = Vec::new();
        draws.sample().for_each_block(source, |block| {
            sample.extend_from_slice(&block.rows);
            Ok::<(), LightGbmError>(())
        })?;
        let categorical: Vec<usize> =
            source.plan.row().enumerate().filter(|(_, feature)| feature.categorical).map(|(index, _)| index).collect();
        let mut builder = DatasetBuilder::new(&sample, source.plan.row().count(), draws.len(), &categorical, &params)?;
        drop(sample);
        let (mut labels, mut weights) = (Vec::with_capacity(draws.len()), Vec::with_capacity(draws.len()));
        draws.for_each_block(source, |block| {
            labels.extend_from_slice(&block.labels);
            weights.extend_from_slice(&block.weights);
            builder.push(&block.rows)
        })?;
        let names: Vec<String> = source.plan.row().map(|feature| feature.name.clone()).collect();
        let dataset = builder.finish(&labels, &weights, &names)?;
        Booster::train(&dataset, self.config.trees.unwrap_or(Size::usual(draws.len()).trees), &params)
    }
}

impl Trees for Booster {
    const MODEL: &'static str = "lightgbm";
    const VERSION: &'static str = "almanac-lightgbm-1";
    type Error = LightGbmError;

    fn to_text(&self) -> Result<String, LightGbmError> {
        Self::to_text(self)
    }

    fn from_text(text: &str) -> Result<Self, LightGbmError> {
        Self::from_text(text, 0)
    }

    fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, LightGbmError> {
        Self::predict(self, rows)
    }
}

impl Trainer for GlobalLightGbm {
    type Trees = Booster;

    fn config(&self) -> &GlobalConfig {
        &self.config.global
    }

    fn train(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Booster, FitError> {
        self.grow(source, draws, seed).map_err(failed::<Booster>)
    }
}

impl Forecaster for GlobalLightGbm {
    fn name(&self) -> &str {
        Booster::MODEL
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        fit(self, train, horizon, seed)
    }
}
