//! Issues of the forecast table, read back as forecasts, and rows of the table as users take them out.
//!
//! Not here: the files of the table (`forecasts`).

use std::path::Path;
use std::sync::Arc;

use almanac_model::{Forecast, ForecastSpan};
use almanac_series::{Freq, Horizon, Quantile, SeriesId};
use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int32Type, Schema};

use crate::forecasts::{ForecastFilter, ForecastIssue, ForecastTableError, forecast_batch, read_forecasts};
use crate::lake::ds_values;

/// Rows taken out of the forecast table.
#[derive(Debug, Clone)]
pub struct ForecastTable(Vec<RecordBatch>);

impl ForecastTable {
    /// Reads the rows that match, without the column of the level: the caller chose it.
    ///
    /// # Errors
    /// [`ForecastTableError`] if the table is empty or damaged.
    pub fn read(dir: &Path, filter: &ForecastFilter) -> Result<Self, ForecastTableError> {
        let batches = read_forecasts(dir, filter)?;
        let without_level = |batch: &RecordBatch| {
            let schema = batch.schema();
            let kept: Vec<usize> =
                (0..schema.fields().len()).filter(|column| filter.level.is_none() || schema.field(*column).name() != "level").collect();
            batch.project(&kept)
        };
        Ok(Self(batches.iter().map(without_level).collect::<Result<_, _>>()?))
    }

    /// Lays a forecast out as rows, without the column of the level.
    ///
    /// # Errors
    /// [`ForecastTableError::Arrow`] only where a forecast holds more rows than a column can.
    pub fn of(forecast: &Forecast) -> Result<Self, ForecastTableError> {
        let mut batch = forecast_batch("", forecast)?;
        let level = batch.schema().index_of("level")?;
        batch.remove_column(level);
        Ok(Self(vec![batch]))
    }

    /// As [`Self::of`], with the name of the model that forecast each series: a stand-in has forecast some.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn named<'a>(forecast: &Forecast, model_of: impl Fn(&SeriesId) -> &'a str) -> Result<Self, ForecastTableError> {
        let batch = Self::of(forecast)?.0.remove(0);
        let mut names: Vec<&str> = Vec::new();
        let mut keys = Vec::with_capacity(batch.num_rows());
        for span in &forecast.series {
            let name = model_of(&span.id);
            let key = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            keys.extend(std::iter::repeat_n(key as i32, forecast.horizon.steps()));
        }
        let models = DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), Arc::new(StringArray::from(names)))?;
        let mut columns = batch.columns().to_vec();
        columns[batch.schema().index_of("model")?] = Arc::new(models);
        Ok(Self(vec![RecordBatch::try_new(batch.schema(), columns)?]))
    }

    /// Lays a forecast of a scenario out beside the one as it is: `mean`, `scenario_mean`, `difference`, then the scenario's quantiles.
    /// Both hold the same series and steps.
    ///
    /// # Errors
    /// [`ForecastTableError::Arrow`] if they do not, and as [`Self::of`].
    pub fn compared<'a>(
        as_is: &Forecast,
        scenario: &Forecast,
        model_of: impl Fn(&SeriesId) -> &'a str,
    ) -> Result<Self, ForecastTableError> {
        let batch = Self::named(scenario, model_of)?.0.remove(0);
        let schema = batch.schema();
        let at = schema.index_of("mean")?;
        let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
        let mut columns = batch.columns().to_vec();
        let difference: Float64Array = scenario.mean.iter().zip(&as_is.mean).map(|(changed, mean)| changed - mean).collect();
        let added = [("scenario_mean", columns[at].clone()), ("difference", Arc::new(difference) as ArrayRef)];
        columns[at] = Arc::new(Float64Array::from(as_is.mean.clone()));
        for (place, (name, column)) in (at + 1..).zip(added) {
            fields.insert(place, Arc::new(Field::new(name, DataType::Float64, false)));
            columns.insert(place, column);
        }
        let schema = Schema::new(fields).with_metadata(schema.metadata().clone());
        Ok(Self(vec![RecordBatch::try_new(Arc::new(schema), columns)?]))
    }

    /// Puts the rows of another table of the same columns behind these.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }

    /// Returns the rows, for the writers of this crate.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.0
    }
}

/// Returns the issue of a run: the one it has, if it was cut short before, or the next.
///
/// # Errors
/// [`ForecastTableError::Io`] if the folder cannot be listed.
pub fn issue_of(dir: &Path, run: &str) -> Result<ForecastIssue, ForecastTableError> {
    let failed = |source| ForecastTableError::Io { path: dir.to_owned(), source };
    let mut newest = 0;
    if dir.exists() {
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            let mut parts = name.splitn(3, '-');
            let (Some(Ok(sequence)), Some(of)) = (parts.next().map(str::parse::<u64>), parts.next()) else { continue };
            if of == run {
                return Ok(ForecastIssue { run: run.to_owned(), sequence });
            }
            newest = newest.max(sequence);
        }
    }
    Ok(ForecastIssue { run: run.to_owned(), sequence: newest + 1 })
}

/// Reads the forecast of one issue, level and model.
///
/// # Errors
/// [`ForecastTableError::Empty`] if the issue has no such rows; damaged files are named.
pub fn read_issued(dir: &Path, run: &str, level: &str, model: &str, freq: Freq, horizon: Horizon) -> Result<Forecast, ForecastTableError> {
    let filter = ForecastFilter {
        run: Some(run.to_owned()),
        level: Some(level.to_owned()),
        model: Some(model.to_owned()),
        ..ForecastFilter::default()
    };
    let batches = read_forecasts(dir, &filter)?;
    let damaged = |reason: &str| ForecastTableError::Damaged { path: dir.to_owned(), reason: reason.to_owned() };
    let first = batches.first().ok_or_else(|| ForecastTableError::Empty { dir: dir.to_owned() })?;
    let schema = first.schema();
    let quantile = |name: &str| Quantile::new(name.strip_prefix('q')?.parse().ok()?).ok();
    let columns: Vec<(usize, Quantile)> =
        schema.fields().iter().enumerate().filter_map(|(column, field)| Some((column, quantile(field.name())?))).collect();
    let quantiles: Vec<Quantile> = columns.iter().map(|(_, quantile)| *quantile).collect();
    let mut forecast = Forecast::empty(model, freq, horizon, &quantiles);
    let h = horizon.steps();
    let merged = arrow::compute::concat_batches(&schema, &batches)?;
    if !merged.num_rows().is_multiple_of(h) {
        return Err(damaged("a series is cut short"));
    }
    let ids = merged.column_by_name("unique_id").and_then(|ids| ids.as_any_dictionary_opt()).ok_or_else(|| damaged("`unique_id`"))?;
    let names = ids.values().as_string_opt::<i32>().ok_or_else(|| damaged("`unique_id` is not text"))?;
    let keys = if names.is_empty() { Vec::new() } else { ids.normalized_keys() };
    let cutoffs = merged.column_by_name("cutoff").and_then(ds_values).ok_or_else(|| damaged("`cutoff`"))?;
    let floats = |column: usize| merged.column(column).as_primitive_opt::<Float64Type>().ok_or_else(|| damaged("a column of numbers"));
    let mean = floats(schema.index_of("mean")?)?;
    let values = columns.iter().map(|(column, _)| floats(*column)).collect::<Result<Vec<_>, _>>()?;
    for row in (0..merged.num_rows()).step_by(h) {
        let span = ForecastSpan { id: SeriesId::from(names.value(keys[row])), cutoff: freq.period(cutoffs[row]) };
        let steps: Vec<f64> = (row..row + h).flat_map(|row| values.iter().map(move |column| column.value(row))).collect();
        forecast.push(span, &mean.values()[row..row + h], &steps);
    }
    Ok(forecast)
}
