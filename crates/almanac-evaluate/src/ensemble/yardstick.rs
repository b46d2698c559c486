//! By what the errors of one fold are measured when ensembles are compared.
//!
//! In a declared hierarchy it is WRMSSE over its levels, as on the leaderboard: that is what counts in the end. Series that nobody called parts of
//! a whole are measured each by what the models at hand make of it: the root mean squared error over the mean of all models', at most
//! [`MOST_RELATIVE`]. Against a naive step of their own past a few calm series that moved would outweigh all others; with three cutoffs,
//! such few decided between ensembles by chance.

use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use rayon::prelude::*;

use crate::FoldTruth;
use crate::metrics::{mean, rmsse, weighted_mean};

/// One series counts for no more than this, however far off a model is.
const MOST_RELATIVE: f64 = 3.0;

/// Scales of the errors of one fold.
pub(super) struct Yardstick<'a> {
    hierarchy: &'a Hierarchy,
    truth: &'a FoldTruth,
    /// Squared scales by ranked level, the bottom last, and node.
    scales: Vec<Vec<Option<f64>>>,
    /// Most that a node may count for.
    pub(super) most: f64,
}

impl<'a> Yardstick<'a> {
    /// `forecasts`: all models at hand.
    pub(super) fn new(hierarchy: &'a Hierarchy, truth: &'a FoldTruth, forecasts: &[&Forecast]) -> Self {
        if hierarchy.is_declared() {
            let scales = hierarchy.ranked_levels().map(|level| truth.levels[level].rmsse_scale.clone()).collect();
            return Self { hierarchy, truth, scales, most: f64::INFINITY };
        }
        let errors: Vec<Vec<Option<f64>>> = forecasts
            .par_iter()
            .map(|forecast| {
                let means = truth.scored_means(hierarchy, forecast).levels.pop().expect("there is a bottom");
                let h = truth.horizon.steps();
                let error = |rows: std::ops::Range<usize>| rmsse(&truth.bottom().actual[rows.clone()], &means[rows], Some(1.0));
                (0..hierarchy.n_series()).map(|series| error(series * h..(series + 1) * h)).collect()
            })
            .collect();
        let of_series = |series: usize| mean(errors.iter().filter_map(|errors| errors[series])).filter(|error| *error > 0.0);
        let scales = (0..hierarchy.n_series()).map(|series| of_series(series).map(|error| error * error)).collect();
        Self { hierarchy, truth, scales: vec![scales], most: MOST_RELATIVE }
    }

    /// Returns the squared scales of the ranked levels, the bottom last.
    pub(super) fn levels(&self) -> impl Iterator<Item = (usize, &[Option<f64>])> {
        self.hierarchy.ranked_levels().zip(self.scales.iter().map(Vec::as_slice))
    }

    /// Returns the error of a forecast, mean over the ranked levels.
    pub(super) fn score(&self, forecast: &Forecast) -> Option<f64> {
        let h = self.truth.horizon.steps();
        let means = self.truth.scored_means(self.hierarchy, forecast).levels;
        mean(self.levels().filter_map(|(level, scales)| {
            let (truth, means) = (&self.truth.levels[level], &means[level]);
            let node = |node: usize| {
                let rows = node * h..(node + 1) * h;
                rmsse(&truth.actual[rows.clone()], &means[rows], scales[node]).map(|error| error.min(self.most))
            };
            let scores: Vec<Option<f64>> = (0..truth.weight.len()).map(node).collect();
            weighted_mean(&scores, &truth.weight)
        }))
    }

    /// Returns what the measure is called.
    pub(super) fn name(&self) -> &'static str {
        if self.hierarchy.is_declared() { "WRMSSE" } else { "error of each series over the mean of all models'" }
    }
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, Period};

    use super::*;
    use crate::simulate::{horizon, panel_of, season};
    use crate::{Fold, ScoreConfig};

    #[test]
    fn a_calm_series_that_moved_does_not_outweigh_the_others() {
        // `calm` had naive steps of 0.01 on the mean, and then rose by 50.
        let noisy = |t: usize| 100.0 + 10.0 * ((t * 7) % 5) as f64;
        let calm = |t: usize| if t < 30 { 5.0 + 0.01 * (t % 2) as f64 } else { 55.0 };
        let series = |y: &dyn Fn(usize) -> f64| (0..34).map(y).collect::<Vec<f64>>();
        let panel = panel_of(&[("a", series(&noisy)), ("b", series(&noisy)), ("calm", series(&calm))]);
        let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
        let config = ScoreConfig { season_length: season(1), price: None };
        let truth = FoldTruth::new(&panel, &hierarchy, Fold { index: 0, cutoff: Period(29) }, horizon(4), &config);
        let forecast = |model: &str, of_noisy: f64, of_calm: f64| {
            let mut forecast = Forecast::empty(model, Freq::Day, horizon(4), &[]);
            for (id, error) in [("a", of_noisy), ("b", of_noisy), ("calm", of_calm)] {
                let y = |step: usize| if id == "calm" { calm(30 + step) } else { noisy(30 + step) };
                let mean: Vec<f64> = (0..4).map(|step| y(step) + error).collect();
                forecast.push(ForecastSpan { id: id.into(), cutoff: Period(29) }, &mean, &[]);
            }
            forecast
        };
        let (good, lucky) = (forecast("good", 1.0, 50.0), forecast("lucky", 8.0, 49.0));
        let yardstick = Yardstick::new(&hierarchy, &truth, &[&good, &lucky]);
        assert!(yardstick.score(&good) < yardstick.score(&lucky), "1 % of one series is less than a factor of eight on two");
        let (of_good, of_lucky) = (yardstick.score(&good).expect("scored"), yardstick.score(&lucky).expect("scored"));
        assert!((of_good - (2.0 * 1.0 / 4.5 + 50.0 / 49.5) / 3.0).abs() < 1e-12, "{of_good}");
        assert!((of_lucky - (2.0 * 8.0 / 4.5 + 49.0 / 49.5) / 3.0).abs() < 1e-12, "{of_lucky}");
        let wild = forecast("wild", 1e6, 1.0);
        let score = Yardstick::new(&hierarchy, &truth, &[&good, &good, &good, &good, &wild]).score(&wild).expect("scored");
        assert!(score <= MOST_RELATIVE, "{score}");
    }
}
