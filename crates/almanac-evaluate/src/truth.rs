//! What happened after a cutoff, and the scales against which errors are measured, for every node of a hierarchy.
//!
//! Made once per fold and shared by all models. Scales and weights see only rows up to the cutoff.
//!
//! Only scored rows count. At an upper level a stock-out of one series must not spoil the whole node: actual and forecast of a node are both summed over
//! those of its series that are scored in the period. A series with actuals that a model did not forecast counts as a forecast of 0, so
//! that a model gains nothing by leaving out what is hard.
//!
//! Not here: the scores (`score`).

use almanac_hierarchy::{Hierarchy, PanelIndex};
use almanac_model::Forecast;
use almanac_series::{Horizon, Panel, Period, SeasonLength, SeriesView};
use rayon::prelude::*;

use crate::metrics::{mase_scale, rmsse_scale};
use crate::{Fold, NodeScale};

/// What scores need to know beside the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreConfig {
    /// Season of the MASE scale and of the residual scales of intervals.
    pub season_length: SeasonLength,
    /// Name of a historic or known-ahead column; the value of a row is then `y × price`, otherwise `y`.
    pub price: Option<String>,
}

/// Truth of one level at one fold. Nodes in the order of the hierarchy.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelTruth {
    /// `n_nodes × horizon`: sums over the scored series, NaN where none is.
    pub actual: Vec<f64>,
    /// Scale of MASE of each node.
    pub mase_scale: Vec<Option<f64>>,
    /// Scale of RMSSE (a squared error) of each node.
    pub rmsse_scale: Vec<Option<f64>>,
    /// Value of the last `horizon` training rows of each node.
    pub value: Vec<f64>,
    /// Weight of each node in WRMSSE: its value where a price or a declared hierarchy says that series may be compared by size, otherwise its
    /// number of series.
    pub weight: Vec<f64>,
    /// What was known at the cutoff about the size of errors of each node.
    pub scales: Vec<NodeScale>,
}

/// Truth of one fold at every level.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldTruth {
    /// The fold.
    pub fold: Fold,
    /// Steps held out.
    pub horizon: Horizon,
    /// One per level of the hierarchy.
    pub levels: Vec<LevelTruth>,
}

/// Means of a model at every level, summed over the series and steps that were scored.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredMeans {
    /// Per level `n_nodes × horizon`; 0 where nothing was scored.
    pub levels: Vec<Vec<f64>>,
    /// Series that have actuals but no forecast; they count as forecasts of 0.
    pub missing: usize,
}

impl FoldTruth {
    /// Looks up what happened in the `horizon` periods after the fold's cutoff. `panel` holds the whole history.
    pub fn new(panel: &Panel, hierarchy: &Hierarchy, fold: Fold, horizon: Horizon, config: &ScoreConfig) -> Self {
        let train = panel.until(fold.cutoff);
        let (index, train_index) = (PanelIndex::new(hierarchy, panel), PanelIndex::new(hierarchy, &train));
        let h = horizon.steps();
        let bottom: Vec<(Vec<f64>, f64)> = (0..hierarchy.n_series())
            .into_par_iter()
            .map(|series| {
                let actual = index.get(series).map_or_else(|| vec![f64::NAN; h], |at| held_out(&panel.view(at), fold.cutoff, h));
                let value = train_index.get(series).map_or(0.0, |at| recent_value(&train, at, fold.cutoff, h, config.price.as_deref()));
                (actual, value)
            })
            .collect();

        let weighs_by_value = hierarchy.is_declared() || config.price.is_some();
        let levels: Vec<LevelTruth> = (0..hierarchy.levels().len())
            .map(|level| {
                let nodes: Vec<_> = (0..hierarchy.levels()[level].nodes.len())
                    .into_par_iter()
                    .map(|node| {
                        let members = || hierarchy.members(level, node);
                        let history = hierarchy.node_history(level, node, &train, &train_index).values;
                        let actual = sum_scored(members().map(|series| bottom[series].0.as_slice()), h);
                        let value: f64 = members().map(|series| bottom[series].1).sum();
                        let scale = NodeScale::new(&history, config.season_length);
                        let count = members().len() as f64;
                        (actual, mase_scale(&history, config.season_length.steps()), rmsse_scale(&history), value, count, scale)
                    })
                    .collect();
                let mut truth = LevelTruth {
                    actual: Vec::new(),
                    mase_scale: Vec::new(),
                    rmsse_scale: Vec::new(),
                    value: Vec::new(),
                    weight: Vec::new(),
                    scales: Vec::new(),
                };
                for (actual, mase, rmsse, value, count, scale) in nodes {
                    truth.actual.extend(actual);
                    truth.mase_scale.push(mase);
                    truth.rmsse_scale.push(rmsse);
                    truth.value.push(value);
                    truth.weight.push(if weighs_by_value { value } else { count });
                    truth.scales.push(scale);
                }
                truth
            })
            .collect();
        Self { fold, horizon, levels }
    }

    /// Returns the truth of the series themselves.
    pub fn bottom(&self) -> &LevelTruth {
        &self.levels[self.levels.len() - 1]
    }

    /// Sums a bottom-level forecast over the series and steps that were scored.
    pub fn scored_means(&self, hierarchy: &Hierarchy, forecast: &Forecast) -> ScoredMeans {
        let h = self.horizon.steps();
        let positions = hierarchy.positions_in(forecast);
        let actual = &self.bottom().actual;
        let mut bottom = vec![0.0; actual.len()];
        let mut missing = 0;
        for (series, position) in positions.iter().enumerate() {
            let rows = series * h..(series + 1) * h;
            match position {
                Some(position) => {
                    let means = forecast.mean_of(*position);
                    let ahead = self.fold.cutoff.since(forecast.series[*position].cutoff);
                    for (step, row) in rows.enumerate().filter(|(_, row)| !actual[*row].is_nan()) {
                        bottom[row] = usize::try_from(step as i64 + ahead).ok().and_then(|at| means.get(at)).copied().unwrap_or(0.0);
                    }
                }
                None => missing += usize::from(actual[rows].iter().any(|y| !y.is_nan())),
            }
        }
        let levels = (0..self.levels.len())
            .map(|level| {
                if level == hierarchy.bottom() {
                    return bottom.clone();
                }
                let mut sums = vec![0.0; self.levels[level].actual.len()];
                for series in 0..hierarchy.n_series() {
                    let node = hierarchy.node_of(level, series);
                    for step in 0..h {
                        sums[node * h + step] += bottom[series * h + step];
                    }
                }
                sums
            })
            .collect();
        ScoredMeans { levels, missing }
    }
}

fn held_out(view: &SeriesView<'_>, cutoff: Period, h: usize) -> Vec<f64> {
    let first = cutoff.plus(1).since(view.start());
    (0..h as i64)
        .map(|step| {
            let row = usize::try_from(first + step).ok().filter(|row| *row < view.len());
            row.filter(|row| view.status()[*row].is_scored()).map_or(f64::NAN, |row| view.y()[row])
        })
        .collect()
}

fn recent_value(train: &Panel, at: usize, cutoff: Period, h: usize, price: Option<&str>) -> f64 {
    let view = train.view(at);
    let prices = price.and_then(|name| {
        let historic = train.historic_names().position(|column| column == name).map(|column| view.historic(column));
        historic.or_else(|| train.future_names().position(|column| column == name).map(|column| view.future(column)))
    });
    let recent = view.scored().rev().take_while(|(row, _)| cutoff.since(view.start().plus(*row as i64)) < h as i64);
    let values = recent.map(|(row, y)| y * prices.map_or(1.0, |prices| prices[row])).filter(|value| !value.is_nan());
    values.sum()
}

fn sum_scored<'a>(members: impl Iterator<Item = &'a [f64]>, h: usize) -> Vec<f64> {
    let mut sums = vec![f64::NAN; h];
    for actual in members {
        for (sum, y) in sums.iter_mut().zip(actual).filter(|(_, y)| !y.is_nan()) {
            *sum = if sum.is_nan() { *y } else { *sum + y };
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, PanelBuilder, RowStatus, SeriesRows};

    use super::*;
    use crate::simulate::{horizon, season};

    fn two_series() -> Panel {
        let mut builder = PanelBuilder::new(Freq::Day, &[], &["price".into()]);
        for (id, price, stockout) in [("a", 2.0, 8), ("b", 1.0, 99)] {
            let y: Vec<f64> = (0..10).map(f64::from).collect();
            let status = (0..10).map(|row| if row == stockout { RowStatus::Censored } else { RowStatus::Observed }).collect();
            builder
                .push(id.into(), Period(0), SeriesRows { y, status, historic: vec![], future: vec![vec![price; 10]] })
                .expect("columns agree");
        }
        builder.finish(vec![]).expect("keys are unique")
    }

    #[test]
    fn a_stock_out_is_left_out_of_actual_and_forecast_alike() {
        let panel = two_series();
        let hierarchy = Hierarchy::new(&panel, &[]).expect("no specs");
        let config = ScoreConfig { season_length: season(2), price: Some("price".into()) };
        let truth = FoldTruth::new(&panel, &hierarchy, Fold { index: 0, cutoff: Period(6) }, horizon(3), &config);
        assert_eq!(truth.levels[0].actual, [14.0, 8.0, 18.0]);
        assert!(truth.bottom().actual[1].is_nan());
        assert_eq!(truth.bottom().value, [30.0, 15.0], "rows 4, 5, 6 times the price");
        assert_eq!(truth.levels[0].value, [45.0]);
        assert_eq!(truth.bottom().weight, truth.bottom().value);
        let unpriced = ScoreConfig { price: None, ..config };
        let unpriced = FoldTruth::new(&panel, &hierarchy, truth.fold, horizon(3), &unpriced);
        assert_eq!(unpriced.bottom().weight, [1.0, 1.0], "neither a price nor a hierarchy says that the larger series counts for more");
        assert_eq!(unpriced.levels[0].weight, [2.0]);
        assert_eq!(truth.levels[0].rmsse_scale, [Some(4.0)], "the total grows by 2 a day");
        assert_eq!(truth.bottom().mase_scale, [Some(2.0), Some(2.0)]);

        let mut forecast = Forecast::empty("naive", Freq::Day, horizon(3), &[]);
        forecast.push(ForecastSpan { id: "a".into(), cutoff: Period(6) }, &[1.0, 10.0, 100.0], &[]);
        let means = truth.scored_means(&hierarchy, &forecast);
        assert_eq!(means.levels[0], [1.0, 0.0, 100.0]);
        assert_eq!(means.missing, 1, "`b` has actuals and no forecast");
    }
}
