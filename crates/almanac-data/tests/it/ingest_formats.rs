//! Spreadsheets, archives, packed and nested files into bronze: what is read, what is refused, and that damage is named.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use almanac_data::{CsvOptions, IngestError, IngestReport, TableSpec, expand_source, ingest_table, on_disk};
use almanac_series::Hint;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use expect_test::{Expect, expect};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).expect("writable");
    }

    fn ingest(&self, source: &str, csv: CsvOptions) -> Result<IngestReport, IngestError> {
        let paths = expand_source(self.0.path(), source)?;
        let spec = TableSpec { name: "t".into(), paths, csv, ..TableSpec::default() };
        ingest_table(&spec, &self.0.path().join("bronze"))
    }

    fn rows(&self, file: &str) -> Vec<RecordBatch> {
        let file = fs::File::open(self.0.path().join("bronze/t").join(file)).expect("bronze has the file");
        ParquetRecordBatchReaderBuilder::try_new(file).expect("sound").build().expect("sound").map(|batch| batch.expect("sound")).collect()
    }

    /// Schema, up to five rows, quarantine and notes as text, or the error with its hint.
    fn show(&self, source: &str, csv: CsvOptions) -> String {
        let text = match self.ingest(source, csv) {
            Err(error) => {
                let mut text = format!("error: {error}\n");
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    let _ = writeln!(text, "cause: {inner}");
                    cause = inner.source();
                }
                text + &format!("hint: {}\n", error.hint().unwrap_or_default())
            }
            Ok(report) => {
                let kinds: Vec<String> = report.columns.iter().map(|column| format!("{}: {}", column.name, column.kind)).collect();
                let mut text = kinds.join(", ") + "\n";
                table(&mut text, &self.rows("part-00000.parquet"), 5);
                if report.quarantined > 0 {
                    text += "put aside\n";
                    table(&mut text, &self.rows("quarantine.parquet"), 5);
                }
                for note in report.notes.iter().chain(report.columns.iter().filter_map(|column| column.note.as_ref())) {
                    let _ = writeln!(text, "note: {note}");
                }
                text
            }
        };
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    #[track_caller]
    fn check(&self, source: &str, expected: Expect) {
        expected.assert_eq(&self.show(source, CsvOptions::default()));
    }
}

fn table(text: &mut String, batches: &[RecordBatch], most: usize) {
    let options = FormatOptions::default().with_null("∅");
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    for batch in batches.iter().take(1) {
        let schema = batch.schema();
        let shown = schema.fields().iter().zip(batch.columns()).filter(|(field, _)| field.name() != "_file");
        let columns: Vec<_> = shown.map(|(_, array)| ArrayFormatter::try_new(array.as_ref(), &options).expect("printable")).collect();
        for row in 0..batch.num_rows().min(most) {
            let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            let _ = writeln!(text, "  {}", cells.join(" | "));
        }
    }
    if total > most {
        let _ = writeln!(text, "  … {} more", total - most);
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).expect("a fixture")
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default()).expect("memory");
        } else {
            zip.start_file(*name, SimpleFileOptions::default()).expect("memory");
            zip.write_all(bytes).expect("memory");
        }
    }
    zip.finish().expect("memory").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

/// A table whose bytes do not shrink to nothing.
fn sales(rows: u32) -> Vec<u8> {
    let mut text = "day,store,units\n".to_owned();
    for n in 0..rows {
        let _ = writeln!(text, "2024-01-{:02},s{},{}", n % 28 + 1, n / 28, n.wrapping_mul(2_654_435_761) % 1000);
    }
    text.into_bytes()
}

#[test]
fn a_sheet_is_read_from_its_header_down() {
    let place = Place::new();
    place.write("sales.xlsx", &fixture("sales.xlsx"));
    place.check(
        "sales.xlsx",
        expect![[r#"
        store: text, day: date, units: integer, price: real, promo: boolean
          Nord | 2024-01-30T00:00:00 | 3 | 1.5 | true | 5
          Nord | 2024-01-31T00:00:00 | 4 | 2.25 | false | 6
          Süd | 2024-02-02T00:00:00 | ∅ | 0.1 | false | 8
          Nord | 2024-01-30T00:00:00 | 0 | 1.0 | false | 10
          Nord | 2024-01-30T00:00:00 | 1 | 1.0 | false | 11
          … 28 more
        put aside
          sales.xlsx!/Sales | 7 | units | #DIV/0! | the spreadsheet shows an error here
        note: `sales.xlsx`: sheet `Sales` is read, not `Hours`, `Empty` (`sales.xlsx!/NAME` reads another, `!/*` all)
        note: `sales.xlsx!/Sales`: the table starts in row 4; what is above is left out: `Sales of the shops`
    "#]],
    );
}

#[test]
fn old_and_open_spreadsheets_give_the_same_rows() {
    let place = Place::new();
    for name in ["sales.xlsx", "sales.xls", "sales.ods"] {
        place.write(name, &fixture(name));
    }
    let shown = |name: &str| {
        let text = place.show(name, CsvOptions::default());
        // Without row numbers: the table starts elsewhere.
        let rows = text
            .lines()
            .filter(|line| line.starts_with("  ") && !line.contains("error"))
            .map(|line| line.rsplit_once(" | ").map_or(line, |pair| pair.0));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = shown("sales.xlsx");
    assert!(expected.len() > 3, "{expected:?}");
    assert_eq!(shown("sales.xls"), expected);
    place.check(
        "sales.ods",
        expect![[r#"
        store: text, day: date, units: integer, price: real, promo: boolean
          Nord | 2024-01-30T00:00:00 | 3 | 1.5 | true | 2
          Nord | 2024-01-31T00:00:00 | 4 | 2.25 | false | 3
          Süd | 2024-02-02T00:00:00 | ∅ | 0.1 | false | 5
          Nord | 2024-01-30T00:00:00 | 0 | 1.0 | false | 6
          Nord | 2024-01-30T00:00:00 | 1 | 1.0 | false | 7
          … 28 more
        put aside
          sales.ods!/Sales | 4 | units | #DIV/0! | not a whole number
    "#]],
    );
}

#[test]
fn another_sheet_is_chosen_by_its_name() {
    let place = Place::new();
    place.write("sales.xlsx", &fixture("sales.xlsx"));
    place.check(
        "sales.xlsx!/Hours",
        expect![[r#"
        at: timestamp, visitors: integer
          2024-03-31T00:00:00 | 0 | 2
          2024-03-31T01:00:00 | 10 | 3
          2024-03-31T02:00:00 | 20 | 4
          2024-03-31T03:00:00 | 30 | 5
          2024-03-31T04:00:00 | 40 | 6
          … 19 more
    "#]],
    );
    place.check(
        "sales.xlsx!/Hidden",
        expect![[r#"
        a: integer
          1 | 2
    "#]],
    );
    place.check(
        "sales.xlsx!/Hour",
        expect![[r#"
        error: `sales.xlsx` has no `Hour`
        hint: did you mean `Hours`?
    "#]],
    );
    assert_eq!(place.ingest("*.xlsx!/Hours", CsvOptions::default()).expect("readable").rows, 24);
}

#[test]
fn a_damaged_spreadsheet_is_named() {
    let place = Place::new();
    let bytes = fixture("sales.xlsx");
    place.write("cut.xlsx", &bytes[..bytes.len() / 2]);
    place.check(
        "cut.xlsx",
        expect![[r#"
        error: `cut.xlsx` is damaged: zip, byte 0: invalid Zip archive: Could not find EOCD
        hint: it was probably cut off or altered on its way: copy or download it again
    "#]],
    );
    place.write("cut.xls", &fixture("sales.xls")[..700]);
    place.check(
        "cut.xls",
        expect![[r#"
        error: `cut.xls` is not a sound spreadsheet: Cfb(SectorBeyondEof(8))
        hint: open it in a spreadsheet program and save it again, or export the sheet as CSV
    "#]],
    );
    place.write("word.xlsx", &archive(&[("[Content_Types].xml", b"<a/>"), ("word/document.xml", b"<a/>")]));
    place.check(
        "word.xlsx",
        expect![[r#"
        error: `word.xlsx` is no table that can be read: it is an Office document, but no spreadsheet
        hint: save it as CSV, JSON, Excel or Parquet; text may be packed with gzip, zstd or zip
    "#]],
    );
}

#[test]
fn a_sheet_that_claims_billions_of_cells_is_harmless() {
    let place = Place::new();
    let sheet = br#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>"#;
    let book = br#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    let relations = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let package = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let bytes = archive(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", package),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet),
    ]);
    place.write("wide.xlsx", &bytes);
    place.check(
        "wide.xlsx",
        expect![[r#"
        error: `wide.xlsx!/S` has 16384 columns, at most 10000 are read
        hint: one column per series? turn it into long format: one row per series and date
    "#]],
    );
    let repeated = br#"<office:document-content xmlns:office="o" xmlns:table="t"><table:table table:name="S"><table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16000" office:value-type="float" office:value="1"/></table:table-row></table:table></office:document-content>"#;
    let bytes = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", b"<a/>"),
        ("content.xml", repeated),
    ]);
    place.write("wide.ods", &bytes);
    place.check(
        "wide.ods",
        expect![[r#"
        error: `wide.ods` is refused: it would spread to more than 40000000 cells
        hint: if you trust it, unpack it yourself and name the files
    "#]],
    );
}

#[test]
fn zstd_is_unpacked_and_damage_is_named_with_its_place() {
    let place = Place::new();
    let text = sales(2000);
    let packed = zstd::encode_all(&text[..], 3).expect("memory");
    place.write("a.csv.zst", &packed);
    assert_eq!(place.ingest("a.csv.zst", CsvOptions::default()).expect("readable").rows, 2000);
    place.write("cut.csv.zst", &packed[..packed.len() - 9]);
    place.check(
        "cut.csv.zst",
        expect![[r#"
        error: `cut.csv.zst` is damaged: zstd, byte 7234: it ends in the middle
        hint: it was probably cut off or altered on its way: copy or download it again
    "#]],
    );
    let packed = gzip(&text);
    place.write("cut.csv.gz", &packed[..packed.len() / 2]);
    place.check(
        "cut.csv.gz",
        expect![[r#"
        error: `cut.csv.gz` is damaged: gzip, byte 7246: it ends in the middle
        hint: it was probably cut off or altered on its way: copy or download it again
    "#]],
    );
    let mut altered = packed.clone();
    let last = altered.len() - 6;
    altered[last] ^= 0x55;
    place.write("altered.csv.gz", &altered);
    place.check(
        "altered.csv.gz",
        expect![[r#"
        error: `altered.csv.gz` is damaged: gzip, byte 14493: corrupt gzip stream does not have a matching checksum
        hint: it was probably cut off or altered on its way: copy or download it again
    "#]],
    );
    place.write("twice.csv.gz", &gzip(&gzip(&text)));
    place.check(
        "twice.csv.gz",
        expect![[r#"
        error: `twice.csv.gz` is no table that can be read: it is a packed file inside a packed file
        hint: save it as CSV, JSON, Excel or Parquet; text may be packed with gzip, zstd or zip
    "#]],
    );
}

#[test]
fn members_of_an_archive_are_files_with_names_of_their_own() {
    let place = Place::new();
    let bytes = archive(&[
        ("2024/", b""),
        ("2024/jan.csv", b"day,units\n2024-01-01,1\n2024-01-02,2\n2024-01-03,2,9\n2024-01-04,2\n2024-01-05,2\n2024-01-06,2\n2024-01-07,2\n2024-01-08,2\n2024-01-09,2\n2024-01-10,2\n"),
        ("2024/feb.csv.gz", &gzip(b"day,units\n2024-02-01,3\n")),
        ("__MACOSX/2024/._jan.csv", b"\0\0"),
        ("read.me", b"hello"),
        ("empty.csv", b""),
    ]);
    place.write("year.zip", &bytes);
    place.check(
        "year.zip",
        expect![[r#"
        day: date, units: integer
          2024-02-01T00:00:00 | 3 | 2
          2024-01-01T00:00:00 | 1 | 2
          2024-01-02T00:00:00 | 2 | 3
          2024-01-04T00:00:00 | 2 | 5
          2024-01-05T00:00:00 | 2 | 6
          … 5 more
        put aside
          year.zip!/2024/jan.csv | 4 |  | 2024-01-03,2,9 | the row has 3 cells, the header 2
        note: `year.zip!/empty.csv` is empty
        note: `year.zip!/read.me` is left out: it is no table
    "#]],
    );
    place.check(
        "year.zip!/2024/feb*",
        expect![[r#"
        day: date, units: integer
          2024-02-01T00:00:00 | 3 | 2
    "#]],
    );
    place.check(
        "year.zip!/2025/*",
        expect![[r#"
        error: `year.zip` has no `2025/*`
        hint: it has `2024/feb.csv.gz`, `2024/jan.csv`, `empty.csv`, `read.me`
    "#]],
    );
    let paths = expand_source(place.0.path(), "*.zip!/2024/feb*").expect("there");
    assert_eq!(on_disk(&paths[0]), place.0.path().join("year.zip"));
}

#[test]
fn hostile_archives_are_refused() {
    let place = Place::new();
    let bomb = vec![b'0'; 80 << 20];
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("up.zip", archive(&[("../../etc/cron.csv", b"a\n1\n")])),
        ("root.zip", archive(&[("/etc/cron.csv", b"a\n1\n")])),
        ("bomb.zip", archive(&[("zeros.csv", &bomb)])),
        ("nested.zip", archive(&[("a.csv", b"a\n1\n"), ("inner.zip", &archive(&[("b.csv", b"a\n1\n")]))])),
        ("book.zip", archive(&[("book.xlsx", &fixture("sales.xlsx"))])),
        ("nothing.zip", archive(&[])),
        ("garbage.zip", b"PK\x03\x04 this is no archive".to_vec()),
    ];
    let mut text = String::new();
    for (name, bytes) in cases {
        place.write(name, &bytes);
        text += &place.show(name, CsvOptions::default());
    }
    // The bit that says that a member is encrypted, in its header and in the directory.
    let mut locked = archive(&[("a.csv", b"a\n1\n")]);
    let directory = locked.windows(4).position(|window| window == b"PK\x01\x02").expect("a directory");
    locked[6] |= 1;
    locked[directory + 8] |= 1;
    place.write("locked.zip", &locked);
    text += &place.show("locked.zip", CsvOptions::default());
    let mut altered = archive(&[("a.csv", &sales(500))]);
    altered[200] ^= 0xff;
    place.write("altered.zip", &altered);
    text += place.show("altered.zip", CsvOptions::default()).lines().next().unwrap_or_default().split(", byte").next().unwrap_or_default();
    expect![[r#"
        error: `up.zip` has a member with an unsafe name: `../../etc/cron.csv`
        hint: do not unpack it; ask whoever made it for another
        error: `root.zip` has a member with an unsafe name: `/etc/cron.csv`
        hint: do not unpack it; ask whoever made it for another
        error: `bomb.zip` is refused: `zeros.csv` would unpack to 1028 times its size
        hint: if you trust it, unpack it yourself and name the files
        error: `nested.zip!/inner.zip` is an archive or a spreadsheet inside an archive
        hint: unpack the outer archive and name what is in it, or choose other members: `archive.zip!/*.csv`
        error: `book.zip!/book.xlsx` is an archive or a spreadsheet inside an archive
        hint: unpack the outer archive and name what is in it, or choose other members: `archive.zip!/*.csv`
        error: `nothing.zip` is empty
        hint: export the file again, or take it out of the source
        error: `garbage.zip` is damaged: zip, byte 0: invalid Zip archive: Could not find EOCD
        hint: it was probably cut off or altered on its way: copy or download it again
        error: `locked.zip!/a.csv` is protected by a password
        hint: save it without a password; almanac asks for none
        error: `altered.zip!/a.csv` is damaged: zip"#]]
    .assert_eq(&text);
}

#[test]
fn a_json_document_is_read_wherever_its_rows_are() {
    let place = Place::new();
    place.write(
        "array.json",
        br#"[{"ds":"2024-01-01","y":1.5,"store":{"id":7,"city":"Ulm"},"tags":["a","b"]},{"ds":"2024-01-02","y":null}]"#,
    );
    place.check(
        "array.json",
        expect![[r#"
        ds: date, y: real, store.id: integer, store.city: text, tags: text
          2024-01-01T00:00:00 | 1.5 | 7 | Ulm | ["a","b"] | 1
          2024-01-02T00:00:00 | ∅ | ∅ | ∅ | ∅ | 2
    "#]],
    );
    place.write("pretty.json", b"{\n  \"next\": null,\n  \"data\": {\n    \"items\": [\n      {\"ds\": \"2024-01-01\", \"y\": 1},\n      {\"ds\": \"2024-01-02\", \"y\": 2}\n    ]\n  }\n}\n");
    place.check(
        "pretty.json",
        expect![[r#"
        ds: date, y: integer
          2024-01-01T00:00:00 | 1 | 1
          2024-01-02T00:00:00 | 2 | 2
        note: `pretty.json`: the rows are those at `/data/items`; what stands beside them is left out: `next`
    "#]],
    );
    place.write("two.json", br#"{"sales":[{"y":1}],"stores":[{"id":1},{"id":2}]}"#);
    place.check(
        "two.json",
        expect![[r#"
        error: `two.json` has rows in two places: `/sales` and `/stores`
        hint: say which: `two.json!/sales`
    "#]],
    );
    place.check(
        "two.json!/stores",
        expect![[r#"
        id: integer
          1 | 1
          2 | 2
    "#]],
    );
    place.check(
        "two.json!/store",
        expect![[r#"
        error: `two.json` has no `/store`
        hint: did you mean `/stores`?
    "#]],
    );
    place.write("one.json", br#"{"ds":"2024-01-01","y":3}"#);
    place.check(
        "one.json",
        expect![[r#"
        ds: date, y: integer
          2024-01-01T00:00:00 | 3 | 1
    "#]],
    );
    place.write("pages.json", b"{\"rows\":[{\"y\":1},{\"y\":2}]}\n{\"rows\":[{\"y\":3}]}\n");
    place.check(
        "pages.json!/rows",
        expect![[r#"
        y: integer
          1 | 1
          2 | 2
          3 | 3
    "#]],
    );
}

#[test]
fn json_that_breaks_off_is_named_with_its_place() {
    let place = Place::new();
    place.write("cut.json", br#"[{"y":1},{"y":2},{"y"#);
    place.check(
        "cut.json",
        expect![[r#"
        error: `cut.json` is not sound JSON: line 1, column 20: it ends in the middle
        hint: it was probably cut off: export or download it again
    "#]],
    );
    place.write("odd.json", br#"[{"y":1},{"y":2 "z":3}]"#);
    place.check(
        "odd.json",
        expect![[r#"
        error: `odd.json` is not sound JSON: line 1, column 17: expected `,` or `}`
        hint: it was probably cut off: export or download it again
    "#]],
    );
    place.write("mixed.json", format!("[{}7]", r#"{"y":1},"#.repeat(20)).as_bytes());
    place.check(
        "mixed.json",
        expect![[r#"
        y: integer
          1 | 1
          1 | 2
          1 | 3
          1 | 4
          1 | 5
          … 15 more
        put aside
          mixed.json | 21 |  | a number | the row is no JSON object but a number
    "#]],
    );
    place.write("numbers.json", b"[1,2,3]");
    place.check(
        "numbers.json",
        expect![[r#"
        error: `numbers.json`: 1 of 1 lines are no JSON objects (first: line 1)
        hint: JSON lines need one object per line
    "#]],
    );
}

#[test]
fn numbers_of_json_and_sheets_have_points_beside_german_files() {
    let place = Place::new();
    let german = || CsvOptions { decimal: Some(','), ..CsvOptions::default() };
    place.write("a.json", br#"[{"y":1.234},{"y":2.5}]"#);
    place.write("sales.xlsx", &fixture("sales.xlsx"));
    expect![[r#"
        y: real
          1.234 | 1
          2.5 | 2
    "#]]
    .assert_eq(&place.show("a.json", german()));
    assert!(place.show("sales.xlsx", german()).contains("| 2.25 |"));
}

#[test]
fn a_record_that_never_ends_is_refused_before_it_fills_the_memory() {
    let place = Place::new();
    let long = "x".repeat(70 << 20);
    place.write("long.json", format!(r#"{{"data":[{{"y":1,"text":"{long}"}}]}}"#).as_bytes());
    place.check(
        "long.json",
        expect![[r#"
        error: `long.json`: row 1 is longer than 64 MiB
        hint: a quote is not closed, or it is no table; look at that place
    "#]],
    );
    place.write("long.csv.gz", &gzip(format!("a,b\n1,\"{long}").as_bytes()));
    place.check(
        "long.csv.gz",
        expect![[r#"
        error: `long.csv.gz`: record 2 is longer than 64 MiB
        hint: a quote is not closed, or it is no table; look at that place
    "#]],
    );
}

#[test]
fn content_that_is_plainly_something_else_is_named() {
    let place = Place::new();
    let mut text = String::new();
    for (name, bytes) in [
        ("a.csv", &b"BZh91AY&SY"[..]),
        ("b.csv", b"%PDF-1.7"),
        ("c.xls", b"<html><table><tr><td>1</td></tr></table></html>"),
        ("d.csv", b"SQLite format 3\0"),
    ] {
        place.write(name, bytes);
        text += place.show(name, CsvOptions::default()).lines().next().unwrap_or_default();
        text += "\n";
    }
    expect![[r#"
        error: `a.csv` is no table that can be read: it is a bzip2 file
        error: `b.csv` is no table that can be read: it is a PDF document
        error: `c.xls` is no table that can be read: it is a web page
        error: `d.csv` is no table that can be read: it is an SQLite database
    "#]]
    .assert_eq(&text);
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("memory");
    writer.write(&batch).expect("memory");
    writer.into_inner().expect("memory")
}

#[test]
fn parquet_with_nested_and_rare_types_is_flattened() {
    use arrow::array::{
        Decimal128Array, DictionaryArray, Int32Array, LargeStringArray, ListArray, StringArray, StructArray, TimestampNanosecondArray,
    };
    use arrow::datatypes::{DataType, Field, Int32Type};
    let place = Place::new();
    let id: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let city: ArrayRef = Arc::new(StringArray::from(vec![Some("Ulm"), None]));
    let store = StructArray::try_new(
        vec![Field::new("id", DataType::Int32, true), Field::new("city", DataType::Utf8, true)].into(),
        vec![id, city],
        Some(vec![true, false].into()),
    );
    let tags = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let kinds: DictionaryArray<Int32Type> = ["x", "y"].into_iter().collect();
    let price = Decimal128Array::from(vec![1250, -5]).with_precision_and_scale(10, 2).expect("in range");
    let bytes = parquet(vec![
        ("at", Arc::new(TimestampNanosecondArray::from(vec![1_706_659_200_000_000_000, 1_706_745_600_000_000_000]))),
        ("store", Arc::new(store.expect("of one length"))),
        ("tags", Arc::new(tags)),
        ("kind", Arc::new(kinds)),
        ("price", Arc::new(price)),
        ("note", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
    ]);
    place.write("nested.parquet", &bytes);
    place.check(
        "nested.parquet",
        expect![[r#"
        at: timestamp, store.id: integer, store.city: text, tags: text, kind: text, price: real, note: text
          2024-01-31T00:00:00 | 1 | Ulm | [1,null] | x | 12.5 | a
          2024-02-01T00:00:00 | ∅ | ∅ | ∅ | y | -0.05 | b
    "#]],
    );
    place.write("half.parquet", &bytes[..bytes.len() - 100]);
    place.check(
        "half.parquet",
        expect![[r#"
        error: `half.parquet` is not a sound Parquet file: its end is missing: it is still being written, or was cut off
        hint: the file is probably cut off: copy or export it again
    "#]],
    );
    place.write("packed.parquet.gz", &gzip(&bytes));
    place.check(
        "packed.parquet.gz",
        expect![[r#"
        error: `packed.parquet.gz` is no table that can be read: it is a packed Parquet file, and Parquet packs itself
        hint: save it as CSV, JSON, Excel or Parquet; text may be packed with gzip, zstd or zip
    "#]],
    );
}

#[test]
fn folders_hold_all_formats_that_are_read() {
    let place = Place::new();
    for name in ["a.csv.zst", "b.zip", "c.XLSX", "d.ods", "e.json.gz", "~$c.xlsx", "f.docx", "g.parquet", "h.xlsb.gz"] {
        place.write(name, b"x");
    }
    let found = expand_source(place.0.path(), ".").expect("found");
    let names: Vec<_> = found.iter().map(|path| path.file_name().expect("a file").to_string_lossy()).collect();
    assert_eq!(names, ["a.csv.zst", "b.zip", "c.XLSX", "d.ods", "e.json.gz", "g.parquet"]);
    let error = expand_source(place.0.path(), "*.xls!/Sales").expect_err("none");
    assert_eq!(error.to_string(), "no file matches `*.xls!/Sales`");
}

/// One sound file of each format.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let text = sales(60);
    let json = br#"{"next":2,"data":[{"ds":"2024-01-01","y":1,"s":{"a":[1,{"b":2}]}},{"ds":"2024-01-02","y":2.5,"s":null}]}"#;
    vec![
        ("a.xlsx", fixture("sales.xlsx")),
        ("a.xls", fixture("sales.xls")),
        ("a.ods", fixture("sales.ods")),
        ("a.csv.gz", gzip(&text)),
        ("a.csv.zst", zstd::encode_all(&text[..], 1).expect("memory")),
        ("a.zip", archive(&[("a.csv", &text), ("b.csv.gz", &gzip(&text))])),
        ("a.json", json.to_vec()),
        ("a.parquet", parquet(vec![("y", Arc::new(arrow::array::Int64Array::from_iter_values(0..50)))])),
    ]
}

fn damaged(mut bytes: Vec<u8>, edits: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (at, byte, how) in edits {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match how {
            0 | 1 => bytes[at] = *byte,
            2 => bytes.insert(at, *byte),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + usize::from(*byte)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 240, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(11), ..ProptestConfig::default() })]

    #[test]
    fn damage_of_any_format_never_panics(which in 0_usize..8, edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..5), 1..6)) {
        let (name, bytes) = seeds().swap_remove(which);
        let place = Place::new();
        place.write(name, &damaged(bytes, &edits));
        // Whatever comes is fine, as long as it comes back.
        let _ = place.ingest(name, CsvOptions::default());
    }

    #[test]
    fn damage_inside_a_spreadsheet_never_panics(which in 0_usize..2, part in any::<prop::sample::Index>(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..5), 1..6)) {
        let name = ["sales.xlsx", "sales.ods"][which];
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(fixture(name))).expect("sound");
        let part = part.index(zip.len());
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        for index in 0..zip.len() {
            let mut member = zip.by_index(index).expect("sound");
            let mut bytes = Vec::new();
            std::io::copy(&mut member, &mut bytes).expect("sound");
            let bytes = if index == part { damaged(bytes, &edits) } else { bytes };
            members.push((member.name().expect("sound").into_owned(), bytes));
        }
        let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        let place = Place::new();
        place.write(name, &archive(&members));
        let _ = place.ingest(name, CsvOptions::default());
    }
}
