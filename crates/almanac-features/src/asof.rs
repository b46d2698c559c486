//! As-of features: what is known at the close of a row of history. This is the gold layer.

use almanac_series::SeriesView;

use crate::Columns;
use crate::kernel::{self, RollingOut};
use crate::plan::{Binding, Feature, FeaturePlan};

/// Returns the as-of features of a plan, in order.
pub(crate) fn features(plan: &FeaturePlan) -> Vec<Feature> {
    let spec = plan.spec();
    let mut all: Vec<Feature> = spec.lags.iter().map(|lag| Feature::units(format!("lag{lag}"))).collect();
    for window in &spec.windows {
        let rows = window.rows;
        let wanted = [(window.mean, "mean"), (window.std, "std"), (window.min, "min"), (window.max, "max")];
        all.extend(wanted.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| Feature::units(format!("rolling_{name}{rows}"))));
        if window.zero_share {
            all.push(Feature::plain(format!("zero_share{rows}")));
        }
    }
    all.extend(spec.ewm.iter().map(|alpha| Feature::units(format!("ewm{alpha}"))));
    all.extend(["rows_since_nonzero", "rows_since_scored", "rows_since_start"].map(Feature::plain));
    for name in plan.historic() {
        all.push(Feature::plain(format!("{name}_last")));
        all.push(Feature::plain(format!("{name}_mean{}", spec.level_rows)));
    }
    all
}

/// Returns the as-of features of one series: `n_asof × history`, named by [`FeaturePlan::asof`].
pub fn asof(view: &SeriesView<'_>, plan: &FeaturePlan, binding: &Binding) -> Columns {
    let values = kernel::masked(view.y(), view.status());
    asof_of(&values, view, plan, binding)
}

pub(crate) fn asof_of(values: &[f64], view: &SeriesView<'_>, plan: &FeaturePlan, binding: &Binding) -> Columns {
    let spec = plan.spec();
    let rows = values.len();
    let mut out = Columns::zeroed(plan.asof().len(), rows);
    if rows == 0 {
        return out;
    }
    let mut columns = out.columns_mut();
    let mut next = || columns.next().expect("the plan names as many columns as are written");
    for lag in &spec.lags {
        kernel::lag(values, *lag, next());
    }
    for window in &spec.windows {
        let mean = window.mean.then(&mut next);
        let std = window.std.then(&mut next);
        let min = window.min.then(&mut next);
        let max = window.max.then(&mut next);
        let zero_share = window.zero_share.then(&mut next);
        kernel::rolling(values, window.rows, window.min_count(), RollingOut { mean, std, min, max, zero_share });
    }
    for alpha in &spec.ewm {
        kernel::ewm(values, *alpha, next());
    }
    kernel::rows_since(rows, |row| values[row] != 0.0 && !values[row].is_nan(), next());
    kernel::rows_since(rows, |row| !values[row].is_nan(), next());
    // Told for young series only: beyond, it would be a clock, by which trees learn what held on one day.
    let young = spec.year.unwrap_or(4 * spec.level_rows) as f32;
    let since_start = next();
    kernel::rows_since(rows, |row| row == 0, since_start);
    for value in since_start.iter_mut() {
        *value = value.min(young);
    }
    for column in &binding.historic {
        let (last, mean) = (next(), next());
        let Some(column) = column else {
            last.fill(f32::NAN);
            mean.fill(f32::NAN);
            continue;
        };
        let known = view.historic(*column);
        let mut newest = f64::NAN;
        for (to, value) in last.iter_mut().zip(known) {
            if !value.is_nan() {
                newest = *value;
            }
            *to = kernel::narrow(newest);
        }
        kernel::rolling(known, spec.level_rows, 1, RollingOut { mean: Some(mean), ..RollingOut::default() });
    }
    out
}
