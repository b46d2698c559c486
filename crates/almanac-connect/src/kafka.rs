//! What reads Kafka, as the program hands it in: librdkafka is large, and only programs with the feature `kafka` have it.
//!
//! Not here: reading (`almanac-kafka`).

use almanac_privacy::Redaction;
use jiff::Timestamp;

use crate::error::ConnectError;
use crate::landing::TableLanding;
use crate::secret::Lookup;
use crate::spec::KafkaSpec;

/// One topic that is to be read.
#[derive(Debug, Clone, Copy)]
pub struct KafkaRequest<'a> {
    /// The table.
    pub table: &'a str,
    /// What is asked.
    pub spec: &'a KafkaSpec,
    /// The source as the manifest knows it.
    pub source: &'a str,
    /// Where secrets are looked up, and relative paths start.
    pub lookup: Lookup<'a>,
    /// The time of the load.
    pub now: Timestamp,
    /// Whether to begin again, as if nothing had landed.
    pub is_anew: bool,
    /// What becomes of personal columns before a row is written.
    pub redaction: &'a Redaction,
}

/// Reads topics. Both calls wait for the network, no longer than the timeout of the request in silence.
pub trait ReadKafka: std::fmt::Debug + Sync {
    /// Lands what is new, and commits it with the offsets to go on from; returns the messages that came, if any did.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing of the load was kept then.
    fn load(&self, landing: &mut TableLanding, request: KafkaRequest<'_>) -> Result<Option<u64>, ConnectError>;

    /// Looks whether the topic is there, may be read, and its schema can be used.
    ///
    /// # Errors
    /// [`ConnectError`].
    fn probe(&self, request: KafkaRequest<'_>) -> Result<(), ConnectError>;
}
