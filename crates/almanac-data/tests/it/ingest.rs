//! Files into bronze: what is read, what is put aside, what is refused, and that nothing panics.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use almanac_data::{ColumnKind, CsvOptions, IngestError, IngestReport, TableSpec, expand_source, ingest_table, sketch_table};
use almanac_series::Hint;
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use expect_test::{Expect, expect};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("writable");
        path
    }

    fn ingest(&self, paths: &[PathBuf], csv: CsvOptions) -> Result<IngestReport, IngestError> {
        let spec = TableSpec { name: "t".into(), paths: paths.to_vec(), csv, ..TableSpec::default() };
        ingest_table(&spec, &self.folder.path().join("bronze"))
    }

    fn rows(&self, file: &str) -> Vec<RecordBatch> {
        let path = self.folder.path().join("bronze/t").join(file);
        let file = fs::File::open(path).expect("bronze has the file");
        ParquetRecordBatchReaderBuilder::try_new(file).expect("sound").build().expect("sound").map(|batch| batch.expect("sound")).collect()
    }

    /// Schema, rows and quarantine as text, or the error with its hint.
    fn show(&self, result: Result<IngestReport, IngestError>) -> String {
        let text = match result {
            Err(error) => format!("error: {error}\nhint: {}", error.hint().unwrap_or_default()),
            Ok(report) => {
                let kinds: Vec<String> = report.columns.iter().map(|column| format!("{}: {}", column.name, column.kind)).collect();
                let mut text = kinds.join(", ") + "\n";
                table(&mut text, &self.rows("part-00000.parquet"), &["_file", "_row"]);
                if report.quarantined > 0 {
                    text += "put aside\n";
                    table(&mut text, &self.rows("quarantine.parquet"), &["file"]);
                }
                for note in report.notes.iter().chain(report.columns.iter().filter_map(|column| column.note.as_ref())) {
                    let _ = writeln!(text, "note: {note}");
                }
                text
            }
        };
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn table(text: &mut String, batches: &[RecordBatch], hidden: &[&str]) {
    let options = FormatOptions::default().with_null("∅");
    for batch in batches {
        let schema = batch.schema();
        let shown = schema.fields().iter().zip(batch.columns()).filter(|(field, _)| !hidden.contains(&field.name().as_str()));
        let columns: Vec<_> = shown.map(|(_, array)| ArrayFormatter::try_new(array.as_ref(), &options).expect("printable")).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            let _ = writeln!(text, "  {}", cells.join(" | "));
        }
    }
}

#[track_caller]
fn check(content: impl AsRef<[u8]>, expected: Expect) {
    check_with(content, CsvOptions::default(), expected);
}

#[track_caller]
fn check_with(content: impl AsRef<[u8]>, csv: CsvOptions, expected: Expect) {
    let place = Place::new();
    let path = place.write("data.csv", content.as_ref());
    let result = place.ingest(&[path], csv);
    expected.assert_eq(&place.show(result));
}

#[test]
fn a_plain_table_gets_its_types() {
    check(
        "date,store,units,price,promo\n2024-01-01,a,3,1.5,TRUE\n2024-01-02,b,-4,NA,FALSE\n",
        expect![[r#"
        date: date, store: text, units: integer, price: real, promo: boolean
          2024-01-01T00:00:00 | a | 3 | 1.5 | true
          2024-01-02T00:00:00 | b | -4 | ∅ | false
    "#]],
    );
}

#[test]
fn german_files_are_read() {
    check(
        "Datum;Filiale;Umsatz\r\n31.12.2023;Nord;1.234,50\r\n01.01.2024;Süd;12,5\r\n",
        expect![[r#"
        Datum: date, Filiale: text, Umsatz: real
          2023-12-31T00:00:00 | Nord | 1234.5
          2024-01-01T00:00:00 | Süd | 12.5
    "#]],
    );
}

#[test]
fn old_macintosh_line_ends_and_tabs_are_read() {
    check(
        "a\tb\r1\tx\r2\ty\r",
        expect![[r#"
        a: integer, b: text
          1 | x
          2 | y
    "#]],
    );
}

#[test]
fn quotes_hold_delimiters_and_line_ends() {
    check(
        "name,n\n\"a, \"\"b\"\"\nc\",1\nplain,2\n",
        expect![[r#"
        name: text, n: integer
          a, "b"
        c | 1
          plain | 2
    "#]],
    );
}

#[test]
fn a_quote_that_nothing_closes_is_told_and_swallows_nothing() {
    for text in ["a,b\n1,x\n2,\"y\n3,z\n4,z\n", "a,b\n1,x\n2,\"y", "a,b\n1,x\n\"2,y\n3,z", "a,b\r\n1,x\r\n2,\"y\r\n"] {
        check(
            text,
            expect![[r#"
                error: `data.csv`: record 3 opens a quote that nothing closes
                hint: close it, or double it if it is part of a text; if the file was cut off, copy or download it again"#]],
        );
    }
    check(
        "a,b\n1,x\n2,\"y\n\"",
        expect![[r#"
            a: integer, b: text
              1 | x
              2 | y

        "#]],
    );
}

#[test]
fn folders_of_delta_and_iceberg_are_not_read_as_plain_files() {
    let place = Place::new();
    for (log, folder, expected) in [
        ("lake/_delta_log/00000000000000000000.json", "lake", "is a Delta table"),
        ("berg/metadata/v1.metadata.json", "berg", "is an Iceberg table"),
    ] {
        let data = place.folder.path().join(folder).join("data/day=1");
        fs::create_dir_all(&data).expect("made");
        fs::create_dir_all(place.folder.path().join(log).parent().expect("a folder")).expect("made");
        place.write(log, b"{}");
        place.write(&format!("{folder}/data/day=1/part.csv"), b"a\n1\n");
        for pattern in [folder.to_owned(), format!("{folder}/data/day=1"), format!("{folder}/**/*.csv")] {
            let error = expand_source(place.folder.path(), &pattern).expect_err(&pattern);
            assert!(error.to_string().contains(expected) && error.hint().is_some(), "{pattern}: {error}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header() {
    check(
        "\u{feff}ds,y\n2024-01,1\n2024-02,2\n",
        expect![[r#"
        ds: date, y: integer
          2024-01-01T00:00:00 | 1
          2024-02-01T00:00:00 | 2
    "#]],
    );
}

#[test]
fn latin_1_is_told_from_utf_8() {
    check(
        b"stadt,n\nM\xfcnchen,1\nK\xf6ln,2\nGie\xdfen,3\n",
        expect![[r#"
        stadt: text, n: integer
          München | 1
          Köln | 2
          Gießen | 3
    "#]],
    );
}

#[test]
fn utf_16_is_read() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend("stadt,n\nMünchen,1\n".encode_utf16().flat_map(u16::to_le_bytes));
    check(
        bytes,
        expect![[r#"
        stadt: text, n: integer
          München | 1
    "#]],
    );
}

#[test]
fn a_broken_byte_in_a_utf_8_file_costs_its_row() {
    let mut bytes = b"city,n\n".to_vec();
    for n in 0..20 {
        bytes.extend(format!("Zürich,{n}\n").bytes());
    }
    bytes.extend(b"Z\xffrich,99\n");
    let place = Place::new();
    let path = place.write("data.csv", &bytes);
    let report = place.ingest(&[path], CsvOptions::default()).expect("readable");
    assert_eq!((report.rows, report.quarantined), (20, 1));
}

#[test]
fn extreme_numbers_survive() {
    check(
        "x,n\n1e308,9223372036854775807\n-1e308,-9223372036854775808\ninf,0\n-inf,1\nNaN,\n0.1,2\n",
        expect![[r#"
        x: real, n: integer
          1e308 | 9223372036854775807
          -1e308 | -9223372036854775808
          inf | 0
          -inf | 1
          ∅ | ∅
          0.1 | 2
    "#]],
    );
}

#[test]
fn codes_with_zeros_in_front_stay_text() {
    check(
        "sku,y\n007,1\n012,2\n",
        expect![[r#"
        sku: text, y: integer
          007 | 1
          012 | 2
        note: read as text: its numbers have zeros in front, as codes do
    "#]],
    );
}

#[test]
fn a_few_rubbish_cells_are_put_aside() {
    let mut text = "ds,y\n".to_owned();
    for n in 0..400 {
        let _ = writeln!(text, "2024-01-{:02},{n}", n % 28 + 1);
    }
    text += "2024-01-01,#REF!\n2024-13-45,7\n2024-01-02\n2024-01-03,4,5\n";
    let place = Place::new();
    let path = place.write("data.csv", text.as_bytes());
    let report = place.ingest(&[path], CsvOptions::default()).expect("readable");
    assert_eq!((report.rows, report.quarantined), (400, 4));
    let mut shown = "put aside\n".to_owned();
    table(&mut shown, &place.rows("quarantine.parquet"), &["file"]);
    expect![[r#"
        put aside
          402 | y | #REF! | not a whole number
          403 | ds | 2024-13-45 | not a date
          404 |  | 2024-01-02 | the row has 1 cells, the header 2
          405 |  | 2024-01-03,4,5 | the row has 3 cells, the header 2
    "#]]
    .assert_eq(&shown);
}

#[test]
fn too_many_markers_are_an_error_with_a_hint() {
    let mut text = "y\n".to_owned();
    for n in 0..50 {
        text += &if n % 10 == 0 { "missing\n".to_owned() } else { format!("{n}\n") };
    }
    check(
        &text,
        expect![[r#"
        error: column `y` of `t` looks like real, but 5 of 50 cells are not, e.g. `missing`
        hint: set `null_values` or `date_format` under `[data.csv]` so that all values fit, or read it as it is with `"y" = "string"` under `[data.types]`"#]],
    );
    let place = Place::new();
    let path = place.write("data.csv", text.as_bytes());
    let report =
        place.ingest(&[path], CsvOptions { null_values: Some(vec!["missing".into()]), ..CsvOptions::default() }).expect("readable");
    assert_eq!((report.columns[0].kind, report.columns[0].nulls, report.quarantined), (ColumnKind::Integer, 5, 0));
}

#[test]
fn mixed_codes_are_text() {
    let mut text = "sku\n".to_owned();
    for n in 0..50 {
        text += &if n % 8 == 0 { format!("A{n}\n") } else { format!("{n}\n") };
    }
    let place = Place::new();
    let path = place.write("data.csv", text.as_bytes());
    assert_eq!(place.ingest(&[path], CsvOptions::default()).expect("readable").columns[0].kind, ColumnKind::Text);
}

#[test]
fn the_order_of_day_and_month_is_settled_by_the_column() {
    check(
        "d,y\n1/2/2024,1\n1/13/2024,2\n",
        expect![[r#"
        d: date, y: integer
          2024-01-02T00:00:00 | 1
          2024-01-13T00:00:00 | 2
    "#]],
    );
    check(
        "d,y\n1/2/2024,1\n13/1/2024,2\n",
        expect![[r#"
        d: date, y: integer
          2024-02-01T00:00:00 | 1
          2024-01-13T00:00:00 | 2
    "#]],
    );
    check(
        "d,y\n1/2/2024,1\n3/4/2024,2\n",
        expect![[r#"
        error: dates of column `d` of `t` can be read in two ways: `1/2/2024` is 2024-02-01 or 2024-01-02
        hint: set `date_format = ["%d/%m/%Y"]` or `["%m/%d/%Y"]` under `[data.csv]`"#]],
    );
    check_with(
        "d,y\n1/2/2024,1\n3/4/2024,2\n",
        CsvOptions { date_formats: Some(vec!["%d/%m/%Y".into()]), ..CsvOptions::default() },
        expect![[r#"
        d: date, y: integer
          2024-02-01T00:00:00 | 1
          2024-04-03T00:00:00 | 2
    "#]],
    );
}

#[test]
fn digits_in_a_date_column_are_dates() {
    check(
        "date,y\n20240131,1\n20240201,2\n",
        expect![[r#"
        date: date, y: integer
          2024-01-31T00:00:00 | 1
          2024-02-01T00:00:00 | 2
        note: digits read as dates, YYYYMMDD
    "#]],
    );
}

#[test]
fn names_are_mended_and_reported() {
    check(
        "a,a,, b \n1,2,3,4\n",
        expect![[r#"
        a: integer, a_2: integer, column_3: integer, b: integer
          1 | 2 | 3 | 4
        note: `data.csv`: column 2 repeats the name `a`; it is read as `a_2`
    "#]],
    );
}

#[test]
fn nothing_and_nearly_nothing_are_typed_errors() {
    for (content, expected) in [
        (
            "",
            expect![[r#"
        error: `data.csv` is empty
        hint: export the file again, or take it out of the source"#]],
        ),
        (
            " \n\n",
            expect![[r#"
        error: `data.csv` is empty
        hint: export the file again, or take it out of the source"#]],
        ),
        (
            "a,b\n",
            expect![[r#"
        error: `data.csv` has a header but no row
        hint: export the file again, or take it out of the source"#]],
        ),
        (
            "\0\u{1}\0\0\u{2}",
            expect![[r#"
        error: `data.csv` is no table that can be read: it holds zero bytes, as binary files do
        hint: save it as CSV, JSON, Excel or Parquet; text may be packed with gzip, zstd or zip"#]],
        ),
    ] {
        check(content, expected);
    }
    check(
        "a,b\n1,2\n",
        expect![[r#"
        a: integer, b: integer
          1 | 2
    "#]],
    );
}

#[test]
fn too_many_columns_are_refused() {
    let header: Vec<String> = (0..50_000).map(|n| format!("c{n}")).collect();
    check(
        format!("{}\n{}\n", header.join(","), vec!["1"; 50_000].join(",")),
        expect![[r#"
        error: `data.csv` has 50000 columns, at most 10000 are read
        hint: one column per series? turn it into long format: one row per series and date"#]],
    );
}

#[test]
fn ragged_files_are_refused() {
    check(
        "a,b\n1\n2\n3,4\n",
        expect![[r#"
        error: `data.csv`: 2 of 3 rows do not have the 2 cells of the header (first: row 2)
        hint: the delimiter or the quoting is probably not what it seems: set `delimiter` under `[data.csv]`"#]],
    );
}

#[test]
fn json_lines_are_read() {
    let place = Place::new();
    let path = place.write("data.jsonl", b"{\"ds\":\"2024-01-01\",\"y\":1,\"tags\":[1]}\n\n{\"y\":2.5,\"ds\":\"2024-01-02\",\"late\":true}\nnot json\n{\"ds\":null}\n{}\n{\"y\":1}\n{\"y\":1}\n{\"y\":1}\n{\"y\":1}\n{\"y\":1}\n");
    let result = place.ingest(&[path], CsvOptions::default());
    expect![[r#"
        ds: date, y: real, tags: text, late: boolean
          2024-01-01T00:00:00 | 1.0 | [1] | ∅
          2024-01-02T00:00:00 | 2.5 | ∅ | true
          ∅ | ∅ | ∅ | ∅
          ∅ | ∅ | ∅ | ∅
          ∅ | 1.0 | ∅ | ∅
          ∅ | 1.0 | ∅ | ∅
          ∅ | 1.0 | ∅ | ∅
          ∅ | 1.0 | ∅ | ∅
          ∅ | 1.0 | ∅ | ∅
        put aside
          4 |  | not json | the line is no JSON object: expected ident at line 1 column 2
    "#]]
    .assert_eq(&place.show(result));
}

#[test]
fn gzip_is_unpacked() {
    let place = Place::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"a,b\n1,x\n").expect("memory");
    let path = place.write("data.csv.gz", &packed.finish().expect("memory"));
    let result = place.ingest(&[path], CsvOptions::default());
    expect![[r#"
        a: integer, b: text
          1 | x
    "#]]
    .assert_eq(&place.show(result));
}

#[test]
fn files_of_one_table_may_differ() {
    let place = Place::new();
    let paths = [
        place.write("1.csv", b"date,store,y\n2024-01-31,a,1\n"),
        place.write("2.csv", b"y;date;promo\n1,5;31.12.2024;1\n"),
        place.write("3.csv", b"date,store,y\n"),
    ];
    let result = place.ingest(&paths, CsvOptions::default());
    expect![[r#"
        date: date, store: text, y: real, promo: integer
          2024-01-31T00:00:00 | a | 1.0 | ∅
          2024-12-31T00:00:00 | ∅ | 1.5 | 1
        note: `3.csv` has no rows
        note: column `store` is missing in `2.csv`; it is null there
        note: column `promo` is missing in `1.csv`; it is null there
        note: column `promo` is missing in `3.csv`; it is null there
    "#]]
    .assert_eq(&place.show(result));
}

#[test]
fn a_failed_ingest_leaves_the_old_table() {
    let place = Place::new();
    let good = place.write("good.csv", b"a\n1\n");
    let bad = place.write("bad.csv", b"a\n");
    place.ingest(&[good], CsvOptions::default()).expect("readable");
    assert!(place.ingest(&[bad], CsvOptions::default()).is_err());
    assert_eq!(place.rows("part-00000.parquet")[0].num_rows(), 1);
    let left: Vec<_> =
        fs::read_dir(place.folder.path().join("bronze")).expect("there").filter_map(Result::ok).map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["t"]);
}

#[test]
fn parquet_is_taken_over_and_a_cut_file_refused() {
    let place = Place::new();
    let path = place.write("data.csv", b"ds,y,s\n2024-01-01,1,a\n2024-01-02,2,b\n");
    place.ingest(&[path], CsvOptions::default()).expect("readable");
    let bytes = fs::read(place.folder.path().join("bronze/t/part-00000.parquet")).expect("there");
    let whole = place.write("whole.parquet", &bytes);
    assert_eq!(place.ingest(&[whole], CsvOptions::default()).expect("sound").rows, 2);
    for cut in [3, bytes.len() / 2, bytes.len() - 3] {
        let path = place.write("cut.parquet", &bytes[..cut]);
        let error = place.ingest(&[path], CsvOptions::default()).expect_err("cut off");
        assert!(matches!(error, IngestError::BadParquet { .. }), "{error}");
    }
}

#[test]
fn sources_are_files_folders_and_globs() {
    let place = Place::new();
    for name in ["b.csv", "a.csv.gz", "c.parquet", "notes.md", ".hidden.csv"] {
        place.write(name, b"x");
    }
    let names = |pattern: &str| -> Vec<String> {
        let found = expand_source(place.folder.path(), pattern).expect("found");
        found.iter().map(|path| path.file_name().expect("a file").to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("b.csv"), ["b.csv"]);
    assert_eq!(names("."), ["a.csv.gz", "b.csv", "c.parquet"]);
    assert_eq!(names("*.csv"), [".hidden.csv", "b.csv"]);
    let error = expand_source(place.folder.path(), "*.xlsx").expect_err("none");
    assert_eq!(error.to_string(), "no file matches `*.xlsx`");
}

#[test]
fn a_sketch_tells_ranges_and_repetitions() {
    let place = Place::new();
    let path = place.write("data.csv", b"d,store,y\n1/2/2024,a,1\n3/4/2024,b,\n5/6/2024,a,2.5\n");
    let sketch = sketch_table(&TableSpec { name: "t".into(), paths: vec![path], ..TableSpec::default() }).expect("readable");
    let mut text = String::new();
    for c in &sketch.columns {
        let _ = writeln!(
            text,
            "{} {} nulls {} distinct {} {:?}..{:?} {:?} {:?} monotone {}",
            c.name, c.kind, c.nulls, c.distinct, c.min, c.max, c.samples, c.date_format, c.is_monotone
        );
    }
    expect![[r#"
        d date nulls 0 distinct 3 Some("2024-01-02")..Some("2024-05-06") ["2024-01-02", "2024-03-04", "2024-05-06"] Some("%m/%d/%Y") monotone true
        store text nulls 0 distinct 2 Some("a")..Some("b") ["a", "b"] None monotone false
        y real nulls 1 distinct 2 Some("1")..Some("2.5") ["1", "2.5"] None monotone true
    "#]].assert_eq(&text);
}

/// Sound files that are then mutated.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut csv = "date,store,y,promo\n".to_owned();
    let mut json = String::new();
    for n in 1..40 {
        let _ = writeln!(csv, "{}/{}/2024,\"s {}\",{}.5,TRUE", n % 12 + 1, n % 28 + 1, n % 3, n);
        let _ = writeln!(json, "{{\"ds\":\"2024-01-{:02}\",\"y\":{n}e2,\"s\":\"ä{n}\"}}", n % 28 + 1);
    }
    let place = Place::new();
    let path = place.write("data.csv", csv.as_bytes());
    place.ingest(&[path], CsvOptions::default()).expect("readable");
    let parquet = fs::read(place.folder.path().join("bronze/t/part-00000.parquet")).expect("there");
    vec![("data.csv", csv.into_bytes()), ("data.jsonl", json.into_bytes()), ("data.parquet", parquet)]
}

fn digest(path: &Path) {
    let folder = path.parent().expect("in a folder");
    let spec = TableSpec { name: "t".into(), paths: vec![path.to_owned()], ..TableSpec::default() };
    // Whatever comes is fine, as long as it comes back.
    let _ = ingest_table(&spec, &folder.join("bronze"));
    let _ = sketch_table(&spec);
    let _ = almanac_data::infer_project(&[path.to_owned()], &almanac_data::Answers::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic(which in 0_usize..3, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..12)) {
        let (name, mut bytes) = seeds().swap_remove(which);
        for (at, byte, how) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => { let end = (at + usize::from(byte)).min(bytes.len()); bytes.drain(at..end); }
            }
        }
        let place = Place::new();
        digest(&place.write(name, &bytes));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), name in prop::sample::select(vec!["x.csv", "x.jsonl", "x.parquet"])) {
        let place = Place::new();
        digest(&place.write(name, &bytes));
    }

    #[test]
    fn arbitrary_text_never_panics(text in "([0-9a-zA-Z,;/.:ä\"\n\\- ]{0,12}[,;\n]){0,40}") {
        let place = Place::new();
        digest(&place.write("x.csv", text.as_bytes()));
    }
}
