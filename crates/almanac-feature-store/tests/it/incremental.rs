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

/// Days 1 to `days` of two shops, whose price is the day.
fn days(days: i64) -> RecordBatch {
    let all: Vec<(&str, i64, f64)> = (1..=days).flat_map(|day| [("a", day, day as f64), ("b", day, -(day as f64))]).collect();
    rows(&all)
}

#[test]
fn readers_see_one_version_or_the_next_while_segments_are_added_and_put_together() {
    let store = Store::new(VIEW);
    store.materialise("prices", &days(1), DAY).expect("materialised");
    let online = store.open();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let last = std::thread::scope(|scope| {
        let reader = || {
            let (mut last, mut answers) = (0, 0_u64);
            while !is_done.load(std::sync::atomic::Ordering::Acquire) || answers == 0 {
                online.refresh().expect("refreshed");
                let (price, status, n) = ask(&online, "a", DAY);
                let Some(Value::Real(price)) = price else { panic!("{status:?}") };
                // The price and the count are of one version, and versions do not go back.
                assert_eq!(n, Some(Value::Int(price as i64)));
                assert!(price as i64 >= last, "{price} after {last}");
                (last, answers) = (price as i64, answers + 1);
            }
            last
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        for day in 2..=60 {
            store.materialise("prices", &days(day), day * DAY).expect("materialised");
        }
        is_done.store(true, std::sync::atomic::Ordering::Release);
        readers.map(|reader| reader.join().expect("no panic")).into_iter().max()
    });
    online.refresh().expect("refreshed");
    assert!(last <= Some(60));
    assert_eq!(ask(&online, "b", 60 * DAY), (Some(Value::Real(-60.0)), Status::Present, Some(Value::Int(60))));
}

#[test]
fn of_many_that_materialise_at_once_each_is_done_or_told_to_wait() {
    let store = Store::new(VIEW);
    for day in 1..=12 {
        let table = days(day);
        let results = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| store.materialise("prices", &table, day * DAY))).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect::<Vec<_>>()
        });
        assert!(results.iter().any(Result::is_ok));
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(FeatureError::Busy { .. }))), "{results:?}");
        let online = store.open();
        assert_eq!(ask(&online, "a", day * DAY), (Some(Value::Real(day as f64)), Status::Present, Some(Value::Int(day))));
    }
}

/// Rows of shop `a`, one each thousandth of a day, whose price is their number.
fn thousandths(number: i64) -> RecordBatch {
    let all = 1..=number;
    batch(vec![
        ("shop", Arc::new(StringArray::from_iter_values(all.clone().map(|_| "a")))),
        ("day", Arc::new(TimestampMicrosecondArray::from_iter_values(all.clone().map(|row| row * DAY / 1000)))),
        ("price", Arc::new(Float64Array::from_iter_values(all.map(|row| row as f64)))),
    ])
}

const CHILD: &str = "ALMANAC_TEST_MATERIALISE_IN";

/// Materialises day after day until it is killed: the other process of the test below, and nothing where it is not asked for.
#[test]
fn materialise_until_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let declarations = crate::support::declared(VIEW);
    let view = declarations.view("prices").expect("declared");
    let folder = std::path::PathBuf::from(folder);
    for day in 1..100_000 {
        let at = day * DAY / 1000;
        let table = thousandths(day);
        let source = crate::support::source(&table);
        println!("from {day}");
        let one = almanac_feature_store::Materialise { folder: &folder, view, until: at, now: at, full: day % 23 == 0, memory: 1 << 30 };
        one.run(&source).expect("materialised");
    }
}

#[cfg(unix)]
#[test]
fn kill_9_at_any_moment_leaves_a_whole_version() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let program = std::env::current_exe().expect("this program");
    for kill_after in [1, 2, 3, 5, 8, 9, 10, 13, 17, 30] {
        let store = Store::new(VIEW);
        let mut child = Command::new(&program)
            .args(["incremental::materialise_until_killed", "--exact", "--nocapture"])
            .env(CHILD, store.online())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let begun = lines.filter(|line| line.contains("from ")).take(kill_after).count() as i64;
        assert_eq!(begun, kill_after as i64);
        child.kill().expect("killed");
        child.wait().expect("gone");
        let online = store.open();
        // The version that was being made is there or the one before it; the child may have got further before it was killed.
        let found = match ask_if_served(&online) {
            None => 0,
            Some((price, n)) => {
                assert_eq!(price as i64, n, "the newest row and the count are of one version");
                n
            }
        };
        assert!(found >= begun - 1, "{found} after {begun} were begun");
        // The next materialisation goes on as if nothing had been.
        let table = thousandths(found + 1);
        store.materialise("prices", &table, 2000 * DAY).expect("materialised");
        online.refresh().expect("refreshed");
        assert_eq!(ask(&online, "a", 50 * DAY).0, Some(Value::Real((found + 1) as f64)));
        let rubbish = fs::read_dir(store.online().join("prices")).expect("a folder").filter_map(Result::ok);
        assert!(rubbish.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().starts_with('.')));
    }
}

/// Price and count of shop `a`, if the view is served.
#[cfg(unix)]
fn ask_if_served(store: &OnlineStore) -> Option<(f64, i64)> {
    let entities = BTreeMap::from([("shop".to_owned(), vec!["a".into()])]);
    let request = Request { features: vec!["prices".to_owned()], entities, at: 50 * DAY, ..Request::default() };
    let answer = store.look_up(&request).ok()?;
    let value = |place: usize| answer.features[place].1[0].value.clone();
    match (value(0), value(1)) {
        (Some(Value::Real(price)), Some(Value::Int(n))) => Some((price, n)),
        other => panic!("{other:?}"),
    }
}
