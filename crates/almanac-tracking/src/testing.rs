//! The suite that the store passes on every database; shipped, so that it can be run against a database of one's own.
//!
//! Not here: what only one database has, such as the schema of a file.

mod access;
mod transfer;

use crate::TrackingStore;

/// Checks a store that holds nothing yet.
///
/// # Panics
/// Where it does not do what it should.
pub fn check_store(store: &TrackingStore) {
    access::access(store);
    transfer::transfer(store);
}
