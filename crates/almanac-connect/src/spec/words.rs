//! Words of the configuration as values: times, rates, pointers, headers; and secrets that stand there and should not.
//!
//! Not here: which keys go together (`spec`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::keys::SourceKeys;
use super::{Lookback, SpecError};
use crate::secret::Template;

pub(super) fn template(key: &'static str, text: &str) -> Result<Template, SpecError> {
    Template::new(text).map_err(|error| SpecError::secret(key, error))
}

pub(super) fn pointer(key: &'static str, text: &str) -> Result<(), SpecError> {
    if text.is_empty() || text.starts_with('/') {
        return Ok(());
    }
    Err(SpecError::new(key, format!("`{text}` is no JSON pointer"), format!("write `{key} = \"/{}\"`", text.replace('.', "/"))))
}

pub(super) fn lookback(keys: &SourceKeys) -> Result<Lookback, SpecError> {
    let Some(text) = keys.lookback.as_deref().map(str::trim) else { return Ok(Lookback::None) };
    if keys.watermark.is_none() {
        return Err(SpecError::new("lookback", "it goes with `watermark`", "write `watermark = \"updated_at\"`"));
    }
    if keys.key.as_ref().is_none_or(|key| key.0.is_empty()) {
        let hint = "write `key = [\"id\"]`, the columns that name a row: without it the rows fetched again would count twice";
        return Err(SpecError::new("lookback", "it needs `key`", hint));
    }
    if let Ok(number) = text.parse::<i64>()
        && number >= 0
    {
        return Ok(Lookback::Number(number));
    }
    let bad = || SpecError::new("lookback", format!("`{text}` is no time"), "write `2d`, `12h`, `30m`, or a number for whole numbers");
    duration(text).map(Lookback::Time).ok_or_else(bad)
}

pub(super) fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    Duration::try_from(span.to_duration(days).ok()?).ok()
}

pub(super) fn timeout(keys: &SourceKeys) -> Result<Duration, SpecError> {
    timeout_or(keys, Duration::from_mins(1))
}

pub(super) fn timeout_or(keys: &SourceKeys, usual: Duration) -> Result<Duration, SpecError> {
    let Some(text) = &keys.timeout else { return Ok(usual) };
    let bad = || SpecError::new("timeout", format!("`{text}` is no time"), "write `30s` or `2m`");
    duration(text).filter(|time| !time.is_zero()).ok_or_else(bad)
}

/// `5/s`, `100/m` or `1000/h` as the time between two requests.
pub(super) fn rate(text: &str) -> Result<Duration, SpecError> {
    let bad = || SpecError::new("rate", format!("`{text}` is no rate"), "write `5/s`, `100/m` or `1000/h`");
    let (count, unit) = text.split_once('/').ok_or_else(bad)?;
    let count: f64 = count.trim().parse().map_err(|_| bad())?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    if !(count > 0.0 && count.is_finite()) {
        return Err(bad());
    }
    Ok(Duration::from_secs_f64((seconds / count).min(86_400.0)))
}

pub(super) fn headers(keys: &SourceKeys) -> Result<BTreeMap<String, Template>, SpecError> {
    let mut all = BTreeMap::new();
    for (name, value) in keys.headers.iter().flatten() {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_name {
            return Err(SpecError::new(
                "headers",
                format!("`{}` is no name of a header", name.escape_debug()),
                "use letters, digits and `-`",
            ));
        }
        if is_secret_name(name) && !value.contains("${") {
            return Err(literal("headers"));
        }
        all.insert(name.to_ascii_lowercase(), template("headers", value)?);
    }
    if let Some(auth) = &keys.auth {
        if !auth.contains("${") {
            return Err(literal("auth"));
        }
        all.insert("authorization".into(), template("auth", auth)?);
    }
    Ok(all)
}

pub(super) fn literal(key: &'static str) -> SpecError {
    let hint = "keep it in an environment variable or a file: `${env:NAME}` or `${file:PATH}` in its place";
    SpecError::new(key, "a secret stands in the configuration", hint)
}

/// Whether values of that name are usually secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    let parts = ["password", "passwd", "secret", "token", "apikey", "authorization", "cookie", "signature", "credential", "accesskey"];
    matches!(name.as_str(), "sig" | "pwd" | "auth" | "key") || parts.iter().any(|part| name.contains(part))
}

/// A password or key in the configuration would end up in its history and in copies of it.
pub(super) fn refuse_secrets(url: &str) -> Result<(), SpecError> {
    // What is looked up is no secret here; the rest need not be a URL that can be parsed.
    let mut plain = url.to_owned();
    while let Some((start, end)) = plain.find("${").and_then(|start| Some((start, start + plain[start..].find('}')?))) {
        plain.replace_range(start..=end, "");
    }
    let (scheme, rest) = plain.split_once("://").unwrap_or(("", &plain));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
    if let Some((name, password)) = user.split_once(':')
        && !password.is_empty()
        && !user.contains('/')
    {
        let hint = format!("write `{scheme}://{name}:${{env:NAME}}@…` and set the variable NAME, or `${{file:PATH}}`");
        return Err(SpecError::new("url", "a password stands in the configuration", hint));
    }
    let is_secret = |pair: &str| pair.split_once('=').is_some_and(|(name, value)| is_secret_name(name) && !value.is_empty());
    if query.split('&').any(is_secret) { Err(literal("url")) } else { Ok(()) }
}
