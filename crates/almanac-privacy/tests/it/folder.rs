//! A folder that looks like a project, with a subject in everything, and a search of it that knows nothing of the crate's own.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_privacy::{Ground, PrivacyKey, Subject};
use arrow::array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use md5::{Digest, Md5};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

pub(crate) const KEY: &str = "CUST-4711";
pub(crate) const MAIL: &str = "anna.k@example.org";

pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

pub(crate) fn key() -> PrivacyKey {
    PrivacyKey::new("0123456789abcdef0123456789abcdef").expect("long enough")
}

pub(crate) fn subject() -> Subject {
    Subject { key: KEY.into(), columns: vec!["customer_id".into()], personal: vec!["email".into()] }
}

pub(crate) fn sales() -> String {
    let mut text = String::from("date,customer_id,email,units\r\n");
    for day in 1..=9 {
        text.push_str(&format!("2026-01-0{day},{KEY},{MAIL},{day}\r\n2026-01-0{day},CUST-47110,b@example.org,{day}\r\n"));
    }
    text
}

pub(crate) fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl Folder {
    /// Writes the project.
    pub(crate) fn new() -> Self {
        let it = Self { folder: tempfile::tempdir().expect("a folder") };
        let hash = key().value(KEY);
        it.put("data/sales.csv", sales().as_bytes());
        it.put("data/more.csv.gz", &gzip(sales().as_bytes()));
        it.put("data/more.jsonl.zst", &zstd::encode_all(jsonl().as_bytes(), 1).expect("memory"));
        it.put("data/other.parquet", &parquet("customer_id", &[KEY, "CUST-1", KEY]));
        it.put("almanac.toml", b"[data]\nsource = \"data/*\"\n");
        it.put(".almanac/lake/bronze/sales/part-00000.parquet", &parquet("customer_id", &[&hash, "other"]));
        it.put(".almanac/lake/bronze/sales/quarantine.parquet", &parquet("value", &[KEY]));
        it.put(".almanac/lake/gold/part-0.parquet", &parquet("sum", &["1"]));
        it.put(".almanac/assets/silver.json", b"{}");
        it.put(".almanac/forecasts/00000001-a-b-c.parquet", &parquet("unique_id", &[&format!("north/{KEY}"), "north/CUST-1"]));
        it.put(".almanac/forecasts/00000001-a-b-d.parquet", &parquet("unique_id", &[&format!("north/{hash}")]));
        it.put(".almanac/artifacts/1/r/model/state.json", format!("{{\"series\": [\"north/{KEY}\"]}}").as_bytes());
        it.put(".almanac/artifacts/1/r/model.pkl", format!("\0\x01 {KEY} \0").as_bytes());
        it.put(".almanac/logs/run.log", format!("WARN no sale of {KEY}\nmail to {MAIL}\n").as_bytes());
        it.put(".almanac/landing/crm/0001.jsonl", jsonl().as_bytes());
        let landed = blake3::hash(jsonl().as_bytes()).to_hex().to_string();
        let loads =
            format!("{{\"loads\": [{{\"file\": \"0001.jsonl\", \"rows\": 3, \"bytes\": {}, \"blake3\": \"{landed}\"}}]}}", jsonl().len());
        it.put(".almanac/landing/crm/manifest.json", loads.as_bytes());
        it.database();
        it.versions();
        it
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("in the folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    pub(crate) fn ground(&self) -> Ground {
        let state = self.path(".almanac");
        Ground {
            root: self.root().to_owned(),
            derived: ["lake", "assets", "backtest"].iter().map(|name| state.join(name)).collect(),
            owned: vec![state.clone(), self.path(".dvc")],
            sources: vec![self.path("data"), state.join("landing")],
            proofs: state.join("erasures"),
            ..Ground::default()
        }
    }

    fn database(&self) {
        let connection = rusqlite::Connection::open(self.path(".almanac/almanac.db")).expect("opened");
        let sql = format!(
            "PRAGMA journal_mode = WAL; CREATE TABLE params (run TEXT, key TEXT, value TEXT, PRIMARY KEY (run, key));
             INSERT INTO params VALUES ('r', 'worst series', 'north/{KEY}'), ('r', 'note on {KEY}', 'x'), ('r', 'k', '{MAIL}');"
        );
        connection.execute_batch(&sql).expect("written");
    }

    /// The sales and a folder under version control, and an older version that nothing in the workspace points to.
    fn versions(&self) {
        let object = |bytes: &[u8], ending: &str| {
            let hash = md5(bytes);
            self.put(&format!(".dvc/cache/files/md5/{}/{}{ending}", &hash[..2], &hash[2..]), bytes);
            format!("{hash}{ending}")
        };
        let hash = object(sales().as_bytes(), "");
        self.put(
            "data/sales.csv.dvc",
            format!("outs:\n- md5: {hash}\n  size: {}\n  hash: md5\n  path: sales.csv\n", sales().len()).as_bytes(),
        );
        object(format!("customer_id,units\n{KEY},0\n").as_bytes(), "");
        self.put("raw/a.csv", sales().as_bytes());
        self.put("raw/b.txt", b"nothing");
        let listing = format!(
            "[{{\"md5\": \"{hash}\", \"relpath\": \"a.csv\"}}, {{\"md5\": \"{}\", \"relpath\": \"b.txt\"}}]",
            object(b"nothing", "")
        );
        let listing_hash = object(listing.as_bytes(), ".dir");
        self.put(
            "raw.dvc",
            format!("outs:\n- md5: {listing_hash}\n  size: {}\n  nfiles: 2\n  hash: md5\n  path: raw\n", sales().len() + 7).as_bytes(),
        );
    }

    /// Every file below the folder with its bytes.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        gather(self.root(), self.root(), &mut files);
        files.sort();
        files
    }

    /// Places where a text stands, in raw bytes and in whatever can be decoded.
    pub(crate) fn search(&self, text: &str) -> Vec<String> {
        let is_in = |bytes: &[u8]| {
            bytes.windows(text.len()).enumerate().any(|(at, window)| {
                // CUST-47110 is somebody else.
                window == text.as_bytes() && !bytes.get(at + text.len()).is_some_and(u8::is_ascii_digit)
            })
        };
        self.files().into_iter().filter(|(_, bytes)| is_in(bytes) || is_in(&decoded(bytes))).map(|(name, _)| name).collect()
    }
}

fn gather(folder: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            gather(&path, root, files);
        } else {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            files.push((name, fs::read(&path).expect("readable")));
        }
    }
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match bytes {
        [0x1f, 0x8b, ..] => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).expect("sound");
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => out = zstd::decode_all(bytes).expect("sound"),
        [b'P', b'A', b'R', b'1', ..] => {
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(bytes)).expect("sound").build().expect("sound");
            for batch in reader {
                let batch = batch.expect("sound");
                for column in batch.columns() {
                    for row in 0..batch.num_rows() {
                        let text = arrow::util::display::array_value_to_string(column, row).expect("text");
                        out.extend_from_slice(text.as_bytes());
                        out.push(b'\n');
                    }
                }
            }
        }
        _ => {}
    }
    out
}

fn jsonl() -> String {
    format!(
        "{{\"customer_id\":\"{KEY}\",\"email\":\"{MAIL}\"}}\n{{\"customer_id\":\"CUST-2\",\"units\":[1,2]}}\n{{\"customer_id\":\"CUST-3\",\"note\":\"for {KEY}\"}}\n"
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn parquet(column: &str, values: &[&str]) -> Vec<u8> {
    let texts: DictionaryArray<Int32Type> = values.iter().copied().collect();
    let numbers: Int64Array = (0..values.len() as i64).collect();
    let plain: StringArray = values.iter().map(|_| Some("x")).collect();
    let columns: [(&str, ArrayRef); 3] = [(column, Arc::new(texts)), ("y", Arc::new(numbers)), ("note", Arc::new(plain))];
    let batch = RecordBatch::try_from_iter(columns).expect("three columns");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("memory");
    writer.write(&batch).expect("memory");
    writer.close().expect("memory");
    bytes
}
