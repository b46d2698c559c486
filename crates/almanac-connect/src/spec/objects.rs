//! Objects of a store, or files behind URLs, as a source.
//!
//! Not here: copying them (`objects`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::words::{headers, template, timeout};
use super::{SourceKeys, SpecError};
use crate::secret::Template;

/// Tries after the first, where none are given.
pub(super) const RETRIES: u32 = 5;

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

impl ObjectsSpec {
    pub(super) fn new(urls: &[String], keys: &SourceKeys) -> Result<Self, SpecError> {
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
