//! What came of a suite of expectations on a table.

use super::Millis;

/// A validation to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewValidation {
    /// `bronze`, `silver`, `gold`, or empty for a file.
    pub layer: String,
    /// Table, or name of the file.
    pub table: String,
    /// Name of the suite.
    pub suite: String,
    /// Whether everything held.
    pub success: bool,
    /// Expectations judged.
    pub expectations: i64,
    /// Of these, how many failed.
    pub failed: i64,
    /// Rows of the table.
    pub rows: i64,
    /// JSON with an outcome for each expectation.
    pub report: String,
}

/// A validation that was kept, without its report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `NewValidation`")]
pub struct RecordedValidation {
    /// Number that counts up.
    pub id: i64,
    pub layer: String,
    pub table: String,
    pub suite: String,
    /// When it was made.
    pub made: Millis,
    pub success: bool,
    pub expectations: i64,
    pub failed: i64,
    pub rows: i64,
}
