//! Whether several models together forecast better than the best one alone, and how they are mixed.
//!
//! Every way to make an ensemble ([`recipe::Recipe`]) is judged by cross-validation over the cutoffs: made of what all cutoffs but one say, and scored on
//! the one left out. The best single model is judged alike. The best way is adopted only if it wins there, and is then made again of all
//! cutoffs. What the leaderboard, the gate and the intervals see of the ensemble are the forecasts of the cutoffs left out.
//!
//! Not here: mixing (`mix`), the leaderboard's score (`leaderboard`), which is WRMSSE always.

mod fold;
mod recipe;
mod yardstick;

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use almanac_series::Panel;
use serde::{Deserialize, Serialize};

use crate::metrics::mean;
use crate::{FoldTruth, Mix};
use fold::FoldErrors;
use recipe::{MOST_ERROR, Recipe};
use yardstick::Yardstick;

/// Models that are considered at most, the best ones.
const MOST_MODELS: usize = 10;

/// What was chosen, and what speaks for it. Scores are means over the cutoffs left out in turn: WRMSSE where a hierarchy is declared, otherwise the
/// error of each series over the mean of all models'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleChoice {
    /// The ensemble where one was adopted, otherwise the best single model.
    pub mix: Mix,
    /// How the best candidate was made, e.g. `greedy selection` or `median of best 3`.
    pub method: String,
    /// Score of the best candidate.
    pub held_out_score: Option<f64>,
    /// Best model of all cutoffs.
    pub best_single: String,
    /// Score of the single model that is best on the other cutoffs.
    pub best_single_score: Option<f64>,
    /// Whether the ensemble won.
    pub adopted: bool,
    /// One sentence why.
    pub reason: String,
}

impl EnsembleChoice {
    /// Returns names and weights of the members of an adopted ensemble.
    pub fn members(&self) -> &[(String, f64)] {
        if self.adopted { &self.mix.members } else { &[] }
    }
}

/// Chooses between ensembles and single models. `forecasts[fold]`: bottom-level forecasts of the same models, in the same order, for `truths[fold]`,
/// oldest fold first. A model missing from some fold must be left out of all.
///
/// Returns the choice, and where an ensemble was adopted its forecast for each fold, of weights that have not seen that fold.
///
/// # Panics
/// If there is no fold or no model, or the folds hold different models: a bug of the caller.
pub fn choose_ensemble(
    panel: &Panel,
    hierarchy: &Hierarchy,
    truths: &[FoldTruth],
    forecasts: &[Vec<&Forecast>],
) -> (EnsembleChoice, Vec<Forecast>) {
    assert!(!truths.is_empty() && truths.len() == forecasts.len(), "forecasts for each fold");
    let names: Vec<&str> = forecasts[0].iter().map(|forecast| forecast.model.as_str()).collect();
    assert!(!names.is_empty(), "at least one model");
    for fold in forecasts {
        assert!(fold.iter().map(|forecast| forecast.model.as_str()).eq(names.iter().copied()), "the same models in every fold");
    }
    let distinct = distinct(forecasts);
    let forecasts: Vec<Vec<&Forecast>> = forecasts.iter().map(|fold| distinct.iter().map(|model| fold[*model]).collect()).collect();
    let names: Vec<&str> = distinct.iter().map(|model| names[*model]).collect();
    let yardsticks: Vec<Yardstick<'_>> =
        truths.iter().zip(&forecasts).map(|(truth, fold)| Yardstick::new(hierarchy, truth, fold)).collect();
    let singles: Vec<Vec<Option<f64>>> = yardsticks
        .iter()
        .zip(&forecasts)
        .map(|(yardstick, fold)| fold.iter().map(|forecast| yardstick.score(forecast)).collect())
        .collect();
    let single_score = |model: usize, left_out: Option<usize>| {
        let kept = singles.iter().enumerate().filter(|(fold, _)| Some(*fold) != left_out);
        mean(kept.filter_map(|(_, scores)| scores[model])).unwrap_or(f64::INFINITY)
    };
    let order_without = |left_out: Option<usize>| {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|a, b| single_score(*a, left_out).total_cmp(&single_score(*b, left_out)).then(a.cmp(b)));
        order
    };
    let order = order_without(None);
    let mut choice = EnsembleChoice {
        mix: Mix::single(names[order[0]]),
        method: "single".into(),
        held_out_score: None,
        best_single: names[order[0]].to_owned(),
        best_single_score: None,
        adopted: false,
        reason: String::new(),
    };
    if truths.len() == 1 {
        choice.best_single_score = singles[0][order[0]];
        choice.reason = "one fold only: nothing is held out to judge an ensemble by".into();
        return (choice, Vec::new());
    }
    // The single model that is best on the other cutoffs, on each.
    let single: Vec<Option<f64>> = (0..truths.len()).map(|fold| singles[fold][order_without(Some(fold))[0]]).collect();
    choice.best_single_score = mean(single.iter().copied().flatten());

    let mut considered = order[..order.len().min(MOST_MODELS)].to_vec();
    considered.sort_unstable();
    let names: Vec<&str> = considered.iter().map(|model| names[*model]).collect();
    let folds = truths.iter().zip(&forecasts).zip(&yardsticks).map(|((truth, fold), yardstick)| {
        let of_considered = considered.iter().map(|model| fold[*model]).collect();
        FoldErrors::new(panel, hierarchy, truth, yardstick, of_considered)
    });
    let folds: Vec<FoldErrors<'_>> = folds.collect();
    let all: Vec<&FoldErrors<'_>> = folds.iter().collect();
    let without = |left_out: usize| -> Vec<&FoldErrors<'_>> {
        folds.iter().enumerate().filter(|(fold, _)| *fold != left_out).map(|(_, fold)| fold).collect()
    };
    // Mixes of one recipe, each of all folds but one.
    let made =
        |recipe: Recipe| -> Option<Vec<Mix>> { (0..folds.len()).map(|fold| recipe.fit(hierarchy, &names, &without(fold))).collect() };
    let judged = Recipe::ALL.into_iter().filter_map(|recipe| {
        let mixes = made(recipe)?;
        let scores: Option<Vec<f64>> = folds.iter().zip(&mixes).map(|(fold, mix)| fold.score(mix)).collect();
        let scores = scores?;
        let wins = scores.iter().zip(&single).filter(|(score, single)| single.is_some_and(|single| **score < single)).count();
        Some(Judged { score: mean(scores.iter().copied())?, wins, recipe, mixes })
    });
    // One cutoff on which it is far better does not outweigh two on which it is worse.
    let is_usual = |judged: &Judged| 2 * judged.wins > folds.len();
    let best = judged.min_by(|a, b| is_usual(b).cmp(&is_usual(a)).then(a.score.total_cmp(&b.score)));
    let Some((judged, mix)) = best.and_then(|judged| {
        let mix = judged.recipe.fit(hierarchy, &names, &all)?;
        Some((judged, mix))
    }) else {
        choice.reason =
            format!("no other model is within {MOST_ERROR} times the error of `{}`: averaging would add noise", choice.best_single);
        return (choice, Vec::new());
    };
    choice.method = judged.recipe.name();
    choice.held_out_score = Some(judged.score);
    choice.adopted = is_usual(&judged) && choice.best_single_score.is_some_and(|single| judged.score < single);
    choice.reason = format!(
        "{} ({:.4}) {} the best single model ({}) by {}; each is chosen on the other cutoffs and scored on the one left out, {} in turn, of which \
         the ensemble wins {}",
        choice.method,
        judged.score,
        if choice.adopted { "beats" } else { "does not beat" },
        choice.best_single_score.map_or_else(|| "no score".to_owned(), |score| format!("{score:.4}")),
        yardsticks[0].name(),
        folds.len(),
        judged.wins
    );
    if !choice.adopted {
        return (choice, Vec::new());
    }
    choice.mix = mix;
    let out_of_fold = folds.iter().zip(&judged.mixes).map(|(fold, mix)| fold.combine(mix)).collect();
    (choice, out_of_fold)
}

/// A way to make an ensemble, as the cutoffs left out in turn judge it.
struct Judged {
    score: f64,
    /// Cutoffs on which it beats the single model that is best on the others.
    wins: usize,
    recipe: Recipe,
    /// Made of all cutoffs but one, for each.
    mixes: Vec<Mix>,
}

/// Returns the positions of models whose forecasts no earlier one gives too: the same under several names (seasonal naive without a season is naive)
/// is one opinion, not several.
fn distinct(forecasts: &[Vec<&Forecast>]) -> Vec<usize> {
    let same = |a: usize, b: usize| forecasts.iter().all(|fold| fold[a].mean == fold[b].mean && fold[a].series == fold[b].series);
    (0..forecasts[0].len()).filter(|model| !(0..*model).any(|earlier| same(earlier, *model))).collect()
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, Period};

    use super::*;
    use crate::mix::MixKind;
    use crate::simulate::{Noise, horizon, panel_of, season};
    use crate::{Fold, ScoreConfig};

    struct SetUp {
        panel: Panel,
        hierarchy: Hierarchy,
        truths: Vec<FoldTruth>,
    }

    impl SetUp {
        fn new(series: &[(&str, Vec<f64>)]) -> Self {
            let panel = panel_of(series);
            let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
            let config = ScoreConfig { season_length: season(1), price: None };
            let fold = |(index, at): (usize, &i64)| Fold { index, cutoff: Period(*at) };
            let truths = [69, 79, 89].iter().enumerate().map(|at| FoldTruth::new(&panel, &hierarchy, fold(at), horizon(10), &config));
            let truths = truths.collect();
            Self { panel, hierarchy, truths }
        }

        fn two() -> Self {
            let mut noise = Noise(5);
            let mut series = || (0..100).map(|_| noise.normal()).collect();
            Self::new(&[("a", series()), ("b", series())])
        }

        /// Truth plus an error that depends on series and step.
        fn forecast(&self, model: &str, fold: usize, error: impl Fn(usize, usize) -> f64) -> Forecast {
            let truth = &self.truths[fold];
            let mut forecast = Forecast::empty(model, Freq::Day, horizon(10), &[]);
            for (series, span) in self.panel.series().iter().enumerate() {
                let mean: Vec<f64> = (0..10).map(|step| truth.bottom().actual[series * 10 + step] + error(series, step)).collect();
                forecast.push(ForecastSpan { id: span.id.clone(), cutoff: truth.fold.cutoff }, &mean, &[]);
            }
            forecast
        }

        fn choose(&self, made: impl Fn(usize) -> Vec<Forecast>) -> (EnsembleChoice, Vec<Forecast>) {
            let folds: Vec<Vec<Forecast>> = (0..self.truths.len()).map(made).collect();
            let folds: Vec<Vec<&Forecast>> = folds.iter().map(|fold| fold.iter().collect()).collect();
            choose_ensemble(&self.panel, &self.hierarchy, &self.truths, &folds)
        }
    }

    #[test]
    fn opposite_errors_are_averaged_and_a_bad_model_is_left_out() {
        let set_up = SetUp::two();
        let (choice, forecasts) = set_up.choose(|fold| {
            let constant = |model, error: f64| set_up.forecast(model, fold, |_, _| error);
            vec![constant("bad", 50.0), constant("high", 1.0), constant("low", -1.2)]
        });
        assert!(choice.adopted, "{}", choice.reason);
        assert_eq!(choice.best_single, "high");
        assert!(choice.members().iter().all(|(model, _)| model != "bad"));
        assert!((choice.members().iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(choice.held_out_score < choice.best_single_score);
        assert_eq!(forecasts.len(), 3, "one forecast a fold");
    }

    #[test]
    fn a_model_far_behind_the_best_is_no_member_however_well_it_fits_in() {
        let set_up = SetUp::two();
        let (choice, forecasts) =
            set_up.choose(|fold| vec![set_up.forecast("near", fold, |_, _| 1.0), set_up.forecast("far", fold, |_, _| -1.8)]);
        assert_eq!(choice.mix, Mix::single("near"));
        assert!(choice.members().is_empty() && forecasts.is_empty());
        assert!(choice.reason.contains("would add noise"), "{}", choice.reason);
    }

    #[test]
    fn one_forecast_under_two_names_counts_once() {
        let set_up = SetUp::two();
        let (choice, _) = set_up.choose(|fold| {
            let constant = |model, error: f64| set_up.forecast(model, fold, |_, _| error);
            vec![constant("high", 1.0), constant("high_again", 1.0), constant("low", -1.2)]
        });
        let members: Vec<&str> = choice.members().iter().map(|(model, _)| model.as_str()).collect();
        assert_eq!(members, ["high", "low"], "{}", choice.reason);
    }

    #[test]
    fn an_ensemble_that_wins_on_some_cutoffs_and_fails_on_another_is_turned_down() {
        let set_up = SetUp::two();
        // Errors cancel in the older folds; in the newest the second model is far off.
        let (choice, _) = set_up.choose(|fold| {
            let off = if fold < 2 { -1.2 } else { 40.0 };
            vec![set_up.forecast("steady", fold, |_, _| 1.0), set_up.forecast("erratic", fold, |_, _| off)]
        });
        assert!(!choice.adopted);
        assert_eq!(choice.mix, Mix::single("steady"));
    }

    #[test]
    fn a_model_that_is_good_at_one_demand_class_is_taken_for_that_class() {
        let steady = |k: usize| (format!("s{k:02}"), (0..100).map(|t| 100.0 + ((t * 7 + k) % 5) as f64).collect());
        let seldom = |k: usize| (format!("z{k:02}"), (0..100).map(|t| if (t + k).is_multiple_of(3) { 50.0 } else { 0.0 }).collect());
        let series: Vec<(String, Vec<f64>)> = (0..12).map(steady).chain((0..12).map(seldom)).collect();
        let series: Vec<(&str, Vec<f64>)> = series.iter().map(|(id, y)| (id.as_str(), y.clone())).collect();
        let set_up = SetUp::new(&series);
        // Errors as large as the scale of each kind, of one sign, so that no mean of the two is as good.
        let (choice, _) = set_up.choose(|fold| {
            let good_at = |model, from: usize| {
                set_up.forecast(model, fold, move |series, _| {
                    let size = if series < 12 { 2.0 } else { 30.0 };
                    if (series < 12) == (from == 0) { 0.1 * size } else { size }
                })
            };
            vec![good_at("of_smooth", 0), good_at("of_seldom", 12)]
        });
        assert!(choice.adopted, "{}", choice.reason);
        assert_eq!(choice.method, "best model of each demand class");
        let MixKind::PerClass(weights) = &choice.mix.kind else { panic!("{:?}", choice.mix) };
        assert_eq!((&weights["smooth"][..], &weights["intermittent"][..]), (&[1.0, 0.0][..], &[0.0, 1.0][..]));
    }

    #[test]
    fn an_ensemble_that_wins_much_on_one_cutoff_and_little_on_none_is_turned_down() {
        let set_up = SetUp::two();
        // The mean of both is a little worse on two cutoffs and far better on one.
        let (choice, _) = set_up.choose(|fold| {
            let (steady, other) = if fold == 0 { (3.0, -3.0) } else { (1.0, 1.3) };
            vec![set_up.forecast("steady", fold, |_, _| steady), set_up.forecast("other", fold, |_, _| other)]
        });
        assert!(!choice.adopted, "{}", choice.reason);
        assert!(choice.reason.ends_with("of which the ensemble wins 1"), "{}", choice.reason);
    }

    #[test]
    fn with_one_fold_nothing_is_held_out_and_nothing_adopted() {
        let set_up = SetUp::two();
        let (high, low) = (set_up.forecast("high", 0, |_, _| 1.0), set_up.forecast("low", 0, |_, _| -1.2));
        let (choice, _) = choose_ensemble(&set_up.panel, &set_up.hierarchy, &set_up.truths[..1], &[vec![&high, &low]]);
        assert!(!choice.adopted && choice.reason.starts_with("one fold only"));
        assert_eq!(choice.best_single, "high");
    }

    #[test]
    fn products_give_the_same_score_as_the_mixed_forecast() {
        let set_up = SetUp::two();
        let members = [set_up.forecast("x", 0, |s, t| (s * 3 + t) as f64), set_up.forecast("y", 0, |s, t| s as f64 - 0.3 * t as f64)];
        let yardstick = Yardstick::new(&set_up.hierarchy, &set_up.truths[0], &[&members[0], &members[1]]);
        let fold = FoldErrors::new(&set_up.panel, &set_up.hierarchy, &set_up.truths[0], &yardstick, vec![&members[0], &members[1]]);
        let mix = Mix { members: vec![("x".into(), 0.25), ("y".into(), 0.75)], kind: MixKind::Mean };
        let score = yardstick.score(&fold.combine(&mix)).expect("scored");
        assert!((fold.score_weights(&[0.25, 0.75]).expect("scored") - score).abs() < 1e-12);
        assert!((fold.score(&mix).expect("scored") - score).abs() < 1e-12);
    }
}
