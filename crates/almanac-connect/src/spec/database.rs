//! A table or query of a database as a source.
//!
//! Not here: asking it (`sql`).

use std::time::Duration;

use super::words::{lookback, template, timeout_or};
use super::{SourceKeys, SpecError};
use crate::secret::Template;

/// A query may work for so long before its first row.
const TIMEOUT: Duration = Duration::from_mins(10);

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
    /// Longest silence of the database while it is asked or read.
    pub timeout: Duration,
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

impl DatabaseSpec {
    pub(super) fn new(url: &str, keys: &SourceKeys) -> Result<Self, SpecError> {
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
            timeout: timeout_or(keys, TIMEOUT)?,
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
