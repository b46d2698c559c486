//! The leaderboard: every model at every level of the hierarchy, over folds and horizon buckets.
//!
//! Models are ranked by WRMSSE as in M5: the plain mean over the levels of the value-weighted RMSSE, here also over the folds. Where no hierarchy is
//! declared, the series alone count, without a price each as much as the other: the total of what nobody called a whole ranks nothing.
//!
//! Not here: scores of one fold (`score`), what may be promoted (`gates`).

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::metrics::{bias, mean, rmsse, wape};
use crate::{FoldTruth, score_level};

/// Scores of one model at one level over a range of steps, of one fold or the mean of all its folds. Fractions, not percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// Name of the model.
    pub model: String,
    /// Name of the hierarchy level.
    pub level: String,
    /// First step, from 1.
    pub horizon_from: usize,
    /// Last step, inclusive.
    pub horizon_to: usize,
    /// Index of the fold, or `None` for the mean of all.
    pub fold: Option<usize>,
    /// Number of folds in the row.
    pub folds: usize,
    /// Nodes of the level with a scored actual; the least of the folds.
    pub n_series: usize,
    /// Series with actuals that the model did not forecast (counted as forecasts of 0); the most of the folds.
    pub n_missing: usize,
    /// Mean absolute scaled error, mean over nodes.
    pub mase: Option<f64>,
    /// Root mean squared scaled error, mean over nodes.
    pub rmsse: Option<f64>,
    /// Root mean squared scaled error, weighted ([`crate::LevelTruth::weight`]).
    pub wrmsse: Option<f64>,
    /// Weighted absolute percentage error.
    pub wape: Option<f64>,
    /// Bias; positive means too high.
    pub bias: Option<f64>,
    /// Root mean squared percentage error.
    pub rmspe: Option<f64>,
    /// Symmetric mean absolute percentage error.
    pub smape: Option<f64>,
    /// Weighted quantile loss of the model's own quantiles; at the bottom only.
    pub wql: Option<f64>,
    /// (nominal level, empirical coverage) of the model's own quantiles; at the bottom only.
    pub coverage: Vec<(f64, f64)>,
}

/// The score by which models are ranked and gated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverallScore {
    /// Name of the model.
    pub model: String,
    /// Mean over the ranked levels and the folds of WRMSSE; `None` if no node has a scale.
    pub score: Option<f64>,
    /// Fold and its mean over the ranked levels, oldest first.
    pub per_fold: Vec<(usize, Option<f64>)>,
}

/// Scores of all models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leaderboard {
    /// Best first; models that lack a fold come after those that do not.
    pub overall: Vec<OverallScore>,
    /// Means over folds, by model (best first), level and bucket; the whole horizon comes first.
    pub rows: Vec<LeaderboardRow>,
    /// The same per fold.
    pub fold_rows: Vec<LeaderboardRow>,
}

impl Leaderboard {
    /// Scores bottom-level forecasts. `forecasts`: (position in `truths`, forecast), any order, any models. `buckets`: ranges of steps from 1,
    /// inclusive, beside the whole horizon.
    pub fn new(hierarchy: &Hierarchy, truths: &[FoldTruth], forecasts: &[(usize, &Forecast)], buckets: &[(usize, usize)]) -> Self {
        let mut scored: Vec<Vec<LeaderboardRow>> = forecasts
            .par_iter()
            .map(|(fold, forecast)| {
                let truth = &truths[*fold];
                let means = truth.scored_means(hierarchy, forecast);
                let ranges: Vec<(usize, usize)> = std::iter::once((1, truth.horizon.steps())).chain(buckets.iter().copied()).collect();
                let levels = (0..hierarchy.levels().len()).into_par_iter();
                levels
                    .flat_map_iter(|level| ranges.iter().map(move |range| (level, *range)))
                    .map(|(level, range)| score_level(truth, hierarchy, level, forecast, &means, range))
                    .collect()
            })
            .collect();
        scored.sort_by(|a, b| {
            let key = |rows: &[LeaderboardRow]| rows.first().map(|row| (row.model.clone(), row.fold));
            key(a).cmp(&key(b))
        });
        let by_model: Vec<&[Vec<LeaderboardRow>]> = scored.chunk_by(|a, b| a[0].model == b[0].model).collect();

        let mut ranked: Vec<(OverallScore, &[Vec<LeaderboardRow>])> =
            by_model.into_iter().map(|folds| (overall(hierarchy, folds), folds)).collect();
        ranked.sort_by(|(a, _), (b, _)| {
            let incomplete = |score: &OverallScore| score.per_fold.len() < truths.len();
            let value = |score: &OverallScore| score.score.unwrap_or(f64::INFINITY);
            incomplete(a).cmp(&incomplete(b)).then(value(a).total_cmp(&value(b))).then(a.model.cmp(&b.model))
        });
        let rows = ranked.iter().flat_map(|(_, folds)| mean_rows(folds)).collect();
        let fold_rows = ranked.iter().flat_map(|(_, folds)| folds.iter().flatten().cloned()).collect();
        Self { overall: ranked.into_iter().map(|(score, _)| score).collect(), rows, fold_rows }
    }

    /// Returns the best model's name, if there is any with a score.
    pub fn best(&self) -> Option<&str> {
        self.overall.first().filter(|best| best.score.is_some()).map(|best| best.model.as_str())
    }

    /// Returns the overall score of a model.
    pub fn overall_of(&self, model: &str) -> Option<&OverallScore> {
        self.overall.iter().find(|score| score.model == model)
    }

    /// Returns the row of a model at a level over its whole horizon, the mean of all folds.
    pub fn row(&self, model: &str, level: &str) -> Option<&LeaderboardRow> {
        self.rows.iter().find(|row| row.model == model && row.level == level)
    }
}

fn overall(hierarchy: &Hierarchy, folds: &[Vec<LeaderboardRow>]) -> OverallScore {
    let ranked: Vec<&str> = hierarchy.ranked_levels().map(|level| hierarchy.levels()[level].name.as_str()).collect();
    let whole = |rows: &[LeaderboardRow]| {
        let horizon = rows.iter().map(|row| row.horizon_to).max().unwrap_or(0);
        let counts = |row: &&LeaderboardRow| row.horizon_from == 1 && row.horizon_to == horizon && ranked.contains(&row.level.as_str());
        mean(rows.iter().filter(counts).filter_map(|row| row.wrmsse))
    };
    let per_fold: Vec<(usize, Option<f64>)> = folds.iter().map(|rows| (rows[0].fold.unwrap_or(0), whole(rows))).collect();
    OverallScore { model: folds[0][0].model.clone(), score: mean(per_fold.iter().filter_map(|(_, score)| *score)), per_fold }
}

fn mean_rows(folds: &[Vec<LeaderboardRow>]) -> Vec<LeaderboardRow> {
    (0..folds[0].len())
        .map(|k| {
            let rows = || folds.iter().filter_map(|rows| rows.get(k));
            let pooled = |score: fn(&LeaderboardRow) -> Option<f64>| mean(rows().filter_map(score));
            let first = &folds[0][k];
            let coverage = first.coverage.iter().enumerate().filter_map(|(pair, (level, _))| {
                Some((*level, mean(rows().filter_map(|row| row.coverage.get(pair).map(|(_, empirical)| *empirical)))?))
            });
            LeaderboardRow {
                fold: None,
                folds: folds.len(),
                n_series: rows().map(|row| row.n_series).min().unwrap_or(0),
                n_missing: rows().map(|row| row.n_missing).max().unwrap_or(0),
                mase: pooled(|row| row.mase),
                rmsse: pooled(|row| row.rmsse),
                wrmsse: pooled(|row| row.wrmsse),
                wape: pooled(|row| row.wape),
                bias: pooled(|row| row.bias),
                rmspe: pooled(|row| row.rmspe),
                smape: pooled(|row| row.smape),
                wql: pooled(|row| row.wql),
                coverage: coverage.collect(),
                ..first.clone()
            }
        })
        .collect()
}

/// How wrong a model was for one node, pooled over folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeError {
    /// Key of the node; at the bottom that of the series.
    pub unique_id: String,
    /// Value of the last `horizon` training rows of the newest fold.
    pub value: f64,
    /// Weighted absolute percentage error.
    pub wape: Option<f64>,
    /// Root mean squared scaled error, mean over folds.
    pub rmsse: Option<f64>,
    /// Bias; positive means too high.
    pub bias: Option<f64>,
}

/// Returns the errors of one model for every node of a level, in the level's order. `folds`: truth and the model's bottom-level forecast.
pub fn node_errors(hierarchy: &Hierarchy, level: usize, folds: &[(&FoldTruth, &Forecast)]) -> Vec<NodeError> {
    let means: Vec<_> = folds.iter().map(|(truth, forecast)| truth.scored_means(hierarchy, forecast)).collect();
    let newest = folds.iter().map(|(truth, _)| *truth).max_by_key(|truth| truth.fold.cutoff);
    let errors = hierarchy.levels()[level].nodes.par_iter().enumerate().map(|(node, key)| {
        let (mut actual, mut predicted, mut rmsses) = (Vec::new(), Vec::new(), Vec::new());
        for ((truth, _), means) in folds.iter().zip(&means) {
            let rows = node * truth.horizon.steps()..(node + 1) * truth.horizon.steps();
            let (y, f) = (&truth.levels[level].actual[rows.clone()], &means.levels[level][rows]);
            rmsses.extend(rmsse(y, f, truth.levels[level].rmsse_scale[node]));
            actual.extend_from_slice(y);
            predicted.extend_from_slice(f);
        }
        NodeError {
            unique_id: key.as_str().to_owned(),
            value: newest.map_or(0.0, |truth| truth.levels[level].value[node]),
            wape: wape(&actual, &predicted),
            rmsse: mean(rmsses.into_iter()),
            bias: bias(&actual, &predicted),
        }
    });
    errors.collect()
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, Panel, Period, Quantile};

    use super::*;
    use crate::simulate::{horizon, panel_of, season};
    use crate::{Fold, ScoreConfig, default_buckets};

    fn panel() -> Panel {
        let saw = |height: f64| (0..30).map(|t| height * f64::from(t % 2)).collect();
        panel_of(&[("big", saw(30.0)), ("small", saw(1.0))])
    }

    fn truths(panel: &Panel, hierarchy: &Hierarchy) -> Vec<FoldTruth> {
        let config = ScoreConfig { season_length: season(1), price: None };
        let folds = [(0, 21), (1, 25)].map(|(index, cutoff)| Fold { index, cutoff: Period(cutoff) });
        folds.map(|fold| FoldTruth::new(panel, hierarchy, fold, horizon(4), &config)).into()
    }

    /// Errs by `error` on `big` and is right on `small`.
    fn forecast(model: &str, cutoff: i64, error: f64) -> Forecast {
        let quantiles = [0.1, 0.9].map(|p| Quantile::new(p).expect("in range"));
        let mut forecast = Forecast::empty(model, Freq::Day, horizon(4), &quantiles);
        for (id, height, error) in [("big", 30.0, error), ("small", 1.0, 0.0)] {
            let mean: Vec<f64> = (1..=4).map(|step| height * ((cutoff + step) % 2) as f64 + error).collect();
            let bounds: Vec<f64> = mean.iter().flat_map(|mean| [mean - 1.0, mean + 1.0]).collect();
            forecast.push(ForecastSpan { id: id.into(), cutoff: Period(cutoff) }, &mean, &bounds);
        }
        forecast
    }

    #[test]
    fn models_are_ranked_by_wrmsse_of_the_series_over_all_folds() {
        let panel = panel();
        let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
        let truths = truths(&panel, &hierarchy);
        let forecasts: Vec<Forecast> = [("poor", 9.0), ("good", 3.0)]
            .iter()
            .flat_map(|(model, error)| [21, 25].map(|cutoff| forecast(model, cutoff, *error)))
            .collect();
        let pairs: Vec<(usize, &Forecast)> = forecasts.iter().enumerate().map(|(k, forecast)| (k % 2, forecast)).collect();
        let board = Leaderboard::new(&hierarchy, &truths, &pairs, &default_buckets(horizon(4)));
        assert_eq!(board.best(), Some("good"));
        // Every naive step errs by 30 for `big`; `small` is right, and weighs as much. The total ranks nothing: no hierarchy is declared.
        let expected = f64::midpoint(3.0 / 30.0, 0.0);
        assert!((board.overall[0].score.expect("scored") - expected).abs() < 1e-12);
        let bottom = board.row("good", "bottom").expect("there is a bottom");
        assert_eq!((bottom.folds, bottom.n_series, bottom.n_missing), (2, 2, 0));
        let total = board.row("good", "total").and_then(|row| row.wrmsse).expect("there is a total");
        assert!((total - 3.0 / 31.0).abs() < 1e-12);
        assert_eq!(bottom.coverage, [(0.8, 0.5)], "`small` is covered, `big` is not");
        assert!((bottom.rmsse.expect("scored") - 0.05).abs() < 1e-12);
        assert_eq!(board.rows.len(), 2 * 2 * 4);
        assert_eq!(board.fold_rows.len(), 2 * board.rows.len());

        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
        assert_eq!(alone.install(|| Leaderboard::new(&hierarchy, &truths, &pairs, &default_buckets(horizon(4)))), board);
        let text = serde_json::to_string(&board).expect("plain data");
        assert_eq!(serde_json::from_str::<Leaderboard>(&text).expect("what was written"), board);
    }

    #[test]
    fn a_model_that_lacks_a_fold_is_ranked_after_those_that_do_not() {
        let panel = panel();
        let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
        let truths = truths(&panel, &hierarchy);
        let (lucky, first, second) = (forecast("lucky", 25, 0.1), forecast("steady", 21, 5.0), forecast("steady", 25, 5.0));
        let board = Leaderboard::new(&hierarchy, &truths, &[(1, &lucky), (0, &first), (1, &second)], &[]);
        assert_eq!(board.best(), Some("steady"));
    }

    #[test]
    fn errors_of_each_series_are_pooled_over_folds() {
        let panel = panel();
        let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
        let truths = truths(&panel, &hierarchy);
        let forecasts = [forecast("m", 21, 3.0), forecast("m", 25, 3.0)];
        let errors = node_errors(&hierarchy, hierarchy.bottom(), &[(&truths[0], &forecasts[0]), (&truths[1], &forecasts[1])]);
        assert_eq!(errors[0].unique_id, "big");
        assert_eq!(errors[0].value, 60.0);
        assert_eq!((errors[0].wape, errors[0].bias), (Some(0.2), Some(0.2)));
        assert_eq!(errors[1].wape, Some(0.0));
    }
}
