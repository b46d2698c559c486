//! What other series tell: series that share static columns form a group, whose sum, mean and trend are features of each of its
//! series, as is what a category of a static column has meant so far.
//!
//! One pass over a panel makes a table of each group by period; a row reads it at its origin. What a table says of a period is
//! made from that period and those before it, save prices, which are known ahead. Sums run over the series in the order of
//! their keys, whatever their order in the data.
//!
//! A group is what the panel holds of it: a panel of some series of a group gives other numbers than the whole one.

use std::collections::HashMap;

use almanac_series::{Panel, Period, SeriesSpan};
use rayon::prelude::*;

use crate::kernel::{self, RollingOut};
use crate::known::FutureValues;
use crate::plan::{Binding, Feature, FeaturePlan, FutureKind, StaticKind};
use crate::series::levels;

/// A value further from the level of its series than this is not what its category means.
const MOST_SCALED: f64 = 10.0;
/// Series whose levels are held at once.
const CHUNK_SERIES: usize = 512;

/// Returns the features of groups, in order: encodings by column, then each group.
pub(crate) fn features(plan: &FeaturePlan) -> Vec<Feature> {
    let spec = plan.spec();
    let mut all: Vec<Feature> = encoded(plan).map(|column| Feature::plain(format!("{}_encoded", plan.statics()[column].name))).collect();
    for columns in &spec.parents {
        let group = label(columns);
        all.push(Feature::units(format!("{group}_sum")));
        all.push(Feature::units(format!("{group}_mean")));
        all.push(Feature::units(format!("{group}_mean{}", spec.level_rows)));
        all.extend(["change", "share"].map(|name| Feature::plain(format!("{group}_{name}"))));
        all.extend(amounts(plan).map(|column| Feature::plain(format!("{}_to_{group}", plan.future()[column].name))));
    }
    all
}

/// Name of a group in features: its static columns, or all series.
fn label(columns: &[String]) -> String {
    if columns.is_empty() { "parent_all".to_owned() } else { format!("parent_{}", columns.join("_")) }
}

/// Static columns that are encoded.
fn encoded(plan: &FeaturePlan) -> impl Iterator<Item = usize> {
    let categories = plan.statics().iter().enumerate().filter(|(_, role)| matches!(role.kind, StaticKind::Category(_)));
    categories.map(|(column, _)| column).take(if plan.spec().target_encoding { usize::MAX } else { 0 })
}

/// Known-ahead columns that are compared with those of a group.
fn amounts(plan: &FeaturePlan) -> impl Iterator<Item = usize> {
    plan.future().iter().enumerate().filter(|(_, role)| role.kind == FutureKind::Amount).map(|(column, _)| column)
}

/// Tables of all groups of a panel.
#[derive(Debug)]
pub(crate) struct Groups {
    first: Period,
    /// Periods up to and with the last of any history; 0 if there is none.
    history: usize,
    encoded: Vec<Encoding>,
    parents: Vec<Parents>,
}

/// Which group each series belongs to, by static row.
#[derive(Debug, Default)]
struct Members {
    of_static_row: Vec<u32>,
    count: usize,
}

/// For each category and period the mean of scaled values so far.
#[derive(Debug)]
struct Encoding {
    members: Members,
    means: Vec<f32>,
}

/// Groups of the same columns: `count × periods` each.
#[derive(Debug)]
struct Parents {
    members: Members,
    sums: Vec<f32>,
    means: Vec<f32>,
    rolling: Vec<f32>,
    levels: Vec<f64>,
    /// For each amount its mean over a group, by period, ahead too.
    amounts: Vec<Vec<f64>>,
    /// Periods that amounts are known of.
    ahead: usize,
}

/// Sums and counts, by group and period.
struct Totals {
    periods: usize,
    sums: Vec<f64>,
    counts: Vec<u32>,
}

impl Totals {
    fn new(groups: usize, periods: usize) -> Self {
        Self { periods, sums: vec![0.0; groups * periods], counts: vec![0; groups * periods] }
    }

    fn add(&mut self, group: usize, period: usize, value: f64) {
        if !value.is_nan() {
            self.sums[group * self.periods + period] += value;
            self.counts[group * self.periods + period] += 1;
        }
    }

    fn means(&self) -> Vec<f64> {
        self.sums.iter().zip(&self.counts).map(|(sum, count)| sum / f64::from(*count)).collect()
    }
}

impl Members {
    /// Series with the same codes are of one group.
    fn new(panel: &Panel, binding: &Binding, columns: &[usize]) -> Self {
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
        let last = panel.series().iter().map(|span| span.static_row).max().unwrap_or(0);
        let mut of_static_row = vec![0; last + 1];
        for span in panel.series() {
            let codes: Vec<f32> = binding.statics(span.static_row).collect();
            let key = columns.iter().map(|column| codes[*column].to_bits()).collect();
            let next = numbers.len() as u32;
            of_static_row[span.static_row] = *numbers.entry(key).or_insert(next);
        }
        Self { of_static_row, count: numbers.len() }
    }

    fn of(&self, static_row: usize) -> Option<usize> {
        self.of_static_row.get(static_row).map(|group| *group as usize)
    }
}

impl Groups {
    /// Makes the tables of a panel, in time linear in its rows; none where there is no series, or no feature of groups.
    pub(crate) fn new(panel: &Panel, plan: &FeaturePlan, binding: &Binding) -> Option<Self> {
        if plan.groups().is_empty() {
            return None;
        }
        let spec = plan.spec();
        let columns: Vec<usize> = encoded(plan).collect();
        let (first, last) = panel.first_period().zip(panel.last_period())?;
        let history = (last.since(first) + 1).max(0) as usize;
        let ahead = panel.series().iter().map(|span| span.start.plus(span.rows as i64).since(first)).max().unwrap_or(0).max(0) as usize;
        let ahead = ahead.max(history);
        let place = |name: &String| plan.statics().iter().position(|role| role.name == *name);
        let encoded_members: Vec<Members> = columns.iter().map(|column| Members::new(panel, binding, &[*column])).collect();
        let parent_members: Vec<Members> =
            spec.parents.iter().map(|names| Members::new(panel, binding, &names.iter().filter_map(place).collect::<Vec<_>>())).collect();
        let tables = |members: &[Members]| members.iter().map(|members| Totals::new(members.count, history)).collect::<Vec<_>>();
        let mut scaled = tables(&encoded_members);
        let (mut sold, mut sizes) = (tables(&parent_members), tables(&parent_members));
        for_each_history(panel, spec.level_rows, |span, values, levels| {
            let start = span.start.since(first) as usize;
            for (members, totals) in encoded_members.iter().zip(&mut scaled) {
                let Some(group) = members.of(span.static_row) else { continue };
                for (row, value) in values.iter().enumerate().skip(1) {
                    let level = f64::from(levels[row - 1]);
                    if level > 0.0 {
                        totals.add(group, start + row, (value / level).clamp(-MOST_SCALED, MOST_SCALED));
                    }
                }
            }
            for ((members, sold), sizes) in parent_members.iter().zip(&mut sold).zip(&mut sizes) {
                let Some(group) = members.of(span.static_row) else { continue };
                for (row, (value, level)) in values.iter().zip(levels).enumerate() {
                    sold.add(group, start + row, *value);
                    sizes.add(group, start + row, f64::from(*level));
                }
            }
        });
        let amounts: Vec<Vec<Vec<f64>>> = parent_members
            .iter()
            .map(|members| amounts(plan).map(|column| prices(panel, binding, members, column, first, ahead)).collect())
            .collect();
        let decay = spec.encoding_half_life.map_or(1.0, |rows| 0.5_f64.powf(1.0 / rows));
        Some(Self {
            first,
            history,
            encoded: encoded_members
                .into_iter()
                .zip(scaled)
                .map(|(members, totals)| Encoding { members, means: means_so_far(&totals, decay) })
                .collect(),
            parents: parent_members
                .into_iter()
                .zip(sold.iter().zip(sizes))
                .zip(amounts)
                .map(|((members, (sold, sizes)), amounts)| Parents::new(members, sold, sizes, amounts, spec.level_rows, ahead))
                .collect(),
        })
    }

    /// Appends the features of a row. An origin after the last period of the panel reads that one.
    pub(crate) fn gather(&self, query: &Query<'_>, plan: &FeaturePlan, out: &mut Vec<f32>) {
        let at = query.origin.since(self.first).min(self.history as i64 - 1);
        let target = query.start.plus(query.target as i64).since(self.first);
        for encoding in &self.encoded {
            let value = encoding.members.of(query.static_row).and_then(|group| pick(&encoding.means, group, self.history, at));
            out.push(value.unwrap_or(f32::NAN));
        }
        for parents in &self.parents {
            let Some(group) = parents.members.of(query.static_row) else {
                out.extend((0..5 + parents.amounts.len()).map(|_| f32::NAN));
                continue;
            };
            let read = |table: &[f32]| pick(table, group, self.history, at).unwrap_or(f32::NAN);
            let (mean, rolling) = (read(&parents.means), read(&parents.rolling));
            let level = pick(&parents.levels, group, self.history, at).unwrap_or(f64::NAN);
            out.extend([read(&parents.sums), mean, rolling]);
            out.push(if rolling > 0.0 { mean / rolling } else { f32::NAN });
            out.push(if level > 0.0 { kernel::narrow(f64::from(query.level) / level) } else { f32::NAN });
            for (column, means) in amounts(plan).zip(&parents.amounts) {
                let own = query.known[column].as_deref().and_then(|values| values.get(query.target)).copied();
                let mean = pick(means, group, parents.ahead, target);
                out.push(kernel::narrow(own.unwrap_or(f64::NAN) / mean.unwrap_or(f64::NAN)));
            }
        }
    }
}

/// Hands over the values of each series, NaN where not scored, and its levels: in the order of their keys, so that sums are too.
fn for_each_history(panel: &Panel, level_rows: usize, mut take: impl FnMut(&SeriesSpan, &[f64], &[f32])) {
    for chunk in panel.series().iter().enumerate().collect::<Vec<_>>().chunks(CHUNK_SERIES) {
        let made: Vec<(Vec<f64>, Vec<f32>)> = chunk
            .par_iter()
            .map(|(index, _)| {
                let view = panel.view(*index);
                let values = kernel::masked(view.y(), view.status());
                let levels = levels(&values, level_rows);
                (values, levels)
            })
            .collect();
        for ((_, span), (values, levels)) in chunk.iter().zip(&made) {
            take(span, values, levels);
        }
    }
}

/// What a row asks of the groups of its series: `target` and the rows of `known` are counted from `start`, `level` is that of the
/// series at `origin`.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) static_row: usize,
    pub(crate) start: Period,
    pub(crate) origin: Period,
    pub(crate) target: usize,
    pub(crate) level: f32,
    pub(crate) known: &'a FutureValues<'a>,
}

fn pick<T: Copy>(table: &[T], group: usize, periods: usize, at: i64) -> Option<T> {
    let at = usize::try_from(at).ok().filter(|at| *at < periods)?;
    table.get(group * periods + at).copied()
}

impl Parents {
    fn new(members: Members, sold: &Totals, sizes: Totals, amounts: Vec<Vec<f64>>, window: usize, ahead: usize) -> Self {
        let means = sold.means();
        let mut rolling = vec![0.0; means.len()];
        for (from, to) in means.chunks(sold.periods).zip(rolling.chunks_mut(sold.periods)) {
            kernel::rolling(from, window, 1, RollingOut { mean: Some(to), ..RollingOut::default() });
        }
        let sums = sold.sums.iter().zip(&sold.counts).map(|(sum, count)| if *count > 0 { kernel::narrow(*sum) } else { f32::NAN });
        Self {
            sums: sums.collect(),
            means: means.into_iter().map(kernel::narrow).collect(),
            rolling,
            levels: sizes.sums,
            amounts,
            members,
            ahead,
        }
    }
}

/// For each group and period the mean of all values up to it, those of the period before it weighing `decay` as much, and so on.
fn means_so_far(totals: &Totals, decay: f64) -> Vec<f32> {
    let mut out = Vec::with_capacity(totals.sums.len());
    for (sums, counts) in totals.sums.chunks(totals.periods).zip(totals.counts.chunks(totals.periods)) {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (own, count) in sums.iter().zip(counts) {
            sum = sum * decay + own;
            weight = weight * decay + f64::from(*count);
            out.push(kernel::narrow(sum / weight));
        }
    }
    out
}

/// Mean of a known-ahead column over each group, by period.
fn prices(panel: &Panel, binding: &Binding, members: &Members, column: usize, first: Period, periods: usize) -> Vec<f64> {
    let mut totals = Totals::new(members.count, periods);
    for view in panel.views() {
        let Some((group, values)) =
            members.of(view.span().static_row).zip(binding.future[column].as_ref().map(|column| column.values(&view)))
        else {
            continue;
        };
        let start = view.start().since(first) as usize;
        values.iter().enumerate().for_each(|(row, value)| totals.add(group, start + row, *value));
    }
    totals.means()
}
