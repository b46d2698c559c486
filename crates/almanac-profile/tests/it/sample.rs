//! Tables for the tests: numbers from a fixed generator, files in a folder of the test's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_profile::{ProfileOptions, Profiler, TableProfile};
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// SplitMix64 of a number as a fraction of 53 bits, as in `fixtures/reference.py`.
pub(crate) fn uniform(seed: u64, index: u64) -> f64 {
    let mut z = (seed * 1_000_003 + index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Sales of `series` items a day: key in two columns, a price that is nearly always another, a count, a flag, nulls.
pub(crate) fn sales(days: std::ops::Range<i32>, series: u64, seed: u64) -> RecordBatch {
    let rows: Vec<(i32, u64)> = days.flat_map(|day| (0..series).map(move |item| (day, item))).collect();
    let numbered: Vec<usize> = (0..rows.len()).collect();
    let draw = |column: u64, row: usize| uniform(seed * 10 + column, row as u64);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("store", Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, item)| format!("S{:02}", item % 7))))),
        ("item", Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, item)| (item / 7) as i64)))),
        ("date", Arc::new(Date32Array::from_iter_values(rows.iter().map(|(day, _)| *day)))),
        ("units", Arc::new(Int64Array::from_iter_values(numbered.iter().map(|i| (draw(1, *i) * draw(2, *i) * 40.0) as i64)))),
        ("price", Arc::new(numbered.iter().map(|i| (draw(3, *i) > 0.02).then(|| 1.0 + draw(4, *i) * 9.0)).collect::<Float64Array>())),
        ("promo", Arc::new(numbered.iter().map(|i| Some(draw(5, *i) < 0.1)).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

pub(crate) fn profile(batch: &RecordBatch, options: &ProfileOptions) -> TableProfile {
    let mut profiler = Profiler::new(batch.schema(), options).unwrap();
    profiler.update(batch).unwrap();
    profiler.finish()
}

/// One column of floats.
pub(crate) fn numbers(values: Vec<f64>) -> RecordBatch {
    RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(values)) as ArrayRef)]).unwrap()
}

/// One column of text.
pub(crate) fn words<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> RecordBatch {
    RecordBatch::try_from_iter([("x", Arc::new(StringArray::from_iter_values(values)) as ArrayRef)]).unwrap()
}

/// Writes Parquet with row groups of a fixed size.
pub(crate) fn write(folder: &Path, name: &str, batches: &[RecordBatch], group: usize) -> PathBuf {
    let path = folder.join(name);
    let schema = batches.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), schema, Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    path
}
