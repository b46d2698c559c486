//! What is in the tables of a project, and how their last two versions differ.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One table: its profile, and how it differs from the version before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TableData {
    /// Names of all tables that have profiles.
    pub tables: Vec<String>,
    /// The table that was asked for; the first where none was.
    pub table: String,
    /// Its versions, oldest first.
    pub versions: Vec<TableVersion>,
    /// Rows and columns of the newest version: counts, quantiles, most frequent values, as `almanac profile --format json` writes them.
    #[schema(value_type = Object)]
    pub summary: Value,
    /// How it differs from the version before, as `almanac data diff --tables --format json` writes it; nothing where there is none.
    #[schema(value_type = Option<Object>)]
    pub drift: Option<Value>,
}

/// A version of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableVersion {
    /// Its name.
    pub version: String,
    /// When it was profiled, RFC 3339.
    pub kept_at: String,
    /// Its rows.
    pub rows: u64,
}
