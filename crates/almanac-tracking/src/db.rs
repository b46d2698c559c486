//! The database under the store: SQLite in a file, or PostgreSQL.
//!
//! ```text
//! store (SQL written once) ── speaks to ──► Session ◄── implemented by ── sqlite, postgres
//!                                             ▲
//! Database::read / Database::write ── opens ──┘   one snapshot / one transaction
//! ```
//!
//! SQL is written once, in the words that both understand, with `?1`, `?2` … for values. What they say differently is
//! in [`Dialect`]. Calls block; a server makes them on threads where that is allowed.
//!
//! Not here: which tables there are (`schema`), what is asked of them (`store`).

mod postgres;
mod schema;
mod sqlite;
mod url;

use crate::StoreError;

pub(crate) use postgres::PostgresDatabase;
pub use schema::{SCHEMA_VERSION, table_names};
pub(crate) use sqlite::SqliteDatabase;
pub use url::StoreUrl;

/// A value that is bound to a statement. The absent ones have a type, because PostgreSQL asks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<&'a str>),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Real(Some(value))
    }
}

impl From<Option<f64>> for Value<'_> {
    fn from(value: Option<f64>) -> Self {
        Self::Real(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(value: &'a Option<String>) -> Self {
        Self::Text(value.as_deref())
    }
}

/// Makes the values of a statement: `args![run_id, step, 0.5]`.
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use args;

/// One row of an answer; columns count from 0. Asking for a type that the column does not hold is an error, not a panic.
pub(crate) trait Row {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError>;
    fn opt_real(&self, column: usize) -> Result<Option<f64>, StoreError>;
    fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError>;

    fn int(&self, column: usize) -> Result<i64, StoreError> {
        Ok(self.opt_int(column)?.unwrap_or_default())
    }

    fn real(&self, column: usize) -> Result<f64, StoreError> {
        Ok(self.opt_real(column)?.unwrap_or_default())
    }

    fn text(&self, column: usize) -> Result<String, StoreError> {
        Ok(self.opt_text(column)?.unwrap_or_default())
    }
}

/// What `SQLite` and PostgreSQL say differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// An `INSERT` of many rows at once: `head` ends before `VALUES`, `tail` holds `ON CONFLICT …` or nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Insert {
    pub(crate) head: &'static str,
    pub(crate) columns: usize,
    pub(crate) tail: &'static str,
}

/// An open transaction (of a write) or snapshot (of a read).
pub(crate) trait Session {
    fn dialect(&self) -> Dialect;

    /// Carries out a statement and returns how many rows it changed.
    fn execute(&mut self, sql: &str, args: &[Value<'_>]) -> Result<u64, StoreError>;

    /// Hands each row of the answer to `each`.
    fn query(&mut self, sql: &str, args: &[Value<'_>], each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Inserts rows, `values` being one row after the other. No two rows may meet in the conflict that `tail` speaks of.
    fn insert(&mut self, insert: Insert, values: &[Value<'_>]) -> Result<(), StoreError>;
}

impl dyn Session + '_ {
    /// Returns the first row of an answer, read by `read`.
    pub(crate) fn first<T>(
        &mut self,
        sql: &str,
        args: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.query(sql, args, &mut |row| {
            if found.is_none() {
                found = Some(read(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns all rows of an answer, each read by `read`.
    pub(crate) fn all<T>(
        &mut self,
        sql: &str,
        args: &[Value<'_>],
        read: impl Fn(&dyn Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.query(sql, args, &mut |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }
}

/// Where the tables are.
#[derive(Debug)]
pub(crate) enum Database {
    Sqlite(SqliteDatabase),
    Postgres(PostgresDatabase),
}

impl Database {
    /// Opens the database, makes it if it is a file that is not there, and brings its tables up to date.
    pub(crate) fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => Ok(Self::Sqlite(SqliteDatabase::open(path)?)),
            StoreUrl::Postgres(url) => Ok(Self::Postgres(PostgresDatabase::open(url)?)),
        }
    }

    /// Returns where the tables are, without a password.
    pub(crate) fn location(&self) -> String {
        match self {
            Self::Sqlite(database) => database.location(),
            Self::Postgres(database) => database.location().to_owned(),
        }
    }

    /// Reads from one snapshot.
    pub(crate) fn read<T>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(database) => database.read(&mut work),
            Self::Postgres(database) => database.read(&mut work),
        }
    }

    /// Writes in one transaction: when this returns `Ok`, all of it is on disk; otherwise none of it is.
    ///
    /// `work` may be called again where PostgreSQL asks for it, so it does nothing but speak to the session.
    pub(crate) fn write<T>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(database) => database.write(&mut work),
            Self::Postgres(database) => database.write(&mut work),
        }
    }
}
