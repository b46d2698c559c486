//! Changes of the schema, and the verdict on all changes together.

use super::{Drift, DriftOptions, SchemaChange};
use crate::table::TableProfile;

pub(super) fn schema(before: &TableProfile, after: &TableProfile) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    for column in &after.columns {
        match before.column(&column.name) {
            None => changes.push(SchemaChange::Added { column: column.name.clone(), data_type: column.data_type.clone() }),
            Some(old) => {
                if old.data_type != column.data_type {
                    let (before, after) = (old.data_type.clone(), column.data_type.clone());
                    changes.push(SchemaChange::Retyped { column: column.name.clone(), before, after });
                }
                if old.is_nullable != column.is_nullable {
                    changes.push(SchemaChange::Nullability { column: column.name.clone(), is_nullable: column.is_nullable });
                }
            }
        }
    }
    for column in before.columns.iter().filter(|column| after.column(&column.name).is_none()) {
        changes.push(SchemaChange::Removed { column: column.name.clone(), data_type: column.data_type.clone() });
    }
    changes
}

pub(super) fn judge(drift: &mut Drift, options: &DriftOptions) {
    let tested: Vec<_> = drift.columns.iter().filter(|column| column.score.is_some() || column.is_missing_drift).collect();
    let drifted: Vec<_> = tested.iter().filter(|column| column.is_drift).collect();
    let mut remarks = Vec::new();
    let names = |changes: &dyn Fn(&SchemaChange) -> Option<String>| drift.schema.iter().filter_map(changes).collect::<Vec<_>>().join(", ");
    let removed = names(&|change| match change {
        SchemaChange::Removed { column, .. } => Some(format!("`{column}`")),
        _ => None,
    });
    if !removed.is_empty() {
        remarks.push(format!("columns are gone: {removed}"));
    }
    let retyped = names(&|change| match change {
        SchemaChange::Retyped { column, before, after } => Some(format!("`{column}` from {before} to {after}")),
        _ => None,
    });
    if !retyped.is_empty() {
        remarks.push(format!("columns changed their type: {retyped}"));
    }
    let rows = drift.rows;
    let change = if rows.before == 0 { f64::from(rows.after > 0) } else { rows.after as f64 / rows.before as f64 - 1.0 };
    if change.abs() >= options.volume {
        let word = if change < 0.0 { "fewer" } else { "more" };
        remarks.push(format!("{:.0} % {word} rows", change.abs() * 100.0));
    }
    for column in &drift.columns {
        if column.is_missing_drift {
            let (before, after) = (column.missing.before * 100.0, column.missing.after * 100.0);
            remarks.push(format!("`{}` is missing in {after:.1} % of the rows, {before:.1} % before", column.name));
        }
        if let Some(periods) = column.periods.as_ref().filter(|periods| periods.vanished + periods.changed > 0) {
            let unit = periods.unit.name();
            let (changed, vanished) = (periods.changed, periods.vanished);
            remarks.push(format!("the past of `{}` changed: {changed} {unit}s have other rows, {vanished} {unit}s are gone", column.name));
        }
    }
    drift.verdict.tested = tested.len();
    drift.verdict.drifted = drifted.len();
    drift.verdict.share = if tested.is_empty() { 0.0 } else { drifted.len() as f64 / tested.len() as f64 };
    drift.verdict.is_drift = !drifted.is_empty() && drift.verdict.share >= options.share;
    drift.verdict.remarks = remarks;
}
