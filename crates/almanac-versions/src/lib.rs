//! Data under version control, as DVC keeps it: pointer files beside the data, contents by hash in a cache, remotes.
//!
//! ```text
//! data.csv ──add──► .dvc/cache/files/md5/ab/cdef…  ──push──► remote/files/md5/ab/cdef…
//!    ▲                  │                     ▲                   │
//!    └────checkout──────┘                     └───────fetch───────┘        data.csv.dvc goes to git
//! ```
//!
//! Bytes on disk are those of DVC 3.67, both ways: pointers, `.dir` objects, configuration, ignore files. [`Repo`] is where to
//! begin; each verb is a method of it, in a file of its own under `ops/`.
//!
//! Not here: tables and what is in them (`almanac-data`), running pipelines (`almanac-pipeline`).

mod cache;
pub mod config;
mod copy;
mod document;
mod error;
mod files;
mod git;
mod gitignore;
mod hash;
mod ignore;
mod index;
mod link;
mod lock;
mod lock_file;
mod ops;
mod outs;
mod params;
mod pointer;
mod progress;
mod remote;
mod repo;
mod tree;
mod walk;
mod work;
mod yaml;

pub use cache::Cache;
pub use config::{Config, Level, OptionName, RemoteConfig};
pub use error::{NamedOid, Result, VersionsError};
pub use files::Stamp;
pub use git::{Git, Which};
pub use hash::{Md5, Oid};
pub use index::Index;
pub use link::Link;
pub use ops::add::{AddOptions, Added};
pub use ops::checkout::{CheckedOut, CheckoutOptions};
pub use ops::diff::{Changed, Diff, Entry as DiffEntry};
pub use ops::gc::{Collected, GcOptions};
pub use ops::import_url::ImportOptions;
pub use ops::status::{CloudStatus, Status};
pub use ops::transfer::{TransferOptions, Transferred};
pub use outs::{Out, Pipeline, Stage, Tracked};
pub use params::Params;
pub use pointer::{Entry, Pointer};
pub use progress::Progress;
pub use repo::{InitOptions, Repo};
pub use tree::{Tree, what_is_unsafe};
