//! Privacy: personal values hashed, masked or dropped where rows come in, and the erasure of one subject from every file.
//!
//! - [`Redaction`] is what values of a table pass through before anything is written or said ([`Policy`], [`PrivacyKey`]).
//! - [`plan_erasure`] finds a subject in every file of a project, [`erase`] takes it out and writes a proof, [`verify`] reads it again.
//!
//! Files are told by their content, so that what another program or another part of Almanac wrote is found too.
//!
//! Not here: which columns are personal (`almanac-config`), where a project keeps its things (`almanac-pipeline`).

mod beyond;
mod cell;
mod dvc;
mod erase;
mod error;
mod files;
mod git;
mod journal;
mod key;
mod landed;
mod looks;
mod needles;
mod policy;
mod postgres;
mod proof;
mod redaction;
mod rewrite;
mod search;
mod verify;

pub use beyond::{Beyond, Finder};
pub use erase::{Action, EraseObserver, Found, Ground, Outcome, Plan, Quiet, Request, erase, plan_erasure};
pub use error::EraseError;
pub use git::in_git_history;
pub use key::{KEY_FILE, KeyError, KeySource, PrivacyKey};
pub use landed::LandedPolicy;
pub use looks::looks_personal;
pub use needles::Subject;
pub use policy::{Personal, Policy};
pub use postgres::PostgresStore;
pub use proof::{FileProof, ModelNote, PROOFS, Proof, list_proofs};
pub use redaction::{RedactError, Redaction, hidden};
pub use verify::{FileState, Verdict, verify};
