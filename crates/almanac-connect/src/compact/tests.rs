//! What was put together reads as what was apart.

use std::fs;
use std::path::Path;

use almanac_privacy::Redaction;
use jiff::{Timestamp, ToSpan};

use super::*;
use crate::landing::{Commit, LandedKind, Mark};
use crate::rows::{Cell, RowWriter};
use crate::versions::views;

const SOURCE: &str = "shop";

fn at(number: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + number.hours()
}

fn column(name: &str, kind: LandedKind) -> LandedColumn {
    LandedColumn { name: name.to_owned(), kind, from: kind.name().to_owned() }
}

/// An increment of ten rows: half of them new, half corrected. `n` becomes real and `note` comes later.
fn rows(table: &mut TableLanding, number: i64) {
    let kind = if number > 40 { LandedKind::Real } else { LandedKind::Integer };
    let mut columns = vec![column("id", LandedKind::Integer), column("n", kind), column("at", LandedKind::Integer)];
    if number > 20 {
        columns.push(column("note", LandedKind::Text));
    }
    let mut load = table.begin();
    let file = load.file("parquet");
    let mut writer = RowWriter::new(file.path(), columns.clone(), &Redaction::default()).expect("begun");
    for row in 0..10 {
        let value = number * row % 7;
        assert!(writer.push(0, Cell::Integer(number * 5 + row)));
        assert!(writer.push(1, if number > 40 { Cell::Real(value as f64) } else { Cell::Integer(value) }));
        assert!(writer.push(2, Cell::Integer(number)));
        if number > 20 {
            assert!(writer.push(3, if row % 2 == 0 { Cell::Null } else { Cell::Text("ü") }));
        }
        writer.end_row().expect("written");
    }
    let written = writer.finish().expect("written");
    load.add_with(file, Some(10), Some(written.content), None).expect("added");
    let watermark = Some(Watermark { column: "at".into(), from: Some(Mark::Integer(number - 1)), to: Some(Mark::Integer(number)) });
    let offsets = [(format!("p/{}", number % 3), number)].into();
    load.commit(Commit { watermark, offsets, columns, ..Commit::new(LoadMode::Rows, SOURCE, at(number)) }).expect("committed");
}

/// As [`rows`], from a service; one line is a message that cannot be read.
fn lines(table: &mut TableLanding, number: i64) {
    let mut load = table.begin();
    let file = load.file("jsonl");
    let mut text = format!("\"bad {number}\"\n");
    for row in 0..10 {
        text += &format!("{{\"n\":{},\"id\":{},\"Z\":1.50}}\n", number * row % 7, number * 5 + row);
    }
    fs::write(file.path(), text).expect("written");
    load.add(file, Some(11)).expect("added");
    load.commit(Commit::new(LoadMode::Rows, SOURCE, at(number))).expect("committed");
}

fn table(folder: &Path, increment: fn(&mut TableLanding, i64), count: i64) -> TableLanding {
    let mut table = TableLanding::open(folder, "t").expect("opened");
    for number in 1..=count {
        increment(&mut table, number);
    }
    table
}

fn forget_views(table: &TableLanding) {
    for entry in fs::read_dir(table.folder()).expect("listed") {
        let path = entry.expect("listed").path();
        if path.extension().is_some_and(|end| end == "json") && !path.ends_with("manifest.json") {
            fs::remove_file(path).expect("removed");
        }
    }
}

#[test]
fn no_version_of_a_row_is_lost() {
    for increment in [rows, lines] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = table(folder.path(), increment, 70);
        let key = ["id".to_owned()];
        // Files of views are named by their content.
        let before = views(&table, SOURCE, &key, Some("at")).expect("made");
        let (watermark, offsets) = (table.manifest().watermark(SOURCE), table.manifest().offsets(SOURCE));
        assert_eq!(compact(&mut table, SOURCE, true).expect("put together"), Some(69));
        forget_views(&table);
        assert_eq!(views(&table, SOURCE, &key, Some("at")).expect("made"), before);
        assert_eq!((table.manifest().watermark(SOURCE), table.manifest().offsets(SOURCE)), (watermark, offsets));
        assert_eq!(table.manifest().loads.len(), 2);
        // A second time over, with what was put together once.
        for number in 71..=140 {
            increment(&mut table, number);
        }
        let before = views(&table, SOURCE, &key, Some("at")).expect("made");
        assert_eq!(compact(&mut table, SOURCE, true).expect("put together"), Some(71));
        forget_views(&table);
        assert_eq!(views(&table, SOURCE, &key, Some("at")).expect("made"), before);
        let again = TableLanding::open(folder.path(), "t").expect("whole");
        assert_eq!((again.manifest().loads.len(), again.manifest().loads[0].packed.len()), (2, 139));
        assert_eq!(fs::read_dir(table.folder()).expect("listed").count(), 6, "the manifest, two loads, the view's three");
    }
}

#[test]
fn rows_without_a_key_stay_as_they_are_and_in_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = table(folder.path(), lines, 66);
    let all = |table: &TableLanding| -> String {
        let files = table.manifest().current(SOURCE).into_iter().map(|file| fs::read_to_string(table.path(file)).expect("read"));
        files.collect()
    };
    let before = all(&table);
    assert_eq!(compact(&mut table, SOURCE, false).expect("put together"), Some(65));
    assert_eq!((all(&table), table.manifest().current(SOURCE).len()), (before, 2));
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = self::table(folder.path(), rows, 66);
    compact(&mut table, SOURCE, false).expect("put together");
    let rows: u64 = table.manifest().current(SOURCE).iter().filter_map(|file| file.rows).sum();
    assert_eq!(rows, 660);
}

#[test]
fn many_small_increments_stay_few_files_and_reading_them_stays_fast() {
    // 500 take a minute of syncing on a slow disk.
    let count = if std::env::var_os("ALMANAC_TEST_SLOW").is_some() { 500 } else { 140 };
    let key = ["id".to_owned()];
    let folder = tempfile::tempdir().expect("a folder");
    let apart = table(folder.path(), rows, count);
    let started = std::time::Instant::now();
    let before = views(&apart, SOURCE, &key, Some("at")).expect("made");
    let slow = started.elapsed();
    let other = tempfile::tempdir().expect("a folder");
    let mut table = TableLanding::open(other.path(), "t").expect("opened");
    for number in 1..=count {
        rows(&mut table, number);
        compact(&mut table, SOURCE, true).expect("put together");
    }
    let loads = table.manifest().loads.len();
    assert!(loads <= AT_LEAST + 2, "{loads} loads");
    let started = std::time::Instant::now();
    let after = views(&table, SOURCE, &key, Some("at")).expect("made");
    println!("{count} increments: {slow:?} apart, {:?} in {loads} loads", started.elapsed());
    let names = |views: &crate::Views| {
        [&views.current, views.history.as_ref().expect("a history")].map(|files| files[0].file_name().map(std::ffi::OsStr::to_owned))
    };
    assert_eq!(names(&before), names(&after), "the same bytes");
}

#[test]
fn what_an_interrupted_packing_leaves_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut whole = table(folder.path(), rows, 66);
    // Killed before the manifest turned, and after it.
    fs::write(whole.folder().join("pack-000001-000065.parquet"), "half").expect("written");
    let kept = fs::read(whole.folder().join("load-000002.parquet")).expect("read");
    compact(&mut whole, SOURCE, true).expect("put together");
    fs::write(whole.folder().join("load-000002.parquet"), kept).expect("written");
    let mut again = TableLanding::open(folder.path(), "t").expect("opened");
    let rows: u64 = again.manifest().current(SOURCE).iter().filter_map(|file| file.rows).sum();
    assert_eq!((rows, fs::read_dir(again.folder()).expect("listed").count()), (660, 3), "the manifest, the pack and the newest load");
    assert_eq!(compact(&mut again, SOURCE, true).expect("looked"), None);
}

#[test]
fn few_large_or_whole_loads_stay_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut few = table(folder.path(), lines, 60);
    assert_eq!(compact(&mut few, SOURCE, true).expect("looked"), None);
    let load = |bytes: u64, mode: LoadMode| {
        let file = LandedFile { name: "x.jsonl".into(), rows: None, bytes, blake3: String::new(), content: None, origin: None };
        Load { files: vec![file], mode, ..few.manifest().loads[0].clone() }
    };
    let increments = |bytes: &[u64]| bytes.iter().map(|bytes| load(*bytes, LoadMode::Rows)).collect::<Vec<_>>();
    assert_eq!(small(&increments(&[9 << 20, 3 << 20, 1 << 20, 1 << 20, 1 << 20, 5])), 1..5, "what is large beside the others stays");
    assert_eq!(small(&[load(1, LoadMode::Full), load(1, LoadMode::Full)]), 1..1);
    assert_eq!(small(&[]), 0..0);
}

#[test]
fn loads_of_which_nothing_is_left_go_but_the_newest_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = TableLanding::open(folder.path(), "t").expect("opened");
    let full = |table: &mut TableLanding, text: &str| {
        let mut load = table.begin();
        let file = load.file("jsonl");
        fs::write(file.path(), text).expect("written");
        load.add(file, None).expect("added");
        load.commit(Commit::new(LoadMode::Full, SOURCE, at(1))).expect("committed");
    };
    for number in 0..6 {
        full(&mut table, &format!("{{\"id\":{number}}}\n"));
    }
    assert_eq!(let_go(&mut table, SOURCE, true, 2).expect("looked"), 0, "versions of rows are kept");
    assert_eq!(let_go(&mut table, SOURCE, false, 2).expect("gone"), 4);
    let numbers: Vec<u64> = table.manifest().loads.iter().map(|load| load.number).collect();
    assert_eq!((numbers, table.manifest().current(SOURCE).len()), (vec![5, 6], 1));
    full(&mut table, "{}\n");
    assert_eq!(table.manifest().loads.last().map(|load| load.number), Some(7), "numbers go on");
    assert_eq!(fs::read_dir(table.folder()).expect("listed").count(), 4);
    TableLanding::open(folder.path(), "t").expect("whole");
}

#[test]
fn increments_that_are_hidden_in_different_ways_stay_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut table = table(folder.path(), rows, 70);
    let hidden = LandedPolicy { found: ["note".to_owned()].into(), ..LandedPolicy::default() };
    let mut manifest = table.manifest().clone();
    for load in &mut manifest.loads[..30] {
        load.privacy = Some(hidden.clone());
    }
    table.turn_to(manifest).expect("written");
    assert_eq!(compact(&mut table, SOURCE, true).expect("looked at"), None, "only 39 are alike");
    for number in 71..=100 {
        rows(&mut table, number);
    }
    assert_eq!(compact(&mut table, SOURCE, true).expect("put together"), Some(69));
    let loads = &table.manifest().loads;
    assert_eq!((loads.len(), loads[29].packed.len(), loads[30].packed.len()), (32, 0, 69));
    assert_eq!((loads[29].privacy.as_ref(), loads[30].privacy.as_ref()), (Some(&hidden), None));
}
