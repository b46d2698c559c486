//! Tracking: experiments, runs, params, metrics, tags, datasets, logged models, traces, registered models, versions and
//! aliases, in MLflow's words; files of artifacts; studies of Optuna.
//!
//! [`TrackingStore`] keeps the rows, in SQLite or PostgreSQL ([`StoreUrl`]); [`testing::check_store`] checks it on either.
//! Times are given by the caller, a store has no clock. Calls block.
//!
//! Not here: HTTP and MLflow's wire format (`almanac-server`), deciding what to log (`almanac-pipeline`).

mod artifacts;
mod collect;
mod db;
mod distribution;
mod error;
mod filter;
mod mlmodel;
mod names;
mod python_json;
mod secrets;
mod store;
pub mod testing;
mod transfer;
mod words;

pub use artifacts::{
    Artifact, ArtifactContent, ArtifactError, ArtifactFolder, ArtifactInfo, ArtifactMeta, ArtifactPath, ArtifactStore, Interruption,
    LocalArtifacts, PartTarget, Stored, Upload, UploadedPart,
};
pub use collect::{CollectError, Collected, collect_garbage};
pub use db::{SCHEMA_VERSION, StoreUrl, table_names};
pub use error::{Cause, ErrorCode, StoreError};
pub use mlmodel::{MlmodelFacts, MlmodelFile, mlmodel, write_mlmodel};
pub use names::{InvalidName, RunId};
pub use store::TrackingStore;
pub use transfer::{Artifacts, ExportSummary, ImportOptions, ImportReport, Problem, Source, TableCount, TransferError};
pub use words::*;
