//! A store out to files: one file of JSON Lines a table, and a manifest that counts and proves them.
//!
//! Rows stand in the order of their keys, or in that of a number that is there for it, and carry no number of this store, so that equal stores give equal files. The folder
//! appears under its name only when it is whole. It may hold secrets of webhooks, and can be read by its owner only.
//!
//! Not here: files of artifacts, which stay where they are.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::TransferError;
use super::tables::{Cell, Kind, Record, Table, tables};
use crate::db::{Dialect, Row, Session, args};
use crate::{SCHEMA_VERSION, StoreError, TrackingStore};

/// Format of the files that this program writes.
pub(super) const FORMAT: u32 = 1;
/// Name of the manifest.
pub(super) const MANIFEST: &str = "manifest.json";
/// Rows that PostgreSQL sends at a time.
const FETCH: usize = 10_000;

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) schema_version: i64,
    pub(super) tables: Vec<ManifestTable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestTable {
    pub(super) table: String,
    pub(super) file: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSummary {
    /// The folder.
    pub folder: PathBuf,
    /// Rows by table, in the order of the schema.
    pub rows: Vec<(String, u64)>,
    /// Bytes of all files.
    pub bytes: u64,
}

impl TrackingStore {
    /// Writes all that the store holds, as of one moment, to a folder that is not there or empty.
    ///
    /// # Errors
    /// [`TransferError`] if the folder holds something or cannot be written, or the database cannot be read.
    pub fn export(&self, folder: &Path) -> Result<ExportSummary, TransferError> {
        let is_empty = match fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(TransferError::file("read", folder)(error)),
        };
        if !is_empty {
            return Err(TransferError::NotEmpty { path: folder.to_owned() });
        }
        let absolute = std::path::absolute(folder).map_err(TransferError::file("find", folder))?;
        let parent = absolute.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(TransferError::file("create", parent))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let unfinished = builder.prefix(".unfinished-").tempdir_in(parent).map_err(TransferError::file("write", parent))?;
        self.fold_metrics(usize::MAX)?;
        // The snapshot is one; an error of a file waits here until the session is closed.
        let mut failed = None;
        let written = self.db.read(|session| {
            let mut written = Vec::new();
            for table in tables() {
                match write_table(session, table, unfinished.path()) {
                    Ok(entry) => written.push(entry),
                    Err(TransferError::Store(error)) => return Err(error),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            Ok(written)
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        let manifest = Manifest { format: FORMAT, schema_version: SCHEMA_VERSION, tables: written };
        let path = unfinished.path().join(MANIFEST);
        let stored = || -> io::Result<()> {
            let mut file = File::create(&path)?;
            serde_json::to_writer_pretty(&mut file, &manifest)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            File::open(unfinished.path())?.sync_all()?;
            // The folder was empty, or is not there.
            match fs::remove_dir(&absolute) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::rename(unfinished.path(), &absolute)?,
            }
            File::open(parent)?.sync_all()
        };
        stored().map_err(TransferError::file("write", &absolute))?;
        let rows = manifest.tables.iter().map(|entry| (entry.table.clone(), entry.rows)).collect();
        Ok(ExportSummary { folder: folder.to_owned(), rows, bytes: manifest.tables.iter().map(|entry| entry.bytes).sum() })
    }
}

/// A file that counts and proves what goes into it.
struct Proven {
    file: BufWriter<File>,
    hash: blake3::Hasher,
    bytes: u64,
}

impl Write for Proven {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.file.write_all(part)?;
        self.hash.update(part);
        self.bytes += part.len() as u64;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn write_table(session: &mut dyn Session, table: &Table, folder: &Path) -> Result<ManifestTable, TransferError> {
    let name = format!("{}.jsonl", table.name);
    let path = folder.join(&name);
    let failed = |error| TransferError::file("write", &path)(error);
    let file = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(failed)?);
    let mut file = Proven { file, hash: blake3::Hasher::new(), bytes: 0 };
    let (mut rows, mut fault, mut line) = (0, None, Vec::new());
    stream(session, table, &mut |cells| {
        line.clear();
        write_line(&mut line, table, &cells);
        rows += 1;
        file.write_all(&line).map_err(|error| fault = Some(error)).is_ok()
    })?;
    if let Some(error) = fault {
        return Err(failed(error));
    }
    file.flush().and_then(|()| file.file.get_ref().sync_all()).map_err(failed)?;
    Ok(ManifestTable { table: table.name.clone(), file: name, rows, bytes: file.bytes, blake3: file.hash.finalize().to_hex().to_string() })
}

fn write_line(line: &mut Vec<u8>, table: &Table, cells: &[Cell]) {
    line.push(b'{');
    for (place, cell) in cells.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        write!(line, "{comma}\"{}\":{}", wire_name(table, place), to_json(cell)).expect("writing to memory");
    }
    line.extend_from_slice(b"}\n");
}

/// Returns the name of a field in the files: that of the key where the column holds a number of this store.
pub(super) fn wire_name(table: &Table, place: usize) -> String {
    let field = &table.fields[place];
    match field.kind {
        Kind::Number(other) => match tables()[other].key.as_slice() {
            [key] if tables()[other].name != "experiments" => tables()[other].fields[*key].column.clone(),
            _ => field.column.trim_end_matches("_no").trim_end_matches("_id").to_owned(),
        },
        _ => field.column.clone(),
    }
}

fn to_json(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Int(number) => (*number).into(),
        // JSON has no word for these.
        Cell::Real(number) if !number.is_finite() => number.to_string().into(),
        Cell::Real(number) => (*number).into(),
        Cell::Text(text) => text.as_str().into(),
        Cell::Key(cells) => cells.iter().map(to_json).collect(),
    }
}

/// Hands each row of a table to `each`, in the order of its key, until that answers `false`.
pub(super) fn stream(session: &mut dyn Session, table: &Table, each: &mut dyn FnMut(Vec<Cell>) -> bool) -> Result<(), StoreError> {
    let mut select = Select::default();
    let mut shape = Vec::new();
    for field in &table.fields {
        shape.push(select.field(&table.name, &field.column, field.kind, field.is_optional));
    }
    let mut order: Vec<String> = table.key.iter().flat_map(|place| shape[*place].columns()).map(|at| select.columns[at].clone()).collect();
    if let Some(number) = table.number.as_ref().filter(|_| table.is_ordered) {
        order = vec![format!("{}.{number}", table.name)];
    }
    let is_postgres = session.dialect() == Dialect::Postgres;
    if is_postgres {
        // The order of bytes, as SQLite has it; what is no text takes no collation.
        order = order
            .iter()
            .map(|column| if select.texts.contains(column) { format!("{column} COLLATE \"C\"") } else { column.clone() })
            .collect();
    }
    let from = source(session, table)?;
    let sql = format!(
        "SELECT {} FROM {from} AS {}{} ORDER BY {}",
        select.columns.join(", "),
        table.name,
        select.joins.concat(),
        order.join(", ")
    );
    let mut is_open = true;
    let mut read = |row: &dyn Row| {
        if is_open {
            let cells: Result<Vec<Cell>, StoreError> = shape.iter().map(|shape| shape.read(row)).collect();
            is_open = each(cells?);
        }
        Ok(())
    };
    if !is_postgres {
        return session.query(&sql, args![], &mut read);
    }
    // A name of its own for each table: statements are kept ready with the columns they gave.
    let cursor = format!("moved_{}", table.name);
    session.execute(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {sql}"), args![])?;
    loop {
        let mut rows = 0;
        session.query(&format!("FETCH {FETCH} FROM {cursor}"), args![], &mut |row| {
            rows += 1;
            read(row)
        })?;
        if rows < FETCH {
            break;
        }
    }
    session.execute(&format!("CLOSE {cursor}"), args![]).map(|_| ())
}

/// Metrics that came in after they were last moved to their place are in the view only, which has to sort what it shows.
fn source<'t>(session: &mut dyn Session, table: &'t Table) -> Result<&'t str, StoreError> {
    if table.name != "metrics" || session.dialect() == Dialect::Postgres {
        return Ok(table.name.as_str());
    }
    let waiting = session.first("SELECT count(*) FROM new_metrics", args![], |row| row.int(0))?;
    Ok(if waiting == Some(0) { "metrics" } else { "metric_values" })
}

/// Reads a whole table of another store as records.
pub(super) fn records(session: &mut dyn Session, index: usize, each: &mut dyn FnMut(Record) -> bool) -> Result<(), StoreError> {
    let table = &tables()[index];
    stream(session, table, &mut |cells| {
        let key: Vec<String> = table.key.iter().map(|place| cells[*place].key_text().replace('\u{1f}', " ")).collect();
        each(Record { table: index, place: format!("{} {}", table.name, key.join(" ")), cells })
    })
}

/// The parts of a `SELECT` that follows numbers to the keys of their rows.
#[derive(Debug, Default)]
struct Select {
    columns: Vec<String>,
    joins: Vec<String>,
    /// Which of the columns hold text.
    texts: BTreeSet<String>,
}

/// Where a cell is read from.
#[derive(Debug)]
enum Shape {
    One(usize, Kind),
    Key(Vec<Shape>),
}

impl Select {
    fn field(&mut self, from: &str, column: &str, kind: Kind, is_optional: bool) -> Shape {
        let full = format!("{from}.{column}");
        let Kind::Number(other) = kind else {
            if kind == Kind::Text {
                self.texts.insert(full.clone());
            }
            self.columns.push(full);
            return Shape::One(self.columns.len() - 1, kind);
        };
        let table = &tables()[other];
        let alias = format!("at_{}", self.joins.len());
        let number = table.number.as_deref().expect("referred to by its number");
        let join = if is_optional { "LEFT JOIN" } else { "JOIN" };
        self.joins.push(format!(" {join} {} AS {alias} ON {alias}.{number} = {full}", table.name));
        let parts: Vec<Shape> = (table.key.iter())
            .map(|place| &table.fields[*place])
            .map(|field| self.field(&alias, &field.column, field.kind, field.is_optional || is_optional))
            .collect();
        Shape::Key(parts)
    }
}

impl Shape {
    fn columns(&self) -> Vec<usize> {
        match self {
            Self::One(at, _) => vec![*at],
            Self::Key(parts) => parts.iter().flat_map(Self::columns).collect(),
        }
    }

    fn read(&self, row: &dyn Row) -> Result<Cell, StoreError> {
        Ok(match self {
            Self::One(at, Kind::Int | Kind::Number(_)) => row.opt_int(*at)?.into(),
            Self::One(at, Kind::Real) => row.opt_real(*at)?.into(),
            Self::One(at, Kind::Text) => row.opt_text(*at)?.into(),
            Self::Key(parts) => {
                let mut cells: Vec<Cell> = parts.iter().map(|part| part.read(row)).collect::<Result<_, _>>()?;
                match cells.len() {
                    1 => cells.remove(0),
                    _ if cells.contains(&Cell::Null) => Cell::Null,
                    _ => Cell::Key(cells),
                }
            }
        })
    }
}
