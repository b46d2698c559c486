//! Series without a history to go by: what is typical of series like them stands in for it.
//!
//! Such a series is forecast as if it had sold, up to its origin, the typical level of those training series that share most of its
//! static values, with the season they have in common. The trees then say what its own attributes and known-ahead columns make of
//! that. A series that has sold nothing for long is not cold: zero is what is known of it.

use almanac_features::{FeaturePlan, FutureKind, StaticKind};
use almanac_series::{Panel, PanelBuilder, RowStatus, SeriesRows, StaticColumn, StaticValues};
use serde::{Deserialize, Serialize};

use crate::global::min_history;

/// Levels of history that stand in: so many times the rows of a level.
const LEVELS: usize = 4;
/// A season longer than this has no profile: few rows would make each of its days.
const LONGEST_SEASON: usize = 366;

/// What is typical of the training series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cold {
    /// One for each combination of static values.
    groups: Vec<Group>,
    /// What each day of the main season sells over the level.
    profile: Vec<f64>,
}

/// Training series that share all static values. There may be as many groups as series, so that they are written short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "(Vec<Option<u32>>, u32, f32)", into = "(Vec<Option<u32>>, u32, f32)")]
struct Group {
    /// Codes of the categories, column by column as the plan has them; `None` for a missing value or a number.
    codes: Vec<Option<u32>>,
    series: u32,
    /// Median of their levels.
    level: f32,
}

impl From<(Vec<Option<u32>>, u32, f32)> for Group {
    fn from((codes, series, level): (Vec<Option<u32>>, u32, f32)) -> Self {
        Self { codes, series, level }
    }
}

impl From<Group> for (Vec<Option<u32>>, u32, f32) {
    fn from(group: Group) -> Self {
        (group.codes, group.series, group.level)
    }
}

impl Cold {
    /// Learns from all series that have sold something; none if there are none.
    pub(crate) fn new(train: &Panel, plan: &FeaturePlan) -> Option<Self> {
        let coder = Coder::new(train, plan);
        let mut levels: Vec<(Vec<Option<u32>>, f64)> = Vec::new();
        let season = plan.spec().season_lengths.first().copied().filter(|season| *season <= LONGEST_SEASON).unwrap_or(1);
        let mut days = vec![(0.0, 0_u32); season];
        for view in train.views() {
            let newest: Vec<f64> = view.scored().rev().take(plan.spec().level_rows).map(|(_, y)| y.abs()).collect();
            let level = newest.iter().sum::<f64>() / newest.len() as f64;
            if level.is_nan() || level <= 0.0 {
                continue;
            }
            levels.push((coder.codes(view.span().static_row), level));
            let (sum, count) = view.scored().fold((0.0, 0_u32), |(sum, count), (_, y)| (sum + y, count + 1));
            let mean = sum / f64::from(count);
            if mean > 0.0 {
                for (row, y) in view.scored() {
                    let day = &mut days[view.start().plus(row as i64).0.rem_euclid(season as i64) as usize];
                    *day = (day.0 + y / mean, day.1 + 1);
                }
            }
        }
        levels.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let groups: Vec<Group> = levels
            .chunk_by(|a, b| a.0 == b.0)
            .map(|alike| Group { codes: alike[0].0.clone(), series: alike.len() as u32, level: alike[alike.len() / 2].1 as f32 })
            .collect();
        let profile = days.into_iter().map(|(sum, count)| if count > 0 { (sum / f64::from(count)).max(0.0) } else { 1.0 }).collect();
        (!groups.is_empty()).then_some(Self { groups, profile })
    }

    /// Returns the cold series of a panel, by position, and a panel of them with the history that stands in for theirs.
    pub(crate) fn warmed(&self, panel: &Panel, plan: &FeaturePlan) -> (Vec<usize>, Panel) {
        let needed = min_history(plan);
        let is_cold = |index: &usize| {
            let scored: Vec<f64> = panel.view(*index).scored().take(needed).map(|(_, y)| y).collect();
            // So many zeros would tell that nothing sells.
            scored.len() < needed && scored.iter().all(|y| *y == 0.0)
        };
        let indices: Vec<usize> = (0..panel.n_series()).filter(is_cold).collect();
        let coder = Coder::new(panel, plan);
        let historic: Vec<String> = panel.historic_names().map(str::to_owned).collect();
        let future: Vec<String> = panel.future_names().map(str::to_owned).collect();
        let mut builder = PanelBuilder::new(panel.freq(), &historic, &future).timezone(panel.timezone());
        for (at, name) in future.iter().enumerate() {
            builder = builder.categories(name, panel.future_categories(at));
        }
        let rows = LEVELS * plan.spec().level_rows;
        for index in &indices {
            let view = panel.view(*index);
            let span = view.span();
            let level = self.level(&coder.codes(span.static_row));
            let start = span.cutoff().plus(1 - rows as i64);
            let ahead = span.rows - span.history;
            let mut made = SeriesRows::default();
            for row in 0..rows {
                let day = start.plus(row as i64).0.rem_euclid(self.profile.len() as i64) as usize;
                made.y.push(level * self.profile[day]);
                made.status.push(RowStatus::Observed);
            }
            made.y.resize(rows + ahead, f64::NAN);
            made.status.resize(rows + ahead, RowStatus::Future);
            made.historic = vec![vec![f64::NAN; rows + ahead]; historic.len()];
            made.future = (0..future.len())
                .map(|at| {
                    let known = &view.future(at)[span.history..];
                    let role = plan.future().iter().find(|role| role.name == future[at]);
                    let usual = match role.map(|role| (role.kind, role.blank)) {
                        Some((FutureKind::Flag, _)) => 0.0,
                        Some((FutureKind::Event | FutureKind::Category, blank)) => blank.unwrap_or(f64::NAN),
                        _ => known.iter().copied().find(|value| !value.is_nan()).unwrap_or(f64::NAN),
                    };
                    let mut values = vec![usual; rows];
                    values.extend_from_slice(known);
                    values
                })
                .collect();
            builder.push(span.id.clone(), start, made).expect("columns are as the builder was told");
        }
        let rows: Vec<usize> = indices.iter().map(|index| panel.series()[*index].static_row).collect();
        let statics = panel.statics().iter().map(|column| picked(column, &rows)).collect();
        (indices, builder.finish(statics).expect("keys are as unique as in the panel"))
    }

    /// Returns the typical level of the training series that share most static values.
    fn level(&self, codes: &[Option<u32>]) -> f64 {
        let shared = |group: &Group| codes.iter().zip(&group.codes).filter(|(own, other)| own.is_some() && own == other).count();
        let most = self.groups.iter().map(shared).max().unwrap_or(0);
        let mut alike: Vec<(f32, u32)> =
            self.groups.iter().filter(|group| shared(group) == most).map(|group| (group.level, group.series)).collect();
        alike.sort_by(|a, b| a.0.total_cmp(&b.0));
        let half = alike.iter().map(|(_, series)| u64::from(*series)).sum::<u64>() / 2;
        let mut seen = 0;
        let median = alike.iter().find(|(_, series)| {
            seen += u64::from(*series);
            seen > half
        });
        median.map_or(0.0, |(level, _)| f64::from(*level))
    }
}

/// Static categories of a panel in the codes of a plan.
struct Coder {
    /// By column of the plan: the plan's code of each of the panel's rows.
    columns: Vec<Vec<Option<u32>>>,
}

impl Coder {
    fn new(panel: &Panel, plan: &FeaturePlan) -> Self {
        let column = |name: &str| panel.statics().iter().find(|column| *column.name == *name).map(|column| &column.values);
        let columns = plan.statics().iter().map(|role| match (column(&role.name), &role.kind) {
            (Some(StaticValues::Category { codes, categories }), StaticKind::Category(known)) => {
                let code = |text: &String| known.binary_search(text).ok().map(|code| code as u32);
                let by_code: Vec<Option<u32>> = categories.iter().map(code).collect();
                codes.iter().map(|code| by_code.get(*code as usize).copied().flatten()).collect()
            }
            _ => Vec::new(),
        });
        Self { columns: columns.collect() }
    }

    fn codes(&self, static_row: usize) -> Vec<Option<u32>> {
        self.columns.iter().map(|column| column.get(static_row).copied().flatten()).collect()
    }
}

fn picked(column: &StaticColumn, rows: &[usize]) -> StaticColumn {
    let values = match &column.values {
        StaticValues::Category { codes, categories } => {
            StaticValues::Category { codes: rows.iter().map(|row| codes[*row]).collect(), categories: categories.clone() }
        }
        StaticValues::Number(values) => StaticValues::Number(rows.iter().map(|row| values[*row]).collect()),
    };
    StaticColumn { name: column.name.clone(), values }
}
