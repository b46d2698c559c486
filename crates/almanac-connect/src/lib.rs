//! Sources outside the project: databases, object stores, REST services. What they give lands in files that never change.
//!
//! Not here: the formats of files (`almanac-data`), Kafka (`almanac-kafka`).
