//! As-of features: what is known at the close of a row of history. This is the gold layer.

use almanac_series::SeriesView;

use crate::Columns;
use crate::kernel::{self, Ewm, Rolling, RollingOut, RowsSince};
use crate::optional::{self, OptionalState};
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
    all.extend(optional::features(plan));
    all
}

/// Returns the as-of features of one series: `n_asof × history`, named by [`FeaturePlan::asof`].
pub fn asof(view: &SeriesView<'_>, plan: &FeaturePlan, binding: &Binding) -> Columns {
    let values = kernel::masked(view.y(), view.status());
    asof_of(&values, view, plan, binding)
}

/// Rows from the start are told up to here: beyond, they would be a clock, by which trees learn what held on one day.
fn young(plan: &FeaturePlan) -> f32 {
    plan.spec().year.unwrap_or(4 * plan.spec().level_rows) as f32
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
    let young = young(plan);
    for (row, to) in next().iter_mut().enumerate() {
        *to = (row as f32).min(young);
    }
    let historic: Vec<_> = binding.historic.iter().map(|column| column.map(|column| view.historic(column))).collect();
    for known in &historic {
        let (last, mean) = (next(), next());
        let Some(known) = known else {
            last.fill(f32::NAN);
            mean.fill(f32::NAN);
            continue;
        };
        let mut newest = f64::NAN;
        for (to, value) in last.iter_mut().zip(*known) {
            if !value.is_nan() {
                newest = *value;
            }
            *to = kernel::narrow(newest);
        }
        kernel::rolling(known, spec.level_rows, 1, RollingOut { mean: Some(mean), ..RollingOut::default() });
    }
    optional::write(values, &historic, plan, next);
    out
}

/// What the as-of features of the next row are made from, beside the values themselves.
#[derive(Debug, Clone)]
pub(crate) struct AsofState {
    windows: Vec<Rolling>,
    ewm: Vec<Ewm>,
    since_nonzero: RowsSince,
    since_scored: RowsSince,
    historic: Vec<Option<HistoricState>>,
    optional: OptionalState,
}

#[derive(Debug, Clone)]
struct HistoricState {
    values: Vec<f64>,
    newest: f64,
    mean: Rolling,
}

impl AsofState {
    /// State at the close of the last row; `values` are those of the target, NaN where not scored.
    pub(crate) fn resume(values: &[f64], historic: &[Option<&[f64]>], plan: &FeaturePlan) -> Self {
        let (spec, rows) = (plan.spec(), values.len());
        let windows = spec.windows.iter().map(|window| Rolling::resume(window.rows, window.min_count(), rows, |row| values[row]));
        let ewm = spec.ewm.iter().map(|alpha| {
            let mut state = Ewm::new(*alpha);
            values.iter().for_each(|value| _ = state.push(*value));
            state
        });
        let states = historic.iter().map(|known| {
            let known = (*known)?;
            let newest = known.iter().rev().find(|value| !value.is_nan()).copied().unwrap_or(f64::NAN);
            Some(HistoricState { values: known.to_vec(), newest, mean: Rolling::resume(spec.level_rows, 1, rows, |row| known[row]) })
        });
        Self {
            windows: windows.collect(),
            ewm: ewm.collect(),
            since_nonzero: RowsSince::resume(rows, |row| values[row] != 0.0 && !values[row].is_nan()),
            since_scored: RowsSince::resume(rows, |row| !values[row].is_nan()),
            historic: states.collect(),
            optional: OptionalState::resume(values, historic, plan),
        }
    }

    /// Appends the features of the newest row to `out`, in the order of [`FeaturePlan::asof`]. `values` ends in that row;
    /// `historic` gives its value of a column of the plan.
    pub(crate) fn push(&mut self, values: &[f64], historic: impl Fn(usize) -> f64, plan: &FeaturePlan, out: &mut Vec<f32>) {
        let (spec, rows) = (plan.spec(), values.len());
        let value = values[rows - 1];
        out.extend(spec.lags.iter().map(|lag| rows.checked_sub(*lag).map_or(f32::NAN, |row| kernel::narrow(values[row]))));
        for (window, state) in spec.windows.iter().zip(&mut self.windows) {
            let summary = state.push(value, |row| values[row]);
            out.extend(window.mean.then(|| summary.mean()));
            out.extend(window.std.then(|| summary.std()));
            out.extend(window.min.then(|| summary.min()));
            out.extend(window.max.then(|| summary.max()));
            out.extend(window.zero_share.then(|| summary.zero_share()));
        }
        out.extend(self.ewm.iter_mut().map(|state| state.push(value)));
        out.push(self.since_nonzero.push(value != 0.0 && !value.is_nan()));
        out.push(self.since_scored.push(!value.is_nan()));
        out.push(((rows - 1) as f32).min(young(plan)));
        for (column, state) in self.historic.iter_mut().enumerate() {
            let Some(state) = state else {
                out.extend([f32::NAN; 2]);
                continue;
            };
            let value = historic(column);
            if !value.is_nan() {
                state.newest = value;
            }
            state.values.push(value);
            let HistoricState { values, newest, mean } = state;
            out.push(kernel::narrow(*newest));
            out.push(mean.push(value, |row| values[row]).mean());
        }
        self.optional.push(values, historic, plan, out);
    }
}
