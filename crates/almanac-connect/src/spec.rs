//! What a table of the configuration asks of a source, checked: which source, what of it, how often.
//!
//! [`SourceKeys`] mirrors `[data.tables] NAME = { url = …, … }`; [`SourceSpec::new`] checks it without contacting anything.
//!
//! Not here: where the keys stand in the file (`almanac-config`), asking (`sql`, `objects`, `rest`).

mod kafka;
mod keys;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::secret::{SecretError, Template};
use words::{headers, is_secret_name, literal, lookback, pointer, rate, refuse_secrets, template, timeout};

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

impl almanac_series::Hint for SpecError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
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

    /// Returns what tells this source, and what is asked of it, from others; without secrets. It is stored: what it holds may only grow.
    pub fn identity(&self) -> String {
        let shown = |templates: &BTreeMap<String, Template>| -> BTreeMap<String, String> {
            templates.iter().map(|(name, template)| (name.clone(), template.to_string())).collect()
        };
        let identity = match self {
            Self::Database(spec) => {
                let ask = match &spec.ask {
                    Ask::Query(query) => json!({ "query": query }),
                    Ask::Table { table, columns, filter } => json!({ "table": table, "columns": columns, "where": filter }),
                };
                json!({ "url": spec.url.as_written(), "ask": ask, "watermark": spec.watermark, "key": spec.key })
            }
            Self::Objects(spec) => {
                let urls: Vec<&str> = spec.urls.iter().map(Template::as_written).collect();
                json!({ "urls": urls, "endpoint": spec.endpoint.as_ref().map(Template::as_written) })
            }
            Self::Kafka(spec) => spec.identity(),
            Self::Rest(spec) => json!({
                "url": spec.url.as_written(),
                "post": spec.is_post,
                "params": shown(&spec.params),
                "body": spec.body.as_ref().map(Template::as_written),
                "rows": spec.rows,
                "watermark": spec.watermark,
                "key": spec.key,
            }),
        };
        identity.to_string()
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

    /// Returns the column by which newer rows are known, if there is one.
    pub fn watermark(&self) -> Option<&str> {
        match self {
            Self::Database(spec) => spec.watermark.as_deref(),
            Self::Rest(spec) => spec.watermark.as_deref(),
            Self::Objects(_) | Self::Kafka(_) => None,
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

#[cfg(test)]
mod tests;
