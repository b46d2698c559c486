//! Where the rows of a view come from: batches in memory, or Parquet files, in parts that are read side by side.
//!
//! Not here: CSV, bronze, SQL. Their rows come as batches from whoever can read them.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use jiff::tz::TimeZone;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use crate::FeatureError;
use crate::clock::Micros;
use crate::column::instants;
use crate::entity_table::EntityTable;

/// Rows of a batch of Parquet.
const BATCH_ROWS: usize = 65_536;

/// Where rows come from. Parts are in the order of the rows.
pub trait Source: Sync {
    /// Returns what it is called in messages.
    fn place(&self) -> String;

    /// Returns the names of its columns.
    fn columns(&self) -> Vec<String>;

    /// Returns the number of parts.
    fn parts(&self) -> usize;

    /// Returns the number of rows of a part, if it is known without reading and the greatest values of the columns `time` and
    /// `created` are at most those given. `created` is asked for where the view has it.
    fn rows_not_after(&self, part: usize, time: (&str, Micros), created: Option<(&str, Micros)>, zone: &TimeZone) -> Option<u64> {
        let _ = (part, time, created, zone);
        None
    }

    /// Hands the columns `names` of a part to `each`, batch by batch. The columns of a batch are in the order of the names.
    ///
    /// # Errors
    /// [`FeatureError`] if it cannot be read, and whatever `each` gives.
    fn read(
        &self,
        part: usize,
        names: &[String],
        each: &mut dyn FnMut(RecordBatch) -> Result<(), FeatureError>,
    ) -> Result<(), FeatureError>;
}

/// Rows in memory.
#[derive(Debug, Clone)]
pub struct Batches {
    place: String,
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
}

impl Batches {
    /// Takes batches of one schema. `place` names them in messages.
    pub fn new(place: impl Into<String>, schema: SchemaRef, rows: Vec<RecordBatch>) -> Self {
        Self { place: place.into(), schema, rows }
    }
}

impl Source for Batches {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn parts(&self) -> usize {
        self.rows.len()
    }

    fn read(
        &self,
        part: usize,
        names: &[String],
        each: &mut dyn FnMut(RecordBatch) -> Result<(), FeatureError>,
    ) -> Result<(), FeatureError> {
        each(select(&self.rows[part], names, &self.place)?)
    }
}

/// Parquet files that hold one table.
#[derive(Debug)]
pub struct ParquetFiles {
    place: String,
    files: Vec<(PathBuf, ArrowReaderMetadata)>,
    /// File and row group of each part.
    parts: Vec<(usize, usize)>,
}

impl ParquetFiles {
    /// Opens files: reads what they say about themselves, no rows. `place` names them in messages.
    ///
    /// # Errors
    /// [`FeatureError`] if one cannot be read or is not Parquet.
    pub fn open(place: impl Into<String>, paths: Vec<PathBuf>) -> Result<Self, FeatureError> {
        let place = place.into();
        if paths.is_empty() {
            return Err(FeatureError::declared(place, "there is no file", "check the path; it starts at the project's folder".to_owned()));
        }
        let mut files = Vec::with_capacity(paths.len());
        let mut parts = Vec::new();
        for (number, path) in paths.into_iter().enumerate() {
            let file = File::open(&path).map_err(|error| FeatureError::read(&path, error))?;
            let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
                .map_err(|source| FeatureError::Parquet { path: path.clone(), source })?;
            parts.extend((0..metadata.metadata().num_row_groups()).map(|group| (number, group)));
            files.push((path, metadata));
        }
        Ok(Self { place, files, parts })
    }
}

impl Source for ParquetFiles {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn columns(&self) -> Vec<String> {
        self.files
            .first()
            .map(|(_, metadata)| metadata.schema().fields().iter().map(|field| field.name().clone()).collect())
            .unwrap_or_default()
    }

    fn parts(&self) -> usize {
        self.parts.len()
    }

    fn rows_not_after(&self, part: usize, time: (&str, Micros), created: Option<(&str, Micros)>, zone: &TimeZone) -> Option<u64> {
        let (file, group) = self.parts[part];
        let metadata = &self.files[file].1;
        let group = metadata.metadata().row_group(group);
        let is_old = |(name, limit): (&str, Micros)| {
            let converter = StatisticsConverter::try_new(name, metadata.schema(), metadata.parquet_schema()).ok()?;
            let greatest = converter.row_group_maxes([group]).ok()?;
            let greatest = instants(&greatest, zone, "", name).ok()?;
            let greatest = greatest.is_valid(0).then(|| greatest.value(0))?;
            (greatest <= limit).then_some(())
        };
        is_old(time)?;
        if let Some(created) = created {
            is_old(created)?;
        }
        u64::try_from(group.num_rows()).ok()
    }

    fn read(
        &self,
        part: usize,
        names: &[String],
        each: &mut dyn FnMut(RecordBatch) -> Result<(), FeatureError>,
    ) -> Result<(), FeatureError> {
        let (file, group) = self.parts[part];
        let (path, metadata) = &self.files[file];
        let schema = metadata.schema();
        let position = |name: &String| {
            schema.index_of(name).map_err(|_| {
                FeatureError::no_column(format!("`{}`", path.display()), name, schema.fields().iter().map(|field| field.name().as_str()))
            })
        };
        let wanted = names.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let failed = |source| FeatureError::Parquet { path: path.clone(), source };
        let handle = File::open(path).map_err(|error| FeatureError::read(path, error))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(handle, metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(ProjectionMask::roots(metadata.parquet_schema(), wanted))
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(failed)?;
        for batch in reader {
            let batch = batch.map_err(|source| failed(source.into()))?;
            each(select(&batch, names, &self.place)?)?;
        }
        Ok(())
    }
}

/// Reads a whole Parquet file: a table of entities.
///
/// # Errors
/// [`FeatureError`] if it cannot be read.
pub fn read_parquet(path: &Path) -> Result<EntityTable, FeatureError> {
    let files = ParquetFiles::open(format!("`{}`", path.display()), vec![path.to_owned()])?;
    let schema = files.files[0].1.schema().clone();
    let batches = whole(&files)?;
    EntityTable::new(&batches.first().map_or(schema, RecordBatch::schema), &batches)
}

/// As [`read_parquet`], of any source that has at least one batch.
///
/// # Errors
/// [`FeatureError`] if it cannot be read, or is empty.
pub fn read_entities(source: &dyn Source) -> Result<EntityTable, FeatureError> {
    let batches = whole(source)?;
    let Some(first) = batches.first() else {
        return Err(FeatureError::declared(source.place(), "there are no rows", "give at least one entity".to_owned()));
    };
    EntityTable::new(&first.schema(), &batches)
}

fn whole(source: &dyn Source) -> Result<Vec<RecordBatch>, FeatureError> {
    let names = source.columns();
    let mut batches = Vec::new();
    for part in 0..source.parts() {
        source.read(part, &names, &mut |batch| {
            batches.push(batch);
            Ok(())
        })?;
    }
    Ok(batches)
}

/// Turns a batch into one with the same rows.
type Turn = dyn Fn(&RecordBatch) -> Result<RecordBatch, Box<dyn std::error::Error + Send + Sync>> + Sync;

/// A source whose rows are turned into others on their way, one for one; times stay as they are.
pub struct Turned<S> {
    source: S,
    columns: Vec<String>,
    turn: Box<Turn>,
}

impl<S: Source> Turned<S> {
    /// Makes one with the `columns` that are left.
    pub fn new(source: S, columns: Vec<String>, turn: Box<Turn>) -> Self {
        Self { source, columns, turn }
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for Turned<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turned").field("source", &self.source).field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl<S: Source> Source for Turned<S> {
    fn place(&self) -> String {
        self.source.place()
    }

    fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    fn parts(&self) -> usize {
        self.source.parts()
    }

    fn rows_not_after(&self, part: usize, time: (&str, Micros), created: Option<(&str, Micros)>, zone: &TimeZone) -> Option<u64> {
        self.source.rows_not_after(part, time, created, zone)
    }

    fn read(
        &self,
        part: usize,
        names: &[String],
        each: &mut dyn FnMut(RecordBatch) -> Result<(), FeatureError>,
    ) -> Result<(), FeatureError> {
        if let Some(gone) = names.iter().find(|name| !self.columns.contains(name)) {
            return Err(FeatureError::no_column(self.place(), gone, self.columns.iter().map(String::as_str)));
        }
        let wrong = |source| FeatureError::Source { view: self.place(), source };
        self.source.read(part, names, &mut |batch| each((self.turn)(&batch).map_err(wrong)?))
    }
}

/// Returns the named columns, in the order of the names.
fn select(batch: &RecordBatch, names: &[String], place: &str) -> Result<RecordBatch, FeatureError> {
    let schema = batch.schema();
    let position = |name: &String| {
        schema.index_of(name).map_err(|_| FeatureError::no_column(place, name, schema.fields().iter().map(|field| field.name().as_str())))
    };
    let wanted = names.iter().map(position).collect::<Result<Vec<_>, _>>()?;
    batch.project(&wanted).map_err(|source| FeatureError::Arrow { what: "choosing columns", source })
}

/// Returns the instants of a batch's column, one a row; `None` is missing.
pub(crate) fn times_of(
    batch: &RecordBatch,
    column: usize,
    zone: &TimeZone,
    place: &str,
    name: &str,
) -> Result<arrow::array::PrimitiveArray<TimestampMicrosecondType>, FeatureError> {
    let array = batch.column(column);
    if *array.data_type() == arrow::datatypes::DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None) && *zone == TimeZone::UTC
    {
        return Ok(array.as_primitive::<TimestampMicrosecondType>().clone());
    }
    instants(array, zone, place, name)
}
