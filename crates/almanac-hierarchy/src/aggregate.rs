//! Bottom-up forecasts: the mean of a node is the sum of the means of its series.
//!
//! Steps are matched by period, not by number: a series whose history ends earlier adds what it has for the period and nothing where its
//! horizon is over. Series missing from the forecast add nothing; [`Hierarchy::missing`] counts them, so that nobody takes a partial sum for
//! a whole one. Quantiles do not add up, so a sum has none (intervals of nodes come from `almanac-evaluate`).
//!
//! Not here: checking sums (`coherence`), actuals (`history`).

use almanac_model::{FitError, Forecast, ForecastSpan, Skipped};
use almanac_series::Period;
use rayon::prelude::*;

use crate::{Hierarchy, NodeKey};

impl Hierarchy {
    /// Returns the forecast of every node of a level as sums over its series, in a fixed order.
    ///
    /// The bottom is the forecast itself, quantiles included. Nodes none of whose series was forecast are in `skipped`.
    pub fn aggregate(&self, level: usize, forecast: &Forecast) -> Forecast {
        if level == self.bottom() {
            return forecast.clone();
        }
        let positions = self.positions_in(forecast);
        let h = forecast.horizon.steps();
        let spec = &self.levels()[level];
        let nodes: Vec<Option<(Period, Vec<f64>)>> = (0..spec.nodes.len())
            .into_par_iter()
            .map(|node| {
                let cutoff = self.members(level, node).filter_map(|series| Some(forecast.series[positions[series]?].cutoff)).max()?;
                let mut sums = vec![0.0; h];
                for position in self.members(level, node).filter_map(|series| positions[series]) {
                    let behind = cutoff.since(forecast.series[position].cutoff) as usize;
                    for (sum, mean) in sums.iter_mut().zip(forecast.mean_of(position).iter().skip(behind)) {
                        *sum += mean;
                    }
                }
                Some((cutoff, sums))
            })
            .collect();

        let mut sums = Forecast::empty(&forecast.model, forecast.freq, forecast.horizon, &[]);
        for (node, result) in nodes.into_iter().enumerate() {
            let id = spec.nodes[node].clone();
            if let Some((cutoff, mean)) = result {
                sums.push(ForecastSpan { id, cutoff }, &mean, &[]);
            } else {
                let reason = FitError::NothingToFit { model: forecast.model.clone(), n_series: self.members(level, node).len() };
                sums.skipped.push(Skipped { series: id, reason });
            }
        }
        sums
    }

    /// Returns the nodes of a level whose sum lacks series, and how many each lacks.
    pub fn missing(&self, level: usize, forecast: &Forecast) -> Vec<(NodeKey, usize)> {
        let positions = self.positions_in(forecast);
        let lacking = |node| self.members(level, node).filter(|series| positions[*series].is_none()).count();
        let nodes = self.levels()[level].nodes.iter().enumerate();
        nodes.map(|(node, key)| (key.clone(), lacking(node))).filter(|(_, n)| *n > 0).collect()
    }

    /// Returns for every series of the hierarchy its position in a bottom-level forecast.
    pub fn positions_in(&self, forecast: &Forecast) -> Vec<Option<usize>> {
        let mut positions = vec![None; self.n_series()];
        for (position, span) in forecast.series.iter().enumerate() {
            if let Some(series) = self.index(&span.id) {
                positions[series] = Some(position);
            }
        }
        positions
    }
}

#[cfg(test)]
mod tests {
    use almanac_series::{Freq, Horizon, Quantile};

    use super::*;
    use crate::structure::tests::panel;

    pub(crate) fn forecast(series: &[(&str, i64, [f64; 3])]) -> Forecast {
        let median = Quantile::new(0.5).expect("in range");
        let mut forecast = Forecast::empty("naive", Freq::Day, Horizon::new(3).expect("in range"), &[median]);
        for (id, cutoff, mean) in series {
            forecast.push(ForecastSpan { id: (*id).into(), cutoff: Period(*cutoff) }, mean, mean);
        }
        forecast
    }

    #[test]
    fn a_node_is_the_sum_of_its_series_and_has_no_quantiles() {
        let hierarchy = Hierarchy::new(&panel(), &["region".into()]).expect("columns exist");
        let bottom = forecast(&[("x_1", 9, [1.0, 2.0, 3.0]), ("x_2", 9, [10.0, 20.0, 30.0]), ("y_1", 9, [5.0; 3]), ("y_2", 9, [7.0; 3])]);
        let regions = hierarchy.aggregate(1, &bottom);
        assert_eq!(regions.mean, [11.0, 22.0, 33.0, 12.0, 12.0, 12.0]);
        assert!(regions.quantiles.is_empty() && regions.quantile_values.is_empty());
        assert_eq!(hierarchy.aggregate(0, &bottom).mean, [23.0, 34.0, 45.0]);
        assert_eq!(hierarchy.aggregate(2, &bottom), bottom);
    }

    #[test]
    fn steps_of_a_series_that_ended_earlier_are_matched_by_period() {
        let hierarchy = Hierarchy::new(&panel(), &[]).expect("nothing to look up");
        let bottom = forecast(&[("x_1", 9, [1.0; 3]), ("y_1", 8, [10.0, 20.0, 30.0])]);
        assert_eq!(hierarchy.aggregate(0, &bottom).mean, [21.0, 31.0, 1.0]);
    }

    #[test]
    fn series_without_a_forecast_are_counted_not_hidden() {
        let hierarchy = Hierarchy::new(&panel(), &["region".into()]).expect("columns exist");
        let bottom = forecast(&[("x_1", 9, [1.0; 3])]);
        assert_eq!(hierarchy.missing(1, &bottom), [("n".into(), 1), ("s".into(), 2)]);
        let regions = hierarchy.aggregate(1, &bottom);
        assert_eq!(regions.n_series(), 1);
        assert_eq!(regions.skipped[0].series, "s".into());
    }
}
