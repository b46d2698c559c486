//! What the page about data shows: one table's profile, and how it differs from the version before.

use almanac_profile::{Drift, TableSummary, VersionLine};

/// The tables of a project that have profiles, and one of them.
#[derive(Debug, Clone)]
pub struct DataReport {
    /// Names of all of them.
    pub tables: Vec<String>,
    /// The one that was asked for.
    pub shown: ShownTable,
}

/// One table.
#[derive(Debug, Clone)]
pub struct ShownTable {
    /// Its name.
    pub name: String,
    /// Its versions, oldest first.
    pub versions: Vec<VersionLine>,
    /// What is in the newest.
    pub summary: TableSummary,
    /// How that differs from the one before; `None` if there is none.
    pub drift: Option<Drift>,
}
