//! The store in PostgreSQL: what it promises in a file it promises here, each test in a database of its own.
//!
//! `ALMANAC_TEST_POSTGRES=postgresql://user@host:port/postgres` says on which server; `.ci/with-services`, and so `make test`,
//! starts one. Skipped with a printed reason where it is not set.

use std::sync::Barrier;

use almanac_tracking::testing::check_store;
use almanac_tracking::{Batch, ExperimentId, Metric, Millis, NewRun, NewValidation, Param, RunId, StoreUrl, TrackingStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// An empty database, dropped in the end.
struct Fresh {
    server: String,
    name: String,
}

impl Fresh {
    /// Makes one on the server of the tests; `None` where there is no such server.
    fn make(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("ALMANAC_TEST_POSTGRES") else {
            println!("skipped: ALMANAC_TEST_POSTGRES is not set");
            return None;
        };
        let fresh = Self { server, name: format!("almanac_test_{}_{test}", std::process::id()) };
        fresh.command(&format!("CREATE DATABASE {}", fresh.name)).expect("a user that may make databases");
        Some(fresh)
    }

    fn command(&self, sql: &str) -> Result<(), sqlx::Error> {
        Self::at(&self.server, sql)
    }

    fn at(url: &str, sql: &str) -> Result<(), sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = PgConnection::connect(url).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
            connection.close().await
        })
    }

    fn url(&self) -> String {
        let (before, _) = self.server.rsplit_once('/').expect("the URL of a database");
        format!("{before}/{}", self.name)
    }

    fn open(&self) -> TrackingStore {
        TrackingStore::open(&StoreUrl::parse(&self.url()).expect("a URL")).expect("opens")
    }

    fn inside(&self, sql: &str) -> Result<(), sqlx::Error> {
        Self::at(&self.url(), sql)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // A server of the tests' own is wiped anyway.
        let _ = self.command(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn start(store: &TrackingStore, n: u8) -> RunId {
    let id = RunId::from_bytes([n; 16]);
    let new = NewRun {
        id: id.clone(),
        experiment: ExperimentId(0),
        name: format!("run-{n}"),
        user: String::new(),
        started: Millis(1),
        tags: vec![],
    };
    store.create_run(&new).expect("starts");
    id
}

#[test]
fn the_store_keeps_the_contract_in_postgresql() {
    let Some(database) = Fresh::make("contract") else { return };
    check_store(&database.open());
}

#[test]
fn a_database_of_version_2_keeps_its_runs_and_learns_to_keep_validations() {
    let Some(database) = Fresh::make("version2") else { return };
    let id = start(&database.open(), 1);
    database.inside("DROP TABLE validations; UPDATE almanac_schema SET version = 2").expect("goes back");
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                database.open();
            });
        }
    });
    let store = database.open();
    assert_eq!(store.get_run_record(&id).expect("is there").run.name, "run-1");
    let new = NewValidation {
        layer: "silver".into(),
        table: "panel".into(),
        suite: "[checks]".into(),
        success: true,
        expectations: 5,
        failed: 0,
        rows: 10,
        report: "{}".into(),
    };
    for time in 0..3 {
        store.record_validation(&new, Millis(time)).expect("keeps");
    }
    assert_eq!(store.validations(10).expect("asks").len(), 3);
}

#[test]
fn two_stores_share_a_database_and_what_was_stored_stays() {
    let Some(database) = Fresh::make("shared") else { return };
    let (first, second) = (database.open(), database.open());
    let id = first.get_or_create_experiment("e", Millis(1)).expect("makes").id;
    assert_eq!(second.get_or_create_experiment("e", Millis(2)).expect("finds").id, id);
    drop((first, second));
    assert_eq!(database.open().get_experiment(id).expect("is there").name, "e");
}

#[test]
fn stores_that_open_an_empty_database_at_once_all_can() {
    let Some(database) = Fresh::make("race") else { return };
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| database.open())).collect();
        for store in opened {
            store.join().expect("no panic").get_experiment(ExperimentId(0)).expect("the default experiment");
        }
    });
}

#[test]
fn writers_of_the_same_run_lose_nothing() {
    let Some(database) = Fresh::make("writers") else { return };
    let store = database.open();
    let run = start(&store, 1);
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for writer in 0..8_i64 {
            let (store, run, barrier) = (&store, &run, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for step in 0..20 {
                    let metrics = vec![Metric::new("shared", writer as f64, Millis(writer), step)];
                    let params = vec![Param { key: format!("p{writer}"), value: "1".into() }];
                    store.log_batch(run, &Batch { metrics, params, ..Batch::default() }).expect("logs");
                }
            });
        }
    });
    let found = store.get_run_record(&run).expect("is there");
    assert_eq!(found.data.params.len(), 8);
    let history = store.metric_history(&run, "shared", None, None).expect("a history");
    assert_eq!(history.items.len(), 160);
}
