//! SQLite in one file: one writer at a time with group commit, readers that never wait.
//!
//! WAL lets readers see the last commit while the next is written. `synchronous = FULL` syncs each commit, so that it survives
//! the loss of power as well as `kill -9`; writers that come at the same time share one commit and thus one sync. Each runs
//! under a savepoint of its own, so that one that fails takes nothing of the others away, and none is told of success before
//! the shared commit is on disk.
//!
//! ```text
//! writer 1: lock ─ BEGIN ─ savepoint ─ work ─ unlock ┐
//! writer 2:          lock ─ savepoint ─ work ─ unlock ┤ (someone is waiting: leave the transaction open)
//! writer 3:                   lock ─ savepoint ─ work ─ COMMIT ─ wakes 1 and 2
//! ```
//!
//! Not here: the tables (`schema`).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, ToSql};

use super::{Dialect, Insert, Row, Session, Value, schema};
use crate::StoreError;
use crate::error::Cause;

const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause before a busy file is opened once more.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// Most writers that share a commit, so that the first does not wait for ever.
const MOST_IN_A_COMMIT: u32 = 64;
/// Statements kept ready by each connection.
const STATEMENTS: usize = 256;
/// Readers kept open when they are not needed.
const IDLE_READERS: usize = 8;

/// A file of SQLite with its connections.
pub(crate) struct SqliteDatabase {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Writers that want the lock.
    waiting: AtomicUsize,
    readers: Mutex<Vec<Connection>>,
}

struct Writer {
    connection: Connection,
    /// The transaction that is open, with how many have written in it.
    open: Option<(Arc<Commit>, u32)>,
}

/// What became of a transaction that several writers share.
#[derive(Default)]
struct Commit {
    outcome: Mutex<Option<Result<(), StoreError>>>,
    done: Condvar,
}

impl Commit {
    fn finish(&self, outcome: Result<(), StoreError>) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.done.notify_all();
    }

    fn wait(&self) -> Result<(), StoreError> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = &*outcome {
                return outcome.clone();
            }
            outcome = self.done.wait(outcome).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Debug for SqliteDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDatabase").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteDatabase {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source: Arc::new(source) })?;
        }
        let started = Instant::now();
        let connection = loop {
            // Two programs that open a new file at once both turn it to WAL, for which SQLite does not wait.
            match open_writer(path) {
                Err(StoreError::Busy { .. }) if started.elapsed() < BUSY_TIMEOUT => std::thread::sleep(RETRY_AFTER),
                opened => break opened?,
            }
        };
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(Writer { connection, open: None }),
            waiting: AtomicUsize::new(0),
            readers: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn location(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn read<T>(&self, work: &mut dyn FnMut(&mut dyn Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open_reader()?,
        };
        let fail = |error| told(&self.path, error);
        connection.execute_batch("BEGIN").map_err(fail)?;
        let result = work(&mut SqliteSession { connection: &connection, path: &self.path });
        // A snapshot has nothing to lose; a connection that cannot end it is dropped.
        if connection.execute_batch("COMMIT").is_ok() {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < IDLE_READERS {
                readers.push(connection);
            }
        }
        result
    }

    pub(crate) fn write<T>(&self, work: &mut dyn FnMut(&mut dyn Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let fail = |error| told(&self.path, error);
        let (commit, members) = if let Some(open) = writer.open.take() {
            open
        } else {
            writer.connection.execute_batch("BEGIN IMMEDIATE").map_err(fail)?;
            (Arc::new(Commit::default()), 0)
        };
        let result = catch_unwind(AssertUnwindSafe(|| under_savepoint(&writer.connection, &self.path, work)));
        if writer.connection.is_autocommit() {
            // SQLite itself ended the transaction, for want of space or the like: nobody has written.
            let error = match &result {
                Ok(Err(error)) => error.clone(),
                _ => StoreError::Database { location: self.path.display().to_string(), source: Arc::new(rusqlite::Error::InvalidQuery) },
            };
            commit.finish(Err(error.clone()));
            return result.unwrap_or_else(|panic| resume_unwind(panic)).and(Err(error));
        }
        let members = members + 1;
        if self.waiting.load(Ordering::SeqCst) > 0 && members < MOST_IN_A_COMMIT {
            writer.open = Some((Arc::clone(&commit), members));
            drop(writer);
        } else {
            let outcome = writer.connection.execute_batch("COMMIT").map_err(fail);
            if outcome.is_err() && !writer.connection.is_autocommit() {
                // The commit's own error is the one to tell.
                let _ = writer.connection.execute_batch("ROLLBACK");
            }
            drop(writer);
            commit.finish(outcome);
        }
        let value = result.unwrap_or_else(|panic| resume_unwind(panic))?;
        commit.wait()?;
        Ok(value)
    }

    fn open_reader(&self) -> Result<Connection, StoreError> {
        let fail = |error| told(&self.path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(fail)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection
            .execute_batch(
                "PRAGMA query_only = ON; PRAGMA case_sensitive_like = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;",
            )
            .map_err(fail)?;
        Ok(connection)
    }
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let fail = |error| told(path, error);
    let mut connection = Connection::open(path).map_err(fail)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    schema::check_sqlite(&connection, path)?;
    // The WAL is folded into the file each 8 MiB: a commit that does it is the slow one.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA case_sensitive_like = ON; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 2048; PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(fail)?;
    schema::migrate_sqlite(&mut connection, path)?;
    connection.execute_batch("PRAGMA foreign_keys = ON").map_err(fail)?;
    Ok(connection)
}

fn under_savepoint<T>(
    connection: &Connection,
    path: &Path,
    work: &mut dyn FnMut(&mut dyn Session) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    /// Takes the savepoint back unless it was released, also when `work` panics.
    struct Savepoint<'a>(&'a Connection, bool);
    impl Drop for Savepoint<'_> {
        fn drop(&mut self) {
            if !self.1 && !self.0.is_autocommit() {
                // If even this fails, SQLite has ended the transaction, which the caller finds out.
                let _ = self.0.execute_batch("ROLLBACK TO member; RELEASE member");
            }
        }
    }
    connection.prepare_cached("SAVEPOINT member").and_then(|mut statement| statement.execute([])).map_err(|error| told(path, error))?;
    let mut savepoint = Savepoint(connection, false);
    let value = work(&mut SqliteSession { connection, path })?;
    connection.prepare_cached("RELEASE member").and_then(|mut statement| statement.execute([])).map_err(|error| told(path, error))?;
    savepoint.1 = true;
    Ok(value)
}

/// Tells the failures apart by which a person can act.
pub(crate) fn told(path: &Path, error: rusqlite::Error) -> StoreError {
    let location = path.display().to_string();
    let code = error.sqlite_error_code();
    if let rusqlite::Error::SqliteFailure(failure, _) = &error
        && failure.extended_code == 26
    {
        return StoreError::NotOurs { location };
    }
    let source: Cause = Arc::new(error);
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { location, source },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { location, source },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { location, source },
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { location, source },
        Some(ErrorCode::CannotOpen) => StoreError::Unopenable { location, source },
        Some(ErrorCode::NotADatabase) => StoreError::NotOurs { location },
        _ => StoreError::Database { location, source },
    }
}

struct SqliteSession<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(value)) => ValueRef::Integer(*value),
            Self::Real(Some(value)) => ValueRef::Real(*value),
            Self::Text(Some(value)) => ValueRef::Text(value.as_bytes()),
            Self::Int(None) | Self::Real(None) | Self::Text(None) => ValueRef::Null,
        }))
    }
}

fn bind(statement: &mut Statement<'_>, args: &[Value<'_>]) -> rusqlite::Result<()> {
    for (place, value) in args.iter().enumerate() {
        statement.raw_bind_parameter(place + 1, value)?;
    }
    Ok(())
}

impl Session for SqliteSession<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, args: &[Value<'_>]) -> Result<u64, StoreError> {
        let changed = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            bind(&mut statement, args)?;
            statement.raw_execute()
        };
        changed().map(|rows| rows as u64).map_err(|error| told(self.path, error))
    }

    fn query(&mut self, sql: &str, args: &[Value<'_>], each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let fail = |error| told(self.path, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        bind(&mut statement, args).map_err(fail)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(fail)? {
            each(&SqliteRow { row, path: self.path })?;
        }
        Ok(())
    }

    fn insert(&mut self, insert: Insert, values: &[Value<'_>]) -> Result<(), StoreError> {
        if values.is_empty() {
            return Ok(());
        }
        let places: Vec<String> = (1..=insert.columns).map(|place| format!("?{place}")).collect();
        let sql = format!("{} VALUES ({}) {}", insert.head, places.join(", "), insert.tail);
        let inserted = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            for row in values.chunks(insert.columns) {
                bind(&mut statement, row)?;
                statement.raw_execute()?;
            }
            Ok(())
        };
        inserted().map_err(|error| told(self.path, error))
    }
}

struct SqliteRow<'a> {
    row: &'a rusqlite::Row<'a>,
    path: &'a Path,
}

impl Row for SqliteRow<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.row.get(column).map_err(|error| told(self.path, error))
    }

    fn opt_real(&self, column: usize) -> Result<Option<f64>, StoreError> {
        self.row.get(column).map_err(|error| told(self.path, error))
    }

    fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.row.get(column).map_err(|error| told(self.path, error))
    }
}
