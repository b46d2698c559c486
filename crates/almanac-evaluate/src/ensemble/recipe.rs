//! The ways in which an ensemble may be made of what some folds say.
//!
//! Source of greedy selection: Caruana et al. (2004), "Ensemble selection from libraries of models". Stacking with weights that are not
//! negative and sum to 1: Breiman (1996), "Stacked regressions".

use std::collections::BTreeMap;

use almanac_hierarchy::Hierarchy;
use almanac_series::DemandClass;

use super::fold::FoldErrors;
use crate::metrics::mean;
use crate::mix::{Mix, MixKind};

/// A model whose error is more than this multiple of the best one's is no member: what little it seems to add on a few folds is chance.
/// On M5, 6 % of naive won three cutoffs and lost 4 % on the next four weeks.
pub(super) const MOST_ERROR: f64 = 1.5;
/// Rounds of greedy selection; weights are multiples of one over the rounds taken.
const ROUNDS: usize = 20;
/// Steps of stacking.
const STEPS: usize = 100;
/// Pull of stacked weights towards equal ones, in units of the mean squared error of the best model.
const PULL: f64 = 0.1;
/// A demand class with fewer series is treated like all.
const LEAST_SERIES: usize = 10;
/// Folds that the common weights count for beside those of a single series.
const COMMON_FOLDS: f64 = 4.0;

/// A way to make an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipe {
    MeanOfBest(usize),
    MedianOfBest(usize),
    Inverse,
    Greedy,
    Stacked,
    BestPerClass,
    InversePerClass,
    InversePerSeries,
}

impl Recipe {
    /// Every recipe, the simplest first.
    pub(super) const ALL: [Self; 18] = [
        Self::MeanOfBest(2),
        Self::MeanOfBest(3),
        Self::MeanOfBest(4),
        Self::MeanOfBest(5),
        Self::MeanOfBest(6),
        Self::MeanOfBest(7),
        Self::MeanOfBest(8),
        Self::MedianOfBest(3),
        Self::MedianOfBest(4),
        Self::MedianOfBest(5),
        Self::MedianOfBest(6),
        Self::MedianOfBest(7),
        Self::Inverse,
        Self::Greedy,
        Self::Stacked,
        Self::BestPerClass,
        Self::InversePerClass,
        Self::InversePerSeries,
    ];

    pub(super) fn name(self) -> String {
        match self {
            Self::MeanOfBest(k) => format!("mean of best {k}"),
            Self::MedianOfBest(k) => format!("median of best {k}"),
            Self::Inverse => "weights inverse to the squared error".into(),
            Self::Greedy => "greedy selection".into(),
            Self::Stacked => "stacking".into(),
            Self::BestPerClass => "best model of each demand class".into(),
            Self::InversePerClass => "weights by demand class".into(),
            Self::InversePerSeries => "weights by series".into(),
        }
    }

    /// Makes the ensemble from what `folds` say; `None` where the recipe makes none, or the same as a single model.
    pub(super) fn fit(self, hierarchy: &Hierarchy, names: &[&str], folds: &[&FoldErrors<'_>]) -> Option<Mix> {
        let n = names.len();
        let score = |weights: &[f64]| mean(folds.iter().filter_map(|fold| fold.score_weights(weights))).unwrap_or(f64::INFINITY);
        let singles: Vec<f64> = (0..n).map(|model| score(&only(model, n))).collect();
        let eligible = eligible(&singles);
        // A model that is bad on the whole may still be the best of a class.
        let is_by_class = matches!(self, Self::BestPerClass | Self::InversePerClass);
        // No model has a score where the target never moved.
        if eligible.is_empty() || eligible.len() < 2 && !is_by_class {
            return None;
        }
        let best_of = |k: usize| (k <= eligible.len()).then(|| equal(&eligible[..k], n));
        let inverse = || proportional(&eligible, n, |model| singles[model].max(1e-12).powi(-2));
        let (weights, kind) = match self {
            Self::MeanOfBest(k) => (best_of(k)?, MixKind::Mean),
            Self::MedianOfBest(k) => (best_of(k)?, MixKind::Median),
            Self::Inverse => (inverse(), MixKind::Mean),
            Self::Greedy => (greedy(&eligible, n, &score), MixKind::Mean),
            Self::Stacked => (stacked(&eligible, n, &score, singles[eligible[0]]), MixKind::Mean),
            Self::BestPerClass | Self::InversePerClass => {
                let of_class = |errors: &[f64]| {
                    let best = (0..n).min_by(|a, b| errors[*a].total_cmp(&errors[*b]))?;
                    Some(if self == Self::BestPerClass {
                        only(best, n)
                    } else {
                        let near: Vec<usize> = (0..n).filter(|model| errors[*model] <= MOST_ERROR * errors[best]).collect();
                        proportional(&near, n, |model| errors[model].max(1e-12).powi(-2))
                    })
                };
                let default = if self == Self::BestPerClass { only(eligible[0], n) } else { inverse() };
                let per_class: BTreeMap<String, Vec<f64>> = DemandClass::ALL
                    .into_iter()
                    .filter_map(|class| Some((class.name().to_owned(), of_class(&class_errors(class, n, folds)?)?)))
                    .collect();
                // One class, or the same model for all, is no choice by class.
                if per_class.is_empty() || per_class.values().all(|weights| *weights == default) {
                    return None;
                }
                (default, MixKind::PerClass(per_class))
            }
            Self::InversePerSeries => {
                let per_series = series_weights(hierarchy, &eligible, n, folds);
                (inverse(), MixKind::PerSeries(per_series))
            }
        };
        Some(trimmed(names, weights, kind)).filter(|mix| mix.members.len() > 1)
    }
}

/// Models near the best one, best first.
pub(super) fn eligible(singles: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..singles.len()).collect();
    order.sort_by(|a, b| singles[*a].total_cmp(&singles[*b]).then(a.cmp(b)));
    let most = MOST_ERROR * singles[order[0]];
    order.retain(|model| singles[*model].is_finite() && singles[*model] <= most);
    order
}

/// Leaves out members that no series takes.
fn trimmed(names: &[&str], weights: Vec<f64>, kind: MixKind) -> Mix {
    let is_used = |model: usize| {
        weights[model] > 0.0
            || match &kind {
                MixKind::PerClass(own) | MixKind::PerSeries(own) => own.values().any(|weights| weights[model] > 0.0),
                MixKind::Mean | MixKind::Median => false,
            }
    };
    let used: Vec<usize> = (0..names.len()).filter(|model| is_used(*model)).collect();
    let narrow = |own: BTreeMap<String, Vec<f64>>| {
        own.into_iter().map(|(key, weights)| (key, used.iter().map(|model| weights[*model]).collect())).collect()
    };
    let members = used.iter().map(|model| (names[*model].to_owned(), weights[*model])).collect();
    let kind = match kind {
        MixKind::PerClass(own) => MixKind::PerClass(narrow(own)),
        MixKind::PerSeries(own) => MixKind::PerSeries(narrow(own)),
        kind => kind,
    };
    Mix { members, kind }
}

pub(super) fn only(model: usize, n: usize) -> Vec<f64> {
    (0..n).map(|k| f64::from(u8::from(k == model))).collect()
}

fn equal(models: &[usize], n: usize) -> Vec<f64> {
    proportional(models, n, |_| 1.0)
}

fn proportional(models: &[usize], n: usize, weight: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut weights = vec![0.0; n];
    for model in models {
        weights[*model] = weight(*model);
    }
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// Adds one model at a time, with replacement, whichever lowers the score most; returns the best bag met.
fn greedy(order: &[usize], n: usize, score: &dyn Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut counts = only(order[0], n);
    let mut best = (score(&counts), counts.clone());
    for round in 2..=ROUNDS {
        let with = |model: usize| {
            let mut weights = counts.clone();
            weights[model] += 1.0;
            for weight in &mut weights {
                *weight /= round as f64;
            }
            (score(&weights), weights, model)
        };
        let added = order.iter().copied().map(with).min_by(|(a, ..), (b, ..)| a.total_cmp(b)).expect("there are models");
        counts[added.2] += 1.0;
        if added.0 < best.0 {
            best = (added.0, added.1);
        }
    }
    best.1
}

/// Weights that lower the score, pulled towards equal ones: Frank–Wolfe on the simplex, with steps of `2 / (k + 2)`.
fn stacked(order: &[usize], n: usize, score: &dyn Fn(&[f64]) -> f64, best: f64) -> Vec<f64> {
    let pulled = |weights: &[f64]| {
        let spread: f64 = order.iter().map(|model| weights[*model] * weights[*model]).sum();
        score(weights).powi(2) + PULL * best * best * spread
    };
    let mut weights = equal(order, n);
    let mut least = pulled(&weights);
    for step in 0..STEPS {
        let share = 1.0 / (step as f64 + 4.0);
        let towards = |model: &usize| {
            let moved: Vec<f64> =
                weights.iter().enumerate().map(|(k, weight)| weight * (1.0 - share) + share * f64::from(u8::from(k == *model))).collect();
            (pulled(&moved), moved)
        };
        let (value, moved) = order.iter().map(towards).min_by(|(a, _), (b, _)| a.total_cmp(b)).expect("there are models");
        if value < least {
            (least, weights) = (value, moved);
        }
    }
    weights
}

/// Weighted mean error of every model over the series of a class; `None` where the class is rare.
fn class_errors(class: DemandClass, n: usize, folds: &[&FoldErrors<'_>]) -> Option<Vec<f64>> {
    let (mut sums, mut weight, mut count) = (vec![0.0; n], 0.0, 0);
    for fold in folds {
        for (series, errors) in fold.by_series.iter().enumerate() {
            let (Some(errors), true) = (errors, fold.classes[series] == Some(class)) else { continue };
            let own = fold.weight(series).max(0.0) + f64::MIN_POSITIVE;
            sums.iter_mut().zip(errors).for_each(|(sum, error)| *sum += own * error);
            weight += own;
            count += 1;
        }
    }
    (count >= LEAST_SERIES * folds.len()).then(|| sums.into_iter().map(|sum| sum / weight).collect())
}

/// Weights of every series: inverse to the square of its errors relative to the other models, drawn towards those of all series.
fn series_weights(hierarchy: &Hierarchy, eligible: &[usize], n: usize, folds: &[&FoldErrors<'_>]) -> BTreeMap<String, Vec<f64>> {
    let relative = |errors: &Vec<f64>| -> Option<Vec<f64>> {
        let average = mean(eligible.iter().map(|model| errors[*model]))?;
        (average > 0.0).then(|| errors.iter().map(|error| error / average).collect())
    };
    let n_series = hierarchy.n_series();
    let (mut common, mut count) = (vec![0.0; n], 0.0);
    let mut own: Vec<(Vec<f64>, f64)> = vec![(Vec::new(), 0.0); n_series];
    for fold in folds {
        for (series, errors) in fold.by_series.iter().enumerate() {
            let Some(errors) = errors.as_ref().and_then(relative) else { continue };
            common.iter_mut().zip(&errors).for_each(|(sum, error)| *sum += error);
            count += 1.0;
            let (sums, folds) = &mut own[series];
            sums.resize(n, 0.0);
            sums.iter_mut().zip(&errors).for_each(|(sum, error)| *sum += error);
            *folds += 1.0;
        }
    }
    let weights = |(series, (sums, folds)): (usize, (Vec<f64>, f64))| {
        if folds == 0.0 {
            return None;
        }
        let error = |model: usize| (COMMON_FOLDS * common[model] / count + sums[model]) / (COMMON_FOLDS + folds);
        let weights = proportional(eligible, n, |model| error(model).max(1e-12).powi(-2));
        Some((hierarchy.series()[series].to_string(), weights))
    };
    own.into_iter().enumerate().filter_map(weights).collect()
}
