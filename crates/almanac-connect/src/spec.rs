//! What a table of the configuration asks of a source, checked: which source, what of it, how often.
//!
//! [`SourceKeys`] mirrors `[data.tables] NAME = { url = …, … }`; [`SourceSpec::new`] checks it without contacting anything.
//!
//! Not here: where the keys stand in the file (`almanac-config`), asking (`sql`, `objects`, `rest`).

mod kafka;
mod keys;

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::secret::{SecretError, Template};

pub use kafka::{KafkaExtra, KafkaFormat, KafkaFraming, KafkaSecurity, KafkaSpec};
pub use keys::{SOURCE_KEYS, SourceKeys, Strings};

/// Why keys of a source make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SpecError {
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub reason: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl SpecError {
    fn new(key: &'static str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key, reason: reason.into(), hint: Some(hint.into()) }
    }

    fn secret(key: &'static str, error: SecretError) -> Self {
        use almanac_series::Hint;
        Self { key, reason: error.to_string(), hint: error.hint() }
    }
}

/// A source outside the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// Table or query of a database.
    Database(DatabaseSpec),
    /// Objects of a store, or files behind URLs.
    Objects(ObjectsSpec),
    /// Rows that a service gives page by page.
    Rest(RestSpec),
    /// Messages of a topic.
    Kafka(KafkaSpec),
}

/// What is asked of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct DatabaseSpec {
    pub url: Template,
    pub ask: Ask,
    pub watermark: Option<String>,
    pub lookback: Lookback,
    /// Columns that together name a row; empty if rows have no versions.
    pub key: Vec<String>,
}

/// A table or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A table or view, some or all of its columns, some or all of its rows.
    Table {
        /// Its name, with its schema if it has one: `shop.sales`.
        table: String,
        /// The columns; empty: all.
        columns: Vec<String>,
        /// A condition in the database's SQL.
        filter: Option<String>,
    },
    /// A SELECT in the database's SQL.
    Query(String),
}

/// How far before the last watermark rows are fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lookback {
    /// Not at all.
    #[default]
    None,
    /// For dates and timestamps.
    Time(Duration),
    /// For whole numbers.
    Number(i64),
}

/// Objects of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct ObjectsSpec {
    pub urls: Vec<Template>,
    pub endpoint: Option<Template>,
    pub region: Option<String>,
    pub path_style: Option<bool>,
    pub anonymous: bool,
    pub headers: BTreeMap<String, Template>,
    pub timeout: Duration,
    pub retries: u32,
}

/// What is asked of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct RestSpec {
    pub url: Template,
    /// A JSON pointer to the list of rows; empty: the whole answer is the list.
    pub rows: String,
    pub is_post: bool,
    pub headers: BTreeMap<String, Template>,
    pub params: BTreeMap<String, Template>,
    pub body: Option<Template>,
    pub paging: Paging,
    pub limit: Option<u64>,
    pub limit_param: String,
    pub max_pages: u64,
    pub max_page_bytes: usize,
    /// Least time between two requests.
    pub pace: Option<Duration>,
    pub timeout: Duration,
    pub retries: u32,
    pub watermark: Option<String>,
    pub lookback: Lookback,
    pub key: Vec<String>,
}

/// How a service goes on to the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// One page only.
    None,
    /// The `Link` header with `rel="next"`.
    Link,
    /// What a JSON pointer finds: a URL to go to, or a cursor that goes into a parameter.
    Cursor {
        /// The pointer.
        pointer: String,
        /// The parameter; `None`: what is found is a URL.
        param: Option<String>,
    },
    /// The number of rows so far goes into a parameter.
    Offset {
        /// The parameter.
        param: String,
    },
    /// The number of the page goes into a parameter.
    Page {
        /// The parameter.
        param: String,
        /// The number of the first page.
        first: u64,
    },
}

/// What a URL leads to, by its scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Database,
    Store,
    Http,
    Kafka,
    Unknown,
}

fn family(url: &str) -> Family {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    match scheme.as_str() {
        "postgresql" | "postgres" | "mysql" | "mariadb" | "sqlite" => Family::Database,
        "s3" | "s3a" | "gs" | "gcs" | "az" | "azure" | "abfs" | "abfss" | "adl" | "wasb" | "wasbs" => Family::Store,
        "http" | "https" => Family::Http,
        "kafka" => Family::Kafka,
        _ => Family::Unknown,
    }
}

impl SourceSpec {
    /// Checks keys.
    ///
    /// # Errors
    /// [`SpecError`] with the key that is wrong.
    pub fn new(keys: &SourceKeys) -> Result<Self, SpecError> {
        let urls = keys.url.clone().unwrap_or_default().0;
        let first = urls.first().ok_or_else(|| SpecError::new("url", "it names no source", "write `url = \"postgresql://…\"`"))?;
        for url in &urls {
            refuse_secrets(url)?;
        }
        let families: Vec<Family> = urls.iter().map(|url| family(url)).collect();
        let family = if families[0] == Family::Unknown && first.starts_with("${") {
            // The whole URL is a secret: the other keys tell what it leads to.
            if keys.table.is_some() || keys.query.is_some() { Family::Database } else { Family::Http }
        } else {
            families[0]
        };
        if families.iter().any(|other| *other != families[0]) || urls.len() > 1 && family == Family::Database {
            let hint = "give each of them a table of its own, and join them in `sql`";
            return Err(SpecError::new("url", "URLs of one table must be objects of one kind of store", hint));
        }
        match family {
            Family::Database => {
                keys.only(&keys::DATABASE, "a database")?;
                DatabaseSpec::new(first, keys).map(Self::Database)
            }
            Family::Http if keys.rows.is_some() => {
                keys.only(&keys::REST, "a service")?;
                if urls.len() > 1 {
                    return Err(SpecError::new("url", "a service has one URL", "give each URL a table of its own"));
                }
                RestSpec::new(first, keys).map(Self::Rest)
            }
            Family::Http | Family::Store => {
                let allowed: &[&str] = if family == Family::Http { &keys::FILES } else { &keys::STORE };
                keys.only(
                    allowed,
                    if family == Family::Http { "a file behind a URL (a service needs `rows`)" } else { "an object store" },
                )?;
                ObjectsSpec::new(&urls, keys).map(Self::Objects)
            }
            Family::Kafka => {
                keys.only(&keys::KAFKA, "Kafka")?;
                if urls.len() > 1 {
                    let hint = "write brokers with commas between them, and give each topic a table of its own";
                    return Err(SpecError::new("url", "a table has one topic", hint));
                }
                KafkaSpec::new(first, keys).map(Self::Kafka)
            }
            Family::Unknown => Err(SpecError::new(
                "url",
                format!("`{first}` is no source that can be read"),
                "known are postgresql://, mysql://, mariadb://, sqlite:, kafka://, s3://, gs://, az://, abfss://, http:// and https://",
            )),
        }
    }

    /// Returns what tells this source, and what is asked of it, from others; without secrets.
    pub fn identity(&self) -> String {
        match self {
            Self::Database(spec) => format!("{} {:?} watermark={:?} key={:?}", spec.url, spec.ask, spec.watermark, spec.key),
            Self::Objects(spec) => {
                let urls: Vec<&str> = spec.urls.iter().map(Template::as_written).collect();
                let endpoint = spec.endpoint.as_ref().map(Template::as_written);
                format!("{} endpoint={endpoint:?}", urls.join(" "))
            }
            Self::Kafka(spec) => spec.identity(),
            Self::Rest(spec) => {
                let params: Vec<String> = spec.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let body = spec.body.as_ref().map(Template::as_written);
                let shown = (params.join("&"), body, &spec.rows, &spec.watermark, &spec.key);
                format!("{} {} {shown:?}", if spec.is_post { "POST" } else { "GET" }, spec.url)
            }
        }
    }

    /// Returns the source's name for people: its URL as written, without user and query.
    pub fn place(&self) -> String {
        let url = match self {
            Self::Database(spec) => spec.url.as_written(),
            Self::Objects(spec) => spec.urls.first().map_or("", Template::as_written),
            Self::Rest(spec) => spec.url.as_written(),
            Self::Kafka(spec) => spec.url.as_written(),
        };
        url.split(['?', '#']).next().unwrap_or_default().to_owned()
    }

    /// Returns the columns that name a row, if its versions are told apart.
    pub fn key(&self) -> &[String] {
        match self {
            Self::Database(spec) => &spec.key,
            Self::Rest(spec) => &spec.key,
            Self::Kafka(spec) => &spec.key,
            Self::Objects(_) => &[],
        }
    }

    /// Whether each load brings only what is newer than the last one.
    pub fn is_incremental(&self) -> bool {
        match self {
            Self::Database(spec) => spec.watermark.is_some(),
            Self::Rest(spec) => spec.watermark.is_some(),
            Self::Objects(_) | Self::Kafka(_) => true,
        }
    }
}

impl DatabaseSpec {
    fn new(url: &str, keys: &SourceKeys) -> Result<Self, SpecError> {
        let ask = match (&keys.table, &keys.query) {
            (Some(_), Some(_)) => return Err(SpecError::new("query", "`table` and `query` exclude each other", "keep one of them")),
            (None, None) => return Err(SpecError::new("table", "it says neither `table` nor `query`", "write `table = \"sales\"`")),
            (None, Some(query)) => {
                if keys.columns.is_some() || keys.filter.is_some() {
                    let key = if keys.columns.is_some() { "columns" } else { "where" };
                    return Err(SpecError::new(key, "it goes with `table`, not with `query`", "write it into the query"));
                }
                let query = query.trim().trim_end_matches(';').trim_end();
                let first = query.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
                if !matches!(first.as_str(), "select" | "with" | "values" | "table") && !query.starts_with(['(', '-', '/']) {
                    return Err(SpecError::new("query", "it is no SELECT", "sources are only read: write `query = \"SELECT …\"`"));
                }
                Ask::Query(query.to_owned())
            }
            (Some(table), None) => {
                if table.trim().is_empty() || table.split('.').any(str::is_empty) {
                    return Err(SpecError::new("table", "it is no name of a table", "write `table = \"sales\"` or `\"shop.sales\"`"));
                }
                Ask::Table {
                    table: table.clone(),
                    columns: keys.columns.clone().unwrap_or_default().0,
                    filter: keys.filter.clone().filter(|text| !text.trim().is_empty()),
                }
            }
        };
        let spec = Self {
            url: template("url", url)?,
            ask,
            watermark: keys.watermark.clone(),
            lookback: lookback(keys)?,
            key: keys.key.clone().unwrap_or_default().0,
        };
        if let Ask::Table { columns, .. } = &spec.ask
            && !columns.is_empty()
        {
            let named = spec.key.iter().map(|column| ("key", column)).chain(spec.watermark.iter().map(|column| ("watermark", column)));
            for (key, column) in named {
                if !columns.contains(column) {
                    let hint = format!("add `{column}` to `columns`");
                    return Err(SpecError::new(key, format!("it names `{column}`, which is not among `columns`"), hint));
                }
            }
        }
        Ok(spec)
    }
}

impl ObjectsSpec {
    fn new(urls: &[String], keys: &SourceKeys) -> Result<Self, SpecError> {
        Ok(Self {
            urls: urls.iter().map(|url| template("url", url)).collect::<Result<_, _>>()?,
            endpoint: keys.endpoint.as_deref().map(|text| template("endpoint", text)).transpose()?,
            region: keys.region.clone(),
            path_style: keys.path_style,
            anonymous: keys.anonymous.unwrap_or(false),
            headers: headers(keys)?,
            timeout: timeout(keys)?,
            retries: keys.retries.unwrap_or(RETRIES),
        })
    }
}

const RETRIES: u32 = 5;
const MAX_PAGES: u64 = 100_000;
const MAX_PAGE_MB: u64 = 256;

impl RestSpec {
    fn new(url: &str, keys: &SourceKeys) -> Result<Self, SpecError> {
        let rows = keys.rows.clone().unwrap_or_default();
        pointer("rows", &rows)?;
        let is_post = match keys.method.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None => keys.body.is_some(),
            Some("GET") if keys.body.is_some() => {
                return Err(SpecError::new("body", "a GET has no body", "write `method = \"POST\"`, or use `params`"));
            }
            Some("GET") => false,
            Some("POST") => true,
            Some(_) => return Err(SpecError::new("method", "it is neither GET nor POST", "sources are only read")),
        };
        let named = |key: &'static str, given: &Option<String>, usual: &str| match given.as_deref() {
            Some("") => Err(SpecError::new(key, "it is empty", format!("write `{key} = \"{usual}\"`"))),
            given => Ok(given.unwrap_or(usual).to_owned()),
        };
        let paging = match keys.paging.as_deref() {
            None | Some("none") => Paging::None,
            Some("link") => Paging::Link,
            Some("cursor") => {
                let needs = || SpecError::new("cursor", "`paging = \"cursor\"` needs it", "write `cursor = \"/next\"`, a JSON pointer");
                let found = keys.cursor.clone().ok_or_else(needs)?;
                pointer("cursor", &found)?;
                Paging::Cursor { pointer: found, param: keys.cursor_param.clone() }
            }
            Some("offset") => Paging::Offset { param: named("offset_param", &keys.offset_param, "offset")? },
            Some("page") => Paging::Page { param: named("page_param", &keys.page_param, "page")?, first: keys.first_page.unwrap_or(1) },
            Some(other) => {
                let hint = "known are none, link, cursor, offset and page";
                return Err(SpecError::new("paging", format!("`{other}` is no way of paging"), hint));
            }
        };
        let params = keys.params.clone().unwrap_or_default();
        for (name, value) in &params {
            if is_secret_name(name) && !value.contains("${") {
                return Err(literal("params"));
            }
        }
        let pace = keys.rate.as_deref().map(rate).transpose()?;
        let spec = Self {
            url: template("url", url)?,
            rows,
            is_post,
            headers: headers(keys)?,
            params: params.iter().map(|(name, value)| Ok((name.clone(), template("params", value)?))).collect::<Result<_, SpecError>>()?,
            body: keys.body.as_deref().map(|text| template("body", text)).transpose()?,
            paging,
            limit: keys.limit,
            limit_param: named("limit_param", &keys.limit_param, "limit")?,
            max_pages: keys.max_pages.unwrap_or(MAX_PAGES),
            max_page_bytes: (keys.max_page_mb.unwrap_or(MAX_PAGE_MB).clamp(1, 64 << 10) << 20) as usize,
            pace,
            timeout: timeout(keys)?,
            retries: keys.retries.unwrap_or(RETRIES),
            watermark: keys.watermark.clone(),
            lookback: lookback(keys)?,
            key: keys.key.clone().unwrap_or_default().0,
        };
        let asks = |template: &Template| template.as_written().contains(WATERMARK);
        let is_asked = asks(&spec.url) || spec.params.values().any(asks) || spec.body.as_ref().is_some_and(asks);
        if spec.watermark.is_some() && !is_asked {
            let hint = format!("say where the service takes it: `params = {{ updated_since = \"{WATERMARK}\" }}`");
            return Err(SpecError::new("watermark", "no parameter asks for rows after it", hint));
        }
        if spec.watermark.is_none() && is_asked {
            let hint = "write `watermark = \"updated_at\"`, the member of the rows that holds it";
            return Err(SpecError::new("params", format!("`{WATERMARK}` needs `watermark`"), hint));
        }
        Ok(spec)
    }
}

/// What stands for the last watermark in the parameters of a service.
pub(crate) const WATERMARK: &str = "{watermark}";

fn template(key: &'static str, text: &str) -> Result<Template, SpecError> {
    Template::new(text).map_err(|error| SpecError::secret(key, error))
}

fn pointer(key: &'static str, text: &str) -> Result<(), SpecError> {
    if text.is_empty() || text.starts_with('/') {
        return Ok(());
    }
    Err(SpecError::new(key, format!("`{text}` is no JSON pointer"), format!("write `{key} = \"/{}\"`", text.replace('.', "/"))))
}

fn lookback(keys: &SourceKeys) -> Result<Lookback, SpecError> {
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

fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    Duration::try_from(span.to_duration(days).ok()?).ok()
}

fn timeout(keys: &SourceKeys) -> Result<Duration, SpecError> {
    let Some(text) = &keys.timeout else { return Ok(Duration::from_mins(1)) };
    let bad = || SpecError::new("timeout", format!("`{text}` is no time"), "write `30s` or `2m`");
    duration(text).filter(|time| !time.is_zero()).ok_or_else(bad)
}

/// `5/s`, `100/m` or `1000/h` as the time between two requests.
fn rate(text: &str) -> Result<Duration, SpecError> {
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

fn headers(keys: &SourceKeys) -> Result<BTreeMap<String, Template>, SpecError> {
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

fn literal(key: &'static str) -> SpecError {
    let hint = "keep it in an environment variable or a file: `${env:NAME}` or `${file:PATH}` in its place";
    SpecError::new(key, "a secret stands in the configuration", hint)
}

/// Whether values of that name are usually secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    let parts = ["password", "passwd", "secret", "token", "apikey", "authorization", "cookie", "signature", "credential", "accesskey"];
    matches!(name.as_str(), "sig" | "pwd" | "auth" | "key") || parts.iter().any(|part| name.contains(part))
}

/// A password or key in the configuration would end up in its history and in copies of it.
fn refuse_secrets(url: &str) -> Result<(), SpecError> {
    // Places stand for a text that cannot be a secret here.
    let mut plain = url.to_owned();
    while let Some((start, end)) = plain.find("${").and_then(|start| Some((start, start + plain[start..].find('}')?))) {
        plain.replace_range(start..=end, "");
    }
    let Ok(parsed) = Url::parse(&plain) else { return Ok(()) };
    if parsed.password().is_some_and(|password| !password.is_empty()) {
        let user = parsed.username();
        let hint = format!("write `{}://{user}:${{env:NAME}}@…` and set the variable NAME, or `${{file:PATH}}`", parsed.scheme());
        return Err(SpecError::new("url", "a password stands in the configuration", hint));
    }
    if parsed.query_pairs().any(|(name, value)| is_secret_name(&name) && !value.is_empty()) {
        return Err(literal("url"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
