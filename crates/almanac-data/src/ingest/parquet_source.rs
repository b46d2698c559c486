//! Parquet files as sources: opened with care, checked by decoding them whole, brought to the few types of bronze.
//!
//! The decoder is given bytes from anywhere, so a panic in it is turned into [`IngestError::BadParquet`].
//!
//! Structs become columns of their own and lists JSON text (`nested`).
//!
//! Not here: writing Parquet (`write`).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use super::error::{IngestError, MAX_COLUMNS};
use super::nested::{self, Leaf};
use super::profile::promote;
use super::source::SourceFormat;
use super::{ColumnKind, ColumnReport, FileReport, TableSpec, columns};

const BATCH_ROWS: usize = 65_536;

/// Parquet files of one table.
#[derive(Debug)]
pub(crate) struct ParquetTable {
    table: String,
    files: Vec<(PathBuf, ArrowReaderMetadata)>,
    schema: SchemaRef,
    leaves: Vec<Leaf>,
    kinds: Vec<ColumnKind>,
    /// Whether the files can be taken over as they are.
    pub(crate) is_uniform: bool,
}

/// Returns the kind that bronze gives a column of this type, or `None` for nested and binary ones.
pub(crate) fn kind_of(data_type: &DataType) -> Option<ColumnKind> {
    Some(match data_type {
        DataType::Dictionary(_, values) => return kind_of(values),
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Date32 => ColumnKind::Date,
        DataType::Timestamp(..) | DataType::Date64 => ColumnKind::Timestamp,
        DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) | DataType::Null => ColumnKind::Real,
        other if other.is_integer() => ColumnKind::Integer,
        other if other.is_floating() => ColumnKind::Real,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => ColumnKind::Real,
        _ => return None,
    })
}

impl ParquetTable {
    pub(crate) fn open(spec: &TableSpec, paths: &[PathBuf], notes: &mut Vec<String>) -> Result<Self, IngestError> {
        let mut files = Vec::new();
        let mut fields: Vec<(Leaf, ColumnKind)> = Vec::new();
        let mut left_out: Vec<String> = Vec::new();
        for path in paths {
            let metadata = open(path)?;
            let leaves = nested::leaves(metadata.schema().fields());
            if leaves.len() > MAX_COLUMNS {
                return Err(IngestError::TooManyColumns { path: path.clone(), got: leaves.len() });
            }
            for leaf in leaves {
                let name = leaf.name();
                let known = fields.iter_mut().find(|(known, _)| known.path == leaf.path);
                let own = if nested::is_json(&leaf.data_type) { Some(ColumnKind::Text) } else { kind_of(&leaf.data_type) };
                let Some(kind) = own.map(|own| spec.types.get(&name).copied().unwrap_or(own)) else {
                    if !left_out.contains(&name) {
                        notes.push(format!("column `{name}` is left out: {} is no type of a table here", leaf.data_type));
                        left_out.push(name);
                    }
                    continue;
                };
                match known {
                    None => {
                        if !files.is_empty() {
                            notes.push(format!("column `{name}` is missing in some files; it is null there"));
                        }
                        fields.push((leaf, kind));
                    }
                    Some((known, first)) => {
                        let both = promote(*first, kind);
                        if both == ColumnKind::Text && *first != kind {
                            return Err(IngestError::SchemaConflict {
                                table: spec.name.clone(),
                                column: name,
                                first: known.data_type.to_string(),
                                second: leaf.data_type.to_string(),
                            });
                        }
                        *first = both;
                    }
                }
            }
            files.push((path.clone(), metadata));
        }
        if fields.is_empty() {
            return Err(IngestError::BadParquet {
                path: paths.first().cloned().unwrap_or_default(),
                reason: "it has no column that can be read".into(),
            });
        }
        if files.iter().all(|(_, metadata)| metadata.metadata().file_metadata().num_rows() == 0) {
            return Err(IngestError::NoRows { path: paths.first().cloned().unwrap_or_default() });
        }
        let first = files[0].1.schema().clone();
        let is_flat = fields.iter().all(|(leaf, _)| leaf.path.len() == 1 && !nested::is_json(&leaf.data_type));
        let is_uniform = is_flat && spec.types.is_empty() && files.iter().all(|(_, metadata)| metadata.schema().fields() == first.fields());
        let column = |(leaf, kind): &(Leaf, ColumnKind)| Field::new(leaf.name(), columns::arrow_type(*kind), true);
        let schema = Arc::new(Schema::new(fields.iter().map(column).collect::<Vec<_>>()));
        let (leaves, kinds) = fields.into_iter().unzip();
        Ok(Self { table: spec.name.clone(), files, schema, leaves, kinds, is_uniform })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    pub(crate) fn columns(&self) -> Vec<ColumnReport> {
        let nulls_of = |name: &str| -> u64 {
            let in_file = |metadata: &ArrowReaderMetadata| -> u64 {
                let groups = metadata.metadata().row_groups();
                let column = |group: &parquet::file::metadata::RowGroupMetaData| {
                    group
                        .columns()
                        .iter()
                        .find(|column| column.column_path().string() == name)
                        .and_then(|column| column.statistics()?.null_count_opt())
                };
                groups.iter().filter_map(column).sum()
            };
            self.files.iter().map(|(_, metadata)| in_file(metadata)).sum()
        };
        let report = |(field, kind): (&Arc<Field>, &ColumnKind)| ColumnReport {
            name: field.name().clone(),
            kind: *kind,
            nulls: nulls_of(field.name()),
            note: None,
        };
        self.schema.fields().iter().zip(&self.kinds).map(report).collect()
    }

    pub(crate) fn files(&self) -> Vec<FileReport> {
        let report = |(path, metadata): &(PathBuf, ArrowReaderMetadata)| FileReport {
            path: path.clone(),
            format: SourceFormat::Parquet,
            rows: metadata.metadata().file_metadata().num_rows().max(0) as u64,
            bytes: std::fs::metadata(path).map_or(0, |data| data.len()),
            encoding: None,
            delimiter: None,
        };
        self.files.iter().map(report).collect()
    }

    /// Decodes every row group, so that damage is found here and not in the middle of a run.
    pub(crate) fn check(&self) -> Result<(), IngestError> {
        for (path, metadata) in &self.files {
            let groups = metadata.metadata().num_row_groups();
            (0..groups)
                .into_par_iter()
                .try_for_each(|group| decode(path, metadata, Some(group), &mut |_| Ok(ControlFlow::Continue(()))))?;
        }
        Ok(())
    }

    pub(crate) fn read(&self, take: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>, IngestError>) -> Result<(), IngestError> {
        let mut is_stopped = false;
        for (path, metadata) in &self.files {
            decode(path, metadata, None, &mut |batch| {
                let flow = take(self.conform(path, &batch)?)?;
                is_stopped = flow.is_break();
                Ok(flow)
            })?;
            if is_stopped {
                break;
            }
        }
        Ok(())
    }

    fn conform(&self, path: &Path, batch: &RecordBatch) -> Result<RecordBatch, IngestError> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let column = |(field, leaf): (&Arc<Field>, &Leaf)| -> Result<ArrayRef, IngestError> {
            let bad = |error: arrow::error::ArrowError| {
                let reason = format!("column `{}`: {error}", field.name());
                IngestError::BadParquet { path: path.to_owned(), reason }
            };
            let Some(found) = nested::values(batch, &leaf.path).map_err(bad)? else {
                return Ok(new_null_array(field.data_type(), batch.num_rows()));
            };
            cast_with_options(&found, field.data_type(), &options).map_err(bad)
        };
        let arrays: Vec<ArrayRef> = self.schema.fields().iter().zip(&self.leaves).map(column).collect::<Result<_, _>>()?;
        RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(|error| IngestError::BadParquet { path: path.to_owned(), reason: format!("table `{}`: {error}", self.table) })
    }
}

/// Whether bronze shows a column of this type as it is.
pub(crate) fn is_canonical(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int64 | DataType::Float64 | DataType::Boolean | DataType::Utf8 | DataType::Timestamp(TimeUnit::Microsecond, None)
    )
}

fn open(path: &Path) -> Result<ArrowReaderMetadata, IngestError> {
    let failed = |source| IngestError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes == 0 {
        return Err(IngestError::Empty { path: path.to_owned() });
    }
    let bad = |reason: String| IngestError::BadParquet { path: path.to_owned(), reason };
    // The list of what the file holds is written last.
    let (mut head, mut tail) = ([0_u8; 4], [0_u8; 4]);
    if bytes >= 12 {
        file.read_exact(&mut head).and_then(|()| file.seek(SeekFrom::End(-4))).and_then(|_| file.read_exact(&mut tail)).map_err(failed)?;
    }
    match (&head, &tail) {
        (b"PAR1", b"PAR1") => {}
        (_, b"PARE") | (b"PARE", _) => return Err(IngestError::Encrypted { path: path.to_owned() }),
        ([0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd], _) => {
            let reason = "it is a packed Parquet file, and Parquet packs itself".to_owned();
            return Err(IngestError::UnknownFormat { path: path.to_owned(), reason });
        }
        (b"PAR1", _) => return Err(bad("its end is missing: it is still being written, or was cut off".into())),
        _ => return Err(bad("it does not begin and end as Parquet does".into())),
    }
    guarded(path, || {
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new().with_skip_arrow_metadata(false)).map_err(|error| bad(error.to_string()))
    })
}

fn decode(
    path: &Path,
    metadata: &ArrowReaderMetadata,
    group: Option<usize>,
    take: &mut dyn FnMut(RecordBatch) -> Result<ControlFlow<()>, IngestError>,
) -> Result<(), IngestError> {
    let bad = |reason: String| IngestError::BadParquet { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|source| IngestError::Read { path: path.to_owned(), source })?;
    let mut reader = guarded(path, || {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone()).with_batch_size(BATCH_ROWS);
        let readable: Vec<usize> = metadata
            .schema()
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| {
                let mut leaves = nested::leaves(&vec![Arc::clone(field)].into()).into_iter();
                leaves.any(|leaf| nested::is_json(&leaf.data_type) || kind_of(&leaf.data_type).is_some())
            })
            .map(|(index, _)| index)
            .collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), readable);
        let builder = builder.with_projection(mask);
        let builder = if let Some(group) = group { builder.with_row_groups(vec![group]) } else { builder };
        builder.build().map_err(|error| bad(error.to_string()))
    })?;
    loop {
        let next = guarded(path, || reader.next().transpose().map_err(|error| bad(error.to_string())))?;
        let Some(batch) = next else { return Ok(()) };
        if take(batch)?.is_break() {
            return Ok(());
        }
    }
}

/// Runs a step of the decoder; its panics mean that the file is damaged.
fn guarded<T>(path: &Path, step: impl FnOnce() -> Result<T, IngestError>) -> Result<T, IngestError> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|_| Err(IngestError::BadParquet { path: path.to_owned(), reason: "its pages cannot be decoded".into() }))
}
