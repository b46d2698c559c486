//! Features declared once, and read the same way for training, in batch and online.
//!
//! ```text
//! features.yaml ─► Declarations ─► View ─► Plan
//!                                            │
//! source ─► gather ─► EventTable ── find, value ──► Historical    for each row of an entity table, as known then
//!                         ▲                    └──► OnlineStore   now, for those who ask
//!                         └── segments of the online store ◄── materialise
//! ```
//!
//! What a value is, is written once, in `table`; training, batch and online differ in where rows come from.
//!
//! Not here: what is computed from a series (`almanac-features`), CSV and SQL sources (`almanac-data`), HTTP.

mod clock;
mod column;
mod declaration;
mod entity_table;
mod error;
mod feast;
mod gather;
mod historical;
mod keys;
mod online;
mod plan;
mod rows;
mod source;
mod table;

pub use clock::{Micros, parse_instant, parse_span, write_instant, write_span};
pub use column::{Column, Value};
pub use declaration::{
    Compute, Corrections, Declarations, DeclaredEntity, DeclaredField, DeclaredFile, DeclaredKey, DeclaredService, DeclaredSource,
    DeclaredView, Derived, DetailedField, Entity, Expression, FeatureRef, Field, Function, Key, KeyKind, Kind, Service, SourceOf, TypedKey,
    View,
};
pub use entity_table::{EntityTable, TableForm};
pub use error::FeatureError;
pub use feast::{Imported, import_feast};
pub use gather::Counts;
pub use historical::{Coverage, Historical, Known, OpenSource};
pub use keys::KeyValue;
pub use online::{
    Answer, Cell, Freshness, MOST_CELLS, MOST_ENTITIES, Materialise, Materialised, OnlineStore, Request, Status, Watch, read_freshness,
};
pub use source::{Batches, ParquetFiles, Source, Turned, read_entities, read_parquet};
