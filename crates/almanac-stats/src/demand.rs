//! What the models of intermittent demand share: sizes, intervals, and a predictive distribution that stays at 0 or above.
//!
//! Only scored rows count, one after the other: a row that is not scored is no row without demand, and so neither lengthens
//! an interval nor lowers a probability. A demand is any value other than 0. One scored row, or one value throughout, is
//! forecast as by [`Naive`](crate::Naive).
//!
//! Quantiles. Where a history has zeros and nothing below them, a normal around the mean would promise negative sales and miss
//! the zeros. Instead each row to come is a hurdle: 0 with probability `1 - p`, else a size drawn from those of the past, where
//! a size weighs `(1 - α)^k` after `k` younger ones, as in the smoothed size. `p` is the forecast mean over the mean of that
//! distribution, so that the two agree; where that is above 1, `p` is 1 and the sizes grow in proportion. So the quantiles are
//! sizes that were sold (packs of six stay packs of six), scale with the data, and are the same at every step, as the mean is.
//! What is uncertain about the mean itself is left out. Other histories have normal quantiles with the variance of
//! simple exponential smoothing.

use almanac_model::{FitError, LocalForecast};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::history::History;
use crate::predictive::Predictive;
use crate::{naive, ses};

/// Smoothing of sizes where a model has none of its own, and that of the sizes' weights: Croston's.
pub(crate) const ALPHA: f64 = 0.1;
/// Bounds within which statsforecast optimises the smoothing of sizes and intervals.
pub(crate) const BOUNDS: (f64, f64) = (0.1, 0.3);

/// A history with at least one demand, without its unscored rows.
#[derive(Debug, Clone)]
pub(crate) struct Demand {
    pub(crate) values: Vec<f64>,
    /// Values other than 0.
    pub(crate) sizes: Vec<f64>,
    /// Rows from the demand before, or from the start, to each demand; 1 or more.
    pub(crate) intervals: Vec<f64>,
}

/// The mean of every step, and the smoothing that the spread of series without zeros is that of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) alpha: f64,
}

impl Demand {
    pub(crate) fn of(history: &History) -> Self {
        let values: Vec<f64> = history.scored().map(|(_, y)| y).collect();
        let (mut sizes, mut intervals, mut rows) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()), 0.0);
        for y in &values {
            rows += 1.0;
            if *y != 0.0 {
                sizes.push(*y);
                intervals.push(rows);
                rows = 0.0;
            }
        }
        Self { values, sizes, intervals }
    }

    /// Returns the mean interval, rounded to whole rows, halves to the even one: the rows that ADIDA and IMAPA add up.
    pub(crate) fn whole_interval(&self) -> usize {
        let mean = self.intervals.iter().sum::<f64>() / self.intervals.len() as f64;
        (mean.round_ties_even() as usize).max(1)
    }

    fn has_zeros(&self) -> bool {
        self.sizes.len() < self.values.len()
    }
}

/// Forecasts a series by a model of one mean for all steps.
pub(crate) fn forecast(
    series: &SeriesView<'_>,
    model: &str,
    horizon: Horizon,
    quantiles: &[Quantile],
    estimate: impl FnOnce(&Demand) -> Estimate,
) -> Result<LocalForecast, FitError> {
    let history = History::read(series, model, usize::MAX)?;
    if history.is_constant() {
        return naive::predict(&history, history.gap + horizon.steps()).into_forecast(&history, history.gap, quantiles, series.id(), model);
    }
    let demand = Demand::of(&history);
    let Estimate { mean, alpha } = estimate(&demand);
    if !demand.has_zeros() || demand.sizes.iter().any(|size| *size < 0.0) {
        let steps = history.gap + horizon.steps();
        let predictive = Predictive { mean: vec![mean; steps], sd: ses::spread(&demand.values, alpha, steps) };
        return predictive.into_forecast(&history, history.gap, quantiles, series.id(), model);
    }
    let row = hurdle(&demand.sizes, mean, quantiles);
    let in_units = |value: &f64| value * history.scale;
    let forecast = LocalForecast {
        mean: vec![in_units(&mean); horizon.steps()],
        quantile_values: row.iter().map(in_units).collect::<Vec<f64>>().repeat(horizon.steps()),
    };
    if forecast.mean.iter().chain(&forecast.quantile_values).all(|value| value.is_finite()) {
        Ok(forecast)
    } else {
        Err(FitError::NotFinite { series: series.id().clone(), model: model.to_owned() })
    }
}

/// Quantiles of one row of the given mean: 0, or one of the sizes, of which there is at least one and all above 0.
fn hurdle(sizes: &[f64], mean: f64, quantiles: &[Quantile]) -> Vec<f64> {
    let n = sizes.len();
    let mut weighted: Vec<(f64, f64)> = Vec::with_capacity(n);
    // The weights of the smoothed size: the first size is where the smoothing started.
    let mut weight = ALPHA;
    for (age, size) in sizes.iter().rev().enumerate() {
        weighted.push((*size, if age + 1 == n { weight / ALPHA } else { weight }));
        weight *= 1.0 - ALPHA;
    }
    let size = weighted.iter().map(|(size, weight)| size * weight).sum::<f64>();
    let probability = (mean / size).clamp(0.0, 1.0);
    let growth = (mean / size).max(1.0);
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |quantile: &Quantile| {
        let mut above = quantile.probability() - (1.0 - probability);
        if above <= 0.0 {
            return 0.0;
        }
        above /= probability;
        let reached = weighted.iter().find(|(_, weight)| {
            above -= weight;
            above <= 0.0
        });
        growth * reached.or(weighted.last()).map_or(0.0, |(size, _)| *size)
    };
    quantiles.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(probabilities: &[f64]) -> Vec<Quantile> {
        probabilities.iter().map(|probability| Quantile::new(*probability).expect("in range")).collect()
    }

    #[test]
    fn a_quarter_of_rows_with_demand_leaves_the_lower_quantiles_at_zero() {
        assert_eq!(hurdle(&[4.0; 9], 1.0, &quantiles(&[0.1, 0.5, 0.74, 0.76, 0.99])), [0.0, 0.0, 0.0, 4.0, 4.0]);
    }

    #[test]
    fn the_mean_of_the_hurdle_is_the_mean_that_was_asked_for() {
        let sizes: Vec<f64> = (0..30).map(|row| f64::from(1 + row * 7 % 5)).collect();
        let levels: Vec<f64> = (0..10_000).map(|step| (f64::from(step) + 0.5) / 10_000.0).collect();
        for mean in [0.2, 1.5, 9.0] {
            let drawn = hurdle(&sizes, mean, &quantiles(&levels));
            // 10,000 places of a step function with at most 30 steps of at most 9: 9 * 30 / 10,000 / 2.
            assert!((drawn.iter().sum::<f64>() / 10_000.0 - mean).abs() < 0.014, "{mean}");
        }
    }
}
