//! What is in a table, as sketches of fixed size, and how two tables differ.
//!
//! ```text
//! batches, Parquet files ─► Profiler ─► TableProfile ─► summary      what a person reads
//!                          (parts merge)      │
//!                                             ├─► ProfileStore       one small JSON a version of a table
//!                                             └─► compare ─► Drift   schema, distributions, series, volume
//! ```
//!
//! A profile holds at most about 0.5 MB a column and 6 MB for the names of series, whatever the rows; what is exact and what is
//! estimated, and how well, is in the table of `sketch`. Profiles of parts merge into the profile of the whole.
//!
//! Invariant: the same file gives the same bytes on any number of threads. Nothing is random.
//! Invariant: of a column that is personal, only counts are kept: no value, no length, no shape, no hash.
//!
//! Not here: rules that a table must meet (`almanac-expect`), file formats other than Parquet (`almanac-data`), the terminal.

mod column;
mod distribution;
mod drift;
mod error;
mod options;
mod parquet_files;
mod sketch;
mod store;
mod summary;
mod table;

pub use column::{ColumnProfile, NumberProfile, TextProfile, TimeProfile, Values};
pub use distribution::Distribution;
pub use drift::{
    CategoryCount, Change, ColumnDrift, Drift, DriftOptions, KeyDrift, Method, PeriodDrift, SchemaChange, Verdict, compare, distances,
    tests,
};
pub use error::ProfileError;
pub use options::ProfileOptions;
pub use parquet_files::profile_parquet;
pub use sketch::counts::{Counts, Num};
pub use sketch::keys::{KeyChange, Keys};
pub use sketch::moments::Moments;
pub use sketch::periods::{Periods, Unit};
pub use store::{KeptProfile, ProfileStore, VersionLine};
pub use summary::{ColumnSummary, Histogram, KeySummary, NumberSummary, PeriodRows, TableSummary, TextSummary, TimeSummary, ValueCount};
pub use table::{KeyProfile, Profiler, TableProfile};
