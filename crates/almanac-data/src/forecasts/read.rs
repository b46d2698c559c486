//! Reading the forecast table, filtered.
//!
//! Not here: the layout of a file (`forecasts`), text formats (`export`).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use almanac_series::{Freq, Period};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{FREQ_KEY, FileName, ForecastTableError, RUN_KEY, SEQUENCE_KEY, plain, table_schema};
use crate::lake::ds_values;

const BATCH_ROWS: usize = 65_536;

/// Which cutoffs are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CutoffFilter {
    /// All ever issued.
    Every,
    /// The newest of each series, level and model; of two issues with one cutoff the later one.
    #[default]
    Latest,
    /// This one (micros, or a step). Of two issues the later one.
    At(i64),
}

/// Which forecasts are wanted. `None` is no restriction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForecastFilter {
    /// Only this run.
    pub run: Option<String>,
    /// Only this level of the hierarchy.
    pub level: Option<String>,
    /// Only these series.
    pub series: Option<Vec<String>>,
    /// Only this model.
    pub model: Option<String>,
    /// Which cutoffs.
    pub cutoff: CutoffFilter,
    /// Only the first steps.
    pub horizon: Option<usize>,
}

/// A batch with where it came from.
struct Read {
    sequence: u64,
    freq: Freq,
    batch: RecordBatch,
}

/// Returns the forecasts that match, in the order of issue, with one schema: quantiles ascending, null where a model gave none.
///
/// # Errors
/// [`ForecastTableError::Empty`] if the table has no file; damaged files are named.
pub fn read_forecasts(dir: &Path, filter: &ForecastFilter) -> Result<Vec<RecordBatch>, ForecastTableError> {
    let files = table_files(dir)?;
    if files.is_empty() {
        return Err(ForecastTableError::Empty { dir: dir.to_owned() });
    }
    let wanted: Option<HashSet<&str>> = filter.series.as_ref().map(|series| series.iter().map(String::as_str).collect());
    let mut reads: Vec<Read> = Vec::new();
    for path in files.into_iter().filter(|path| may_match(path, filter)) {
        read_file(&path, filter, wanted.as_ref(), &mut reads)?;
    }
    if filter.cutoff != CutoffFilter::Every {
        keep_newest(&mut reads)?;
    }
    one_schema(reads)
}

/// Returns whether a file can hold wanted rows, by its name alone: a table of years has thousands of files.
fn may_match(path: &Path, filter: &ForecastFilter) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let Some(name) = FileName::parse(&name) else { return true };
    let wanted = [(&filter.run, name.run), (&filter.level, name.level), (&filter.model, name.model)];
    wanted.into_iter().all(|(wanted, has)| wanted.as_ref().is_none_or(|wanted| plain(wanted) == has))
}

pub(super) fn table_files(dir: &Path) -> Result<Vec<PathBuf>, ForecastTableError> {
    let failed = |source| ForecastTableError::Io { path: dir.to_owned(), source };
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "parquet") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(
    path: &Path,
    filter: &ForecastFilter,
    wanted: Option<&HashSet<&str>>,
    reads: &mut Vec<Read>,
) -> Result<(), ForecastTableError> {
    let damaged = |reason: &dyn ToString| ForecastTableError::Damaged { path: path.to_owned(), reason: reason.to_string() };
    let file = File::open(path).map_err(|source| ForecastTableError::Io { path: path.to_owned(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| metadata.and_then(|pairs| pairs.iter().find(|pair| pair.key == key)).and_then(|pair| pair.value.clone());
    let freq: Freq = value(FREQ_KEY).and_then(|freq| freq.parse().ok()).ok_or_else(|| damaged(&"no frequency"))?;
    let sequence: u64 = value(SEQUENCE_KEY).and_then(|text| text.parse().ok()).ok_or_else(|| damaged(&"no sequence"))?;
    if filter.run.is_some() && value(RUN_KEY) != filter.run {
        return Ok(());
    }
    for batch in builder.with_batch_size(BATCH_ROWS).build().map_err(|error| damaged(&error))? {
        let batch = batch.map_err(|error| damaged(&error))?;
        let rows = batch.num_rows();
        let mut keep = vec![true; rows];
        let texts = [("level", filter.level.as_deref()), ("model", filter.model.as_deref())];
        for (column, value) in texts.into_iter().filter_map(|(column, value)| Some((column, value?))) {
            keep_texts(&batch, column, &|text| text == value, &mut keep).ok_or_else(|| damaged(&format!("column `{column}`")))?;
        }
        if let Some(wanted) = wanted {
            keep_texts(&batch, "unique_id", &|text| wanted.contains(text), &mut keep).ok_or_else(|| damaged(&"column `unique_id`"))?;
        }
        let times = |column: &str| batch.column_by_name(column).and_then(ds_values).ok_or_else(|| damaged(&format!("column `{column}`")));
        let (ds, cutoffs) = (times("ds")?, times("cutoff")?);
        for row in 0..rows {
            if let CutoffFilter::At(cutoff) = filter.cutoff {
                keep[row] &= cutoffs[row] == cutoff;
            }
            if let Some(horizon) = filter.horizon {
                keep[row] &= freq.period(ds[row]).since(freq.period(cutoffs[row])) <= horizon as i64;
            }
        }
        if keep.contains(&true) {
            reads.push(Read { sequence, freq, batch: filter_record_batch(&batch, &BooleanArray::from(keep))? });
        }
    }
    Ok(())
}

fn dictionary<'a>(batch: &'a RecordBatch, column: &str) -> Option<(Vec<usize>, &'a arrow::array::StringArray)> {
    let dictionary = batch.column_by_name(column)?.as_any_dictionary_opt()?;
    let texts = dictionary.values().as_string_opt::<i32>()?;
    Some((if texts.is_empty() { Vec::new() } else { dictionary.normalized_keys() }, texts))
}

fn keep_texts(batch: &RecordBatch, column: &str, matches: &dyn Fn(&str) -> bool, keep: &mut [bool]) -> Option<()> {
    let (keys, texts) = dictionary(batch, column)?;
    let matches: Vec<bool> = (0..texts.len()).map(|code| matches(texts.value(code))).collect();
    for (keep, key) in keep.iter_mut().zip(keys) {
        *keep &= matches[key];
    }
    Some(())
}

/// Keeps, for each series, level and model, the rows of the newest cutoff and issue.
fn keep_newest(reads: &mut Vec<Read>) -> Result<(), ForecastTableError> {
    let mut newest: HashMap<(String, String, String), (Period, u64)> = HashMap::new();
    let mut visit = |read: &Read, mut seen: Box<dyn FnMut(usize, bool) + '_>, decide: bool| {
        let (ids, levels, models) =
            (dictionary(&read.batch, "unique_id"), dictionary(&read.batch, "level"), dictionary(&read.batch, "model"));
        let cutoffs = read.batch.column_by_name("cutoff").and_then(ds_values);
        let (Some(ids), Some(levels), Some(models), Some(cutoffs)) = (ids, levels, models, cutoffs) else { return };
        let text = |(keys, texts): &(Vec<usize>, &arrow::array::StringArray), row: usize| texts.value(keys[row]).to_owned();
        let mut last: Option<((usize, usize, usize, i64), bool)> = None;
        for (row, cutoff) in cutoffs.iter().copied().enumerate() {
            // Steps of one forecast follow one another: one look-up each.
            let same = (ids.0[row], levels.0[row], models.0[row], cutoff);
            if let Some((known, verdict)) = last
                && known == same
            {
                seen(row, verdict);
                continue;
            }
            let key = (text(&ids, row), text(&levels, row), text(&models, row));
            let issue = (read.freq.period(cutoff), read.sequence);
            let verdict = if decide {
                newest.get(&key) == Some(&issue)
            } else {
                let best = newest.entry(key).or_insert(issue);
                *best = (*best).max(issue);
                true
            };
            last = Some((same, verdict));
            seen(row, verdict);
        }
    };
    for read in reads.iter() {
        visit(read, Box::new(|_, _| {}), false);
    }
    for read in reads.iter_mut() {
        let mut keep = vec![false; read.batch.num_rows()];
        visit(read, Box::new(|row, verdict| keep[row] = verdict), true);
        read.batch = filter_record_batch(&read.batch, &BooleanArray::from(keep))?;
    }
    reads.retain(|read| read.batch.num_rows() > 0);
    Ok(())
}

fn one_schema(reads: Vec<Read>) -> Result<Vec<RecordBatch>, ForecastTableError> {
    let mut quantiles: Vec<(f64, String)> = Vec::new();
    for field in reads.iter().flat_map(|read| read.batch.schema().fields().iter().skip(6).cloned().collect::<Vec<_>>()) {
        let probability = field.name().trim_start_matches('q').parse().unwrap_or(f64::NAN);
        if !quantiles.iter().any(|(_, name)| name == field.name()) {
            quantiles.push((probability, field.name().clone()));
        }
    }
    quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let names: Vec<String> = quantiles.into_iter().map(|(_, name)| name).collect();
    let mut batches = Vec::new();
    for read in reads {
        let schema = table_schema(read.freq, &names);
        let column = |field: &arrow::datatypes::FieldRef| -> ArrayRef {
            let missing = || new_null_array(&DataType::Float64, read.batch.num_rows());
            read.batch.column_by_name(field.name()).cloned().unwrap_or_else(missing)
        };
        let columns = schema.fields().iter().map(column).collect();
        batches.push(RecordBatch::try_new(schema, columns)?);
    }
    Ok(batches)
}
