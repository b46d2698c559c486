//! PostgreSQL and MariaDB, where `.ci/with-services` has started them.

use std::sync::atomic::{AtomicU32, Ordering};

use almanac_connect::ConnectError;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

use crate::place::{Place, rows, said, types};

fn server(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if found.is_none() {
        println!("skipped: `{variable}` names no server");
    }
    found
}

/// A table of its own for each test.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("sales_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn postgres(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("connected");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("run");
}

async fn mariadb(url: &str, sql: String) {
    let mut connection = MySqlConnection::connect(url).await.expect("connected");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("run");
}

#[tokio::test]
async fn each_type_of_postgresql_has_one_here() {
    let Some(url) = server("ALMANAC_TEST_POSTGRES") else { return };
    let (place, table) = (Place::new(), name());
    postgres(
        &url,
        format!(
            "CREATE TYPE mood_{table} AS ENUM ('sad', 'ok'); CREATE DOMAIN pos_{table} AS int CHECK (VALUE > 0);
             CREATE TABLE {table} (s smallint, i int, b bigint, f real, d double precision, n numeric(30, 10), t text, c char(4), o boolean,
               day date, at timestamp, tz timestamptz, u uuid, j jsonb, a int[], e mood_{table}, v interval, p pos_{table}, tm time);
             INSERT INTO {table} VALUES (1, -2, 9007199254740993, 0.1, 1e300, 12.5, 'Zürich', 'ab', true, '2024-02-29', '2024-02-29 12:00:00.000001',
               '2024-02-29 12:00+02', '123e4567-e89b-12d3-a456-426614174000', '{{\"a\": [1]}}', '{{1,2}}', 'ok', '1 day 02:00', 7, '12:30'),
              (null, null, null, 'NaN', 'Infinity', 12345678901234567.1234567890, '', null, false, 'infinity', '-infinity', 'infinity',
               null, null, null, null, null, null, null);"
        ),
    )
    .await;
    let keys = format!(r#"{{"url": "{url}", "table": "{table}"}}"#);
    let landed = place.land(&keys).await.expect("landed");
    assert_eq!(
        types(&landed.current[0]),
        "s:Int64 i:Int64 b:Int64 f:Float64 d:Float64 n:Float64 t:Utf8 c:Utf8 o:Boolean day:Date32 at:Timestamp(µs) tz:Timestamp(µs) \
         u:Utf8 j:Utf8 a:Utf8 e:Utf8 v:Utf8 p:Int64 tm:Utf8"
    );
    assert_eq!(
        rows(&landed.current)[0],
        "s=1 i=-2 b=9007199254740993 f=0.1 d=1e300 n=12.5 t=Zürich c=ab o=true day=2024-02-29 at=2024-02-29T12:00:00.000001 \
         tz=2024-02-29T10:00:00 u=123e4567-e89b-12d3-a456-426614174000 j={\"a\": [1]} a={1,2} e=ok v=P1DT2H p=7 tm=12:30:00"
    );
    assert_eq!(
        landed.notes,
        [
            "column `f`: 1 value NaN or infinite, read as null",
            "column `d`: 1 value NaN or infinite, read as null",
            "column `n`: 1 value with more digits than a double holds, rounded to the nearest one",
            "column `day`: 1 value no date (zero, infinite or out of range), read as null",
            "column `at`: 1 value no date (zero, infinite or out of range), read as null",
            "column `tz`: 1 value no date (zero, infinite or out of range), read as null",
        ]
    );
}

#[tokio::test]
async fn each_type_of_mariadb_has_one_here() {
    let Some(url) = server("ALMANAC_TEST_MARIADB") else { return };
    let (place, table) = (Place::new(), name());
    mariadb(
        &url,
        format!(
            "SET SESSION sql_mode = ''; SET time_zone = '+00:00';
             CREATE TABLE {table} (s tinyint, o boolean, x boolean, i int unsigned, b bigint unsigned, f float, d double, n decimal(30, 10), t text,
               c char(4), e enum('sad', 'ok'), day date, at datetime(6), ts timestamp NULL, y year, tm time, bits bit(5), j json);
             INSERT INTO {table} VALUES (-1, 1, 2, 4294967295, 9223372036854775807, 0.1, 1e300, 12.5, 'Zürich 🥐', 'ab', 'ok', '2024-02-29',
               '2024-02-29 12:00:00.000001', '2024-02-29 12:00:00', 2024, '12:30', b'10001', '{{\"a\": 1}}'),
              (null, 0, 0, null, null, null, null, 12345678901234567.1234567890, '', null, null, '0000-00-00', '0000-00-00', null, null, null, null, null);"
        ),
    )
    .await;
    let keys = format!(r#"{{"url": "{url}", "table": "{table}"}}"#);
    let landed = place.land(&keys).await.expect("landed");
    assert_eq!(
        types(&landed.current[0]),
        "s:Int64 o:Boolean x:Int64 i:Int64 b:Int64 f:Float64 d:Float64 n:Float64 t:Utf8 c:Utf8 e:Utf8 day:Date32 at:Timestamp(µs) \
         ts:Timestamp(µs) y:Int64 tm:Utf8 bits:Int64 j:Utf8"
    );
    assert_eq!(
        rows(&landed.current)[0],
        "s=-1 o=true x=2 i=4294967295 b=9223372036854775807 f=0.1 d=1e300 n=12.5 t=Zürich 🥐 c=ab e=ok day=2024-02-29 \
         at=2024-02-29T12:00:00.000001 ts=2024-02-29T12:00:00 y=2024 tm=12:30:00 bits=17 j={\"a\": 1}"
    );
    assert_eq!(
        landed.notes,
        [
            "column `n`: 1 value with more digits than a double holds, rounded to the nearest one",
            "column `day`: 1 value no date (zero, infinite or out of range), read as null",
            "column `at`: 1 value no date (zero, infinite or out of range), read as null",
        ]
    );
    mariadb(&url, format!("INSERT INTO {table} (b) VALUES (18446744073709551615)")).await;
    let error = place.land(&keys).await.expect_err("too large");
    assert_eq!(error.to_string(), "column `b` of table `t`, row 3: 18446744073709551615 is larger than 9223372036854775807");
}

#[tokio::test]
async fn databases_load_what_is_after_the_watermark() {
    let table = name();
    let create = format!(
        "CREATE TABLE {table} (id int, n int, at timestamp NULL);
         INSERT INTO {table} VALUES (1, 10, '2024-01-01 00:00:00'), (2, 20, '2024-01-02 00:00:00');"
    );
    let more = format!("INSERT INTO {table} VALUES (3, 30, '2024-01-02 00:00:00'), (1, 11, '2024-01-03 00:00:00'), (9, 90, NULL);");
    for variable in ["ALMANAC_TEST_POSTGRES", "ALMANAC_TEST_MARIADB"] {
        let Some(url) = server(variable) else { continue };
        let place = Place::new();
        let run = async |sql: &String| {
            if variable == "ALMANAC_TEST_POSTGRES" { postgres(&url, sql.clone()).await } else { mariadb(&url, sql.clone()).await }
        };
        run(&create).await;
        let keys = format!(r#"{{"url": "{url}", "query": "SELECT * FROM {table}", "watermark": "at", "key": "id"}}"#);
        place.land(&keys).await.expect("landed");
        assert_eq!(place.land(&keys).await.expect("landed").news, Some(1), "the last one comes again, and is no version");
        assert_eq!(place.land(&keys).await.expect("landed").news, None, "and then it is known");
        run(&more).await;
        let landed = place.land(&keys).await.expect("landed");
        let mut now: Vec<String> = rows(&landed.current).iter().filter_map(|row| Some(row.split_once(" at")?.0.to_owned())).collect();
        now.sort();
        assert_eq!(now, ["id=1 n=11", "id=2 n=20", "id=3 n=30", "id=9 n=90"], "{variable}");
        assert_eq!(rows(&landed.history.expect("a history")).len(), 5, "{variable}");
    }
}

#[tokio::test]
async fn nobody_sees_a_password() {
    let Some(url) = server("ALMANAC_TEST_POSTGRES") else { return };
    let user = name();
    postgres(&url, format!("CREATE ROLE {user} LOGIN PASSWORD 'hunter22'; ALTER ROLE {user} SET work_mem = '64kB'")).await;
    let host = url.split('@').nth(1).expect("a host");
    let place = Place::new().with("PW", "hunter22").with("WHOLE", &format!("postgresql://{user}:hunter22@{host}"));
    for keys in [
        format!(r#"{{"url": "postgresql://{user}:${{env:PW}}@{host}", "query": "SELECT 'hunter2' || '2' AS x, 1 AS n"}}"#),
        r#"{"url": "${env:WHOLE}", "query": "SELECT 1 AS n"}"#.to_owned(),
    ] {
        place.land(&keys).await.expect("landed");
        assert!(!place.manifest().1.contains("hunter22"));
    }
    for keys in [
        format!(r#"{{"url": "postgresql://{user}:${{env:PW}}@{host}", "query": "SELECT hunter22"}}"#),
        format!(r#"{{"url": "postgresql://{user}:${{env:PW}}@{host}_hunter22", "query": "SELECT 1"}}"#),
        r#"{"url": "postgresql://nobody:${env:PW}@127.0.0.1:1/x", "query": "SELECT 1"}"#.to_owned(),
    ] {
        let text = said(&place.land(&keys).await.expect_err(&keys)).replace("SELECT hunter22", "").replace("_hunter22", "");
        assert!(!text.contains("hunter22"), "{text}");
    }
}

#[tokio::test]
async fn databases_that_refuse_or_are_not_there_are_told_apart() {
    for variable in ["ALMANAC_TEST_POSTGRES", "ALMANAC_TEST_MARIADB"] {
        let Some(url) = server(variable) else { continue };
        let place = Place::new().with("PW", "wrong");
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let host = rest.split_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("a host").0;
        let land = async |keys: String| place.land(&keys).await.expect_err("refused");
        let error = land(format!(r#"{{"url": "{url}", "table": "nope"}}"#)).await;
        assert!(matches!(error, ConnectError::Missing { .. }), "{error}");
        let error = land(format!(r#"{{"url": "{url}", "query": "SELECT nope"}}"#)).await;
        assert!(matches!(error, ConnectError::Missing { .. }), "{error}");
        let error = land(format!(r#"{{"url": "{url}", "query": "SELECT FROM WHERE"}}"#)).await;
        assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
        let error = land(format!(r#"{{"url": "{scheme}://almanac@{host}/nope", "query": "SELECT 1 AS n"}}"#)).await;
        assert!(matches!(error, ConnectError::Missing { .. }), "{error}");
        let error = land(format!(r#"{{"url": "{scheme}://almanac@127.0.0.1:1/x", "query": "SELECT 1 AS n"}}"#)).await;
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
        if variable == "ALMANAC_TEST_MARIADB" {
            let error = land(format!(r#"{{"url": "{scheme}://almanac:${{env:PW}}@{host}/almanac", "query": "SELECT 1 AS n"}}"#)).await;
            assert!(matches!(error, ConnectError::Denied { .. }), "{error}");
        }
        assert_eq!(place.manifest().0, 0, "nothing landed");
        // Writing is refused by the snapshot, however the query is dressed.
        if variable == "ALMANAC_TEST_POSTGRES" {
            let table = name();
            postgres(&url, format!("CREATE TABLE {table} (n int)")).await;
            let keys = format!(r#"{{"url": "{url}", "query": "WITH x AS (DELETE FROM {table} RETURNING n) SELECT n FROM x"}}"#);
            assert!(matches!(land(keys).await, ConnectError::Refused { .. }));
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_in_the_middle_leaves_nothing() {
    let Some(url) = server("ALMANAC_TEST_POSTGRES") else { return };
    let (place, table) = (Place::new(), name());
    postgres(&url, format!("CREATE TABLE {table} (n bigint); INSERT INTO {table} SELECT generate_series(1, 100000)")).await;
    // The server ends its own session after some rows.
    let keys = format!(
        r#"{{"url": "{url}", "query": "SELECT n, CASE WHEN n = 90000 THEN pg_terminate_backend(pg_backend_pid())::text END AS x FROM {table}"}}"#
    );
    let error = place.land(&keys).await.expect_err("lost");
    assert!(matches!(error, ConnectError::Lost { rows, .. } if rows > 0), "{error:?}");
    assert_eq!(place.manifest().0, 0);
    assert_eq!(std::fs::read_dir(place.landing().join("t")).map_or(0, Iterator::count), 0, "no strays");
}

#[tokio::test]
async fn tables_that_are_altered_between_loads_are_told_and_taken_where_they_fit() {
    for variable in ["ALMANAC_TEST_POSTGRES", "ALMANAC_TEST_MARIADB"] {
        let Some(url) = server(variable) else { continue };
        let (place, table) = (Place::new(), name());
        let run =
            async |sql: String| if variable == "ALMANAC_TEST_POSTGRES" { postgres(&url, sql).await } else { mariadb(&url, sql).await };
        let keys = format!(r#"{{"url": "{url}", "table": "{table}", "watermark": "id", "key": "id"}}"#);
        run(format!(
            "CREATE TABLE {table} (id int, n int, old varchar(9), day date); INSERT INTO {table} VALUES (1, 10, 'x', '2024-01-01')"
        ))
        .await;
        place.land(&keys).await.expect("landed");
        // Added, removed, widened, renamed.
        let (retype, integer) = if variable == "ALMANAC_TEST_POSTGRES" {
            (format!("ALTER TABLE {table} ALTER n TYPE double precision"), "float8")
        } else {
            (format!("ALTER TABLE {table} MODIFY n double"), "double")
        };
        run(format!(
            "ALTER TABLE {table} ADD note varchar(9); ALTER TABLE {table} DROP COLUMN old; {retype}; ALTER TABLE {table} RENAME COLUMN day TO date_of;
             INSERT INTO {table} (id, n, note, date_of) VALUES (2, 2.5, 'y', '2024-01-02')"
        ))
        .await;
        let landed = place.land(&keys).await.expect("landed");
        assert_eq!(
            landed.notes,
            [
                format!("column `n` was integer and is now real ({integer})"),
                "column `date_of` (date) is new in the source; it is null in earlier loads".to_owned(),
                "column `note` (varchar) is new in the source; it is null in earlier loads".to_owned(),
                "column `old` is no longer in the source".to_owned(),
                "column `day` is no longer in the source".to_owned(),
            ],
            "{variable}"
        );
        assert_eq!(
            rows(&landed.current),
            ["id=1 n=10.0 old=∅ day=∅ date_of=2024-01-01 note=∅", "id=2 n=2.5 old=∅ day=∅ date_of=2024-01-02 note=y"],
            "{variable}: the row at the watermark came again, as it is now"
        );
        // Of a type that does not hold both, and a key that has gone.
        run(format!(
            "ALTER TABLE {table} DROP COLUMN n; ALTER TABLE {table} ADD n varchar(9); INSERT INTO {table} (id, n) VALUES (3, 'many')"
        ))
        .await;
        let error = place.land(&keys).await.expect_err("another type");
        assert!(matches!(&error, ConnectError::Retyped { column, .. } if column == "n"), "{variable}: {error}");
        run(format!("ALTER TABLE {table} RENAME COLUMN id TO number")).await;
        let error = place.land(&keys).await.expect_err("no key");
        assert!(matches!(&error, ConnectError::NoColumn { column, .. } if column == "id"), "{variable}: {error}");
        run(format!("DROP TABLE {table}")).await;
        let error = place.land(&keys).await.expect_err("no table");
        assert!(matches!(error, ConnectError::Missing { .. }), "{variable}: {error}");
        assert_eq!(place.manifest().0, 2, "{variable}: nothing of it landed");
    }
}
