//! What the trees learn: the target over the local level of its series at the origin.
//!
//! Series of very different levels then look alike to one model, and a level never seen in training is no obstacle.

use almanac_series::Panel;
use serde::{Deserialize, Serialize};

use crate::Objective;

/// Of the scored targets, this share of zeros makes them counts with many zeros.
const MANY_ZEROS: f64 = 0.03;
/// Up to this share of negative targets are returns among sales, learnt as zeros; more of them, and sign means something.
const FEW_NEGATIVES: f64 = 0.02;
/// A log-ratio is not taken below this share of the level.
const LEAST_RATIO: f64 = 0.01;
/// A ratio beyond this is an error of the data, not demand.
const MOST_RATIO: f64 = 1e4;
/// The same under a squared error, where one burst of a series that hardly sells would outweigh thousands of ordinary rows.
const MOST_SQUARED_RATIO: f64 = 10.0;
/// Weights stay within this factor of the typical one, both ways: no series drowns out all others.
const MOST_WEIGHT: f64 = 1e3;

/// An objective that is settled, and the targets it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) objective: Objective,
    /// Whether any target was negative; if none, no forecast is.
    pub(crate) negative: bool,
    /// Typical local level, for weights.
    pub(crate) typical_level: f64,
    /// Factor on forecasts of a log-ratio, which fall short of the mean.
    pub(crate) correction: f64,
}

impl Target {
    pub(crate) fn new(asked: Objective, train: &Panel) -> Self {
        let (mut rows, mut zeros, mut negatives) = (0_u64, 0_u64, 0_u64);
        let mut levels = Vec::with_capacity(train.n_series());
        for view in train.views() {
            let (mut sum, mut count) = (0.0, 0_u64);
            for (_, y) in view.scored() {
                zeros += u64::from(y == 0.0);
                negatives += u64::from(y < 0.0);
                sum += y.abs();
                count += 1;
            }
            rows += count;
            if count > 0 && sum > 0.0 {
                levels.push(sum / count as f64);
            }
        }
        levels.sort_by(f64::total_cmp);
        let typical_level = levels.get(levels.len() / 2).copied().unwrap_or(1.0);
        let negative = negatives > 0;
        let signed = negatives as f64 > FEW_NEGATIVES * rows as f64;
        let objective = match asked {
            Objective::Auto if signed => Objective::Ratio,
            Objective::Auto if zeros as f64 > MANY_ZEROS * rows as f64 => Objective::Tweedie { power: 1.2 },
            Objective::Auto if zeros > 0 || negative => Objective::Tweedie { power: 1.1 },
            Objective::Auto => Objective::LogRatio,
            // A deviance and a logarithm have no negative side.
            Objective::Tweedie { .. } | Objective::Poisson | Objective::LogRatio if signed => Objective::Ratio,
            chosen => chosen,
        };
        Self { objective, negative, typical_level, correction: 1.0 }
    }

    pub(crate) fn label(&self, y: f64, level: f64) -> f32 {
        let most = if self.objective == Objective::Ratio { MOST_SQUARED_RATIO } else { MOST_RATIO };
        let ratio = (y / level).clamp(-most, most);
        (match self.objective {
            Objective::LogRatio => ratio.max(LEAST_RATIO).ln(),
            Objective::Tweedie { .. } | Objective::Poisson => ratio.max(0.0),
            _ => ratio,
        }) as f32
    }

    pub(crate) fn weight(&self, level: f64) -> f32 {
        let power = match self.objective {
            // Makes the deviance of the ratio that of the target itself.
            Objective::Tweedie { power } => 2.0 - power,
            Objective::Ratio | Objective::Absolute | Objective::Poisson => 1.0,
            _ => 0.0,
        };
        bounded(level / self.typical_level, power)
    }

    /// The same target, of which a quantile is learnt.
    pub(crate) fn quantile(self, probability: f64) -> Self {
        Self { objective: Objective::Quantile { probability }, correction: 1.0, ..self }
    }

    /// From what the trees say to the units of `y`.
    pub(crate) fn value(&self, raw: f64, level: f64) -> f64 {
        let ratio = match self.objective {
            Objective::LogRatio => raw.exp() * self.correction,
            _ => raw,
        };
        let value = ratio * level;
        if self.negative { value } else { value.max(0.0) }
    }
}

/// Returns the mean loss of what was said, on the scale of the labels: what the objective minimises, less what no forecast changes.
pub(crate) fn mean_loss(objective: Objective, labels: &[f32], weights: &[f32], said: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut weight_sum) = (0.0, 0.0);
    for ((label, weight), said) in labels.iter().zip(weights).zip(said) {
        let (label, weight) = (f64::from(*label), f64::from(*weight));
        let least = said.max(f64::MIN_POSITIVE);
        sum += weight
            * match objective {
                Objective::Tweedie { power } => least.powf(2.0 - power) / (2.0 - power) - label * least.powf(1.0 - power) / (1.0 - power),
                Objective::Poisson => least - label * least.ln(),
                Objective::Absolute => (label - said).abs(),
                Objective::Quantile { probability } => (probability * (label - said)).max((probability - 1.0) * (label - said)),
                Objective::Auto | Objective::LogRatio | Objective::Ratio => (label - said).powi(2),
            };
        weight_sum += weight;
    }
    sum / weight_sum
}

/// A weight over the typical one.
pub(crate) fn bounded(weight: f64, power: f64) -> f32 {
    weight.powf(power).clamp(1.0 / MOST_WEIGHT, MOST_WEIGHT) as f32
}
