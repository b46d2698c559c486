//! Known features: what is known of any row, ahead of the history too. Calendar, known-ahead columns, static columns.
//!
//! Of a known-ahead column a feature may look both ways: a promotion that ends tomorrow is known today.

use std::borrow::Cow;
use std::ops::Range;

use almanac_series::SeriesView;

use crate::kernel::{self, Rolling, RollingOut, RowsSince};
use crate::plan::{Binding, Feature, FeaturePlan, FutureKind, StaticKind};
use crate::{Calendar, Columns, FeatureSpec, calendar, fourier};

/// Counters of rows stop here: an event further off has no say.
pub(crate) const REACH: f32 = 30.0;

/// Returns the known features of a plan, in order: calendar, Fourier terms, known-ahead columns, static columns.
pub(crate) fn features(plan: &FeaturePlan) -> Vec<Feature> {
    let spec = plan.spec();
    let mut all = if spec.calendar { calendar::features(plan.freq(), plan.has_holidays(), spec.trend) } else { Vec::new() };
    all.extend(fourier::features(&spec.fourier));
    for role in plan.future() {
        let name = &role.name;
        let category = role.kind == FutureKind::Category;
        let named = |name: String, category: bool| if category { Feature::category(name) } else { Feature::plain(name) };
        all.push(named(name.clone(), category));
        all.extend(derived(role.kind, spec).iter().map(|suffix| {
            let is_code = category && matches!(*suffix, "previous" | "next");
            named(format!("{name}_{suffix}"), is_code)
        }));
    }
    for role in plan.statics() {
        all.push(match role.kind {
            StaticKind::Category(_) => Feature::category(&role.name),
            StaticKind::Number => Feature::plain(&role.name),
        });
    }
    all
}

/// What is derived of a column beside its value.
fn derived(kind: FutureKind, spec: &FeatureSpec) -> &'static [&'static str] {
    match kind {
        FutureKind::Flag => &["run", "left", "since", "until", "week"],
        FutureKind::Event | FutureKind::Category => &["previous", "next", "since", "until"],
        FutureKind::Amount if spec.price_history => &["to_mean", "to_max", "change", "discount", "since_change"],
        FutureKind::Amount => &["to_mean", "to_max", "change"],
        FutureKind::Number => &["previous", "next"],
    }
}

/// Number of columns that [`future_columns`] gives.
pub(crate) fn n_future(plan: &FeaturePlan) -> usize {
    plan.future().iter().map(|role| 1 + derived(role.kind, plan.spec()).len()).sum()
}

/// Values of the plan's known-ahead columns of one series, in the plan's codes; `None` where the panel has no such column.
pub(crate) type FutureValues<'a> = Vec<Option<Cow<'a, [f64]>>>;

pub(crate) fn future_values<'a>(view: &SeriesView<'a>, binding: &Binding) -> FutureValues<'a> {
    binding.future.iter().map(|column| column.as_ref().map(|column| column.values(view))).collect()
}

/// Rows whose known features are told: the history and the horizon after it, or as far as known-ahead columns reach.
pub(crate) fn n_rows_told(history: usize, known: usize, plan: &FeaturePlan) -> usize {
    (history + plan.spec().horizon).max(known)
}

/// Features of the known-ahead columns of one series, for some rows of it. They are those of all its rows, whatever `rows` starts
/// with; it costs the rows, and a look at the values before them.
pub(crate) fn future_columns(known: &FutureValues<'_>, plan: &FeaturePlan, rows: Range<usize>) -> Columns {
    let from = rows.start;
    let mut out = Columns::zeroed(n_future(plan), rows.len());
    let mut columns = out.columns_mut();
    let mut next = || columns.next().expect("the plan names as many columns as are written");
    let mut values = Vec::with_capacity(rows.end);
    for (role, known) in plan.future().iter().zip(known) {
        values.clear();
        if let Some(known) = known {
            values.extend(known.iter().take(rows.end));
        }
        values.resize(rows.end, f64::NAN);
        for (to, value) in next().iter_mut().zip(&values[from..]) {
            *to = kernel::narrow(*value);
        }
        match role.kind {
            FutureKind::Flag => {
                let on = |row: usize| values[row] == 1.0;
                let off = |row: usize| values[row] == 0.0;
                // Rows of the run that were and are still to come; gaps belong to neither side.
                since(from, off, next());
                until(from, off, next());
                since(from, on, next());
                until(from, on, next());
                let count = |row: usize| f32::from(u8::from(on(row)));
                let mut last = (from.saturating_sub(7)..from).map(count).sum::<f32>();
                for (to, row) in next().iter_mut().zip(from..) {
                    last += count(row) - if row >= 7 { count(row - 7) } else { 0.0 };
                    *to = last;
                }
            }
            FutureKind::Event | FutureKind::Category => {
                neighbours(&values, from, &mut next);
                let event = |row: usize| role.blank.is_some_and(|blank| values[row] != blank) && !values[row].is_nan();
                since(from, event, next());
                until(from, event, next());
            }
            FutureKind::Amount => {
                amounts(&values, from, plan.spec().level_rows, &mut next);
                if plan.spec().price_history {
                    price_history(&values, from, &mut next);
                }
            }
            FutureKind::Number => neighbours(&values, from, &mut next),
        }
    }
    for (index, name) in
        plan.future().iter().flat_map(|role| std::iter::once("").chain(derived(role.kind, plan.spec()).iter().copied())).enumerate()
    {
        if matches!(name, "run" | "left" | "since" | "until" | "since_change") {
            for value in out.column_mut(index) {
                *value = value.min(REACH);
            }
        }
    }
    out
}

fn since(from: usize, is_event: impl Fn(usize) -> bool, out: &mut [f32]) {
    let mut state = RowsSince::resume(from, &is_event);
    for (to, row) in out.iter_mut().zip(from..) {
        *to = state.push(is_event(row));
    }
}

fn until(from: usize, is_event: impl Fn(usize) -> bool, out: &mut [f32]) {
    kernel::rows_until(out.len(), |row| is_event(from + row), out);
}

fn neighbours<'a>(values: &[f64], from: usize, next: &mut impl FnMut() -> &'a mut [f32]) {
    let (previous, following) = (next(), next());
    for row in from..values.len() {
        previous[row - from] = row.checked_sub(1).map_or(f32::NAN, |row| kernel::narrow(values[row]));
        following[row - from] = values.get(row + 1).map_or(f32::NAN, |value| kernel::narrow(*value));
    }
}

/// The highest value up to each row.
fn highest(values: &[f64], from: usize) -> impl Iterator<Item = f64> {
    let before = values[..from].iter().copied().fold(f64::NAN, f64::max);
    values[from..].iter().scan(before, |highest, value| {
        *highest = highest.max(*value);
        Some(*highest)
    })
}

/// An amount against its own trailing mean, its highest value so far, and the row before.
fn amounts<'a>(values: &[f64], from: usize, window: usize, next: &mut impl FnMut() -> &'a mut [f32]) {
    let (to_mean, to_max, change) = (next(), next(), next());
    if from == 0 {
        kernel::rolling(values, window, 1, RollingOut { mean: Some(to_mean), ..RollingOut::default() });
    } else {
        let mut state = Rolling::resume(window, 1, from, |row| values[row]);
        for (to, value) in to_mean.iter_mut().zip(&values[from..]) {
            *to = state.push(*value, |row| values[row]).mean();
        }
    }
    for ((at, value), highest) in values[from..].iter().enumerate().zip(highest(values, from)) {
        to_mean[at] = kernel::narrow(value / f64::from(to_mean[at]));
        to_max[at] = kernel::narrow(value / highest);
        change[at] = (from + at).checked_sub(1).map_or(f32::NAN, |before| kernel::narrow(value / values[before]));
    }
}

/// The share off the highest value so far, and the rows since the value was last another than in the row before.
fn price_history<'a>(values: &[f64], from: usize, next: &mut impl FnMut() -> &'a mut [f32]) {
    let (discount, since_change) = (next(), next());
    for ((to, value), highest) in discount.iter_mut().zip(&values[from..]).zip(highest(values, from)) {
        *to = kernel::narrow(1.0 - value / highest);
    }
    let differs = |row: usize| row > 0 && values[row] != values[row - 1] && !values[row].is_nan() && !values[row - 1].is_nan();
    since(from, differs, since_change);
}

/// Returns the known features of one series: `n_known × (history + horizon)`, named by [`FeaturePlan::known`].
pub fn known(view: &SeriesView<'_>, plan: &FeaturePlan, binding: &Binding, calendar: &Calendar) -> Columns {
    let rows = n_rows_told(view.len(), view.span().rows, plan);
    let future = future_columns(&future_values(view, binding), plan, 0..rows);
    let mut out = Columns::zeroed(plan.known().len(), rows);
    let mut columns: Vec<&mut [f32]> = out.columns_mut().collect();
    let (dated, others) = columns.split_at_mut(calendar.n_columns().min(plan.known().len()));
    calendar.write(view.start(), dated);
    let (ahead, statics) = others.split_at_mut(future.n_columns());
    for (to, from) in ahead.iter_mut().zip(future.iter()) {
        to.copy_from_slice(from);
    }
    for (to, value) in statics.iter_mut().zip(binding.statics(view.span().static_row)) {
        to.fill(value);
    }
    out
}
