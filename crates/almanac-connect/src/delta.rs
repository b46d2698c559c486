//! Delta tables: the rows of one version, as the log of the table says it, landed file by file.
//!
//! Each data file of the version lands as one file: as it is, or without deleted rows, with the columns of its partition and the table's
//! names. A file that has landed is not fetched again, so that a new version costs what is new in it; a file that the version no longer
//! names is gone. Read are versions 1 to 3 of the protocol with deletion vectors, column mapping, checkpoints of both kinds, widened types
//! and times without a zone; any other feature that a reader must know is refused by name. Files outside the folder of the table (shallow
//! clones) are refused.
//!
//! ```text
//! _delta_log/00000000000000000012.json                 what version 12 changed                     (`log`, `action`)
//! _delta_log/00000000000000000010.checkpoint.parquet   all that counts up to version 10
//! part-00000-….parquet                                 rows; which of them are deleted: `vector`   (`copy`)
//! ```
//!
//! Not here: writing, change feeds, where stores are (`objects`).

mod action;
mod copy;
mod log;
mod place;
mod schema;
mod vector;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;

use crate::error::ConnectError;
use crate::hide::{Hiding, add_copy};
use crate::http::Patience;
use crate::landing::{LandedColumn, LandedFile, OpenLoad, Origin};
use crate::rows::hidden_columns;
use crate::secret::Lookup;
use crate::spec::DeltaSpec;
use action::Add;
use place::Place;
use schema::TableSchema;

/// Data files on their way at a time.
const AT_A_TIME: usize = 4;

/// What is fetched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) table: &'a str,
    pub(crate) spec: &'a DeltaSpec,
    pub(crate) lookup: Lookup<'a>,
    pub(crate) patience: Patience,
    pub(crate) hiding: Hiding<'a>,
}

/// What came.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    /// The version of the table.
    pub(crate) version: u64,
    /// Data files of the version.
    pub(crate) files: usize,
    /// Rows that came, in files that had not landed before.
    pub(crate) rows: u64,
    /// Files that had not landed before.
    pub(crate) copied: u64,
    pub(crate) gone: Vec<String>,
    pub(crate) columns: Vec<LandedColumn>,
    /// Personal columns that there were.
    pub(crate) found: BTreeSet<String>,
}

/// Looks whether the version is there and can be read.
pub(crate) async fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    let place = Place::open(request)?;
    let snapshot = log::snapshot(&place, request.spec.version).await?;
    TableSchema::read(&snapshot).map(|_| ()).map_err(|reason| place.refused(&reason))
}

/// Copies the data files that have not landed yet into the load.
pub(crate) async fn fetch(request: Request<'_>, known: &[LandedFile], load: &mut OpenLoad<'_>) -> Result<Fetched, ConnectError> {
    let place = Place::open(request)?;
    let snapshot = log::snapshot(&place, request.spec.version).await?;
    let table = TableSchema::read(&snapshot).map_err(|reason| place.refused(&reason))?;
    if let Some(column) = table.partitions.iter().find(|column| request.hiding.redaction.policy(column).is_some()) {
        // Paths are kept, to know what has landed.
        return Err(place.refused(&format!("it is partitioned by `{column}`, which is personal: the paths of its files say the values")));
    }
    let known: BTreeMap<&str, &Origin> =
        known.iter().filter_map(|file| file.origin.as_ref()).map(|origin| (origin.url.as_str(), origin)).collect();
    let columns = hidden_columns(&table.landed(), request.hiding.redaction);
    let mut fetched = Fetched { version: snapshot.version, files: snapshot.files.len(), columns, ..Fetched::default() };
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for add in &snapshot.files {
        let origin = origin(&place, &table, add);
        seen.insert(origin.url.clone());
        if known.get(origin.url.as_str()).is_none_or(|old| **old != origin) {
            wanted.push((load.file("parquet"), load.file("part"), add, origin));
        }
    }
    let mut copies = futures::stream::iter(wanted.into_iter().map(|(file, raw, add, origin)| {
        let (place, table) = (&place, &table);
        async move {
            let deleted = match &add.deletion_vector {
                Some(vector) => Some(vector::read(place, vector).await?),
                None => None,
            };
            let from = place.local(&add.path, add.size, raw.path()).await?;
            let rows =
                copy::copy(&from, file.path(), table, add, deleted.as_ref()).map_err(|failed| failed.into_error(place, &add.path))?;
            if from == raw.path() {
                // What cannot be removed now is a stray, which the next load removes.
                let _ = std::fs::remove_file(&from);
            }
            Ok::<_, ConnectError>((file, rows, origin))
        }
    }))
    // In their order, so that the same files land under the same names.
    .buffered(AT_A_TIME);
    while let Some(copied) = copies.next().await {
        let (file, rows, origin) = copied?;
        fetched.found.append(&mut add_copy(request.hiding, load, file, Some(rows), origin)?);
        fetched.copied += 1;
        fetched.rows += rows;
    }
    fetched.gone = known.keys().filter(|url| !seen.contains(**url)).map(|url| (*url).to_owned()).collect();
    Ok(fetched)
}

/// What tells a data file, with the rows deleted from it, from any other.
fn origin(place: &Place<'_>, table: &TableSchema, add: &Add) -> Origin {
    let vector = add.deletion_vector.as_ref().map(|vector| format!("#{}", vector.id())).unwrap_or_default();
    let version = format!("{}{}", add.modification_time, table.mapping_tag());
    Origin { url: format!("{}/{}{vector}", place.shown(), add.path), version, bytes: add.size }
}
