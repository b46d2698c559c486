//! The suite that the store passes on every database; shipped, so that it can be run against a database of one's own.
//!
//! Not here: what only one database has, such as the schema of a file.

mod assessments;
mod traces;

use crate::TrackingStore;

/// Checks a store, which may hold other things already. What it makes has names that nobody else uses.
///
/// # Panics
/// At the first thing that is not as it should be.
pub fn check_store(store: &TrackingStore) {
    traces::traces(store);
    assessments::assessments(store);
}
