//! A database of SQLite that an MLflow server wrote, of any version from 2.0 on.
//!
//! It is opened for reading only. Tables and columns that a version does not have read as empty ([`Mlflow::each`]), so that no
//! version has to be known by its number. The rows of a table are read one after the other at constant memory.
//!
//! Not here: writing rows (`sink`), databases of other kinds.

mod registry;
mod runs;
mod traces;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::TransferError;
use super::artifacts::Collector;
use super::sink::Sink;
use super::tables::{Cell, Record};
use crate::StoreError;

/// The workspace that is read; versions that know others are rare, and two of them may use one name.
const WORKSPACE: &str = "default";

/// The database, and what rows refer to.
struct Mlflow<'a, 'd> {
    connection: Connection,
    path: PathBuf,
    sink: &'a mut Sink<'d>,
    files: &'a mut Collector<'d>,
    /// Names of experiments by number.
    experiments: HashMap<i64, String>,
    /// Key of each dataset by its id.
    datasets: HashMap<String, Cell>,
}

/// One row of a table: the columns that were asked for, in that order.
struct Found<'r> {
    row: &'r rusqlite::Row<'r>,
    place: String,
}

/// Returns whether a file is a database of MLflow's; `None` if it is no database.
pub(super) fn is_one(path: &Path) -> Option<bool> {
    let connection = open(path).ok()?;
    let sql = "SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'experiments', 'runs')";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).ok().map(|count| count == 3)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    Ok(connection)
}

/// Reads the whole database.
pub(super) fn read<'d>(path: &Path, sink: &mut Sink<'d>, files: &mut Collector<'d>) -> Result<(), TransferError> {
    let failed = |source| TransferError::Mlflow { path: path.to_owned(), source };
    let connection = open(path).map_err(failed)?;
    // One snapshot, also while a server goes on writing.
    connection.execute_batch("BEGIN").map_err(failed)?;
    let path = path.to_owned();
    let mut mlflow = Mlflow { connection, path, sink, files, experiments: HashMap::new(), datasets: HashMap::new() };
    mlflow.experiments()?;
    mlflow.runs()?;
    mlflow.logged_models()?;
    mlflow.registry()?;
    mlflow.traces()
}

impl Mlflow<'_, '_> {
    /// Hands each row of a table to `make`, which answers with what to keep of it. A column that is not there reads as empty.
    fn each(&mut self, table: &str, columns: &[&str], make: &mut dyn FnMut(&mut Self, &Found<'_>) -> Made) -> Result<(), TransferError> {
        let path = self.path.clone();
        let failed = |source| TransferError::Mlflow { path: path.clone(), source };
        let known: HashSet<String> = {
            let mut statement = self.connection.prepare("SELECT name FROM pragma_table_info(?1)").map_err(failed)?;
            let names = statement.query_map([table], |row| row.get(0)).map_err(failed)?;
            names.collect::<Result<_, _>>().map_err(failed)?
        };
        if known.is_empty() {
            return Ok(());
        }
        let asked: Vec<String> =
            columns.iter().map(|column| if known.contains(*column) { format!("\"{column}\"") } else { "NULL".to_owned() }).collect();
        let filter = if known.contains("workspace") { format!(" WHERE workspace = '{WORKSPACE}'") } else { String::new() };
        if known.contains("workspace") {
            let sql = format!("SELECT count(*) FROM \"{table}\" WHERE workspace <> '{WORKSPACE}'");
            let others: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).map_err(failed)?;
            if others > 0 {
                self.sink.report.problem(table, format!("{others} rows of other workspaces than `{WORKSPACE}` are left out"));
            }
        }
        let sql = format!("SELECT {} FROM \"{table}\"{filter}", asked.join(", "));
        // The statement borrows the connection, and `make` the rest: another connection would be another snapshot.
        let connection = std::mem::replace(&mut self.connection, Connection::open_in_memory().map_err(failed)?);
        let read = self.rows(&connection, &sql, table, make);
        self.connection = connection;
        read
    }

    fn rows(
        &mut self,
        connection: &Connection,
        sql: &str,
        table: &str,
        make: &mut dyn FnMut(&mut Self, &Found<'_>) -> Made,
    ) -> Result<(), TransferError> {
        let path = self.path.clone();
        let failed = |source| TransferError::Mlflow { path: path.clone(), source };
        let mut statement = connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut number = 0_u64;
        while let Some(row) = rows.next().map_err(failed)? {
            number += 1;
            let found = Found { row, place: format!("{table} {number}") };
            match make(self, &found) {
                Ok(records) => {
                    for record in records {
                        self.sink.push(record)?;
                    }
                }
                Err(Skipped(what)) => self.sink.report.problem(found.place, what),
            }
        }
        Ok(())
    }

    /// Returns the name of an experiment, by which rows refer to it.
    fn experiment(&self, number: Option<i64>) -> Result<Cell, Skipped> {
        let name = number.and_then(|number| self.experiments.get(&number));
        let shown = || number.map_or_else(|| "no number".to_owned(), |number| number.to_string());
        name.map(|name| name.as_str().into()).ok_or_else(|| Skipped(format!("names experiment {}, which is not there", shown())))
    }
}

/// What becomes of a row.
type Made = Result<Vec<Record>, Skipped>;

/// Why a row is left out.
struct Skipped(String);

impl From<StoreError> for Skipped {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl Found<'_> {
    fn int(&self, column: usize) -> Option<i64> {
        match self.row.get_ref(column).ok()? {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Real(number) => Some(number as i64),
            ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            _ => None,
        }
    }

    fn real(&self, column: usize) -> Option<f64> {
        match self.row.get_ref(column).ok()? {
            ValueRef::Integer(number) => Some(number as f64),
            ValueRef::Real(number) => Some(number),
            _ => None,
        }
    }

    fn text(&self, column: usize) -> Option<String> {
        match self.row.get_ref(column).ok()? {
            ValueRef::Text(text) | ValueRef::Blob(text) => Some(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Null => None,
        }
    }

    /// Returns a text that must be there.
    fn id(&self, column: usize, what: &str) -> Result<String, Skipped> {
        self.text(column).filter(|text| !text.is_empty()).ok_or_else(|| Skipped(format!("has no {what}")))
    }

    /// Makes a record of what stands in this row.
    fn record(&self, table: &str, id: &str, values: Vec<(&str, Cell)>) -> Record {
        Record::new(table, format!("{} `{id}`", self.place), values)
    }
}
