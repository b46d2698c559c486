//! Takes batches of any order and size apart into rows of known series, and refuses those that cannot be used.
//!
//! Not here: gaps, duplicates and everything else that needs a whole series (`grid`).

use std::path::Path;
use std::sync::Arc;

use almanac_series::Freq;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;

use super::columns::{FastMap, Interner, NO_CODE, NO_TIME, TimeKind, numbers, times};
use super::rows::{KNOWN_AHEAD, OUT_OF_STOCK, Rows, Spill};
use super::schema::{ExogKind, ExogRole, StaticKind};
use super::source::{Source, check_roles, is_number};
use super::{NegativePolicy, QUARANTINE_FILE, SilverError, SilverSpec};
use crate::quarantine::{QuarantineWriter, QuarantinedRow};

const SAMPLED_SERIES: usize = 512;
const SAMPLED_ROWS: usize = 4_000;
const MAX_CATEGORIES: usize = 100_000;
// Sales history is younger than the steam engine; other dates are mistakes that would stretch the whole panel.
const FIRST_TIME: i64 = -6_311_433_600_000_000; // 1770
const LAST_TIME: i64 = 7_258_118_400_000_000; // 2200
// The square of a larger number, summed over a panel, is no number any more.
const MAX_TARGET: f64 = 1e100;
const MAX_STEP: i64 = 1_000_000_000_000;

pub(super) const NO_ID: &str = "an id column is empty";
pub(super) const BAD_TIME: &str = "the time is empty or cannot be read";
pub(super) const FAR_TIME: &str = "the time is not between 1770 and 2200";
pub(super) const NOT_FINITE: &str = "the target is not a finite number";
pub(super) const TOO_LARGE: &str = "the target is beyond 1e100, which no quantity is";
pub(super) const NEGATIVE: &str = "the target is negative";
pub(super) const NO_TARGET: &str = "the series has no observed target";
pub(super) const NO_SUCH_HOUR: &str = "the clock jumped over this local time";

/// An exogenous column while it is collected.
#[derive(Debug)]
pub(super) struct ExogState {
    pub(super) name: String,
    pub(super) role: ExogRole,
    pub(super) kind: Option<ExogKind>,
    pub(super) texts: Interner,
    pub(super) text_counts: Vec<u64>,
    pub(super) present: u64,
    pub(super) missing: u64,
    pub(super) zeros: u64,
    pub(super) only_flags: bool,
}

/// A static column while it is collected.
#[derive(Debug)]
pub(super) struct StaticState {
    pub(super) name: String,
    pub(super) kind: Option<StaticKind>,
    /// Index among the id columns, whose texts it then shares.
    pub(super) id: Option<usize>,
    pub(super) texts: Interner,
    pub(super) codes: Vec<u32>,
    pub(super) values: Vec<f64>,
    pub(super) conflicts: u64,
    pub(super) example: Option<u32>,
}

/// A series as seen so far.
#[derive(Debug, Clone)]
pub(super) struct SeriesSeen {
    pub(super) id: Arc<str>,
    pub(super) hash: u64,
    pub(super) rows: u64,
    pub(super) first: i64,
    pub(super) last_observed: i64,
    /// Rows at `last_observed`: two in a repeated hour.
    pub(super) at_last: u32,
}

/// Everything known after the last batch.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) spec: SilverSpec,
    pub(super) ids: Vec<Interner>,
    pairs: Vec<FastMap<u64, u32>>,
    series_of: Vec<u32>,
    by_text: FastMap<Arc<str>, u32>,
    pub(super) series: Vec<SeriesSeen>,
    pub(super) exog: Vec<ExogState>,
    pub(super) statics: Vec<StaticState>,
    pub(super) rows: Rows,
    pub(super) spill: Option<Spill>,
    pub(super) quarantine: QuarantineWriter,
    pub(super) samples: Vec<Vec<i64>>,
    pub(super) time_kind: Option<TimeKind>,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) rows_in: u64,
    pub(super) clipped: u64,
    pub(super) not_finite: u64,
    folder: std::path::PathBuf,
}

impl Collector {
    pub(super) fn new(spec: SilverSpec, folder: &Path) -> Result<Self, SilverError> {
        check_roles(&spec)?;
        let exog = |names: &[String], role| names.iter().map(move |name| ExogState::new(name, role)).collect::<Vec<_>>();
        let mut columns = exog(&spec.historic, ExogRole::Historic);
        columns.extend(exog(&spec.future, ExogRole::Future));
        let mut statics: Vec<StaticState> = Vec::new();
        for (index, name) in spec.id.iter().enumerate() {
            statics.push(StaticState { kind: Some(StaticKind::Category), id: Some(index), ..StaticState::new(name) });
        }
        for name in &spec.statics {
            if !statics.iter().any(|column| column.name == *name) {
                statics.push(StaticState::new(name));
            }
        }
        let path = folder.join(QUARANTINE_FILE);
        let quarantine = QuarantineWriter::create(&path).map_err(|source| SilverError::parquet(&path, source))?;
        Ok(Self {
            ids: spec.id.iter().map(|_| Interner::default()).collect(),
            pairs: vec![FastMap::default(); spec.id.len().saturating_sub(1)],
            series_of: Vec::new(),
            by_text: FastMap::default(),
            series: Vec::new(),
            rows: Rows::new(columns.len()),
            exog: columns,
            statics,
            spill: None,
            quarantine,
            samples: Vec::new(),
            time_kind: None,
            first: i64::MAX,
            last: i64::MIN,
            rows_in: 0,
            clipped: 0,
            not_finite: 0,
            folder: folder.to_owned(),
            spec,
        })
    }

    /// Takes a batch in.
    pub(super) fn push(&mut self, source: &Source, batch: &RecordBatch) -> Result<(), SilverError> {
        let rows = batch.num_rows();
        let convert =
            |index: usize| move |error| SilverError::Convert { column: batch.schema().field(index).name().clone(), source: error };
        let mut id_codes = Vec::with_capacity(source.ids.len());
        for (interner, index) in self.ids.iter_mut().zip(&source.ids) {
            id_codes.push(interner.codes(batch.column(*index)).map_err(convert(*index))?);
        }
        let series = self.series_codes(&id_codes, rows)?;
        let calendar = self.time_kind != Some(TimeKind::Integer);
        let mut ds = times(batch.column(source.time), self.spec.freq.is_some_and(Freq::has_calendar)).map_err(convert(source.time))?;
        let y = match source.target {
            Some(index) => numbers(batch.column(index)).map_err(convert(index))?,
            None => Float64Array::new_null(rows),
        };
        let out_of_stock = match source.in_stock {
            Some(index) => {
                let flags = cast(batch.column(index), &DataType::Boolean).map_err(convert(index))?;
                Some(flags.as_boolean().clone())
            }
            None => None,
        };

        let mut keep: Vec<usize> = Vec::new();
        let mut targets: Vec<f64> = Vec::with_capacity(rows);
        let mut refused = false;
        for row in 0..rows {
            let at = ds[row];
            let observed = y.is_valid(row);
            let mut value = if observed { y.value(row) } else { f64::NAN };
            let in_reach = if calendar { (FIRST_TIME..LAST_TIME).contains(&at) } else { at.abs() <= MAX_STEP };
            let refusal = if series[row] == NO_CODE {
                Some((NO_ID, None))
            } else if at == NO_TIME {
                Some((BAD_TIME, Some(source.time)))
            } else if !in_reach {
                Some((FAR_TIME, Some(source.time)))
            } else if observed && !value.is_finite() {
                Some((NOT_FINITE, source.target))
            } else if value.abs() > MAX_TARGET {
                Some((TOO_LARGE, source.target))
            } else if value < 0.0 && self.spec.negatives == NegativePolicy::Quarantine {
                Some((NEGATIVE, source.target))
            } else {
                None
            };
            if let Some((reason, column)) = refusal {
                if !refused {
                    refused = true;
                    keep = (0..row).collect();
                }
                self.refuse(source, batch, row, series[row], reason, column)?;
                continue;
            }
            if value < 0.0 && self.spec.negatives == NegativePolicy::Clip {
                value = 0.0;
                self.clipped += 1;
            }
            if refused {
                keep.push(row);
            }
            targets.push(value);
            let seen = &mut self.series[series[row] as usize];
            seen.rows += 1;
            self.last = self.last.max(at);
            self.first = self.first.min(at);
            if !source.ahead {
                seen.first = seen.first.min(at);
                if observed && at >= seen.last_observed {
                    seen.at_last = if at == seen.last_observed { seen.at_last + 1 } else { 1 };
                    seen.last_observed = at;
                }
            }
        }
        self.collect_statics(source, batch, &series)?;
        let exog = self.exog_values(source, batch)?;
        if self.spec.freq.is_none() && !source.ahead {
            for row in 0..rows {
                let (series, at) = (series[row] as usize, ds[row]);
                if series < SAMPLED_SERIES && at != NO_TIME && (FIRST_TIME..LAST_TIME).contains(&at) {
                    if self.samples.len() <= series {
                        self.samples.resize(series + 1, Vec::new());
                    }
                    if self.samples[series].len() < SAMPLED_ROWS {
                        self.samples[series].push(at);
                    }
                }
            }
        }

        let flag = if source.ahead { KNOWN_AHEAD } else { 0 };
        let is_out = |row: usize| out_of_stock.as_ref().is_some_and(|stock| stock.is_valid(row) && !stock.value(row));
        let flags = |row: usize| if is_out(row) { flag | OUT_OF_STOCK } else { flag };
        self.rows.y.extend_from_slice(&targets);
        if refused {
            ds = keep.iter().map(|row| ds[*row]).collect();
            self.rows.series.extend(keep.iter().map(|row| series[*row]));
            self.rows.flags.extend(keep.iter().map(|row| flags(*row)));
            for (column, values) in self.rows.exog.iter_mut().zip(&exog) {
                column.extend(keep.iter().map(|row| values[*row]));
            }
        } else {
            self.rows.series.extend_from_slice(&series);
            self.rows.flags.extend((0..rows).map(flags));
            for (column, values) in self.rows.exog.iter_mut().zip(&exog) {
                column.extend_from_slice(values);
            }
        }
        self.rows.ds.extend_from_slice(&ds);
        self.rows_in += rows as u64;
        self.spill_if_many()
    }

    fn spill_if_many(&mut self) -> Result<(), SilverError> {
        if self.spill.is_none() && self.rows.len() > self.spec.spill_rows {
            let spill = Spill::create(&self.folder, self.exog.len()).map_err(|source| SilverError::io(&self.folder, source))?;
            self.spill = Some(spill);
        }
        if let Some(spill) = &mut self.spill {
            let first_time = self.rows.len() > self.spec.spill_rows;
            spill
                .drain(&mut self.rows, |series| self.series[series as usize].hash)
                .map_err(|source| SilverError::io(&self.folder, source))?;
            if first_time {
                self.rows = Rows::new(self.exog.len());
            }
        }
        Ok(())
    }

    /// The series of each row, [`NO_CODE`] where an id is missing.
    fn series_codes(&mut self, ids: &[Vec<u32>], rows: usize) -> Result<Vec<u32>, SilverError> {
        let mut codes = Vec::with_capacity(rows);
        let mut current = NO_CODE;
        for row in 0..rows {
            let repeated = row > 0 && ids.iter().all(|column| column[row] == column[row - 1]);
            if !repeated {
                current = self.series_code(ids, row)?;
            }
            codes.push(current);
        }
        Ok(codes)
    }

    fn series_code(&mut self, ids: &[Vec<u32>], row: usize) -> Result<u32, SilverError> {
        if ids.iter().any(|column| column[row] == NO_CODE) {
            return Ok(NO_CODE);
        }
        let mut tuple = ids.first().map_or(0, |column| column[row]);
        for (pairs, column) in self.pairs.iter_mut().zip(ids.iter().skip(1)) {
            let next = pairs.len() as u32;
            tuple = *pairs.entry(u64::from(tuple) << 32 | u64::from(column[row])).or_insert(next);
        }
        if self.series_of.len() <= tuple as usize {
            self.series_of.resize(tuple as usize + 1, NO_CODE);
        }
        if self.series_of[tuple as usize] != NO_CODE {
            return Ok(self.series_of[tuple as usize]);
        }
        let parts: Vec<&str> = ids.iter().zip(&self.ids).map(|(column, interner)| &*interner.texts()[column[row] as usize]).collect();
        let id: Arc<str> = if parts.is_empty() { Arc::from(self.spec.target.as_str()) } else { Arc::from(parts.join("/")) };
        let code = self.series.len() as u32;
        if self.by_text.insert(Arc::clone(&id), code).is_some() {
            return Err(SilverError::AmbiguousId { id: id.to_string() });
        }
        let hash = u64::from_le_bytes(blake3::hash(id.as_bytes()).as_bytes()[..8].try_into().expect("eight bytes"));
        self.series.push(SeriesSeen { id, hash, rows: 0, first: i64::MAX, last_observed: i64::MIN, at_last: 0 });
        for column in &mut self.statics {
            column.codes.push(column.id.map_or(NO_CODE, |index| ids[index][row]));
            column.values.push(f64::NAN);
        }
        self.series_of[tuple as usize] = code;
        Ok(code)
    }

    fn collect_statics(&mut self, source: &Source, batch: &RecordBatch, series: &[u32]) -> Result<(), SilverError> {
        for (column, index) in self.statics.iter_mut().zip(&source.statics) {
            let Some(index) = index else { continue };
            let convert = |error| SilverError::Convert { column: column.name.clone(), source: error };
            if column.kind == Some(StaticKind::Number) {
                let values = numbers(batch.column(*index)).map_err(convert)?;
                for (row, code) in series.iter().enumerate() {
                    if *code == NO_CODE || values.is_null(row) || !values.value(row).is_finite() {
                        continue;
                    }
                    let known = &mut column.values[*code as usize];
                    if known.is_nan() {
                        *known = values.value(row);
                    } else if *known != values.value(row) {
                        column.conflicts += 1;
                        column.example.get_or_insert(*code);
                    }
                }
            } else {
                check_texts(&column.name, "a static column", batch.column(*index), source.ahead)?;
                let texts = column.texts.codes(batch.column(*index)).map_err(convert)?;
                for (text, code) in texts.into_iter().zip(series) {
                    if *code == NO_CODE || text == NO_CODE {
                        continue;
                    }
                    let known = &mut column.codes[*code as usize];
                    if *known == NO_CODE {
                        *known = text;
                    } else if *known != text {
                        column.conflicts += 1;
                        column.example.get_or_insert(*code);
                    }
                }
            }
        }
        Ok(())
    }

    /// Values of all exogenous columns; texts are codes in the order of first sight.
    fn exog_values(&mut self, source: &Source, batch: &RecordBatch) -> Result<Vec<Vec<f64>>, SilverError> {
        let rows = batch.num_rows();
        let mut all = Vec::with_capacity(self.exog.len());
        for (column, index) in self.exog.iter_mut().zip(&source.exog) {
            let Some(index) = index else {
                all.push(vec![f64::NAN; rows]);
                continue;
            };
            let convert = |error| SilverError::Convert { column: column.name.clone(), source: error };
            let array: &ArrayRef = batch.column(*index);
            if column.kind == Some(ExogKind::Category) {
                check_texts(&column.name, "an exogenous column", array, source.ahead)?;
                let mut codes = column.texts.codes(array).map_err(convert)?;
                // A row that is there and names nothing says that there is nothing: a day without event is known to be one.
                if column.role == ExogRole::Future && codes.contains(&NO_CODE) {
                    let blank = column.texts.blank();
                    codes.iter_mut().filter(|code| **code == NO_CODE).for_each(|code| *code = blank);
                }
                let known = column.texts.texts().len();
                if known > MAX_CATEGORIES {
                    return Err(SilverError::TooManyCategories { column: column.name.clone(), limit: MAX_CATEGORIES });
                }
                column.text_counts.resize(known, 0);
                let mut value = |code: u32| {
                    if code == NO_CODE {
                        column.missing += 1;
                        return f64::NAN;
                    }
                    column.present += 1;
                    column.text_counts[code as usize] += 1;
                    f64::from(code)
                };
                all.push(codes.into_iter().map(&mut value).collect());
                continue;
            }
            let array = numbers(array).map_err(convert)?;
            let mut values = array.values().to_vec();
            if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
                for (value, valid) in values.iter_mut().zip(nulls) {
                    if !valid {
                        *value = f64::NAN;
                    }
                }
            }
            let (mut missing, mut zeros, mut flags) = (0_u64, 0_u64, 0_u64);
            for value in &mut values {
                if value.is_infinite() {
                    *value = f64::NAN;
                    self.not_finite += 1;
                }
                missing += u64::from(value.is_nan());
                zeros += u64::from(*value == 0.0);
                flags += u64::from(*value == 0.0 || *value == 1.0);
            }
            let present = rows as u64 - missing;
            column.missing += missing;
            column.present += present;
            column.zeros += zeros;
            column.only_flags &= flags == present;
            all.push(values);
        }
        Ok(all)
    }

    fn refuse(
        &mut self,
        source: &Source,
        batch: &RecordBatch,
        row: usize,
        series: u32,
        reason: &'static str,
        column: Option<usize>,
    ) -> Result<(), SilverError> {
        let text = |index: usize| array_value_to_string(batch.column(index), row).ok().filter(|text| !text.is_empty());
        let schema = batch.schema();
        let missing_id = || source.ids.iter().copied().find(|index| text(*index).is_none_or(|id| id.trim().is_empty()));
        let column = column.or_else(missing_id);
        let ordinal = source.row.and_then(|index| {
            let rows = cast(batch.column(index), &DataType::Int64).ok()?;
            let rows = rows.as_primitive::<Int64Type>();
            rows.is_valid(row).then(|| rows.value(row))
        });
        let refused = QuarantinedRow {
            layer: "silver",
            file: source.file.and_then(text),
            row: ordinal.or(Some((self.rows_in + row as u64 + 1) as i64)),
            unique_id: self.series.get(series as usize).map(|seen| seen.id.to_string()),
            ds: text(source.time),
            column: column.map(|index| schema.field(index).name().clone()),
            value: column.and_then(text),
            reason,
        };
        let path = self.quarantine.path().to_owned();
        self.quarantine.push(refused).map_err(|source| SilverError::parquet(&path, source))
    }
}

impl ExogState {
    fn new(name: &str, role: ExogRole) -> Self {
        Self {
            name: name.to_owned(),
            role,
            kind: None,
            texts: Interner::default(),
            text_counts: Vec::new(),
            present: 0,
            missing: 0,
            zeros: 0,
            only_flags: true,
        }
    }
}

impl StaticState {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            id: None,
            texts: Interner::default(),
            codes: Vec::new(),
            values: Vec::new(),
            conflicts: 0,
            example: None,
        }
    }
}

/// Refuses numbers known ahead where the history has texts; a column of which nothing is known is typed as numbers and is none.
fn check_texts(column: &str, role: &'static str, array: &ArrayRef, ahead: bool) -> Result<(), SilverError> {
    let has_numbers = ahead && is_number(array.data_type()) && array.null_count() < array.len();
    if !has_numbers || *array.data_type() == DataType::Null {
        return Ok(());
    }
    let (column, got) = (column.to_owned(), array.data_type().to_string());
    Err(SilverError::ColumnType { column, role, got, expected: "the same type in both tables" })
}
