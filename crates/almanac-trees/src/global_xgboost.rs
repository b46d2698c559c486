//! The global XGBoost model: how the real library is given the training rows. Forecasting needs no library.

use std::fmt::Display;

use almanac_model::{Abilities, FitError, FittedForecaster, Forecaster};
use almanac_series::{Hint, Horizon, Panel, Seed};

use crate::columns::directions;
use crate::config::{GlobalConfig, Size, XgBoostConfig};
use crate::fitted::Fitted;
use crate::global::{MORE_TREES, Trainer, Trees, abilities, fit};
use crate::rows::{Draws, Source, mix};
use crate::target::mean_loss;
use crate::xgboost::{Booster, Dataset, Ensemble, Library, Loss, XgBoostError};
use crate::{LoadError, Objective};

/// The deviance is of positive predictions, and training starts from the mean label.
const LEAST_MEAN: f64 = 1e-6;

/// XGBoost over all series at once.
#[derive(Debug, Clone, Default)]
pub struct GlobalXgBoost {
    config: XgBoostConfig,
}

/// Rows in bins, and what belongs to each.
struct Rows<'l> {
    dataset: Dataset<'l>,
    labels: Vec<f32>,
    weights: Vec<f32>,
}

impl GlobalXgBoost {
    /// Configures the model.
    pub fn new(config: XgBoostConfig) -> Self {
        Self { config }
    }

    /// Reads back what [`FittedForecaster::state`] gave.
    ///
    /// # Errors
    /// [`LoadError`] if the text is not such a state.
    pub fn load(state: &str) -> Result<Box<dyn FittedForecaster>, LoadError> {
        Ok(Box::new(Fitted::<Ensemble>::load(state)?))
    }

    /// Bins the rows. `reference`: the data set whose bins are taken.
    fn dataset<'l>(
        &self,
        library: &'l Library,
        source: &Source<'_>,
        draws: &Draws,
        reference: Option<&Dataset<'l>>,
    ) -> Result<Rows<'l>, XgBoostError> {
        let config = &self.config;
        let rows = draws.len();
        let categorical: Vec<bool> = source.plan.row().map(|feature| feature.categorical).collect();
        let chunks = draws.chunks();
        let (mut labels, mut weights) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut seen = 0;
        let mut block = |at: usize| {
            let block = draws.gather(source, chunks.get(at)?.clone());
            // The library asks for every block several times; labels are the same each time.
            if at == seen {
                seen += 1;
                labels.extend_from_slice(&block.labels);
                weights.extend_from_slice(&block.weights);
            }
            Some(block.rows)
        };
        let threads = source.threads;
        let dataset = match reference {
            Some(reference) => reference.like(&categorical, threads, &mut block)?,
            None => Dataset::new(library, &categorical, config.max_bin, threads, &mut block)?,
        };
        Ok(Rows { dataset, labels, weights })
    }

    fn usual_trees(&self, rows: usize) -> usize {
        self.config.trees.unwrap_or(Size::usual(rows).trees)
    }

    /// Grows `rounds` trees on the rows. `after`: told of each tree; says whether to go on.
    fn grow<'d>(
        &self,
        source: &Source<'_>,
        rows: &'d mut Rows<'_>,
        directions: &[i8],
        rounds: usize,
        seed: u64,
        mut after: impl FnMut(usize, &Booster<'_>, Loss) -> Result<bool, XgBoostError>,
    ) -> Result<Booster<'d>, XgBoostError> {
        let config = &self.config;
        let count = rows.labels.len();
        let mean = to_mean_one(&mut rows.weights, &rows.labels);
        let (loss, base) = match source.target.objective {
            Objective::Tweedie { power } => (Loss::Tweedie { power }, mean.max(LEAST_MEAN)),
            Objective::Poisson => (Loss::Poisson, mean.max(LEAST_MEAN)),
            Objective::Absolute => (Loss::Absolute, weighted_quantile(&rows.labels, &rows.weights, 0.5)),
            Objective::Quantile { probability } => {
                (Loss::Quantile { probability }, weighted_quantile(&rows.labels, &rows.weights, probability))
            }
            Objective::Auto | Objective::LogRatio | Objective::Ratio => (Loss::Squared, mean),
        };
        if loss.needs_labels() {
            rows.dataset.set_labels(&rows.labels, &rows.weights)?;
        }
        let usual = Size::usual(count);
        let constraints = format!("({})", directions.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        let mut params: Vec<(&str, &dyn Display)> = Vec::new();
        let objective = loss.objective();
        let (seed_number, base) = (seed % (1 << 31), base as f32);
        let max_depth = config.max_depth.unwrap_or(usual.leaves.ilog2() as usize + 1);
        let learning_rate = config.learning_rate.unwrap_or(usual.learning_rate);
        let min_child_weight = config.min_child_weight.unwrap_or(usual.rows_per_leaf as f64);
        params.extend([
            ("objective", &objective as &dyn Display),
            ("tree_method", &"hist"),
            ("verbosity", &0),
            ("nthread", &source.threads),
            ("seed", &seed_number),
            // Other models may train on this thread meanwhile, and the library's dice are the thread's.
            ("seed_per_iteration", &true),
            ("base_score", &base),
            ("max_depth", &max_depth),
            ("learning_rate", &learning_rate),
            ("min_child_weight", &min_child_weight),
            ("colsample_bytree", &config.colsample_bytree),
            ("lambda", &config.lambda),
            ("max_cat_threshold", &16),
        ]);
        if let Loss::Quantile { probability } = &loss {
            params.push(("quantile_alpha", probability));
        }
        if !directions.is_empty() {
            params.push(("monotone_constraints", &constraints));
        }
        let mut booster = Booster::new(&rows.dataset, &params)?;
        for round in 0..rounds {
            let dice = mix(seed ^ mix(round as u64));
            let keeps = |row: usize| (mix(dice ^ row as u64) as f64) < config.subsample * u64::MAX as f64;
            booster.grow(&loss.gradients(&rows.labels, &rows.weights, &booster.margins()?, keeps))?;
            if !after(round + 1, &booster, loss)? {
                break;
            }
        }
        Ok(booster)
    }

    fn trained(&self, source: &Source<'_>, draws: &Draws, directions: &[i8], seed: u64) -> Result<Ensemble, XgBoostError> {
        let library = self.library()?;
        let mut rows = self.dataset(&library, source, draws, None)?;
        let rounds = source.rounds.unwrap_or(self.usual_trees(draws.len()));
        self.grow(source, &mut rows, directions, rounds, seed, |_, _, _| Ok(true))?.finish()
    }

    fn best(
        &self,
        source: &Source<'_>,
        (draws, held_out): (&Draws, &Draws),
        directions: &[i8],
        patience: usize,
        seed: u64,
    ) -> Result<usize, XgBoostError> {
        let library = self.library()?;
        let mut rows = self.dataset(&library, source, draws, None)?;
        let held_out = self.dataset(&library, source, held_out, Some(&rows.dataset))?;
        let (mut best, mut least) = (1, f64::INFINITY);
        let most = MORE_TREES * self.usual_trees(draws.len());
        self.grow(source, &mut rows, directions, most, seed, |round, booster, loss| {
            let margins = booster.margins_held_out(&held_out.dataset)?;
            let said = margins.into_iter().map(|margin| loss.prediction(margin));
            let loss = mean_loss(source.target.objective, &held_out.labels, &held_out.weights, said);
            if loss < least {
                (best, least) = (round, loss);
            }
            Ok(round < best + patience)
        })?;
        Ok(best)
    }

    fn library(&self) -> Result<Library, XgBoostError> {
        Library::find(self.config.library.as_deref(), &self.config.candidates)
    }
}

/// Returns the least label that has this share of the weight at or below it.
fn weighted_quantile(labels: &[f32], weights: &[f32], probability: f64) -> f64 {
    let mut pairs: Vec<(f32, f32)> = labels.iter().copied().zip(weights.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let wanted = probability * pairs.iter().map(|(_, weight)| f64::from(*weight)).sum::<f64>();
    let mut seen = 0.0;
    let found = pairs.iter().find(|(_, weight)| {
        seen += f64::from(*weight);
        seen >= wanted
    });
    found.or(pairs.last()).map_or(0.0, |(label, _)| f64::from(*label))
}

/// Scales weights so that their mean is 1, and a sum of second derivatives counts rows. Returns the weighted mean label.
fn to_mean_one(weights: &mut [f32], labels: &[f32]) -> f64 {
    let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    let labelled: f64 = weights.iter().zip(labels).map(|(weight, label)| f64::from(*weight) * f64::from(*label)).sum();
    let scale = weights.len() as f64 / sum;
    weights.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
    labelled / sum
}

impl Trees for Ensemble {
    const MODEL: &'static str = "xgboost";
    const VERSION: &'static str = "almanac-xgboost-1";
    type Error = XgBoostError;

    fn to_text(&self) -> Result<String, XgBoostError> {
        Ok(Self::to_text(self))
    }

    fn from_text(text: &str) -> Result<Self, XgBoostError> {
        Self::from_text(text)
    }

    fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, XgBoostError> {
        Self::predict(self, rows)
    }
}

impl Trainer for GlobalXgBoost {
    type Trees = Ensemble;

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
        let directions = directions(Ensemble::MODEL, source.plan, &self.config.global.monotone, source.target.objective)?;
        self.best(source, (draws, held_out), &directions, patience, seed).map(Some).map_err(said)
    }

    fn train(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Ensemble, FitError> {
        let directions = directions(Ensemble::MODEL, source.plan, &self.config.global.monotone, source.target.objective)?;
        self.trained(source, draws, &directions, seed).map_err(said)
    }
}

fn said(error: XgBoostError) -> FitError {
    let model = Ensemble::MODEL.to_owned();
    match error.hint() {
        Some(hint) => FitError::NoLibrary { model, message: error.to_string(), hint },
        None => FitError::Library { model, message: error.to_string() },
    }
}

impl Forecaster for GlobalXgBoost {
    fn name(&self) -> &str {
        Ensemble::MODEL
    }

    fn abilities(&self) -> Abilities {
        abilities(&self.config.global)
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        fit(self, train, horizon, seed)
    }
}
