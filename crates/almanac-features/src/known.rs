//! Known features: what is known of any row, ahead of the history too. Calendar, known-ahead columns, static columns.
//!
//! Of a known-ahead column a feature may look both ways: a promotion that ends tomorrow is known today.

use std::borrow::Cow;

use almanac_series::SeriesView;

use crate::kernel::{self, RollingOut};
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

/// Features of the known-ahead columns of one series, for so many rows from its start.
pub(crate) fn future_columns(known: &FutureValues<'_>, plan: &FeaturePlan, rows: usize) -> Columns {
    let mut out = Columns::zeroed(n_future(plan), rows);
    let mut columns = out.columns_mut();
    let mut next = || columns.next().expect("the plan names as many columns as are written");
    let mut values = Vec::with_capacity(rows);
    for (role, known) in plan.future().iter().zip(known) {
        values.clear();
        if let Some(known) = known {
            values.extend(known.iter().take(rows));
        }
        values.resize(rows, f64::NAN);
        for (to, value) in next().iter_mut().zip(&values) {
            *to = kernel::narrow(*value);
        }
        match role.kind {
            FutureKind::Flag => {
                let on = |row: usize| values[row] == 1.0;
                let off = |row: usize| values[row] == 0.0;
                // Rows of the run that were and are still to come; gaps belong to neither side.
                kernel::rows_since(rows, off, next());
                kernel::rows_until(rows, off, next());
                kernel::rows_since(rows, on, next());
                kernel::rows_until(rows, on, next());
                let week = next();
                let mut last = 0.0;
                for (row, to) in week.iter_mut().enumerate() {
                    last += f32::from(u8::from(on(row))) - f32::from(u8::from(row >= 7 && on(row - 7)));
                    *to = last;
                }
            }
            FutureKind::Event | FutureKind::Category => {
                neighbours(&values, &mut next);
                let event = |row: usize| role.blank.is_some_and(|blank| values[row] != blank) && !values[row].is_nan();
                kernel::rows_since(rows, event, next());
                kernel::rows_until(rows, event, next());
            }
            FutureKind::Amount => {
                amounts(&values, plan.spec().level_rows, &mut next);
                if plan.spec().price_history {
                    price_history(&values, &mut next);
                }
            }
            FutureKind::Number => neighbours(&values, &mut next),
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

fn neighbours<'a>(values: &[f64], next: &mut impl FnMut() -> &'a mut [f32]) {
    let (previous, following) = (next(), next());
    for row in 0..values.len() {
        previous[row] = row.checked_sub(1).map_or(f32::NAN, |row| kernel::narrow(values[row]));
        following[row] = values.get(row + 1).map_or(f32::NAN, |value| kernel::narrow(*value));
    }
}

/// An amount against its own trailing mean, its highest value so far, and the row before.
fn amounts<'a>(values: &[f64], window: usize, next: &mut impl FnMut() -> &'a mut [f32]) {
    let (to_mean, to_max, change) = (next(), next(), next());
    kernel::rolling(values, window, 1, RollingOut { mean: Some(to_mean), ..RollingOut::default() });
    let mut highest = f64::NAN;
    for (row, value) in values.iter().enumerate() {
        highest = highest.max(*value);
        to_mean[row] = kernel::narrow(value / f64::from(to_mean[row]));
        to_max[row] = kernel::narrow(value / highest);
        change[row] = row.checked_sub(1).map_or(f32::NAN, |before| kernel::narrow(value / values[before]));
    }
}

/// The share off the highest value so far, and the rows since the value was last another than in the row before.
fn price_history<'a>(values: &[f64], next: &mut impl FnMut() -> &'a mut [f32]) {
    let (discount, since_change) = (next(), next());
    let mut highest = f64::NAN;
    for (to, value) in discount.iter_mut().zip(values) {
        highest = highest.max(*value);
        *to = kernel::narrow(1.0 - value / highest);
    }
    let differs = |row: usize| row > 0 && values[row] != values[row - 1] && !values[row].is_nan() && !values[row - 1].is_nan();
    kernel::rows_since(values.len(), differs, since_change);
}

/// Returns the known features of one series: `n_known × (history + horizon)`, named by [`FeaturePlan::known`].
pub fn known(view: &SeriesView<'_>, plan: &FeaturePlan, binding: &Binding, calendar: &Calendar) -> Columns {
    let rows = n_rows_told(view.len(), view.span().rows, plan);
    let future = future_columns(&future_values(view, binding), plan, rows);
    let mut out = Columns::zeroed(plan.known().len(), rows);
    let mut row_values = Vec::with_capacity(plan.known().len());
    for row in 0..rows {
        row_values.clear();
        calendar.gather(view.start().plus(row as i64), &mut row_values);
        future.gather(row, &mut row_values);
        row_values.extend(binding.statics(view.span().static_row));
        for (index, value) in row_values.iter().enumerate() {
            out.column_mut(index)[row] = *value;
        }
    }
    out
}
