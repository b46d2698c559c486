//! Checks of the feature table: the features are there, a row for every silver row, nothing infinite.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use rayon::prelude::*;

use super::{CheckError, CheckReport, CheckResult, SAMPLE_ROWS};
use crate::lake::{list_partitions, read_gold, read_gold_info};

/// Checks the gold folder against the silver folder it was made from. `features` must be there, more may be.
///
/// # Errors
/// [`CheckError::Lake`] if a file cannot be read.
pub fn check_gold(gold_dir: &Path, silver_dir: &Path, features: &[String]) -> Result<CheckReport, CheckError> {
    let gold = read_gold_info(gold_dir)?;
    let silver = list_partitions(silver_dir)?;
    let result = |name: &str, passed, observed: String, expected: String, sample_rows| CheckResult {
        name: name.into(),
        column: None,
        passed,
        observed,
        expected,
        sample_rows,
    };
    let row = |pairs: [(&str, String); 3]| -> BTreeMap<String, String> {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };

    let mut lacking: Vec<&str> = features
        .iter()
        .map(String::as_str)
        .filter(|name| gold.iter().any(|part| !part.features.iter().any(|known| known == name)))
        .collect();
    lacking.dedup();
    let observed = if lacking.is_empty() { "all there".into() } else { format!("missing {}", lacking.join(", ")) };
    let mut results =
        vec![result("columns", lacking.is_empty(), observed, format!("{} features in every partition", features.len()), Vec::new())];

    let different: Vec<_> = silver
        .iter()
        .filter(|part| gold.get(part.index).map(|gold| gold.rows) != Some(part.rows))
        .map(|part| {
            let rows = gold.get(part.index).map_or("none".into(), |gold| gold.rows.to_string());
            row([("partition", part.index.to_string()), ("silver_rows", part.rows.to_string()), ("gold_rows", rows)])
        })
        .collect();
    let same = different.is_empty() && gold.len() == silver.len();
    let rows: u64 = gold.iter().map(|part| part.rows).sum();
    let expected: u64 = silver.iter().map(|part| part.rows).sum();
    let sample = different.into_iter().take(SAMPLE_ROWS).collect();
    results.push(result(
        "rows",
        same,
        format!("{rows} rows in {} partitions", gold.len()),
        format!("{expected} rows in {}", silver.len()),
        sample,
    ));

    let infinite: Vec<Vec<(String, u64)>> =
        (0..gold.len()).into_par_iter().map(|index| infinite_values(gold_dir, index)).collect::<Result<_, _>>()?;
    let found: Vec<(usize, &(String, u64))> =
        infinite.iter().enumerate().flat_map(|(index, columns)| columns.iter().map(move |column| (index, column))).collect();
    let total: u64 = found.iter().map(|(_, (_, count))| count).sum();
    let sample = found
        .iter()
        .take(SAMPLE_ROWS)
        .map(|(index, (column, count))| row([("partition", index.to_string()), ("column", column.clone()), ("values", count.to_string())]));
    results.push(result("finite", total == 0, format!("{total} infinite values"), "no infinite value".into(), sample.collect()));
    Ok(CheckReport { layer: "gold".into(), table: None, results })
}

fn infinite_values(gold_dir: &Path, index: usize) -> Result<Vec<(String, u64)>, CheckError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for batch in read_gold(gold_dir, index, None)? {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let Some(values) = column.as_primitive_opt::<Float32Type>() else { continue };
            let infinite = values.values().iter().filter(|value| value.is_infinite()).count() as u64;
            if infinite > 0 {
                *counts.entry(field.name().clone()).or_default() += infinite;
            }
        }
    }
    Ok(counts.into_iter().collect())
}
