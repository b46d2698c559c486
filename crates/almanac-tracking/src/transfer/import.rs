//! A store in: which kind of source it is, and reading an export or another store.
//!
//! Not here: MLflow's own stores (`mlruns`, `mlflow_sqlite`), writing (`sink`).

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::artifacts::{Artifacts, Collector};
use super::export::{FORMAT, MANIFEST, Manifest, ManifestTable, records, wire_name};
use super::report::ImportReport;
use super::sink::Sink;
use super::tables::{Cell, Kind, Record, Table, tables};
use super::{TransferError, is_same, mlflow_sqlite, mlruns};
use crate::{StoreError, StoreUrl, TrackingStore};

/// What can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder such as `mlruns`.
    Mlruns(PathBuf),
    /// A database of SQLite that an MLflow server wrote.
    MlflowSqlite(PathBuf),
    /// A folder that [`TrackingStore::export`] wrote.
    Export(PathBuf),
    /// Another store of this program.
    Store(StoreUrl),
}

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// What becomes of files.
    pub artifacts: Artifacts,
    /// Only find out what would be done.
    pub dry_run: bool,
}

impl Source {
    /// Finds out what a path or URL leads to.
    ///
    /// # Errors
    /// [`TransferError::NotASource`] if it is nothing that can be imported.
    pub fn detect(given: &str) -> Result<Self, TransferError> {
        let not_a_source = || TransferError::NotASource { given: given.to_owned() };
        if let Some(rest) = given.strip_prefix("file:") {
            let path = url::Url::parse(given).ok().and_then(|url| url.to_file_path().ok()).unwrap_or_else(|| PathBuf::from(rest));
            return Self::of_path(&path).ok_or_else(not_a_source);
        }
        match StoreUrl::parse(given).map_err(|_| not_a_source())? {
            StoreUrl::Sqlite(path) => Self::of_path(&path).ok_or_else(not_a_source),
            url @ StoreUrl::Postgres(_) => Ok(Self::Store(url)),
        }
    }

    fn of_path(path: &Path) -> Option<Self> {
        let owned = || path.to_owned();
        if path.join(MANIFEST).is_file() {
            Some(Self::Export(owned()))
        } else if path.is_dir() {
            mlruns::is_one(path).then(|| Self::Mlruns(owned()))
        } else if path.is_file() {
            match mlflow_sqlite::is_one(path) {
                Some(true) => Some(Self::MlflowSqlite(owned())),
                Some(false) => Some(Self::Store(StoreUrl::Sqlite(owned()))),
                None => None,
            }
        } else {
            None
        }
    }
}

impl TrackingStore {
    /// Adds what a source holds and this store does not.
    ///
    /// # Errors
    /// [`TransferError`] if the source or this store cannot be read or written. Damaged pieces are in the report instead.
    pub fn import(&self, source: &Source, options: &ImportOptions) -> Result<ImportReport, TransferError> {
        let mut sink = Sink::new(&self.db, options.dry_run);
        let mut files = Collector::new(&options.artifacts, options.dry_run);
        match source {
            Source::Mlruns(path) => mlruns::read(path, &mut sink, &mut files)?,
            Source::MlflowSqlite(path) => mlflow_sqlite::read(path, &mut sink, &mut files)?,
            Source::Export(path) => read_export(path, &mut sink)?,
            Source::Store(url) => self.read_store(url, &mut sink)?,
        }
        files.tell(&mut sink.report);
        Ok(sink.finish()?)
    }

    fn read_store(&self, url: &StoreUrl, sink: &mut Sink<'_>) -> Result<(), TransferError> {
        if is_same(url, &self.db.location()) {
            return Err(TransferError::SameStore { location: url.to_string() });
        }
        let other = Self::open(url)?;
        let mut failed = None;
        other.db.read(|session| {
            for index in 0..tables().len() {
                records(session, index, &mut |record| match sink.push(record) {
                    Ok(()) => true,
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                })?;
                if failed.is_some() {
                    break;
                }
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), |error: StoreError| Err(error.into()))
    }
}

fn read_export(folder: &Path, sink: &mut Sink<'_>) -> Result<(), TransferError> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).map_err(TransferError::file("read", &path))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|source| TransferError::Manifest { path: path.clone(), source })?;
    if manifest.format > FORMAT {
        return Err(TransferError::NewerFormat { path, found: manifest.format, known: FORMAT });
    }
    for entry in &manifest.tables {
        let is_plain = Path::new(&entry.file).file_name().is_some_and(|name| name == entry.file.as_str());
        match tables().iter().position(|table| table.name == entry.table) {
            Some(index) if is_plain => read_table(folder, index, entry, sink)?,
            Some(_) => sink.report.problem(&entry.file, "is not the name of a file in this folder"),
            None => sink.report.problem(&entry.file, format!("this program knows no table `{}`", entry.table)),
        }
    }
    Ok(())
}

fn read_table(folder: &Path, index: usize, entry: &ManifestTable, sink: &mut Sink<'_>) -> Result<(), TransferError> {
    let path = folder.join(&entry.file);
    let place = path.display().to_string();
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            sink.report.problem(place, format!("cannot be read: {error}"));
            return Ok(());
        }
    };
    let mut hash = blake3::Hasher::new();
    io::copy(&mut file, &mut hash).map_err(TransferError::file("read", &path))?;
    if hash.finalize().to_hex().as_str() != entry.blake3 {
        sink.report.problem(&place, "is not as it was written: its checksum differs");
    }
    let table = &tables()[index];
    let file = File::open(&path).map_err(TransferError::file("read", &path))?;
    let mut rows = 0;
    for (number, line) in BufReader::with_capacity(1 << 20, file).split(b'\n').enumerate() {
        let line = line.map_err(TransferError::file("read", &path))?;
        rows += 1;
        match read_line(table, &line) {
            Ok(cells) => sink.push(Record { table: index, cells, place: format!("{place}:{}", number + 1) })?,
            Err(what) => sink.report.problem(format!("{place}:{}", number + 1), what),
        }
    }
    if rows != entry.rows {
        sink.report.problem(place, format!("has {rows} rows, {} were written", entry.rows));
    }
    Ok(())
}

fn read_line(table: &Table, line: &[u8]) -> Result<Vec<Cell>, String> {
    let mut row: Map<String, Json> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let mut cells = Vec::with_capacity(table.fields.len());
    for (place, field) in table.fields.iter().enumerate() {
        let name = wire_name(table, place);
        let cell = match row.remove(&name) {
            // Written by a program that did not know the column.
            None => field.empty(),
            Some(value) => read_cell(field.kind, value).ok_or_else(|| format!("`{name}` holds a value of another type"))?,
        };
        cells.push(cell);
    }
    match row.keys().next() {
        Some(unknown) => Err(format!("this program knows no column `{unknown}`")),
        None => Ok(cells),
    }
}

fn read_cell(kind: Kind, value: Json) -> Option<Cell> {
    match (kind, value) {
        (_, Json::Null) => Some(Cell::Null),
        (Kind::Int, value) => value.as_i64().map(Cell::Int),
        (Kind::Real, Json::String(word)) => word.parse().ok().map(Cell::Real),
        (Kind::Real, value) => value.as_f64().map(Cell::Real),
        (Kind::Text, Json::String(text)) => Some(Cell::Text(text)),
        (Kind::Text, _) => None,
        (Kind::Number(other), value) => read_key(&tables()[other], value),
    }
}

fn read_key(table: &Table, value: Json) -> Option<Cell> {
    let kinds: Vec<Kind> = table.key.iter().map(|place| table.fields[*place].kind).collect();
    match (kinds.as_slice(), value) {
        ([kind], value) => read_cell(*kind, value),
        (_, Json::Array(values)) if values.len() == kinds.len() => {
            let cells: Option<Vec<Cell>> = kinds.iter().zip(values).map(|(kind, value)| read_cell(*kind, value)).collect();
            cells.map(Cell::Key)
        }
        _ => None,
    }
}
