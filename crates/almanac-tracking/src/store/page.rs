//! Pages: MLflow's tokens, which hold an offset, and the limits of what may be asked for at once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Page, StoreError};

/// Most items of one page of runs or experiments.
pub(crate) const MOST_RESULTS: i64 = 50_000;

/// Returns the offset that a token holds; 0 without one.
pub(crate) fn offset(token: Option<&str>) -> Result<i64, StoreError> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(0) };
    let decoded = STANDARD.decode(token).map_err(|_| StoreError::invalid("Invalid page token, could not base64-decode"))?;
    let shown = String::from_utf8_lossy(&decoded).into_owned();
    let parsed: serde_json::Value =
        serde_json::from_slice(&decoded).map_err(|_| StoreError::invalid(format!("Invalid page token, decoded value={shown}")))?;
    match parsed.get("offset").and_then(serde_json::Value::as_i64) {
        Some(offset) if offset > 0 => Ok(offset),
        _ => Err(StoreError::invalid(format!("Invalid page token, parsed value={shown}"))),
    }
}

/// Returns the token of the page that starts at an offset.
pub(crate) fn token(offset: i64) -> String {
    STANDARD.encode(format!("{{\"offset\": {offset}}}"))
}

/// Makes a page of up to `max_results` items out of one more, which says that there is a next page.
pub(crate) fn page<T>(mut items: Vec<T>, offset: i64, max_results: i64) -> Page<T> {
    let has_more = items.len() as i64 > max_results;
    items.truncate(max_results as usize);
    Page { items, next: has_more.then(|| token(offset + max_results)) }
}

/// Checks how many items are asked for.
pub(crate) fn check_max_results(max_results: i64, most: i64) -> Result<(), StoreError> {
    let refuse = |rule: String| {
        Err(StoreError::invalid(format!("Invalid value {max_results} for parameter 'max_results' supplied. It must be {rule}")))
    };
    match max_results {
        ..1 => refuse("a positive integer".to_owned()),
        _ if max_results > most => refuse(format!("at most {most}")),
        _ => Ok(()),
    }
}
