//! One model's forecast at one cutoff, as a file: what a backtest keeps between its steps.
//!
//! Rows are (`unique_id`, `cutoff`, `step`, `mean`), series by series. Quantiles are not kept: they are calibrated later.
//!
//! Not here: the forecast table that users read (`forecasts`).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use almanac_model::{Forecast, ForecastSpan};
use almanac_series::{Horizon, Period, SeriesId};
use arrow::array::{ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::LakeError;
use crate::atomic::write_atomically;

const MODEL: &str = "almanac.model";
const FREQ: &str = "almanac.freq";
const HORIZON: &str = "almanac.horizon";

/// Writes the means of a forecast. The file is complete or absent.
///
/// # Errors
/// [`LakeError`] if it cannot be written.
pub fn write_forecast(path: &Path, forecast: &Forecast) -> Result<(), LakeError> {
    let h = forecast.horizon.steps();
    let keys: Int32Array = (0..forecast.n_series() as i32).flat_map(|series| std::iter::repeat_n(series, h)).collect();
    let names = StringArray::from_iter_values(forecast.series.iter().map(|span| span.id.as_str()));
    let ids = DictionaryArray::<Int32Type>::new(keys, Arc::new(names));
    let cutoffs = Int64Array::from_iter_values(forecast.series.iter().flat_map(|span| std::iter::repeat_n(span.cutoff.0, h)));
    let steps = Int32Array::from_iter_values((0..forecast.mean.len()).map(|row| (row % h) as i32 + 1));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(ids), Arc::new(cutoffs), Arc::new(steps), Arc::new(Float64Array::from(forecast.mean.clone()))];
    let schema = Arc::new(Schema::new(vec![
        Field::new("unique_id", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
        Field::new("cutoff", DataType::Int64, false),
        Field::new("step", DataType::Int32, false),
        Field::new("mean", DataType::Float64, false),
    ]));
    let batch = RecordBatch::try_new(schema.clone(), columns).expect("columns made to the schema");
    let noted = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let notes = vec![noted(MODEL, forecast.model.clone()), noted(FREQ, forecast.freq.to_string()), noted(HORIZON, h.to_string())];
    let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).set_key_value_metadata(Some(notes)).build();
    let written: Result<(), ParquetError> = write_atomically(path, |file| {
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    });
    written.map_err(|source| LakeError::Parquet { path: path.to_owned(), source })
}

/// Reads what [`write_forecast`] wrote; the forecast has no quantiles.
///
/// # Errors
/// [`LakeError`] if the file is missing or damaged.
pub fn read_forecast(path: &Path) -> Result<Forecast, LakeError> {
    let damaged = |reason: String| LakeError::Damaged { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|source| LakeError::Io { path: path.to_owned(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?;
    let notes = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let note = |key: &str| {
        let found = notes.iter().find(|note| note.key == key).and_then(|note| note.value.clone());
        found.ok_or_else(|| damaged(format!("it does not name its `{key}`")))
    };
    let freq = note(FREQ)?.parse().map_err(|error: almanac_series::FreqError| damaged(error.to_string()))?;
    let steps: usize = note(HORIZON)?.parse().map_err(|_| damaged("its horizon is no number".into()))?;
    let horizon = Horizon::new(steps).map_err(|error| damaged(error.to_string()))?;
    let mut forecast = Forecast::empty(&note(MODEL)?, freq, horizon, &[]);
    // Batches hold whole series, so that each is read in one piece.
    let reader = builder.with_batch_size(steps * (65_536 / steps).max(1)).build().map_err(|error| damaged(error.to_string()))?;
    for batch in reader {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        let (Some(ids), Some(cutoffs), Some(means)) = (
            batch.column(0).as_dictionary_opt::<Int32Type>(),
            batch.column(1).as_primitive_opt::<Int64Type>(),
            batch.column(3).as_primitive_opt::<Float64Type>(),
        ) else {
            return Err(damaged("its columns have other types".into()));
        };
        let names = ids.values().as_string_opt::<i32>().ok_or_else(|| damaged("`unique_id` is not text".into()))?;
        if !batch.num_rows().is_multiple_of(steps) {
            return Err(damaged("its last series is cut short".into()));
        }
        for first in (0..batch.num_rows()).step_by(steps) {
            let id = SeriesId::from(names.value(ids.keys().value(first) as usize));
            let span = ForecastSpan { id, cutoff: Period(cutoffs.value(first)) };
            forecast.push(span, &means.values()[first..first + steps], &[]);
        }
    }
    Ok(forecast)
}

#[cfg(test)]
mod tests {
    use almanac_series::Freq;

    use super::*;

    #[test]
    fn a_forecast_is_read_as_it_was_written() {
        let mut forecast = Forecast::empty("naive", Freq::Day, Horizon::new(3).expect("in range"), &[]);
        for series in 0..40_000 {
            let span = ForecastSpan { id: SeriesId::new(format!("s{series:05}")), cutoff: Period(series % 7) };
            forecast.push(span, &[series as f64 / 3.0, 1e300, -0.0], &[]);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fold.parquet");
        write_forecast(&path, &forecast).expect("written");
        assert_eq!(read_forecast(&path).expect("read"), forecast);
    }

    #[test]
    fn a_file_cut_short_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fold.parquet");
        write_forecast(&path, &Forecast::empty("naive", Freq::Day, Horizon::new(3).expect("in range"), &[])).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("cut");
        assert!(matches!(read_forecast(&path), Err(LakeError::Damaged { .. })));
    }
}
