//! Files of any format as one table to be judged outside a project.

use std::path::Path;

use almanac_data::{FILE_COLUMN, IngestReport, ROW_COLUMN, TableSpec, ingest_table};
use almanac_expect::Table;

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
