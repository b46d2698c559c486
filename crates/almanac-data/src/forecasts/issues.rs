//! Which issues the forecast table holds, told from the names of its files and one small file of each.
//!
//! Not here: the rows of an issue (`read`).

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use almanac_series::{Freq, Horizon, Period};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::read::table_files;
use super::{FREQ_KEY, FileName, ForecastIssue, ForecastTableError, RUN_KEY};
use crate::lake::ds_values;

/// One issue of the forecast table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueInfo {
    /// Which one.
    pub issue: ForecastIssue,
    /// Spacing of its steps.
    pub freq: Freq,
    /// Newest cutoff of its series.
    pub cutoff: Period,
    /// Steps ahead.
    pub horizon: Horizon,
    /// Names of its models, sorted.
    pub models: Vec<String>,
}

/// Lists the issues of the table in the order in which they were made; none if there is no table.
///
/// # Errors
/// [`ForecastTableError`] if the folder or the file that stands for an issue cannot be read.
pub fn list_issues(dir: &Path) -> Result<Vec<IssueInfo>, ForecastTableError> {
    let mut files: BTreeMap<(u64, String), Vec<(PathBuf, String)>> = BTreeMap::new();
    for path in table_files(dir)? {
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        let Some(name) = FileName::parse(&name) else { continue };
        files.entry((name.sequence, name.run.to_owned())).or_default().push((path.clone(), name.model.to_owned()));
    }
    let mut issues = Vec::with_capacity(files.len());
    for ((sequence, _), files) in files {
        // The files of an issue share its cutoff; the top of the hierarchy is the smallest of them.
        let size = |path: &Path| path.metadata().map_or(u64::MAX, |metadata| metadata.len());
        let Some((smallest, _)) = files.iter().min_by_key(|(path, _)| size(path)) else { continue };
        let (run, freq, cutoff, horizon) = examine(smallest)?;
        let mut models: Vec<String> = files.into_iter().map(|(_, model)| model).collect();
        models.sort();
        models.dedup();
        issues.push(IssueInfo { issue: ForecastIssue { run, sequence }, freq, cutoff, horizon, models });
    }
    Ok(issues)
}

fn examine(path: &Path) -> Result<(String, Freq, Period, Horizon), ForecastTableError> {
    let damaged = |reason: &dyn ToString| ForecastTableError::Damaged { path: path.to_owned(), reason: reason.to_string() };
    let file = File::open(path).map_err(|source| ForecastTableError::Io { path: path.to_owned(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| metadata.and_then(|pairs| pairs.iter().find(|pair| pair.key == key)).and_then(|pair| pair.value.clone());
    let freq: Freq = value(FREQ_KEY).and_then(|freq| freq.parse().ok()).ok_or_else(|| damaged(&"no frequency"))?;
    let run = value(RUN_KEY).ok_or_else(|| damaged(&"no run"))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["ds", "cutoff"]);
    let (mut last, mut cutoff) = (i64::MIN, i64::MIN);
    for batch in builder.with_projection(mask).build().map_err(|error| damaged(&error))? {
        let batch = batch.map_err(|error| damaged(&error))?;
        let newest = |column: &str| -> Result<i64, ForecastTableError> {
            let values = batch.column_by_name(column).and_then(ds_values).ok_or_else(|| damaged(&format!("column `{column}`")))?;
            Ok(values.iter().copied().max().unwrap_or(i64::MIN))
        };
        last = last.max(newest("ds")?);
        cutoff = cutoff.max(newest("cutoff")?);
    }
    if cutoff == i64::MIN {
        return Err(damaged(&"no rows"));
    }
    let (last, cutoff) = (freq.period(last), freq.period(cutoff));
    let steps = usize::try_from(last.since(cutoff)).map_err(|_| damaged(&"it forecasts the past"))?;
    let horizon = Horizon::new(steps).map_err(|error| damaged(&error))?;
    Ok((run, freq, cutoff, horizon))
}
