//! Places of a project that are no files of this machine: a database server, a bucket.
//!
//! They come after the files: what an erasure did to files says what is to go there. Each is left as it was, and named, if it cannot be
//! reached.

use std::collections::BTreeSet;
use std::path::Path;

use crate::dvc::object_hash;
use crate::error::EraseError;
use crate::needles::Needles;
use crate::proof::{DELETED, FileProof};
use crate::search::{Sight, look};

/// What stands in [`FileProof::after`] for such a place.
pub(crate) const CHANGED: &str = "changed in place";
/// The same, before it is known to be done.
pub(crate) const BEGUN: &str = "in progress";

/// A place that is no file.
pub trait Beyond: std::fmt::Debug + Send + Sync {
    /// Returns what it is called in plans, proofs and messages.
    fn name(&self) -> String;

    /// Returns how many rows or objects name the subject.
    ///
    /// # Errors
    /// Why it cannot be searched, and what can be done about it.
    fn look(&self, finder: &Finder<'_>) -> Result<u64, String>;

    /// Takes the subject out, for good when it returns. Called again after it was stopped, it goes on.
    ///
    /// # Errors
    /// Why it could not be done, and what can be done about it.
    fn erase(&self, finder: &Finder<'_>) -> Result<(), String>;
}

/// The subject, for those who look for it in such a place. Nothing of it can be read out.
pub struct Finder<'a> {
    pub(crate) needles: &'a Needles,
    pub(crate) gone: BTreeSet<String>,
}

impl std::fmt::Debug for Finder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}

impl<'a> Finder<'a> {
    pub(crate) fn new<'s>(needles: &'a Needles, steps: impl Iterator<Item = &'s FileProof>) -> Self {
        let deleted = steps.filter(|step| step.after == DELETED);
        Self { needles, gone: deleted.filter_map(|step| object_hash(Path::new(&step.path))).collect() }
    }

    /// Returns whether an object of a version, named by its MD5 (`….dir` for a folder), was erased from this machine.
    pub fn is_gone(&self, object: &str) -> bool {
        self.gone.contains(object)
    }

    /// Returns whether a file holds the subject.
    ///
    /// # Errors
    /// [`EraseError`] if it cannot be searched.
    pub fn is_in(&self, path: &Path) -> Result<bool, EraseError> {
        Ok(match look(path, self.needles, self.needles.is_plain())? {
            Sight::Clean { .. } => false,
            Sight::Found(_) | Sight::InDatabase(_) => true,
            Sight::Hopeless { is_seen, .. } => is_seen,
        })
    }
}
