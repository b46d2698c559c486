//! Tracking: experiments, runs, params, metrics, tags, artifacts, registered models, versions and aliases, in MLflow's words.
//!
//! [`TrackingStore`] is the contract, [`SqliteStore`] keeps it in one file, [`testing::check_store`] checks any implementor.
//! Files of a run lie in an [`ArtifactStore`]. Times and ids are given by the caller, so that a resumed run writes the same
//! rows again instead of new ones.
//!
//! Not here: HTTP and MLflow's wire format (`almanac-server`), deciding what to log (`almanac-pipeline`), a clock.

mod artifacts;
mod error;
mod names;
mod sqlite;
mod store;
pub mod testing;
mod words;

pub use artifacts::{ArtifactError, ArtifactInfo, ArtifactPath, ArtifactStore};
pub use error::StoreError;
pub use names::{InvalidName, RunId};
pub use sqlite::{SCHEMA_VERSION, SqliteStore};
pub use store::{StoreFuture, TrackingStore};
pub use words::{
    Batch, Experiment, ExperimentId, Metric, Millis, ModelVersion, NewModelVersion, NewRun, Param, RegisteredModel, Run, RunData,
    RunStatus, Tag, VersionStatus,
};
