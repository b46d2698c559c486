//! Sources outside the project: databases, object stores, REST services. What they give lands in files that never change.
//!
//! Not here: the formats of files (`almanac-data`), Kafka (`almanac-kafka`).

mod landing;

pub use landing::{
    Commit, FORMAT_VERSION, LandedColumn, LandedFile, LandedKind, LandingError, Load, LoadMode, Manifest, Mark, OpenLoad, Origin,
    StagedFile, TableLanding, Watermark,
};
