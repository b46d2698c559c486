//! Checks of a predict request that need no model, each with a message that names the place.

use crate::ds::DsReader;
use crate::error::{ApiError, ServiceError};
use crate::{PredictQuery, PredictRow, PredictSeriesQuery};
use almanac_api::{ExogColumns, ExogValue, PredictRequest, PredictSeries, ProjectInfo};
use almanac_series::{Horizon, Level, Quantile, SeriesId};
use std::collections::{BTreeMap, HashSet};

/// Greatest size of a number: models keep features as 32-bit floats and sum windows of them.
const LARGEST: f64 = 1e30;
/// Most series in one request.
const MOST_SERIES: usize = 10_000;
/// Most quantiles in one request: the answer holds each for every step of every series.
const MOST_QUANTILES: usize = 200;
/// Most bytes in the key of a series: it stands in every row of the answer.
const LONGEST_KEY: usize = 1000;

/// Reads the body of a predict request.
pub(crate) fn read(body: &[u8]) -> Result<PredictRequest, ApiError> {
    if body.trim_ascii_start().first().is_none_or(|first| *first != b'{') {
        return Err(ApiError::invalid(
            "the body is not a JSON object",
            Some("send an object with `series`; `/docs` has an example".to_owned()),
        ));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let request = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let hint = json_hint(body, error.inner());
        let said = error
            .inner()
            .to_string()
            .replace("expected u32", "expected a whole number of steps")
            .replace("expected f64", "expected a number");
        let detail = if path == "." { said } else { format!("`{path}`: {said}") };
        ApiError::invalid(detail, hint)
    })?;
    json.end().map_err(|error| ApiError::invalid(error.to_string(), Some("send one JSON object and nothing after it".to_owned())))?;
    Ok(request)
}

fn json_hint(body: &[u8], error: &serde_json::Error) -> Option<String> {
    if !error.is_syntax() {
        let is_quoted = error.to_string().starts_with("invalid type: string") && error.to_string().contains("expected a number");
        return is_quoted.then(|| "write numbers without quotes, and `null` for a missing value".to_owned());
    }
    let line = body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1))?;
    let from = error.column().saturating_sub(2).min(line.len());
    let rest = &line[from..(from + 12).min(line.len())];
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"inf"];
    let is_number = words.iter().any(|word| rest.windows(word.len()).any(|part| part == *word));
    is_number.then(|| "JSON has no NaN or infinity: send `null` for a missing value".to_owned())
}

/// Turns a request into a checked query.
pub(crate) fn check(request: PredictRequest, project: &ProjectInfo) -> Result<PredictQuery, ApiError> {
    let reader = DsReader::new(&project.freq, project.timezone.as_deref()).map_err(ServiceError::internal)?;
    if request.series.is_empty() {
        return Err(ApiError::invalid("`series` is empty", Some("send at least one series with its history".to_owned())));
    }
    if request.series.len() > MOST_SERIES {
        let detail = format!("`series` has {} entries, at most {MOST_SERIES} are allowed", request.series.len());
        return Err(ApiError::invalid(detail, Some("send several requests".to_owned())));
    }
    let horizon = request.horizon.unwrap_or(project.horizon);
    let horizon = Horizon::new(horizon as usize).map_err(|error| ApiError::invalid(format!("`horizon`: {error}"), None))?;
    let quantiles = quantiles(&request, project)?;
    let mut seen = HashSet::new();
    let mut series = Vec::with_capacity(request.series.len());
    for (index, one) in request.series.into_iter().enumerate() {
        if one.unique_id.is_empty() {
            return Err(ApiError::invalid(format!("`series[{index}].unique_id` is empty"), None));
        }
        if one.unique_id.len() > LONGEST_KEY {
            let detail = format!("`series[{index}].unique_id` has {} bytes, at most {LONGEST_KEY} are allowed", one.unique_id.len());
            return Err(ApiError::invalid(detail, None));
        }
        if !seen.insert(one.unique_id.clone()) {
            let detail = format!("`series[{index}].unique_id`: `{}` stands more than once", one.unique_id);
            return Err(ApiError::invalid(detail, Some("send each series once, with its whole history".to_owned())));
        }
        series.push(check_series(index, one, &project.exog, &reader)?);
    }
    Ok(PredictQuery { series, horizon, quantiles })
}

fn quantiles(request: &PredictRequest, project: &ProjectInfo) -> Result<Vec<Quantile>, ApiError> {
    let mut quantiles = Vec::new();
    for (index, level) in request.levels.iter().flatten().enumerate() {
        let hint = (*level > 1.0 && *level < 100.0).then(|| format!("{level} % is written {}", level / 100.0));
        let level = Level::new(*level).map_err(|error| ApiError::invalid(format!("`levels[{index}]`: {error}"), hint))?;
        let (low, high) = level.bounds();
        for bound in [low, high] {
            // 1 - 0.8 is not 0.2 in binary; nine decimals are finer than any level in use.
            let rounded = (bound.probability() * 1e9).round() / 1e9;
            quantiles.push(Quantile::new(rounded).unwrap_or(bound));
        }
    }
    for (index, quantile) in request.quantiles.iter().flatten().enumerate() {
        let quantile = Quantile::new(*quantile).map_err(|error| ApiError::invalid(format!("`quantiles[{index}]`: {error}"), None))?;
        quantiles.push(quantile);
    }
    if request.levels.is_none() && request.quantiles.is_none() {
        for quantile in &project.quantiles {
            quantiles.push(Quantile::new(*quantile).map_err(ServiceError::internal)?);
        }
    }
    quantiles.sort_by(|a, b| a.probability().total_cmp(&b.probability()));
    quantiles.dedup();
    if quantiles.len() > MOST_QUANTILES {
        let detail = format!("`levels` and `quantiles` ask for {} quantiles, at most {MOST_QUANTILES} are allowed", quantiles.len());
        return Err(ApiError::invalid(detail, None));
    }
    Ok(quantiles)
}

fn check_series(index: usize, one: PredictSeries, columns: &ExogColumns, reader: &DsReader) -> Result<PredictSeriesQuery, ApiError> {
    let place = format!("series[{index}]");
    if one.history.is_empty() {
        let hint = Some("send the past of the series, oldest row first".to_owned());
        return Err(ApiError::invalid(format!("`{place}.history` is empty (series `{}`)", one.unique_id), hint));
    }
    let past: Vec<&String> = columns.historic.iter().chain(&columns.future).collect();
    let ahead: Vec<&String> = columns.future.iter().collect();
    let statics: Vec<&String> = columns.statics.iter().collect();

    let mut history = Vec::with_capacity(one.history.len());
    let mut last: Option<(i64, String)> = None;
    for (row, point) in one.history.into_iter().enumerate() {
        let place = format!("{place}.history[{row}]");
        check_columns(&place, &point.exog, &past, "historic or future")?;
        let ds = read_ds(&place, &point.ds, reader)?;
        if let Some(y) = point.y {
            check_number(&format!("{place}.y"), y)?;
        }
        check_order(&place, ds, &point.ds, last.as_ref())?;
        last = Some((ds, point.ds));
        history.push(PredictRow { ds, y: point.y, exog: point.exog });
    }
    let mut future = Vec::with_capacity(one.future.len());
    for (row, point) in one.future.into_iter().enumerate() {
        let place = format!("{place}.future[{row}]");
        check_columns(&place, &point.exog, &ahead, "future")?;
        let ds = read_ds(&place, &point.ds, reader)?;
        check_order(&place, ds, &point.ds, last.as_ref())?;
        last = Some((ds, point.ds));
        future.push(PredictRow { ds, y: None, exog: point.exog });
    }
    check_columns(&format!("{place}.static"), &one.statics, &statics, "static")?;
    Ok(PredictSeriesQuery { unique_id: SeriesId::new(one.unique_id), history, future, statics: one.statics })
}

fn read_ds(place: &str, text: &str, reader: &DsReader) -> Result<i64, ApiError> {
    reader.read(text).map_err(|expected| ApiError::invalid(format!("`{place}.ds`: `{text}` is not {expected}"), None))
}

fn check_order(place: &str, ds: i64, text: &str, last: Option<&(i64, String)>) -> Result<(), ApiError> {
    match last {
        Some((before, before_text)) if *before == ds => {
            let detail = format!("`{place}.ds`: `{text}` stands more than once (as `{before_text}` in the row before)");
            Err(ApiError::invalid(detail, Some("send one row per timestamp".to_owned())))
        }
        Some((before, before_text)) if *before > ds => {
            let detail = format!("`{place}.ds`: `{text}` comes after `{before_text}`, rows must be sorted by `ds`");
            Err(ApiError::invalid(detail, Some("sort the rows, oldest first; `future` starts after `history`".to_owned())))
        }
        _ => Ok(()),
    }
}

fn check_number(place: &str, number: f64) -> Result<(), ApiError> {
    if number.is_finite() && number.abs() <= LARGEST {
        return Ok(());
    }
    let detail = format!("`{place}`: {number:e} is larger than {LARGEST:e} in size");
    Err(ApiError::invalid(detail, Some("send `null` for a missing value".to_owned())))
}

fn check_columns(place: &str, exog: &BTreeMap<String, ExogValue>, known: &[&String], role: &str) -> Result<(), ApiError> {
    for (name, value) in exog {
        if !known.contains(&name) {
            let hint = if known.is_empty() {
                format!("the project has no {role} columns")
            } else {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("the project's {role} columns are {}", names.join(", "))
            };
            return Err(ApiError::invalid(format!("`{place}.{name}`: unknown field `{name}`"), Some(hint)));
        }
        if let ExogValue::Number(number) = value {
            check_number(&format!("{place}.{name}"), *number)?;
        }
    }
    Ok(())
}
