//! A topic of librdkafka's mock cluster, for the tests of programs that read Kafka. It speaks the real wire on a loopback port.
//!
//! Not here: anything that ships.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaResult;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

/// A cluster of one broker with one topic. It is gone when this is dropped.
pub struct MockTopic {
    cluster: MockCluster<'static, DefaultProducerContext>,
    topic: String,
}

impl MockTopic {
    /// Starts a cluster whose topic has these messages, dealt out to its partitions in turn.
    ///
    /// # Errors
    /// Those of librdkafka.
    pub fn start(topic: &str, partitions: i32, messages: &[String]) -> KafkaResult<Self> {
        let cluster = MockCluster::new(1)?;
        cluster.create_topic(topic, partitions, 1)?;
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create()?;
        for (index, message) in messages.iter().enumerate() {
            let record = BaseRecord::<[u8], str>::to(topic).partition(index as i32 % partitions.max(1)).payload(message);
            producer.send(record).map_err(|(error, _)| error)?;
        }
        producer.flush(Duration::from_secs(30))?;
        Ok(Self { cluster, topic: topic.to_owned() })
    }

    /// Returns the URL of the topic.
    pub fn url(&self) -> String {
        format!("kafka://{}/{}", self.cluster.bootstrap_servers(), self.topic)
    }
}
