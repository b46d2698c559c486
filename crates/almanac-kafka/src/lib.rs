//! Kafka as a source: a consumer group whose offsets are stored with the rows they brought.
//!
//! Not here: other sources, and how what they give lands (`almanac-connect`).
