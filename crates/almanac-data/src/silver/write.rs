//! From collected rows to the files of a silver folder: partitions in parallel, then what describes them.
//!
//! A partition is a range of the hashes of `unique_id`; their number depends on the number of input rows only.
//!
//! Not here: one series (`grid`), putting the folder in its place (`silver`).

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use almanac_series::{Freq, Period};
use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use serde::Serialize;

use super::collect::{Collector, SeriesSeen, StaticState};
use super::columns::NO_CODE;
use super::grid::{Fill, Grid, GridPlan, GridRows, GridSpan, Refused, SeriesState, Tally};
use super::plan::{frequency, plan_clock, plan_exog, plan_grid, refuse_sparse};
use super::rows::Rows;
use super::schema::{
    COLUMNS_FILE, ExogColumn, ExogKind, FORMAT_VERSION, PANEL_FILE, PanelFile, PartitionMeta, SERIES_FILE, StaticKind, StaticMeta,
};
use super::{DuplicatePolicy, FutureFill, GapPolicy, SilverError, SilverReport, StaticConflict};
use crate::quarantine::QuarantinedRow;

/// What a partition left behind.
struct Partition {
    meta: PartitionMeta,
    spans: Vec<GridSpan>,
    tally: Tally,
    refused: Vec<Refused>,
}

/// Returns the partition of a series among `partitions`. The same on every machine and for ever.
pub fn partition_of(unique_id: &str, partitions: usize) -> usize {
    let hash = u64::from_le_bytes(blake3::hash(unique_id.as_bytes()).as_bytes()[..8].try_into().expect("eight bytes"));
    partition_of_hash(hash, partitions)
}

fn partition_of_hash(hash: u64, partitions: usize) -> usize {
    ((u128::from(hash) * partitions as u128) >> 64) as usize
}

/// Lays out everything that was collected and writes all files into `folder`.
pub(super) fn write_silver(mut collector: Collector, folder: &Path) -> Result<SilverReport, SilverError> {
    if let Some(spill) = &mut collector.spill {
        spill.finish().map_err(|source| SilverError::io(folder, source))?;
    }
    if collector.series.iter().all(|seen| seen.last_observed == i64::MIN) {
        let reasons = collector.quarantine.counts();
        return Err(SilverError::NoSeries {
            rows: collector.rows_in,
            quarantined: reasons.values().sum(),
            reason: reasons.iter().max_by_key(|(_, count)| **count).map(|(reason, _)| reason.clone()),
        });
    }
    let (freq, inferred) = frequency(&mut collector)?;
    let (exog_columns, exog) = plan_exog(&collector.exog);
    let (clock, timezone) = plan_clock(&collector, freq)?;
    let plan = plan_grid(&collector, freq, clock, exog);
    refuse_sparse(&collector, &plan)?;

    let n_partitions = collector.rows_in.div_ceil(collector.spec.target_rows_per_partition.max(1) as u64).max(1) as usize;
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); n_partitions];
    let mut by_id: Vec<u32> = (0..collector.series.len() as u32).collect();
    by_id.sort_unstable_by(|a, b| collector.series[*a as usize].id.cmp(&collector.series[*b as usize].id));
    for series in &by_id {
        members[partition_of_hash(collector.series[*series as usize].hash, n_partitions)].push(*series);
    }
    let in_memory = if collector.spill.is_none() { Some(by_series(&collector.rows, collector.series.len())) } else { None };
    let partitions: Vec<Partition> = members
        .par_iter()
        .enumerate()
        .map(|(number, members)| {
            let spilled;
            let (rows, (starts, index)) = match (&in_memory, &collector.spill) {
                (Some(index), _) => (&collector.rows, index),
                (None, Some(spill)) => {
                    let wanted = |series: u32| partition_of_hash(collector.series[series as usize].hash, n_partitions) == number;
                    let hashes = hash_range(number, n_partitions);
                    let rows = spill.read(hashes, wanted).map_err(|source| SilverError::io(folder, source))?;
                    let index = by_series(&rows, collector.series.len());
                    spilled = (rows, index);
                    (&spilled.0, &spilled.1)
                }
                (None, None) => unreachable!("rows are in memory or spilled"),
            };
            write_partition(
                &collector.series,
                &plan,
                &exog_columns,
                rows,
                starts,
                index,
                members,
                &folder.join(format!("part-{number:05}.parquet")),
            )
        })
        .collect::<Result<_, _>>()?;

    let mut tally = Tally::default();
    for partition in &partitions {
        tally.add(&partition.tally);
    }
    refuse_by_policy(&collector, &plan, &tally)?;
    let statics = write_series(&collector, &plan, &by_id, &partitions, &folder.join(SERIES_FILE))?;
    let mut report = report(&collector, &plan, &tally, &partitions, inferred);
    finish(collector, &plan, partitions, exog_columns, statics, timezone, folder, &mut report)?;
    Ok(report)
}

fn refuse_by_policy(collector: &Collector, plan: &GridPlan, tally: &Tally) -> Result<(), SilverError> {
    let name = |(series, period): (u32, Period)| (collector.series[series as usize].id.to_string(), plan.freq.label(period));
    if let (DuplicatePolicy::Error, Some(example)) = (plan.duplicates, tally.duplicate) {
        let (series, ds) = name(example);
        return Err(SilverError::Duplicates { count: tally.duplicates, series, ds });
    }
    if let (GapPolicy::Error, Some(example)) = (plan.gaps, tally.gap) {
        let (series, ds) = name(example);
        return Err(SilverError::Gaps { count: tally.gaps, series, ds });
    }
    Ok(())
}

/// The rows of each series in input order: (start of each series in the index, index).
fn by_series(rows: &Rows, n_series: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; n_series + 1];
    for series in &rows.series {
        starts[*series as usize + 1] += 1;
    }
    for series in 0..n_series {
        starts[series + 1] += starts[series];
    }
    let mut next = starts.clone();
    let mut index = vec![0_u32; rows.len()];
    for (row, series) in rows.series.iter().enumerate() {
        let slot = &mut next[*series as usize];
        index[*slot as usize] = row as u32;
        *slot += 1;
    }
    (starts, index)
}

fn hash_range(number: usize, partitions: usize) -> std::ops::RangeInclusive<u64> {
    let edge = |number: usize| (((number as u128) << 64).div_ceil(partitions as u128)).min(u128::from(u64::MAX)) as u64;
    let last = if number + 1 == partitions { u64::MAX } else { edge(number + 1) };
    edge(number)..=last
}

fn write_partition(
    all: &[SeriesSeen],
    plan: &GridPlan,
    columns: &[ExogColumn],
    rows: &Rows,
    starts: &[u32],
    index: &[u32],
    members: &[u32],
    path: &Path,
) -> Result<Partition, SilverError> {
    let mut grid = Grid::new(plan, rows);
    let mut spans = Vec::with_capacity(members.len());
    for series in members {
        let range = starts[*series as usize] as usize..starts[*series as usize + 1] as usize;
        if !range.is_empty() {
            spans.extend(grid.lay_out(*series, &index[range]));
        }
    }
    grid.recode();
    let Grid { out, tally, refused, .. } = grid;
    let n_rows = out.y.len() as u64;
    let ids: Vec<&str> = spans.iter().map(|span| &*all[span.series as usize].id).collect();
    let failed = |source| SilverError::parquet(path, source);
    let batch = partition_batch(plan.freq, columns, out, &spans, &ids).map_err(|error| failed(ParquetError::from(error)))?;
    write_parquet(path, &batch).map_err(failed)?;
    let file = path.file_name().expect("a file").to_string_lossy().into_owned();
    Ok(Partition { meta: PartitionMeta { file, rows: n_rows, series: spans.len() as u64 }, spans, tally, refused })
}

fn partition_batch(
    freq: Freq,
    columns: &[ExogColumn],
    out: GridRows,
    spans: &[GridSpan],
    ids: &[&str],
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut keys = Vec::with_capacity(out.y.len());
    let mut ds = Vec::with_capacity(out.y.len());
    // Labels of months cost calendar arithmetic: each is computed once.
    let first = spans.iter().map(|span| span.start.0).min().unwrap_or(0);
    let end = spans.iter().map(|span| span.start.0 + span.rows as i64).max().unwrap_or(0);
    let labels: Vec<i64> = (first..end).map(|period| freq.ds(Period(period))).collect();
    for (number, span) in spans.iter().enumerate() {
        keys.extend(std::iter::repeat_n(number as i32, span.rows));
        let from = (span.start.0 - first) as usize;
        ds.extend_from_slice(&labels[from..from + span.rows]);
    }
    let keys = DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), Arc::new(StringArray::from_iter_values(ids)))?;
    let (fields, columns) = {
        let mut fields = vec![
            Field::new("unique_id", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
            Field::new("ds", ds_type(freq), false),
            Field::new("y", DataType::Float64, true),
            Field::new("status", DataType::UInt8, false),
        ];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(keys), ds_array(freq, ds), nullable(out.y), Arc::new(UInt8Array::from(out.status))];
        for (column, values) in columns.iter().zip(out.exog) {
            fields.push(Field::new(&column.name, DataType::Float64, true));
            arrays.push(nullable(values));
        }
        (fields, arrays)
    };
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

pub(crate) fn ds_type(freq: Freq) -> DataType {
    if freq.has_calendar() { DataType::Timestamp(TimeUnit::Microsecond, None) } else { DataType::Int64 }
}

pub(crate) fn ds_array(freq: Freq, ds: Vec<i64>) -> ArrayRef {
    if freq.has_calendar() { Arc::new(TimestampMicrosecondArray::from(ds)) } else { Arc::new(Int64Array::from(ds)) }
}

fn nullable(values: Vec<f64>) -> ArrayRef {
    if values.iter().any(|value| value.is_nan()) {
        let valid = values.iter().map(|value| !value.is_nan()).collect::<arrow::buffer::NullBuffer>();
        Arc::new(Float64Array::new(values.into(), Some(valid)))
    } else {
        Arc::new(Float64Array::from(values))
    }
}

fn write_parquet(path: &Path, batch: &RecordBatch) -> Result<(), ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("unique_id"), EnabledStatistics::Chunk);
    if batch.schema().index_of("ds").is_ok() {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::from("ds"), EnabledStatistics::Chunk)
            .set_column_dictionary_enabled(ColumnPath::from("ds"), false)
            .set_column_encoding(ColumnPath::from("ds"), Encoding::DELTA_BINARY_PACKED);
    }
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties.build()))?;
    writer.write(batch)?;
    writer.into_inner()?.sync_all()?;
    Ok(())
}

fn write_series(
    collector: &Collector,
    plan: &GridPlan,
    by_id: &[u32],
    partitions: &[Partition],
    path: &Path,
) -> Result<Vec<StaticMeta>, SilverError> {
    let mut spans: Vec<Option<&GridSpan>> = vec![None; collector.series.len()];
    for span in partitions.iter().flat_map(|partition| &partition.spans) {
        spans[span.series as usize] = Some(span);
    }
    let spans: Vec<&GridSpan> = by_id.iter().filter_map(|series| spans[*series as usize]).collect();
    let text =
        |of: &dyn Fn(&GridSpan) -> Option<String>| -> ArrayRef { Arc::new(spans.iter().map(|span| of(span)).collect::<StringArray>()) };
    let times = |of: &dyn Fn(&GridSpan) -> Period| ds_array(plan.freq, spans.iter().map(|span| plan.freq.ds(of(span))).collect());
    let counts = |of: &dyn Fn(&GridSpan) -> u64| -> ArrayRef { Arc::new(spans.iter().map(|span| of(span) as i64).collect::<Int64Array>()) };

    let mut fields = vec![Field::new("unique_id", DataType::Utf8, false)];
    let mut arrays = vec![text(&|span| Some(collector.series[span.series as usize].id.to_string()))];
    let mut metas = Vec::new();
    for column in &collector.statics {
        let kind = column.kind.unwrap_or(StaticKind::Category);
        metas.push(StaticMeta { name: column.name.clone(), kind });
        // A static column may bear the name of one of ours.
        let stored = static_field(&column.name);
        if kind == StaticKind::Number {
            fields.push(Field::new(stored, DataType::Float64, true));
            arrays.push(nullable(spans.iter().map(|span| column.values[span.series as usize]).collect()));
        } else {
            fields.push(Field::new(stored, DataType::Utf8, true));
            arrays.push(text(&|span| static_text(collector, column, span.series)));
        }
    }
    for (name, array) in [
        ("first", times(&|span| span.start)),
        ("last", times(&|span| span.start.plus(span.history as i64 - 1))),
        ("last_observed", times(&|span| span.last_observed)),
    ] {
        fields.push(Field::new(name, ds_type(plan.freq), false));
        arrays.push(array);
    }
    for (name, array) in [("rows", counts(&|span| span.history as u64)), ("observed", counts(&|span| span.observed))] {
        fields.push(Field::new(name, DataType::Int64, false));
        arrays.push(array);
    }
    fields.push(Field::new("state", DataType::Utf8, false));
    arrays.push(text(&|span| Some(state_name(span.state).to_owned())));
    let failed = |source| SilverError::parquet(path, source);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| failed(error.into()))?;
    write_parquet(path, &batch).map_err(failed)?;
    Ok(metas)
}

/// Returns the name under which `series.parquet` stores a static column.
pub fn static_field(name: &str) -> String {
    let taken = ["unique_id", "first", "last", "last_observed", "rows", "observed", "state"];
    if taken.contains(&name) { format!("static_{name}") } else { name.to_owned() }
}

fn static_text(collector: &Collector, column: &StaticState, series: u32) -> Option<String> {
    let code = column.codes[series as usize];
    let texts = column.id.map_or(&column.texts, |index| &collector.ids[index]).texts();
    if code == NO_CODE { None } else { Some(texts[code as usize].to_string()) }
}

fn state_name(state: SeriesState) -> &'static str {
    match state {
        SeriesState::Active => "active",
        SeriesState::New => "new",
        SeriesState::Discontinued => "discontinued",
    }
}

fn report(collector: &Collector, plan: &GridPlan, tally: &Tally, partitions: &[Partition], inferred: bool) -> SilverReport {
    let spans = || partitions.iter().flat_map(|partition| &partition.spans);
    let in_state = |state| spans().filter(|span| span.state == state).count() as u64;
    let history: u64 = spans().map(|span| span.history as u64).sum();
    let label = |period: Option<Period>| period.map(|period| plan.freq.label(period));
    let mut future_fills = Vec::new();
    for ((state, exog), ahead) in collector.exog.iter().zip(&plan.exog).zip(&tally.ahead) {
        if exog.ahead && ahead.rows > 0 {
            let rule = match (exog.fill, exog.kind) {
                (Fill::Carry, _) => "last value",
                (Fill::Constant(_), ExogKind::Category) => "most frequent",
                (Fill::Constant(_), _) => "zero",
            };
            future_fills.push(FutureFill {
                column: state.name.clone(),
                rule: rule.into(),
                rows: ahead.rows,
                series: ahead.series,
                known_until: label(ahead.until),
            });
        }
    }
    let conflict = |column: &StaticState| StaticConflict {
        column: column.name.clone(),
        rows: column.conflicts,
        example: column.example.map(|series| collector.series[series as usize].id.to_string()).unwrap_or_default(),
    };
    SilverReport {
        freq: plan.freq.to_string(),
        freq_inferred: inferred,
        rows_in: collector.rows_in,
        rows_kept: tally.kept,
        rows_collapsed: tally.collapsed,
        rows_merged: tally.merged,
        rows_outside: tally.outside,
        rows_off_grid: tally.off_grid,
        rows_clipped: collector.clipped,
        values_not_finite: collector.not_finite,
        panel_rows: history,
        future_rows: spans().map(|span| span.rows as u64).sum::<u64>() - history,
        gap_rows: tally.gaps,
        censored_rows: tally.censored,
        missing_rows: tally.missing,
        series: spans().count() as u64,
        series_new: in_state(SeriesState::New),
        series_discontinued: in_state(SeriesState::Discontinued),
        first: label(spans().map(|span| span.start).min()),
        last: label(spans().map(|span| span.last_observed).max()),
        partitions: partitions.len(),
        spilled: collector.spill.is_some(),
        future_fills,
        static_conflicts: collector.statics.iter().filter(|column| column.conflicts > 0).map(conflict).collect(),
        ..SilverReport::default()
    }
}

/// Writes the quarantine and the descriptions; the latter last.
fn finish(
    mut collector: Collector,
    plan: &GridPlan,
    partitions: Vec<Partition>,
    exog: Vec<ExogColumn>,
    statics: Vec<StaticMeta>,
    timezone: Option<String>,
    folder: &Path,
    report: &mut SilverReport,
) -> Result<(), SilverError> {
    let path = collector.quarantine.path().to_owned();
    for refused in partitions.iter().flat_map(|partition| &partition.refused) {
        let row = QuarantinedRow {
            layer: "silver",
            unique_id: Some(collector.series[refused.series as usize].id.to_string()),
            ds: Some(time_text(plan.freq, refused.ds)),
            column: Some(if refused.reason == super::collect::NO_TARGET {
                collector.spec.target.clone()
            } else {
                collector.spec.time.clone()
            }),
            reason: refused.reason,
            ..QuarantinedRow::default()
        };
        collector.quarantine.push(row).map_err(|source| SilverError::parquet(&path, source))?;
    }
    report.quarantined = collector.quarantine.finish().map_err(|source| SilverError::parquet(&path, source))?;
    report.rows_quarantined = report.quarantined.values().sum();
    if let Some(spill) = collector.spill.take() {
        spill.remove().map_err(|source| SilverError::io(folder, source))?;
    }
    write_json(&folder.join(COLUMNS_FILE), &exog)?;
    let panel = PanelFile {
        format_version: FORMAT_VERSION,
        freq: report.freq.clone(),
        timezone,
        horizon: plan.horizon,
        id: collector.spec.id,
        time: collector.spec.time,
        target: collector.spec.target,
        exog,
        statics,
        partitions: partitions.into_iter().map(|partition| partition.meta).collect(),
        report: report.clone(),
    };
    write_json(&folder.join(PANEL_FILE), &panel)
}

fn time_text(freq: Freq, ds: i64) -> String {
    if freq == Freq::Step { ds.to_string() } else { Freq::Second(1).label(Freq::Second(1).period(ds)) }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), SilverError> {
    let text = serde_json::to_vec_pretty(value).expect("plain structs with text keys");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(&text)?;
        file.sync_all()
    };
    write().map_err(|source| SilverError::io(path, source))
}
