//! The connection to a cluster: its settings, and what its errors mean.
//!
//! Not here: what is read over it (`load`).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use almanac_connect::{ConnectError, KafkaRequest, KafkaSecurity, Lookup, Scrubber, Template};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

/// Longest wait for the answer to a commit that only serves those who watch the broker.
const COURTESY: Duration = Duration::from_secs(3);

/// Hears what librdkafka says of its connections.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    denied: Option<String>,
    last: Option<String>,
    has_committed: bool,
}

impl Listener {
    fn with<T>(&self, act: impl FnOnce(&mut Heard) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
        let is_denial = error.rdkafka_error_code().is_some_and(is_denial);
        self.with(|heard| {
            if is_denial {
                heard.denied = Some(reason.to_owned());
            }
            heard.last = Some(reason.to_owned());
        });
    }
}

impl ConsumerContext for Listener {
    fn commit_callback(&self, _: KafkaResult<()>, _: &TopicPartitionList) {
        self.with(|heard| heard.has_committed = true);
    }
}

fn is_denial(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::UnsupportedSASLMechanism
            | Code::SSL
    )
}

/// A consumer, and what it takes to speak of its errors.
pub(crate) struct Broker {
    pub(crate) consumer: BaseConsumer<Listener>,
    listener: Listener,
    scrubber: Scrubber,
    url: String,
    topic: String,
    timeout: Duration,
}

impl Broker {
    /// Prepares a connection. Nothing is contacted yet.
    pub(crate) fn new(request: &KafkaRequest<'_>) -> Result<Self, ConnectError> {
        let spec = request.spec;
        let url = spec.url.as_written().to_owned();
        let mut scrubber = Scrubber::default();
        let mut fill = |template: &Template| -> Result<String, ConnectError> {
            let filled = template.fill(&request.lookup)?;
            scrubber.learn(&filled);
            Ok(filled.text.expose().to_owned())
        };
        let whole = fill(&spec.url)?;
        let brokers = whole.split_once("://").map_or("", |(_, rest)| rest).rsplit_once('/').map_or("", |(brokers, _)| brokers);
        let milliseconds = spec.timeout.as_millis().clamp(1000, 300_000).to_string();
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("client.id", "almanac")
            .set("group.id", &spec.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("allow.auto.create.topics", "false")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("check.crcs", "true")
            .set("socket.timeout.ms", &milliseconds)
            .set("socket.connection.setup.timeout.ms", &milliseconds)
            .set("reconnect.backoff.max.ms", "1000")
            // What waits in memory for us, over all partitions.
            .set("queued.max.messages.kbytes", "65536");
        secure(&mut config, &spec.security, &request.lookup, &mut fill)?;
        let listener = Listener::default();
        let consumer = config.create_with_context(listener.clone());
        let consumer = consumer.map_err(|error| ConnectError::Refused { url: url.clone(), reason: scrubber.scrub(&error.to_string()) })?;
        Ok(Self { consumer, listener, scrubber, url, topic: spec.topic.clone(), timeout: spec.timeout })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the partitions of the topic.
    pub(crate) fn partitions(&self) -> Result<Vec<i32>, ConnectError> {
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), self.timeout).map_err(|error| self.error(&error))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let missing = |reason: String| ConnectError::Missing { url: self.url.clone(), what: self.topic.clone(), reason };
        let Some(topic) = topic else { return Err(missing("the cluster does not know the topic".into())) };
        if let Some(error) = topic.error() {
            return Err(self.error(&KafkaError::MetadataFetch(error.into())));
        }
        let mut partitions: Vec<i32> = topic.partitions().iter().map(|partition| partition.id()).collect();
        partitions.sort_unstable();
        if partitions.is_empty() { Err(missing("the topic has no partitions".into())) } else { Ok(partitions) }
    }

    /// Returns the first offset of a partition and the one after the last that is committed.
    pub(crate) fn ends(&self, partition: i32) -> Result<(i64, i64), ConnectError> {
        self.consumer.fetch_watermarks(&self.topic, partition, self.timeout).map_err(|error| self.error(&error))
    }

    /// Tells the group how far the table is. It may fail: nothing depends on it.
    pub(crate) fn tell_group(&self, offsets: &TopicPartitionList) {
        let started = Instant::now();
        match self.consumer.commit(offsets, CommitMode::Async) {
            Ok(()) => {
                while started.elapsed() < COURTESY && !self.listener.with(|heard| heard.has_committed) {
                    let _ = self.consumer.poll(Duration::from_millis(50));
                }
            }
            Err(error) => tracing::warn!(%error, "the group was not told how far the table is"),
        }
    }

    /// What was heard last of the connections, without secrets.
    pub(crate) fn heard(&self) -> Option<String> {
        self.listener.with(|heard| heard.last.clone()).map(|text| self.scrubber.scrub(&text))
    }

    /// Says what an error means.
    pub(crate) fn error(&self, error: &KafkaError) -> ConnectError {
        let code = error.rdkafka_error_code();
        let url = self.url.clone();
        let denied = self.listener.with(|heard| heard.denied.clone());
        if denied.is_some() || code.is_some_and(is_denial) {
            let reason = denied.unwrap_or_else(|| error.to_string());
            return ConnectError::Denied { url, reason: self.scrubber.scrub(&reason) };
        }
        use RDKafkaErrorCode as Code;
        let reason = self.scrubber.scrub(&error.to_string());
        match code {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition | Code::InvalidTopic) => {
                ConnectError::Missing { url, what: self.topic.clone(), reason }
            }
            Some(
                Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::Resolve
                | Code::OperationTimedOut
                | Code::MessageTimedOut
                | Code::RequestTimedOut
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::NetworkException,
            ) => ConnectError::Unreachable { url, reason: self.heard().unwrap_or(reason) },
            _ => ConnectError::Refused { url, reason },
        }
    }
}

fn secure(
    config: &mut ClientConfig,
    security: &KafkaSecurity,
    lookup: &Lookup<'_>,
    fill: &mut dyn FnMut(&Template) -> Result<String, ConnectError>,
) -> Result<(), ConnectError> {
    let protocol = match (security.has_tls, security.sasl.is_some()) {
        (false, false) => "plaintext",
        (true, false) => "ssl",
        (false, true) => "sasl_plaintext",
        (true, true) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    let path = |path: &Path| lookup.root.join(path).to_string_lossy().into_owned();
    let files = [
        ("ssl.ca.location", &security.ca),
        ("ssl.certificate.location", &security.certificate),
        ("ssl.key.location", &security.certificate_key),
    ];
    for (key, file) in files {
        if let Some(file) = file {
            config.set(key, path(file));
        }
    }
    if let Some(mechanism) = &security.sasl {
        config.set("sasl.mechanism", mechanism);
    }
    for (key, template) in [("sasl.username", &security.user), ("sasl.password", &security.password)] {
        if let Some(template) = template {
            config.set(key, fill(template)?);
        }
    }
    Ok(())
}
