//! What one fold says about the models and about every weighted mean of them.
//!
//! Errors of a weighted mean are linear in its weights, so that a fold is kept as one small matrix of error products per node, and a
//! candidate costs no pass over the forecasts.

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use almanac_series::{DemandClass, Panel};
use rayon::prelude::*;

use super::yardstick::Yardstick;
use crate::metrics::{mean, weighted_mean};
use crate::mix::class_of;
use crate::{FoldTruth, Mix};

/// One fold: the models that are considered, the truth, and what comes of both.
pub(super) struct FoldErrors<'a> {
    truth: &'a FoldTruth,
    yardstick: &'a Yardstick<'a>,
    /// What the models saw.
    context: Panel,
    forecasts: Vec<&'a Forecast>,
    /// Ranked level by level, bottom last, node by node: weight, and error products of every pair of models.
    products: Vec<Vec<(f64, Option<Vec<f64>>)>>,
    /// Error of every model on every series: `n_series × n_models`; `None` for a series without a scale.
    pub(super) by_series: Vec<Option<Vec<f64>>>,
    /// Demand class of every series, where it is known.
    pub(super) classes: Vec<Option<DemandClass>>,
}

impl<'a> FoldErrors<'a> {
    pub(super) fn new(
        panel: &Panel,
        hierarchy: &Hierarchy,
        truth: &'a FoldTruth,
        yardstick: &'a Yardstick<'a>,
        forecasts: Vec<&'a Forecast>,
    ) -> Self {
        let (n, h) = (forecasts.len(), truth.horizon.steps());
        let context = panel.until(truth.fold.cutoff);
        let means: Vec<_> = forecasts.iter().map(|forecast| truth.scored_means(hierarchy, forecast).levels).collect();
        let products: Vec<Vec<_>> = yardstick
            .levels()
            .map(|(level, scales)| {
                let of_level = &truth.levels[level];
                let node = |node: usize| {
                    let actual = &of_level.actual[node * h..(node + 1) * h];
                    let steps: Vec<usize> = (0..h).filter(|step| !actual[*step].is_nan()).collect();
                    let products = scales[node].filter(|_| !steps.is_empty()).map(|scale| {
                        let error = |model: usize, step: usize| means[model][level][node * h + step] - actual[step];
                        let product = |j, k| steps.iter().map(|step| error(j, *step) * error(k, *step)).sum::<f64>();
                        (0..n * n).map(|at| product(at / n, at % n) / (steps.len() as f64 * scale)).collect()
                    });
                    (of_level.weight[node], products)
                };
                (0..of_level.weight.len()).into_par_iter().map(node).collect()
            })
            .collect();
        let bottom: &Vec<(f64, Option<Vec<f64>>)> = products.last().expect("the bottom is ranked");
        let own = |products: &Vec<f64>| (0..n).map(|k| products[k * n + k].max(0.0).sqrt().min(yardstick.most)).collect();
        let by_series = bottom.iter().map(|(_, products)| products.as_ref().map(own)).collect();
        let classes = hierarchy.series().par_iter().map(|id| class_of(&context, id)).collect();
        Self { truth, yardstick, context, forecasts, products, by_series, classes }
    }

    /// Weight of a series.
    pub(super) fn weight(&self, series: usize) -> f64 {
        self.truth.bottom().weight[series]
    }

    /// Returns the error of the weighted mean of the models, mean over the ranked levels.
    pub(super) fn score_weights(&self, weights: &[f64]) -> Option<f64> {
        let n = self.forecasts.len();
        mean(self.products.iter().filter_map(|nodes| {
            let rmsse = |products: &Vec<f64>| {
                let square: f64 = (0..n * n).map(|at| weights[at / n] * weights[at % n] * products[at]).sum();
                square.max(0.0).sqrt().min(self.yardstick.most)
            };
            let scores: Vec<Option<f64>> = nodes.iter().map(|(_, products)| products.as_ref().map(rmsse)).collect();
            let weights: Vec<f64> = nodes.iter().map(|(weight, _)| *weight).collect();
            weighted_mean(&scores, &weights)
        }))
    }

    /// Returns the forecast of a mix of the models considered.
    pub(super) fn combine(&self, mix: &Mix) -> Forecast {
        let of = |name: &str| *self.forecasts.iter().find(|forecast| forecast.model == name).expect("a mix of these models");
        let members: Vec<&Forecast> = mix.names().map(of).collect();
        mix.combine(&self.context, &members)
    }

    /// Returns the error of a mix, mean over the ranked levels.
    pub(super) fn score(&self, mix: &Mix) -> Option<f64> {
        self.yardstick.score(&self.combine(mix))
    }
}
