//! A source table that is read whole, typed as bronze would be, without becoming bronze.
//!
//! For small tables that a person or a program hands over, and for sources that others keep. Not here: tables that do not fit into memory.

use std::ops::ControlFlow;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::ingest::{IngestError, OpenTable, Quarantined, TableSpec};

/// A table in memory.
#[derive(Debug, Clone)]
pub struct WholeTable {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// Rows that could not be read.
    pub quarantined: Vec<Quarantined>,
}

/// Reads a table; `None` if it takes more than so many bytes. Columns that only `types` of the spec names do no harm.
///
/// # Errors
/// [`IngestError`] if its files cannot be read.
pub fn read_table(spec: &TableSpec, most_bytes: usize) -> Result<Option<WholeTable>, IngestError> {
    let table = OpenTable::open_any(spec, false)?;
    let (mut batches, mut bytes) = (Vec::new(), 0);
    let quarantined = table.read(&mut |batch| {
        bytes += batch.get_array_memory_size();
        batches.push(batch);
        Ok(if bytes > most_bytes { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok((bytes <= most_bytes).then(|| WholeTable { schema: table.schema(), batches, quarantined }))
}
