//! The global XGBoost model: how the real library is given the training rows. Forecasting needs no library.

use almanac_model::{Abilities, FitError, FittedForecaster, Forecaster};
use almanac_series::{Hint, Horizon, Panel, Seed};

use crate::config::{GlobalConfig, Size, XgBoostConfig};
use crate::fitted::Fitted;
use crate::global::{ABILITIES, Trainer, Trees, fit};
use crate::rows::{Draws, Source, mix};
use crate::xgboost::{Booster, Dataset, Ensemble, Library, Loss, XgBoostError};
use crate::{LoadError, Objective};

/// The deviance is of positive predictions, and training starts from the mean label.
const LEAST_MEAN: f64 = 1e-6;

/// XGBoost over all series at once.
#[derive(Debug, Clone, Default)]
pub struct GlobalXgBoost {
    config: XgBoostConfig,
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

    fn grow(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Ensemble, XgBoostError> {
        let config = &self.config;
        let library = Library::find(config.library.as_deref(), &config.candidates)?;
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
        let dataset = Dataset::new(&library, &categorical, config.max_bin, config.global.num_threads, &mut block)?;
        let base = to_mean_one(&mut weights, &labels);
        let (loss, base) = match source.target.objective {
            Objective::Tweedie { power } => (Loss::Tweedie { power }, base.max(LEAST_MEAN)),
            _ => (Loss::Squared, base),
        };
        let usual = Size::usual(rows);
        let mut booster = Booster::new(
            &dataset,
            &[
                ("objective", &loss.objective()),
                ("tree_method", &"hist"),
                ("verbosity", &0),
                ("nthread", &config.global.num_threads),
                ("seed", &(seed % (1 << 31))),
                // Other models may train on this thread meanwhile, and the library's dice are the thread's.
                ("seed_per_iteration", &true),
                ("base_score", &(base as f32)),
                ("max_depth", &config.max_depth.unwrap_or(usual.leaves.ilog2() as usize + 1)),
                ("learning_rate", &config.learning_rate.unwrap_or(usual.learning_rate)),
                ("min_child_weight", &config.min_child_weight.unwrap_or(usual.rows_per_leaf as f64)),
                ("colsample_bytree", &config.colsample_bytree),
                ("lambda", &config.lambda),
                ("max_cat_threshold", &16),
            ],
        )?;
        for round in 0..config.trees.unwrap_or(usual.trees) {
            let dice = mix(seed ^ mix(round as u64));
            let keeps = |row: usize| (mix(dice ^ row as u64) as f64) < config.subsample * u64::MAX as f64;
            booster.grow(&loss.gradients(&labels, &weights, &booster.margins()?, keeps))?;
        }
        booster.finish()
    }
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

    fn train(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Ensemble, FitError> {
        let model = Ensemble::MODEL.to_owned();
        self.grow(source, draws, seed).map_err(|error| match error.hint() {
            Some(hint) => FitError::NoLibrary { model, message: error.to_string(), hint },
            None => FitError::Library { model, message: error.to_string() },
        })
    }
}

impl Forecaster for GlobalXgBoost {
    fn name(&self) -> &str {
        Ensemble::MODEL
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    fn fit(&self, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
        fit(self, train, horizon, seed)
    }
}
