//! The global LightGBM model: direct forecasts, one model for all series and steps.
//!
//! Each training row targets period `t` from an origin `o = t - s`; its features are what was known at `o`, what is known of
//! `t`, and the values of the same season seen from `o`. So no forecast feeds on a forecast.

use almanac_features::{Calendar, FeaturePlan, FeatureSpec, PlanError};
use almanac_model::{Abilities, FitError, FittedForecaster, Forecaster};
use almanac_series::{Hint, Horizon, Panel, Seed};

use crate::config::LightGbmConfig;
use crate::fitted::FittedLightGbm;
use crate::lightgbm::{Booster, DatasetBuilder, LightGbmError, Params};
use crate::rows::{Draws, Source};
use crate::target::Target;
use crate::{LoadError, Objective};

pub(crate) const NAME: &str = "lightgbm";

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
        Ok(Box::new(FittedLightGbm::load(state)?))
    }

    fn spec(&self, train: &Panel, horizon: Horizon) -> FeatureSpec {
        let config = &self.config;
        let mut spec = config.features.clone().unwrap_or_else(|| {
            let mut spec = FeatureSpec::for_freq(train.freq(), horizon);
            if let Some(season) = config.season_length {
                spec = spec.with_season(season);
            }
            spec
        });
        spec.horizon = horizon.steps();
        spec.country = config.country.clone().or(spec.country);
        spec.categorical_future.extend(config.categorical_future.iter().cloned());
        spec
    }

    fn train_one(&self, source: &Source<'_>, draws: &Draws, columns: usize, seed: u64) -> Result<Booster, LightGbmError> {
        let size = self.config.size(draws.len());
        let mut params = Params::new(seed, self.config.num_threads)
            .with("max_bin", self.config.max_bin)
            .with("num_leaves", size.num_leaves)
            .with("learning_rate", size.learning_rate)
            .with("min_data_in_leaf", size.min_data_in_leaf)
            .with("feature_fraction", self.config.feature_fraction)
            .with("lambda_l2", self.config.lambda_l2)
            .with("max_cat_threshold", 16)
            .with("cat_smooth", 20);
        if self.config.bagging_fraction < 1.0 {
            params = params.with("bagging_fraction", self.config.bagging_fraction).with("bagging_freq", 1);
        }
        for (key, value) in source.target.params() {
            params = params.with(key, value);
        }
        let mut sample = Vec::new();
        draws.sample().for_each_block(source, |block| {
            sample.extend_from_slice(&block.rows);
            Ok::<(), LightGbmError>(())
        })?;
        let categorical: Vec<usize> =
            source.plan.row().enumerate().filter(|(_, feature)| feature.categorical).map(|(index, _)| index).collect();
        let mut builder = DatasetBuilder::new(&sample, columns, draws.len(), &categorical, &params)?;
        drop(sample);
        let (mut labels, mut weights) = (Vec::with_capacity(draws.len()), Vec::with_capacity(draws.len()));
        draws.for_each_block(source, |block| {
            labels.extend_from_slice(&block.labels);
            weights.extend_from_slice(&block.weights);
            builder.push(&block.rows)
        })?;
        let names: Vec<String> = source.plan.row().map(|feature| feature.name.clone()).collect();
        let dataset = builder.finish(&labels, &weights, &names)?;
        Booster::train(&dataset, size.trees, &params)
    }
}

fn library(error: LightGbmError) -> FitError {
    FitError::Library { model: NAME.into(), message: error.to_string() }
}

fn plan_failed(error: PlanError) -> FitError {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    FitError::Library { model: NAME.into(), message: format!("{error}{hint}") }
}

impl Forecaster for GlobalLightGbm {
    fn name(&self) -> &str {
        NAME
    }

    fn abilities(&self) -> Abilities {
        Abilities { global: true, exog: true, quantiles: false }
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        let plan = FeaturePlan::new(train, self.spec(train, horizon)).map_err(plan_failed)?;
        let binding = plan.bind(train);
        let calendar = Calendar::new(train, &plan).map_err(plan_failed)?;
        let columns = plan.row().count();
        let mut target = Target::new(self.config.objective, train);
        let min_history = plan.spec().season_lengths.first().copied().unwrap_or(4).clamp(2, 8);
        let mut boosters = Vec::new();
        let (mut actual, mut said) = (0.0, 0.0);
        let mut member = 0_u64;
        loop {
            let seed = seed.0.wrapping_add(member.wrapping_mul(0x9e37_79b9));
            let draws = Draws::new(train, horizon.steps(), min_history, self.config.max_train_rows, seed);
            if draws.len() == 0 {
                return Err(FitError::NothingToFit { model: NAME.into(), n_series: train.n_series() });
            }
            let source = Source { panel: train, plan: &plan, binding: &binding, calendar: &calendar, target: &target };
            let booster = self.train_one(&source, &draws, columns, seed).map_err(library)?;
            if target.objective == Objective::LogRatio {
                // How far the exponential of a mean logarithm falls short of the mean.
                draws.sample().for_each_block(&source, |block| {
                    for (raw, label) in booster.predict(&block.rows).map_err(library)?.iter().zip(&block.labels) {
                        said += raw.exp();
                        actual += f64::from(*label).exp();
                    }
                    Ok::<(), FitError>(())
                })?;
            }
            boosters.push(booster);
            member += 1;
            if member >= self.config.size(draws.len()).bag as u64 {
                break;
            }
        }
        if said > 0.0 {
            target.correction = (actual / said).clamp(0.8, 1.25);
        }
        Ok(Box::new(FittedLightGbm::new(plan, target, boosters).map_err(library)?))
    }
}
