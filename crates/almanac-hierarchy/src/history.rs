//! Histories of nodes: what was sold, summed over series period by period.
//!
//! The value of a period is the sum of `y` over the series that have one; a stock-out counts what was sold, a closed day 0. A period is scored
//! if some series is scored in it; where no series is scored or has a value it is NaN.
//!
//! Not here: forecasts (`aggregate`).

use almanac_series::{Panel, Period};
use rayon::prelude::*;

use crate::Hierarchy;

/// Summed history of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeHistory {
    /// Period of the first value.
    pub start: Period,
    /// One value per period, NaN where no series is scored.
    pub values: Vec<f64>,
}

/// Where the series of a hierarchy lie in a panel cut from the one it was made of.
#[derive(Debug, Clone)]
pub struct PanelIndex(Vec<Option<u32>>);

impl PanelIndex {
    /// Looks up every series of `hierarchy` in `panel`.
    pub fn new(hierarchy: &Hierarchy, panel: &Panel) -> Self {
        let mut positions = vec![None; hierarchy.n_series()];
        for (position, span) in panel.series().iter().enumerate() {
            if let Some(series) = hierarchy.index(&span.id) {
                positions[series] = Some(position as u32);
            }
        }
        Self(positions)
    }

    /// Returns the position in the panel of a series of the hierarchy, or `None` if the panel lacks it.
    pub fn get(&self, series: usize) -> Option<usize> {
        self.0[series].map(|position| position as usize)
    }
}

impl Hierarchy {
    /// Returns the history of one node, from the start of its oldest series to the end of its newest; empty if `panel` has none of them.
    pub fn node_history(&self, level: usize, node: usize, panel: &Panel, index: &PanelIndex) -> NodeHistory {
        let views = || self.members(level, node).filter_map(|series| index.get(series)).map(|position| panel.view(position));
        let (Some(start), Some(end)) = (views().map(|view| view.start()).min(), views().map(|view| view.span().cutoff()).max()) else {
            return NodeHistory { start: Period(0), values: Vec::new() };
        };
        let rows = (end.since(start) + 1).max(0) as usize;
        let mut values = vec![0.0; rows];
        let mut scored = vec![false; rows];
        for view in views() {
            let offset = view.start().since(start) as usize;
            for ((y, status), row) in view.y().iter().zip(view.status()).zip(offset..) {
                if !y.is_nan() {
                    values[row] += y;
                    scored[row] |= status.is_scored();
                }
            }
        }
        for (value, scored) in values.iter_mut().zip(scored) {
            if !scored {
                *value = f64::NAN;
            }
        }
        NodeHistory { start, values }
    }

    /// Returns the histories of all nodes of a level on one grid: the start, and `n_nodes × n_periods` values from the panel's first period to its
    /// last, NaN where nothing is scored. Holds the whole matrix: meant for upper levels; [`Self::node_history`] goes node by node.
    pub fn aggregate_values(&self, level: usize, panel: &Panel) -> (Period, Vec<Vec<f64>>) {
        let (Some(first), Some(last)) = (panel.first_period(), panel.last_period()) else {
            return (Period(0), vec![Vec::new(); self.levels()[level].nodes.len()]);
        };
        let index = PanelIndex::new(self, panel);
        let rows = (last.since(first) + 1) as usize;
        let values = (0..self.levels()[level].nodes.len())
            .into_par_iter()
            .map(|node| {
                let history = self.node_history(level, node, panel, &index);
                let mut row = vec![f64::NAN; rows];
                if !history.values.is_empty() {
                    let offset = history.start.since(first) as usize;
                    row[offset..offset + history.values.len()].copy_from_slice(&history.values);
                }
                row
            })
            .collect();
        (first, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::tests::panel;

    #[test]
    fn histories_of_unequal_length_are_summed_on_one_grid() {
        let panel = panel();
        let hierarchy = Hierarchy::new(&panel, &["region".into()]).expect("columns exist");
        let (start, totals) = hierarchy.aggregate_values(0, &panel);
        assert_eq!(start, Period(0));
        // Series start at 0, 1, 2, 3 with values 0.., 10.., 20.., 30.. and end together.
        assert_eq!(totals[0], [0.0, 11.0, 33.0, 66.0, 70.0, 74.0, 78.0, 82.0, 86.0, 90.0]);
        let (_, regions) = hierarchy.aggregate_values(1, &panel);
        assert!(regions[0][0].is_nan(), "the north starts a day later");
        assert_eq!(regions[0][1], 10.0);
        assert_eq!(regions[0][9] + regions[1][9], 90.0);
    }

    #[test]
    fn a_panel_cut_at_a_cutoff_is_matched_by_key() {
        let panel = panel();
        let hierarchy = Hierarchy::new(&panel, &[]).expect("nothing to look up");
        let early = panel.until(Period(1));
        let index = PanelIndex::new(&hierarchy, &early);
        assert_eq!(hierarchy.node_history(0, 0, &early, &index).values, [0.0, 11.0]);
        assert_eq!(index.get(2), None, "`y_1` starts later");
    }
}
