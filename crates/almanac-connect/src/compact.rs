//! Loads put together, and loads that are let go, so that a table that lands every few minutes stays a few files.
//!
//! Files are never changed: small increments that follow one another are written into one new file, the manifest turns to it in one step,
//! and then the old files go. A kill before that step leaves a stray, one after it the old files as strays; the next load removes both.
//! Where rows have a key, each row keeps the number of its load ([`LOAD_COLUMN`]), and the manifest the time of each load, so that no
//! version of a row is lost. The newest load stays as it is: by it a load without news is known.
//!
//! A load is put together with those before it as long as it is small, or no larger than all that was gathered so far: each row is
//! written anew a few times only, however many loads there are.
//!
//! Not here: when (`land`), reading what was put together (`versions`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use almanac_privacy::LandedPolicy;

use crate::error::ConnectError;
use crate::landing::{LandedColumn, LandedFile, Load, LoadMode, Manifest, Packed, TableLanding, Watermark, sync_and_hash};
use crate::versions::{self, LOAD_COLUMN};

/// So many increments are put together at a time, at least.
const AT_LEAST: usize = 64;
/// A load of so many bytes is small.
const SMALL: u64 = 1 << 20;

/// Puts small increments together, if there are enough of them; returns how many there were.
///
/// # Errors
/// [`ConnectError`] of reading and writing; the table then is as before.
pub(crate) fn compact(table: &mut TableLanding, source: &str, is_keyed: bool) -> Result<Option<usize>, ConnectError> {
    let manifest = table.manifest();
    let loads = manifest.counting(source);
    let some = small(loads);
    if some.len() < AT_LEAST {
        return Ok(None);
    }
    let before = manifest.loads.len() - loads.len();
    let loads = &loads[some.clone()];
    let Some(packed) = pack(table, loads, is_keyed)? else { return Ok(None) };
    let count = loads.len();
    let mut manifest: Manifest = manifest.clone();
    manifest.loads.splice(before + some.start..before + some.end, [packed]);
    table.turn_to(manifest)?;
    Ok(Some(count))
}

/// The increments before the newest one that are put together.
fn small(loads: &[Load]) -> Range<usize> {
    let end = loads.len().saturating_sub(1);
    let (mut start, mut gathered) = (end, 0);
    let is_of = |load: &Load, extension: &str| load.files.iter().all(|file| file.name.ends_with(extension));
    let extension =
        if loads.iter().flat_map(|load| &load.files).all(|file| file.name.ends_with(".parquet")) { ".parquet" } else { ".jsonl" };
    let last_of = end.checked_sub(1).and_then(|last| loads.get(last));
    while let Some(load) = start.checked_sub(1).and_then(|last| loads.get(last)) {
        let bytes: u64 = load.files.iter().map(|file| file.bytes).sum();
        let is_hidden_alike = last_of.is_none_or(|last| asked(last) == asked(load));
        if !is_hidden_alike || load.mode != LoadMode::Rows || bytes > SMALL.max(gathered) || !is_of(load, extension) {
            break;
        }
        gathered += bytes;
        start -= 1;
    }
    start..end
}

/// What was asked of a load's personal columns: only rows that are hidden alike go into one file.
fn asked(load: &Load) -> Option<LandedPolicy> {
    load.privacy.as_ref().map(|privacy| LandedPolicy { found: BTreeSet::new(), ..privacy.clone() })
}

/// Writes the rows of loads into one file; `None` if a column has the name that the number of the load would have.
fn pack(table: &TableLanding, loads: &[Load], is_keyed: bool) -> Result<Option<Load>, ConnectError> {
    let (Some(first), Some(last)) = (loads.first(), loads.last()) else { return Ok(None) };
    let mut files = Vec::new();
    if let Some(file) = loads.iter().find_map(|load| load.files.first()) {
        let extension = file.name.rsplit('.').next().unwrap_or_default();
        let from = first.packed.first().map_or(first.number, |oldest| oldest.number);
        let name = format!("pack-{from:06}-{:06}.{extension}", last.number);
        let path = table.folder().join(&name);
        if !versions::pack(table, loads, is_keyed, &path)? {
            tracing::info!(table = %table.manifest().table, "increments stay apart: a column is called `{LOAD_COLUMN}`");
            return Ok(None);
        }
        let (bytes, blake3) = sync_and_hash(&path)?;
        let rows = loads.iter().flat_map(|load| &load.files).map(|file| file.rows).sum();
        files.push(LandedFile { name, rows, bytes, blake3, content: None, origin: None });
    }
    let mut offsets = BTreeMap::new();
    let mut packed = Vec::new();
    for load in loads {
        offsets.extend(load.offsets.clone());
        if load.packed.is_empty() {
            packed.push(Packed { number: load.number, loaded_at: load.loaded_at.clone() });
        } else {
            packed.extend(load.packed.iter().cloned());
        }
    }
    Ok(Some(Load {
        offsets,
        packed,
        files,
        watermark: watermark(loads),
        privacy: asked(last).map(|privacy| LandedPolicy {
            found: loads.iter().filter_map(|load| load.privacy.as_ref()).flat_map(|privacy| privacy.found.clone()).collect(),
            ..privacy
        }),
        columns: columns(loads),
        is_anew: first.is_anew,
        notes: Vec::new(),
        ..last.clone()
    }))
}

fn watermark(loads: &[Load]) -> Option<Watermark> {
    let marks: Vec<&Watermark> = loads.iter().filter_map(|load| load.watermark.as_ref()).collect();
    let to = marks.iter().filter_map(|mark| mark.to).max();
    marks.first().map(|first| Watermark { column: first.column.clone(), from: first.from, to })
}

/// The columns there were, each of the kind that holds all its values, with the source's last name of its type.
fn columns(loads: &[Load]) -> Vec<LandedColumn> {
    let mut all: Vec<LandedColumn> = Vec::new();
    for column in loads.iter().flat_map(|load| &load.columns) {
        match all.iter_mut().find(|known| known.name == column.name) {
            Some(known) => {
                known.kind = known.kind.promote(column.kind).unwrap_or(known.kind);
                known.from.clone_from(&column.from);
            }
            None => all.push(column.clone()),
        }
    }
    all
}

/// Lets loads go that are not among the newest `keep` and of which nothing is left in the table: of another source, from before the
/// table was begun anew, or replaced by later ones. Returns how many files went.
///
/// # Errors
/// [`ConnectError`] of writing; the table then is as before.
pub(crate) fn let_go(table: &mut TableLanding, source: &str, is_keyed: bool, keep: usize) -> Result<usize, ConnectError> {
    let manifest = table.manifest();
    let counting = manifest.counting(source);
    let needed: BTreeSet<String> = if is_keyed {
        counting.iter().flat_map(|load| &load.files).map(|file| file.name.clone()).collect()
    } else {
        manifest.current(source).into_iter().map(|file| file.name.clone()).collect()
    };
    let newest = counting.len();
    let old = manifest.loads.len().saturating_sub(keep.max(1));
    let counts_from = manifest.loads.len() - newest;
    let mut changed = manifest.clone();
    let before: usize = manifest.loads.iter().map(|load| load.files.len()).sum();
    for load in &mut changed.loads[..old] {
        load.files.retain(|file| needed.contains(&file.name));
    }
    let mut place = 0;
    changed.loads.retain(|load| {
        place += 1;
        let is_dead = load.files.is_empty() && (place - 1 < counts_from || load.mode == LoadMode::Full);
        place > old || !is_dead
    });
    let after: usize = changed.loads.iter().map(|load| load.files.len()).sum();
    if after < before || changed.loads.len() < manifest.loads.len() {
        table.turn_to(changed)?;
    }
    Ok(before - after)
}

#[cfg(test)]
mod tests;
