//! Kafka as a source: messages become rows, and the offsets to go on from are stored with the rows they brought.
//!
//! Exactly once: rows and offsets are committed together, in the manifest of the landing place. The offsets of the consumer group are
//! never read; they are written after the commit, so that tools that watch the broker show how far behind the table is.
//! Partitions are assigned, not shared out by the group: a second reader of the same group takes nothing away.
//!
//! A load reads up to the end as it was when it started, committed messages only, and stops. A message that cannot be read keeps its
//! place as text with topic, partition, offset and reason, which bronze puts into quarantine. A message without a value is a row with
//! `_deleted`.
//!
//! Not here: other sources, and how what they give lands (`almanac-connect`).

mod broker;
mod decode;
mod load;
mod row;
#[doc(hidden)]
pub mod testing;

pub use load::KafkaReader;
