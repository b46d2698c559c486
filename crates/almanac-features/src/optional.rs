//! As-of features that a spec may ask for beside the usual ones: rolling quantiles, statistics since the start, differences,
//! rows since the last event of a historic column.
//!
//! One state makes them row by row, for a history and for appended values alike.

use crate::kernel::{self, Expanding, RollingQuantile, RowsSince};
use crate::known::REACH;
use crate::plan::{Feature, FeaturePlan};

/// Returns the optional as-of features of a plan, in order.
pub(crate) fn features(plan: &FeaturePlan) -> Vec<Feature> {
    let spec = plan.spec();
    let mut all = Vec::new();
    for window in &spec.quantiles {
        all.extend(window.levels.iter().map(|p| Feature::units(format!("rolling_q{p}_{}", window.rows))));
    }
    if spec.expanding {
        all.extend(["mean", "std", "min", "max"].map(|name| Feature::units(format!("expanding_{name}"))));
    }
    all.extend(spec.differences.iter().map(|back| Feature::units(format!("diff{back}"))));
    all.extend(plan.historic_events().iter().map(|event| Feature::plain(format!("{}_since", event.name))));
    all
}

/// What the optional features of the next row are made from.
#[derive(Debug, Clone)]
pub(crate) struct OptionalState {
    quantiles: Vec<RollingQuantile>,
    expanding: Option<Expanding>,
    /// For each event its column among the plan's historic ones, and its counter.
    events: Vec<(usize, RowsSince)>,
}

impl OptionalState {
    pub(crate) fn new(plan: &FeaturePlan) -> Self {
        let spec = plan.spec();
        let quantiles = spec
            .quantiles
            .iter()
            .flat_map(|window| window.levels.iter().map(|p| RollingQuantile::new(*p, window.rows, window.rows.div_ceil(4))));
        let column = |name: &str| plan.historic().iter().position(|known| known == name);
        let events = plan.historic_events().iter().filter_map(|event| Some((column(&event.name)?, RowsSince::default())));
        Self { quantiles: quantiles.collect(), expanding: spec.expanding.then(Expanding::default), events: events.collect() }
    }

    /// State at the close of the last row of a history.
    pub(crate) fn resume(values: &[f64], historic: &[Option<&[f64]>], plan: &FeaturePlan) -> Self {
        let mut state = Self::new(plan);
        let levels = plan.spec().quantiles.iter().flat_map(|window| window.levels.iter().map(|p| (*p, window.rows)));
        for (quantile, (p, window)) in state.quantiles.iter_mut().zip(levels) {
            *quantile = RollingQuantile::resume(p, window, window.div_ceil(4), values.len(), |row| values[row]);
        }
        if let Some(expanding) = &mut state.expanding {
            values.iter().for_each(|value| expanding.push(*value));
        }
        for ((column, since), event) in state.events.iter_mut().zip(plan.historic_events()) {
            let value = |row: usize| historic[*column].map_or(f64::NAN, |values| values[row]);
            *since = RowsSince::resume(values.len(), |row| event.is_event(value(row)));
        }
        state
    }

    /// Appends the features of the newest row, in which `values` end. `historic` gives its value of a column of the plan.
    pub(crate) fn push(&mut self, values: &[f64], historic: impl Fn(usize) -> f64, plan: &FeaturePlan, out: &mut Vec<f32>) {
        let newest = values.len() - 1;
        let value = values[newest];
        out.extend(self.quantiles.iter_mut().map(|state| state.push(value)));
        if let Some(state) = &mut self.expanding {
            state.push(value);
            out.extend(state.summary());
        }
        let before = |back: usize| newest.checked_sub(back).map_or(f64::NAN, |row| values[row]);
        out.extend(plan.spec().differences.iter().map(|back| kernel::narrow(value - before(*back))));
        for ((column, since), event) in self.events.iter_mut().zip(plan.historic_events()) {
            out.push(cap(since.push(event.is_event(historic(*column)))));
        }
    }
}

fn cap(rows: f32) -> f32 {
    if rows > REACH { REACH } else { rows }
}

/// Writes the optional features of a history to `columns`.
pub(crate) fn write<'a>(values: &[f64], historic: &[Option<&[f64]>], plan: &FeaturePlan, mut next: impl FnMut() -> &'a mut [f32]) {
    let wanted = features(plan).len();
    if wanted == 0 {
        return;
    }
    let mut columns: Vec<&mut [f32]> = (0..wanted).map(|_| next()).collect();
    let mut state = OptionalState::new(plan);
    let mut row_values = Vec::with_capacity(wanted);
    for row in 0..values.len() {
        row_values.clear();
        state.push(&values[..=row], |column| historic[column].map_or(f64::NAN, |values| values[row]), plan, &mut row_values);
        for (column, value) in columns.iter_mut().zip(&row_values) {
            column[row] = *value;
        }
    }
}
