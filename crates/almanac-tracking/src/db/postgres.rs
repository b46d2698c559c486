//! PostgreSQL: a pool of connections, one transaction a write, tried again where the server asks for it.
//!
//! The driver is asynchronous; it runs on a small runtime of its own, and calls wait for it.
//!
//! Not here: the tables (`schema`).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Postgres, Row as _};
use tokio::runtime::Runtime;

use super::{Dialect, Insert, Row, Session, StoreUrl, Value, schema};
use crate::StoreError;
use crate::error::Cause;

/// Most connections at a time.
const CONNECTIONS: u32 = 16;
/// How long a call waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a transaction is tried that met another one.
const ATTEMPTS: u32 = 5;
/// Values that fit into one statement; the protocol's limit is 65535.
const MOST_VALUES: usize = 30_000;

/// A database of PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresDatabase {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    pool: PgPool,
    location: String,
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // A runtime may be dropped on a thread of another one only this way.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl PostgresDatabase {
    pub(crate) fn open(url: &url::Url) -> Result<Self, StoreError> {
        let location = StoreUrl::Postgres(url.clone()).to_string();
        let unopenable = |source: Cause| StoreError::Unopenable { location: location.clone(), source };
        let options: PgConnectOptions = url.as_str().parse().map_err(|error: sqlx::Error| unopenable(Arc::new(error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| unopenable(Arc::new(error)))?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(options);
        let pool = wait(&runtime, pool).map_err(|error| unopenable(Arc::new(error)))?;
        let database = Self { runtime: Some(runtime), pool, location };
        database.migrate()?;
        Ok(database)
    }

    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("taken only on drop")
    }

    fn migrate(&self) -> Result<(), StoreError> {
        self.write(&mut |session| schema::migrate_postgres(session, &self.location))
    }

    pub(crate) fn read<T>(&self, work: &mut dyn FnMut(&mut dyn Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work)
    }

    pub(crate) fn write<T>(&self, work: &mut dyn FnMut(&mut dyn Session) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut attempt = 1;
        loop {
            match self.transaction("BEGIN", work) {
                Err(StoreError::Busy { .. }) if attempt < ATTEMPTS => {
                    std::thread::sleep(Duration::from_millis(5_u64 << attempt));
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn transaction<T>(
        &self,
        begin: &'static str,
        work: &mut dyn FnMut(&mut dyn Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let runtime = self.runtime();
        // The pool takes a connection back in the background, also on a thread that is not of the runtime.
        let _context = runtime.enter();
        let fail = |error| told(&self.location, error);
        let mut connection = wait(runtime, self.pool.acquire()).map_err(fail)?;
        let mut transaction = wait(runtime, connection.begin_with(begin)).map_err(fail)?;
        let result = work(&mut PostgresSession { runtime, connection: &mut transaction, location: &self.location });
        match result {
            Ok(value) => {
                wait(runtime, transaction.commit()).map_err(fail)?;
                Ok(value)
            }
            Err(error) => {
                // What went wrong first is what to tell; a connection that cannot roll back is closed by the pool.
                let _ = wait(runtime, transaction.rollback());
                Err(error)
            }
        }
    }
}

/// Waits for a future of the driver, on any thread that may block.
fn wait<T: Send>(runtime: &Runtime, future: impl Future<Output = T> + Send) -> T {
    runtime.block_on(future)
}

/// Tells the failures apart by which a person can act, by `SQLSTATE`.
fn told(location: &str, error: sqlx::Error) -> StoreError {
    let location = location.to_owned();
    let state = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned()).unwrap_or_default();
    let is_unreachable = matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut);
    let source: Cause = Arc::new(error);
    match state.as_str() {
        // Serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => StoreError::Busy { location, source },
        "53100" => StoreError::DiskFull { location, source },
        "25006" | "42501" => StoreError::ReadOnly { location, source },
        // A text with NUL, which PostgreSQL cannot hold.
        "22021" => StoreError::invalid("Invalid value: text must not contain the character NUL (\\u0000)."),
        "28000" | "28P01" | "3D000" => StoreError::Unopenable { location, source },
        _ if is_unreachable => StoreError::Unopenable { location, source },
        _ => StoreError::Database { location, source },
    }
}

struct PostgresSession<'a> {
    runtime: &'a Runtime,
    connection: &'a mut PgConnection,
    location: &'a str,
}

fn bound<'q>(sql: String, args: &[Value<'q>]) -> Query<'q, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in args {
        query = match *value {
            Value::Int(value) => query.bind(value),
            Value::Real(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
        };
    }
    query
}

/// Writes `?1` as `$1`.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

impl Session for PostgresSession<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, sql: &str, args: &[Value<'_>]) -> Result<u64, StoreError> {
        if args.is_empty() {
            // Without values several statements may come at once, as in a migration.
            let done = wait(self.runtime, self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))));
            return done.map(|done| done.rows_affected()).map_err(|error| told(self.location, error));
        }
        let done = wait(self.runtime, bound(numbered(sql), args).execute(&mut *self.connection));
        done.map(|done| done.rows_affected()).map_err(|error| told(self.location, error))
    }

    fn query(&mut self, sql: &str, args: &[Value<'_>], each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let rows = wait(self.runtime, bound(numbered(sql), args).fetch_all(&mut *self.connection));
        for row in rows.map_err(|error| told(self.location, error))? {
            each(&PostgresRow { row, location: self.location })?;
        }
        Ok(())
    }

    fn insert(&mut self, insert: Insert, values: &[Value<'_>]) -> Result<(), StoreError> {
        for chunk in values.chunks(MOST_VALUES / insert.columns * insert.columns) {
            let mut sql = format!("{} VALUES ", insert.head);
            for place in 0..chunk.len() {
                let before = match (place, place % insert.columns) {
                    (0, _) => "(",
                    (_, 0) => "), (",
                    _ => ", ",
                };
                write!(sql, "{before}${}", place + 1).expect("writing to a text");
            }
            sql.push_str(") ");
            sql.push_str(insert.tail);
            // Kept ready only where the same number of rows is likely to come again.
            let is_usual = chunk.len() <= insert.columns * 100;
            let query = bound(sql, chunk).persistent(is_usual);
            wait(self.runtime, query.execute(&mut *self.connection)).map_err(|error| told(self.location, error))?;
        }
        Ok(())
    }
}

struct PostgresRow<'a> {
    row: PgRow,
    location: &'a str,
}

impl Row for PostgresRow<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        let long = self.row.try_get(column);
        // A number that stands in the statement, as in `SELECT 1`, has 32 bits.
        let short = || self.row.try_get::<Option<i32>, _>(column).map(|value| value.map(i64::from));
        long.or_else(|error| short().map_err(|_| error)).map_err(|error| told(self.location, error))
    }

    fn opt_real(&self, column: usize) -> Result<Option<f64>, StoreError> {
        self.row.try_get(column).map_err(|error| told(self.location, error))
    }

    fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.row.try_get(column).map_err(|error| told(self.location, error))
    }
}
