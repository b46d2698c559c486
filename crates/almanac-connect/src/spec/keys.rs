//! The keys of a source, as `almanac.toml` has them, and which of them go with what.
//!
//! Not here: what they mean (`spec`).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::SpecError;

/// The keys, written once: the fields that hold them, their names, and which of them are given.
macro_rules! source_keys {
    ($($field:ident: $type:ty = $name:literal,)*) => {
        /// `[data.tables] NAME = { … }`, without checks.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[expect(missing_docs, reason = "each key is documented in default.toml")]
        pub struct SourceKeys {
            $(#[serde(rename = $name)] pub $field: Option<$type>,)*
        }

        /// The names of [`SourceKeys`], for suggestions.
        pub const SOURCE_KEYS: &[&str] = &[$($name),*];

        impl SourceKeys {
            fn given(&self) -> Vec<&'static str> {
                [$(self.$field.is_some().then_some($name)),*].into_iter().flatten().collect()
            }
        }
    };
}

source_keys! {
    url: Strings = "url",
    table: String = "table",
    query: String = "query",
    columns: Strings = "columns",
    filter: String = "where",
    watermark: String = "watermark",
    lookback: String = "lookback",
    key: Strings = "key",
    endpoint: String = "endpoint",
    region: String = "region",
    path_style: bool = "path_style",
    anonymous: bool = "anonymous",
    rows: String = "rows",
    method: String = "method",
    headers: BTreeMap<String, String> = "headers",
    auth: String = "auth",
    params: BTreeMap<String, String> = "params",
    body: String = "body",
    paging: String = "paging",
    cursor: String = "cursor",
    cursor_param: String = "cursor_param",
    offset_param: String = "offset_param",
    page_param: String = "page_param",
    first_page: u64 = "first_page",
    limit: u64 = "limit",
    limit_param: String = "limit_param",
    max_pages: u64 = "max_pages",
    max_page_mb: u64 = "max_page_mb",
    rate: String = "rate",
    timeout: String = "timeout",
    retries: u32 = "retries",
    format: String = "format",
    schema: String = "schema",
    message: String = "message",
    framing: String = "framing",
    group: String = "group",
    with: Strings = "with",
    start: String = "start",
    on_gap: String = "on_gap",
    max_messages: u64 = "max_messages",
    max_mb: u64 = "max_mb",
    max_time: String = "max_time",
    tls: bool = "tls",
    ca: String = "ca",
    certificate: String = "certificate",
    certificate_key: String = "certificate_key",
    sasl: String = "sasl",
    user: String = "user",
    password: String = "password",
    version: u64 = "version",
    timestamp: String = "timestamp",
}

pub(super) const DATABASE: [&str; 9] = ["url", "table", "query", "columns", "where", "watermark", "lookback", "key", "timeout"];
pub(super) const STORE: [&str; 7] = ["url", "endpoint", "region", "path_style", "anonymous", "timeout", "retries"];
pub(super) const DELTA: [&str; 9] = ["url", "version", "timestamp", "endpoint", "region", "path_style", "anonymous", "timeout", "retries"];
pub(super) const FILES: [&str; 5] = ["url", "headers", "auth", "timeout", "retries"];
pub(super) const REST: [&str; 23] = [
    "url",
    "rows",
    "method",
    "headers",
    "auth",
    "params",
    "body",
    "paging",
    "cursor",
    "cursor_param",
    "offset_param",
    "page_param",
    "first_page",
    "limit",
    "limit_param",
    "max_pages",
    "max_page_mb",
    "rate",
    "timeout",
    "retries",
    "watermark",
    "lookback",
    "key",
];
pub(super) const KAFKA: [&str; 21] = [
    "url",
    "timeout",
    "key",
    "format",
    "schema",
    "message",
    "framing",
    "group",
    "with",
    "start",
    "on_gap",
    "max_messages",
    "max_mb",
    "max_time",
    "tls",
    "ca",
    "certificate",
    "certificate_key",
    "sasl",
    "user",
    "password",
];

impl SourceKeys {
    /// Makes those of a plain URL.
    pub fn of_urls(urls: Vec<String>) -> Self {
        Self { url: Some(Strings(urls)), ..Self::default() }
    }

    /// Refuses keys that mean nothing to the source.
    pub(super) fn only(&self, allowed: &[&str], what: &str) -> Result<(), SpecError> {
        match self.given().into_iter().find(|key| !allowed.contains(key)) {
            None => Ok(()),
            Some(key) => {
                Err(SpecError::new(key, format!("it means nothing to {what}"), format!("remove it, or use one of {}", allowed.join(", "))))
            }
        }
    }
}

/// One string, or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings(pub Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Strings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Strings, E> {
                Ok(Strings(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strings, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Strings(list))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
