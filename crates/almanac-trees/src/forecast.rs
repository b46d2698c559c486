//! How a fitted global model forecasts: the rows of many series at once, what each part says of them, and what that means.

use std::borrow::Cow;

use almanac_features::{Binding, Calendar, SeriesFeatures};
use almanac_model::{FitError, FittedForecaster, Forecast, ForecastSpan, PredictError, Skipped};
use almanac_series::{Horizon, Panel, Quantile};
use rayon::prelude::*;

use crate::fitted::{Fitted, Part, Role};
use crate::global::Trees;
use crate::quantiles::interpolate;
use crate::{Pool, pool};

/// Series whose features are held at once.
const CHUNK_SERIES: usize = 256;

/// A row that the parts are asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'k> {
    /// Steps from the origin.
    step: usize,
    /// Value of the pool's column, where a part of its own speaks for it.
    key: Option<&'k str>,
    /// What is usual for the target: the local level times the effect of its day.
    usual: f64,
}

/// A series that has sold something, at its origin.
pub(crate) struct Alive<'a> {
    /// Where it is in the chunk.
    at: usize,
    pub(crate) features: SeriesFeatures<'a>,
    pub(crate) key: Option<&'a str>,
}

impl<'a> Alive<'a> {
    /// Appends the features of the row so many steps after the newest one.
    pub(crate) fn ask(&self, step: usize, rows: &mut Vec<f32>) -> Asked<'a> {
        let origin = self.features.len() - 1;
        let level = f64::from(self.features.levels()[origin]);
        self.features.row(origin, origin + step, level as f32, rows);
        Asked { step, key: self.key, usual: level * f64::from(self.features.effect(origin, origin + step)) }
    }
}

/// What was said of one series.
#[derive(Debug, Clone, Default)]
struct Said {
    /// `horizon` values.
    mean: Vec<f64>,
    /// `horizon × n_quantiles` values.
    quantiles: Vec<f64>,
}

/// What forecasts are made from, beside the model.
struct Context<'a> {
    panel: &'a Panel,
    binding: &'a Binding,
    calendar: &'a Calendar,
    /// Value of the pool's column by series, where a part of its own speaks for it.
    keys: Vec<Option<&'a str>>,
    steps: usize,
    /// Empty where the model gives none of its own.
    quantiles: &'a [Quantile],
}

impl Role {
    /// Whether the part is asked about the row. A value of the pool's column with a part of its own needs no other, unless both are wanted.
    fn speaks_for(&self, asked: &Asked<'_>, pool: &Pool) -> bool {
        let concerned = match &self.key {
            Some(key) => asked.key == Some(key),
            None => asked.key.is_none() || !matches!(pool, Pool::By(_)),
        };
        concerned && (self.reach.first..=self.reach.last).contains(&asked.step)
    }
}

impl<T: Trees> Fitted<T> {
    /// Returns what the wanted parts say of each row, in units of `y`; the mean where more than one speaks.
    pub(crate) fn say(&self, wanted: impl Fn(&Role) -> bool, rows: &[f32], asked: &[Asked<'_>]) -> Result<Vec<f64>, T::Error> {
        let width = rows.len() / asked.len().max(1);
        let mut sums = vec![(0.0, 0_u32); asked.len()];
        for Part { role, bag } in self.parts.iter().filter(|part| wanted(&part.role)) {
            let concerned: Vec<usize> = (0..asked.len()).filter(|at| role.speaks_for(&asked[*at], &self.pool)).collect();
            if concerned.is_empty() {
                continue;
            }
            let own: Cow<'_, [f32]> = if concerned.len() == asked.len() {
                Cow::Borrowed(rows)
            } else {
                concerned.iter().flat_map(|at| &rows[at * width..(at + 1) * width]).copied().collect()
            };
            let mut raw = vec![0.0; concerned.len()];
            for trees in bag {
                raw.iter_mut().zip(trees.predict(&own)?).for_each(|(sum, said)| *sum += said);
            }
            for (at, raw) in concerned.into_iter().zip(raw) {
                sums[at].0 += role.target.value(raw / bag.len() as f64, asked[at].usual);
                sums[at].1 += 1;
            }
        }
        Ok(sums.into_iter().map(|(sum, parts)| sum / f64::from(parts)).collect())
    }

    /// Forecasts some series of a panel; `None` for one without history.
    fn chunk(&self, context: &Context<'_>, chunk: &[usize]) -> Result<Vec<Option<Said>>, T::Error> {
        let steps = context.steps;
        let made: Vec<(bool, Option<Alive<'_>>)> = chunk
            .par_iter()
            .enumerate()
            .map(|(at, index)| {
                let view = context.panel.view(*index);
                let features = SeriesFeatures::new(&view, &self.plan, context.binding, context.calendar);
                let Some(origin) = view.len().checked_sub(1).filter(|last| features.counts()[*last] > 0) else { return (false, None) };
                let is_alive = features.levels()[origin] > 0.0;
                (true, is_alive.then(|| Alive { at, features, key: context.keys[*index] }))
            })
            .collect();
        // Of what has only ever been zero the forecast is zero.
        let zeros = Said { mean: vec![0.0; steps], quantiles: vec![0.0; steps * context.quantiles.len()] };
        let mut all: Vec<Option<Said>> = made.iter().map(|(known, _)| known.then(|| zeros.clone())).collect();
        let mut alive: Vec<Alive<'_>> = made.into_iter().filter_map(|(_, alive)| alive).collect();
        let is_direct = |role: &Role| !role.reach.recursive && role.quantile.is_none();
        let mut means = Vec::new();
        let has_direct = self.parts.iter().any(|part| is_direct(&part.role));
        if has_direct || !context.quantiles.is_empty() {
            let (rows, asked) = direct_rows(&alive, steps);
            if has_direct {
                means.push(self.say(is_direct, &rows, &asked)?);
            }
            if !context.quantiles.is_empty() {
                for (alive, values) in alive.iter().zip(self.quantile_values(context, &rows, &asked)?) {
                    all[alive.at].get_or_insert_default().quantiles = values;
                }
            }
        }
        if self.parts.iter().any(|part| part.role.reach.recursive) {
            means.push(self.recursive(&mut alive, steps)?);
        }
        for (series, alive) in alive.iter().enumerate() {
            let mean = |step: usize| means.iter().map(|said| said[series * steps + step]).sum::<f64>() / means.len() as f64;
            all[alive.at].get_or_insert_default().mean = (0..steps).map(mean).collect();
        }
        Ok(all)
    }

    /// Returns the values of the quantiles asked for, series by series.
    fn quantile_values(&self, context: &Context<'_>, rows: &[f32], asked: &[Asked<'_>]) -> Result<Vec<Vec<f64>>, T::Error> {
        let probabilities = self.probabilities();
        let mut learnt = Vec::with_capacity(probabilities.len());
        for probability in &probabilities {
            learnt.push(self.say(|role| role.quantile == Some(*probability), rows, asked)?);
        }
        let least = if self.parts.iter().any(|part| part.role.target.negative) { f64::NEG_INFINITY } else { 0.0 };
        let of_row = |row: usize, out: &mut Vec<f64>| {
            let mut pairs: Vec<(f64, f64)> = probabilities.iter().zip(&learnt).map(|(p, said)| (*p, said[row])).collect();
            interpolate(&mut pairs, context.quantiles, least, out);
        };
        let of_series = |series: usize| {
            let mut values = Vec::with_capacity(context.steps * context.quantiles.len());
            (series * context.steps..(series + 1) * context.steps).for_each(|row| of_row(row, &mut values));
            values
        };
        Ok((0..asked.len() / context.steps).map(of_series).collect())
    }

    /// Probabilities of which there are parts, ascending.
    fn probabilities(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.parts.iter().filter_map(|part| part.role.quantile).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    /// Values of the pool's column by series, where a part of its own speaks for it.
    fn keys(&self, panel: &Panel) -> Vec<Option<&str>> {
        let column = self.pool.column().and_then(|name| panel.statics().iter().find(|column| *column.name == *name));
        let own = |text: String| self.parts.iter().filter_map(|part| part.role.key.as_deref()).find(|key| *key == text);
        let key = |static_row| pool::key(column?, static_row).and_then(own);
        panel.series().iter().map(|span| key(span.static_row)).collect()
    }

    /// Why a panel cannot be forecast.
    fn check(&self, context: &Panel, steps: usize) -> Result<(), PredictError> {
        let model = || T::MODEL.to_owned();
        let fitted = self.plan.spec().horizon;
        if steps > fitted {
            return Err(PredictError::HorizonTooLong { model: model(), fitted, asked: steps });
        }
        if let Some(column) = self.plan.missing_column(context) {
            return Err(PredictError::MissingColumn { model: model(), column: column.to_owned() });
        }
        if context.freq() != self.plan.freq() {
            let message = format!("fitted on data of frequency `{}`, the history given now has `{}`", self.plan.freq(), context.freq());
            return Err(PredictError::Library { model: model(), message });
        }
        Ok(())
    }

    /// Forecasts every series of a panel, in its order; `None` for one without history.
    fn said(&self, panel: &Panel, steps: usize, quantiles: &[Quantile]) -> Result<Vec<Option<Said>>, PredictError> {
        let library = |message: String| PredictError::Library { model: T::MODEL.into(), message };
        let calendar = Calendar::new(panel, &self.plan).map_err(|error| library(error.to_string()))?;
        let binding = self.plan.bind(panel);
        let context = Context { panel, binding: &binding, calendar: &calendar, keys: self.keys(panel), steps, quantiles };
        let indices: Vec<usize> = (0..panel.n_series()).collect();
        let mut all = Vec::with_capacity(panel.n_series());
        for chunk in indices.chunks(CHUNK_SERIES) {
            all.extend(self.chunk(&context, chunk).map_err(|error| library(error.to_string()))?);
        }
        Ok(all)
    }
}

/// Rows of all steps of some series, seen from their origins.
fn direct_rows<'a>(alive: &[Alive<'a>], steps: usize) -> (Vec<f32>, Vec<Asked<'a>>) {
    let made: Vec<(Vec<f32>, Vec<Asked<'a>>)> = alive
        .par_iter()
        .map(|alive| {
            let mut rows = Vec::new();
            let asked = (1..=steps).map(|step| alive.ask(step, &mut rows)).collect();
            (rows, asked)
        })
        .collect();
    let mut rows = Vec::with_capacity(made.iter().map(|(rows, _)| rows.len()).sum());
    let mut asked = Vec::with_capacity(alive.len() * steps);
    for (own, own_asked) in made {
        rows.extend_from_slice(&own);
        asked.extend(own_asked);
    }
    (rows, asked)
}

impl<T: Trees> FittedForecaster for Fitted<T> {
    fn name(&self) -> &str {
        T::MODEL
    }

    fn predict(&self, context: &Panel, horizon: Horizon, quantiles: &[Quantile]) -> Result<Forecast, PredictError> {
        self.check(context, horizon.steps())?;
        let quantiles = if self.parts.iter().any(|part| part.role.quantile.is_some()) { quantiles } else { &[] };
        let mut said = self.said(context, horizon.steps(), quantiles)?;
        let mut is_cold = vec![false; context.n_series()];
        if let Some(cold) = &self.cold {
            let (indices, warmed) = cold.warmed(context, &self.plan);
            for (index, of) in indices.into_iter().zip(self.said(&warmed, horizon.steps(), quantiles)?) {
                is_cold[index] = of.is_some();
                said[index] = of;
            }
        }
        let mut forecast = Forecast::empty(T::MODEL, context.freq(), horizon, quantiles);
        for ((span, said), is_cold) in context.series().iter().zip(said).zip(is_cold) {
            let (series, model) = (span.id.clone(), T::MODEL.to_owned());
            let reason = match said {
                None => FitError::TooShort { series, model, got: 0, needed: 1 },
                Some(said) if said.mean.iter().chain(&said.quantiles).all(|value| value.is_finite()) => {
                    forecast.push(ForecastSpan { id: series, cutoff: span.cutoff() }, &said.mean, &said.quantiles);
                    if is_cold {
                        forecast.cold.push(span.id.clone());
                    }
                    continue;
                }
                Some(_) => FitError::NotFinite { series, model },
            };
            forecast.skipped.push(Skipped { series: span.id.clone(), reason });
        }
        Ok(forecast)
    }

    fn state(&self) -> String {
        self.state.clone()
    }
}
