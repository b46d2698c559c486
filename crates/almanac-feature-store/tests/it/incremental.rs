//! Materialising step by step.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use almanac_feature_store::{FeatureError, Micros, OnlineStore, Request, Status, Value, read_freshness};
use arrow::array::{Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

use crate::support::{DAY, Store, batch};

const VIEW: &str = "
entities: [{name: shop}]
views:
  - name: prices
    entities: [shop]
    source: {bronze: prices}
    time: day
    fields:
      - price
      - {name: n, aggregate: count, window: 100d}
";

fn rows(rows: &[(&str, i64, f64)]) -> RecordBatch {
    batch(vec![
        ("shop", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("day", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1 * DAY)))),
        ("price", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2)))),
    ])
}

fn ask(store: &OnlineStore, shop: &str, at: Micros) -> (Option<Value>, Status, Option<Value>) {
    let entities = BTreeMap::from([("shop".to_owned(), vec![shop.into()])]);
    let answer = store.look_up(&Request { features: vec!["prices".to_owned()], entities, at, ..Request::default() }).expect("an answer");
    let cell = |place: usize| answer.features[place].1[0].clone();
    (cell(0).value, cell(0).status, cell(1).value)
}

#[test]
fn only_new_rows_are_added_and_readers_see_them_after_a_look() {
    let store = Store::new(VIEW);
    let mut known = vec![("a", 1, 1.0), ("b", 1, 5.0)];
    let first = store.materialise("prices", &rows(&known), DAY).expect("materialised");
    assert_eq!((first.anew.as_str(), first.new_rows, first.segments), ("the first time", 2, 1));
    let online = store.open();
    assert_eq!(ask(&online, "a", DAY), (Some(Value::Real(1.0)), Status::Present, Some(Value::Int(1))));
    known.push(("a", 2, 2.0));
    known.push(("a", 9, 9.0));
    let second = store.materialise("prices", &rows(&known), 2 * DAY).expect("materialised");
    assert_eq!((second.anew.as_str(), second.new_rows, second.written, second.segments), ("", 1, 1, 2));
    assert_eq!(ask(&online, "a", 2 * DAY).0, Some(Value::Real(1.0)), "nothing changes before the look");
    assert!(online.refresh().expect("refreshed"));
    assert!(!online.refresh().expect("refreshed"), "nothing new");
    assert_eq!(ask(&online, "a", 2 * DAY), (Some(Value::Real(2.0)), Status::Present, Some(Value::Int(2))));
    assert_eq!(ask(&online, "c", 2 * DAY), (None, Status::NotFound, None));
    for day in 3..30 {
        known.push(("b", day, day as f64));
        let made = store.materialise("prices", &rows(&known), day * DAY).expect("materialised");
        assert!(made.segments <= 8, "segments are put together");
        assert!(online.refresh().expect("refreshed"));
        assert_eq!(ask(&online, "b", day * DAY).0, Some(Value::Real(day as f64)));
    }
    assert_eq!(ask(&online, "b", 29 * DAY).2, Some(Value::Int(28)));
    let files = fs::read_dir(store.online().join("prices")).expect("a folder").count();
    let freshness = read_freshness(&store.online(), "prices").expect("sound").expect("materialised");
    assert_eq!(files, freshness.segments + 2, "segments, the manifest, the lock");
}

#[test]
fn rows_that_came_late_without_saying_so_are_not_missed() {
    let store = Store::new(VIEW);
    store.materialise("prices", &rows(&[("a", 1, 1.0), ("a", 3, 3.0)]), 3 * DAY).expect("materialised");
    let late = rows(&[("a", 1, 1.0), ("a", 3, 3.0), ("a", 2, 2.0), ("z", 1, 7.0)]);
    let made = store.materialise("prices", &late, 4 * DAY).expect("materialised");
    assert_eq!(made.anew, "rows of the past were added or removed");
    let online = store.open();
    assert_eq!(ask(&online, "a", 4 * DAY), (Some(Value::Real(3.0)), Status::Present, Some(Value::Int(3))));
    assert_eq!(ask(&online, "z", 4 * DAY).0, Some(Value::Real(7.0)));
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_values() {
    let store = Store::new(VIEW);
    store.materialise("prices", &rows(&[("a", 1, 1.0)]), DAY).expect("materialised");
    let folder = store.online().join("prices");
    // A segment that was written, and a half of one, before the manifest could name them.
    fs::copy(folder.join("segment-0.parquet"), folder.join("segment-1.parquet")).expect("copied");
    fs::write(folder.join(".abc.tmp"), b"half").expect("written");
    let online = store.open();
    assert_eq!(ask(&online, "a", DAY), (Some(Value::Real(1.0)), Status::Present, Some(Value::Int(1))));
    store.materialise("prices", &rows(&[("a", 1, 1.0), ("a", 2, 2.0)]), 2 * DAY).expect("materialised");
    assert!(!folder.join("segment-1.parquet").exists() && !folder.join(".abc.tmp").exists());
    online.refresh().expect("refreshed");
    assert_eq!(ask(&online, "a", 2 * DAY).2, Some(Value::Int(2)));
}

#[test]
fn a_damaged_segment_is_told_and_the_old_values_stay() {
    let store = Store::new(VIEW);
    store.materialise("prices", &rows(&[("a", 1, 1.0)]), DAY).expect("materialised");
    let online = store.open();
    store.materialise("prices", &rows(&[("a", 1, 1.0), ("a", 2, 2.0)]), 2 * DAY).expect("materialised");
    let segment = store.online().join("prices/segment-1.parquet");
    let mut bytes = fs::read(&segment).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).expect("writable");
    online.refresh().expect("refreshed");
    assert_eq!(ask(&online, "a", 2 * DAY).0, Some(Value::Real(1.0)));
    assert!(online.why_absent("prices").expect("a reason").contains("damaged"));
    // A new reader has nothing older to fall back on.
    assert!(store.open().size("prices").is_none());
    fs::write(&segment, &bytes[..middle]).expect("writable");
    let mended = store.materialise("prices", &rows(&[("a", 1, 1.0), ("a", 2, 2.0)]), 2 * DAY).expect("materialised");
    assert_eq!(mended.anew, "a segment is gone or cut off");
    online.refresh().expect("refreshed");
    assert_eq!(ask(&online, "a", 2 * DAY).0, Some(Value::Real(2.0)));
}

#[test]
fn two_cannot_materialise_at_once_and_time_does_not_go_back() {
    let store = Store::new(VIEW);
    let table = rows(&[("a", 1, 1.0)]);
    store.materialise("prices", &table, 5 * DAY).expect("materialised");
    let back = store.materialise("prices", &table, 4 * DAY);
    assert!(matches!(back, Err(FeatureError::Backwards { .. })), "{back:?}");
    let lock = fs::File::options().write(true).open(store.online().join("prices/lock")).expect("the lock");
    lock.lock().expect("free");
    let busy = store.materialise("prices", &table, 6 * DAY);
    assert!(matches!(busy, Err(FeatureError::Busy { .. })), "{busy:?}");
    drop(lock);
    store.materialise("prices", &table, 6 * DAY).expect("free again");
}
