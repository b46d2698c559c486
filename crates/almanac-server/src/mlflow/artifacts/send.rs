//! Sending a file: whole, or the range that was asked for, or the word that it has not changed.
//!
//! Whatever is in a file, a browser never runs it in our name: it is an attachment, its type is never one with scripts, types
//! are not guessed, and the answer is a sandbox.
//!
//! Not here: which file.

use std::ops::Range;

use almanac_tracking::{ArtifactMeta, ArtifactPath};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::{MlflowError, Tracking};

/// Answers with a file.
pub(super) async fn send(tracking: &Tracking, path: &ArtifactPath, headers: &HeaderMap) -> Result<Response, MlflowError> {
    let found = tracking.artifacts.get(path).await?;
    let size = found.meta().size;
    let mut sent = about(path.name(), found.meta());
    let of = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if of(header::IF_NONE_MATCH).is_some_and(|tags| names(tags, &sent)) {
        return Ok((StatusCode::NOT_MODIFIED, sent).into_response());
    }
    let is_same = of(header::IF_RANGE).is_none_or(|version| {
        [header::ETAG, header::LAST_MODIFIED].iter().any(|name| sent.get(name).is_some_and(|value| value.as_bytes() == version.as_bytes()))
    });
    let asked = of(header::RANGE).filter(|_| is_same).map_or(Asked::All, |range| asked(range, size));
    let (status, range) = match asked {
        Asked::All => (StatusCode::OK, 0..size),
        Asked::Part(range) => {
            sent.insert(header::CONTENT_RANGE, text(&format!("bytes {}-{}/{size}", range.start, range.end - 1)));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Asked::Nothing => {
            let refused = MlflowError::invalid(format!("The range asked for lies outside the {size} bytes of the file."));
            let mut response = refused.into_response();
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            response.headers_mut().insert(header::CONTENT_RANGE, text(&format!("bytes */{size}")));
            return Ok(response);
        }
    };
    sent.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    Ok((status, sent, Body::from_stream(found.read(range)?)).into_response())
}

/// Makes the headers that every answer with this file has.
fn about(name: &str, meta: &ArtifactMeta) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    headers.insert(header::CONTENT_DISPOSITION, text(&attachment(name)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(etag) = meta.etag.as_deref().and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(header::ETAG, etag);
    }
    let modified = meta.modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
    if let Some(date) = modified.and_then(|time| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()) {
        headers.insert(header::LAST_MODIFIED, text(&date));
    }
    headers
}

/// Makes a header of text that is ASCII by the way it was made.
fn text(value: &str) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Whether `If-None-Match` names the version that would be sent.
fn names(tags: &str, sent: &HeaderMap) -> bool {
    let Some(etag) = sent.get(header::ETAG).and_then(|etag| etag.to_str().ok()) else { return false };
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    tags.trim() == "*" || tags.split(',').any(|tag| strong(tag) == strong(etag))
}

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    Part(Range<u64>),
    Nothing,
}

/// Reads a range; several ranges, other units and what cannot be read are answered with the whole (RFC 9110, section 14.2).
fn asked(range: &str, size: u64) -> Asked {
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else { return Asked::All };
    let number = |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    let range = match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(length) => size.saturating_sub(length)..size,
            None => return Asked::All,
        },
        (first, "") => match number(first) {
            Some(first) => first..size,
            None => return Asked::All,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..size.min(last.saturating_add(1)),
            _ => return Asked::All,
        },
    };
    if range.start < range.end { Asked::Part(range) } else { Asked::Nothing }
}

/// Makes `Content-Disposition` (RFC 6266), with names beyond ASCII as RFC 8187 writes them.
fn attachment(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() || c == ' ';
    let quoted = |name: &str| name.replace('\\', "\\\\").replace('"', "\\\"");
    if name.chars().all(is_plain) {
        return format!("attachment; filename=\"{}\"", quoted(name));
    }
    let plain: String = name.chars().filter(|c| is_plain(*c)).collect();
    let plain = if plain.trim().is_empty() { "download" } else { plain.trim() };
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename=\"{}\"; filename*=UTF-8''{encoded}", quoted(plain))
}

/// Returns the type of a file by the ending of its name. Types that a browser may run scripts from are text.
fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or(name, |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "txt" | "log" | "err" | "cfg" | "conf" | "cnf" | "cf" | "ini" | "properties" | "prop" | "hocon" | "toml" | "yaml" | "yml"
        | "xml" | "json" | "jsonl" | "js" | "mjs" | "css" | "py" | "py3" | "csv" | "tsv" | "md" | "rst" | "ipynb" | "sql" | "sh"
        | "mlmodel" | "mlproject" | "html" | "htm" | "xhtml" | "xht" | "shtml" | "mht" | "mhtml" | "svg" | "xsl" | "xslt" => {
            "text/plain; charset=utf-8"
        }
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "pdf" => "application/pdf",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (range, wanted) in [
            ("bytes=0-3", Asked::Part(0..4)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=8-99", Asked::Part(8..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=3-2", Asked::All),
            ("bytes=0-1,3-4", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("lines=0-1", Asked::All),
            ("bytes=99999999999999999999-", Asked::All),
        ] {
            assert_eq!(asked(range, 10), wanted, "`{range}`");
        }
        assert_eq!(asked("bytes=0-", 0), Asked::Nothing);
    }

    #[test]
    fn names_cannot_leave_their_header() {
        assert_eq!(attachment("a b.txt"), "attachment; filename=\"a b.txt\"");
        assert_eq!(attachment("a\";x=\".txt"), "attachment; filename=\"a\\\";x=\\\".txt\"");
        assert_eq!(attachment("größe.txt"), "attachment; filename=\"gre.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%2Etxt");
        assert_eq!(attachment("日本"), "attachment; filename=\"download\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC");
    }

    #[test]
    fn no_type_runs_scripts() {
        for name in ["x.html", "x.HTM", "x.svg", "x.xhtml", "x.xml", "x.js", "MLmodel"] {
            assert_eq!(content_type(name), "text/plain; charset=utf-8", "`{name}`");
        }
        assert_eq!(content_type("model.pkl"), "application/octet-stream");
    }
}
