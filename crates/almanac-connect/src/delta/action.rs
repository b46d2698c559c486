//! What the lines of a log say: the protocol, the table, files that come and go.
//!
//! Commits are JSON lines. Checkpoints are Parquet with a column for each kind of line; its rows are turned into the same lines.
//!
//! Not here: which of them count (`log`).

use std::collections::BTreeMap;

use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

/// One line; of what a reader need not know nothing is left.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Action {
    pub(super) protocol: Option<Protocol>,
    pub(super) meta_data: Option<Metadata>,
    pub(super) add: Option<Add>,
    pub(super) remove: Option<Remove>,
    pub(super) sidecar: Option<Sidecar>,
    pub(super) commit_info: Option<CommitInfo>,
}

/// What a reader must be able to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: i32,
    pub(super) reader_features: Option<Vec<String>>,
}

/// The table.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) format: Option<Format>,
    pub(super) schema_string: String,
    pub(super) partition_columns: Option<Vec<String>>,
    pub(super) configuration: Option<BTreeMap<String, Option<String>>>,
}

impl Metadata {
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.configuration.as_ref()?.get(name)?.as_deref()
    }
}

/// How data files are written.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Format {
    pub(super) provider: String,
}

/// A data file that is part of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Add {
    /// Relative to the table; percent-encoded in the log, decoded here.
    pub(super) path: String,
    pub(super) partition_values: Option<BTreeMap<String, Option<String>>>,
    pub(super) size: u64,
    /// Milliseconds since 1970.
    pub(super) modification_time: i64,
    pub(super) deletion_vector: Option<Vector>,
}

/// A data file that is part of the table no longer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remove {
    pub(super) path: String,
    pub(super) deletion_vector: Option<Vector>,
}

/// Where it stands which rows of a file are deleted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vector {
    /// `u`: a file by its identifier, `i`: here, `p`: a file by its path.
    pub(super) storage_type: String,
    pub(super) path_or_inline_dv: String,
    pub(super) offset: Option<u64>,
    pub(super) size_in_bytes: u64,
    /// Deleted rows.
    pub(super) cardinality: u64,
}

impl Vector {
    /// What tells it from others, as the protocol has it.
    pub(super) fn id(&self) -> String {
        let offset = self.offset.map(|offset| format!("@{offset}")).unwrap_or_default();
        format!("{}{}{offset}", self.storage_type, self.path_or_inline_dv)
    }
}

/// A part of a checkpoint in a file of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Sidecar {
    pub(super) path: String,
}

/// Remarks of the writer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CommitInfo {
    /// Milliseconds since 1970, where the table keeps them.
    pub(super) in_commit_timestamp: Option<i64>,
}

/// Reads lines of JSON.
pub(super) fn of_json(text: &[u8], take: &mut dyn FnMut(Action)) -> Result<(), String> {
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        take(serde_json::from_slice(line).map_err(|error| format!("line {}: {error}", number + 1))?);
    }
    Ok(())
}

/// Reads a checkpoint, but for the statistics in it.
pub(super) fn of_parquet(bytes: Bytes, take: &mut dyn FnMut(Action)) -> Result<(), String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| error.to_string())?;
    let schema = builder.parquet_schema();
    let is_wanted = |leaf: &usize| {
        let column = schema.column(*leaf);
        let path = column.path().parts();
        let member = path.get(1).map(String::as_str);
        match path[0].as_str() {
            "protocol" | "metaData" | "sidecar" => true,
            "add" => matches!(member, Some("path" | "partitionValues" | "size" | "modificationTime" | "deletionVector")),
            _ => false,
        }
    };
    let leaves: Vec<usize> = (0..schema.num_columns()).filter(is_wanted).collect();
    let mask = ProjectionMask::leaves(schema, leaves);
    let reader = builder.with_projection(mask).with_batch_size(4096).build().map_err(|error| error.to_string())?;
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
        writer.write(&batch).and_then(|()| writer.finish()).map_err(|error| error.to_string())?;
        of_json(&writer.into_inner(), take)?;
    }
    Ok(())
}
