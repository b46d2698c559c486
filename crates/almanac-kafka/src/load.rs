//! One load of a topic: from where the manifest says to the end as it is now.
//!
//! Not here: the connection (`broker`), what a message becomes (`row`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use almanac_connect::{Commit, ConnectError, KafkaRequest, LandingError, LoadMode, OpenLoad, ReadKafka, StagedFile, TableLanding};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::broker::Broker;
use crate::decode::{Decoder, Schema};
use crate::row::line;

/// Partitions that are read side by side, each into a file of its own.
const SIDE_BY_SIDE: usize = 64;

/// Reads Kafka by librdkafka.
#[derive(Debug, Clone, Copy, Default)]
pub struct KafkaReader;

/// A partition on its way to the end.
struct Part {
    partition: i32,
    /// The offset to go on from.
    next: i64,
    /// The end when the load started.
    end: i64,
    out: Option<(StagedFile, BufWriter<File>)>,
    rows: u64,
}

impl Part {
    fn is_done(&self) -> bool {
        self.next >= self.end
    }
}

/// What a load may still bring, and what it has brought.
struct Budget {
    started: Instant,
    messages: u64,
    bytes: u64,
    unreadable: u64,
    /// Personal columns that there were.
    found: BTreeSet<String>,
}

impl ReadKafka for KafkaReader {
    fn load(&self, landing: &mut TableLanding, request: KafkaRequest<'_>) -> Result<Option<u64>, ConnectError> {
        let spec = request.spec;
        let schema = Schema::open(spec, request.lookup.root)?;
        let decoder = schema.decoder(spec.framing)?;
        let broker = Broker::new(&request)?;
        let known = if request.is_anew { BTreeMap::new() } else { landing.manifest().offsets(request.source) };
        let has_landed = !request.is_anew && !landing.manifest().current(request.source).is_empty();
        let (mut parts, mut notes) = plan(&broker, &request, &known)?;
        let mut load = landing.begin();
        let mut budget = Budget { started: Instant::now(), messages: 0, bytes: 0, unreadable: 0, found: BTreeSet::new() };
        for some in parts.chunks_mut(SIDE_BY_SIDE) {
            read(&broker, &request, &decoder, &mut load, some, &mut budget)?;
            for part in some.iter_mut() {
                if let Some((file, out)) = part.out.take() {
                    out.into_inner().map_err(|error| unwritten(&file, error.into_error()))?;
                    load.add(file, Some(part.rows))?;
                }
            }
        }
        let offsets: BTreeMap<String, i64> = parts.iter().map(|part| (place(&spec.topic, part.partition), part.next)).collect();
        if budget.messages == 0 && !has_landed && !spec.starts_at_end {
            return Err(ConnectError::Empty { url: broker.url().to_owned(), table: request.table.to_owned() });
        }
        if offsets.iter().all(|(place, next)| known.get(place) == Some(next)) {
            return Ok(None);
        }
        let left: i64 = parts.iter().map(|part| (part.end - part.next).max(0)).sum();
        if left > 0 {
            notes.push(format!("{} messages were read, about {left} are left for the next load", budget.messages));
        }
        if budget.unreadable > 0 {
            notes.push(format!("{} of {} messages cannot be read; they go to quarantine", budget.unreadable, budget.messages));
        }
        let mut group = TopicPartitionList::new();
        for part in &parts {
            let _ = group.add_partition_offset(&spec.topic, part.partition, Offset::Offset(part.next));
        }
        let privacy = request.redaction.landed(budget.found);
        let commit =
            Commit { is_anew: request.is_anew, offsets, notes, privacy, ..Commit::new(LoadMode::Rows, request.source, request.now) };
        load.commit(commit)?;
        // Only now: a group that is ahead of the table would hide a loss, one that is behind hides nothing.
        broker.tell_group(&group);
        Ok(Some(budget.messages))
    }

    fn probe(&self, request: KafkaRequest<'_>) -> Result<(), ConnectError> {
        Schema::open(request.spec, request.lookup.root)?.decoder(request.spec.framing)?;
        let broker = Broker::new(&request)?;
        let partitions = broker.partitions()?;
        broker.ends(partitions[0]).map(|_| ())
    }
}

fn place(topic: &str, partition: i32) -> String {
    format!("{topic}/{partition}")
}

/// Looks where each partition ends, and settles where to begin.
fn plan(broker: &Broker, request: &KafkaRequest<'_>, known: &BTreeMap<String, i64>) -> Result<(Vec<Part>, Vec<String>), ConnectError> {
    let spec = request.spec;
    let mut parts = Vec::new();
    let mut notes = Vec::new();
    for partition in broker.partitions()? {
        let (first, end) = broker.ends(partition)?;
        let next = match known.get(&place(&spec.topic, partition)) {
            Some(wanted) if (first..=end).contains(wanted) => *wanted,
            Some(wanted) if spec.skips_gaps => {
                notes.push(format!("partition {partition}: messages {wanted} to {first} are gone; the load goes on from {first}"));
                first
            }
            Some(wanted) => {
                let url = broker.url().to_owned();
                return Err(ConnectError::Gap { url, partition, wanted: *wanted, first, last: end });
            }
            // A partition that came later is read from its first message, wherever the table began.
            None if spec.starts_at_end && known.is_empty() => end,
            None => first,
        };
        parts.push(Part { partition, next, end, out: None, rows: 0 });
    }
    Ok((parts, notes))
}

/// Reads partitions to their ends, or until the load has brought enough.
fn read(
    broker: &Broker,
    request: &KafkaRequest<'_>,
    decoder: &Decoder<'_>,
    load: &mut OpenLoad<'_>,
    parts: &mut [Part],
    budget: &mut Budget,
) -> Result<(), ConnectError> {
    let spec = request.spec;
    let mut assignment = TopicPartitionList::new();
    for part in parts.iter().filter(|part| !part.is_done()) {
        assignment.add_partition_offset(&spec.topic, part.partition, Offset::Offset(part.next)).map_err(|error| broker.error(&error))?;
    }
    if assignment.count() == 0 {
        return Ok(());
    }
    broker.consumer.assign(&assignment).map_err(|error| broker.error(&error))?;
    let mut heard_at = Instant::now();
    while parts.iter().any(|part| !part.is_done()) && !is_spent(budget, request) {
        if heard_at.elapsed() > spec.timeout {
            let reason = broker.heard().unwrap_or_else(|| format!("nothing came for {} s", spec.timeout.as_secs()));
            return Err(ConnectError::Lost { url: broker.url().to_owned(), rows: budget.messages, reason });
        }
        let message = match broker.consumer.poll(Duration::from_millis(100)) {
            None => continue,
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                heard_at = Instant::now();
                let Some(part) = parts.iter_mut().find(|part| part.partition == partition && !part.is_done()) else { continue };
                let (first, end) = broker.ends(partition)?;
                if end < part.end {
                    // A leader that lacked them took over: what was promised is gone, and its offsets will be given away again.
                    return Err(ConnectError::Gap { url: broker.url().to_owned(), partition, wanted: part.next, first, last: end });
                }
                // What was left is not for us: marks of transactions, or messages that were compacted away.
                part.next = part.end;
                continue;
            }
            Some(Err(error)) if is_final(&error) => return Err(broker.error(&error)),
            // Connections come back by themselves; the silence is what ends the load.
            Some(Err(_)) => continue,
        };
        heard_at = Instant::now();
        let Some(part) = parts.iter_mut().find(|part| part.partition == message.partition()) else { continue };
        if message.offset() < part.next || part.is_done() {
            continue;
        }
        if message.offset() >= part.end {
            part.next = part.end;
            continue;
        }
        let line = line(&message, spec, decoder, request.redaction, &mut budget.found);
        if part.out.is_none() {
            let file = load.file("jsonl");
            let opened = File::create(file.path()).map_err(|error| unwritten(&file, error))?;
            part.out = Some((file, BufWriter::with_capacity(1 << 18, opened)));
        }
        if let Some((file, out)) = &mut part.out {
            out.write_all(&line.text).and_then(|()| out.write_all(b"\n")).map_err(|error| unwritten(file, error))?;
        }
        part.rows += 1;
        part.next = message.offset() + 1;
        budget.messages += 1;
        budget.bytes += message.payload_len() as u64;
        budget.unreadable += u64::from(!line.is_row);
    }
    broker.consumer.unassign().map_err(|error| broker.error(&error))
}

fn is_spent(budget: &Budget, request: &KafkaRequest<'_>) -> bool {
    let spec = request.spec;
    spec.max_messages.is_some_and(|most| budget.messages >= most)
        || spec.max_bytes.is_some_and(|most| budget.bytes >= most)
        || spec.max_time.is_some_and(|most| budget.started.elapsed() >= most)
}

/// Whether waiting cannot help.
fn is_final(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let Some(code) = error.rdkafka_error_code() else { return false };
    matches!(
        code,
        Code::Fatal
            | Code::AutoOffsetReset
            | Code::OffsetOutOfRange
            | Code::UnknownTopic
            | Code::UnknownTopicOrPartition
            | Code::UnknownPartition
            | Code::TopicAuthorizationFailed
            | Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::SSL
    )
}

fn unwritten(file: &StagedFile, source: std::io::Error) -> ConnectError {
    LandingError::Io { action: "write", path: file.path().to_owned(), source }.into()
}
