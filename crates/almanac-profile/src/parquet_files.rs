//! The profile of Parquet files, column by column in parallel.
//!
//! A piece of work is one column of about a million rows, with a reader of its own: nothing is decoded twice, and text comes as
//! dictionaries, so that a value is looked at once and not once a row. Pieces are merged in the order of the file, a few at a time:
//! memory does not grow with the file, and the result does not depend on the number of threads.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use crate::ProfileError;
use crate::column::{ColumnProfile, Plan};
use crate::options::ProfileOptions;
use crate::table::{BATCH, KeyProfile, TableProfile};

/// Rows of a piece, at least; row groups are not divided.
const PIECE: i64 = 1 << 20;
/// Encoded bytes that are decoded together, about.
const BATCH_BYTES: usize = 32 << 20;
/// Pieces of rows that are in work at a time.
const AT_A_TIME: usize = 8;

/// Profiles the files as one table. Files without rows count with their columns.
///
/// # Errors
/// [`ProfileError`] names the file: it cannot be opened, is not Parquet or damaged, or has other columns than the first.
pub fn profile_parquet(paths: &[PathBuf], options: &ProfileOptions) -> Result<TableProfile, ProfileError> {
    let mut table: Option<TableProfile> = None;
    for path in paths {
        let part = profile_file(path, options)?;
        match &mut table {
            None => table = Some(part),
            Some(table) => table.merge(&part, &format!("`{}`", path.display()))?,
        }
    }
    table.map(TableProfile::seal).ok_or(ProfileError::Nothing)
}

fn profile_file(path: &Path, options: &ProfileOptions) -> Result<TableProfile, ProfileError> {
    let source = Source::open(path)?;
    let schema = source.schema.clone();
    let mut table = TableProfile::empty(&schema, options)?;
    let kept = options.kept(&schema);
    let pieces = source.pieces();
    for wave in pieces.chunks(AT_A_TIME) {
        // The key first: of all work it takes longest.
        let work: Vec<(&Vec<usize>, Option<usize>)> =
            if table.key.is_some() { wave.iter().map(|groups| (groups, None)).collect() } else { Vec::new() }
                .into_iter()
                .chain((0..kept.len()).flat_map(|column| wave.iter().map(move |groups| (groups, Some(column)))))
                .collect();
        let done: Vec<Result<Done, ProfileError>> = work
            .into_par_iter()
            .with_max_len(1)
            .map(|(groups, column)| source.profile(groups, column.map(|column| (column, kept[column])), options))
            .collect();
        for done in done {
            match done? {
                Done::Key(part) => {
                    if let Some(key) = &mut table.key {
                        key.keys.merge(&part.keys);
                        key.null_rows += part.null_rows;
                    }
                }
                Done::Column(index, part) => table.columns[index].merge(&part),
            }
        }
    }
    table.rows = source.metadata.metadata().file_metadata().num_rows() as u64;
    Ok(table)
}

enum Done {
    Key(Box<KeyProfile>),
    Column(usize, Box<ColumnProfile>),
}

struct Source {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    schema: Arc<Schema>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, ProfileError> {
        let damaged = |source| ProfileError::Parquet { path: path.to_owned(), source };
        let file = File::open(path).map_err(ProfileError::read(path))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(damaged)?;
        let fields = metadata.schema().fields().iter().map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                Arc::new(Field::new(field.name(), coded, field.is_nullable()))
            }
            _ => field.clone(),
        });
        let coded = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let metadata = match ArrowReaderMetadata::try_new(metadata.metadata().clone(), ArrowReaderOptions::new().with_schema(coded)) {
            Ok(coded) => coded,
            // Without dictionaries the same values are read, slower.
            Err(error) => {
                tracing::debug!(%error, path = %path.display(), "text is read without dictionaries");
                metadata
            }
        };
        let schema = metadata.schema().clone();
        Ok(Self { path: path.to_owned(), metadata, schema })
    }

    /// Row groups, put together so that a piece has at least [`PIECE`] rows.
    fn pieces(&self) -> Vec<Vec<usize>> {
        let mut pieces: Vec<Vec<usize>> = Vec::new();
        let mut rows = PIECE;
        for (index, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            if rows >= PIECE {
                pieces.push(Vec::new());
                rows = 0;
            }
            rows += group.num_rows();
            if let Some(piece) = pieces.last_mut() {
                piece.push(index);
            }
        }
        pieces
    }

    fn profile(&self, groups: &[usize], column: Option<(usize, usize)>, options: &ProfileOptions) -> Result<Done, ProfileError> {
        let unreadable = |source: ArrowError| ProfileError::Arrow { place: format!("`{}`", self.path.display()), source };
        let Some((place, index)) = column else {
            let key = KeyProfile::new(&self.schema, options)?;
            let Some(mut key) = key else { return Err(ProfileError::Nothing) };
            let indices: Vec<usize> = key.columns.iter().filter_map(|name| self.schema.index_of(name).ok()).collect();
            self.read(groups, &indices, |batch| {
                let arrays: Vec<_> = key.columns.iter().filter_map(|name| batch.column_by_name(name).cloned()).collect();
                key.update(&arrays).map_err(unreadable)
            })?;
            return Ok(Done::Key(Box::new(key)));
        };
        let mut profile = ColumnProfile::new(self.schema.field(index), options);
        if Plan::of(self.schema.field(index).data_type()) == Plan::Other && !self.is_plain(index) {
            // Nothing but nulls would be counted, and lists have no cheap way to it.
            profile.rows = groups.iter().map(|group| self.metadata.metadata().row_group(*group).num_rows() as u64).sum();
            return Ok(Done::Column(place, Box::new(profile)));
        }
        self.read(groups, &[index], |batch| profile.update(batch.column(0).as_ref()).map_err(unreadable))?;
        Ok(Done::Column(place, Box::new(profile)))
    }

    fn is_plain(&self, index: usize) -> bool {
        !self.schema.field(index).data_type().is_nested()
    }

    /// Rows that are decoded together: fewer where a row is long.
    fn batch(&self, group: usize, columns: &[usize]) -> usize {
        let group = self.metadata.metadata().row_group(group);
        let schema = self.metadata.metadata().file_metadata().schema_descr();
        let leaves = (0..group.num_columns()).filter(|leaf| columns.contains(&schema.get_column_root_idx(*leaf)));
        let bytes: i64 = leaves.map(|leaf| group.column(leaf).uncompressed_size().max(0)).sum();
        let row = bytes as usize / (group.num_rows().max(1) as usize) + 1;
        (BATCH_BYTES / row).clamp(64, BATCH)
    }

    fn read(
        &self,
        groups: &[usize],
        columns: &[usize],
        mut take: impl FnMut(&arrow::array::RecordBatch) -> Result<(), ProfileError>,
    ) -> Result<(), ProfileError> {
        let damaged = |source| ProfileError::Parquet { path: self.path.clone(), source };
        // A reader for each row group: dictionaries then never have to be joined.
        for group in groups {
            let file = File::open(&self.path).map_err(ProfileError::read(&self.path))?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
            let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
            let reader = builder
                .with_projection(mask)
                .with_row_groups(vec![*group])
                .with_batch_size(self.batch(*group, columns))
                .build()
                .map_err(damaged)?;
            for batch in reader {
                let batch = batch.map_err(|source| ProfileError::Arrow { place: format!("`{}`", self.path.display()), source })?;
                take(&batch)?;
            }
        }
        Ok(())
    }
}
