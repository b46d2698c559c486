//! The global LightGBM model: how the real library is given the training rows.

use almanac_model::{Abilities, FitError, FittedForecaster, Forecaster};
use almanac_series::{Horizon, Panel, Seed};

use crate::columns::directions;
use crate::config::{GlobalConfig, LightGbmConfig, Size};
use crate::fitted::Fitted;
use crate::global::{MORE_TREES, Trainer, Trees, abilities, failed, fit};
use crate::lightgbm::{Booster, Dataset, DatasetBuilder, LightGbmError, Params};
use crate::rows::{Draws, Source};
use crate::target::mean_loss;
use crate::{LoadError, Objective};

/// LightGBM over all series at once.
#[derive(Debug, Clone, Default)]
pub struct GlobalLightGbm {
    config: LightGbmConfig,
}

/// Rows in bins, and what belongs to each.
struct Rows {
    dataset: Dataset,
    labels: Vec<f32>,
    weights: Vec<f32>,
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

    fn params(&self, source: &Source<'_>, rows: usize, seed: u64) -> Params {
        let config = &self.config;
        let usual = Size::usual(rows);
        let mut params = Params::new(seed, source.threads)
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
        match source.target.objective {
            Objective::Tweedie { power } => params.with("objective", "tweedie").with("tweedie_variance_power", power),
            Objective::Poisson => params.with("objective", "poisson"),
            Objective::Absolute => params.with("objective", "regression_l1"),
            Objective::Quantile { probability } => params.with("objective", "quantile").with("alpha", probability),
            Objective::Auto | Objective::LogRatio | Objective::Ratio => params.with("objective", "regression"),
        }
    }

    fn usual_trees(&self, rows: usize) -> usize {
        self.config.trees.unwrap_or(Size::usual(rows).trees)
    }

    fn with_directions(&self, params: Params, source: &Source<'_>) -> Result<Params, FitError> {
        let directions = directions(Booster::MODEL, source.plan, &self.config.global.monotone, source.target.objective)?;
        let list: Vec<String> = directions.iter().map(ToString::to_string).collect();
        Ok(if list.is_empty() { params } else { params.with("monotone_constraints", list.join(",")) })
    }
}

/// Bins the rows. `reference`: the data set whose bins are taken.
fn binned(source: &Source<'_>, draws: &Draws, params: &Params, reference: Option<&Dataset>) -> Result<Rows, LightGbmError> {
    let mut builder = if let Some(reference) = reference {
        DatasetBuilder::like(reference, draws.len())?
    } else {
        let mut sample = Vec::new();
        draws.sample().for_each_block(source, |block| {
            sample.extend_from_slice(&block.rows);
            Ok::<(), LightGbmError>(())
        })?;
        let categorical: Vec<usize> =
            source.plan.row().enumerate().filter(|(_, feature)| feature.categorical).map(|(index, _)| index).collect();
        DatasetBuilder::new(&sample, source.plan.row().count(), draws.len(), &categorical, params)?
    };
    let (mut labels, mut weights) = (Vec::with_capacity(draws.len()), Vec::with_capacity(draws.len()));
    draws.for_each_block(source, |block| {
        labels.extend_from_slice(&block.labels);
        weights.extend_from_slice(&block.weights);
        builder.push(&block.rows)
    })?;
    let names: Vec<String> = source.plan.row().map(|feature| feature.name.clone()).collect();
    Ok(Rows { dataset: builder.finish(&labels, &weights, &names)?, labels, weights })
}

impl Trees for Booster {
    const MODEL: &'static str = "lightgbm";
    const VERSION: &'static str = "almanac-lightgbm-1";
    type Error = LightGbmError;

    fn to_text(&self) -> Result<String, LightGbmError> {
        Self::to_text(self)
    }

    fn from_text(text: &str) -> Result<Self, LightGbmError> {
        Self::from_text(text)
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

    fn learns_quantiles(&self) -> bool {
        true
    }

    fn best_rounds(
        &self,
        source: &Source<'_>,
        draws: &Draws,
        held_out: &Draws,
        patience: usize,
        seed: u64,
    ) -> Result<Option<usize>, FitError> {
        let params = self.with_directions(self.params(source, draws.len(), seed), source)?;
        let most = MORE_TREES * self.usual_trees(draws.len());
        let best = || {
            let dataset = binned(source, draws, &params, None)?.dataset;
            let held_out = binned(source, held_out, &params, Some(&dataset))?;
            let loss = |said: &[f64]| mean_loss(source.target.objective, &held_out.labels, &held_out.weights, said.iter().copied());
            Booster::best_rounds(&dataset, &held_out.dataset, most, patience, &params, loss)
        };
        best().map(Some).map_err(failed::<Booster>)
    }

    fn train(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Booster, FitError> {
        let params = self.with_directions(self.params(source, draws.len(), seed), source)?;
        let rounds = source.rounds.unwrap_or(self.usual_trees(draws.len()));
        let grow = || Booster::train(&binned(source, draws, &params, None)?.dataset, rounds, &params);
        grow().map_err(failed::<Booster>)
    }
}

impl Forecaster for GlobalLightGbm {
    fn name(&self) -> &str {
        Booster::MODEL
    }

    fn abilities(&self) -> Abilities {
        abilities(&self.config.global)
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        fit(self, train, horizon, seed)
    }
}
