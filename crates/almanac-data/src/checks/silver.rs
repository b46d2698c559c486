//! Checks of the regular panel.

use std::collections::BTreeMap;

use almanac_series::{Panel, SeriesView, StaticValues};

use super::{CheckContext, CheckReport, CheckResult, CheckSpec, SAMPLE_ROWS, TypeClass, fresh, percent, row_change, share};
use crate::SilverReport;

/// Checks the panel and what the report says of its making. Columns: `y`, exogenous and static ones by name.
pub fn check_silver(panel: &Panel, report: &SilverReport, specs: &[CheckSpec], context: CheckContext) -> CheckReport {
    let results = specs.iter().map(|spec| judge(panel, report, spec, context)).collect();
    CheckReport { layer: "silver".into(), table: None, results }
}

/// A column of the panel's rows.
#[derive(Clone, Copy)]
enum Column {
    Target,
    Historic(usize),
    Future(usize),
    Static(usize),
}

fn find(panel: &Panel, name: &str) -> Option<Column> {
    if name == "y" {
        return Some(Column::Target);
    }
    let historic = panel.historic_names().position(|known| known == name).map(Column::Historic);
    let future = || panel.future_names().position(|known| known == name).map(Column::Future);
    let fixed = || panel.statics().iter().position(|column| &*column.name == name).map(Column::Static);
    historic.or_else(future).or_else(fixed)
}

/// The values of a row column over the history; for the target only rows that are scored.
fn values<'a>(column: Column, view: SeriesView<'a>) -> Box<dyn Iterator<Item = (usize, f64)> + 'a> {
    match column {
        Column::Target => Box::new(view.scored()),
        Column::Historic(index) => Box::new(view.historic(index).iter().copied().enumerate()),
        Column::Future(index) => Box::new(view.future(index)[..view.len()].iter().copied().enumerate()),
        Column::Static(_) => Box::new(std::iter::empty()),
    }
}

fn judge(panel: &Panel, report: &SilverReport, spec: &CheckSpec, context: CheckContext) -> CheckResult {
    let rows = panel.n_rows() as u64;
    let missing_column = |column: &str| spec.no_column(column);
    match spec {
        CheckSpec::Columns { columns } => {
            let missing: Vec<&str> = columns
                .iter()
                .map(String::as_str)
                .filter(|name| *name != "unique_id" && *name != "ds" && find(panel, name).is_none())
                .collect();
            spec.result(missing.is_empty(), if missing.is_empty() { "all there".into() } else { format!("missing {}", missing.join(", ")) })
        }
        CheckSpec::Type { column, is } => match find(panel, column) {
            None => missing_column(column),
            Some(Column::Static(index)) => {
                let text = matches!(panel.statics()[index].values, StaticValues::Category { .. });
                spec.result(
                    (*is == TypeClass::Text) == text && matches!(is, TypeClass::Text | TypeClass::Number),
                    if text { "a text" } else { "a number" },
                )
            }
            Some(_) => spec.result(*is == TypeClass::Number, "a number"),
        },
        CheckSpec::Unique { .. } | CheckSpec::Regular => {
            let sorted = panel.series().windows(2).all(|pair| pair[0].id < pair[1].id);
            let whole = panel.series().iter().all(|span| span.history >= 1 && span.rows >= span.history);
            spec.result(
                sorted && whole,
                format!(
                    "{} series at `{}`, {}",
                    panel.n_series(),
                    panel.freq(),
                    if sorted && whole { "sorted and whole" } else { "out of order" }
                ),
            )
        }
        CheckSpec::Nulls { column, max_share } => match find(panel, column) {
            None => missing_column(column),
            Some(Column::Static(index)) => {
                let (missing, of) = missing_statics(panel, index);
                spec.result(share(missing, of) <= *max_share, format!("{missing} of {of} series missing"))
            }
            Some(found) => {
                let missing = |view: SeriesView<'_>| match found {
                    Column::Target => view.y().iter().filter(|y| y.is_nan()).count(),
                    _ => values(found, view).filter(|(_, value)| value.is_nan()).count(),
                };
                let missing: usize = panel.views().map(missing).sum();
                let part = share(missing as u64, rows);
                spec.result(part <= *max_share, format!("{missing} of {rows} missing ({})", percent(part)))
            }
        },
        CheckSpec::Range { column, min, max } => match find(panel, column) {
            None => missing_column(column),
            Some(found) => range(panel, spec, found, column, *min, *max),
        },
        CheckSpec::Allowed { column, values } => match find(panel, column) {
            Some(Column::Static(index)) => match &panel.statics()[index].values {
                StaticValues::Category { categories, .. } => {
                    let others: Vec<&str> =
                        categories.iter().map(String::as_str).filter(|text| !values.iter().any(|value| value == text)).collect();
                    spec.result(others.is_empty(), if others.is_empty() { "no other".into() } else { others.join(", ") })
                }
                StaticValues::Number(_) => spec.result(false, "a number"),
            },
            Some(_) => spec.result(false, "a column of rows; check its texts in the bronze layer"),
            None => missing_column(column),
        },
        CheckSpec::Fresh { max_age_days, .. } => {
            let newest = panel.last_period().filter(|_| panel.freq().has_calendar()).map(|period| panel.freq().ds(period));
            fresh(spec, newest, context.now, *max_age_days)
        }
        CheckSpec::RowChange { max_drop, max_growth } => row_change(spec, rows, context.previous_rows, *max_drop, *max_growth),
        CheckSpec::MinRows { rows: needed } => spec.result(rows >= *needed, format!("{rows} rows")),
        CheckSpec::MinSeries { series } => spec.result(panel.n_series() as u64 >= *series, format!("{} series", panel.n_series())),
        CheckSpec::Quarantine { max_share } => {
            let part = share(report.rows_quarantined, report.rows_in);
            let mut result =
                spec.result(part <= *max_share, format!("{} of {} rows ({})", report.rows_quarantined, report.rows_in, percent(part)));
            if !result.passed {
                result.sample_rows = report
                    .quarantined
                    .iter()
                    .map(|(reason, count)| BTreeMap::from([("reason".into(), reason.clone()), ("rows".into(), count.to_string())]))
                    .collect();
            }
            result
        }
    }
}

fn missing_statics(panel: &Panel, index: usize) -> (u64, u64) {
    let rows = panel.series().iter().map(|span| span.static_row);
    let missing = match &panel.statics()[index].values {
        StaticValues::Category { codes, categories } => rows.filter(|row| codes[*row] as usize == categories.len()).count(),
        StaticValues::Number(values) => rows.filter(|row| values[*row].is_nan()).count(),
    };
    (missing as u64, panel.n_series() as u64)
}

fn range(panel: &Panel, spec: &CheckSpec, found: Column, name: &str, min: Option<f64>, max: Option<f64>) -> CheckResult {
    let outside = |value: f64| value.is_infinite() || min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max);
    let mut offenders = 0_u64;
    let mut samples = Vec::new();
    let mut offend = |id: &str, ds: Option<String>, value: f64| {
        offenders += 1;
        if samples.len() < SAMPLE_ROWS {
            let mut row = BTreeMap::from([("unique_id".to_owned(), id.to_owned()), (name.to_owned(), value.to_string())]);
            row.extend(ds.map(|ds| ("ds".to_owned(), ds)));
            samples.push(row);
        }
    };
    if let Column::Static(index) = found {
        let StaticValues::Number(values) = &panel.statics()[index].values else { return spec.result(false, "a text") };
        for span in panel.series().iter().filter(|span| outside(values[span.static_row])) {
            offend(span.id.as_str(), None, values[span.static_row]);
        }
    }
    for view in panel.views() {
        for (row, value) in values(found, view).filter(|(_, value)| outside(*value)) {
            offend(view.id().as_str(), Some(panel.freq().label(view.start().plus(row as i64))), value);
        }
    }
    let mut result = spec.result(offenders == 0, format!("{offenders} values outside"));
    result.sample_rows = samples;
    result
}
