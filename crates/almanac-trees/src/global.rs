//! Fitting a global model: direct forecasts, one model for all series and steps, whichever library grows the trees.
//!
//! Each training row targets period `t` from an origin `o = t - s`; its features are what was known at `o`, what is known of
//! `t`, and the values of the same season seen from `o`. So no forecast feeds on a forecast.

use std::error::Error;
use std::fmt::Debug;

use almanac_features::{Calendar, FeaturePlan, FeatureSpec, PlanError};
use almanac_model::{Abilities, FitError, FittedForecaster};
use almanac_series::{Freq, Hint, Horizon, Panel, Seed};

use crate::Objective;
use crate::config::GlobalConfig;
use crate::fitted::Fitted;
use crate::rows::{Draws, Source};
use crate::target::Target;

/// What every global model can do.
pub(crate) const ABILITIES: Abilities = Abilities { global: true, exog: true, quantiles: false };

/// Trees that one library grew.
pub(crate) trait Trees: Debug + Send + Sync + Sized + 'static {
    /// Name of the model.
    const MODEL: &'static str;
    /// Version of its state's format.
    const VERSION: &'static str;
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// Returns text that [`Self::from_text`] reads back to the same predictions, bit for bit.
    fn to_text(&self) -> Result<String, Self::Error>;

    fn from_text(text: &str) -> Result<Self, Self::Error>;

    /// Returns one prediction per row, on the scale of the labels. `rows`: row-major.
    fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, Self::Error>;
}

/// How one library grows trees from the training rows.
pub(crate) trait Trainer {
    type Trees: Trees;

    fn config(&self) -> &GlobalConfig;

    /// Trains one model.
    fn train(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Self::Trees, FitError>;
}

/// Draws rows, trains as many models as the bag holds, and puts together what forecasts.
pub(crate) fn fit<T: Trainer>(trainer: &T, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
    let config = trainer.config();
    let model = T::Trees::MODEL;
    let plan = FeaturePlan::new(train, spec(config, train, horizon)).map_err(|error| plan_failed(model, error))?;
    let binding = plan.bind(train);
    let calendar = Calendar::new(train, &plan).map_err(|error| plan_failed(model, error))?;
    let mut target = Target::new(config.objective, train);
    let min_history = plan.spec().season_lengths.first().copied().unwrap_or(4).clamp(2, 8);
    let mut bag = Vec::new();
    let (mut actual, mut said) = (0.0, 0.0);
    let mut member = 0_u64;
    loop {
        let seed = seed.0.wrapping_add(member.wrapping_mul(0x9e37_79b9));
        let draws = Draws::new(train, horizon.steps(), min_history, config.max_train_rows, seed);
        if draws.len() == 0 {
            return Err(FitError::NothingToFit { model: model.into(), n_series: train.n_series() });
        }
        let source = Source { panel: train, plan: &plan, binding: &binding, calendar: &calendar, target: &target };
        let trees = trainer.train(&source, &draws, seed)?;
        if target.objective == Objective::LogRatio {
            // How far the exponential of a mean logarithm falls short of the mean.
            draws.sample().for_each_block(&source, |block| {
                for (raw, label) in trees.predict(&block.rows).map_err(failed::<T::Trees>)?.iter().zip(&block.labels) {
                    said += raw.exp();
                    actual += f64::from(*label).exp();
                }
                Ok::<(), FitError>(())
            })?;
        }
        bag.push(trees);
        member += 1;
        if member >= config.bag(draws.len()) as u64 {
            break;
        }
    }
    if said > 0.0 {
        target.correction = (actual / said).clamp(0.8, 1.25);
    }
    Ok(Box::new(Fitted::new(plan, target, bag)?))
}

fn spec(config: &GlobalConfig, train: &Panel, horizon: Horizon) -> FeatureSpec {
    let mut spec = config.features.clone().unwrap_or_else(|| {
        let mut spec = FeatureSpec::for_freq(train.freq(), horizon);
        if let Some(season) = config.season_length {
            spec = spec.with_season(season);
        }
        // Rows that are only counted do not tell a longer season; their history may.
        if let (Freq::Step, [only]) = (train.freq(), &spec.season_lengths[..])
            && let Some(longer) = train.longer_season(*only)
        {
            spec = spec.with_longer_season(longer);
        }
        spec
    });
    spec.horizon = horizon.steps();
    spec.country = config.country.clone().or(spec.country);
    spec.categorical_future.extend(config.categorical_future.iter().cloned());
    spec
}

/// An error of the library, said of its model.
pub(crate) fn failed<T: Trees>(error: T::Error) -> FitError {
    FitError::Library { model: T::MODEL.into(), message: error.to_string() }
}

fn plan_failed(model: &str, error: PlanError) -> FitError {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    FitError::Library { model: model.into(), message: format!("{error}{hint}") }
}
