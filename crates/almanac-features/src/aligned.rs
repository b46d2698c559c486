//! Features of a target seen from an origin: values of the same season, of the same days a year ago, and of days alike.
//!
//! A direct forecast reaches from its origin over several steps. Lags counted from the origin then fall on another weekday
//! for each step; the features here count from the target instead, back to the newest row that the origin knows.

use std::borrow::Cow;
use std::collections::HashMap;

use almanac_series::SeriesView;

use crate::kernel::{self, RollingOut};
use crate::plan::{Binding, Feature, FeaturePlan, FutureKind};
use crate::{Calendar, Columns};

/// Days alike that a mean reaches over.
const ALIKE: [usize; 2] = [4, 16];
/// Rows alike that weigh as much as the day of the season does.
const SEASON_WEIGHT: f32 = 8.0;
/// Known-ahead columns that tell days alike, at most: more would split the history into cells of one.
const MOST_KEYS: usize = 6;

pub(crate) fn features(plan: &FeaturePlan) -> Vec<Feature> {
    let spec = plan.spec();
    let mut all = Vec::new();
    for season in &spec.season_lengths {
        all.push(Feature::units(format!("season{season}_last")));
        all.push(Feature::units(format!("season{season}_before")));
        all.extend(spec.season_means.iter().map(|count| Feature::units(format!("season{season}_mean{count}"))));
        all.push(Feature::plain(format!("season{season}_effect")));
    }
    if let Some(year) = spec.year {
        all.push(Feature::units(format!("year{year}_same")));
        all.push(Feature::units(format!("year{year}_week")));
        all.push(Feature::plain(format!("year{year}_growth")));
        all.push(Feature::plain(format!("year{year}_day_effect")));
        all.push(Feature::plain(format!("year{}_growth", 2 * year)));
    }
    all.extend(ALIKE.map(|count| Feature::units(format!("alike_mean{count}"))));
    all.extend(["alike_effect", "alike_rows"].map(Feature::plain));
    all.push(Feature::plain("step"));
    all
}

/// What the aligned features of one series are read from. Every column holds only what is known at the close of its row.
#[derive(Debug)]
pub(crate) struct Aligned {
    /// Target as f32, NaN where not scored.
    values: Vec<f32>,
    /// Per season: one column for each of the spec's seasonal means, then one for the seasonal effect.
    seasonal: Vec<Columns>,
    /// Trailing means over the main season and over the level window.
    week: Vec<f32>,
    level: Vec<f32>,
    /// Cell of each row, ahead too, and the rows of each cell with what was known after each.
    cells: Vec<u32>,
    cell_rows: Vec<Cell>,
}

#[derive(Debug, Default)]
struct Cell {
    rows: Vec<u32>,
    means: [Vec<f32>; ALIKE.len()],
    effect: Vec<f32>,
}

impl Aligned {
    pub(crate) fn new(values: &[f64], view: &SeriesView<'_>, plan: &FeaturePlan, binding: &Binding, calendar: &Calendar) -> Self {
        let spec = plan.spec();
        let rows = values.len();
        let mean_over = |window: usize| {
            let mut out = vec![0.0; rows];
            kernel::rolling(values, window, window.div_ceil(4), RollingOut { mean: Some(&mut out), ..RollingOut::default() });
            out
        };
        let main = spec.season_lengths.first().copied().unwrap_or(1);
        let week = mean_over(main.max(2));
        let level = mean_over(spec.level_rows);
        // A row against the level around it, as known at its close: what the day of the season or the promotion did.
        let effects: Vec<f64> =
            values.iter().zip(&level).map(|(value, level)| if *level > 0.0 { value / f64::from(*level) } else { f64::NAN }).collect();
        let longest = spec.season_means.iter().copied().max().unwrap_or(4);
        let seasonal = spec
            .season_lengths
            .iter()
            .map(|season| {
                let mut out = Columns::zeroed(spec.season_means.len() + 1, rows);
                for (index, count) in spec.season_means.iter().enumerate() {
                    kernel::seasonal_mean(values, *season, *count, if rows > 0 { out.column_mut(index) } else { &mut [] });
                }
                kernel::seasonal_mean(&effects, *season, longest, if rows > 0 { out.column_mut(spec.season_means.len()) } else { &mut [] });
                out
            })
            .collect();
        let (cells, cell_rows) = cells_of(values, &effects, view, plan, binding, calendar, main);
        Self { values: values.iter().map(|value| kernel::narrow(*value)).collect(), seasonal, week, level, cells, cell_rows }
    }

    /// Returns what days like `target` have been over their level, as `origin` knows it: the effect of its day of the season,
    /// moved towards that of days alike as more of those are known. 1 where nothing is known.
    pub(crate) fn effect(&self, origin: usize, target: usize, plan: &FeaturePlan) -> f32 {
        let seasonal = plan.spec().season_lengths.first().zip(self.seasonal.first()).and_then(|(season, columns)| {
            let row = target.checked_sub((target - origin).div_ceil(*season) * season)?;
            let effect = *columns.column(columns.n_columns() - 1).get(row)?;
            effect.is_finite().then_some(effect)
        });
        let seasonal = seasonal.unwrap_or(1.0);
        let Some(cell) = self.cells.get(target).and_then(|cell| self.cell_rows.get(*cell as usize)) else { return seasonal };
        let known = cell.rows.partition_point(|row| *row as usize <= origin);
        match known.checked_sub(1).map(|last| cell.effect[last]).filter(|effect| effect.is_finite()) {
            Some(alike) => {
                let weight = known.min(2 * ALIKE[ALIKE.len() - 1]) as f32;
                (weight * alike + SEASON_WEIGHT * seasonal) / (weight + SEASON_WEIGHT)
            }
            None => seasonal,
        }
    }

    /// Appends the features of `target` as seen from the close of `origin`; `target > origin`.
    pub(crate) fn gather(&self, origin: usize, target: usize, plan: &FeaturePlan, out: &mut Vec<f32>) {
        let spec = plan.spec();
        let step = target - origin;
        // A row that the origin knows, or nothing.
        let at = |back: usize, column: &[f32]| match target.checked_sub(back) {
            Some(row) if row <= origin => column[row],
            _ => f32::NAN,
        };
        for (season, columns) in spec.season_lengths.iter().zip(&self.seasonal) {
            let back = step.div_ceil(*season) * season;
            out.push(at(back, &self.values));
            out.push(at(back + season, &self.values));
            for index in 0..=spec.season_means.len() {
                out.push(at(back, columns.column(index)));
            }
        }
        if let Some(year) = spec.year {
            let half = spec.season_lengths.first().map_or(0, |season| season / 2);
            // A week around the day; its last days are known only if the origin is past them.
            let around = |years: usize| at((years * year).saturating_sub(half), &self.week);
            let then = |years: usize| at(years * year + step, &self.level);
            let same = at(year, &self.values);
            out.push(same);
            out.push(around(1));
            out.push(ratio(around(1), then(1)));
            out.push(ratio(same, around(1)));
            out.push(ratio(around(2), then(2)));
        }
        let cell = self.cells.get(target).and_then(|cell| self.cell_rows.get(*cell as usize));
        let known = cell.map_or(0, |cell| cell.rows.partition_point(|row| *row as usize <= origin));
        match (cell, known.checked_sub(1)) {
            (Some(cell), Some(last)) => {
                out.extend(cell.means.iter().map(|means| means[last]));
                out.push(cell.effect[last]);
            }
            _ => out.extend([f32::NAN; ALIKE.len() + 1]),
        }
        out.push(known.min(ALIKE[ALIKE.len() - 1]) as f32);
        out.push(step as f32);
    }
}

fn ratio(a: f32, b: f32) -> f32 {
    if b > 0.0 { a / b } else { f32::NAN }
}

/// Rows are alike if they share the day of the main season, all flags, and whether they are special (an event, a holiday).
fn cells_of(
    values: &[f64],
    effects: &[f64],
    view: &SeriesView<'_>,
    plan: &FeaturePlan,
    binding: &Binding,
    calendar: &Calendar,
    season: usize,
) -> (Vec<u32>, Vec<Cell>) {
    let total = (values.len() + plan.spec().horizon).max(view.span().rows);
    let keyed: Vec<(Cow<'_, [f64]>, FutureKind, Option<f64>)> = plan
        .future()
        .iter()
        .zip(&binding.future)
        .filter_map(|(role, column)| Some((column.as_ref()?.values(view), role.kind, role.blank)))
        .filter(|(_, kind, _)| matches!(kind, FutureKind::Flag | FutureKind::Event | FutureKind::Category))
        .collect();
    let mut numbers: HashMap<(u64, u32), u32> = HashMap::new();
    let mut cells = Vec::with_capacity(total);
    let mut cell_rows: Vec<Cell> = Vec::new();
    for row in 0..total {
        let period = view.start().plus(row as i64);
        let (mut bits, mut flags, mut special) = (0_u32, 0, plan.has_holidays() && calendar.is_holiday(period));
        for (column, kind, blank) in &keyed {
            let value = column.get(row).copied().unwrap_or(f64::NAN);
            match kind {
                FutureKind::Flag if flags < MOST_KEYS => {
                    bits |= u32::from(value == 1.0) << flags;
                    flags += 1;
                }
                FutureKind::Flag => {}
                _ => special |= blank.is_some_and(|blank| value != blank) && !value.is_nan(),
            }
        }
        bits |= u32::from(special) << 31;
        // A season longer than a few weeks would leave one row per cell and year.
        let phase = if season <= 31 { period.0.rem_euclid(season as i64) as u64 } else { 0 };
        let cell = *numbers.entry((phase, bits)).or_insert_with(|| {
            cell_rows.push(Cell::default());
            cell_rows.len() as u32 - 1
        });
        cells.push(cell);
        if values.get(row).is_some_and(|value| !value.is_nan()) {
            cell_rows[cell as usize].rows.push(row as u32);
        }
    }
    for cell in &mut cell_rows {
        let pick = |from: &[f64]| -> Vec<f64> { cell.rows.iter().map(|row| from[*row as usize]).collect() };
        let (own, own_effects) = (pick(values), pick(effects));
        let mean = |from: &[f64], count: usize| {
            let mut out = vec![0.0; from.len()];
            kernel::rolling(from, count, 1, RollingOut { mean: Some(&mut out), ..RollingOut::default() });
            out
        };
        cell.means = ALIKE.map(|count| mean(&own, count));
        cell.effect = mean(&own_effects, 2 * ALIKE[ALIKE.len() - 1]);
    }
    (cells, cell_rows)
}
