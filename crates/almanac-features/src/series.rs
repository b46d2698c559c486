//! All features of one series, computed once, from which the rows of a training table are gathered; then row by row, as
//! values are appended.

use almanac_series::SeriesView;

use crate::aligned::{Aligned, AlignedState};
use crate::asof::{AsofState, asof_of};
use crate::kernel::{self, Rolling};
use crate::known::{FutureValues, future_columns, future_values, n_future, n_rows_told};
use crate::plan::{Binding, FeaturePlan};
use crate::{Calendar, Columns};

/// Features of one series. Made in time linear in its rows; then each row of [`Self::row`] costs only its own length, and a
/// value appended by [`Self::push`] costs the same whatever the length of the history.
///
/// Appended values are the newest rows of the history: every number is the one, bit for bit, that a history with them from
/// the start would give.
#[derive(Debug)]
pub struct SeriesFeatures<'a> {
    plan: &'a FeaturePlan,
    calendar: &'a Calendar,
    view: SeriesView<'a>,
    asof: Columns,
    /// As-of features of appended rows, row after row.
    appended: Vec<f32>,
    known: FutureValues<'a>,
    future: Columns,
    /// Rows whose known features are told.
    told: usize,
    /// Index of each historic column of the plan in the panel.
    historic: Vec<Option<usize>>,
    statics: Vec<f32>,
    aligned: Aligned,
    levels: Vec<f32>,
    counts: Vec<u32>,
    live: Option<Box<Live>>,
}

/// What appending needs, made when the first value is appended.
#[derive(Debug)]
struct Live {
    /// Target, NaN where not scored.
    values: Vec<f64>,
    asof: AsofState,
    aligned: AlignedState,
    levels: LevelState,
}

impl<'a> SeriesFeatures<'a> {
    /// Computes the features of a series.
    pub fn new(view: &SeriesView<'a>, plan: &'a FeaturePlan, binding: &Binding, calendar: &'a Calendar) -> Self {
        let values = kernel::masked(view.y(), view.status());
        let counts = values.iter().scan(0, |count, value| {
            *count += u32::from(!value.is_nan());
            Some(*count)
        });
        let told = n_rows_told(view.len(), view.span().rows, plan);
        let known = future_values(view, binding);
        Self {
            plan,
            calendar,
            view: *view,
            asof: asof_of(&values, view, plan, binding),
            appended: Vec::new(),
            // A recursive forecast appends as many rows as the horizon has: room for them from the start.
            future: future_columns(&known, plan, told + plan.spec().horizon),
            told,
            historic: binding.historic.clone(),
            statics: binding.statics(view.span().static_row).collect(),
            aligned: Aligned::new(&values, view.start(), &known, plan, calendar, told),
            known,
            levels: levels(&values, plan.spec().level_rows),
            counts: counts.collect(),
            live: None,
        }
    }

    /// Returns the number of rows of history, appended ones included.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Returns whether there is no history at all.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Returns the local level of the series at the close of each row: a mean of absolute values, never below a tenth of
    /// the mean since the start, 0 only if all values were 0 or missing.
    pub fn levels(&self) -> &[f32] {
        &self.levels
    }

    /// Returns how many rows with a value there are up to and with each row.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Returns what is usual for a day like `target` over the local level, as known at the close of `origin`: 1.3 on a Saturday
    /// that sells 30 % more. Between a fifth and five.
    pub fn effect(&self, origin: usize, target: usize) -> f32 {
        self.aligned.effect(origin, target, self.plan).clamp(0.2, 5.0)
    }

    /// Appends the value of the next row, NaN where it has none or is not scored: a forecast taken for granted, or a new day.
    /// What the panel's historic columns say of that row is missing; known-ahead columns say what they said before.
    ///
    /// The first call costs one pass over the history.
    pub fn push(&mut self, y: f64) {
        self.push_row(y, |_| f64::NAN);
    }

    /// As [`Self::push`], with the values of the plan's historic columns in the order of [`FeaturePlan::historic`]; those not
    /// given are missing.
    pub fn push_with(&mut self, y: f64, historic: &[f64]) {
        self.push_row(y, |column| historic.get(column).copied().unwrap_or(f64::NAN));
    }

    fn push_row(&mut self, y: f64, historic: impl Fn(usize) -> f64) {
        let (plan, rows) = (self.plan, self.len() + 1);
        self.told = n_rows_told(rows, self.told, plan);
        if self.told > self.future.n_rows() {
            // Some rows more than needed, so that the cost of one stays small; those not told are not read.
            let room = self.told + self.told / 4;
            self.future = future_columns(&self.known, plan, room);
        }
        self.aligned.tell(self.view.start(), &self.known, plan, self.calendar, self.told);
        let live = self.live.get_or_insert_with(|| Box::new(Live::resume(&self.view, &self.historic, plan)));
        live.values.push(y);
        live.asof.push(&live.values, historic, plan, &mut self.appended);
        self.aligned.push(&live.values, &mut live.aligned, plan);
        self.levels.push(live.levels.push(&live.values));
        self.counts.push(self.counts.last().map_or(0, |count| *count) + u32::from(!y.is_nan()));
    }

    /// Appends the features of `target` as seen from the close of `origin`, in the order of [`FeaturePlan::row`]. Features
    /// in the units of `y` are divided by `scale`; 1 leaves them as they are.
    ///
    /// # Panics
    /// Unless `origin` is a row of the history and `target` lies after it.
    pub fn row(&self, origin: usize, target: usize, scale: f32, out: &mut Vec<f32>) {
        assert!(origin < self.counts.len() && target > origin, "origin {origin} is history, target {target} lies ahead of it");
        let first = out.len();
        match origin.checked_sub(self.asof.n_rows()) {
            None => self.asof.gather(origin, out),
            Some(appended) => {
                let width = self.plan.asof().len();
                out.extend_from_slice(&self.appended[appended * width..(appended + 1) * width]);
            }
        }
        self.calendar.gather(self.view.start().plus(target as i64), out);
        if target < self.told {
            self.future.gather(target, out);
        } else {
            out.resize(out.len() + n_future(self.plan), f32::NAN);
        }
        out.extend_from_slice(&self.statics);
        self.aligned.gather(origin, target, self.plan, out);
        if scale != 1.0 {
            for (value, feature) in out[first..].iter_mut().zip(self.plan.row()) {
                if feature.in_units {
                    *value /= scale;
                }
            }
        }
    }
}

impl Live {
    fn resume(view: &SeriesView<'_>, historic: &[Option<usize>], plan: &FeaturePlan) -> Self {
        let values = kernel::masked(view.y(), view.status());
        let historic: Vec<_> = historic.iter().map(|column| column.map(|column| view.historic(column))).collect();
        let levels = LevelState::resume(&values, plan.spec().level_rows);
        Self { asof: AsofState::resume(&values, &historic, plan), aligned: Aligned::resume(&values, plan), levels, values }
    }
}

fn levels(values: &[f64], window: usize) -> Vec<f32> {
    let mut state = LevelState::new(window);
    (1..=values.len()).map(|rows| state.push(&values[..rows])).collect()
}

/// The local level, one row at a time.
#[derive(Debug)]
struct LevelState {
    short: Rolling,
    long: Rolling,
    sum: f64,
    count: f64,
}

impl LevelState {
    fn new(window: usize) -> Self {
        Self { short: Rolling::new(window, 1), long: Rolling::new(window.saturating_mul(4), 1), sum: 0.0, count: 0.0 }
    }

    fn resume(values: &[f64], window: usize) -> Self {
        let [short, long] = [window, window.saturating_mul(4)].map(|rows| Rolling::resume(rows, 1, values.len(), |row| values[row].abs()));
        let mut state = Self { short, long, sum: 0.0, count: 0.0 };
        values.iter().for_each(|value| state.add(value.abs()));
        state
    }

    fn add(&mut self, size: f64) {
        if !size.is_nan() {
            self.sum += size;
            self.count += 1.0;
        }
    }

    /// Takes the newest row, in which `values` end.
    fn push(&mut self, values: &[f64]) -> f32 {
        let before = |row: usize| values[row].abs();
        let size = before(values.len() - 1);
        let (short, long) = (self.short.push(size, before).mean(), self.long.push(size, before).mean());
        self.add(size);
        let floor = (kernel::narrow(self.sum / self.count) * 0.1).max(long * 0.25);
        // `max` passes over NaN: a window without values falls back on the longer ones.
        short.max(floor).max(0.0)
    }
}
