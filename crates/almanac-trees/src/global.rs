//! Fitting a global model: which models of the bag learn from which rows, whichever library grows the trees.
//!
//! Each training row targets period `t` from an origin `o = t - s`; its features are what was known at `o`, what is known of
//! `t`, and the values of the same season seen from `o`. So no direct forecast feeds on a forecast. A recursive model learns
//! from rows with `s = 1` only.

use std::error::Error;
use std::fmt::Debug;

use almanac_features::{Binding, Calendar, FeaturePlan, FeatureSpec, PlanError};
use almanac_model::{Abilities, FitError, FittedForecaster};
use almanac_series::{Freq, Hint, Horizon, Panel, Seed};
use rayon::prelude::*;

use crate::Objective;
use crate::choices::{Reach, Strategy, Weights};
use crate::cold::Cold;
use crate::columns::unknown;
use crate::config::GlobalConfig;
use crate::fitted::{Fitted, Part, Role};
use crate::pool;
use crate::quantiles::GRID;
use crate::rows::{Draws, Source};
use crate::target::Target;
use crate::value::Values;

/// Of the training rows, this share is the newest that early stopping holds out.
const HELD_OUT: f64 = 0.15;
/// Below this many rows models are trained side by side, as many as there are threads; above, one after the other on all threads, so
/// that memory holds the rows of one.
const FEW_ROWS: usize = 450_000;
/// Fewer rows than this are not worth another thread of the library.
const ROWS_A_THREAD: usize = 50_000;
/// Trees that early stopping may grow, over the usual number.
pub(crate) const MORE_TREES: usize = 3;

/// What every global model can do.
pub(crate) const ABILITIES: Abilities = Abilities { global: true, exog: true, quantiles: false };

/// What a global model can do that learns quantiles if it is told to.
pub(crate) fn abilities(config: &GlobalConfig) -> Abilities {
    Abilities { quantiles: config.quantiles, ..ABILITIES }
}

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
pub(crate) trait Trainer: Sync {
    type Trees: Trees;

    fn config(&self) -> &GlobalConfig;

    /// Whether it minimises [`Objective::Quantile`] if told to.
    fn learns_quantiles(&self) -> bool {
        false
    }

    /// Returns how many trees do best on rows that are held out, of those it would grow at most. `patience`: trees without gain
    /// after which it stops. `None` for what does not grow in rounds.
    fn best_rounds(
        &self,
        _source: &Source<'_>,
        _draws: &Draws,
        _held_out: &Draws,
        _patience: usize,
        _seed: u64,
    ) -> Result<Option<usize>, FitError> {
        Ok(None)
    }

    /// Trains one model.
    fn train(&self, source: &Source<'_>, draws: &Draws, seed: u64) -> Result<Self::Trees, FitError>;
}

/// Trains as many bags as the strategy, the pools and the quantiles ask for, and puts together what forecasts.
pub(crate) fn fit<T: Trainer>(trainer: &T, train: &Panel, horizon: Horizon, seed: Seed) -> Result<Box<dyn FittedForecaster>, FitError> {
    let config = trainer.config();
    let model = T::Trees::MODEL;
    let plan = FeaturePlan::new(train, spec(config, train, horizon)).map_err(|error| plan_failed(model, error))?;
    let binding = plan.bind(train);
    let calendar = Calendar::new(train, &plan).map_err(|error| plan_failed(model, error))?;
    let values = match config.weights {
        Weights::Level => None,
        Weights::Value => Some(Values::new(model, train, config.price.as_deref())?),
    };
    let groups = pool::groups(&config.pool, train)
        .map_err(|known| unknown(model, "pool", config.pool.column().unwrap_or_default(), "static column", known))?;
    let target = Target::new(config.objective, train);
    let horizon = horizon.steps();
    let mut wanted: Vec<(Reach, Option<f64>)> = config.strategy.reaches(horizon).into_iter().map(|reach| (reach, None)).collect();
    if config.quantiles && trainer.learns_quantiles() {
        // A quantile of the next step, fed back, is none of a later step: quantiles reach over all steps at once.
        let strategy = if matches!(config.strategy, Strategy::Blocks { .. }) { config.strategy } else { Strategy::Direct };
        wanted.extend(strategy.reaches(horizon).into_iter().flat_map(|reach| GRID.map(|probability| (reach, Some(probability)))));
    }
    let world = World { plan: &plan, binding: &binding, calendar: &calendar, values: values.as_ref(), target, parts: wanted.len() };
    let mut parts = Vec::new();
    for (made, (reach, quantile)) in world.parts(trainer, train, None, &wanted, seed)?.into_iter().zip(&wanted) {
        match made {
            Some(part) => parts.push(part),
            None => lengthen(&mut parts, *reach, *quantile),
        }
    }
    if parts.is_empty() {
        return Err(FitError::NothingToFit { model: model.into(), n_series: train.n_series() });
    }
    for (key, members) in &groups {
        let own = world.parts(trainer, &train.select(members), Some(key), &wanted, seed)?;
        // Where one part is missing, the model of all series speaks throughout.
        parts.extend(own.into_iter().collect::<Option<Vec<_>>>().into_iter().flatten());
    }
    let cold = Cold::new(train, &plan);
    Ok(Box::new(Fitted::new(plan, config.pool.clone(), cold, parts)?))
}

/// Lets the part before reach further: no history is long enough for a part of so late steps.
fn lengthen<T>(parts: &mut [Part<T>], reach: Reach, quantile: Option<f64>) {
    let before = |role: &Role| role.quantile == quantile && !role.reach.recursive && role.reach.last + 1 == reach.first;
    if let Some(part) = parts.iter_mut().find(|part| before(&part.role)) {
        part.role.reach.last = reach.last;
    }
}

/// What every part of a model learns from.
struct World<'a> {
    plan: &'a FeaturePlan,
    binding: &'a Binding,
    calendar: &'a Calendar,
    values: Option<&'a Values>,
    target: Target,
    /// Parts that are trained at once.
    parts: usize,
}

impl World<'_> {
    /// Trains one part for each range of steps and quantile, on the series of a panel; none where there are too few rows.
    fn parts<T: Trainer>(
        &self,
        trainer: &T,
        panel: &Panel,
        key: Option<&String>,
        wanted: &[(Reach, Option<f64>)],
        seed: Seed,
    ) -> Result<Vec<Option<Part<T::Trees>>>, FitError> {
        let part = |(reach, quantile): &(Reach, Option<f64>)| self.part(trainer, panel, *reach, key, *quantile, seed);
        if panel.n_rows() < FEW_ROWS { wanted.par_iter().map(part).collect() } else { wanted.iter().map(part).collect() }
    }

    /// Draws rows of a panel and trains a bag on them.
    fn part<T: Trainer>(
        &self,
        trainer: &T,
        panel: &Panel,
        reach: Reach,
        key: Option<&String>,
        quantile: Option<f64>,
        seed: Seed,
    ) -> Result<Option<Part<T::Trees>>, FitError> {
        let config = trainer.config();
        let mut target = quantile.map_or(self.target, |probability| self.target.quantile(probability));
        let seed_of = |member: usize| seed.0.wrapping_add((member as u64).wrapping_mul(0x9e37_79b9));
        let draw = |member| Draws::new(panel, reach.first..=reach.last, min_history(self.plan), config.max_train_rows, seed_of(member));
        let first = draw(0);
        if first.len() < if key.is_some() { pool::LEAST_ROWS } else { 1 } {
            return Ok(None);
        }
        // Quantiles cost a bag each, so that theirs is of one where nothing else is said.
        let members = if quantile.is_some() { config.bag.unwrap_or(1).max(1) } else { config.bag(first.len()) };
        let threads = self.threads(config.num_threads, members, first.len());
        let (plan, binding, calendar, values) = (self.plan, self.binding, self.calendar, self.values);
        let mut source = Source { panel, plan, binding, calendar, target: &target, values, threads, rounds: None };
        if let Some(patience) = config.early_stopping {
            let (learnt, held_out) = first.split(panel, HELD_OUT);
            if learnt.len() > 0 && held_out.len() > 0 {
                source.rounds = trainer.best_rounds(&source, &learnt, &held_out, patience.max(1), seed.0)?;
            }
        }
        let train = |member: usize| {
            let draws = if member == 0 { &first } else { &draw(member) };
            let trees = trainer.train(&source, draws, seed_of(member))?;
            let (mut actual, mut said) = (0.0, 0.0);
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
            Ok((trees, actual, said))
        };
        // Few rows leave a library's threads waiting for one another at every split; whole models wait for nothing.
        let made: Result<Vec<_>, FitError> =
            if first.len() < FEW_ROWS { (0..members).into_par_iter().map(train).collect() } else { (0..members).map(train).collect() };
        let made = made?;
        let (actual, said) = made.iter().fold((0.0, 0.0), |sums, (_, actual, said)| (sums.0 + actual, sums.1 + said));
        if said > 0.0 {
            target.correction = (actual / said).clamp(0.8, 1.25);
        }
        let bag = made.into_iter().map(|(trees, ..)| trees).collect();
        Ok(Some(Part { role: Role { reach, key: key.cloned(), quantile, target }, bag }))
    }

    /// Threads of the library for one of so many models that are trained at once. The forecasts do not depend on it.
    fn threads(&self, asked: usize, members: usize, rows: usize) -> usize {
        let all = if asked == 0 { rayon::current_num_threads() } else { asked };
        if rows < FEW_ROWS { (all / (members * self.parts)).clamp(1, 1 + rows / ROWS_A_THREAD) } else { all }
    }
}

/// Rows with a value that an origin needs.
pub(crate) fn min_history(plan: &FeaturePlan) -> usize {
    plan.spec().season_lengths.first().copied().unwrap_or(4).clamp(2, 8)
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
