//! What a silver folder says of itself: `panel.json` and `columns.json`.
//!
//! Not here: the rows (`write`), reading them (`lake`).

use serde::{Deserialize, Serialize};

use super::SilverReport;

/// Version of the folder's layout. Raised when an old reader could no longer read it.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Name of the file that describes the folder; it is written last.
pub(crate) const PANEL_FILE: &str = "panel.json";
/// Name of the file with the dictionaries alone.
pub(crate) const COLUMNS_FILE: &str = "columns.json";
/// Name of the table of series.
pub(crate) const SERIES_FILE: &str = "series.parquet";

/// What the numbers of an exogenous column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExogKind {
    /// A quantity.
    Number,
    /// 0 or 1.
    Flag,
    /// A code: position in the sorted list of texts.
    Category,
    /// Days since 1970-01-01.
    Date,
}

/// When an exogenous column is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExogRole {
    /// Up to the cutoff.
    Historic,
    /// Ahead of it too.
    Future,
}

/// An exogenous column as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExogColumn {
    /// Name.
    pub name: String,
    /// When it is known.
    pub role: ExogRole,
    /// What its numbers stand for.
    pub kind: ExogKind,
    /// Texts of the codes, sorted; empty unless a category. The empty text is that of rows which name nothing.
    pub categories: Vec<String>,
}

/// What kind of attribute a static column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StaticKind {
    /// A text.
    Category,
    /// A quantity.
    Number,
}

/// A static column as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticMeta {
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: StaticKind,
}

/// Contents of `panel.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PanelFile {
    pub(crate) format_version: u32,
    pub(crate) freq: String,
    /// Set where timestamps are UTC.
    pub(crate) timezone: Option<String>,
    pub(crate) horizon: usize,
    pub(crate) id: Vec<String>,
    pub(crate) time: String,
    pub(crate) target: String,
    pub(crate) exog: Vec<ExogColumn>,
    pub(crate) statics: Vec<StaticMeta>,
    pub(crate) partitions: Vec<PartitionMeta>,
    pub(crate) report: SilverReport,
}

/// One partition in `panel.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartitionMeta {
    pub(crate) file: String,
    pub(crate) rows: u64,
    pub(crate) series: u64,
}
