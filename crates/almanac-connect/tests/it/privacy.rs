//! Personal columns of what lands: hidden as rows are written, and made up for when the policy became stricter.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use almanac_connect::{ConnectError, HideFile, Hiding, hidden_of, is_hidden_as_asked};
use almanac_privacy::{Personal, Policy, PrivacyKey, Redaction};
use almanac_series::Hint;
use axum::Router;
use axum::routing::get;
use rusqlite::Connection;

use crate::place::{Place, rows, said, spec};

const MAIL: &str = "anna.k@example.org";
const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

fn redaction(columns: &[(&str, Policy)], key: &str) -> Redaction {
    let personal = Personal::new(columns.iter().map(|(name, policy)| ((*name).to_owned(), *policy)));
    Redaction::of_table(&personal, "t", Some(&PrivacyKey::new(key).expect("long enough"))).expect("there is a key")
}

fn hash(value: &str) -> String {
    PrivacyKey::new(KEY).expect("long enough").value(value)
}

/// Puts dots for what stands behind the first comma of each line: a format of its own.
#[derive(Debug)]
struct Dots;

impl HideFile for Dots {
    fn hide(
        &self,
        raw: &Path,
        _redaction: &Redaction,
        next: &mut dyn FnMut(&str) -> PathBuf,
    ) -> Result<BTreeSet<String>, Box<dyn std::error::Error + Send + Sync>> {
        let text = std::fs::read_to_string(raw)?;
        let lines: Vec<String> = text.lines().map(|line| format!("{},…", line.split(',').next().unwrap_or_default())).collect();
        std::fs::write(next("csv"), lines.join("\n"))?;
        Ok(["mail".to_owned()].into())
    }
}

fn hiding(redaction: &Redaction) -> Hiding<'_> {
    Hiding { redaction, files: &Dots }
}

/// Files of the landing place that hold a text, in their bytes or in their rows.
fn search(place: &Place, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place.landing().join("t")).expect("landed") {
        let path = entry.expect("readable").path();
        let bytes = std::fs::read(&path).expect("readable");
        let is_parquet = path.extension().is_some_and(|end| end == "parquet");
        let in_rows = is_parquet && rows(std::slice::from_ref(&path)).iter().any(|row| row.contains(text));
        if in_rows || bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}

fn shop(place: &Place) -> Connection {
    let connection = Connection::open(place.folder.path().join("shop.db")).expect("opened");
    let sql = format!(
        "CREATE TABLE crm (id INTEGER, mail TEXT, born DATE, city TEXT, at INTEGER);
         INSERT INTO crm VALUES (1, '{MAIL}', '1970-01-02', 'Ulm', 1), (2, 'bob@example.org', '1980-05-06', 'Bonn', 2), (3, NULL, NULL, 'Kiel', 3);"
    );
    connection.execute_batch(&sql).expect("filled");
    connection
}

const WHOLE: &str = r#"{"url": "sqlite:shop.db", "table": "crm"}"#;
const KEYED: &str = r#"{"url": "sqlite:shop.db", "table": "crm", "key": ["id"], "watermark": "at"}"#;

#[tokio::test]
async fn nothing_personal_of_a_database_is_in_the_landing_place() {
    let place = Place::new();
    shop(&place);
    let policy = redaction(&[("id", Policy::Hash), ("mail", Policy::Mask), ("born", Policy::Drop)], KEY);
    let landed = place.land_hidden(WHOLE, false, false, hiding(&policy)).await.expect("landed");
    assert_eq!(rows(&landed.current)[0], format!("id={} mail=xxxx.x@xxxxxxx.xxx city=Ulm at=1", hash("1")));
    assert_eq!(rows(&landed.current)[2], format!("id={} mail=∅ city=Kiel at=3", hash("3")));
    assert_eq!(search(&place, MAIL), Vec::<PathBuf>::new());
    let (_, manifest) = place.manifest();
    assert!(manifest.contains("\"format_version\": 2") && manifest.contains("\"found\"") && !manifest.contains(KEY), "{manifest}");
    let again = place.land_hidden(WHOLE, false, false, hiding(&policy)).await.expect("landed");
    assert_eq!(again.news, None, "the same rows have the same hashes");
    let table = place.table();
    let found = hidden_of(table.manifest(), &spec(WHOLE).identity(), &policy);
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["born", "id", "mail"]);
}

#[tokio::test]
async fn a_key_that_is_hashed_still_tells_versions_apart() {
    let place = Place::new();
    let shop = shop(&place);
    let policy = redaction(&[("id", Policy::Hash)], KEY);
    place.land_hidden(KEYED, false, false, hiding(&policy)).await.expect("landed");
    shop.execute_batch("UPDATE crm SET city = 'Köln', at = 9 WHERE id = 2").expect("changed");
    let landed = place.land_hidden(KEYED, false, false, hiding(&policy)).await.expect("landed");
    assert_eq!(rows(&landed.current).len(), 3);
    assert_eq!(rows(&landed.history.expect("it has a key")).len(), 4);
    let now: Vec<String> = rows(&landed.current).into_iter().filter(|row| row.contains(&hash("2"))).collect();
    assert!(now.len() == 1 && now[0].contains("Köln"), "{now:?}");
}

#[tokio::test]
async fn a_policy_that_became_stricter_is_made_up_for_in_all_that_landed() {
    let place = Place::new();
    let shop = shop(&place);
    place.land(KEYED).await.expect("landed");
    shop.execute_batch("INSERT INTO crm VALUES (4, 'dora@example.org', NULL, 'Hof', 9)").expect("added");
    place.land(KEYED).await.expect("landed");
    assert!(!search(&place, MAIL).is_empty());
    let before: Vec<String> = rows(&place.land_as(KEYED, true, false).await.expect("landed").current);

    let policy = redaction(&[("mail", Policy::Hash)], KEY);
    assert!(!is_hidden_as_asked(place.table().manifest(), &spec(KEYED).identity(), &policy));
    let landed = place.land_hidden(KEYED, true, false, hiding(&policy)).await.expect("nothing is fetched");
    assert_eq!(search(&place, MAIL), Vec::<PathBuf>::new());
    assert!(is_hidden_as_asked(place.table().manifest(), &spec(KEYED).identity(), &policy));
    let expected: Vec<String> =
        before.iter().map(|row| row.replace(MAIL, &hash(MAIL)).replace("bob@example.org", &hash("bob@example.org"))).collect();
    assert_eq!(
        rows(&landed.current),
        expected.iter().map(|row| row.replace("dora@example.org", &hash("dora@example.org"))).collect::<Vec<_>>()
    );
    assert!(rows(&landed.history.expect("a key")).iter().all(|row| !row.contains("example.org")));

    // The rows are not hashed a second time, and stricter still is possible.
    let again = place.land_hidden(KEYED, false, false, hiding(&policy)).await.expect("landed");
    assert!(rows(&again.current).iter().any(|row| row.contains(&hash(MAIL))));
    let stricter = redaction(&[("mail", Policy::Drop), ("city", Policy::Mask)], KEY);
    let last = place.land_hidden(KEYED, false, false, hiding(&stricter)).await.expect("landed");
    assert!(rows(&last.current).iter().all(|row| !row.contains("mail=") && (row.contains("city=Xxx") || row.contains("city=∅"))));
}

#[tokio::test]
async fn all_of_a_table_that_was_hidden_later_says_the_same_as_the_source() {
    let place = Place::new();
    shop(&place);
    place.land(WHOLE).await.expect("landed");
    let policy = redaction(&[("mail", Policy::Hash), ("born", Policy::Hash)], KEY);
    let landed = place.land_hidden(WHOLE, false, false, hiding(&policy)).await.expect("landed");
    assert_eq!(landed.news, None);
    assert!(rows(&landed.current)[0].contains(&hash("1970-01-02")));
}

#[tokio::test]
async fn what_was_hidden_is_not_shown_again_without_a_load_from_the_beginning() {
    let place = Place::new();
    shop(&place);
    let hashed = redaction(&[("mail", Policy::Hash)], KEY);
    place.land_hidden(KEYED, false, false, hiding(&hashed)).await.expect("landed");
    let masked = redaction(&[("mail", Policy::Mask)], KEY);
    for other in [Redaction::default(), redaction(&[("mail", Policy::Hash)], OTHER_KEY), masked] {
        let (_, before) = place.manifest();
        let error = place.land_hidden(KEYED, false, false, hiding(&other)).await.expect_err("it cannot be");
        assert!(matches!(error, ConnectError::Policy { .. }), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("run --reload t")), "{error}");
        assert_eq!(place.manifest().1, before);
    }
    // A load from the beginning that fails takes nothing from what landed.
    std::fs::rename(place.folder.path().join("shop.db"), place.folder.path().join("away.db")).expect("moved");
    let other = redaction(&[("mail", Policy::Hash)], OTHER_KEY);
    place.land_hidden(KEYED, false, true, hiding(&other)).await.expect_err("there is no source");
    let error = place.land_hidden(KEYED, true, false, hiding(&other)).await.expect_err("it is as it was");
    assert!(matches!(error, ConnectError::Policy { .. }), "{error}");
    std::fs::rename(place.folder.path().join("away.db"), place.folder.path().join("shop.db")).expect("moved back");
    let landed = place.land_hidden(KEYED, false, true, hiding(&Redaction::default())).await.expect("fetched anew");
    assert!(rows(&landed.current)[0].contains(MAIL));
    assert!(is_hidden_as_asked(place.table().manifest(), &spec(KEYED).identity(), &Redaction::default()));
}

#[tokio::test]
async fn what_a_database_says_of_a_personal_value_is_not_told() {
    let place = Place::new();
    let shop = shop(&place);
    shop.execute_batch("UPDATE crm SET born = 'on a personal day' WHERE id = 1").expect("changed");
    let policy = redaction(&[("born", Policy::Mask)], KEY);
    let landed = place.land_hidden(WHOLE, false, false, hiding(&policy)).await.expect("landed");
    assert!(landed.notes.iter().any(|note| note.contains("born")), "{:?}", landed.notes);
    assert!(!format!("{:?}", landed.notes).contains("personal day"), "{:?}", landed.notes);
    assert_eq!(search(&place, "personal day"), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn services_and_objects_land_without_personal_members() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let people = || async {
        format!(
            r#"[{{"id": 1, "customer": {{"E-Mail": "{MAIL}", "city": "Ulm"}}, "lines": [{{"name": "Anna", "n": 1}}]}},
                {{"id": 2, "customer": null, "lines": []}}]"#
        )
    };
    let file = || async { format!("id,mail\n1,{MAIL}\n") };
    let app = Router::new().route("/people", get(people)).route("/people.csv", get(file));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let place = Place::new();
    let policy = redaction(&[("e-mail", Policy::Hash), ("name", Policy::Drop), ("mail", Policy::Hash)], KEY);
    let keys = format!(r#"{{"url": "http://{address}/people", "rows": ""}}"#);
    let landed = place.land_hidden(&keys, false, false, hiding(&policy)).await.expect("landed");
    let expected = format!(r#"{{"customer":{{"E-Mail":"{}","city":"Ulm"}},"id":1,"lines":[{{"n":1}}]}}"#, hash(MAIL));
    let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(same(&rows(&landed.current)[0]), same(&expected));
    assert_eq!(search(&place, MAIL), Vec::<PathBuf>::new());
    let found = place.table().manifest().loads[0].privacy.clone().expect("written").found;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["customer.E-Mail", "lines.name"]);

    let place = Place::new();
    let keys = format!(r#"{{"url": "http://{address}/people.csv"}}"#);
    place.land(&keys).await.expect("landed as it is");
    assert_eq!(search(&place, MAIL).len(), 1);
    let landed = place.land_hidden(&keys, false, false, hiding(&policy)).await.expect("made up for");
    assert_eq!(std::fs::read_to_string(&landed.current[0]).expect("there"), "id,…\n1,…");
    assert_eq!((search(&place, MAIL), landed.news), (Vec::new(), None));
}

#[tokio::test]
async fn a_delta_table_whose_paths_say_a_personal_value_is_refused() {
    let place = Place::new();
    let lake = place.folder.path().join("lake");
    let sales = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/delta/sales");
    crate::delta::copy(&sales, &lake);
    let policy = redaction(&[("shop", Policy::Hash)], KEY);
    let error = place.land_hidden(r#"{"url": "delta:lake"}"#, false, false, hiding(&policy)).await.expect_err("refused");
    assert!(said(&error).contains("partitioned by `shop`, which is personal"), "{}", said(&error));
    assert!(place.table().manifest().loads.is_empty(), "nothing of it landed");
}
