//! Personal columns of what landed: hidden as rows are written, and made up for where a load was written under a milder policy.
//!
//! Each load says in the manifest under which policy it was written. One that is milder than the present policy is written anew,
//! under other names, and the manifest turns to it in one step; then the old files go. What was hidden cannot be shown again: a
//! policy that became looser, or another key, needs a load from the beginning.
//!
//! Not here: what becomes of a value (`almanac-privacy`), the formats of objects (whoever is [`HideFile`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use almanac_privacy::{LandedPolicy, Policy, Redaction};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::ConnectError;
use crate::landing::{
    LandedColumn, LandedFile, LandedKind, LandingError, Load, Manifest, OpenLoad, Origin, StagedFile, TableLanding, sync_and_hash,
};
use crate::rows::{Cell, RowWriter, hidden_columns, short_hash};
use crate::versions::json;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Writes copies of files of any format without what is personal.
pub trait HideFile: std::fmt::Debug + Sync {
    /// Writes what is in `raw` to the paths that `next` gives for an extension; returns the personal columns that there were.
    ///
    /// # Errors
    /// A file that cannot be read, or a place that cannot be written.
    fn hide(&self, raw: &Path, redaction: &Redaction, next: &mut dyn FnMut(&str) -> PathBuf) -> Result<BTreeSet<String>, Failed>;
}

/// What becomes of the personal columns of a table as it lands.
#[derive(Debug, Clone, Copy)]
pub struct Hiding<'a> {
    /// Column by column.
    pub redaction: &'a Redaction,
    /// Knows the formats of objects.
    pub files: &'a dyn HideFile,
}

/// Refuses: nothing is asked of it where nothing is hidden.
#[derive(Debug)]
struct NoFiles;

impl HideFile for NoFiles {
    fn hide(&self, _raw: &Path, _redaction: &Redaction, _next: &mut dyn FnMut(&str) -> PathBuf) -> Result<BTreeSet<String>, Failed> {
        Err("nobody knows its format".into())
    }
}

static NOTHING: std::sync::LazyLock<Redaction> = std::sync::LazyLock::new(Redaction::default);

impl Hiding<'static> {
    /// Hides nothing.
    pub fn nothing() -> Self {
        Self { redaction: &NOTHING, files: &NoFiles }
    }
}

/// Takes the copy of an object into the load: as it is or, if the table has personal columns, without them. Returns those there were.
pub(crate) fn add_copy(
    hiding: Hiding<'_>,
    load: &mut OpenLoad<'_>,
    file: StagedFile,
    rows: Option<u64>,
    origin: Origin,
) -> Result<BTreeSet<String>, ConnectError> {
    if hiding.redaction.is_empty() {
        load.add_with(file, rows, None, Some(origin))?;
        return Ok(BTreeSet::new());
    }
    let raw = file.path().to_owned();
    let mut written = Vec::new();
    let mut next = |extension: &str| {
        let file = load.file(extension);
        let path = file.path().to_owned();
        written.push(file);
        path
    };
    let found = hiding.files.hide(&raw, hiding.redaction, &mut next);
    std::fs::remove_file(&raw).map_err(|source| ConnectError::Write { file: raw.display().to_string(), source })?;
    let found = found.map_err(|source| ConnectError::Hide { place: origin.url.clone(), source })?;
    for file in written {
        load.add_with(file, None, None, Some(origin.clone()))?;
    }
    Ok(found)
}

fn counts(manifest: &Manifest, source: &str) -> BTreeSet<u64> {
    manifest.counting(source).iter().map(|load| load.number).collect()
}

/// Returns the personal columns of the loads that count, with what is asked for them.
pub fn hidden_of(manifest: &Manifest, source: &str, redaction: &Redaction) -> BTreeMap<String, Policy> {
    let found = manifest.counting(source).iter().filter_map(|load| load.privacy.as_ref()).flat_map(|privacy| &privacy.found);
    found.filter_map(|column| Some((column.clone(), redaction.policy(column)?))).collect()
}

/// Returns whether everything landed as it is asked for now, so that [`hide_landed`] has nothing to do.
pub fn is_hidden_as_asked(manifest: &Manifest, source: &str, redaction: &Redaction) -> bool {
    let counting = counts(manifest, source);
    manifest.loads.iter().all(|load| {
        let (rest, lost) = redaction.since(load.privacy.as_ref());
        // Of a load that no longer counts nobody asks to see more.
        rest.is_empty() && (lost.is_empty() || redaction.is_empty() && !counting.contains(&load.number))
    })
}

/// Hides in what landed of a table what has become personal since. Loads that no longer count lose such columns whole if nothing else
/// can be done.
///
/// # Errors
/// [`ConnectError::Policy`] if a load that counts is hidden in a way from which the present one cannot be made, unless the table is to
/// be loaded anew; those of files. What had landed is then untouched.
pub fn hide_landed(table: &mut TableLanding, source: &str, is_anew: bool, hiding: Hiding<'_>) -> Result<(), ConnectError> {
    let mut manifest = table.manifest().clone();
    let counting = counts(&manifest, source);
    let mut is_changed = false;
    for load in &mut manifest.loads {
        let (mut rest, lost) = hiding.redaction.since(load.privacy.as_ref());
        if !lost.is_empty() && counting.contains(&load.number) {
            if is_anew {
                // Should the new load fail, this one still counts, and nothing is taken from it.
                continue;
            }
            let columns = lost.iter().map(|column| format!("`{column}`")).collect();
            return Err(ConnectError::Policy { table: table.manifest().table.clone(), columns });
        }
        if !lost.is_empty() && !hiding.redaction.is_empty() {
            rest = rest.without(lost);
        }
        if rest.is_empty() {
            continue;
        }
        tracing::info!(table = %table.manifest().table, load = load.number, "what landed before is hidden as `[privacy]` now asks");
        hide_load(table, load, &rest, hiding)?;
        is_changed = true;
    }
    if is_changed { Ok(table.replace(manifest)?) } else { Ok(()) }
}

/// Writes the files of a load anew, and has it name them.
fn hide_load(table: &TableLanding, load: &mut Load, rest: &Redaction, hiding: Hiding<'_>) -> Result<(), ConnectError> {
    let mut found: BTreeSet<String> = load.privacy.iter().flat_map(|privacy| privacy.found.clone()).collect();
    // What is written now depends on what was before and on what is asked, and so do the names.
    let asked = hiding.redaction.landed(BTreeSet::new());
    let tag = format!("{:?}{asked:?}{rest:?}", load.privacy);
    let tag = &blake3::hash(tag.as_bytes()).to_hex()[..8];
    let mut files = Vec::new();
    for file in &load.files {
        let old = table.path(file);
        let stem = file.name.split('.').next().unwrap_or_default().to_owned();
        let mut written: Vec<String> = Vec::new();
        let mut next = |extension: &str| {
            let part = if written.is_empty() { String::new() } else { format!("-{}", written.len()) };
            let name = format!("{stem}-{tag}{part}.{extension}");
            let path = table.folder().join(&name);
            written.push(name);
            path
        };
        let content = if file.origin.is_some() {
            let hidden = hiding.files.hide(&old, rest, &mut next);
            found.append(&mut hidden.map_err(|source| ConnectError::Hide { place: old.display().to_string(), source })?);
            None
        } else if file.name.ends_with(".parquet") {
            Some(hide_parquet(&old, &next("parquet"), &load.columns, rest, &mut found)?)
        } else {
            let hash = hide_lines(&old, &next("jsonl"), rest, &mut found)?;
            file.content.is_some().then_some(hash)
        };
        for name in written {
            let (bytes, blake3) = sync_and_hash(&table.folder().join(&name))?;
            files.push(LandedFile { name, bytes, blake3, content: content.clone(), ..file.clone() });
        }
    }
    load.files = files;
    load.columns = hidden_columns(&load.columns, rest);
    // A remark may quote what is personal now.
    load.notes.clear();
    load.privacy = hiding.redaction.landed(found.clone()).or_else(|| load.privacy.take().map(|privacy| LandedPolicy { found, ..privacy }));
    Ok(())
}

fn damaged(path: &Path, reason: impl ToString) -> ConnectError {
    LandingError::Damaged { path: path.to_owned(), reason: reason.to_string() }.into()
}

/// Rows of a database; returns the hash of their content, as if they had landed so.
fn hide_parquet(
    from: &Path,
    to: &Path,
    columns: &[LandedColumn],
    rest: &Redaction,
    found: &mut BTreeSet<String>,
) -> Result<String, ConnectError> {
    let failed = |source| LandingError::Io { action: "read", path: from.to_owned(), source };
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(from).map_err(failed)?).map_err(|error| damaged(from, error))?;
    let of_file = |field: &arrow::datatypes::Field| {
        let known = columns.iter().find(|column| column.name == *field.name());
        LandedColumn {
            name: field.name().clone(),
            kind: kind_of(field.data_type()),
            from: known.map(|one| one.from.clone()).unwrap_or_default(),
        }
    };
    let of_file = reader.schema().fields().iter().map(|field| of_file(field)).collect();
    let mut rows = RowWriter::new(to, of_file, rest)?;
    found.append(&mut rows.found());
    for batch in reader.build().map_err(|error| damaged(from, error))? {
        let batch = batch.map_err(|error| damaged(from, error))?;
        for row in 0..batch.num_rows() {
            for (column, array) in batch.columns().iter().enumerate() {
                if !rows.push(column, cell(array, row)) {
                    return Err(damaged(from, "a value is not of the type of its column"));
                }
            }
            rows.end_row()?;
        }
    }
    Ok(rows.finish()?.content)
}

fn kind_of(found: &DataType) -> LandedKind {
    match found {
        DataType::Int64 => LandedKind::Integer,
        DataType::Float64 => LandedKind::Real,
        DataType::Boolean => LandedKind::Boolean,
        DataType::Timestamp(..) => LandedKind::Timestamp,
        DataType::Date32 => LandedKind::Date,
        _ => LandedKind::Text,
    }
}

fn cell(array: &ArrayRef, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Int64 => Cell::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Cell::Real(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Timestamp(..) => Cell::Timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Date32 => Cell::Date(array.as_primitive::<Date32Type>().value(row)),
        _ => array.as_string_opt::<i32>().map_or(Cell::Null, |texts| Cell::Text(texts.value(row))),
    }
}

/// Rows of a service or a queue. A line that is a text stands for a message that could not be read: nobody knows what is in it.
fn hide_lines(from: &Path, to: &Path, rest: &Redaction, found: &mut BTreeSet<String>) -> Result<String, ConnectError> {
    let unwritten = |source| ConnectError::Write { file: to.display().to_string(), source };
    let mut out = BufWriter::new(File::create(to).map_err(unwritten)?);
    let (mut rows, mut sum) = (0_u64, 0_u128);
    for line in json::lines(from)? {
        let text = match line? {
            (_, Some(row)) => {
                let mut row = serde_json::Value::Object(row);
                found.append(&mut rest.json(&mut row));
                row.to_string()
            }
            (text, None) => serde_json::Value::from(rest.line(&String::from_utf8_lossy(&text))).to_string(),
        };
        sum = sum.wrapping_add(short_hash(text.as_bytes()));
        rows += 1;
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(unwritten)?;
    }
    out.flush().map_err(unwritten)?;
    Ok(format!("{rows}-{sum:032x}"))
}
