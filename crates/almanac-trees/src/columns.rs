//! Columns that settings name: the error for one that is not there, and the way each feature may move a forecast.

use std::collections::BTreeMap;

use almanac_features::{FeaturePlan, FutureKind, StaticKind};
use almanac_model::FitError;

use crate::Objective;

/// Names less alike than this are no suggestion.
const LEAST_LIKENESS: f64 = 0.6;
/// What is derived of an amount and rises with it: the amount over its trailing mean, over its highest value, over the row before.
const RISING: [&str; 3] = ["to_mean", "to_max", "change"];

/// Says that a setting names a column that is not there.
pub(crate) fn unknown(model: &str, setting: &'static str, column: &str, wanted: &'static str, known: Vec<String>) -> FitError {
    let likeness = |name: &String| strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &column.to_lowercase());
    let near = known.iter().filter(|name| likeness(name) >= LEAST_LIKENESS).max_by(|a, b| likeness(a).total_cmp(&likeness(b))).cloned();
    FitError::UnknownColumn { model: model.to_owned(), setting, column: column.to_owned(), wanted, near, known }
}

/// Returns the way each feature of a row may move the forecast: 1 up with its value, -1 down, 0 both. Empty if nothing is asked, or
/// if the objective cannot be held to it.
pub(crate) fn directions(
    model: &str,
    plan: &FeaturePlan,
    monotone: &BTreeMap<String, i8>,
    objective: Objective,
) -> Result<Vec<i8>, FitError> {
    let mut by_feature: BTreeMap<String, i8> = BTreeMap::new();
    for (column, direction) in monotone {
        let direction = direction.signum();
        let future = plan.future().iter().find(|role| role.name == *column && role.kind != FutureKind::Category);
        let is_static = plan.statics().iter().any(|role| role.name == *column && role.kind == StaticKind::Number);
        if let Some(role) = future {
            by_feature.insert(column.clone(), direction);
            if role.kind == FutureKind::Amount {
                by_feature.extend(RISING.map(|suffix| (format!("{column}_{suffix}"), direction)));
            }
        } else if plan.historic().contains(column) {
            by_feature.insert(format!("{column}_last"), direction);
            by_feature.insert(format!("{column}_mean{}", plan.spec().level_rows), direction);
        } else if is_static {
            by_feature.insert(column.clone(), direction);
        } else {
            let future = plan.future().iter().filter(|role| role.kind != FutureKind::Category).map(|role| &role.name);
            let statics = plan.statics().iter().filter(|role| role.kind == StaticKind::Number).map(|role| &role.name);
            let known = future.chain(plan.historic()).chain(statics).cloned().collect();
            return Err(unknown(model, "monotone", column, "column of numbers", known));
        }
    }
    // Both libraries set the leaves of these from the labels alone, after the trees have grown.
    let sets_leaves = matches!(objective, Objective::Absolute | Objective::Quantile { .. });
    if sets_leaves || by_feature.values().all(|direction| *direction == 0) {
        return Ok(Vec::new());
    }
    Ok(plan.row().map(|feature| if feature.categorical { 0 } else { by_feature.get(&feature.name).copied().unwrap_or(0) }).collect())
}
