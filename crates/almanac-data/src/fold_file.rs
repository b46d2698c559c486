//! One model's forecast at one cutoff, as a file: what a backtest keeps between its steps.
//!
//! Rows are (`unique_id`, `cutoff`, `step`, `mean`), series by series, and one column for each quantile of a model that learnt them; those of other
//! models are calibrated later.
//!
//! Not here: the forecast table that users read (`forecasts`).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use almanac_model::{Forecast, ForecastSpan};
use almanac_series::{Horizon, Period, Quantile, SeriesId};
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
const QUANTILES: &str = "almanac.quantiles";
/// Columns before those of the quantiles.
const COLUMNS: usize = 4;

/// Writes the means and quantiles of a forecast. The file is complete or absent.
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
    let mut columns: Vec<ArrayRef> =
        vec![Arc::new(ids), Arc::new(cutoffs), Arc::new(steps), Arc::new(Float64Array::from(forecast.mean.clone()))];
    let mut fields = vec![
        Field::new("unique_id", DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), false),
        Field::new("cutoff", DataType::Int64, false),
        Field::new("step", DataType::Int32, false),
        Field::new("mean", DataType::Float64, false),
    ];
    let width = forecast.quantiles.len();
    for (column, quantile) in forecast.quantiles.iter().enumerate() {
        fields.push(Field::new(format!("q{}", quantile.probability()), DataType::Float64, false));
        columns.push(Arc::new(Float64Array::from_iter_values(forecast.quantile_values.iter().skip(column).step_by(width).copied())));
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns).expect("columns made to the schema");
    let noted = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let probabilities: Vec<String> = forecast.quantiles.iter().map(|quantile| quantile.probability().to_string()).collect();
    let notes = vec![
        noted(MODEL, forecast.model.clone()),
        noted(FREQ, forecast.freq.to_string()),
        noted(HORIZON, h.to_string()),
        noted(QUANTILES, probabilities.join(",")),
    ];
    let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).set_key_value_metadata(Some(notes)).build();
    let written: Result<(), ParquetError> = write_atomically(path, |file| {
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    });
    written.map_err(|source| LakeError::Parquet { path: path.to_owned(), source })
}

/// Reads what [`write_forecast`] wrote.
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
    let probabilities = note(QUANTILES)?;
    let quantile = |text: &str| text.parse().ok().and_then(|p| Quantile::new(p).ok());
    let quantiles: Option<Vec<Quantile>> = probabilities.split(',').filter(|text| !text.is_empty()).map(quantile).collect();
    let quantiles = quantiles.ok_or_else(|| damaged("its quantiles are no probabilities".into()))?;
    let mut forecast = Forecast::empty(&note(MODEL)?, freq, horizon, &quantiles);
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
        let of_quantiles: Option<Vec<_>> =
            (0..quantiles.len()).map(|k| batch.columns().get(COLUMNS + k)?.as_primitive_opt::<Float64Type>()).collect();
        let of_quantiles = of_quantiles.ok_or_else(|| damaged("it lacks a quantile".into()))?;
        let names = ids.values().as_string_opt::<i32>().ok_or_else(|| damaged("`unique_id` is not text".into()))?;
        if !batch.num_rows().is_multiple_of(steps) {
            return Err(damaged("its last series is cut short".into()));
        }
        for first in (0..batch.num_rows()).step_by(steps) {
            let id = SeriesId::from(names.value(ids.keys().value(first) as usize));
            let span = ForecastSpan { id, cutoff: Period(cutoffs.value(first)) };
            let values: Vec<f64> =
                (first..first + steps).flat_map(|row| of_quantiles.iter().map(move |column| column.value(row))).collect();
            forecast.push(span, &means.values()[first..first + steps], &values);
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
    fn quantiles_that_a_model_has_learnt_are_kept() {
        let quantiles = [0.1, 0.5, 0.9].map(|p| Quantile::new(p).expect("in range"));
        let mut forecast = Forecast::empty("lightgbm", Freq::Day, Horizon::new(2).expect("in range"), &quantiles);
        for series in 0..3 {
            let span = ForecastSpan { id: SeriesId::new(format!("s{series}")), cutoff: Period(7) };
            let values: Vec<f64> = (0..6).map(|k| f64::from(10 * series + k)).collect();
            forecast.push(span, &[1.0, 2.0], &values);
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
