//! How two versions of a table differ, for the terminal.

use almanac_profile::{ColumnDrift, Drift, Method, SchemaChange};

use crate::commands::profile::words::{bars_of, clip, count, counted, number, share};
use crate::printer::table;

/// Names that are listed in a line.
const NAMES: usize = 5;

/// Draws a comparison.
pub(super) fn text(table_name: &str, before: &str, after: &str, drift: &Drift) -> String {
    let rows = drift.rows;
    let change = match (rows.before, rows.after) {
        (old, new) if old == new => "as many rows".to_owned(),
        (0, _) => "rows for the first time".to_owned(),
        (old, new) => format!("{:+.1} % rows", (new as f64 / old as f64 - 1.0) * 100.0),
    };
    let mut text = format!("{before} → {after}: {} → {}, {change}\n", counted(rows.before, "row"), counted(rows.after, "row"));
    if !drift.verdict.is_changed {
        text.push_str("nothing differs\n");
        return text;
    }
    text.push_str(&verdict(table_name, drift));
    for line in schema(drift).into_iter().chain(series(drift)).chain(drift.verdict.remarks.iter().map(|remark| format!("! {remark}"))) {
        text.push_str(&format!("  {line}\n"));
    }
    if drift.columns.is_empty() {
        return text;
    }
    text.push('\n');
    let mut columns: Vec<&ColumnDrift> = drift.columns.iter().collect();
    columns.sort_by_key(|column| !column.is_drift);
    let lines = columns.into_iter().map(|column| {
        let full = column.bars.before.iter().chain(&column.bars.after).copied().fold(0.0, f64::max);
        [
            clip(&column.name, 28),
            bars_of(&column.bars.before, full),
            bars_of(&column.bars.after, full),
            test(column),
            (if column.is_drift { "drift" } else { "" }).to_owned(),
            changes(column),
        ]
    });
    text.push_str(&table(["column", "before", "after", "test", "", "what changed"], &[], lines));
    text
}

fn verdict(table_name: &str, drift: &Drift) -> String {
    let verdict = &drift.verdict;
    if verdict.tested == 0 {
        return "no column could be tested for drift\n".to_owned();
    }
    let word = if verdict.is_drift { format!("`{}` drifted", clip(table_name, 60)) } else { "no drift of the table".to_owned() };
    format!(
        "{word}: {} of {} differ{}, {} (drift from {})\n",
        verdict.drifted,
        counted(verdict.tested as u64, "tested column"),
        if verdict.drifted == 1 { "s" } else { "" },
        share(verdict.share),
        share(verdict.threshold)
    )
}

fn schema(drift: &Drift) -> Vec<String> {
    let line = |change: &SchemaChange| match change {
        SchemaChange::Added { column, data_type } => format!("+ column `{}` ({data_type})", clip(column, 60)),
        SchemaChange::Removed { column, data_type } => format!("- column `{}` ({data_type})", clip(column, 60)),
        SchemaChange::Retyped { column, before, after } => format!("~ column `{}`: {before} → {after}", clip(column, 60)),
        SchemaChange::Nullability { column, is_nullable: true } => format!("~ column `{}` may be null now", clip(column, 60)),
        SchemaChange::Nullability { column, .. } => format!("~ column `{}` may no longer be null", clip(column, 60)),
    };
    drift.schema.iter().map(line).collect()
}

fn series(drift: &Drift) -> Option<String> {
    let change = &drift.key.as_ref()?.change;
    let about = if change.is_exact { "" } else { "≈ " };
    let mut text = format!("series: {about}{} → {about}{}", count(change.before), count(change.after));
    for (number, names, word) in [(change.new, &change.new_names, "new"), (change.vanished, &change.vanished_names, "gone")] {
        match number {
            Some(number) if number > 0 => text.push_str(&format!("; {about}{} {word}{}", count(number), listed(names, number))),
            _ => {}
        }
    }
    Some(text)
}

fn test(column: &ColumnDrift) -> String {
    if column.is_identifier && column.method.is_none() {
        return "names rows: no test".to_owned();
    }
    let (Some(method), Some(score), Some(threshold)) = (column.method, column.score, column.threshold) else {
        return String::new();
    };
    let sign = match (column.is_drift, method.is_p_value()) {
        _ if is_over(method, score, threshold) => {
            if method.is_p_value() {
                "≤"
            } else {
                "≥"
            }
        }
        (_, true) => ">",
        (_, false) => "<",
    };
    let about = if column.is_exact { "" } else { "≈ " };
    let raised = if column.is_threshold_raised { " (chance)" } else { "" };
    format!("{} {about}{} {sign} {}{raised}", method.name(), score_text(score), number(threshold))
}

fn is_over(method: Method, score: f64, threshold: f64) -> bool {
    if method.is_p_value() { score <= threshold } else { score >= threshold }
}

fn score_text(score: f64) -> String {
    if score > 0.0 && score < 0.0005 { "<0.001".to_owned() } else { format!("{score:.3}") }
}

fn changes(column: &ColumnDrift) -> String {
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (column.mean.before, column.mean.after)
        && number(before) != number(after)
    {
        parts.push(format!("mean {} → {}", number(before), number(after)));
    }
    if let (Some(before), Some(after)) = (column.stdev.before, column.stdev.after)
        && (after / before.max(f64::MIN_POSITIVE) - 1.0).abs() >= 0.05
    {
        parts.push(format!("spread {} → {}", number(before), number(after)));
    }
    let (before, after) = (share(column.missing.before), share(column.missing.after));
    if before != after {
        parts.push(format!("missing {before} → {after}"));
    }
    for (number, values, word) in
        [(column.new_category_count, &column.new_categories, "new"), (column.vanished_category_count, &column.vanished_categories, "gone")]
    {
        if let (Some(number), Some(values)) = (number, values)
            && number > 0
        {
            let names: Vec<String> = values.iter().map(|value| clip(&value.value, 24)).collect();
            parts.push(format!("{} {word}{}", count(number), listed(&names, number)));
        }
    }
    if let Some(periods) = &column.periods {
        let unit = periods.unit.name();
        if let (Some(before), Some(after)) = (&periods.before, &periods.after) {
            parts.push(if before == after {
                format!("{} to {}", after.0, after.1)
            } else {
                format!("{} to {} → {} to {}", before.0, before.1, after.0, after.1)
            });
        }
        for (number, word) in [(periods.new, "new"), (periods.vanished, "gone"), (periods.changed, "with other rows")] {
            if number > 0 {
                parts.push(format!("{} {word}", counted(number, unit)));
            }
        }
    }
    parts.join(", ")
}

fn listed(names: &[String], all: u64) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    let more = if all > shown.len() as u64 { ", …" } else { "" };
    format!(" ({}{more})", shown.join(", "))
}
