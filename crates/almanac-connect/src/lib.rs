//! Sources outside the project: databases, object stores, REST services, Delta tables. What they give lands in files that never change.
//!
//! Not here: the formats of files (`almanac-data`), Kafka (`almanac-kafka`).

mod compact;
mod delta;
mod error;
mod hide;
mod http;
mod kafka;
mod land;
mod landing;
mod objects;
mod rest;
mod rows;
mod secret;
mod spec;
mod sql;
mod versions;

pub use error::ConnectError;
pub use hide::{HideFile, Hiding, hidden_of, hide_landed, is_hidden_as_asked};
pub use http::Patience;
pub use kafka::{KafkaRequest, ReadKafka};
pub use land::{LandOptions, Landed, land, probe};
pub use landing::{
    Commit, FORMAT_VERSION, LandedColumn, LandedFile, LandedKind, LandingError, Load, LoadMode, Manifest, Mark, OpenLoad, Origin, Packed,
    StagedFile, TableLanding, Watermark,
};
pub use secret::{Filled, Lookup, Scrubber, Secret, SecretError, Template, without_passwords};
pub use spec::{
    Ask, DatabaseSpec, DeltaSpec, DeltaVersion, KafkaExtra, KafkaFormat, KafkaFraming, KafkaSecurity, KafkaSpec, Lookback, ObjectsSpec,
    Paging, RestSpec, SOURCE_KEYS, SourceKeys, SourceSpec, SpecError, Strings,
};
pub use versions::{LOAD_COLUMN, LOADED_AT_COLUMN, Views, views};
