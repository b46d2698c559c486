//! Checks of the feature table: the features are there, a row for every silver row, nothing infinite.

use std::collections::BTreeMap;
use std::path::Path;

use super::{CheckError, CheckReport, CheckResult, SAMPLE_ROWS};
use crate::lake::{PartitionInfo, list_partitions, read_gold_info, read_silver_report};

/// Checks the gold folder against the silver folder it was made from: one row for each row of history. `features` must be there, more may
/// be. `infinite`: infinite values that the writer counted, so that the table need not be read again.
///
/// # Errors
/// [`CheckError::Lake`] if a file cannot be read.
pub fn check_gold(gold_dir: &Path, silver_dir: &Path, features: &[String], infinite: u64) -> Result<CheckReport, CheckError> {
    let gold = read_gold_info(gold_dir)?;
    let silver = list_partitions(silver_dir)?;
    let report = read_silver_report(silver_dir)?;
    // Every series has the same number of known-ahead rows; they have no features as of their close.
    let ahead = report.future_rows.checked_div(report.series).unwrap_or(0);
    let history = |part: &PartitionInfo| part.rows.saturating_sub(part.series * ahead);
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
        .filter(|part| gold.get(part.index).map(|gold| gold.rows) != Some(history(part)))
        .map(|part| {
            let rows = gold.get(part.index).map_or("none".into(), |gold| gold.rows.to_string());
            row([("partition", part.index.to_string()), ("silver_rows", history(part).to_string()), ("gold_rows", rows)])
        })
        .collect();
    let same = different.is_empty() && gold.len() == silver.len();
    let rows: u64 = gold.iter().map(|part| part.rows).sum();
    let expected: u64 = silver.iter().map(history).sum();
    let sample = different.into_iter().take(SAMPLE_ROWS).collect();
    results.push(result(
        "rows",
        same,
        format!("{rows} rows in {} partitions", gold.len()),
        format!("{expected} rows in {}", silver.len()),
        sample,
    ));

    results.push(result("finite", infinite == 0, format!("{infinite} infinite values"), "no infinite value".into(), Vec::new()));
    Ok(CheckReport { layer: "gold".into(), table: None, results })
}
