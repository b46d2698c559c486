//! Personal columns at bronze: nothing of them reaches a table, the quarantine or a message as it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_data::{IngestError, IngestReport, TableSpec, ingest_table};
use almanac_privacy::{Personal, Policy, PrivacyKey, Redaction};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const MAIL: &str = "anna.k@example.org";

fn key() -> PrivacyKey {
    PrivacyKey::new("0123456789abcdef0123456789abcdef").expect("long enough")
}

fn spec(name: &str, paths: Vec<PathBuf>, columns: &[(&str, Policy)]) -> TableSpec {
    let personal = Personal::new(columns.iter().map(|(name, policy)| ((*name).to_owned(), *policy)));
    let redaction = Redaction::of_table(&personal, name, Some(&key())).expect("there is a key");
    TableSpec { name: name.to_owned(), paths, redaction, ..TableSpec::default() }
}

const COLUMNS: [(&str, Policy); 3] = [("id", Policy::Hash), ("email", Policy::Mask), ("name", Policy::Drop)];

fn ingest(folder: &Path, name: &str, content: &[u8], columns: &[(&str, Policy)]) -> Result<IngestReport, IngestError> {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("written");
    ingest_table(&spec("customers", vec![path], columns), &folder.join("bronze"))
}

fn table(folder: &Path) -> RecordBatch {
    let file = std::fs::File::open(folder.join("bronze/customers/part-00000.parquet")).expect("made");
    ParquetRecordBatchReaderBuilder::try_new(file).expect("sound").build().expect("sound").next().expect("rows").expect("sound")
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    batch.column_by_name(column).expect("there").as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

/// Everything below bronze as text, decoded.
fn everything(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder.join("bronze/customers")).expect("made") {
        let file = std::fs::File::open(entry.expect("readable").path()).expect("readable");
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).expect("sound").build().expect("sound") {
            all.push_str(&format!("{:?}", batch.expect("sound")));
        }
    }
    all
}

#[test]
fn hashed_masked_and_dropped_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = format!("id,email,name,units\n1017,{MAIL},Anna,3\n1018,,Bob,4\n");
    let report = ingest(folder.path(), "c.csv", csv.as_bytes(), &COLUMNS).expect("read");
    let batch = table(folder.path());
    assert_eq!(texts(&batch, "id"), [Some(key().value("1017")), Some(key().value("1018"))]);
    assert_eq!(texts(&batch, "email"), [Some("xxxx.x@xxxxxxx.xxx".to_owned()), None]);
    assert!(batch.column_by_name("name").is_none());
    assert_eq!(report.personal.len(), 3);
    assert!(report.columns.iter().all(|column| column.name != "name"));
}

#[test]
fn the_hash_joins_across_formats() {
    let folder = tempfile::tempdir().expect("a folder");
    let columns: [(&str, ArrayRef); 2] =
        [("id", Arc::new(Int64Array::from(vec![1017]))), ("name", Arc::new(StringArray::from(vec!["Anna"])))];
    let batch = RecordBatch::try_from_iter(columns).expect("two columns");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("memory");
    writer.write(&batch).expect("memory");
    writer.close().expect("memory");
    ingest(folder.path(), "c.parquet", &bytes, &COLUMNS).expect("read");
    assert_eq!(texts(&table(folder.path()), "id"), [Some(key().value("1017"))], "a Parquet file is not copied as it is");
    assert!(!everything(folder.path()).contains("Anna"));
    ingest(folder.path(), "c.jsonl", b"{\"id\": \"1017\", \"name\": \"Anna\"}\n", &COLUMNS).expect("read");
    assert_eq!(texts(&table(folder.path()), "id"), [Some(key().value("1017"))]);
}

#[test]
fn rows_in_quarantine_show_nothing_personal() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut csv = String::from("id,email,name,units\n");
    for row in 0..200 {
        csv.push_str(&format!("{row},b{row}@example.org,Bob,{row}\n"));
    }
    csv.push_str(&format!("1017,{MAIL},Anna,many\n1017,{MAIL},Anna,3,too,many\n"));
    let report = ingest(folder.path(), "c.csv", csv.as_bytes(), &COLUMNS).expect("read");
    assert_eq!(report.quarantined, 2);
    let all = everything(folder.path());
    assert!(all.contains("many") && !all.contains("anna.k") && !all.contains("Anna") && !all.contains("1017"), "{all}");
    let mut lines = "{\"id\": 1, \"email\": \"b@example.org\", \"name\": \"Bob\"}\n".repeat(50);
    lines.push_str(&format!("\"{MAIL}\"\n"));
    ingest(folder.path(), "c.jsonl", lines.as_bytes(), &COLUMNS).expect("read");
    assert!(!everything(folder.path()).contains("anna.k"), "a parser quotes what it stumbles over");
}

#[test]
fn no_message_quotes_a_personal_value() {
    let folder = tempfile::tempdir().expect("a folder");
    // Without a policy this column is refused, with examples.
    let mut csv = String::from("born,units\n");
    for row in 0..100 {
        csv.push_str(&if row % 10 == 0 { format!("secret {row},1\n") } else { format!("2001-02-{:02},1\n", row % 28 + 1) });
    }
    let open = ingest(folder.path(), "c.csv", csv.as_bytes(), &[]).expect_err("mixed").to_string();
    assert!(open.contains("secret"), "{open}");
    let report = ingest(folder.path(), "c.csv", csv.as_bytes(), &[("born", Policy::Hash)]).expect("text");
    assert!(!format!("{report:?}").contains("secret"));
}

#[test]
fn a_column_named_with_its_table_must_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = ingest(folder.path(), "c.csv", b"id,email\n1,a\n", &[("customers.emial", Policy::Drop)]).expect_err("misspelt");
    assert!(matches!(&error, IngestError::NoColumn { near: Some(near), .. } if near == "email"), "{error}");
    ingest(folder.path(), "c.csv", b"id,email\n1,a\n", &[("orders.email", Policy::Drop)]).expect("another table's");
}

/// Writes a file without what is personal; returns the paths and the columns that were found.
fn hidden(folder: &Path, name: &str, content: &[u8]) -> (Vec<PathBuf>, Vec<String>) {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("written");
    let mut written = Vec::new();
    let mut next = |extension: &str| {
        let path = folder.join(format!("hidden-{}.{extension}", written.len()));
        written.push(path.clone());
        path
    };
    let redaction = spec("customers", Vec::new(), &COLUMNS).redaction;
    let found = almanac_data::hide_file(&path, &almanac_data::CsvOptions::default(), &redaction, &mut next).expect("read");
    (written, found.into_iter().collect())
}

#[test]
fn an_object_of_any_format_is_hidden_once_and_gives_the_table_it_would_have_given() {
    let csv = format!("\u{feff}ID;E-Mail;Email;units\n1017;x;{MAIL};3,5\n1018;y;;\"4,25\"\n1019;NA;NA;1,5\n").into_bytes();
    let lines = format!("{{\"id\": 1017, \"email\": \"{MAIL}\", \"units\": 3.5, \"who\": [{{\"name\": \"Anna\"}}]}}\n{{\"id\": 1018}}\n")
        .into_bytes();
    let document = format!("[{{\"id\": \"1017\", \"customer\": {{\"email\": \"{MAIL}\"}}, \"units\": 2}}]").into_bytes();
    for (name, content) in [("c.csv", csv), ("c.jsonl", lines), ("c.json", document)] {
        let (straight, landed) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let columns = COLUMNS;
        ingest(straight.path(), name, &content, &columns).expect("read");

        let (paths, found) = hidden(landed.path(), name, &content);
        assert!(found.iter().any(|column| column.eq_ignore_ascii_case("id")), "{name}: {found:?}");
        for path in &paths {
            let text = std::fs::read_to_string(path).expect("text");
            assert!(!text.contains(MAIL) && !text.contains("Anna") && !text.contains("1017"), "{name}: {text}");
        }
        let of_table = spec("customers", paths, &columns);
        let before = found.iter().filter_map(|column| Some((column.clone(), of_table.redaction.policy(column)?))).collect();
        let done = TableSpec { redaction: of_table.redaction.done_before(before), ..of_table };
        let report = ingest_table(&done, &landed.path().join("bronze")).expect("read");
        assert!(report.personal.contains_key("id"), "{name}");
        assert_eq!(format!("{:?}", table(landed.path())), format!("{:?}", table(straight.path())), "{name}");
    }
}

#[test]
fn rows_without_a_shape_are_put_aside_and_nothing_of_them_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut csv = "id,units\n".to_owned();
    csv.extend((0..40).map(|row| format!("{row},1\n")));
    csv.push_str(&format!("7,{MAIL},9\n"));
    let (paths, _) = hidden(folder.path(), "c.csv", csv.as_bytes());
    assert!(!std::fs::read_to_string(&paths[0]).expect("text").contains(MAIL));
    let columns = [("id", Policy::Hash)];
    let of_table = spec("customers", paths, &columns);
    let done = TableSpec { redaction: of_table.redaction.done_before([("id".to_owned(), Policy::Hash)].into()), ..of_table };
    let report = ingest_table(&done, &folder.path().join("bronze")).expect("read");
    assert_eq!((report.rows, report.quarantined), (40, 1));
}
