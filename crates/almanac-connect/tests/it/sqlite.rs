//! SQLite: dynamic types, loads after a watermark, tables that change between runs.

use almanac_connect::ConnectError;
use rusqlite::Connection;

use crate::place::{Place, rows, said, types};

fn database(place: &Place, sql: &str) -> Connection {
    let connection = Connection::open(place.folder.path().join("shop.db")).expect("opened");
    connection.execute_batch(sql).expect("run");
    connection
}

const SALES: &str = r#"{"url": "sqlite:shop.db", "table": "sales"}"#;

#[tokio::test]
async fn columns_get_the_type_of_their_values() {
    let place = Place::new();
    database(
        &place,
        "CREATE TABLE sales (id INTEGER, day DATE, at DATETIME, units NUMERIC, price REAL, promo BOOLEAN, note TEXT, mixed, code TEXT, empty INT);
         INSERT INTO sales VALUES (1, '2024-01-31', '2024-01-31 12:00:00', 1, 2, 1, 'Zürich \"x\"', 1, '007', NULL);
         INSERT INTO sales VALUES (2, '2024-02-01', '2024-01-31T12:00:00.5Z', 1.5, NULL, 0, '', 'two', '008', NULL);",
    );
    let landed = place.land(SALES).await.expect("landed");
    assert_eq!(
        types(&landed.current[0]),
        "id:Int64 day:Date32 at:Timestamp(µs) units:Float64 price:Float64 promo:Boolean note:Utf8 mixed:Utf8 code:Utf8 empty:Int64"
    );
    assert_eq!(
        rows(&landed.current),
        [
            "id=1 day=2024-01-31 at=2024-01-31T12:00:00 units=1.0 price=2.0 promo=true note=Zürich \"x\" mixed=1 code=007 empty=∅",
            "id=2 day=2024-02-01 at=2024-01-31T12:00:00.500 units=1.5 price=∅ promo=false note= mixed=two code=008 empty=∅",
        ]
    );
    assert_eq!(landed.notes, ["column `mixed` holds 1 numbers and 1 texts; all are read as text"]);
    assert_eq!((landed.news, place.manifest().0), (Some(2), 1));
}

#[tokio::test]
async fn all_of_a_table_that_says_the_same_is_no_new_load() {
    let place = Place::new();
    let connection = database(&place, "CREATE TABLE sales (id INTEGER, n INT); INSERT INTO sales VALUES (1, 1), (2, 2);");
    place.land(SALES).await.expect("landed");
    // Other places in the file, the same rows.
    connection.execute_batch("DELETE FROM sales; INSERT INTO sales VALUES (2, 2), (1, 1);").expect("run");
    assert_eq!(place.land(SALES).await.expect("landed").news, None);
    assert_eq!(place.manifest().0, 1);
    connection.execute_batch("UPDATE sales SET n = 3 WHERE id = 1").expect("run");
    let landed = place.land(SALES).await.expect("landed");
    assert_eq!((landed.news, landed.current.len(), place.manifest().0), (Some(2), 1, 2));
}

#[tokio::test]
async fn columns_and_conditions_are_pushed_down() {
    let place = Place::new();
    database(
        &place,
        "CREATE TABLE \"the sales\" (id INTEGER, n INT, blob BLOB); INSERT INTO \"the sales\" VALUES (1, 1, x'00'), (2, 2, x'00');",
    );
    let all = r#"{"url": "sqlite:shop.db", "table": "the sales"}"#;
    let error = place.land(all).await.expect_err("a blob");
    assert_eq!(error.to_string(), "column `blob` of table `t` is `blob`, which cannot be read");
    let some = r#"{"url": "sqlite:shop.db", "table": "the sales", "columns": ["n", "id"], "where": "n > 1 -- only these"}"#;
    let landed = place.land(some).await.expect("landed");
    assert_eq!(rows(&landed.current), ["n=2 id=2"]);
    let query = r#"{"url": "sqlite:shop.db", "query": "SELECT sum(n) AS n FROM \"the sales\"; "}"#;
    assert_eq!(rows(&place.land(query).await.expect("landed").current), ["n=3"]);
}

#[tokio::test]
async fn rows_after_the_watermark_come_and_corrected_ones_are_new_versions() {
    let place = Place::new();
    let connection = database(
        &place,
        "CREATE TABLE sales (id INTEGER, n INT, at TIMESTAMP);
         INSERT INTO sales VALUES (1, 10, '2024-01-01 00:00:00'), (2, 20, '2024-01-02 00:00:00'), (3, 30, '2024-01-03 00:00:00');",
    );
    let keys = r#"{"url": "sqlite:shop.db", "table": "sales", "watermark": "at", "lookback": "1d", "key": ["id"]}"#;
    let first = place.land(keys).await.expect("landed");
    assert_eq!(first.news, Some(3));
    // Nothing new: the day that is looked back on comes again and is no version, and the files stay those they were.
    let again = place.land(keys).await.expect("landed");
    assert_eq!((&again.current, &again.history), (&first.current, &first.history));
    connection
        .execute_batch(
            "UPDATE sales SET n = 21, at = '2024-01-04 00:00:00' WHERE id = 2; INSERT INTO sales VALUES (4, 40, '2024-01-02 12:00:00');",
        )
        .expect("run");
    let landed = place.land(keys).await.expect("landed");
    let mut now = rows(&landed.current);
    now.sort();
    assert_eq!(
        now,
        [
            "id=1 n=10 at=2024-01-01T00:00:00",
            "id=2 n=21 at=2024-01-04T00:00:00",
            "id=3 n=30 at=2024-01-03T00:00:00",
            "id=4 n=40 at=2024-01-02T12:00:00",
        ]
    );
    let mut all = rows(&landed.history.expect("a history"));
    all.sort();
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(all[1].starts_with("id=2 n=20") && all[1].contains("_load=1 _loaded_at=2023-11-14T22:13:21"), "{all:?}");
    assert!(all[2].starts_with("id=2 n=21"), "{all:?}");
    let loads = &place.table().manifest().loads.clone();
    assert_eq!(loads.last().and_then(|load| load.files[0].rows), Some(3), "only the day looked back on and what is new came");
}

#[tokio::test]
async fn a_table_that_changed_is_told_and_taken_where_it_fits() {
    let place = Place::new();
    let connection = database(&place, "CREATE TABLE sales (id INTEGER, n INTEGER, old TEXT); INSERT INTO sales VALUES (1, 10, 'x');");
    let keys = r#"{"url": "sqlite:shop.db", "table": "sales", "watermark": "id", "key": "id"}"#;
    place.land(keys).await.expect("landed");
    connection
        .execute_batch("ALTER TABLE sales ADD COLUMN new TEXT; ALTER TABLE sales DROP COLUMN old; INSERT INTO sales VALUES (2, 2.5, 'y');")
        .expect("run");
    let landed = place.land(keys).await.expect("landed");
    assert_eq!(
        landed.notes,
        [
            "column `n` was integer and is now real (integer)",
            "column `new` (text) is new in the source; it is null in earlier loads",
            "column `old` is no longer in the source",
        ]
    );
    assert_eq!(rows(&landed.current), ["id=1 n=10.0 old=∅ new=∅", "id=2 n=2.5 old=∅ new=y"]);
    connection.execute_batch("INSERT INTO sales VALUES (3, 'many', 'z')").expect("run");
    connection.execute_batch("DELETE FROM sales WHERE id < 3").expect("run");
    let error = place.land(keys).await.expect_err("another type");
    let text = said(&error);
    assert!(text.contains("column `n` of table `t` was real and is now text (integer)") && text.contains("--reload t"), "{text}");
    let landed = place.land_as(keys, false, true).await.expect("anew");
    assert_eq!(rows(&landed.current), ["id=3 n=many new=z"]);
}

#[tokio::test]
async fn offline_uses_what_has_landed() {
    let place = Place::new();
    database(&place, "CREATE TABLE sales (id INTEGER); INSERT INTO sales VALUES (1);");
    let error = place.land_as(SALES, true, false).await.expect_err("nothing there");
    assert!(matches!(error, ConnectError::Offline { .. }), "{error}");
    place.land(SALES).await.expect("landed");
    std::fs::remove_file(place.folder.path().join("shop.db")).expect("removed");
    assert_eq!(rows(&place.land_as(SALES, true, false).await.expect("landed").current), ["id=1"]);
    let error = place.land(SALES).await.expect_err("gone");
    assert!(matches!(error, ConnectError::Missing { .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let place = Place::new();
    let connection = database(&place, "CREATE TABLE sales (id INTEGER, day DATE); ");
    let error = place.land(SALES).await.expect_err("no rows");
    assert_eq!(error.to_string(), "`sqlite:shop.db` has no rows for the table `t`");
    connection.execute_batch("INSERT INTO sales VALUES (1, 'tomorrow')").expect("run");
    let landed = place.land(SALES).await.expect("landed");
    assert_eq!(landed.notes, ["column `day` is declared date and holds `tomorrow`; it is read as text"]);
    for (keys, expected) in [
        (r#"{"url": "sqlite:shop.db", "table": "nope"}"#, "no such table: nope"),
        (r#"{"url": "sqlite:nope.db", "table": "sales"}"#, "is no file"),
        (r#"{"url": "sqlite::memory:", "table": "sales"}"#, "it names no file"),
        (
            r#"{"url": "sqlite:shop.db", "table": "sales", "key": "nope"}"#,
            "`key` names the column `nope`, which table `t` does not have; it has id, day",
        ),
        (
            r#"{"url": "sqlite:shop.db", "table": "sales", "watermark": "day"}"#,
            "column `day` of table `t` is text (date), and a watermark is",
        ),
        (r#"{"url": "sqlite:shop.db", "query": "SELECT id, id FROM sales"}"#, "two columns"),
    ] {
        let text = said(&place.land(keys).await.expect_err(keys));
        assert!(text.contains(expected), "{keys}: {text}");
    }
    place.probe(SALES).await.expect("there");
    place.probe(r#"{"url": "sqlite:shop.db", "table": "nope"}"#).await.expect_err("not there");
}
