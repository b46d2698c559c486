//! How a line is learnt from the training rows, and what it says of others.

use std::convert::Infallible;
use std::fmt::Debug;
use std::marker::PhantomData;

use almanac_model::FitError;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::config::{LinearConfig, LinearMethod};
use super::design::Design;
use super::estimate::EstimateError;
use super::moments::{Line, moments, newest_from};
use super::occurrence::{occurrence, probability};
use super::penalty::Penalty;
use crate::Objective;
use crate::config::GlobalConfig;
use crate::global::{Trainer, Trees, failed};
use crate::rows::{Draws, Source};

/// Share of labels beyond which, at each end, no forecast goes.
const TAIL: f64 = 5e-4;
/// Bounds of the factor that makes a hurdle's forecasts add up to what was sold.
const FACTOR: (f64, f64) = (0.5, 2.0);
/// Rows foretold at once.
const BLOCK_ROWS: usize = 4_096;

/// Which of the methods, as a type: a state says which model it is of.
pub(crate) trait Kind: Debug + Send + Sync + 'static {
    const METHOD: LinearMethod;
    const MODEL: &'static str;
    const VERSION: &'static str;
}

#[derive(Debug)]
pub(crate) struct Ridge;
#[derive(Debug)]
pub(crate) struct Lasso;
#[derive(Debug)]
pub(crate) struct ElasticNet;
#[derive(Debug)]
pub(crate) struct Hurdle;

impl Kind for Ridge {
    const METHOD: LinearMethod = LinearMethod::Ridge;
    const MODEL: &'static str = "ridge";
    const VERSION: &'static str = "almanac-ridge-1";
}

impl Kind for Lasso {
    const METHOD: LinearMethod = LinearMethod::Lasso;
    const MODEL: &'static str = "lasso";
    const VERSION: &'static str = "almanac-lasso-1";
}

impl Kind for ElasticNet {
    const METHOD: LinearMethod = LinearMethod::ElasticNet;
    const MODEL: &'static str = "elastic_net";
    const VERSION: &'static str = "almanac-elastic-net-1";
}

impl Kind for Hurdle {
    const METHOD: LinearMethod = LinearMethod::Hurdle;
    const MODEL: &'static str = "hurdle";
    const VERSION: &'static str = "almanac-hurdle-1";
}

/// Learns one kind of line.
#[derive(Debug)]
pub(crate) struct Fitter<'a, K> {
    pub(crate) config: &'a LinearConfig,
    pub(crate) kind: PhantomData<K>,
}

/// A line that was learnt.
#[derive(Debug)]
pub(crate) struct Linear<K> {
    model: Model,
    kind: PhantomData<K>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Model {
    design: Design,
    line: Line,
    /// What the line says is drawn in to these.
    least: f64,
    most: f64,
    hurdle: Option<Occurrence>,
}

/// What a hurdle says beside the size of what is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Occurrence {
    /// Log-odds that anything is sold.
    odds: Line,
    /// Whether the line says the logarithm of the size.
    log: bool,
    factor: f64,
}

/// Why a line could not be read or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinearError {
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    #[error("not a linear model that can be read: {0}")]
    Format(#[from] serde_json::Error),
    #[error("a linear model has {weights} coefficients for {columns} columns")]
    Damaged { weights: usize, columns: usize },
    #[error("{values} values do not make rows of {features} features")]
    Width { values: usize, features: usize },
}

impl<K: Kind> Trainer for Fitter<'_, K> {
    type Trees = Linear<K>;

    fn config(&self) -> &GlobalConfig {
        &self.config.global
    }

    fn train(&self, source: &Source<'_>, draws: &Draws, _seed: u64) -> Result<Linear<K>, FitError> {
        let model = self.learn(source, draws).map_err(failed::<Linear<K>>)?;
        Ok(Linear { model, kind: PhantomData })
    }
}

impl<K: Kind> Fitter<'_, K> {
    fn learn(&self, source: &Source<'_>, draws: &Draws) -> Result<Model, LinearError> {
        let hurdle = K::METHOD == LinearMethod::Hurdle;
        let ratio = source.target.objective == Objective::Ratio;
        let log = if hurdle { !ratio } else { source.target.objective == Objective::LogRatio };
        let (mut rows, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let Ok(()) = draws.sample().for_each_block(source, |block| {
            rows.extend_from_slice(&block.rows);
            labels.extend_from_slice(&block.labels);
            weights.extend_from_slice(&block.weights);
            Ok::<(), Infallible>(())
        });
        let design = Design::new(source.plan.row(), &rows, log);
        let newest_from = newest_from(source, draws);
        let response = |label: f32| {
            let label = f64::from(label);
            match (hurdle, log) {
                (false, _) => Some(label),
                (true, true) => (label > 0.0).then(|| label.ln()),
                (true, false) => (label != 0.0).then_some(label),
            }
        };
        let sums = moments(source, draws, &design, newest_from, &response);
        let penalty = match K::METHOD {
            LinearMethod::Ridge | LinearMethod::Hurdle => Penalty::Ridge,
            LinearMethod::Lasso => Penalty::Mixed { l1_ratio: 1.0 },
            LinearMethod::ElasticNet => Penalty::Mixed { l1_ratio: self.config.l1_ratio.clamp(0.0, 1.0) },
        };
        let line = penalty.learn(&sums, self.config.penalty)?;
        let (least, most) = bounds(labels.iter().filter_map(|label| response(*label)).collect());
        let mut model = Model { design, line, least, most, hurdle: None };
        if hurdle {
            let odds = occurrence(source, draws, &model.design, newest_from, self.config.penalty)?;
            model.hurdle = Some(Occurrence { odds, log, factor: 1.0 });
            let (mut actual, mut said) = (0.0, 0.0);
            for ((raw, label), weight) in model.predict(&rows)?.iter().zip(&labels).zip(&weights) {
                actual += f64::from(*weight) * f64::from(*label);
                said += f64::from(*weight) * raw;
            }
            if let Some(hurdle) = model.hurdle.as_mut().filter(|_| log && said > 0.0) {
                hurdle.factor = if actual > 0.0 { (actual / said).clamp(FACTOR.0, FACTOR.1) } else { 0.0 };
            }
        }
        Ok(model)
    }
}

/// The range of what was learnt but for outliers.
fn bounds(mut learnt: Vec<f64>) -> (f64, f64) {
    learnt.sort_unstable_by(f64::total_cmp);
    let tail = (TAIL * learnt.len() as f64) as usize;
    match (learnt.get(tail), learnt.len().checked_sub(1 + tail).and_then(|at| learnt.get(at))) {
        (Some(least), Some(most)) => (*least, *most),
        _ => (0.0, 0.0),
    }
}

impl Model {
    fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, LinearError> {
        let features = self.design.n_features();
        let count = rows.len() / features.max(1);
        if count * features != rows.len() {
            return Err(LinearError::Width { values: rows.len(), features });
        }
        let mut out = vec![0.0; count];
        out.par_chunks_mut(BLOCK_ROWS).zip(rows.par_chunks(BLOCK_ROWS * features.max(1))).for_each(|(out, rows)| {
            let mut columns = vec![0.0; self.design.n_columns()];
            for (to, row) in out.iter_mut().zip(rows.chunks_exact(features.max(1))) {
                self.design.write(row, &mut columns);
                *to = self.say(&columns);
            }
        });
        Ok(out)
    }

    fn say(&self, columns: &[f64]) -> f64 {
        let said = self.line.at(columns).clamp(self.least, self.most);
        match &self.hurdle {
            None => said,
            Some(hurdle) => {
                let size = if hurdle.log { said.exp() } else { said };
                probability(hurdle.odds.at(columns)) * size * hurdle.factor
            }
        }
    }

    /// Returns whether as many coefficients are there as columns.
    fn check(self) -> Result<Self, LinearError> {
        let columns = self.design.n_columns();
        let odds = self.hurdle.as_ref().map(|hurdle| hurdle.odds.weights.len());
        match [Some(self.line.weights.len()), odds].into_iter().flatten().find(|weights| *weights != columns) {
            Some(weights) => Err(LinearError::Damaged { weights, columns }),
            None if self.least <= self.most => Ok(self),
            None => Err(LinearError::Damaged { weights: 0, columns }),
        }
    }
}

impl<K: Kind> Trees for Linear<K> {
    const MODEL: &'static str = K::MODEL;
    const VERSION: &'static str = K::VERSION;
    type Error = LinearError;

    fn to_text(&self) -> Result<String, LinearError> {
        Ok(serde_json::to_string(&self.model)?)
    }

    fn from_text(text: &str) -> Result<Self, LinearError> {
        let model: Model = serde_json::from_str(text)?;
        Ok(Self { model: model.check()?, kind: PhantomData })
    }

    fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, LinearError> {
        self.model.predict(rows)
    }
}
