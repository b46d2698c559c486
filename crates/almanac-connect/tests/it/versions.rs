//! What lands stays whole, whatever happens: kills at any moment, and versions made from what is there.

use std::fs;

use rusqlite::Connection;

use crate::place::{Place, rows};

#[tokio::test]
async fn a_view_that_is_missing_or_half_written_is_made_again() {
    let place = Place::new();
    let connection = Connection::open(place.folder.path().join("shop.db")).expect("opened");
    connection.execute_batch("CREATE TABLE t (id INTEGER, n INT); INSERT INTO t VALUES (1, 1), (2, 2)").expect("run");
    let keys = r#"{"url": "sqlite:shop.db", "table": "t", "key": "id"}"#;
    let first = place.land(keys).await.expect("landed");
    let before = rows(&first.current);
    let folder = place.landing().join("t");
    fs::remove_file(&first.current[0]).expect("removed");
    fs::write(folder.join("view-current.tmp"), "half").expect("written");
    let again = place.land(keys).await.expect("landed");
    assert_eq!(rows(&again.current), before);
    assert_eq!(fs::read_dir(&folder).expect("listed").count(), 5, "the manifest, the load, and the view's three");
    connection.execute_batch("DELETE FROM t WHERE id = 2; UPDATE t SET n = 5").expect("run");
    let landed = place.land(keys).await.expect("landed");
    assert_eq!(rows(&landed.current), ["id=1 n=5"]);
    assert_eq!(rows(&landed.history.expect("a history")).len(), 3);
    assert_eq!(fs::read_dir(&folder).expect("listed").count(), 6, "one load more, one view still");
}
