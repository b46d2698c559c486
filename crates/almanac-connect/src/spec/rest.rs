//! A service that gives rows page by page as a source.
//!
//! Not here: asking it (`rest`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::objects::RETRIES;
use super::words::{headers, is_secret_name, literal, lookback, pointer, rate, template, timeout};
use super::{Lookback, SourceKeys, SpecError};
use crate::secret::Template;

/// What stands for the last watermark in the parameters of a service.
pub(crate) const WATERMARK: &str = "{watermark}";

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

const MAX_PAGES: u64 = 100_000;
const MAX_PAGE_MB: u64 = 256;

impl RestSpec {
    pub(super) fn new(url: &str, keys: &SourceKeys) -> Result<Self, SpecError> {
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
