//! Panels of one series for the tests.

use almanac_model::{FitError, Forecast, Forecaster};
use almanac_prophet::Prophet;
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, Quantile, RowStatus, Seed, SeriesRows};

/// First day of a month, every month.
pub(crate) const MONTH: Freq = Freq::Month { months: 1, anchor: 1, end: false };

/// A series that starts at `start`; NaN is a missing row. `future`: known-ahead columns, rows ahead included.
pub(crate) fn panel(freq: Freq, start: i64, y: &[f64], future: &[(&str, Vec<f64>)]) -> Panel {
    let status: Vec<RowStatus> = y.iter().map(|y| if y.is_nan() { RowStatus::Missing } else { RowStatus::Observed }).collect();
    with_status(freq, start, y, &status, future)
}

pub(crate) fn with_status(freq: Freq, start: i64, y: &[f64], status: &[RowStatus], future: &[(&str, Vec<f64>)]) -> Panel {
    build(PanelBuilder::new(freq, &[], &names(future)), start, y, status, future)
}

/// A daily series without gaps and one known-ahead column of codes into `texts`.
pub(crate) fn with_texts(start: i64, y: &[f64], column: &str, codes: Vec<f64>, texts: &[&str]) -> Panel {
    let future = [(column, codes)];
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let builder = PanelBuilder::new(Freq::Day, &[], &names(&future)).categories(column, &texts);
    build(builder, start, y, &vec![RowStatus::Observed; y.len()], &future)
}

fn names(future: &[(&str, Vec<f64>)]) -> Vec<String> {
    future.iter().map(|(name, _)| (*name).to_owned()).collect()
}

fn build(mut builder: PanelBuilder, start: i64, y: &[f64], status: &[RowStatus], future: &[(&str, Vec<f64>)]) -> Panel {
    let n_rows = future.first().map_or(y.len(), |(_, values)| values.len());
    let mut rows = SeriesRows { y: y.to_vec(), status: status.to_vec(), ..SeriesRows::default() };
    rows.y.resize(n_rows, f64::NAN);
    rows.status.resize(n_rows, RowStatus::Future);
    rows.future = future.iter().map(|(_, values)| values.clone()).collect();
    builder.push("series".into(), Period(start), rows).expect("columns agree");
    builder.finish(vec![]).expect("one key")
}

/// Forecasts `steps` steps with quantiles at the given probabilities; the error is that of the one series.
pub(crate) fn forecast(model: &Prophet, panel: &Panel, steps: usize, probabilities: &[f64]) -> Result<Forecast, FitError> {
    let horizon = Horizon::new(steps).expect("in range");
    let quantiles: Vec<Quantile> = probabilities.iter().map(|p| Quantile::new(*p).expect("in range")).collect();
    let fitted = model.fit(panel, horizon, Seed(0)).expect("right settings");
    let mut forecast = fitted.predict(panel, horizon, &quantiles).expect("nothing was learnt from other series");
    forecast.skipped.pop().map_or(Ok(forecast), |skipped| Err(skipped.reason))
}
