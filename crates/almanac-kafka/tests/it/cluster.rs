//! A cluster in this process, a producer, and a project's folder to land in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use almanac_connect::{ConnectError, LandOptions, Landed, Lookup, Patience, SourceKeys, SourceSpec, TableLanding, land, probe};
use almanac_kafka::KafkaReader;
use almanac_series::Hint;
use jiff::Timestamp;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

pub(crate) const TOPIC: &str = "shop.sales";

pub(crate) struct Cluster {
    pub(crate) mock: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Cluster {
    pub(crate) fn new(partitions: i32) -> Self {
        let mock = MockCluster::new(1).expect("a cluster");
        mock.create_topic(TOPIC, partitions, 1).expect("a topic");
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", mock.bootstrap_servers()).create().expect("a producer");
        Self { mock, producer, folder: tempfile::tempdir().expect("a folder"), variables: BTreeMap::new() }
    }

    pub(crate) fn send(&self, partition: i32, key: Option<&str>, value: Option<&[u8]>) {
        let headers = OwnedHeaders::new().insert(Header { key: "source", value: Some("till") });
        let mut record = BaseRecord::<str, [u8]>::to(TOPIC).partition(partition).timestamp(1_706_659_200_123).headers(headers);
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(value) = value {
            record = record.payload(value);
        }
        self.producer.send(record).map_err(|(error, _)| error).expect("queued");
    }

    pub(crate) fn flush(&self) {
        self.producer.flush(Duration::from_secs(30)).expect("delivered");
    }

    /// Sends rows of JSON and waits until they are there.
    pub(crate) fn produce(&self, partition: i32, rows: &[&str]) {
        for row in rows {
            self.send(partition, None, Some(row.as_bytes()));
        }
        self.flush();
    }

    pub(crate) fn spec(&self, keys: &str) -> SourceSpec {
        let mut all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(keys).expect("keys");
        let url = format!("kafka://{}/{TOPIC}", self.mock.bootstrap_servers());
        all.entry("url").or_insert_with(|| url.into());
        let keys: SourceKeys = serde_json::from_value(all.into()).expect("keys");
        SourceSpec::new(&keys).expect("a source")
    }

    fn options<'a>(&'a self, variable: &'a (dyn Fn(&str) -> Option<String> + Sync), landing: &'a PathBuf) -> LandOptions<'a> {
        LandOptions {
            landing,
            lookup: Lookup { variable, root: self.folder.path() },
            now: Timestamp::from_second(1_700_000_000).expect("a time"),
            is_offline: false,
            is_anew: false,
            patience: Patience(Duration::from_millis(1)),
            kafka: Some(&KafkaReader),
            hiding: almanac_connect::Hiding::nothing(),
            keep_loads: None,
        }
    }

    pub(crate) fn land(&self, keys: &str) -> Result<Landed, ConnectError> {
        let variables = &self.variables;
        let variable = |name: &str| variables.get(name).cloned();
        let landing = self.landing();
        runtime().block_on(land("t", &self.spec(keys), self.options(&variable, &landing)))
    }

    pub(crate) fn probe(&self, keys: &str) -> Result<(), ConnectError> {
        let variables = &self.variables;
        let variable = |name: &str| variables.get(name).cloned();
        let lookup = Lookup { variable: &variable, root: self.folder.path() };
        runtime().block_on(probe("t", &self.spec(keys), lookup, Patience(Duration::from_millis(1)), Some(&KafkaReader)))
    }

    pub(crate) fn landing(&self) -> PathBuf {
        self.folder.path().join("landing")
    }

    pub(crate) fn table(&self) -> TableLanding {
        TableLanding::open(&self.landing(), "t").expect("whole")
    }

    pub(crate) fn offsets(&self) -> Vec<i64> {
        self.table().manifest().offsets(&self.spec("{}").identity()).into_values().collect()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// The lines of landed files, in their order.
pub(crate) fn lines(landed: &Landed) -> Vec<String> {
    let texts = landed.current.iter().map(|file| std::fs::read_to_string(file).expect("readable"));
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

pub(crate) fn said(error: &ConnectError) -> String {
    format!("{error} | {}", error.hint().unwrap_or_default())
}
