//! A topic of Kafka as a source: where it is, how its values are written, how it is asked.
//!
//! Not here: reading it (`almanac-kafka`), so that its keys are checked in a program without Kafka too.

use std::path::PathBuf;
use std::time::Duration;

use super::words::{duration, literal, template, timeout};
use super::{SourceKeys, SpecError};
use crate::secret::Template;

/// What is asked of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct KafkaSpec {
    pub url: Template,
    /// The last part of `url`.
    pub topic: String,
    pub format: KafkaFormat,
    pub framing: KafkaFraming,
    pub group: String,
    /// Columns that together name a row; empty if rows have no versions.
    pub key: Vec<String>,
    /// What becomes a column besides the value's own members.
    pub with: Vec<KafkaExtra>,
    /// Whether the first load begins with what comes after it, not with the oldest message.
    pub starts_at_end: bool,
    /// Whether to go on from the oldest message when those that were to be read next are gone.
    pub skips_gaps: bool,
    /// Most messages of one load.
    pub max_messages: Option<u64>,
    /// Most bytes of one load.
    pub max_bytes: Option<u64>,
    /// Longest time of one load.
    pub max_time: Option<Duration>,
    pub security: KafkaSecurity,
    pub timeout: Duration,
}

/// How values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaFormat {
    /// JSON objects.
    Json,
    /// Avro, by a schema file (`.avsc`).
    Avro(PathBuf),
    /// Protobuf, by a schema file (`.proto`) and the full name of a message in it, if there are several.
    Protobuf(PathBuf, Option<String>),
}

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaFraming {
    /// Nothing.
    Raw,
    /// A zero and the number of the schema in a registry, as Confluent's clients write it.
    Confluent,
    /// Avro's single-object encoding: a mark and the fingerprint of the schema.
    SingleObject,
}

/// What becomes a column besides the members of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaExtra {
    /// The message's key as text: `_key`.
    Key,
    /// When it was produced, in UTC: `_timestamp`.
    Timestamp,
    /// Its headers: `_headers.NAME`.
    Headers,
    /// Where it was: `_partition` and `_offset`.
    Offset,
    /// Whether it deletes its key: `_deleted`, which such messages have in any case.
    Deleted,
}

/// Who may read, and how that is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct KafkaSecurity {
    pub has_tls: bool,
    pub ca: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub certificate_key: Option<PathBuf>,
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub sasl: Option<String>,
    pub user: Option<Template>,
    pub password: Option<Template>,
}

const FORMATS: &str = "known are json, avro and protobuf";

impl KafkaSpec {
    pub(super) fn new(url: &str, keys: &SourceKeys) -> Result<Self, SpecError> {
        let bad = |reason: String| SpecError::new("url", reason, "write `url = \"kafka://broker1:9092,broker2:9092/topic\"`");
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let (brokers, topic) = rest.rsplit_once('/').ok_or_else(|| bad("it names no topic".into()))?;
        if brokers.is_empty() || brokers.split(',').any(|broker| broker.trim().is_empty()) {
            return Err(bad("it names no broker".into()));
        }
        if brokers.contains('@') {
            return Err(SpecError::new(
                "url",
                "a user stands in it",
                "write `user = \"…\"`, `password = \"${env:NAME}\"` and `sasl = \"SCRAM-SHA-512\"`",
            ));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if topic.is_empty() || topic.len() > 249 || !topic.chars().all(is_plain) {
            return Err(bad(format!("`{}` is no name of a topic", topic.escape_debug())));
        }
        let schema = || keys.schema.as_ref().map(PathBuf::from);
        let needs = |what: &str| {
            SpecError::new("schema", format!("`format = \"{what}\"` needs it"), "write `schema = \"sales.avsc\"` or `\"sales.proto\"`")
        };
        let format = match keys.format.as_deref().unwrap_or("json") {
            "json" => KafkaFormat::Json,
            "avro" => KafkaFormat::Avro(schema().ok_or_else(|| needs("avro"))?),
            "protobuf" => KafkaFormat::Protobuf(schema().ok_or_else(|| needs("protobuf"))?, keys.message.clone()),
            other => return Err(SpecError::new("format", format!("`{other}` is no format of messages"), FORMATS)),
        };
        for (key, is_given, is_used) in [
            ("schema", keys.schema.is_some(), format != KafkaFormat::Json),
            ("message", keys.message.is_some(), matches!(format, KafkaFormat::Protobuf(..))),
        ] {
            if is_given && !is_used {
                return Err(SpecError::new(key, "it means nothing to this `format`", FORMATS));
            }
        }
        let framing = match (keys.framing.as_deref(), &format) {
            (None, KafkaFormat::Json) | (Some("raw"), _) => KafkaFraming::Raw,
            (None | Some("confluent"), _) => KafkaFraming::Confluent,
            (Some("single_object"), KafkaFormat::Avro(_)) => KafkaFraming::SingleObject,
            (Some(other), _) => {
                let hint = "known are raw, confluent and, for Avro, single_object";
                return Err(SpecError::new("framing", format!("`{other}` is no framing of these values"), hint));
            }
        };
        let extra = |name: &String| match name.as_str() {
            "key" => Ok(KafkaExtra::Key),
            "timestamp" => Ok(KafkaExtra::Timestamp),
            "headers" => Ok(KafkaExtra::Headers),
            "offset" => Ok(KafkaExtra::Offset),
            "deleted" => Ok(KafkaExtra::Deleted),
            other => {
                let hint = "known are key, timestamp, headers, offset and deleted";
                Err(SpecError::new("with", format!("a message has no `{other}`"), hint))
            }
        };
        let choice = |key: &'static str, given: &Option<String>, [usual, other]: [&str; 2]| match given.as_deref() {
            None => Ok(false),
            Some(word) if word == usual => Ok(false),
            Some(word) if word == other => Ok(true),
            Some(word) => Err(SpecError::new(key, format!("`{word}` is none of its values"), format!("write `{usual}` or `{other}`"))),
        };
        let no_time = |text: &str| SpecError::new("max_time", format!("`{text}` is no time"), "write `30s` or `10m`");
        let max_time = keys.max_time.as_deref().map(|text| duration(text).filter(|time| !time.is_zero()).ok_or_else(|| no_time(text)));
        Ok(Self {
            url: template("url", url)?,
            topic: topic.to_owned(),
            format,
            framing,
            group: keys.group.clone().filter(|group| !group.is_empty()).unwrap_or_else(|| "almanac".into()),
            key: keys.key.clone().unwrap_or_default().0,
            with: keys.with.iter().flat_map(|with| &with.0).map(extra).collect::<Result<_, _>>()?,
            starts_at_end: choice("start", &keys.start, ["earliest", "latest"])?,
            skips_gaps: choice("on_gap", &keys.on_gap, ["fail", "skip"])?,
            max_messages: keys.max_messages.map(|most| most.max(1)),
            max_bytes: keys.max_mb.map(|most| most.clamp(1, 1 << 30) << 20),
            max_time: max_time.transpose()?,
            security: KafkaSecurity::new(keys)?,
            timeout: if keys.timeout.is_some() { timeout(keys)? } else { Duration::from_secs(20) },
        })
    }

    /// Returns what tells this topic from others. Brokers come and go and keys of the table are added, but what has landed may be
    /// gone from the topic: it goes on counting.
    pub(super) fn identity(&self) -> serde_json::Value {
        serde_json::json!({ "kafka": self.topic })
    }
}

impl KafkaSecurity {
    fn new(keys: &SourceKeys) -> Result<Self, SpecError> {
        let sasl = match keys.sasl.as_deref().map(str::to_ascii_uppercase) {
            Some(name) if !matches!(name.as_str(), "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512") => {
                let hint = "known are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512";
                return Err(SpecError::new("sasl", format!("`{name}` is no way to sign in"), hint));
            }
            sasl => sasl,
        };
        if sasl.is_some() != keys.user.is_some() || sasl.is_some() != keys.password.is_some() {
            let key = if sasl.is_none() {
                "sasl"
            } else if keys.user.is_none() {
                "user"
            } else {
                "password"
            };
            let hint = "write `sasl = \"SCRAM-SHA-512\"`, `user = \"…\"` and `password = \"${env:NAME}\"`";
            return Err(SpecError::new(key, "`sasl`, `user` and `password` go together", hint));
        }
        let password = keys.password.as_deref().map(|text| template("password", text)).transpose()?;
        if password.as_ref().is_some_and(|password| !password.has_places()) {
            return Err(literal("password"));
        }
        let path = |text: &Option<String>| text.as_ref().map(PathBuf::from);
        let (ca, certificate, certificate_key) = (path(&keys.ca), path(&keys.certificate), path(&keys.certificate_key));
        if certificate.is_some() != certificate_key.is_some() {
            return Err(SpecError::new("certificate", "`certificate` and `certificate_key` go together", "give both files, in PEM"));
        }
        let has_files = ca.is_some() || certificate.is_some();
        if has_files && keys.tls == Some(false) {
            return Err(SpecError::new("tls", "certificates need it", "write `tls = true`"));
        }
        Ok(Self {
            has_tls: keys.tls.unwrap_or(has_files),
            ca,
            certificate,
            certificate_key,
            sasl,
            user: keys.user.as_deref().map(|text| template("user", text)).transpose()?,
            password,
        })
    }
}
