//! A store of runs in PostgreSQL: erased with the files, after a stop too; tables of others are not touched.
//!
//! The server is the one that `ALMANAC_TEST_POSTGRES` names.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use almanac_privacy::{EraseObserver, Ground, Outcome, PostgresStore, Quiet, Request, erase, plan_erasure, verify};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::folder::{Folder, KEY, MAIL, key, subject};

async fn made(url: &str, name: &str) -> String {
    let mut connection = PgConnection::connect(url).await.expect("it answers");
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("made");
    let (base, _) = url.rsplit_once('/').expect("a database");
    let url = format!("{base}/{name}");
    let mut connection = PgConnection::connect(&url).await.expect("it answers");
    let sql = format!(
        "CREATE TABLE runs (id text PRIMARY KEY, name text, data jsonb, raw bytea);
         CREATE TABLE tags (run text REFERENCES runs, key text, value text, PRIMARY KEY (run, key));
         CREATE TABLE series (customer_id text, units float8);
         CREATE TABLE crm (customer_id text);
         INSERT INTO runs VALUES ('r1', 'about {KEY}', '{{\"who\": [\"{KEY}\", \"{KEY}0\"]}}', convert_to('{MAIL} {KEY}', 'UTF8')), ('r2', 'x', NULL, NULL);
         INSERT INTO tags VALUES ('r1', 'for {KEY}', '1'), ('r1', 'for [erased]', '2'), ('r2', 'k', 'n/{KEY}'), ('r2', 'l', '{KEY}0');
         INSERT INTO series VALUES ('{KEY}', 1), ('{KEY}0', 2);
         INSERT INTO crm VALUES ('{KEY}');"
    );
    connection.execute(AssertSqlSafe(sql)).await.expect("filled");
    url
}

async fn texts(url: &str, sql: &'static str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.expect("it answers");
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("answered");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Stops before the step of a place that is no file.
struct StopAt(&'static str);

impl EraseObserver for StopAt {
    fn on(&self, path: &Path, _done: usize, _total: usize) -> ControlFlow<()> {
        if path.to_string_lossy().contains(self.0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_store_in_postgresql_is_erased_and_tables_of_others_stay() {
    let Some(url) = std::env::var("ALMANAC_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
        println!("skipped: `ALMANAC_TEST_POSTGRES` names no server");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = runtime.block_on(made(&url, &format!("erasure_{}", std::process::id())));
    let folder = Folder::new();
    let tables = ["runs", "tags", "series"].map(str::to_owned).to_vec();
    let store = PostgresStore { url: url.clone(), shown: "postgresql://store".to_owned(), tables };
    let ground = Ground { beyond: vec![Arc::new(store)], ..folder.ground() };
    let carry_out = |observer: &dyn EraseObserver| -> Result<Outcome, almanac_privacy::EraseError> {
        let (models, elsewhere) = (Vec::new(), Vec::new());
        let (subject, key) = (subject(), key());
        let request =
            Request { subject: &subject, key: &key, who: "officer", program: "almanac", now: "2026-02-01T00:00:00Z", models, elsewhere };
        erase(&ground, &request, observer)
    };
    let plan = plan_erasure(&ground, &subject(), &key()).expect("looked");
    assert!(plan.found.iter().any(|found| found.shown.contains("postgresql://store") && found.mentions > 0), "{:?}", plan.found);

    carry_out(&StopAt("postgresql://store")).expect_err("stopped after the files, before the database");
    assert_eq!(runtime.block_on(texts(&url, "SELECT name FROM runs ORDER BY id"))[0], format!("about {KEY}"));
    let proof = carry_out(&Quiet).expect("finished").proof.expect("there was something");
    assert_eq!(proof.left, []);
    assert!(proof.files.iter().any(|file| file.path.contains("postgresql://store") && file.after == "changed in place"));

    assert_eq!(runtime.block_on(texts(&url, "SELECT name FROM runs ORDER BY id")), ["about [erased]", "x"]);
    assert_eq!(
        runtime.block_on(texts(&url, "SELECT data::text FROM runs WHERE id = 'r1'")),
        [format!("{{\"who\": [\"[erased]\", \"{KEY}0\"]}}")]
    );
    let raw = runtime.block_on(texts(&url, "SELECT convert_from(raw, 'UTF8') FROM runs WHERE id = 'r1'"));
    assert!(!raw[0].contains(KEY) && !raw[0].contains(MAIL), "{raw:?}");
    let tags = runtime.block_on(texts(&url, "SELECT run || ' ' || key || '=' || value FROM tags ORDER BY run, key"));
    assert_eq!(tags, ["r1 for [erased]=2".to_owned(), "r2 k=n/[erased]".to_owned(), format!("r2 l={KEY}0")]);
    assert_eq!(runtime.block_on(texts(&url, "SELECT customer_id FROM series")), [format!("{KEY}0")]);
    assert_eq!(runtime.block_on(texts(&url, "SELECT customer_id FROM crm")), [KEY], "a table that is not ours");
    let verdict = verify(&ground, None, Some(&subject()), Some(&key())).expect("read");
    assert!(verdict.is_good(), "{verdict:?}");
}

#[test]
fn a_server_that_does_not_answer_is_named_and_the_files_are_erased() {
    let folder = Folder::new();
    let url = "postgresql://u:hunter22@127.0.0.1:1/none".to_owned();
    let store = PostgresStore { url, shown: "postgresql://u@127.0.0.1:1/none".to_owned(), tables: vec!["runs".into()] };
    let ground = Ground { beyond: vec![Arc::new(store)], ..folder.ground() };
    let (models, elsewhere) = (Vec::new(), Vec::new());
    let (subject, key) = (subject(), key());
    let request =
        Request { subject: &subject, key: &key, who: "officer", program: "almanac", now: "2026-02-01T00:00:00Z", models, elsewhere };
    let proof = erase(&ground, &request, &Quiet).expect("the rest is done").proof.expect("there was something");
    assert_eq!(proof.left.len(), 1, "{:?}", proof.left);
    let (place, why) = &proof.left[0];
    assert!(place.contains("127.0.0.1:1") && why.contains("call `almanac erase`") && !why.contains("hunter22"), "{place}: {why}");
    assert!(!verify(&ground, None, Some(&subject), Some(&key)).expect("read").missed.is_empty());
}
