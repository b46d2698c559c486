//! Tables to judge: Parquet files, read in row groups side by side with only the columns asked for, or batches in memory.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use crate::column::{View, text_type, with_dictionaries};
use crate::error::CheckError;
use crate::value::Value;

const BATCH: usize = 32_768;

/// A table, ready to be read as often as needed.
#[derive(Debug, Clone)]
pub struct Table {
    /// Columns and their types as stored.
    pub schema: SchemaRef,
    /// Rows.
    pub rows: u64,
    /// Columns that are there but belong to nobody's table.
    hidden: SchemaRef,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    offset: u64,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Group { file: Arc<ParquetFile>, group: usize },
    Batch(RecordBatch),
}

#[derive(Debug)]
struct ParquetFile {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// The same, with text read as dictionaries.
    dictionaries: Option<ArrowReaderMetadata>,
}

impl Table {
    /// Makes a table of batches in memory.
    ///
    /// # Errors
    /// If the batches differ in their columns.
    pub fn from_batches(schema: SchemaRef, batches: impl IntoIterator<Item = RecordBatch>) -> Result<Self, CheckError> {
        let mut rows = 0;
        let mut parts = Vec::new();
        for batch in batches {
            if names(&batch.schema()) != names(&schema) {
                return Err(CheckError::Schema { path: PathBuf::from("batch") });
            }
            let offset = rows;
            rows += batch.num_rows() as u64;
            parts.push(Part { offset, data: Data::Batch(batch) });
        }
        Ok(Self { schema, rows, hidden: Arc::new(Schema::empty()), parts })
    }

    /// Returns the files that it is read from, in order; none where it is in memory.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = Vec::new();
        for part in &self.parts {
            if let Data::Group { file, .. } = &part.data
                && files.last() != Some(&file.path)
            {
                files.push(file.path.clone());
            }
        }
        files
    }

    /// Takes columns out of what expectations see; rows can still be named by them.
    #[must_use]
    pub fn without(mut self, columns: &[&str]) -> Self {
        let (hidden, shown): (Vec<_>, Vec<_>) =
            self.schema.fields().iter().cloned().partition(|field| columns.contains(&field.name().as_str()));
        self.schema = Arc::new(Schema::new(shown));
        self.hidden = Arc::new(Schema::new(hidden));
        self
    }

    /// Returns whether there is such a column, seen by expectations or not.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.schema.index_of(column).is_ok() || self.hidden.index_of(column).is_ok()
    }

    /// Opens a Parquet file, or every Parquet file below a folder in the order of their paths. Only footers are read.
    ///
    /// # Errors
    /// If there is none, one cannot be read, or files differ in their columns.
    pub fn open(path: &Path) -> Result<Self, CheckError> {
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        Self::from_files(&files)
    }

    /// Opens Parquet files as one table, in the order given.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn from_files(paths: &[PathBuf]) -> Result<Self, CheckError> {
        let mut schema: Option<SchemaRef> = None;
        let mut rows = 0;
        let mut parts = Vec::new();
        for path in paths {
            let file = Arc::new(ParquetFile::open(path)?);
            match &schema {
                None => schema = Some(Arc::clone(file.metadata.schema())),
                Some(first) if names(first) == names(file.metadata.schema()) => {}
                Some(_) => return Err(CheckError::Schema { path: path.clone() }),
            }
            for (group, metadata) in file.metadata.metadata().row_groups().iter().enumerate() {
                parts.push(Part { offset: rows, data: Data::Group { file: Arc::clone(&file), group } });
                rows += metadata.num_rows() as u64;
            }
        }
        let Some(schema) = schema else {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no Parquet file");
            return Err(CheckError::Read { path: paths.first().cloned().unwrap_or_default(), source });
        };
        Ok(Self { schema, rows, hidden: Arc::new(Schema::empty()), parts })
    }

    /// Returns the names of its columns, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// Gives every batch in order, as stored, with the row of the table at which it starts.
    pub(crate) fn batches(&self, mut each: impl FnMut(&RecordBatch, u64) -> Result<(), CheckError>) -> Result<(), CheckError> {
        for part in &self.parts {
            match &part.data {
                Data::Batch(batch) => each(batch, part.offset)?,
                Data::Group { file, group } => {
                    let refuse = |source| CheckError::Parquet { path: file.path.clone(), source };
                    let handle = File::open(&file.path).map_err(|source| CheckError::Read { path: file.path.clone(), source })?;
                    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(handle, file.metadata.clone());
                    let reader = builder.with_row_groups(vec![*group]).with_batch_size(BATCH).build().map_err(refuse)?;
                    let mut offset = part.offset;
                    for batch in reader {
                        let batch = batch.map_err(|error| refuse(error.into()))?;
                        each(&batch, offset)?;
                        offset += batch.num_rows() as u64;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the names of the columns in order, each with whether it holds text.
    pub fn text_columns(&self) -> Vec<(String, bool)> {
        let is_text = |field: &Field| crate::column::Shape::of(field.data_type()) == crate::column::Shape::Text;
        self.schema.fields().iter().map(|field| (field.name().clone(), is_text(field))).collect()
    }

    /// Returns the cells of some columns in some rows, in the order of the rows asked for. Only parts with such rows are read.
    pub(crate) fn cells(&self, places: &[u64], columns: &[String]) -> Result<Vec<Vec<Value>>, CheckError> {
        let mut found: Vec<Vec<Value>> = vec![Vec::new(); places.len()];
        for (number, part) in self.parts.iter().enumerate() {
            let end = self.parts.get(number + 1).map_or(self.rows, |next| next.offset);
            if !places.iter().any(|place| (part.offset..end).contains(place)) {
                continue;
            }
            part.read(columns, |view| {
                let rows = view.offset..view.offset + view.rows as u64;
                for (place, cells) in places.iter().zip(&mut found).filter(|(place, _)| rows.contains(place)) {
                    for column in columns {
                        cells.push(match view.column(column)?.value((place - view.offset) as usize) {
                            // Unsigned 64-bit numbers are held as floats; the number of a row is a whole one.
                            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::Int(number as i64),
                            other => other,
                        });
                    }
                }
                Ok(())
            })?;
        }
        found.retain(|cells| cells.len() == columns.len());
        Ok(found)
    }

    /// Folds all rows, parts side by side: each part starts from a copy of `start`, and parts are merged in their order, so that
    /// the outcome is the same on any number of threads. At most a few parts wait to be merged.
    pub(crate) fn fold<W: Clone + Send + Sync>(
        &self,
        columns: &[String],
        start: &W,
        update: impl Fn(&mut W, &View) -> Result<(), CheckError> + Sync,
        merge: impl Fn(&mut W, W),
    ) -> Result<W, CheckError> {
        let mut total = start.clone();
        for wave in self.parts.chunks(rayon::current_num_threads().max(1) * 2) {
            let done: Vec<Result<W, CheckError>> = wave
                .par_iter()
                .map(|part| {
                    let mut work = start.clone();
                    part.read(columns, |view| update(&mut work, view))?;
                    Ok(work)
                })
                .collect();
            for work in done {
                merge(&mut total, work?);
            }
        }
        Ok(total)
    }
}

fn names(schema: &Schema) -> Vec<&String> {
    schema.fields().iter().map(|field| field.name()).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CheckError> {
    let read = |source| CheckError::Read { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(read)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(read)? {
        let entry = entry.map_err(read)?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        if path.is_dir() {
            if !hidden {
                collect(&path, files)?;
            }
        } else if !hidden && path.extension().is_some_and(|extension| extension == "parquet") {
            files.push(path);
        }
    }
    Ok(())
}

impl ParquetFile {
    fn open(path: &Path) -> Result<Self, CheckError> {
        let file = File::open(path).map_err(|source| CheckError::Read { path: path.to_owned(), source })?;
        let refuse = |source| CheckError::Parquet { path: path.to_owned(), source };
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(refuse)?;
        let wanted = with_dictionaries(metadata.schema());
        // Where a file cannot be read so, its text is made a dictionary after reading.
        let options = ArrowReaderOptions::new().with_schema(wanted);
        let dictionaries = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).ok();
        Ok(Self { path: path.to_owned(), metadata, dictionaries })
    }
}

impl Part {
    fn read(&self, columns: &[String], mut each: impl FnMut(&View) -> Result<(), CheckError>) -> Result<(), CheckError> {
        let (file, group) = match &self.data {
            Data::Batch(batch) => {
                let places: Vec<usize> = batch
                    .schema()
                    .fields()
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| columns.contains(field.name()))
                    .map(|(place, _)| place)
                    .collect();
                let projected = batch.project(&places).map_err(CheckError::Arrow)?;
                // One dictionary for the whole batch.
                let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = projected
                    .schema()
                    .fields()
                    .iter()
                    .zip(projected.columns())
                    .map(|(field, array)| {
                        let text = matches!(crate::column::Shape::of(field.data_type()), crate::column::Shape::Text);
                        let array = if text { cast(array, &text_type()).unwrap_or_else(|_| Arc::clone(array)) } else { Arc::clone(array) };
                        (field.as_ref().clone().with_data_type(array.data_type().clone()).with_nullable(true), array)
                    })
                    .unzip();
                let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let batch =
                    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(CheckError::Arrow)?;
                let mut start = 0;
                while start < batch.num_rows() {
                    let rows = BATCH.min(batch.num_rows() - start);
                    each(&View::of(&batch.slice(start, rows), self.offset + start as u64)?)?;
                    start += rows;
                }
                return Ok(());
            }
            Data::Group { file, group } => (file, *group),
        };
        let refuse = |source| CheckError::Parquet { path: file.path.clone(), source };
        let handle = File::open(&file.path).map_err(|source| CheckError::Read { path: file.path.clone(), source })?;
        let metadata = file.dictionaries.as_ref().unwrap_or(&file.metadata).clone();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(handle, metadata);
        let places: Vec<usize> = file
            .metadata
            .schema()
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| columns.contains(field.name()))
            .map(|(place, _)| place)
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), places);
        let reader = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(BATCH).build().map_err(refuse)?;
        let mut offset = self.offset;
        for batch in reader {
            let batch = batch.map_err(|error| refuse(error.into()))?;
            each(&View::of(&batch, offset)?)?;
            offset += batch.num_rows() as u64;
        }
        Ok(())
    }
}
