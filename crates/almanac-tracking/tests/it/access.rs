//! The suite over SQLite, and what is kept in the file.

use almanac_tracking::{Millis, NewAccessToken, Role, StoreUrl, TrackingStore, testing};

#[test]
fn a_file_of_sqlite_passes_the_suite() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens");
    assert!(!store.has_access(Millis(0)).expect("reads"), "a new store knows nobody: there is no default password");
    testing::check_store(&store);
}

#[test]
fn the_file_holds_no_token_and_no_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("almanac.db");
    let store = TrackingStore::open(&StoreUrl::Sqlite(path)).expect("opens");
    let new = NewAccessToken { name: "ci".to_owned(), role: Role::Admin, expires: None };
    let (_, secret) = store.create_access_token(&new, Millis(1)).expect("made");
    store.create_access_user("anna", Role::Admin, "correct horse battery", Millis(1)).expect("made");
    drop(store);
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("reads");
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let (_, random_part) = secret.expose().rsplit_once('_').expect("a token");
        assert!(!holds(random_part) && !holds("correct horse battery"));
    }
}
