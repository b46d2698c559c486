//! Delta tables that real writers wrote (`fixtures/delta.py`), each of their versions, and what damage to them is told as.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use almanac_connect::ConnectError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::place::{Place, said};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/delta")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// A project with a copy of a table as `lake`.
fn with(table: &str) -> (Place, PathBuf) {
    let place = Place::new();
    let lake = place.folder.path().join("lake");
    copy(&fixtures().join(table), &lake);
    (place, lake)
}

fn array_is_real(schema: &arrow::datatypes::Schema, name: &str) -> bool {
    schema.field_with_name(name).is_ok_and(|field| field.data_type().is_floating())
}

/// The rows of files by column, `a=1|b=x`, sorted; without nested columns, which have no common text.
fn rows(files: &[PathBuf]) -> Vec<String> {
    let mut rows = Vec::new();
    for file in files {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(file).expect("there")).expect("Parquet");
        for batch in reader.build().expect("readable") {
            let batch = batch.expect("whole");
            let options = FormatOptions::default().with_null("∅");
            let schema = batch.schema();
            let mut columns: Vec<(&str, ArrayFormatter<'_>)> = schema
                .fields()
                .iter()
                .zip(batch.columns())
                .filter(|(field, _)| !field.data_type().is_nested() && *field.data_type() != arrow::datatypes::DataType::Binary)
                .map(|(field, column)| (field.name().as_str(), ArrayFormatter::try_new(column.as_ref(), &options).expect("printable")))
                .collect();
            columns.sort_by_key(|(name, _)| *name);
            for row in 0..batch.num_rows() {
                let cell = |(name, column): &(&str, ArrayFormatter<'_>)| {
                    let text = column.value(row).to_string();
                    let is_real = text.parse::<f64>().is_ok() && array_is_real(&schema, name);
                    let text = if is_real { text.strip_suffix(".0").unwrap_or(&text) } else { &text };
                    format!("{name}={}", text.trim_end_matches('Z'))
                };
                rows.push(columns.iter().map(cell).collect::<Vec<_>>().join("|"));
            }
        }
    }
    rows.sort();
    rows
}

fn expected() -> BTreeMap<String, Vec<String>> {
    serde_json::from_slice(&fs::read(fixtures().join("expected.json")).expect("there")).expect("JSON")
}

/// Without the columns that are null throughout: a file that landed before a column was added lacks it.
fn without_nulls(rows: &[String]) -> Vec<String> {
    rows.iter().map(|row| row.split('|').filter(|cell| !cell.ends_with("=∅")).collect::<Vec<_>>().join("|")).collect()
}

#[tokio::test]
async fn each_version_of_a_table_reads_as_its_writer_reads_it() {
    let (place, _) = with("sales");
    for (version, expected) in expected() {
        let landed = place.land(&format!(r#"{{"url": "delta:lake", "version": {version}}}"#)).await.expect("landed");
        assert_eq!(rows(&landed.current), expected, "version {version}");
    }
    let landed = place.land(r#"{"url": "delta:lake/"}"#).await.expect("landed");
    assert_eq!(rows(&landed.current), expected()["4"], "the newest");
    place.probe(r#"{"url": "delta:lake"}"#).await.expect("there");
}

#[tokio::test]
async fn deleted_rows_and_other_names_in_files_are_followed() {
    let (place, _) = with("vector");
    let landed = place.land(r#"{"url": "delta:lake"}"#).await.expect("landed");
    let values: Vec<String> = (1..9).map(|value| format!("value={value}")).collect();
    assert_eq!(rows(&landed.current), values, "0 and 9 are deleted");
    let landed = place.land(r#"{"url": "delta:lake", "version": 0}"#).await.expect("landed");
    assert_eq!(rows(&landed.current).len(), 10);
    let (place, _) = with("mapping");
    let landed = place.land(r#"{"url": "delta:lake"}"#).await.expect("landed");
    assert_eq!(
        rows(&landed.current),
        [
            "Company Very Short=BME|Super Name=Timothy Lamb",
            "Company Very Short=BMS|Super Name=Anthony Johnson",
            "Company Very Short=BMS|Super Name=Mr. Daniel Ferguson MD",
            "Company Very Short=BMS|Super Name=Nathan Bennett",
            "Company Very Short=BMS|Super Name=Stephanie Mcgrath",
        ]
    );
}

/// Hides the versions after one, as the table was before them.
fn back_to(lake: &Path, version: u32) -> Vec<(PathBuf, Vec<u8>)> {
    let mut hidden = Vec::new();
    for entry in fs::read_dir(lake.join("_delta_log")).expect("listed") {
        let path = entry.expect("listed").path();
        let number = path.file_name().and_then(|name| name.to_str()?.get(..20)?.parse::<u32>().ok());
        if number.is_none_or(|number| number > version) {
            hidden.push((path.clone(), fs::read(&path).expect("read")));
            fs::remove_file(path).expect("removed");
        }
    }
    hidden
}

#[tokio::test]
async fn a_new_version_costs_what_is_new_in_it() {
    let (place, lake) = with("sales");
    let keys = r#"{"url": "delta:lake"}"#;
    let later = back_to(&lake, 1);
    let first = place.land(keys).await.expect("landed");
    assert_eq!((rows(&first.current), first.current.len()), (expected()["1"].clone(), 2));
    assert_eq!(place.land(keys).await.expect("landed").news, None, "nothing new");
    for (path, bytes) in later {
        fs::write(path, bytes).expect("written");
    }
    let landed = place.land(keys).await.expect("landed");
    assert_eq!(without_nulls(&rows(&landed.current)), without_nulls(&expected()["4"]));
    assert_eq!(
        landed.notes,
        [
            "version 4 of the Delta table: 3 of its 3 files came, 2 that landed before count no longer",
            "column `note` (string) is new in the source; it is null in earlier loads",
        ]
    );
    let manifest = place.table().manifest().clone();
    assert_eq!((manifest.loads.len(), manifest.loads[1].offsets["version"]), (2, 4));
}

#[tokio::test]
async fn a_table_is_read_as_of_a_time() {
    let (place, lake) = with("sales");
    for version in 0..5_u64 {
        let file = fs::File::open(lake.join(format!("_delta_log/{version:020}.json"))).expect("there");
        let day = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(24 * (19_723 + version));
        file.set_modified(day).expect("set");
    }
    // 2024-01-01 is day 19723.
    let at = |time: &str| format!(r#"{{"url": "delta:lake", "timestamp": "{time}"}}"#);
    for (time, version) in [("2024-01-01", "0"), ("2024-01-02T23:59:59Z", "1"), ("2024-01-03", "2"), ("2030-01-01", "4")] {
        assert_eq!(rows(&place.land(&at(time)).await.expect(time).current), expected()[version], "{time}");
    }
    let error = place.land(&at("2023-12-31")).await.expect_err("before it was");
    assert!(said(&error).contains("version 0 is of 2024-01-01T00:00:00Z"), "{}", said(&error));
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let keys = r#"{"url": "delta:lake"}"#;
    let fails = async |table: &str, keys: &str, damage: &dyn Fn(&Path), expected: &str| {
        let (place, lake) = with(table);
        damage(&lake);
        let error = place.land(keys).await.expect_err(expected);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(matches!(error, ConnectError::Refused { .. } | ConnectError::Missing { .. }), "{error:?}");
        assert_eq!(place.manifest().0, 0, "nothing landed");
        let strays = fs::read_dir(place.landing().join("t")).map_or(0, Iterator::count);
        assert_eq!(strays, 0, "{expected}");
    };
    let commit = |lake: &Path, number: u32| lake.join(format!("_delta_log/{number:020}.json"));
    let edit = |lake: &Path, number: u32, from: &str, to: &str| {
        let path = commit(lake, number);
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains(from), "{from} in {text}");
        fs::write(path, text.replace(from, to)).expect("written");
    };
    fails("sales", r#"{"url": "delta:nothing"}"#, &|_| {}, "it is no Delta table").await;
    fails("sales", r#"{"url": "delta:lake", "version": 17}"#, &|_| {}, "the newest one is 4").await;
    fails("vector", keys, &|lake| fs::remove_file(commit(lake, 0)).expect("removed"), "commits are missing in its log").await;
    fails(
        "sales",
        r#"{"url": "delta:lake", "version": 1}"#,
        &|lake| fs::remove_file(commit(lake, 0)).expect("removed"),
        "the oldest version that can be read is 3",
    )
    .await;
    fails("vector", keys, &|lake| fs::write(commit(lake, 1), "{\"add\":{\"path\"").expect("cut"), "line 1").await;
    fails(
        "vector",
        keys,
        &|lake| edit(lake, 0, "readerFeatures\":[", "readerFeatures\":[\"variantType\","),
        "`variantType`, which is not read",
    )
    .await;
    fails("vector", keys, &|lake| edit(lake, 0, "minReaderVersion\":3", "minReaderVersion\":9"), "reader of version 9").await;
    fails("vector", keys, &|lake| edit(lake, 1, "\"cardinality\":2", "\"cardinality\":3"), "names 2 rows, the log says 3").await;
    for path in ["..%2F..%2Fsecret", "%2Fetc%2Fpasswd", "s3://other/x"] {
        fails(
            "vector",
            keys,
            &|lake| {
                edit(
                    lake,
                    1,
                    "\"add\":{\"path\":\"part-00000-fae5310a-a37d-4e51-827b-c3d5516560ca-c000.snappy.parquet",
                    &format!("\"add\":{{\"path\":\"{path}"),
                );
            },
            "lies outside of the table",
        )
        .await;
    }
    let ends = |name: &Path, end: &str| name.extension().is_some_and(|found| found == end);
    let change = |lake: &Path, end: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let path =
            fs::read_dir(lake).expect("listed").map(|entry| entry.expect("listed").path()).find(|path| ends(path, end)).expect("there");
        let mut bytes = fs::read(&path).expect("read");
        change(&mut bytes);
        fs::write(path, bytes).expect("written");
    };
    fails("vector", keys, &|lake| change(lake, "bin", &|bytes| bytes[20] ^= 1), "is damaged").await;
    fails("vector", keys, &|lake| change(lake, "bin", &|bytes| bytes.truncate(20)), "it is cut off").await;
    fails("vector", keys, &|lake| change(lake, "parquet", &|bytes| bytes.truncate(100)), "has 100 bytes, its log says 635").await;
    fails("vector", keys, &|lake| change(lake, "parquet", &|bytes| bytes.fill(7)), "cannot be read").await;
}

#[tokio::test]
async fn the_tables_of_a_folder_read_as_deltalake_reads_them() {
    let Some(folder) = std::env::var_os("ALMANAC_TEST_DELTA").map(PathBuf::from) else {
        println!("skipped: `ALMANAC_TEST_DELTA` names no folder of tables (`fixtures/delta.py`)");
        return;
    };
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).expect("listed") {
        let path = entry.expect("listed").path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")) else { continue };
        let expected: BTreeMap<String, Vec<String>> = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
        let keys = serde_json::json!({"url": format!("delta:{}", folder.join(name).display())});
        match Place::new().land(&keys.to_string()).await {
            Ok(landed) => {
                let (ours, theirs) = (rows(&landed.current), expected.into_values().next().expect("a version"));
                let is_same = without_nulls(&ours) == without_nulls(&theirs);
                println!("{name}: {} rows, {}", ours.len(), if is_same { "the same" } else { "others" });
                if !is_same {
                    let differ = ours.iter().zip(&theirs).find(|(a, b)| a != b);
                    wrong.push(format!("{name}: {} and {} rows, such as {differ:?}", ours.len(), theirs.len()));
                }
            }
            Err(error) => println!("{name}: {} rows, {error}", expected.values().next().map_or(0, Vec::len)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
