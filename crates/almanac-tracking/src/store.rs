//! The contract of a tracking store.
//!
//! Not here: a store (`sqlite`), the suite that checks one (`testing`).

use std::fmt;
use std::pin::Pin;

use crate::{
    Batch, Experiment, ExperimentId, Metric, Millis, ModelVersion, NewModelVersion, NewRun, RegisteredModel, Run, RunData, RunId,
    RunStatus, StoreError, VersionStatus,
};

/// What every method returns: a future that may be moved between threads, so that the trait can be used as `dyn`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps experiments, runs and the model registry.
///
/// Every implementation passes [`crate::testing::check_store`], which checks this text.
///
/// - Each call is one transaction: it happens wholly, and is on disk when the future is done, or not at all.
/// - Calls may come from many tasks and processes at once.
/// - Writing the same thing again changes nothing, so that a killed run can be resumed.
/// - Ids and times come from the caller; a store has no clock.
pub trait TrackingStore: fmt::Debug + Send + Sync {
    /// Returns the experiment of that name, and makes it first if it is not there.
    fn experiment<'a>(&'a self, name: &'a str, now: Millis) -> StoreFuture<'a, Experiment>;

    /// Returns all experiments, newest first.
    fn experiments(&self) -> StoreFuture<'_, Vec<Experiment>>;

    /// Starts the run, or sets one of that id running again: then its first name and start stay. `true`: it is new.
    ///
    /// Fails with [`StoreError::RunElsewhere`] if the id belongs to another experiment.
    fn start_or_resume_run<'a>(&'a self, run: &'a NewRun) -> StoreFuture<'a, (Run, bool)>;

    /// Sets status and end of a run.
    fn end_run<'a>(&'a self, run: &'a RunId, status: RunStatus, ended: Millis) -> StoreFuture<'a, ()>;

    /// Returns one run.
    fn run<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Run>;

    /// Returns up to `limit` runs of the experiment, newest start first, then by id.
    fn runs(&self, experiment: ExperimentId, limit: u32) -> StoreFuture<'_, Vec<Run>>;

    /// Logs params, metrics and tags. A param that has another value already fails the whole batch.
    fn log<'a>(&'a self, run: &'a RunId, batch: &'a Batch) -> StoreFuture<'a, ()>;

    /// Returns what the run has logged, of each metric the latest value.
    fn run_data<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunData>;

    /// Returns all values of one metric by (step, timestamp, value); NaN before numbers.
    fn metric_history<'a>(&'a self, run: &'a RunId, key: &'a str) -> StoreFuture<'a, Vec<Metric>>;

    /// Registers a version under the next number. The same run and source again give the version that is there.
    fn register_version<'a>(&'a self, version: &'a NewModelVersion) -> StoreFuture<'a, ModelVersion>;

    /// Sets the status of a version.
    fn set_version_status<'a>(&'a self, model: &'a str, version: u32, status: VersionStatus, now: Millis) -> StoreFuture<'a, ()>;

    /// Returns the versions of a model, newest first; an unknown model has none.
    fn model_versions<'a>(&'a self, model: &'a str) -> StoreFuture<'a, Vec<ModelVersion>>;

    /// Returns all registered models by name.
    fn registered_models(&self) -> StoreFuture<'_, Vec<RegisteredModel>>;

    /// Points an alias such as `champion` at a version, taking it from the one that had it.
    fn set_alias<'a>(&'a self, model: &'a str, alias: &'a str, version: u32, now: Millis) -> StoreFuture<'a, ()>;

    /// Takes an alias away; nothing happens if it is not there.
    fn delete_alias<'a>(&'a self, model: &'a str, alias: &'a str, now: Millis) -> StoreFuture<'a, ()>;

    /// Returns the version that the alias points at.
    fn version_by_alias<'a>(&'a self, model: &'a str, alias: &'a str) -> StoreFuture<'a, Option<ModelVersion>>;
}
