//! Forecasts on request: the rows of a request made into a panel like the one of the lake, then forecast by the same bundle.
//!
//! A client may send only `ds` and `y` of a series that the project knows: what else the panel knows of those very rows (exogenous
//! columns, whether a row was a stock-out or a closed day) is filled in from it. So the history that `/api/v1/history` gives, sent
//! back, gives the numbers of the forecast table, bit for bit.

use std::collections::BTreeMap;

use almanac_api::{ExogValue, FallbackSeries, ForecastRow, PredictResponse, SkippedSeries};
use almanac_data::{ExogColumn, ExogRole};
use almanac_pipeline::{Given, PipelineError, fill_ahead};
use almanac_series::{Hint, Panel, PanelBuilder, Period, RowStatus, SeriesId, SeriesRows, SeriesView, StaticColumn, StaticValues};
use almanac_server::{PredictQuery, PredictRow, PredictSeriesQuery, ServiceError};

use super::loaded::Loaded;
use super::rows_of;

/// Longest stretch between the first and the last row of a history.
const MAX_ROWS: i64 = 1_000_000;

pub(super) fn predict(loaded: &Loaded, query: &PredictQuery) -> Result<PredictResponse, ServiceError> {
    let fitted = loaded.bundle.file().horizon;
    if query.horizon.steps() > fitted {
        return Err(ServiceError::Invalid {
            detail: format!("`horizon` is {}, the champion was fitted for {fitted} steps", query.horizon),
            hint: Some(format!("ask for at most {fitted} steps, or set `[forecast] horizon` and run again")),
        });
    }
    let panel = panel_of(loaded, query)?;
    let given = loaded.bundle.forecast(&panel, &loaded.champion.model, query.horizon, &query.quantiles).map_err(|error| match error {
        PipelineError::Predict(source) => ServiceError::Invalid { detail: source.to_string(), hint: source.hint() },
        other => ServiceError::internal(other),
    })?;
    let forecast = &given.forecast;
    let rows = |id: &SeriesId| -> Vec<ForecastRow> {
        let Some(position) = forecast.position(id) else { return Vec::new() };
        let model = given.model_of(id);
        rows_of(forecast, position, usize::MAX).map(|row| ForecastRow { model: model.to_owned(), ..row }).collect()
    };
    Ok(PredictResponse {
        model: loaded.champion.model.clone(),
        model_version: Some(loaded.champion.registered.1.to_string()),
        // The panel is sorted by key; the answer is in the order of the request.
        forecasts: query.series.iter().flat_map(|series| rows(&series.unique_id)).collect(),
        skipped: forecast
            .skipped
            .iter()
            .map(|skipped| SkippedSeries { unique_id: skipped.series.to_string(), reason: skipped.reason.to_string() })
            .collect(),
        fallbacks: given
            .fallbacks
            .iter()
            .map(|fallback| FallbackSeries {
                unique_id: fallback.series.to_string(),
                model: fallback.model.clone(),
                reason: fallback.reason.to_string(),
            })
            .collect(),
    })
}

fn panel_of(loaded: &Loaded, query: &PredictQuery) -> Result<Panel, ServiceError> {
    let known = &loaded.panel;
    let names = |role: ExogRole| -> Vec<&ExogColumn> { loaded.exog.iter().filter(|column| column.role == role).collect() };
    let (historic, future) = (names(ExogRole::Historic), names(ExogRole::Future));
    let owned = |columns: &[&ExogColumn]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let mut builder = PanelBuilder::new(known.freq(), &owned(&historic), &owned(&future)).timezone(known.timezone());
    for column in &future {
        builder = builder.categories(&column.name, &column.categories);
    }
    for series in &query.series {
        let like = known.position(series.unique_id.as_str()).map(|position| known.view(position));
        let (start, rows) = rows_of_series(known, like, series, &historic, &future, query.horizon.steps())?;
        builder.push(series.unique_id.clone(), start, rows).map_err(ServiceError::internal)?;
    }
    let statics = known.statics().iter().map(|column| static_column(known, column, query)).collect::<Result<_, _>>()?;
    builder.finish(statics).map_err(ServiceError::internal)
}

fn rows_of_series(
    known: &Panel,
    like: Option<SeriesView<'_>>,
    series: &PredictSeriesQuery,
    historic: &[&ExogColumn],
    future: &[&ExogColumn],
    horizon: usize,
) -> Result<(Period, SeriesRows), ServiceError> {
    let freq = known.freq();
    let invalid = |detail: String, hint: &str| ServiceError::Invalid { detail, hint: Some(hint.to_owned()) };
    let mut sent: BTreeMap<Period, &PredictRow> = BTreeMap::new();
    for (index, row) in series.history.iter().chain(&series.future).enumerate() {
        if !freq.is_aligned(row.ds) {
            let place = match index.checked_sub(series.history.len()) {
                None => format!("history[{index}]"),
                Some(index) => format!("future[{index}]"),
            };
            let label = freq.label(freq.period(row.ds));
            let detail = format!(
                "series `{}`: `{place}.ds` does not lie on the grid `{freq}`; the period it falls into is {label}",
                series.unique_id
            );
            return Err(invalid(detail, "send one row per period, labelled as in `/api/v1/history`"));
        }
        sent.insert(freq.period(row.ds), row);
    }
    let first = freq.period(series.history.first().expect("the server refuses empty histories").ds);
    let last = freq.period(series.history.last().expect("the server refuses empty histories").ds);
    if last.since(first) >= MAX_ROWS {
        let detail = format!("series `{}` spans {} periods", series.unique_id, last.since(first));
        return Err(invalid(detail, "look at the year of the first and the last row"));
    }
    let history = (last.since(first) + 1) as usize;
    let n = history + horizon;
    let mut rows = SeriesRows {
        y: vec![f64::NAN; n],
        status: vec![RowStatus::Future; n],
        historic: vec![vec![f64::NAN; n]; historic.len()],
        future: vec![vec![f64::NAN; n]; future.len()],
    };
    for row in 0..n {
        let period = first.plus(row as i64);
        let own = sent.get(&period);
        // What the panel knows of this very period.
        let at = like.and_then(|view| usize::try_from(period.since(view.start())).ok().map(|at| (view, at)));
        if row < history {
            rows.y[row] = own.and_then(|own| own.y).unwrap_or(f64::NAN);
            let same = at.filter(|(view, at)| {
                *at < view.len() && (view.y()[*at] == rows.y[row] || (view.y()[*at].is_nan() && rows.y[row].is_nan()))
            });
            rows.status[row] = match same {
                Some((view, at)) => view.status()[at],
                None if rows.y[row].is_nan() => RowStatus::Missing,
                None => RowStatus::Observed,
            };
            for (column, spec) in historic.iter().enumerate() {
                let held = at
                    .filter(|(view, at)| *at < view.len())
                    .map(|(view, at)| view.historic(position(known.historic_names(), &spec.name))[at]);
                rows.historic[column][row] = value(series, own.copied(), spec)?.or(held).unwrap_or(f64::NAN);
            }
        }
        for (column, spec) in future.iter().enumerate() {
            let held = at.and_then(|(view, at)| view.future(position(known.future_names(), &spec.name)).get(at).copied());
            rows.future[column][row] = value(series, own.copied(), spec)?.or(held).unwrap_or(f64::NAN);
        }
    }
    for (column, spec) in rows.future.iter_mut().zip(future) {
        fill_ahead(column, history, spec.kind);
    }
    Ok((first, rows))
}

fn position<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> usize {
    names.position(|known| known == name).expect("the panel has the columns that its own file names")
}

/// Reads a column of a row; `None` where the client did not send it.
fn value(series: &PredictSeriesQuery, row: Option<&PredictRow>, spec: &ExogColumn) -> Result<Option<f64>, ServiceError> {
    let Some(given) = row.and_then(|row| row.exog.get(&spec.name)) else { return Ok(None) };
    let given = match given {
        ExogValue::Missing => Given::Missing,
        ExogValue::Text(text) => Given::Text(text),
        ExogValue::Number(number) => Given::Number(*number),
    };
    given.code(spec).map_err(|unfit| ServiceError::Invalid { detail: format!("series `{}`: {unfit}", series.unique_id), hint: None })
}

/// Returns a static column for the series of the request, in their order: what was sent, else what the panel knows.
fn static_column(known: &Panel, column: &StaticColumn, query: &PredictQuery) -> Result<StaticColumn, ServiceError> {
    let row_of = |id: &SeriesId| known.position(id.as_str()).map(|position| known.series()[position].static_row);
    let wrong = |id: &SeriesId, expected: &str| ServiceError::Invalid {
        detail: format!("series `{id}`: static column `{}` should hold {expected}", column.name),
        hint: None,
    };
    let values = match &column.values {
        StaticValues::Category { codes, categories } => {
            let missing = categories.len() as u32;
            let code = |series: &PredictSeriesQuery| match series.statics.get(&*column.name) {
                Some(ExogValue::Text(text)) => Ok(categories.binary_search(text).map_or(missing, |code| code as u32)),
                Some(ExogValue::Number(number)) => {
                    let text = number.to_string();
                    Ok(categories.binary_search(&text).map_or(missing, |code| code as u32))
                }
                Some(ExogValue::Missing) | None => Ok(row_of(&series.unique_id).map_or(missing, |row| codes[row])),
            };
            let codes = query.series.iter().map(code).collect::<Result<_, ServiceError>>()?;
            StaticValues::Category { codes, categories: categories.clone() }
        }
        StaticValues::Number(numbers) => {
            let number = |series: &PredictSeriesQuery| match series.statics.get(&*column.name) {
                Some(ExogValue::Number(number)) => Ok(*number),
                Some(ExogValue::Text(_)) => Err(wrong(&series.unique_id, "a number")),
                Some(ExogValue::Missing) | None => Ok(row_of(&series.unique_id).map_or(f64::NAN, |row| numbers[row])),
            };
            StaticValues::Number(query.series.iter().map(number).collect::<Result<_, ServiceError>>()?)
        }
    };
    Ok(StaticColumn { name: column.name.clone(), values })
}
