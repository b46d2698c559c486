//! A tracking store in one SQLite file.
//!
//! WAL, so that readers never wait for the writer, and `synchronous = FULL`: a commit survives the loss of power as well as
//! `kill -9`. There are few transactions, so the sync of each costs nothing that anybody sees.
//! Writers begin `IMMEDIATE`, because a read transaction that turns into a writer cannot wait for another one.
//!
//! Not here: SQL of each noun (`runs`, `registry`), the tables (`schema.sql`).

mod registry;
mod runs;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::{
    Batch, Experiment, ExperimentId, Metric, Millis, ModelVersion, NewModelVersion, NewRun, RegisteredModel, Run, RunData, RunId,
    RunStatus, StoreError, StoreFuture, TrackingStore, VersionStatus,
};

/// Version of the tables that this program writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Steps from version n to n + 1. Never changed once released; a new version is a new step.
const MIGRATIONS: [&str; 1] = [include_str!("sqlite/v1.sql")];

/// Marks the file as ours: `Alma` in ASCII, set by the first migration.
const APPLICATION_ID: i64 = 0x416c_6d61;

const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause before a busy file is opened once more.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Tracking store in one SQLite file. Cheap to clone; the clones share connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file, makes it and its folder if they are not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened or written, is damaged, is not ours or was written by a newer program.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = connect(path, &options).await?;
        let store = Self { pool, path: path.to_owned() };
        store.migrate().await?;
        Ok(store)
    }

    /// Closes all connections; the last one folds the WAL into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let fail = |error| told(&self.path, error);
        let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await.map_err(fail)?;
        let owner: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *transaction).await.map_err(fail)?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut *transaction).await.map_err(fail)?;
        if owner != APPLICATION_ID && tables > 0 {
            return Err(StoreError::NotOurs { path: self.path.clone() });
        }
        if version > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema { path: self.path.clone(), found: version, known: SCHEMA_VERSION });
        }
        for step in MIGRATIONS.into_iter().skip(version as usize) {
            sqlx::raw_sql(step).execute(&mut *transaction).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.fail(error))
    }

    fn fail(&self, error: sqlx::Error) -> StoreError {
        told(&self.path, error)
    }

    fn unreadable(&self, what: &'static str, value: &str) -> StoreError {
        StoreError::Unreadable { path: self.path.clone(), what, value: value.to_owned() }
    }
}

/// Opens the connections. Two programs that open a new file at once both turn it to WAL, for which SQLite does not wait.
async fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let started = Instant::now();
    loop {
        let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(BUSY_TIMEOUT).connect_with(options.clone()).await;
        match pool.map_err(|error| told(path, error)) {
            Err(StoreError::Busy { .. }) if started.elapsed() < BUSY_TIMEOUT => tokio::time::sleep(RETRY_AFTER).await,
            connected => return connected,
        }
    }
}

/// Tells the failures apart by which a person can act, by SQLite's primary result code.
fn told(path: &Path, source: sqlx::Error) -> StoreError {
    let path = path.to_owned();
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => StoreError::Busy { path, source },
        Some(8) => StoreError::ReadOnly { path, source },
        Some(11) => StoreError::Damaged { path, source },
        Some(13) => StoreError::DiskFull { path, source },
        Some(14) => StoreError::Unopenable { path, source },
        Some(26) => StoreError::NotOurs { path },
        _ => StoreError::Database { path, source },
    }
}

impl TrackingStore for SqliteStore {
    fn experiment<'a>(&'a self, name: &'a str, now: Millis) -> StoreFuture<'a, Experiment> {
        Box::pin(self.get_or_create_experiment(name, now))
    }

    fn experiments(&self) -> StoreFuture<'_, Vec<Experiment>> {
        Box::pin(self.list_experiments())
    }

    fn start_or_resume_run<'a>(&'a self, run: &'a NewRun) -> StoreFuture<'a, (Run, bool)> {
        Box::pin(self.start_run(run))
    }

    fn end_run<'a>(&'a self, run: &'a RunId, status: RunStatus, ended: Millis) -> StoreFuture<'a, ()> {
        Box::pin(self.set_run_end(run, status, ended))
    }

    fn run<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Run> {
        Box::pin(self.get_run(run))
    }

    fn runs(&self, experiment: ExperimentId, limit: u32) -> StoreFuture<'_, Vec<Run>> {
        Box::pin(self.list_runs(experiment, limit))
    }

    fn log<'a>(&'a self, run: &'a RunId, batch: &'a Batch) -> StoreFuture<'a, ()> {
        Box::pin(self.log_batch(run, batch))
    }

    fn run_data<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunData> {
        Box::pin(self.get_run_data(run))
    }

    fn metric_history<'a>(&'a self, run: &'a RunId, key: &'a str) -> StoreFuture<'a, Vec<Metric>> {
        Box::pin(self.get_metric_history(run, key))
    }

    fn register_version<'a>(&'a self, version: &'a NewModelVersion) -> StoreFuture<'a, ModelVersion> {
        Box::pin(self.add_version(version))
    }

    fn set_version_status<'a>(&'a self, model: &'a str, version: u32, status: VersionStatus, now: Millis) -> StoreFuture<'a, ()> {
        Box::pin(self.update_version(model, version, status, now))
    }

    fn model_versions<'a>(&'a self, model: &'a str) -> StoreFuture<'a, Vec<ModelVersion>> {
        Box::pin(self.list_versions(model))
    }

    fn registered_models(&self) -> StoreFuture<'_, Vec<RegisteredModel>> {
        Box::pin(self.list_models())
    }

    fn set_alias<'a>(&'a self, model: &'a str, alias: &'a str, version: u32, now: Millis) -> StoreFuture<'a, ()> {
        Box::pin(self.point_alias(model, alias, version, now))
    }

    fn delete_alias<'a>(&'a self, model: &'a str, alias: &'a str, now: Millis) -> StoreFuture<'a, ()> {
        Box::pin(self.remove_alias(model, alias, now))
    }

    fn version_by_alias<'a>(&'a self, model: &'a str, alias: &'a str) -> StoreFuture<'a, Option<ModelVersion>> {
        Box::pin(self.find_alias(model, alias))
    }
}
