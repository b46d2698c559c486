//! The suite that the store passes on every database; shipped, so that it can be run against a database of one's own.
//!
//! Not here: what only one database has, such as the schema of a file.

mod access;
mod inputs;
mod logged_models;

use crate::TrackingStore;

/// Checks a store that holds nothing yet.
///
/// # Panics
/// At the first thing that is not as it should be.
pub fn check_store(store: &TrackingStore) {
    access::access(store);
    inputs::inputs(store);
    logged_models::logged_models(store);
}
