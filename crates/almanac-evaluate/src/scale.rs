//! How large the errors of a node may be expected to be, from its own history alone.
//!
//! Known at the cutoff, and a function of one history only, so that a series sent to the server has the same scale as one in the panel.
//!
//! Not here: how scales turn into intervals (`conformal`).

use almanac_hierarchy::{Hierarchy, PanelIndex};
use almanac_model::Forecast;
use almanac_series::{Panel, SeasonLength};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Seasons looked back for the scale, and the rows looked back at least.
const RECENT_SEASONS: usize = 8;
const RECENT_ROWS: usize = 56;

/// Size of a node and of its changes over recent rows, in the units of `y`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NodeScale {
    /// Root mean square of seasonal differences (of single ones where no season is complete), divided by √2: what is left of noise in a difference.
    pub rms: f64,
    /// Number of differences; 0 for a history without any.
    pub pairs: usize,
    /// Mean.
    pub mean: f64,
    /// Whether no value of the whole history is negative.
    pub is_non_negative: bool,
}

impl NodeScale {
    /// Measures a history: one value per row, NaN where not scored.
    pub fn new(history: &[f64], season_length: SeasonLength) -> Self {
        let season = season_length.steps();
        let recent = &history[history.len().saturating_sub((RECENT_SEASONS * season).max(RECENT_ROWS))..];
        let squares = |lag: usize| {
            let differences = recent.iter().zip(recent.iter().skip(lag)).map(|(before, y)| (y - before).powi(2) / 2.0);
            differences.filter(|square| !square.is_nan()).fold((0.0, 0), |(sum, n), square| (sum + square, n + 1))
        };
        let (sum, pairs) = Some(squares(season)).filter(|(_, pairs)| *pairs >= 4).unwrap_or_else(|| squares(1));
        let values = || recent.iter().filter(|y| !y.is_nan());
        Self {
            rms: if pairs > 0 { (sum / pairs as f64).sqrt() } else { 0.0 },
            pairs,
            mean: if values().count() > 0 { values().sum::<f64>() / values().count() as f64 } else { 0.0 },
            is_non_negative: history.iter().all(|y| y.is_nan() || *y >= 0.0),
        }
    }

    /// Returns the scale of a node of which nothing is known but a forecast: its mean, and no size of its own.
    pub(crate) fn of_mean(forecast: &[f64]) -> Self {
        let mean = forecast.iter().sum::<f64>() / forecast.len().max(1) as f64;
        Self { rms: 0.0, pairs: 0, mean, is_non_negative: mean >= 0.0 }
    }
}

/// Returns the scale of every node of `forecast`, a forecast of `level`, in its order. `train` ends at the cutoff.
pub fn node_scales(train: &Panel, hierarchy: &Hierarchy, level: usize, season_length: SeasonLength, forecast: &Forecast) -> Vec<NodeScale> {
    let index = PanelIndex::new(hierarchy, train);
    let scale = |span: &almanac_model::ForecastSpan| {
        let history = hierarchy.node(level, &span.id).map(|node| hierarchy.node_history(level, node, train, &index).values);
        NodeScale::new(&history.unwrap_or_default(), season_length)
    };
    forecast.series.par_iter().map(scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::season;

    #[test]
    fn the_scale_is_that_of_seasonal_differences() {
        let history: Vec<f64> = (0..40).map(|t| if t % 7 == 0 { 70.0 } else { 0.0 } + f64::from(t / 7 % 2) * 2.0).collect();
        let scale = NodeScale::new(&history, season(7));
        assert!((scale.rms - 2.0_f64.sqrt()).abs() < 1e-12, "the weekly peak itself is no noise");
        assert_eq!(scale.pairs, 33);
        assert!(scale.is_non_negative);
        assert_eq!(NodeScale::new(&[1.0, f64::NAN, -3.0], season(7)), NodeScale { rms: 0.0, pairs: 0, mean: -1.0, is_non_negative: false });
    }
}
