//! Which series share a model of their own: those with the same value of a static column.

use std::collections::BTreeMap;

use almanac_series::{Panel, StaticColumn, StaticValues};

use crate::Pool;

/// Rows that a model of its own needs; with fewer, the model of all series speaks.
pub(crate) const LEAST_ROWS: usize = 500;

/// Returns the series of each value, in the order of the panel. Series without a value are in none.
///
/// # Errors
/// The names of the static columns, if the pool's is not among them.
pub(crate) fn groups(pool: &Pool, panel: &Panel) -> Result<BTreeMap<String, Vec<usize>>, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let Some(name) = pool.column() else { return Ok(groups) };
    let known = || panel.statics().iter().map(|column| column.name.to_string()).collect::<Vec<_>>();
    let column = panel.statics().iter().find(|column| *column.name == *name).ok_or_else(known)?;
    for (index, span) in panel.series().iter().enumerate() {
        if let Some(key) = key(column, span.static_row) {
            groups.entry(key).or_default().push(index);
        }
    }
    Ok(groups)
}

/// Returns the value by which a series is pooled, as text.
pub(crate) fn key(column: &StaticColumn, static_row: usize) -> Option<String> {
    match &column.values {
        StaticValues::Category { codes, categories } => categories.get(*codes.get(static_row)? as usize).cloned(),
        StaticValues::Number(values) => values.get(static_row).filter(|value| !value.is_nan()).map(ToString::to_string),
    }
}
