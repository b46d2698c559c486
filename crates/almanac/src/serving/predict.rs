//! Forecasts on request: the rows of a request made into a panel like the one of the lake, then forecast by the same bundle.
//!
//! A client may send only `ds` and `y` of a series that the project knows: what else the panel knows of those very rows (exogenous
//! columns, whether a row was a stock-out or a closed day) is filled in from it. So the history that `/api/v1/history` gives, sent
//! back, gives the numbers of the forecast table, bit for bit.

use std::collections::BTreeMap;

use almanac_api::{ExogValue, PredictResponse, SkippedSeries};
use almanac_data::{ExogColumn, ExogKind, ExogRole};
use almanac_pipeline::PipelineError;
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
    let forecast =
        loaded.bundle.forecast(&panel, &loaded.champion.model, query.horizon, &query.quantiles).map_err(|error| match error {
            PipelineError::Predict(source) => ServiceError::Invalid { detail: source.to_string(), hint: source.hint() },
            other => ServiceError::internal(other),
        })?;
    // The panel is sorted by key; the answer is in the order of the request.
    let in_order = query.series.iter().filter_map(|series| forecast.position(&series.unique_id));
    let skipped = forecast.skipped.iter();
    Ok(PredictResponse {
        model: loaded.champion.model.clone(),
        model_version: Some(loaded.champion.registered.1.to_string()),
        forecasts: in_order.flat_map(|position| rows_of(&forecast, position, usize::MAX)).collect(),
        skipped: skipped
            .map(|skipped| SkippedSeries { unique_id: skipped.series.to_string(), reason: skipped.reason.to_string() })
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
        carry_ahead(column, history, spec.kind);
    }
    Ok((first, rows))
}

fn position<'a>(mut names: impl Iterator<Item = &'a str>, name: &str) -> usize {
    names.position(|known| known == name).expect("the panel has the columns that its own file names")
}

/// Fills what is not known ahead as the lake does: categories with the most frequent one, flags with 0, amounts with their last value.
fn carry_ahead(column: &mut [f64], history: usize, kind: ExogKind) {
    if kind == ExogKind::Category {
        let usual = most_frequent(&column[..history]);
        column[history..].iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = usual);
        return;
    }
    let is_flag = column[..history].iter().all(|value| value.is_nan() || *value == 0.0 || *value == 1.0);
    let mut last = column[..history].iter().rev().copied().find(|value| !value.is_nan()).unwrap_or(f64::NAN);
    for value in &mut column[history..] {
        if value.is_nan() {
            *value = if is_flag && !last.is_nan() { 0.0 } else { last };
        } else {
            last = *value;
        }
    }
}

/// Returns the code that stands most often, of equals the first in the order of the texts; NaN where there is none.
fn most_frequent(codes: &[f64]) -> f64 {
    let mut known: Vec<f64> = codes.iter().copied().filter(|code| !code.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    let runs = known.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
    runs.reduce(|best, run| if run.0 > best.0 { run } else { best }).map_or(f64::NAN, |(_, code)| code)
}

/// Reads a column of a row; `None` where the client did not send it.
fn value(series: &PredictSeriesQuery, row: Option<&PredictRow>, spec: &ExogColumn) -> Result<Option<f64>, ServiceError> {
    let Some(given) = row.and_then(|row| row.exog.get(&spec.name)) else { return Ok(None) };
    let wrong = |expected: &str| ServiceError::Invalid {
        detail: format!("series `{}`: column `{}` should hold {expected}", series.unique_id, spec.name),
        hint: None,
    };
    let code = |text: &str| spec.categories.binary_search_by(|known| known.as_str().cmp(text)).ok().map(|code| code as f64);
    match (spec.kind, given) {
        // A row that names nothing says that there is nothing, where the data says so too.
        (ExogKind::Category, ExogValue::Missing) if spec.role == ExogRole::Future => Ok(code("")),
        (_, ExogValue::Missing) => Ok(None),
        (ExogKind::Category, ExogValue::Text(text)) if text.trim().is_empty() => Ok(code("")),
        (ExogKind::Category, ExogValue::Text(text)) => match code(text) {
            Some(code) => Ok(Some(code)),
            None => Err(wrong(&format!("{}, not `{text}`", one_of(&spec.categories)))),
        },
        (ExogKind::Category, ExogValue::Number(_)) => Err(wrong("a text")),
        (_, ExogValue::Number(number)) => Ok(Some(*number)),
        (_, ExogValue::Text(_)) => Err(wrong("a number")),
    }
}

/// Names what a category may be, and not all of them where there are many.
fn one_of(categories: &[String]) -> String {
    const MOST: usize = 12;
    let named: Vec<&String> = categories.iter().filter(|text| !text.is_empty()).collect();
    let shown: Vec<String> = named.iter().take(MOST).map(|text| format!("`{text}`")).collect();
    let rest = named.len().saturating_sub(MOST);
    format!("one of {}{}", shown.join(", "), if rest > 0 { format!(" and {rest} more") } else { String::new() })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn column(role: ExogRole, categories: &[&str]) -> ExogColumn {
        let categories = categories.iter().map(|text| (*text).to_owned()).collect();
        ExogColumn { name: "event".into(), role, kind: ExogKind::Category, categories }
    }

    fn read(spec: &ExogColumn, given: Option<ExogValue>) -> Result<Option<f64>, String> {
        let series = PredictSeriesQuery { unique_id: "a".into(), history: vec![], future: vec![], statics: BTreeMap::new() };
        let exog = given.into_iter().map(|value| ("event".to_owned(), value)).collect();
        value(&series, Some(&PredictRow { ds: 0, y: None, exog }), spec).map_err(|error| error.to_string())
    }

    #[test]
    fn null_is_the_empty_text_where_the_data_has_one_ahead() {
        let (null, blank) = (|| Some(ExogValue::Missing), || Some(ExogValue::Text("  ".into())));
        let with_blank = column(ExogRole::Future, &["", "circus", "fair"]);
        assert_eq!(read(&with_blank, null()), Ok(Some(0.0)));
        assert_eq!(read(&with_blank, blank()), Ok(Some(0.0)));
        assert_eq!(read(&with_blank, None), Ok(None), "a column that was not sent is not known");
        let without = column(ExogRole::Future, &["circus", "fair"]);
        assert_eq!((read(&without, null()), read(&without, blank())), (Ok(None), Ok(None)));
        assert_eq!(read(&column(ExogRole::Historic, &["", "fair"]), null()), Ok(None));
    }

    #[test]
    fn an_unknown_category_is_refused_and_a_long_list_is_cut() {
        let names: Vec<String> = (0..100).map(|k| format!("e{k:02}")).collect();
        let names: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
        let said = read(&column(ExogRole::Future, &names), Some(ExogValue::Text("x".into()))).expect_err("unknown");
        assert!(said.ends_with("`e10`, `e11` and 88 more, not `x`"), "{said}");
    }

    #[test]
    fn categories_ahead_take_the_most_frequent_one_and_numbers_the_last() {
        let nan = f64::NAN;
        let ahead = |history: &[f64], rest: &[f64], kind| {
            let mut column = [history, rest].concat();
            carry_ahead(&mut column, history.len(), kind);
            column[history.len()..].to_vec()
        };
        assert_eq!(ahead(&[0.0, 2.0, 0.0, nan, 1.0], &[nan, 2.0, nan], ExogKind::Category), [0.0, 2.0, 0.0]);
        assert_eq!(ahead(&[2.0, 1.0], &[nan], ExogKind::Category), [1.0], "of equals the first text");
        assert!(ahead(&[nan], &[nan], ExogKind::Category)[0].is_nan());
        assert_eq!(ahead(&[5.0, 7.0], &[nan, 9.0, nan], ExogKind::Number), [7.0, 9.0, 9.0]);
        assert_eq!(ahead(&[0.0, 1.0], &[nan], ExogKind::Flag), [0.0]);
    }
}
