//! Which models to average, and with what weights.
//!
//! Candidates are made of models within 1.5 times the error of the best one and compared on the older folds only: equal-weight means of the best
//! k, weights inverse to the error, and greedy selection.
//! The best of them is adopted only if it beats the best single model, chosen on the same older folds, on the newest fold, which neither has
//! seen.
//!
//! Errors of an ensemble are linear in its weights, so a fold is kept as one small matrix of error products per node, and a candidate costs no
//! pass over the forecasts.
//!
//! Source of greedy selection: Caruana et al. (2004), "Ensemble selection from libraries of models".
//!
//! Not here: averaging (`combine`).

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use serde::{Deserialize, Serialize};

use crate::metrics::{mean, weighted_mean};
use crate::{FoldTruth, Leaderboard, combine};

/// Rounds of greedy selection; weights are multiples of one over the rounds taken.
const ROUNDS: usize = 20;
/// A model whose error is more than this multiple of the best one's is no member: what little it seems to add on a few folds is chance.
/// On M5, 6 % of naive won three cutoffs and lost 4 % on the next four weeks.
const MOST_ERROR: f64 = 1.5;

/// What was chosen, and what speaks for it. Scores are WRMSSE, mean over levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleChoice {
    /// Models and weights that sum to 1; the best single model alone where no ensemble was adopted.
    pub members: Vec<(String, f64)>,
    /// How the best candidate was made, e.g. `greedy` or `mean of best 3`.
    pub method: String,
    /// Score of the best candidate on the newest fold.
    pub held_out_score: Option<f64>,
    /// Best model of the older folds.
    pub best_single: String,
    /// Its score on the newest fold.
    pub best_single_score: Option<f64>,
    /// Whether the ensemble won on the newest fold.
    pub adopted: bool,
    /// One sentence why.
    pub reason: String,
}

/// Error products of one node: `products[j * n + k]` is the mean over scored steps of the errors of models j and k over the squared scale.
type NodeProducts = (f64, Option<Vec<f64>>);

/// One fold, level by level.
struct FoldProducts {
    n_models: usize,
    levels: Vec<Vec<NodeProducts>>,
}

impl FoldProducts {
    fn new(hierarchy: &Hierarchy, truth: &FoldTruth, forecasts: &[&Forecast]) -> Self {
        let (n, h) = (forecasts.len(), truth.horizon.steps());
        let means: Vec<_> = forecasts.iter().map(|forecast| truth.scored_means(hierarchy, forecast).levels).collect();
        let levels = truth.levels.iter().enumerate().map(|(level, level_truth)| {
            let nodes = level_truth.actual.chunks_exact(h).enumerate().map(|(node, actual)| {
                let steps: Vec<usize> = (0..h).filter(|step| !actual[*step].is_nan()).collect();
                let scale = level_truth.rmsse_scale[node].filter(|_| !steps.is_empty());
                let products = scale.map(|scale| {
                    let error = |model: usize, step: usize| means[model][level][node * h + step] - actual[step];
                    let product = |j, k| steps.iter().map(|step| error(j, *step) * error(k, *step)).sum::<f64>();
                    (0..n * n).map(|at| product(at / n, at % n) / (steps.len() as f64 * scale)).collect()
                });
                (level_truth.value[node], products)
            });
            nodes.collect()
        });
        Self { n_models: n, levels: levels.collect() }
    }

    /// Returns WRMSSE of the weighted mean of the models, mean over levels.
    fn score(&self, weights: &[f64]) -> Option<f64> {
        let n = self.n_models;
        mean(self.levels.iter().filter_map(|nodes| {
            let rmsse = |products: &Vec<f64>| {
                let square: f64 = (0..n * n).map(|at| weights[at / n] * weights[at % n] * products[at]).sum();
                square.max(0.0).sqrt()
            };
            let scores: Vec<Option<f64>> = nodes.iter().map(|(_, products)| products.as_ref().map(rmsse)).collect();
            let values: Vec<f64> = nodes.iter().map(|(value, _)| *value).collect();
            weighted_mean(&scores, &values)
        }))
    }
}

/// Chooses between ensembles and single models. `forecasts[fold]`: bottom-level forecasts of the same models, in the same order, for `truths[fold]`,
/// oldest fold first. A model missing from some fold must be left out of all.
///
/// # Panics
/// If there is no fold or no model, or the folds hold different models: a bug of the caller.
pub fn choose_ensemble(hierarchy: &Hierarchy, truths: &[FoldTruth], forecasts: &[Vec<&Forecast>]) -> EnsembleChoice {
    assert!(!truths.is_empty() && truths.len() == forecasts.len(), "forecasts for each fold");
    let names: Vec<String> = forecasts[0].iter().map(|forecast| forecast.model.clone()).collect();
    assert!(!names.is_empty(), "at least one model");
    for fold in forecasts {
        assert!(fold.iter().map(|forecast| &forecast.model).eq(&names), "the same models in every fold");
    }
    let newest = truths.len() - 1;
    let n = names.len();
    let fitted_on = if newest == 0 { 0..1 } else { 0..newest };
    let older: Vec<FoldProducts> = fitted_on.map(|fold| FoldProducts::new(hierarchy, &truths[fold], &forecasts[fold])).collect();
    let older_score = |weights: &[f64]| mean(older.iter().filter_map(|fold| fold.score(weights))).unwrap_or(f64::INFINITY);

    let singles: Vec<f64> = (0..n).map(|model| older_score(&only(model, n))).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| singles[*a].total_cmp(&singles[*b]).then(a.cmp(b)));
    let best = order[0];
    let mut choice = EnsembleChoice {
        members: vec![(names[best].clone(), 1.0)],
        method: "single".into(),
        held_out_score: None,
        best_single: names[best].clone(),
        best_single_score: None,
        adopted: false,
        reason: String::new(),
    };
    let held_out = |forecast: &Forecast| Leaderboard::new(hierarchy, &truths[newest..], &[(0, forecast)], &[]).overall[0].score;
    choice.best_single_score = held_out(forecasts[newest][best]);
    if newest == 0 {
        choice.reason = "one fold only: nothing is held out to judge an ensemble by".into();
        return choice;
    }

    let eligible: Vec<usize> = order.iter().copied().filter(|model| singles[*model] <= MOST_ERROR * singles[best]).collect();
    let candidate = candidates(&singles, &eligible, &older_score)
        .into_iter()
        .map(|(method, weights)| (older_score(&weights), method, weights))
        .min_by(|(a, ..), (b, ..)| a.total_cmp(b));
    let Some((_, method, weights)) = candidate else {
        choice.reason =
            format!("no other model is within {MOST_ERROR} times the error of `{}`: averaging would add noise", choice.best_single);
        return choice;
    };
    choice.held_out_score = held_out(&combine(&forecasts[newest], &weights));
    choice.adopted = match (choice.held_out_score, choice.best_single_score) {
        (Some(ensemble), Some(single)) => ensemble < single,
        _ => false,
    };
    let versus = |score: Option<f64>| score.map_or_else(|| "no score".to_owned(), |score| format!("{score:.4}"));
    let verdict = if choice.adopted { "beats" } else { "does not beat" };
    choice.reason = format!(
        "{method} ({}) {verdict} `{}` ({}) on the newest fold, which neither has seen",
        versus(choice.held_out_score),
        choice.best_single,
        versus(choice.best_single_score)
    );
    choice.method = method;
    if choice.adopted {
        choice.members = names.into_iter().zip(weights).filter(|(_, weight)| *weight > 0.0).collect();
    }
    choice
}

fn only(model: usize, n: usize) -> Vec<f64> {
    (0..n).map(|k| f64::from(u8::from(k == model))).collect()
}

/// Returns candidates of at least two models, as (how it was made, weights that sum to 1). `order`: eligible models, best first.
fn candidates(singles: &[f64], order: &[usize], score: &dyn Fn(&[f64]) -> f64) -> Vec<(String, Vec<f64>)> {
    let n = singles.len();
    if order.len() < 2 {
        return Vec::new();
    }
    let mut candidates = Vec::new();
    for k in 2..=order.len().min(5) {
        let mut weights = vec![0.0; n];
        for model in &order[..k] {
            weights[*model] = 1.0 / k as f64;
        }
        candidates.push((format!("mean of best {k}"), weights));
    }
    let mut inverse = vec![0.0; n];
    for model in order.iter().filter(|model| singles[**model].is_finite()) {
        inverse[*model] = 1.0 / singles[*model].max(1e-12);
    }
    let total: f64 = inverse.iter().sum();
    if total > 0.0 {
        candidates.push(("weights inverse to the error".into(), inverse.iter().map(|weight| weight / total).collect()));
    }
    let greedy = greedy(order, n, score);
    if greedy.iter().filter(|weight| **weight > 0.0).count() > 1 {
        candidates.push(("greedy selection".into(), greedy));
    }
    candidates
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

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, Period};

    use super::*;
    use crate::simulate::{Noise, horizon, panel_of, season};
    use crate::{Fold, ScoreConfig};

    fn set_up() -> (Hierarchy, Vec<FoldTruth>) {
        let mut noise = Noise(5);
        let panel = panel_of(&[("a", (0..100).map(|_| noise.normal()).collect()), ("b", (0..100).map(|_| noise.normal()).collect())]);
        let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
        let config = ScoreConfig { season_length: season(1), price: None };
        let truths = [79, 89].iter().enumerate();
        let truths =
            truths.map(|(index, at)| FoldTruth::new(&panel, &hierarchy, Fold { index, cutoff: Period(*at) }, horizon(10), &config));
        let truths = truths.collect();
        (hierarchy, truths)
    }

    /// Truth plus an error that depends on fold, series and step.
    fn forecast(model: &str, truth: &FoldTruth, error: impl Fn(usize, usize) -> f64) -> Forecast {
        let mut forecast = Forecast::empty(model, Freq::Day, horizon(10), &[]);
        for (series, id) in ["a", "b"].iter().enumerate() {
            let mean: Vec<f64> = (0..10).map(|step| truth.bottom().actual[series * 10 + step] + error(series, step)).collect();
            forecast.push(ForecastSpan { id: (*id).into(), cutoff: truth.fold.cutoff }, &mean, &[]);
        }
        forecast
    }

    #[test]
    fn opposite_errors_are_averaged_and_a_bad_model_is_left_out() {
        let (hierarchy, truths) = set_up();
        let folds: Vec<Vec<Forecast>> = truths
            .iter()
            .map(|truth| {
                vec![forecast("bad", truth, |_, _| 50.0), forecast("high", truth, |_, _| 1.0), forecast("low", truth, |_, _| -1.2)]
            })
            .collect();
        let folds: Vec<Vec<&Forecast>> = folds.iter().map(|fold| fold.iter().collect()).collect();
        let choice = choose_ensemble(&hierarchy, &truths, &folds);
        assert!(choice.adopted, "{}", choice.reason);
        assert_eq!(choice.best_single, "high");
        assert!(choice.members.iter().all(|(model, _)| model != "bad"));
        assert!((choice.members.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(choice.held_out_score < choice.best_single_score);
    }

    #[test]
    fn a_model_far_behind_the_best_is_no_member_however_well_it_fits_in() {
        let (hierarchy, truths) = set_up();
        let made = |truth| vec![forecast("near", truth, |_, _| 1.0), forecast("far", truth, |_, _| -1.8)];
        let folds: Vec<Vec<Forecast>> = truths.iter().map(made).collect();
        let folds: Vec<Vec<&Forecast>> = folds.iter().map(|fold| fold.iter().collect()).collect();
        let choice = choose_ensemble(&hierarchy, &truths, &folds);
        assert_eq!(choice.members, [("near".to_owned(), 1.0)]);
        assert!(choice.reason.contains("would add noise"), "{}", choice.reason);
    }

    #[test]
    fn an_ensemble_that_wins_only_on_the_older_folds_is_turned_down() {
        let (hierarchy, truths) = set_up();
        // Errors cancel in the older fold; in the newest the second model is far off.
        let folds: Vec<Vec<Forecast>> = truths
            .iter()
            .map(|truth| {
                let off = if truth.fold.index == 0 { -1.2 } else { 40.0 };
                vec![forecast("steady", truth, |_, _| 1.0), forecast("erratic", truth, |_, _| off)]
            })
            .collect();
        let folds: Vec<Vec<&Forecast>> = folds.iter().map(|fold| fold.iter().collect()).collect();
        let choice = choose_ensemble(&hierarchy, &truths, &folds);
        assert!(!choice.adopted);
        assert_eq!(choice.members, [("steady".to_owned(), 1.0)]);
        assert!(choice.reason.contains("does not beat `steady`"));
    }

    #[test]
    fn with_one_fold_nothing_is_held_out_and_nothing_adopted() {
        let (hierarchy, truths) = set_up();
        let (high, low) = (forecast("high", &truths[0], |_, _| 1.0), forecast("low", &truths[0], |_, _| -1.2));
        let choice = choose_ensemble(&hierarchy, &truths[..1], &[vec![&high, &low]]);
        assert!(!choice.adopted && choice.reason.starts_with("one fold only"));
        assert_eq!(choice.best_single, "high");
    }

    #[test]
    fn products_give_the_same_score_as_the_combined_forecast() {
        let (hierarchy, truths) = set_up();
        let members = [forecast("x", &truths[0], |s, t| (s * 3 + t) as f64), forecast("y", &truths[0], |s, t| s as f64 - 0.3 * t as f64)];
        let products = FoldProducts::new(&hierarchy, &truths[0], &[&members[0], &members[1]]);
        let whole = combine(&[&members[0], &members[1]], &[0.25, 0.75]);
        let score = Leaderboard::new(&hierarchy, &truths[..1], &[(0, &whole)], &[]).overall[0].score.expect("scored");
        assert!((products.score(&[0.25, 0.75]).expect("scored") - score).abs() < 1e-12);
    }
}
