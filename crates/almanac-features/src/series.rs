//! All features of one series, computed once, from which the rows of a training table are gathered.

use almanac_series::SeriesView;

use crate::aligned::Aligned;
use crate::asof::asof_of;
use crate::kernel::{self, RollingOut};
use crate::known::future_columns;
use crate::plan::{Binding, FeaturePlan};
use crate::{Calendar, Columns};

/// Features of one series. Made in time linear in its rows; then each row of [`Self::row`] costs only its own length.
#[derive(Debug)]
pub struct SeriesFeatures<'a> {
    plan: &'a FeaturePlan,
    calendar: &'a Calendar,
    start: almanac_series::Period,
    asof: Columns,
    future: Columns,
    statics: Vec<f32>,
    aligned: Aligned,
    levels: Vec<f32>,
    counts: Vec<u32>,
}

impl<'a> SeriesFeatures<'a> {
    /// Computes the features of a series.
    pub fn new(view: &SeriesView<'_>, plan: &'a FeaturePlan, binding: &Binding, calendar: &'a Calendar) -> Self {
        let values = kernel::masked(view.y(), view.status());
        let counts = values.iter().scan(0, |count, value| {
            *count += u32::from(!value.is_nan());
            Some(*count)
        });
        Self {
            plan,
            calendar,
            start: view.start(),
            asof: asof_of(&values, view, plan, binding),
            future: future_columns(view, plan, binding),
            statics: binding.statics(view.span().static_row).collect(),
            aligned: Aligned::new(&values, view, plan, binding, calendar),
            levels: levels(&values, plan.spec().level_rows),
            counts: counts.collect(),
        }
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

    /// Appends the features of `target` as seen from the close of `origin`, in the order of [`FeaturePlan::row`]. Features
    /// in the units of `y` are divided by `scale`; 1 leaves them as they are.
    ///
    /// # Panics
    /// Unless `origin` is a row of the history and `target` lies after it.
    pub fn row(&self, origin: usize, target: usize, scale: f32, out: &mut Vec<f32>) {
        assert!(origin < self.counts.len() && target > origin, "origin {origin} is history, target {target} lies ahead of it");
        let first = out.len();
        self.asof.gather(origin, out);
        if self.plan.spec().calendar {
            self.calendar.gather(self.start.plus(target as i64), out);
        }
        if target < self.future.n_rows() {
            self.future.gather(target, out);
        } else {
            out.resize(out.len() + crate::known::n_future(self.plan), f32::NAN);
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

fn levels(values: &[f64], window: usize) -> Vec<f32> {
    let sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let mean = |window: usize| {
        let mut out = vec![0.0; sizes.len()];
        kernel::rolling(&sizes, window, 1, RollingOut { mean: Some(&mut out), ..RollingOut::default() });
        out
    };
    let (short, long) = (mean(window), mean(window.saturating_mul(4)));
    let (mut sum, mut count) = (0.0, 0.0);
    let mut out = Vec::with_capacity(sizes.len());
    for (row, size) in sizes.iter().enumerate() {
        if !size.is_nan() {
            sum += size;
            count += 1.0;
        }
        let floor = (kernel::narrow(sum / count) * 0.1).max(long[row] * 0.25);
        // `max` passes over NaN: a window without values falls back on the longer ones.
        out.push(short[row].max(floor).max(0.0));
    }
    out
}
