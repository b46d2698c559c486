//! The store: what is asked of the tables, one file a noun.
//!
//! Each method is one transaction, or one snapshot where it only reads: it happens wholly, and is on disk when it returns, or
//! not at all. Methods may be called from many threads and processes at once.
//!
//! Not here: the databases (`db`), which names are allowed (`names`).

mod access;
mod artifact_uris;
mod assessments;
mod experiments;
mod garbage;
mod inputs;
mod logged_models;
mod logging;
mod page;
mod random_name;
mod registry;
mod runs;
mod search;
mod studies;
mod traces;
mod trials;
mod validations;

use std::sync::atomic::AtomicUsize;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::db::{Database, args};
use crate::{StoreError, StoreUrl};

/// Keeps experiments, runs, models, traces and studies in a database.
///
/// Passes [`crate::testing::check_store`] on each database.
#[derive(Debug)]
pub struct TrackingStore {
    pub(crate) db: Database,
    /// Metrics that wait to be moved to their place; SQLite only.
    new_metrics: AtomicUsize,
}

/// Where artifacts of experiments without a place of their own go: to the server that is asked, which keeps them.
const ARTIFACT_ROOT: &str = "mlflow-artifacts:";

impl TrackingStore {
    /// Opens the database, makes it if it is a file that is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened or written, is damaged, is not ours or was written by a newer program.
    pub fn open(url: &StoreUrl) -> Result<Self, StoreError> {
        let store = Self { db: Database::open(url)?, new_metrics: AtomicUsize::new(0) };
        store.make_default_experiment()?;
        store.fold_metrics(usize::MAX)?;
        Ok(store)
    }

    /// MLflow's clients log to experiment 0 where none is named.
    fn make_default_experiment(&self) -> Result<(), StoreError> {
        let count = "SELECT count(*) FROM experiments";
        if self.db.read(|session| session.first(count, args![], |row| row.int(0)))? != Some(0) {
            return Ok(());
        }
        let sql = "INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
                   VALUES (0, 'Default', ?1, ?2, ?2) ON CONFLICT DO NOTHING";
        let location = format!("{ARTIFACT_ROOT}/0");
        // The one row that nobody asks for, so that nobody gives its time.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        self.db.write(|session| session.execute(sql, args![&location, now])).map(|_| ())
    }
}
