//! What has landed of a table, as `manifest.json` says it.
//!
//! The manifest is the truth: a file that it does not name is a stray. It holds no secret: sources are written as in the
//! configuration, with `${env:NAME}` in the place of what is secret.
//!
//! Not here: files and their commit (`landing`).

use std::collections::{BTreeMap, BTreeSet};

use almanac_privacy::LandedPolicy;
use serde::{Deserialize, Serialize};

/// The newest version of the file that this program writes and reads. Without personal columns and loads that were put together it stays
/// what it was in version 1; a program that knows no other must not read the rest, because it would hash what is hashed, and take the
/// numbers of loads for a column.
pub const FORMAT_VERSION: u32 = 2;

/// What has landed of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the program that wrote it.
    pub format_version: u32,
    /// The table.
    pub table: String,
    /// The loads there were, the oldest first; numbers ascend from 1.
    pub loads: Vec<Load>,
}

/// What one load means for those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadMode {
    /// All of the source: what landed before is an older version.
    Full,
    /// Rows that came after those of earlier loads.
    Rows,
    /// Objects that are new or have changed, by their `origin`, and those that are gone.
    Objects,
}

/// One load: committed whole, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Number, from 1.
    pub number: u64,
    /// What it means for those before it.
    pub mode: LoadMode,
    /// Which source, and what was asked of it. A load of another source starts anew: earlier loads do not count any more.
    pub source: String,
    /// Whether the user asked to start anew: earlier loads do not count any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_anew: bool,
    /// When it was committed, RFC 3339 in UTC with microseconds.
    pub loaded_at: String,
    /// Its files; none if it only moves `offsets`.
    pub files: Vec<LandedFile>,
    /// Origins of objects that are no longer there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// From where to where its rows reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
    /// Where to go on, by partition: `topic/0`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offsets: BTreeMap<String, i64>,
    /// Columns of its rows, where the source is typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<LandedColumn>,
    /// Remarks for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Under which policy its rows were written; `None`: as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<LandedPolicy>,
    /// The loads that were put together into this one, the oldest first; its `number` and `loaded_at` are those of the last. Where rows
    /// have a key, each row says in `_load` with which of them it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packed: Vec<Packed>,
}

/// A load that was put together with others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Its number.
    pub number: u64,
    /// When it was committed, RFC 3339 in UTC with microseconds.
    pub loaded_at: String,
}

impl Load {
    /// Returns when the load of a number was committed, this one or one that was put into it.
    pub fn loaded_at(&self, number: u64) -> &str {
        let found = self.packed.binary_search_by_key(&number, |packed| packed.number);
        found.map_or(&self.loaded_at, |place| &self.packed[place].loaded_at)
    }
}

/// One immutable file of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandedFile {
    /// Its name in the folder of the table.
    pub name: String,
    /// Rows, where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes.
    pub blake3: String,
    /// Hash of its rows without their order, by which a load without news is known; `None`: that of the bytes decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The object it was copied from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// An object outside, as it was when it was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Where it is, without secrets.
    pub url: String,
    /// Its ETag or time of change, by which a change is seen.
    pub version: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A column of a typed source, as it landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandedColumn {
    /// Its name.
    pub name: String,
    /// `integer`, `real`, `boolean`, `text`, `timestamp` or `date`.
    pub kind: LandedKind,
    /// The source's name of the type.
    pub from: String,
}

/// The types of landed columns: those of bronze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LandedKind {
    Integer,
    Real,
    Boolean,
    Text,
    /// Microseconds since 1970, UTC or without a zone.
    Timestamp,
    Date,
}

impl LandedKind {
    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
        }
    }

    /// Returns the kind that holds both without loss, if there is one.
    pub fn promote(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, same) if one == same => Some(one),
            (Self::Integer, Self::Real) | (Self::Real, Self::Integer) => Some(Self::Real),
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Some(Self::Timestamp),
            _ => None,
        }
    }
}

/// Values of the watermark's column in a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The column.
    pub column: String,
    /// What it was asked from; `None`: from the beginning.
    pub from: Option<Mark>,
    /// The greatest of all loads so far.
    pub to: Option<Mark>,
}

/// A value of a watermark, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A whole number.
    Integer(i64),
    /// Microseconds since 1970.
    Timestamp(i64),
    /// Days since 1970.
    Date(i32),
}

impl Manifest {
    pub(super) fn new(table: &str) -> Self {
        Self { format_version: 1, table: table.to_owned(), loads: Vec::new() }
    }

    /// Settles the version that the file needs.
    pub(super) fn settle(&mut self) {
        let is_newer = |load: &Load| load.privacy.is_some() || !load.packed.is_empty();
        self.format_version = if self.loads.iter().any(is_newer) { FORMAT_VERSION } else { 1 };
    }

    /// Returns the loads of the source that count: from the last time it started anew.
    pub fn counting(&self, source: &str) -> &[Load] {
        let other = self.loads.iter().rposition(|load| load.source != source).map_or(0, |at| at + 1);
        let anew = self.loads.iter().rposition(|load| load.is_anew).unwrap_or(0);
        &self.loads[other.max(anew)..]
    }

    /// Returns the last load of the source, if it is that source that landed last.
    pub fn last(&self, source: &str) -> Option<&Load> {
        self.loads.last().filter(|load| load.source == source)
    }

    /// Returns the greatest watermark that has landed of the source.
    pub fn watermark(&self, source: &str) -> Option<Mark> {
        self.counting(source).iter().filter_map(|load| load.watermark.as_ref()?.to).max()
    }

    /// Returns where each partition of the source goes on.
    pub fn offsets(&self, source: &str) -> BTreeMap<String, i64> {
        let mut offsets = BTreeMap::new();
        for load in self.counting(source) {
            offsets.extend(load.offsets.clone());
        }
        offsets
    }

    /// Returns the files that make up the table now, oldest first: of the last full load and of what came after it.
    pub fn current(&self, source: &str) -> Vec<&LandedFile> {
        let mut files: Vec<&LandedFile> = Vec::new();
        for load in self.counting(source) {
            match load.mode {
                LoadMode::Full => files.clear(),
                LoadMode::Rows => {}
                LoadMode::Objects => {
                    let mut replaced: BTreeSet<&str> = load.gone.iter().map(String::as_str).collect();
                    replaced.extend(load.files.iter().filter_map(|file| Some(file.origin.as_ref()?.url.as_str())));
                    files.retain(|file| file.origin.as_ref().is_none_or(|origin| !replaced.contains(origin.url.as_str())));
                }
            }
            files.extend(&load.files);
        }
        // Objects are read in the order of their names, whenever they came.
        if files.iter().all(|file| file.origin.is_some()) {
            files.sort_by(|a, b| a.origin.as_ref().map(|origin| &origin.url).cmp(&b.origin.as_ref().map(|origin| &origin.url)));
        }
        files
    }
}
