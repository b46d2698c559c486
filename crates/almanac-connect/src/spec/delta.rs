//! A Delta table as a source: where it lies, and which of its versions is meant.
//!
//! `delta:lake/sales` is a folder of this machine, relative to the project; `delta:s3://bucket/sales` (and `gs`, `az`, `abfss`) lies in a store.
//!
//! Not here: its log and files (`delta`).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::words::template;
use super::{Family, ObjectsSpec, SourceKeys, SpecError, family, keys};
use crate::secret::Template;

/// What a URL of a Delta table begins with.
pub(crate) const SCHEME: &str = "delta:";

/// What is asked of a Delta table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct DeltaSpec {
    pub url: Template,
    /// The folder or place of a store behind `delta:`, and how the store is asked.
    pub place: ObjectsSpec,
    pub version: DeltaVersion,
}

/// Which version of a Delta table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaVersion {
    /// The newest at each load.
    Latest,
    /// That one.
    Number(u64),
    /// The newest that was there at that time.
    At(Timestamp),
}

impl DeltaSpec {
    pub(super) fn new(url: &str, given: &SourceKeys) -> Result<Self, SpecError> {
        let inner = url.get(SCHEME.len()..).unwrap_or_default();
        if inner.trim().is_empty() {
            return Err(SpecError::new("url", "it names no table", "write `url = \"delta:lake/sales\"` or `\"delta:s3://bucket/sales\"`"));
        }
        match family(inner) {
            Family::Store => {}
            Family::Unknown if inner.starts_with("${") || inner.starts_with("file://") || !inner.contains("://") => {}
            _ => {
                let hint = "a Delta table is a folder, or lies in s3://, gs://, az:// or abfss://";
                return Err(SpecError::new("url", format!("`{inner}` is no place of a Delta table"), hint));
            }
        }
        given.only(&keys::DELTA, "a Delta table")?;
        let version = match (given.version, given.timestamp.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(SpecError::new("timestamp", "`version` and `timestamp` exclude each other", "keep one of them"));
            }
            (Some(number), None) => DeltaVersion::Number(number),
            (None, Some(text)) => DeltaVersion::At(instant(text)?),
            (None, None) => DeltaVersion::Latest,
        };
        Ok(Self { url: template("url", url)?, place: ObjectsSpec::new(&[inner.to_owned()], given)?, version })
    }
}

/// Reads an instant, or a date as its beginning in UTC.
fn instant(text: &str) -> Result<Timestamp, SpecError> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp());
    let bad = || SpecError::new("timestamp", format!("`{text}` is no time"), "write `2024-01-31T12:00:00Z` or `2024-01-31`");
    text.parse::<Timestamp>().ok().or_else(day).ok_or_else(bad)
}
