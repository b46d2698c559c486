//! Sources that are there and say nothing, at once or in the middle: each ends in an error of its own, after the time that was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use almanac_connect::ConnectError;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::place::{Place, said};

/// A server that takes connections, gives `answer` to the first request of each, and says nothing more.
async fn silent(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if !answer.is_empty() {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                std::future::pending::<()>().await;
            });
        }
    });
    place
}

/// Waits no longer than a test may for an error that comes within the time that the keys ask for.
async fn fails(place: &Place, keys: &str) -> ConnectError {
    let landed = tokio::time::timeout(Duration::from_mins(1), place.land(keys)).await;
    let error = landed.unwrap_or_else(|_| panic!("it hangs: {keys}")).expect_err(keys);
    assert_eq!(place.manifest().0, 0, "nothing landed");
    assert_eq!(std::fs::read_dir(place.landing().join("t")).map_or(0, Iterator::count), 0, "no strays");
    error
}

#[tokio::test]
async fn a_server_that_never_answers_is_unreachable() {
    let host = silent("").await;
    for keys in [
        format!(r#"{{"url": "postgresql://a@{host}/b", "table": "c", "timeout": "200ms"}}"#),
        format!(r#"{{"url": "mysql://a@{host}/b", "table": "c", "timeout": "200ms"}}"#),
        format!(r#"{{"url": "http://{host}/rows", "rows": "", "timeout": "200ms", "retries": 1}}"#),
        format!(r#"{{"url": "http://{host}/sales.csv", "timeout": "200ms", "retries": 1}}"#),
        format!(r#"{{"url": "s3://b/x.csv", "endpoint": "http://{host}", "anonymous": true, "timeout": "200ms", "retries": 0}}"#),
        format!(r#"{{"url": "s3://b/*.csv", "endpoint": "http://{host}", "anonymous": true, "timeout": "200ms", "retries": 0}}"#),
        format!(r#"{{"url": "delta:s3://b/x", "endpoint": "http://{host}", "anonymous": true, "timeout": "200ms", "retries": 0}}"#),
    ] {
        let place = Place::new();
        let error = fails(&place, &keys).await;
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{keys}: {}", said(&error));
    }
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_told() {
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n[{\"id\": 1}, {\"id\"";
    let host = silent(half).await;
    for keys in [
        format!(r#"{{"url": "http://{host}/rows", "rows": "", "timeout": "200ms", "retries": 1}}"#),
        format!(r#"{{"url": "http://{host}/sales.csv", "timeout": "200ms", "retries": 1}}"#),
    ] {
        let error = fails(&Place::new(), &keys).await;
        assert!(matches!(error, ConnectError::Lost { .. }), "{keys}: {}", said(&error));
    }
    let host = silent("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-999/1000\r\ncontent-length: 1000\r\nlast-modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\nid,n\n1,2").await;
    let keys = format!(r#"{{"url": "s3://b/x.csv", "endpoint": "http://{host}", "anonymous": true, "timeout": "200ms", "retries": 0}}"#);
    let error = fails(&Place::new(), &keys).await;
    assert!(matches!(error, ConnectError::Unreachable { .. } | ConnectError::Lost { .. }), "{}", said(&error));
}

/// Stands between a client and a server, and passes on no more than so many bytes of answers.
async fn freezing(server: String, most: usize) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let place = listener.local_addr().expect("an address").to_string();
    let is_frozen = Arc::new(AtomicBool::new(false));
    let frozen = is_frozen.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&server).await.expect("the server is there");
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = upstream.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            let (passed, frozen) = (AtomicUsize::new(0), frozen.clone());
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(some @ 1..) = from_server.read(&mut buffer).await {
                    if passed.fetch_add(some, Ordering::Relaxed) > most {
                        frozen.store(true, Ordering::Relaxed);
                        std::future::pending::<()>().await;
                    }
                    if to_client.write_all(&buffer[..some]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (place, is_frozen)
}

#[tokio::test]
async fn a_database_that_stops_among_its_rows_ends_the_load() {
    for variable in ["ALMANAC_TEST_POSTGRES", "ALMANAC_TEST_MARIADB"] {
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) else {
            println!("skipped: `{variable}` names no server");
            continue;
        };
        let host = url.split('@').nth(1).and_then(|rest| rest.split('/').next()).expect("a host").to_owned();
        let (place, is_frozen) = freezing(host.clone(), 200_000).await;
        let table = format!("stall_{}", std::process::id());
        let fill = format!(
            "CREATE TABLE {table} (n int, x varchar(40)); INSERT INTO {table} SELECT a.n * 100 + b.n, 'some text that has a length' FROM {0} a, {0} b",
            "(SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8)"
        );
        let query = format!("SELECT a.* FROM {table} a, {table} b, {table} c");
        if variable == "ALMANAC_TEST_POSTGRES" {
            PgConnection::connect(&url).await.expect("connected").execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.expect("run");
        } else {
            MySqlConnection::connect(&url).await.expect("connected").execute(sqlx::raw_sql(AssertSqlSafe(fill))).await.expect("run");
        }
        let keys = format!(r#"{{"url": "{}", "query": "{query}", "timeout": "1s"}}"#, url.replace(&host, &place));
        let started = Instant::now();
        let error = fails(&Place::new(), &keys).await;
        assert!(matches!(error, ConnectError::Silent { rows, .. } if rows > 100), "{variable}: {}", said(&error));
        assert!(is_frozen.load(Ordering::Relaxed) && started.elapsed() >= Duration::from_secs(1), "{variable}");
        assert!(said(&error).contains("timeout = "), "{}", said(&error));
        // One that works for long before its first row, too.
        let sleep = if variable == "ALMANAC_TEST_POSTGRES" { "SELECT pg_sleep(30)::text AS x" } else { "SELECT SLEEP(30) AS x" };
        let error = fails(&Place::new(), &format!(r#"{{"url": "{url}", "query": "{sleep}", "timeout": "300ms"}}"#)).await;
        assert!(matches!(error, ConnectError::Silent { rows: 0, .. }), "{variable}: {}", said(&error));
    }
}
