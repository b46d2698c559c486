//! Expectations: what must hold of a table, told in one scan.
//!
//! ```text
//! file ──Suite──► expectations ──check──► one scan over Parquet or batches ──► Validation ──► JSON as Great Expectations writes it
//! ```
//!
//! Suites are Almanac's own (YAML, TOML), Great Expectations' (0.18, 1.x) and Open Data Contracts (3.1), in one vocabulary: the names of
//! Great Expectations. Results are exact, and the same on any number of threads.
//!
//! Not here: where tables come from, what happens when an expectation fails (`almanac-pipeline`).

mod again;
mod args;
mod classes;
mod column;
mod condition;
mod dateutil;
mod divergence;
mod error;
mod facts;
mod field;
mod import;
mod json_schema;
mod judge;
mod metric;
mod names;
mod outcome;
mod pattern;
mod plan;
mod quarantine;
mod rule;
mod run;
mod shape;
mod source;
mod sql;
mod strptime;
mod suggest;
mod suite;
mod test;
mod value;
mod work;

pub use condition::Condition;
pub use error::{CheckError, SuiteError};
pub use facts::{Facts, Previous, Refused};
pub use outcome::{Outcome, ResultFormat, Validation};
pub use quarantine::{Origin, take_out};
pub use run::{Options, check, check_all};
pub use source::Table;
pub use sql::{Answer, AskSql};
pub use suggest::{HistoryColumns, suggest};
pub use suite::{Dialect, Expectation, Severity, Suite};
pub use value::Value;
