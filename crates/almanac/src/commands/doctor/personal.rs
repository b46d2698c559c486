//! Whether columns look as if they named people and nobody has said what becomes of them.
//!
//! Names are those of the last run; before the first one, of the sources, if they are small enough for a quick look.

use almanac_config::Settings;
use almanac_data::{IngestReport, TableSpec, expand_source, on_disk, sketch_table};
use almanac_pipeline::{Project, records};
use almanac_privacy::looks_personal;

use super::Finding;
use crate::{compose, privacy};

/// Largest sources that are read for this, in bytes.
const QUICK: u64 = 64 << 20;
const NAMED: usize = 8;

pub(super) fn look(settings: &Settings) -> Finding {
    let personal = privacy::personal(settings);
    let mut found = Vec::new();
    for (table, columns) in tables(settings) {
        for (column, samples) in columns {
            let what = looks_personal(&column, samples.iter().map(String::as_str));
            if let Some(what) = what.filter(|_| personal.policy(&table, &column).is_none()) {
                found.push(format!("`{table}.{column}` ({what})"));
            }
        }
    }
    if found.is_empty() {
        return Finding::ok("personal data", "no column looks personal and is not marked so");
    }
    let more = if found.len() > NAMED { format!(" and {} more", found.len() - NAMED) } else { String::new() };
    let said = format!("{}{more} look personal", found[..found.len().min(NAMED)].join(", "));
    let advice = "say under `[privacy.personal]` what becomes of them: hash, mask or drop; a column without a part is best dropped";
    Finding::warn("personal data", said, advice)
}

/// A column and some of its values.
type Column = (String, Vec<String>);

fn tables(settings: &Settings) -> Vec<(String, Vec<Column>)> {
    let project = Project::new(&settings.project);
    let records = records(&project.assets()).unwrap_or_default();
    let of_run = records.into_iter().filter(|record| record.name.starts_with("bronze/"));
    let reports = of_run.filter_map(|record| serde_json::from_value::<IngestReport>(record.summary).ok());
    let known: Vec<(String, Vec<Column>)> =
        reports.map(|report| (report.table, report.columns.into_iter().map(|column| (column.name, Vec::new())).collect())).collect();
    if !known.is_empty() {
        return known;
    }
    let mut seen = Vec::new();
    for source in settings.data.tables.iter().chain(&settings.data.future_source) {
        let files = source.patterns.iter().flat_map(|pattern| expand_source(&settings.project, pattern).unwrap_or_default());
        let paths: Vec<_> = files.collect();
        let bytes: u64 = paths.iter().map(|path| std::fs::metadata(on_disk(path)).map_or(0, |data| data.len())).sum();
        if paths.is_empty() || bytes > QUICK {
            continue;
        }
        let spec = TableSpec { name: source.name.clone(), paths, csv: compose::csv(settings), ..TableSpec::default() };
        // What cannot be read is said by the run, with its reason.
        if let Ok(sketch) = sketch_table(&spec) {
            seen.push((sketch.name, sketch.columns.into_iter().map(|column| (column.name, column.samples)).collect()));
        }
    }
    seen
}
