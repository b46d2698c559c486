//! Services that give rows page by page, as JSON lines.
//!
//! A page is read whole, within a limit, its rows are found by a JSON pointer, and each becomes a line; the next page is found as the
//! service says. A page that is cut off or is no JSON is asked for again. Services have no snapshot: rows that move from one page to
//! another while they are read may come twice, which `key` mends, or not at all, which the service must rule out.
//!
//! Not here: one request (`http`).

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};

use almanac_privacy::Redaction;
use reqwest::Response;
use reqwest::header::LINK;
use serde_json::Value;
use url::Url;

use crate::error::ConnectError;
use crate::http::{Ask, Http, Manner, Patience, Tried, fill_headers};
use crate::landing::{Mark, StagedFile, Watermark};
use crate::rows::short_hash;
use crate::secret::{Filled, Lookup, Scrubber};
use crate::spec::{Paging, RestSpec, WATERMARK};
use crate::sql::{less, mark_text, read_mark};

/// What is fetched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) table: &'a str,
    pub(crate) spec: &'a RestSpec,
    pub(crate) lookup: Lookup<'a>,
    pub(crate) after: Option<Mark>,
    pub(crate) patience: Patience,
    pub(crate) redaction: &'a Redaction,
}

/// What came.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) rows: u64,
    pub(crate) content: String,
    pub(crate) watermark: Option<Watermark>,
    pub(crate) notes: Vec<String>,
    /// Personal columns that there were.
    pub(crate) found: BTreeSet<String>,
}

/// A page: its rows, and what leads to the next.
struct Page {
    rows: Vec<Value>,
    hash: u128,
    link: Option<String>,
    cursor: Option<String>,
}

/// A service with its secrets filled in.
struct Service<'a> {
    request: Request<'a>,
    first: Url,
    body: Option<String>,
    from: Option<Mark>,
}

impl<'a> Service<'a> {
    fn new(request: Request<'a>, scrubber: &mut Scrubber) -> Result<Self, ConnectError> {
        let spec = request.spec;
        let from = request.after.map(|mark| less(mark, spec.lookback));
        let since = from.map(|mark| mark_text(mark, 'T') + if matches!(mark, Mark::Timestamp(_)) { "Z" } else { "" });
        let mut fill = |template: &crate::Template| -> Result<Filled, ConnectError> {
            let filled = template.fill(&request.lookup)?;
            scrubber.learn(&filled);
            Ok(filled)
        };
        let put = |text: &str| text.replace(WATERMARK, since.as_deref().unwrap_or_default());
        let text = put(fill(&spec.url)?.text.expose());
        let bad = |reason: String| ConnectError::BadUrl { url: spec.url.as_written().to_owned(), reason };
        let mut first = Url::parse(&text).map_err(|error| bad(error.to_string()))?;
        if !matches!(first.scheme(), "http" | "https") {
            return Err(bad("it is no address of a service".into()));
        }
        let mut params = Vec::new();
        for (name, template) in &spec.params {
            // The first load asks from the beginning: it leaves the parameter out.
            if since.is_some() || !template.as_written().contains(WATERMARK) {
                params.push((name.clone(), put(fill(template)?.text.expose())));
            }
        }
        if let (Some(limit), false) = (spec.limit, spec.paging == Paging::None && spec.is_post) {
            params.push((spec.limit_param.clone(), limit.to_string()));
        }
        if !params.is_empty() {
            first.query_pairs_mut().extend_pairs(params);
        }
        let body = spec.body.as_ref().map(&mut fill).transpose()?.map(|filled| put(filled.text.expose()));
        Ok(Self { request, first, body, from })
    }

    fn http<'s>(&self, scrubber: &'s Scrubber, headers: reqwest::header::HeaderMap) -> Result<Http<'s>, ConnectError> {
        let spec = self.request.spec;
        let manner = Manner {
            shown: shown(spec),
            timeout: spec.timeout,
            retries: spec.retries,
            patience: self.request.patience,
            pace: spec.pace,
            scrubber,
        };
        Http::new(&self.first, headers, manner)
    }
}

fn shown(spec: &RestSpec) -> String {
    spec.url.as_written().split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Asks for the first page, and looks whether there are rows where they should be.
pub(crate) async fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    let mut scrubber = Scrubber::default();
    let service = Service::new(request, &mut scrubber)?;
    let headers = fill_headers(&request.spec.headers, &request.lookup, &mut scrubber)?;
    let mut http = service.http(&scrubber, headers)?;
    let ask = Ask { url: service.first.clone(), is_post: request.spec.is_post, body: service.body.clone(), extra: Vec::new() };
    page(&mut http, &ask, request).await.map(|_| ())
}

/// Fetches all pages into a file.
pub(crate) async fn fetch(request: Request<'_>, file: &StagedFile) -> Result<Fetched, ConnectError> {
    let mut scrubber = Scrubber::default();
    let service = Service::new(request, &mut scrubber)?;
    let headers = fill_headers(&request.spec.headers, &request.lookup, &mut scrubber)?;
    let mut http = service.http(&scrubber, headers)?;
    let spec = request.spec;
    let name = file.path().display().to_string();
    let unwritten = |source| ConnectError::Write { file: name.clone(), source };
    let mut lines = BufWriter::new(File::create(file.path()).map_err(unwritten)?);
    let mut sum: u128 = 0;
    let mut found_personal = BTreeSet::new();
    let mut rows: u64 = 0;
    let mut greatest: Option<Mark> = None;
    let (mut without_mark, mut skipped) = (0_u64, 0_u64);
    let mut asked: HashSet<u128> = HashSet::new();
    let mut last_hash = None;
    let mut ask = Ask { url: service.first.clone(), is_post: spec.is_post, body: service.body.clone(), extra: Vec::new() };
    let mut number = match &spec.paging {
        Paging::Page { first, .. } => *first,
        _ => 0,
    };
    if let Paging::Page { param, .. } = &spec.paging {
        set_param(&mut ask.url, param, &number.to_string());
    }
    if let Paging::Offset { param } = &spec.paging {
        set_param(&mut ask.url, param, "0");
    }
    let mut pages = 0_u64;
    loop {
        let circle = |page| ConnectError::Circle { url: shown(spec), page };
        if !asked.insert(short_hash(format!("{} {:?}", ask.url, ask.body).as_bytes())) {
            return Err(circle(pages));
        }
        if pages >= spec.max_pages {
            return Err(ConnectError::TooMuch { url: shown(spec), limit: format!("{} pages", spec.max_pages) });
        }
        let mut page = match page(&mut http, &ask, request).await {
            Ok(page) => page,
            // Some services say so when the pages are over.
            Err(ConnectError::Missing { .. }) if pages > 0 && matches!(spec.paging, Paging::Page { .. }) => break,
            Err(ConnectError::Lost { url, reason, .. }) => return Err(ConnectError::Lost { url, rows, reason }),
            Err(error) => return Err(error),
        };
        pages += 1;
        let is_counted = matches!(spec.paging, Paging::Offset { .. } | Paging::Page { .. });
        if is_counted && !page.rows.is_empty() && last_hash == Some(page.hash) {
            // The same rows again: the service does not know the parameter.
            return Err(circle(pages));
        }
        last_hash = Some(page.hash);
        let count = page.rows.len() as u64;
        for row in &mut page.rows {
            // Before anything lands: rows without their key could not be told from one another afterwards.
            if let Some(column) = spec.key.iter().find(|column| row.get(column.as_str()).is_none()) {
                let known: Vec<&str> = row.as_object().map(|row| row.keys().map(String::as_str).take(40).collect()).unwrap_or_default();
                let (table, column) = (request.table.to_owned(), column.clone());
                return Err(ConnectError::NoColumn { table, key: "key", column, known: known.join(", ") });
            }
            if let Some(column) = &spec.watermark {
                let found = row.get(column).and_then(read_mark);
                let is_empty = row.get(column).is_none_or(Value::is_null);
                if found.is_none() && !is_empty || kinds_differ(greatest.or(request.after), found) {
                    let kind = row.get(column).map(Value::to_string).unwrap_or_default();
                    let kind = format!("`{}`", kind.chars().take(60).collect::<String>());
                    return Err(ConnectError::Watermark { table: request.table.to_owned(), column: column.clone(), kind });
                }
                // Services differ in whether the row at the watermark comes again; without a key it would count twice.
                if spec.key.is_empty() && found.is_some() && found <= request.after {
                    skipped += 1;
                    continue;
                }
                without_mark += u64::from(is_empty);
                greatest = greatest.max(found);
            }
            found_personal.append(&mut request.redaction.json(row));
            let line = row.to_string();
            sum = sum.wrapping_add(short_hash(line.as_bytes()));
            lines.write_all(line.as_bytes()).and_then(|()| lines.write_all(b"\n")).map_err(unwritten)?;
            rows += 1;
        }
        let next = match &spec.paging {
            Paging::None => None,
            Paging::Link => page.link.map(Next::Url),
            Paging::Cursor { param: None, .. } => page.cursor.map(Next::Url),
            Paging::Cursor { param: Some(param), .. } => page.cursor.map(|cursor| Next::Param(param, cursor)),
            Paging::Offset { param } => (count > 0).then(|| Next::Param(param, (rows + skipped).to_string())),
            Paging::Page { param, .. } => {
                number += 1;
                (count > 0).then(|| Next::Param(param, number.to_string()))
            }
        };
        match next {
            None => break,
            Some(Next::Param(param, value)) => set_param(&mut ask.url, param, &value),
            Some(Next::Url(text)) => {
                let joined = ask.url.join(&text).map_err(|error| http.refused(format!("the next page is `{text}`: {error}")))?;
                if !matches!(joined.scheme(), "http" | "https") || ask.url.scheme() == "https" && joined.scheme() == "http" {
                    return Err(http.refused(format!("the next page is `{joined}`, which is not encrypted")));
                }
                ask.url = joined;
            }
        }
    }
    lines.flush().map_err(unwritten)?;
    let mut notes = Vec::new();
    if let (Some(column), true, true) = (&spec.watermark, without_mark > 0, spec.key.is_empty()) {
        notes.push(format!("{without_mark} rows have no `{column}`: rows like them that come later may not be seen"));
    }
    let content = format!("{rows}-{sum:032x}");
    let watermark = spec.watermark.clone().map(|column| Watermark { column, from: service.from, to: greatest.max(request.after) });
    Ok(Fetched { rows, content, watermark, notes, found: found_personal })
}

enum Next<'a> {
    Url(String),
    Param(&'a str, String),
}

fn kinds_differ(one: Option<Mark>, other: Option<Mark>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if std::mem::discriminant(&one) != std::mem::discriminant(&other))
}

fn set_param(url: &mut Url, name: &str, value: &str) {
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(known, _)| known != name).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
}

async fn page(http: &mut Http<'_>, ask: &Ask, request: Request<'_>) -> Result<Page, ConnectError> {
    http.ask(ask, async |http, response| read_page(http, response, request).await).await
}

async fn read_page(http: &Http<'_>, mut response: Response, request: Request<'_>) -> Result<Page, Tried> {
    let spec = request.spec;
    let link = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_link);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| http.broken(&error))? {
        if bytes.len() + chunk.len() > spec.max_page_bytes {
            let limit = format!("{} MiB in one page", spec.max_page_bytes >> 20);
            return Err(Tried::Failed(ConnectError::TooMuch { url: shown(spec), limit }));
        }
        bytes.extend_from_slice(&chunk);
    }
    let failed = |reason: String| Tried::Failed(http.refused(reason));
    let mut value: Value = match serde_json::from_slice(&bytes) {
        Ok(value) => value,
        // What ends too early was cut off on its way, by a proxy for one.
        Err(error) => {
            let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
            let reason = format!("a page is no JSON ({error}); it begins with `{}`", request.redaction.line(&start).escape_debug());
            return Err(Tried::Again(http.refused(reason), std::time::Duration::ZERO));
        }
    };
    let cursor = match &spec.paging {
        Paging::Cursor { pointer, .. } => match value.pointer(pointer) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(false)) => None,
            Some(other) => return Err(failed(format!("`cursor` finds {} where a text or number should be", kind_of(other)))),
        },
        _ => None,
    };
    let rows = match value.pointer_mut(&spec.rows).map(Value::take) {
        Some(Value::Array(rows)) => rows,
        Some(Value::Null) => Vec::new(),
        Some(other) => {
            return Err(failed(format!("`rows = \"{}\"` finds {} where a list of rows should be", spec.rows, kind_of(&other))));
        }
        None => {
            let known: Vec<&str> = value.as_object().map(|object| object.keys().map(String::as_str).take(12).collect()).unwrap_or_default();
            return Err(failed(format!("`rows = \"{}\"` finds nothing; the answer has {}", spec.rows, known.join(", "))));
        }
    };
    if let Some((place, other)) = rows.iter().enumerate().find(|(_, row)| !row.is_object()) {
        return Err(failed(format!("row {} of a page is {}, not an object", place + 1, kind_of(other))));
    }
    Ok(Page { rows, hash: short_hash(&bytes), link, cursor })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The URL with `rel="next"` in a `Link` header (RFC 8288).
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, from)) = rest.split_once('<') {
        let (url, after) = from.split_once('>')?;
        let end = after.find('<').unwrap_or(after.len());
        let (params, others) = after.split_at(end);
        let is_next = params.split([';', ',']).any(|param| {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(url.trim().to_owned());
        }
        rest = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_links() {
        for (header, expected) in [
            (r#"<https://h/x?page=2>; rel="next", <https://h/x?page=9>; rel="last""#, Some("https://h/x?page=2")),
            (r#"<https://h/x?a=1,2>; rel="prev", </x?page=3>; title="a, b"; rel="next archive""#, Some("/x?page=3")),
            (r"<x>; rel=next", Some("x")),
            (r#"<x>; rel="last""#, None),
            ("nonsense", None),
            ("<x", None),
        ] {
            assert_eq!(next_link(header).as_deref(), expected, "{header}");
        }
    }
}
