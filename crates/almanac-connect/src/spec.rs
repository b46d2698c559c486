//! What a table of the configuration asks of a source, checked: which source, what of it, how often.
//!
//! [`SourceKeys`] mirrors `[data.tables] NAME = { url = …, … }`; [`SourceSpec::new`] checks it without contacting anything.
//!
//! Not here: where the keys stand in the file (`almanac-config`), each kind of source (the modules below), asking (`sql`, `objects`,
//! `rest`, `delta`).

mod database;
pub(crate) mod delta;
mod kafka;
mod keys;
mod objects;
mod rest;
mod words;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::secret::{SecretError, Template};
use words::refuse_secrets;

pub use database::{Ask, DatabaseSpec, Lookback};
pub use delta::{DeltaSpec, DeltaVersion};
pub use kafka::{KafkaExtra, KafkaFormat, KafkaFraming, KafkaSecurity, KafkaSpec};
pub use keys::{SOURCE_KEYS, SourceKeys, Strings};
pub use objects::ObjectsSpec;
pub(crate) use rest::WATERMARK;
pub use rest::{Paging, RestSpec};

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
    /// A version of a Delta table.
    Delta(DeltaSpec),
}

/// What a URL leads to, by its scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Database,
    Store,
    Http,
    Kafka,
    Delta,
    Unknown,
}

fn family(url: &str) -> Family {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    match scheme.as_str() {
        "postgresql" | "postgres" | "mysql" | "mariadb" | "sqlite" => Family::Database,
        "s3" | "s3a" | "gs" | "gcs" | "az" | "azure" | "abfs" | "abfss" | "adl" | "wasb" | "wasbs" => Family::Store,
        "http" | "https" => Family::Http,
        "kafka" => Family::Kafka,
        "delta" => Family::Delta,
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
            Family::Delta => {
                if urls.len() > 1 {
                    return Err(SpecError::new("url", "a Delta table has one URL", "give each of them a table of its own"));
                }
                DeltaSpec::new(first, keys).map(Self::Delta)
            }
            Family::Unknown => Err(SpecError::new(
                "url",
                format!("`{first}` is no source that can be read"),
                "known are postgresql://, mysql://, mariadb://, sqlite:, delta:, kafka://, s3://, gs://, az://, abfss://, http:// and https://",
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
            Self::Delta(spec) => {
                let place = &spec.place;
                let version = match spec.version {
                    DeltaVersion::Latest => Value::Null,
                    DeltaVersion::Number(number) => number.into(),
                    DeltaVersion::At(time) => time.to_string().into(),
                };
                json!({ "delta": spec.url.as_written(), "version": version, "endpoint": place.endpoint.as_ref().map(Template::as_written) })
            }
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
            Self::Delta(spec) => spec.url.as_written(),
        };
        url.split(['?', '#']).next().unwrap_or_default().to_owned()
    }

    /// Returns the columns that name a row, if its versions are told apart.
    pub fn key(&self) -> &[String] {
        match self {
            Self::Database(spec) => &spec.key,
            Self::Rest(spec) => &spec.key,
            Self::Kafka(spec) => &spec.key,
            Self::Objects(_) | Self::Delta(_) => &[],
        }
    }

    /// Returns the column by which newer rows are known, if there is one.
    pub fn watermark(&self) -> Option<&str> {
        match self {
            Self::Database(spec) => spec.watermark.as_deref(),
            Self::Rest(spec) => spec.watermark.as_deref(),
            Self::Objects(_) | Self::Kafka(_) | Self::Delta(_) => None,
        }
    }

    /// Whether each load brings only what is newer than the last one.
    pub fn is_incremental(&self) -> bool {
        match self {
            Self::Database(spec) => spec.watermark.is_some(),
            Self::Rest(spec) => spec.watermark.is_some(),
            Self::Objects(_) | Self::Kafka(_) | Self::Delta(_) => true,
        }
    }
}

#[cfg(test)]
mod tests;
