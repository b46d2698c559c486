//! All features of one series, computed once, from which the rows of a training table are gathered; then row by row, as
//! values are appended.

use std::sync::Arc;

use almanac_series::{SeriesId, SeriesView};

use crate::aligned::{Aligned, AlignedState};
use crate::asof::{AsofState, asof_of};
use crate::groups::{Groups, Query};
use crate::kernel::{self, Rolling};
use crate::known::{FutureValues, future_columns, future_values, n_future, n_rows_told};
use crate::plan::{Binding, FeaturePlan};
use crate::{Calendar, Columns};

/// Features of one series. Made in time linear in its rows; then each row of [`Self::row`] costs only its own length, and a
/// value appended by [`Self::push`] costs the same whatever the length of the history.
///
/// Appended values are the newest rows of the history: every number is the one, bit for bit, that a history with them from
/// the start would give. Only what other series tell stays as it is at the end of their histories.
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
    /// The same from some row on, as far as rows are told now.
    newer: Option<(usize, Columns)>,
    /// Rows whose known features are told.
    told: usize,
    /// Index of each historic column of the plan in the panel.
    historic: Vec<Option<usize>>,
    statics: Vec<f32>,
    groups: Option<Arc<Groups>>,
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
            future: future_columns(&known, plan, 0..told + plan.spec().horizon),
            newer: None,
            told,
            historic: binding.historic.clone(),
            statics: binding.statics(view.span().static_row).collect(),
            groups: binding.groups.clone(),
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
    /// What the panel's historic columns say of that row is missing; known-ahead columns and other series say what they said before.
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

    /// Appends the rows that a newer view of the same series has after this history, such as that of a panel grown by a day, and
    /// takes from it what is known ahead, what statics say and what other series tell. `binding` is that of the newer panel. What
    /// the view says of the rows of this history is not read again.
    ///
    /// Costs the new rows and the rows ahead, and a look at known-ahead columns before them; from time to time, in the mean no more
    /// than that, one pass over known-ahead columns.
    ///
    /// # Errors
    /// [`AdvanceError`] if the view starts elsewhere or ends before this history does.
    pub fn advance(&mut self, view: &SeriesView<'a>, binding: &Binding) -> Result<(), AdvanceError> {
        let (series, history) = (view.id(), self.len());
        if series != self.view.id() || view.start() != self.view.start() {
            return Err(AdvanceError::OtherSeries { series: series.clone() });
        }
        if view.len() < history {
            return Err(AdvanceError::Shorter { series: series.clone(), got: view.len(), history });
        }
        // States are those of the rows seen so far.
        self.live();
        self.view = *view;
        self.known = future_values(view, binding);
        self.historic.clone_from(&binding.historic);
        self.statics = binding.statics(view.span().static_row).collect();
        self.groups.clone_from(&binding.groups);
        self.told = n_rows_told(view.len(), view.span().rows, self.plan);
        self.tell_ahead(history);
        self.aligned.forget_ahead(history);
        self.aligned.tell(view.start(), &self.known, self.plan, self.calendar, self.told);
        let values = kernel::masked(&view.y()[history..], &view.status()[history..]);
        for (row, value) in (history..).zip(values) {
            let columns: Vec<f64> =
                self.historic.iter().map(|column| column.map_or(f64::NAN, |column| view.historic(column)[row])).collect();
            self.push_with(value, &columns);
        }
        Ok(())
    }

    /// Computes the known-ahead features of rows that are told, at least from row `from` on.
    fn tell_ahead(&mut self, from: usize) {
        let rows = self.future.n_rows();
        let from = self.newer.as_ref().map_or(from, |(first, _)| from.min(*first)).min(rows);
        if self.told > rows + rows / 4 {
            self.future = future_columns(&self.known, self.plan, 0..self.told + self.plan.spec().horizon);
            self.newer = None;
        } else {
            self.newer = Some((from, future_columns(&self.known, self.plan, from..self.told + self.plan.spec().horizon)));
        }
    }

    fn live(&mut self) -> &mut Live {
        self.live.get_or_insert_with(|| Box::new(Live::resume(&self.view, &self.historic, self.plan)))
    }

    fn push_row(&mut self, y: f64, historic: impl Fn(usize) -> f64) {
        let (plan, rows) = (self.plan, self.len() + 1);
        self.told = n_rows_told(rows, self.told, plan);
        let end = self.newer.as_ref().map_or(self.future.n_rows(), |(from, columns)| from + columns.n_rows());
        if self.told > end && n_future(plan) > 0 {
            self.tell_ahead(rows);
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
            match &self.newer {
                Some((from, columns)) if target >= *from => columns.gather(target - from, out),
                _ => self.future.gather(target, out),
            }
        } else {
            out.resize(out.len() + n_future(self.plan), f32::NAN);
        }
        out.extend_from_slice(&self.statics);
        match &self.groups {
            Some(groups) => {
                let (span, start) = (self.view.span(), self.view.start());
                let (origin, level) = (start.plus(origin as i64), self.levels[origin]);
                let query = Query { static_row: span.static_row, start, origin, target, level, known: &self.known };
                groups.gather(&query, self.plan, out);
            }
            None => out.resize(out.len() + self.plan.groups().len(), f32::NAN),
        }
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

/// Why a series cannot go on with a newer view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// The view has another key or another first row.
    #[error("series `{series}` is another one, or starts in another period")]
    OtherSeries {
        /// Key of the view.
        series: SeriesId,
    },
    /// The view ends before the history does.
    #[error("series `{series}` has {got} rows of history, {history} are known already")]
    Shorter {
        /// Key of the view.
        series: SeriesId,
        /// Its rows of history.
        got: usize,
        /// Rows known.
        history: usize,
    },
}

impl Live {
    fn resume(view: &SeriesView<'_>, historic: &[Option<usize>], plan: &FeaturePlan) -> Self {
        let values = kernel::masked(view.y(), view.status());
        let historic: Vec<_> = historic.iter().map(|column| column.map(|column| view.historic(column))).collect();
        let levels = LevelState::resume(&values, plan.spec().level_rows);
        Self { asof: AsofState::resume(&values, &historic, plan), aligned: Aligned::resume(&values, plan), levels, values }
    }
}

pub(crate) fn levels(values: &[f64], window: usize) -> Vec<f32> {
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
