//! The keys of a source, as `almanac.toml` has them, and which of them go with what.
//!
//! Not here: what they mean (`spec`).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::SpecError;

/// `[data.tables] NAME = { … }`, without checks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct SourceKeys {
    pub url: Option<Strings>,
    pub table: Option<String>,
    pub query: Option<String>,
    pub columns: Option<Strings>,
    #[serde(rename = "where")]
    pub filter: Option<String>,
    pub watermark: Option<String>,
    pub lookback: Option<String>,
    pub key: Option<Strings>,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub path_style: Option<bool>,
    pub anonymous: Option<bool>,
    pub rows: Option<String>,
    pub method: Option<String>,
    pub headers: Option<BTreeMap<String, String>>,
    pub auth: Option<String>,
    pub params: Option<BTreeMap<String, String>>,
    pub body: Option<String>,
    pub paging: Option<String>,
    pub cursor: Option<String>,
    pub cursor_param: Option<String>,
    pub offset_param: Option<String>,
    pub page_param: Option<String>,
    pub first_page: Option<u64>,
    pub limit: Option<u64>,
    pub limit_param: Option<String>,
    pub max_pages: Option<u64>,
    pub max_page_mb: Option<u64>,
    pub rate: Option<String>,
    pub timeout: Option<String>,
    pub retries: Option<u32>,
    pub format: Option<String>,
    pub schema: Option<String>,
    pub message: Option<String>,
    pub framing: Option<String>,
    pub group: Option<String>,
    pub with: Option<Strings>,
    pub start: Option<String>,
    pub on_gap: Option<String>,
    pub max_messages: Option<u64>,
    pub max_mb: Option<u64>,
    pub max_time: Option<String>,
    pub tls: Option<bool>,
    pub ca: Option<String>,
    pub certificate: Option<String>,
    pub certificate_key: Option<String>,
    pub sasl: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
}

/// The names of [`SourceKeys`], for suggestions.
pub const SOURCE_KEYS: [&str; 49] = [
    "url",
    "table",
    "query",
    "columns",
    "where",
    "watermark",
    "lookback",
    "key",
    "endpoint",
    "region",
    "path_style",
    "anonymous",
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

pub(super) const DATABASE: [&str; 8] = ["url", "table", "query", "columns", "where", "watermark", "lookback", "key"];
pub(super) const STORE: [&str; 7] = ["url", "endpoint", "region", "path_style", "anonymous", "timeout", "retries"];
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

    fn given(&self) -> Vec<&'static str> {
        let is_given = [
            self.url.is_some(),
            self.table.is_some(),
            self.query.is_some(),
            self.columns.is_some(),
            self.filter.is_some(),
            self.watermark.is_some(),
            self.lookback.is_some(),
            self.key.is_some(),
            self.endpoint.is_some(),
            self.region.is_some(),
            self.path_style.is_some(),
            self.anonymous.is_some(),
            self.rows.is_some(),
            self.method.is_some(),
            self.headers.is_some(),
            self.auth.is_some(),
            self.params.is_some(),
            self.body.is_some(),
            self.paging.is_some(),
            self.cursor.is_some(),
            self.cursor_param.is_some(),
            self.offset_param.is_some(),
            self.page_param.is_some(),
            self.first_page.is_some(),
            self.limit.is_some(),
            self.limit_param.is_some(),
            self.max_pages.is_some(),
            self.max_page_mb.is_some(),
            self.rate.is_some(),
            self.timeout.is_some(),
            self.retries.is_some(),
            self.format.is_some(),
            self.schema.is_some(),
            self.message.is_some(),
            self.framing.is_some(),
            self.group.is_some(),
            self.with.is_some(),
            self.start.is_some(),
            self.on_gap.is_some(),
            self.max_messages.is_some(),
            self.max_mb.is_some(),
            self.max_time.is_some(),
            self.tls.is_some(),
            self.ca.is_some(),
            self.certificate.is_some(),
            self.certificate_key.is_some(),
            self.sasl.is_some(),
            self.user.is_some(),
            self.password.is_some(),
        ];
        SOURCE_KEYS.into_iter().zip(is_given).filter(|(_, given)| *given).map(|(key, _)| key).collect()
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
