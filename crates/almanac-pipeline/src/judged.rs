//! Tables to be judged: files of any format as one, and SQL over the files of several.

use std::path::{Path, PathBuf};

use almanac_data::{FILE_COLUMN, IngestReport, QueryLimits, ROW_COLUMN, TableSpec, ingest_table, open_files};
use almanac_expect::{Answer, AskSql, Table};
use almanac_series::Hint;

use crate::PipelineError;
use crate::expectations::open_parts;
use crate::profiles::begins_as_parquet;

/// Opens files as one table to be judged: Parquet where it lies, anything else read as bronze reads it into the folder `scratch`, which
/// must last as long as the table. Returns what came of the reading, where there was any.
///
/// # Errors
/// If a file cannot be read, or is not what it seems.
pub fn open_source(spec: &TableSpec, scratch: &Path) -> Result<(Table, Option<IngestReport>), PipelineError> {
    if !spec.paths.is_empty() && spec.paths.iter().all(|path| begins_as_parquet(path)) {
        return Ok((Table::from_files(&spec.paths)?, None));
    }
    let report = ingest_table(spec, scratch)?;
    let table = open_parts(&scratch.join(&spec.name))?.without(&[FILE_COLUMN, ROW_COLUMN]);
    Ok((table, Some(report)))
}

/// Answers what expectations ask in SQL, by the engine of bronze.
#[derive(Debug, Clone)]
pub struct SqlOverFiles {
    /// How much of the machine a query may use.
    pub limits: QueryLimits,
}

impl AskSql for SqlOverFiles {
    fn ask(&self, tables: &[(String, Vec<PathBuf>)], query: &str, shown: usize) -> Result<Answer, String> {
        // A runtime of its own: whoever judges does not wait for anything else.
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
        let answer = runtime.block_on(async { open_files(tables, &self.limits).await?.count(query, shown).await });
        let (rows, first) = answer.map_err(|error| error.hint().map_or_else(|| error.to_string(), |hint| format!("{error}; {hint}")))?;
        Ok(Answer { rows, first })
    }
}
