//! Features of a target seen from an origin: values of the same season, of the same days a year ago, and of days alike.
//!
//! A direct forecast reaches from its origin over several steps. Lags counted from the origin then fall on another weekday
//! for each step; the features here count from the target instead, back to the newest row that the origin knows.

use std::collections::HashMap;

use almanac_series::Period;

use crate::Calendar;
use crate::kernel::{self, Rolling, RollingOut, last_rolling, last_seasonal_mean};
use crate::known::FutureValues;
use crate::plan::{Feature, FeaturePlan, FutureKind};

/// Days alike that a mean reaches over.
const ALIKE: [usize; 2] = [4, 16];
/// Days alike that the effect of a day is a mean of.
const EFFECT_ALIKE: usize = 2 * ALIKE[ALIKE.len() - 1];
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
    seasonal: Vec<Vec<Vec<f32>>>,
    /// Trailing means over the main season and over the level window.
    week: Vec<f32>,
    level: Vec<f32>,
    cells: Cells,
}

/// States of the two trailing means.
#[derive(Debug, Clone)]
pub(crate) struct AlignedState {
    week: Rolling,
    level: Rolling,
}

/// A row against the level around it, as known at its close: what the day of the season or the promotion did.
fn effect_of(value: f64, level: f32) -> f64 {
    if level > 0.0 { value / f64::from(level) } else { f64::NAN }
}

/// Windows of the trailing means, over the main season and over the level window, and the values they need.
fn trailing(plan: &FeaturePlan) -> [(usize, usize); 2] {
    let windows = [main_season(plan).max(2), plan.spec().level_rows];
    windows.map(|window| (window, window.div_ceil(4)))
}

fn main_season(plan: &FeaturePlan) -> usize {
    plan.spec().season_lengths.first().copied().unwrap_or(1)
}

/// Values of a season that its effect is a mean of.
fn effect_count(plan: &FeaturePlan) -> usize {
    plan.spec().season_means.iter().copied().max().unwrap_or(4)
}

impl Aligned {
    /// Rows are told apart up to row `told`.
    pub(crate) fn new(
        values: &[f64],
        start: Period,
        known: &FutureValues<'_>,
        plan: &FeaturePlan,
        calendar: &Calendar,
        told: usize,
    ) -> Self {
        let spec = plan.spec();
        let rows = values.len();
        let [week, level] = trailing(plan).map(|(window, needed)| {
            let mut out = vec![0.0; rows];
            kernel::rolling(values, window, needed, RollingOut { mean: Some(&mut out), ..RollingOut::default() });
            out
        });
        let effects: Vec<f64> = values.iter().zip(&level).map(|(value, level)| effect_of(*value, *level)).collect();
        let mean = |from: &[f64], season: usize, count: usize| {
            let mut out = vec![0.0; rows];
            kernel::seasonal_mean(from, season, count, &mut out);
            out
        };
        let seasonal = spec.season_lengths.iter().map(|season| {
            let mut columns: Vec<_> = spec.season_means.iter().map(|count| mean(values, *season, *count)).collect();
            columns.push(mean(&effects, *season, effect_count(plan)));
            columns
        });
        let seasonal = seasonal.collect();
        let mut cells = Cells::default();
        cells.tell(start, known, plan, calendar, told);
        cells.fill(values, &effects);
        Self { values: values.iter().map(|value| kernel::narrow(*value)).collect(), seasonal, week, level, cells }
    }

    /// Forgets how rows ahead of a history were told apart.
    pub(crate) fn forget_ahead(&mut self, history: usize) {
        self.cells.of_row.truncate(history);
    }

    /// Tells rows apart up to row `told`, where they are not yet.
    pub(crate) fn tell(&mut self, start: Period, known: &FutureValues<'_>, plan: &FeaturePlan, calendar: &Calendar, told: usize) {
        self.cells.tell(start, known, plan, calendar, told);
    }

    /// State at the close of the last row.
    pub(crate) fn resume(values: &[f64], plan: &FeaturePlan) -> AlignedState {
        let [week, level] = trailing(plan).map(|(window, needed)| Rolling::resume(window, needed, values.len(), |row| values[row]));
        AlignedState { week, level }
    }

    /// Takes the newest row, in which `values` end.
    pub(crate) fn push(&mut self, values: &[f64], state: &mut AlignedState, plan: &FeaturePlan) {
        let rows = values.len();
        let value = values[rows - 1];
        let before = |row: usize| values[row];
        self.values.push(kernel::narrow(value));
        self.week.push(state.week.push(value, before).mean());
        self.level.push(state.level.push(value, before).mean());
        let level = &self.level;
        let effect = |row: usize| effect_of(values[row], level[row]);
        for (season, columns) in plan.spec().season_lengths.iter().zip(&mut self.seasonal) {
            for (index, column) in columns.iter_mut().enumerate() {
                column.push(match plan.spec().season_means.get(index) {
                    Some(count) => last_seasonal_mean(rows, *season, *count, before),
                    None => last_seasonal_mean(rows, *season, effect_count(plan), effect),
                });
            }
        }
        if !value.is_nan() {
            self.cells.push(rows - 1, before, effect);
        }
    }

    /// Returns what days like `target` have been over their level, as `origin` knows it: the effect of its day of the season,
    /// moved towards that of days alike as more of those are known. 1 where nothing is known.
    pub(crate) fn effect(&self, origin: usize, target: usize, plan: &FeaturePlan) -> f32 {
        let seasonal = plan.spec().season_lengths.first().zip(self.seasonal.first()).and_then(|(season, columns)| {
            let row = target.checked_sub((target - origin).div_ceil(*season) * season)?;
            let effect = *columns.last()?.get(row)?;
            effect.is_finite().then_some(effect)
        });
        let seasonal = seasonal.unwrap_or(1.0);
        let Some(cell) = self.cells.of(target) else { return seasonal };
        let known = cell.rows.partition_point(|row| *row as usize <= origin);
        match known.checked_sub(1).map(|last| cell.effect[last]).filter(|effect| effect.is_finite()) {
            Some(alike) => {
                let weight = known.min(EFFECT_ALIKE) as f32;
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
            out.extend(columns.iter().map(|column| at(back, column)));
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
        let cell = self.cells.of(target);
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

/// Rows that are alike: they share the day of the main season, all flags, and whether they are special (an event, a holiday).
#[derive(Debug, Default)]
struct Cells {
    numbers: HashMap<(u64, u32), u32>,
    /// Cell of each row, ahead too.
    of_row: Vec<u32>,
    by_number: Vec<Cell>,
}

/// Rows with a value, and what was known after each.
#[derive(Debug, Default)]
struct Cell {
    rows: Vec<u32>,
    means: [Vec<f32>; ALIKE.len()],
    effect: Vec<f32>,
}

impl Cells {
    /// Cell of a row, if the row is told.
    fn of(&self, row: usize) -> Option<&Cell> {
        self.of_row.get(row).map(|cell| &self.by_number[*cell as usize])
    }

    /// Gives rows a cell up to row `told`.
    fn tell(&mut self, start: Period, known: &FutureValues<'_>, plan: &FeaturePlan, calendar: &Calendar, told: usize) {
        let season = main_season(plan);
        let keyed: Vec<(&[f64], FutureKind, Option<f64>)> = plan
            .future()
            .iter()
            .zip(known)
            .filter_map(|(role, values)| Some((values.as_deref()?, role.kind, role.blank)))
            .filter(|(_, kind, _)| matches!(kind, FutureKind::Flag | FutureKind::Event | FutureKind::Category))
            .collect();
        self.of_row.reserve(told.saturating_sub(self.of_row.len()));
        for row in self.of_row.len()..told {
            let period = start.plus(row as i64);
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
            let cells = &mut self.by_number;
            let cell = *self.numbers.entry((phase, bits)).or_insert_with(|| {
                cells.push(Cell::default());
                cells.len() as u32 - 1
            });
            self.of_row.push(cell);
        }
    }

    /// Takes the rows of a history, each told before.
    fn fill(&mut self, values: &[f64], effects: &[f64]) {
        for (row, value) in values.iter().enumerate() {
            if !value.is_nan() {
                self.by_number[self.of_row[row] as usize].rows.push(row as u32);
            }
        }
        for cell in &mut self.by_number {
            let pick = |from: &[f64]| -> Vec<f64> { cell.rows.iter().map(|row| from[*row as usize]).collect() };
            let (own, own_effects) = (pick(values), pick(effects));
            let mean = |from: &[f64], count: usize| {
                let mut out = vec![0.0; from.len()];
                kernel::rolling(from, count, 1, RollingOut { mean: Some(&mut out), ..RollingOut::default() });
                out
            };
            cell.means = ALIKE.map(|count| mean(&own, count));
            cell.effect = mean(&own_effects, EFFECT_ALIKE);
        }
    }

    /// Takes one more row with a value, told before.
    fn push(&mut self, row: usize, value: impl Fn(usize) -> f64, effect: impl Fn(usize) -> f64) {
        let cell = &mut self.by_number[self.of_row[row] as usize];
        cell.rows.push(row as u32);
        let (rows, known) = (&cell.rows, cell.rows.len());
        for (count, means) in ALIKE.iter().zip(&mut cell.means) {
            means.push(last_rolling(known, *count, 1, |at| value(rows[at] as usize)).mean());
        }
        cell.effect.push(last_rolling(known, EFFECT_ALIKE, 1, |at| effect(rows[at] as usize)).mean());
    }
}
