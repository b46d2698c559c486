//! Reading silver folders as panels, writing and describing gold partitions.
//!
//! Every file is checked against what `panel.json` says of it, so that a file cut short is an error, not a shorter history.
//!
//! Not here: building silver (`silver`), computing features (`almanac-features`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_series::{Freq, Hint, Panel, PanelBuilder, PanelError, Period, RowStatus, SeriesId, SeriesRows, StaticColumn, StaticValues};
use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema, TimestampMicrosecondType, UInt8Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use crate::atomic::write_atomically;
use crate::silver::{ExogColumn, ExogRole, PANEL_FILE, PanelFile, SERIES_FILE, SilverReport, StaticKind};

const BATCH_ROWS: usize = 1 << 20;
/// Rows between two looks at the clock of a progress bar; also rows per row group.
const GROUP_ROWS: usize = 1 << 20;

/// Why a lake could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// The folder has not been built.
    #[error("there is no panel in `{}`", folder.display())]
    NotBuilt {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is cut short or not what it should be.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Written by a newer version.
    #[error("`{}` has format {found}, this version reads up to {known}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest known one.
        known: u32,
    },
    /// No such partition.
    #[error("`{}` has {partitions} partitions, number {index} was asked for", folder.display())]
    NoSuchPartition {
        /// The folder.
        folder: PathBuf,
        /// Number asked for.
        index: usize,
        /// Number of partitions.
        partitions: usize,
    },
    /// The columns do not fit each other.
    #[error("gold column `{column}` has {got} rows, expected {expected}")]
    Shape {
        /// Column.
        column: String,
        /// Its rows.
        got: usize,
        /// Rows of the partition.
        expected: usize,
    },
    /// Parquet failed.
    #[error("failed to write `{}`", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: ParquetError,
    },
    /// The file system failed.
    #[error("failed to read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
}

impl Hint for LakeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotBuilt { .. } => "run `almanac run` first".into(),
            Self::Damaged { path, .. } => {
                format!("delete `{}` and run `almanac run` again: it is made anew from the source", folder_of(path).display())
            }
            Self::TooNew { .. } => "use the version of `almanac` that wrote it, or delete the folder and run again".into(),
            Self::Parquet { .. } => "look at the free space of the disk; the run can simply be repeated".into(),
            Self::NoSuchPartition { .. } | Self::Shape { .. } | Self::Io { .. } => return None,
        })
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn damaged(path: &Path, reason: impl ToString) -> LakeError {
    LakeError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}

/// A partition of a silver folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Number, from 0.
    pub index: usize,
    /// Where it is.
    pub path: PathBuf,
    /// Rows, known-ahead ones included.
    pub rows: u64,
    /// Series.
    pub series: u64,
}

/// Returns the partitions of a silver folder in order.
///
/// # Errors
/// [`LakeError`] if the folder has no readable `panel.json`.
pub fn list_partitions(silver_dir: &Path) -> Result<Vec<PartitionInfo>, LakeError> {
    let panel = read_panel_file(silver_dir)?;
    let info = |(index, meta): (usize, &crate::silver::PartitionMeta)| PartitionInfo {
        index,
        path: silver_dir.join(&meta.file),
        rows: meta.rows,
        series: meta.series,
    };
    Ok(panel.partitions.iter().enumerate().map(info).collect())
}

/// Returns what became of the rows when the folder was built.
///
/// # Errors
/// [`LakeError`] if the folder has no readable `panel.json`.
pub fn read_silver_report(silver_dir: &Path) -> Result<SilverReport, LakeError> {
    Ok(read_panel_file(silver_dir)?.report)
}

/// Returns the exogenous columns with their dictionaries, historic ones first, in stored order.
///
/// # Errors
/// [`LakeError`] if the folder has no readable `panel.json`.
pub fn read_exog_columns(silver_dir: &Path) -> Result<Vec<ExogColumn>, LakeError> {
    Ok(read_panel_file(silver_dir)?.exog)
}

/// Reads the whole panel.
///
/// # Errors
/// [`LakeError`]; a damaged file is named.
pub fn read_panel(silver_dir: &Path) -> Result<Panel, LakeError> {
    let file = read_panel_file(silver_dir)?;
    read_series(silver_dir, &file, 0..file.partitions.len())
}

/// Reads one partition as a panel of its own. Codes of static columns are those of the whole panel.
///
/// # Errors
/// [`LakeError`]; a damaged file is named.
pub fn read_partition(silver_dir: &Path, index: usize) -> Result<Panel, LakeError> {
    let file = read_panel_file(silver_dir)?;
    let partitions = file.partitions.len();
    if index >= partitions {
        return Err(LakeError::NoSuchPartition { folder: silver_dir.to_owned(), index, partitions });
    }
    read_series(silver_dir, &file, index..index + 1)
}

fn read_panel_file(silver_dir: &Path) -> Result<PanelFile, LakeError> {
    let path = silver_dir.join(PANEL_FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LakeError::NotBuilt { folder: silver_dir.to_owned() }),
        Err(source) => return Err(LakeError::Io { path, source }),
    };
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u32,
    }
    let version: Version = serde_json::from_slice(&text).map_err(|error| damaged(&path, error))?;
    if version.format_version > crate::silver::FORMAT_VERSION {
        return Err(LakeError::TooNew { path, found: version.format_version, known: crate::silver::FORMAT_VERSION });
    }
    serde_json::from_slice(&text).map_err(|error| damaged(&path, error))
}

/// A decoded partition: key and rows of each series.
type Decoded = Vec<(SeriesId, Period, SeriesRows)>;

fn read_series(silver_dir: &Path, file: &PanelFile, partitions: std::ops::Range<usize>) -> Result<Panel, LakeError> {
    let panel_path = silver_dir.join(PANEL_FILE);
    let freq: Freq = file.freq.parse().map_err(|error| damaged(&panel_path, error))?;
    let names = |role| file.exog.iter().filter(move |column| column.role == role).map(|column| column.name.clone()).collect::<Vec<_>>();
    let mut builder = PanelBuilder::new(freq, &names(ExogRole::Historic), &names(ExogRole::Future)).timezone(file.timezone.as_deref());
    for column in file.exog.iter().filter(|column| column.role == ExogRole::Future) {
        builder = builder.categories(&column.name, &column.categories);
    }
    let mut order: Vec<SeriesId> = Vec::new();
    let broken = |error: PanelError| damaged(&panel_path, error);
    // A few partitions at a time are decoded in parallel: memory holds the panel and those few.
    let numbers: Vec<usize> = partitions.collect();
    for few in numbers.chunks(rayon::current_num_threads().max(1)) {
        let decoded: Vec<Decoded> =
            few.par_iter().map(|number| decode_partition(silver_dir, file, freq, *number)).collect::<Result<_, _>>()?;
        for (id, start, rows) in decoded.into_iter().flatten() {
            order.push(id.clone());
            builder.push(id, start, rows).map_err(broken)?;
        }
    }
    let statics = read_statics(silver_dir, file, &order)?;
    builder.finish(statics).map_err(broken)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, LakeError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => damaged(path, "the file is missing"),
        _ => LakeError::Io { path: path.to_owned(), source },
    })?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(path, error))
}

/// Timestamps of a `ds` column as the panel's integers.
pub(crate) fn ds_values(array: &ArrayRef) -> Option<&[i64]> {
    match array.data_type() {
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().values()),
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _) => Some(array.as_primitive::<TimestampMicrosecondType>().values()),
        _ => None,
    }
}

fn decode_partition(silver_dir: &Path, file: &PanelFile, freq: Freq, number: usize) -> Result<Decoded, LakeError> {
    let meta = &file.partitions[number];
    let path = silver_dir.join(&meta.file);
    let reader = open(&path)?.with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(&path, error))?;
    let mut series: Decoded = Vec::new();
    let mut total = 0;
    for batch in reader {
        let batch = batch.map_err(|error| damaged(&path, error))?;
        total += batch.num_rows() as u64;
        decode_batch(&path, file, freq, &batch, &mut series)?;
    }
    if total != meta.rows || series.len() as u64 != meta.series {
        return Err(damaged(&path, format!("{total} rows of {} series, expected {} of {}", series.len(), meta.rows, meta.series)));
    }
    Ok(series)
}

fn decode_batch(path: &Path, file: &PanelFile, freq: Freq, batch: &RecordBatch, series: &mut Decoded) -> Result<(), LakeError> {
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(path, format!("column `{name}` is missing")));
    let ids = column("unique_id")?.as_any_dictionary_opt().ok_or_else(|| damaged(path, "`unique_id` is not a dictionary"))?;
    let names = ids.values().as_string_opt::<i32>().ok_or_else(|| damaged(path, "`unique_id` is not text"))?;
    let keys = if names.is_empty() { Vec::new() } else { ids.normalized_keys() };
    let ds = ds_values(column("ds")?).ok_or_else(|| damaged(path, "`ds` has another type"))?;
    let y = floats(path, column("y")?)?;
    let status = column("status")?.as_primitive_opt::<UInt8Type>().ok_or_else(|| damaged(path, "`status` has another type"))?;
    let exog: Vec<Vec<f64>> = file.exog.iter().map(|exog| floats(path, column(&exog.name)?)).collect::<Result<_, _>>()?;
    let n_historic = file.exog.iter().filter(|column| column.role == ExogRole::Historic).count();

    let mut from = 0;
    for run in keys.chunk_by(|a, b| a == b) {
        let range = from..from + run.len();
        from = range.end;
        let name = names.value(run[0]);
        let start = freq.period(ds[range.start]);
        if freq.period(ds[range.end - 1]).since(start) != run.len() as i64 - 1 {
            return Err(damaged(path, format!("the rows of series `{name}` are not consecutive")));
        }
        let codes = status.values()[range.clone()].iter().map(|code| RowStatus::from_code(*code));
        let statuses: Vec<RowStatus> = codes.collect::<Option<_>>().ok_or_else(|| damaged(path, "an unknown row status"))?;
        // A series may go on in the next batch.
        if series.last().is_none_or(|(id, _, _)| id.as_str() != name) {
            let columns = |count| vec![Vec::new(); count];
            let rows = SeriesRows { historic: columns(n_historic), future: columns(exog.len() - n_historic), ..SeriesRows::default() };
            series.push((SeriesId::from(name), start, rows));
        }
        let (_, begun, rows) = series.last_mut().expect("just pushed");
        if start.since(*begun) != rows.y.len() as i64 {
            return Err(damaged(path, format!("the rows of series `{name}` are not consecutive")));
        }
        rows.y.extend_from_slice(&y[range.clone()]);
        rows.status.extend(statuses);
        for (column, values) in rows.historic.iter_mut().chain(&mut rows.future).zip(&exog) {
            column.extend_from_slice(&values[range.clone()]);
        }
    }
    Ok(())
}

fn floats(path: &Path, array: &ArrayRef) -> Result<Vec<f64>, LakeError> {
    let array = array.as_primitive_opt::<Float64Type>().ok_or_else(|| damaged(path, "a column of numbers has another type"))?;
    let mut values = array.values().to_vec();
    if let Some(nulls) = array.nulls() {
        for (value, valid) in values.iter_mut().zip(nulls) {
            if !valid {
                *value = f64::NAN;
            }
        }
    }
    Ok(values)
}

fn read_statics(silver_dir: &Path, file: &PanelFile, order: &[SeriesId]) -> Result<Vec<StaticColumn>, LakeError> {
    let path = silver_dir.join(SERIES_FILE);
    let reader = open(&path)?.with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(&path, error))?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|error| damaged(&path, error))?;
    let schema = batches.first().map(RecordBatch::schema).ok_or_else(|| damaged(&path, "it holds no series"))?;
    let batch = arrow::compute::concat_batches(&schema, &batches).map_err(|error| damaged(&path, error))?;
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| damaged(&path, format!("column `{name}` is missing")));
    let text = |name: &str| column(name)?.as_string_opt::<i32>().ok_or_else(|| damaged(&path, format!("column `{name}` is not text")));
    let ids = text("unique_id")?;
    // The table is sorted by key, whatever partitions are read.
    let rows: Vec<usize> = order
        .iter()
        .map(|id| {
            let (mut low, mut high) = (0, ids.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                if ids.value(middle) < id.as_str() { low = middle + 1 } else { high = middle }
            }
            (low < ids.len() && ids.value(low) == id.as_str()).then_some(low)
        })
        .collect::<Option<_>>()
        .ok_or_else(|| damaged(&path, "a series is missing"))?;
    let mut statics = Vec::new();
    for meta in &file.statics {
        let field = crate::silver::static_field(&meta.name);
        let values = match meta.kind {
            StaticKind::Number => {
                let values = floats(&path, column(&field)?)?;
                StaticValues::Number(rows.iter().map(|row| values[*row]).collect())
            }
            StaticKind::Category => {
                let texts = text(&field)?;
                let mut categories: Vec<&str> = texts.iter().flatten().collect();
                categories.sort_unstable();
                categories.dedup();
                let code = |row: &usize| {
                    let known =
                        texts.is_valid(*row).then(|| categories.binary_search(&texts.value(*row)).expect("every text is a category"));
                    known.unwrap_or(categories.len()) as u32
                };
                let codes = rows.iter().map(code).collect();
                StaticValues::Category { codes, categories: categories.iter().map(|text| (*text).to_owned()).collect() }
            }
        };
        statics.push(StaticColumn { name: Arc::from(meta.name.as_str()), values });
    }
    Ok(statics)
}

/// Path of a gold partition.
pub fn gold_path(gold_dir: &Path, index: usize) -> PathBuf {
    gold_dir.join(format!("part-{index:05}.parquet"))
}

/// Writes gold partition `index`: features `names`, in `columns` of one `f32` per row, NaN where missing.
///
/// `series` holds the number of rows of each series, in order; `ds` one timestamp per row (micros, or steps where `freq`
/// has no calendar). The file is complete or absent.
///
/// # Errors
/// [`LakeError`] if the lengths disagree or the file cannot be written.
pub fn write_gold(
    gold_dir: &Path,
    index: usize,
    freq: Freq,
    series: &[(SeriesId, usize)],
    ds: Vec<i64>,
    names: &[String],
    columns: &[Vec<f32>],
) -> Result<PathBuf, LakeError> {
    let path = gold_path(gold_dir, index);
    let rows = ds.len();
    let shape =
        |column: &str, got| if got == rows { Ok(()) } else { Err(LakeError::Shape { column: column.to_owned(), got, expected: rows }) };
    shape("unique_id", series.iter().map(|(_, rows)| rows).sum())?;
    shape("(all)", if names.len() == columns.len() { rows } else { columns.len() })?;
    for (name, column) in names.iter().zip(columns) {
        shape(name, column.len())?;
    }
    let schema = gold_schema(freq, names);
    let properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(ColumnPath::from("unique_id"), true)
        .set_column_encoding(ColumnPath::from("ds"), Encoding::DELTA_BINARY_PACKED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("unique_id"), EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("ds"), EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let failed = |source| LakeError::Parquet { path: path.clone(), source };
    let written: Result<(), ParquetError> = write_atomically(&path, |file| {
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
        let mut keys = Vec::with_capacity(rows);
        for (number, (_, count)) in series.iter().enumerate() {
            keys.extend(std::iter::repeat_n(number as i32, *count));
        }
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(series.iter().map(|(id, _)| id.as_str())));
        // Slices of a row group each, so that the arrays beside the caller's columns stay small.
        for from in (0..rows).step_by(GROUP_ROWS) {
            let range = from..rows.min(from + GROUP_ROWS);
            let keys = Int32Array::from(keys[range.clone()].to_vec());
            let mut arrays: Vec<ArrayRef> = vec![
                Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(&names))?),
                crate::silver::ds_array(freq, ds[range.clone()].to_vec()),
            ];
            arrays.extend(columns.iter().map(|column| Arc::new(Float32Array::from(column[range.clone()].to_vec())) as ArrayRef));
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
        }
        writer.close()?;
        Ok(())
    });
    written.map_err(failed)?;
    Ok(path)
}

fn gold_schema(freq: Freq, names: &[String]) -> Arc<Schema> {
    let mut fields = vec![
        Field::new("unique_id", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
        Field::new("ds", crate::silver::ds_type(freq), false),
    ];
    fields.extend(names.iter().map(|name| Field::new(name, DataType::Float32, false)));
    Arc::new(Schema::new(fields))
}

/// What a gold partition holds, from its footer alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldInfo {
    /// Where it is.
    pub path: PathBuf,
    /// Rows.
    pub rows: u64,
    /// Feature names in order.
    pub features: Vec<String>,
}

/// Reads the footers of all gold partitions, in order of their numbers.
///
/// # Errors
/// [`LakeError`] if there is none or one is damaged.
pub fn read_gold_info(gold_dir: &Path) -> Result<Vec<GoldInfo>, LakeError> {
    let mut infos = Vec::new();
    loop {
        let path = gold_path(gold_dir, infos.len());
        if !path.exists() {
            break;
        }
        let footer = open(&path)?;
        let features = footer.schema().fields().iter().skip(2).map(|field| field.name().clone()).collect();
        infos.push(GoldInfo { rows: footer.metadata().file_metadata().num_rows().max(0) as u64, features, path });
    }
    if infos.is_empty() { Err(LakeError::NotBuilt { folder: gold_dir.to_owned() }) } else { Ok(infos) }
}

/// Reads gold partition `index`, or only the features `names` of it, as batches.
///
/// # Errors
/// [`LakeError`] if the file is missing or damaged.
pub fn read_gold(gold_dir: &Path, index: usize, names: Option<&[String]>) -> Result<Vec<RecordBatch>, LakeError> {
    let path = gold_path(gold_dir, index);
    let mut builder = open(&path)?.with_batch_size(BATCH_ROWS);
    if let Some(names) = names {
        let wanted = ["unique_id", "ds"].into_iter().chain(names.iter().map(String::as_str));
        let mask = parquet::arrow::ProjectionMask::columns(builder.parquet_schema(), wanted);
        builder = builder.with_projection(mask);
    }
    let reader = builder.build().map_err(|error| damaged(&path, error))?;
    reader.collect::<Result<_, _>>().map_err(|error| damaged(&path, error))
}
