//! The suite of the store on each database.

use almanac_tracking::testing::check_store;
use almanac_tracking::{StoreUrl, TrackingStore};

#[test]
fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("a new file");
    check_store(&store);
}

/// Only where `ALMANAC_TEST_POSTGRES` holds the URL of a database.
#[test]
fn postgres_keeps_the_contract() {
    let Ok(url) = std::env::var("ALMANAC_TEST_POSTGRES") else { return };
    let store = TrackingStore::open(&StoreUrl::parse(&url).expect("a URL")).expect("a database");
    check_store(&store);
}
