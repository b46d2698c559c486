//! The log of a table, read up to one version: the last checkpoint at or before it, then every commit after that.
//!
//! Not here: what the lines say (`action`), what the table's columns are (`schema`).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::action::{Action, Add, Metadata, Protocol, of_json, of_parquet};
use super::place::{Entry, Place};
use crate::error::ConnectError;
use crate::spec::DeltaVersion;

const LOG: &str = "_delta_log";
/// Digits of a version in the name of a file.
const DIGITS: usize = 20;

/// A table as one version has it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) version: u64,
    pub(super) protocol: Protocol,
    pub(super) metadata: Metadata,
    /// By path.
    pub(super) files: Vec<Add>,
}

/// What a file of the log is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Commit(u64),
    /// A whole checkpoint.
    Checkpoint(u64),
    /// One of so many parts of a checkpoint, from 1.
    Part(u64, u32, u32),
}

impl Name {
    fn read(name: &str) -> Option<Self> {
        let (digits, rest) = name.split_at_checked(DIGITS)?;
        let version: u64 = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok()? } else { return None };
        let parts: Vec<&str> = rest.strip_prefix('.')?.split('.').collect();
        Some(match parts[..] {
            ["json"] => Self::Commit(version),
            ["checkpoint", "parquet"] => Self::Checkpoint(version),
            ["checkpoint", part, of, "parquet"] => Self::Part(version, part.parse().ok()?, of.parse().ok()?),
            // Named by an identifier: a checkpoint of the second kind.
            ["checkpoint", _, "parquet" | "json"] => Self::Checkpoint(version),
            _ => return None,
        })
    }
}

/// The files of a log that count.
#[derive(Debug, Default)]
struct Log {
    commits: BTreeMap<u64, Entry>,
    /// Of each version the names of one whole checkpoint.
    checkpoints: BTreeMap<u64, Vec<String>>,
}

impl Log {
    fn new(entries: Vec<Entry>) -> Self {
        let mut log = Self::default();
        let mut parts: BTreeMap<(u64, u32), BTreeMap<u32, String>> = BTreeMap::new();
        for entry in entries {
            match Name::read(&entry.name) {
                Some(Name::Commit(version)) => {
                    log.commits.insert(version, entry);
                }
                // Of two checkpoints of a version either will do.
                Some(Name::Checkpoint(version)) => {
                    log.checkpoints.insert(version, vec![entry.name]);
                }
                Some(Name::Part(version, part, of)) => {
                    parts.entry((version, of)).or_default().insert(part, entry.name);
                }
                None => {}
            }
        }
        for ((version, of), names) in parts {
            // A writer that is interrupted leaves some of the parts.
            if names.len() == of as usize && names.keys().copied().eq(1..=of) {
                log.checkpoints.entry(version).or_insert_with(|| names.into_values().collect());
            }
        }
        log
    }

    fn last(&self) -> Option<u64> {
        self.commits.keys().chain(self.checkpoints.keys()).copied().max()
    }

    /// The checkpoint to begin with for a version, and the commits after it, if they are all there.
    fn plan(&self, version: u64) -> Option<(Option<u64>, Vec<&Entry>)> {
        let start = self.checkpoints.range(..=version).next_back().map(|(start, _)| *start);
        let first = start.map_or(Some(0), |start| start.checked_add(1));
        let Some(first) = first.filter(|first| *first <= version) else { return Some((start, Vec::new())) };
        let commits: Vec<&Entry> = self.commits.range(first..=version).map(|(_, entry)| entry).collect();
        let is_whole = commits.len() as u64 == (version - first).saturating_add(1);
        is_whole.then_some((start, commits))
    }
}

/// What counts of the lines that were read.
#[derive(Debug, Default)]
struct Replay {
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
    files: BTreeMap<(String, Option<String>), Add>,
    sidecars: Vec<String>,
}

impl Replay {
    fn take(&mut self, action: Action) {
        if let Some(remove) = action.remove {
            self.files.remove(&(remove.path, remove.deletion_vector.map(|vector| vector.id())));
        }
        if let Some(add) = action.add {
            self.files.insert((add.path.clone(), add.deletion_vector.as_ref().map(super::action::Vector::id)), add);
        }
        self.protocol = action.protocol.or(self.protocol.take());
        self.metadata = action.meta_data.or(self.metadata.take());
        self.sidecars.extend(action.sidecar.map(|sidecar| sidecar.path));
    }
}

/// Reads a version of the table.
pub(super) async fn snapshot(place: &Place<'_>, wanted: DeltaVersion) -> Result<Snapshot, ConnectError> {
    let log = Log::new(place.list(LOG).await?);
    let Some(last) = log.last() else {
        return Err(place.missing(LOG, "it holds neither commits nor checkpoints, and so no Delta table"));
    };
    let version = match wanted {
        DeltaVersion::Latest => last,
        DeltaVersion::Number(number) => number,
        DeltaVersion::At(time) => at(place, &log, last, time.as_millisecond()).await?,
    };
    if version > last {
        return Err(place.missing(&format!("version {version}"), &format!("the newest one is {last}")));
    }
    read(place, &log, version).await
}

async fn read(place: &Place<'_>, log: &Log, version: u64) -> Result<Snapshot, ConnectError> {
    let Some((start, commits)) = log.plan(version) else {
        let whole = log.commits.keys().chain(log.checkpoints.keys()).copied().find(|any| log.plan(*any).is_some());
        let reason = match whole {
            Some(first) => format!("the oldest version that can be read is {first}; commits before it were cleaned up"),
            None => "commits are missing in its log".to_owned(),
        };
        return Err(place.missing(&format!("version {version}"), &reason));
    };
    let mut replay = Replay::default();
    for name in start.and_then(|start| log.checkpoints.get(&start)).into_iter().flatten() {
        take_file(place, &format!("{LOG}/{name}"), &mut replay).await?;
    }
    for name in std::mem::take(&mut replay.sidecars) {
        take_file(place, &format!("{LOG}/_sidecars/{name}"), &mut replay).await?;
    }
    for entry in commits {
        take_file(place, &format!("{LOG}/{}", entry.name), &mut replay).await?;
    }
    let (Some(protocol), Some(metadata)) = (replay.protocol, replay.metadata) else {
        return Err(place.refused("its log says neither its columns nor its protocol"));
    };
    let mut files: Vec<Add> = replay.files.into_values().collect();
    for add in &mut files {
        add.path = place.decode(&add.path)?;
    }
    Ok(Snapshot { version, protocol, metadata, files })
}

async fn take_file(place: &Place<'_>, path: &str, replay: &mut Replay) -> Result<(), ConnectError> {
    let bytes: Bytes = place.read(path).await?;
    let mut take = |action| replay.take(action);
    let is_json = std::path::Path::new(path).extension().is_some_and(|end| end == "json");
    let read = if is_json {
        of_json(&bytes, &mut take)
    } else {
        super::copy::guarded(|| of_parquet(bytes, &mut take)).unwrap_or_else(|| Err("its pages cannot be decoded".to_owned()))
    };
    read.map_err(|reason| place.refused(&format!("`{path}` cannot be read: {reason}")))
}

/// The newest version that was there at a time (milliseconds since 1970): by the time in the commits if the table keeps it, else by
/// that of their files.
async fn at(place: &Place<'_>, log: &Log, last: u64, wanted: i64) -> Result<u64, ConnectError> {
    let keeps_time = read(place, log, last).await?.metadata.setting("delta.enableInCommitTimestamps") == Some("true");
    let mut oldest = None;
    for (version, entry) in log.commits.iter().rev() {
        let mut time = entry.modified;
        if keeps_time {
            let path = format!("{LOG}/{}", entry.name);
            let bytes = place.read(&path).await?;
            let mut take = |action: Action| time = action.commit_info.and_then(|info| info.in_commit_timestamp).unwrap_or(time);
            of_json(&bytes, &mut take).map_err(|reason| place.refused(&format!("`{path}` cannot be read: {reason}")))?;
        }
        if time <= wanted {
            return Ok(*version);
        }
        oldest = Some((*version, time));
    }
    let said = |time: i64| jiff::Timestamp::from_millisecond(time).map_or_else(|_| time.to_string(), |time| time.to_string());
    let reason =
        oldest.map_or_else(|| "its log holds no commits".to_owned(), |(version, time)| format!("version {version} is of {}", said(time)));
    Err(place.missing(&format!("version of {} or before", said(wanted)), &reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(names: &[&str]) -> Log {
        Log::new(names.iter().map(|name| Entry { name: (*name).to_owned(), modified: 0 }).collect())
    }

    #[test]
    fn names_of_a_log_say_what_they_are() {
        let name = |rest: &str| Name::read(&format!("00000000000000000012{rest}"));
        assert_eq!(name(".json"), Some(Name::Commit(12)));
        assert_eq!(name(".checkpoint.parquet"), Some(Name::Checkpoint(12)));
        assert_eq!(name(".checkpoint.0000000001.0000000003.parquet"), Some(Name::Part(12, 1, 3)));
        assert_eq!(name(".checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json"), Some(Name::Checkpoint(12)));
        for other in [".crc", ".00000000000000000014.compacted.json", ".checkpoint.parquet.tmp", "x.json"] {
            assert_eq!(name(other), None, "{other}");
        }
        assert_eq!((Name::read("_last_checkpoint"), Name::read("ü"), Name::read("")), (None, None, None));
    }

    #[test]
    fn a_version_is_put_together_from_the_last_whole_checkpoint() {
        let commit = |version: u64| format!("{version:020}.json");
        let names: Vec<String> = (3..9).map(commit).chain(["00000000000000000005.checkpoint.parquet".to_owned()]).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = log(&names);
        assert_eq!(found.last(), Some(8));
        assert!(found.plan(4).is_none(), "the commits before it are gone");
        let (start, commits) = found.plan(7).expect("whole");
        assert_eq!((start, commits.len()), (Some(5), 2));
        assert_eq!(found.plan(5).map(|(start, commits)| (start, commits.len())), Some((Some(5), 0)), "the checkpoint alone");
        assert!(log(&["18446744073709551615.json"]).plan(u64::MAX).is_none());
        // Half of a checkpoint in parts is none.
        let found = log(&["00000000000000000001.checkpoint.0000000001.0000000002.parquet", "00000000000000000001.json"]);
        assert!(found.plan(1).is_none());
        // A hole in the commits is seen.
        assert!(log(&["00000000000000000000.json", "00000000000000000002.json"]).plan(2).is_none());
    }
}
