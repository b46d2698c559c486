//! A project's folder to land in, and a look at what landed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use almanac_connect::{ConnectError, Hiding, LandOptions, Landed, Lookup, Patience, SourceKeys, SourceSpec, TableLanding, land, probe};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use jiff::Timestamp;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A folder, its environment, and a clock that goes on by a second with each load.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    clock: Mutex<i64>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), variables: BTreeMap::new(), clock: Mutex::new(1_700_000_000) }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn landing(&self) -> PathBuf {
        self.folder.path().join("landing")
    }

    pub(crate) async fn land(&self, keys: &str) -> Result<Landed, ConnectError> {
        self.land_as(keys, false, false).await
    }

    pub(crate) async fn land_as(&self, keys: &str, is_offline: bool, is_anew: bool) -> Result<Landed, ConnectError> {
        self.land_hidden(keys, is_offline, is_anew, Hiding::nothing()).await
    }

    pub(crate) async fn land_hidden(
        &self,
        keys: &str,
        is_offline: bool,
        is_anew: bool,
        hiding: Hiding<'_>,
    ) -> Result<Landed, ConnectError> {
        let variable = |name: &str| self.variables.get(name).cloned();
        let now = {
            let mut clock = self.clock.lock().expect("no test fails with it in its hand");
            *clock += 1;
            Timestamp::from_second(*clock).expect("a time")
        };
        let options = LandOptions {
            landing: &self.landing(),
            lookup: Lookup { variable: &variable, root: self.folder.path() },
            now,
            is_offline,
            is_anew,
            patience: Patience(Duration::from_millis(1)),
            kafka: None,
            hiding,
            keep_loads: None,
        };
        land("t", &spec(keys), options).await
    }

    pub(crate) async fn probe(&self, keys: &str) -> Result<(), ConnectError> {
        let variable = |name: &str| self.variables.get(name).cloned();
        let lookup = Lookup { variable: &variable, root: self.folder.path() };
        probe("t", &spec(keys), lookup, Patience(Duration::from_millis(1)), None).await
    }

    pub(crate) fn table(&self) -> TableLanding {
        TableLanding::open(&self.landing(), "t").expect("whole")
    }

    /// Number of loads, and the text of the manifest.
    pub(crate) fn manifest(&self) -> (usize, String) {
        let text = std::fs::read_to_string(self.landing().join("t/manifest.json")).unwrap_or_default();
        (self.table().manifest().loads.len(), text)
    }
}

pub(crate) fn spec(keys: &str) -> SourceSpec {
    let keys: SourceKeys = serde_json::from_str(keys).expect("keys");
    SourceSpec::new(&keys).expect("a source")
}

/// The rows of files, as text: `a=1 b=x`, in the order of the files.
pub(crate) fn rows(files: &[PathBuf]) -> Vec<String> {
    files.iter().flat_map(|file| rows_of(file)).collect()
}

fn rows_of(file: &Path) -> Vec<String> {
    if file.extension().is_some_and(|end| end == "jsonl") {
        let text = std::fs::read_to_string(file).expect("readable");
        return text.lines().map(str::to_owned).collect();
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).expect("there")).expect("Parquet");
    let mut rows = Vec::new();
    for batch in reader.build().expect("readable") {
        let batch = batch.expect("whole");
        let options = FormatOptions::default().with_null("∅");
        let columns: Vec<ArrayFormatter<'_>> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("printable")).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = batch
                .schema()
                .fields()
                .iter()
                .zip(&columns)
                .map(|(field, column)| format!("{}={}", field.name(), column.value(row)))
                .collect();
            rows.push(cells.join(" "));
        }
    }
    rows
}

/// The types of the columns of a file: `a:Int64`.
pub(crate) fn types(file: &Path) -> String {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file).expect("there")).expect("Parquet");
    let types: Vec<String> = reader.schema().fields().iter().map(|field| format!("{}:{}", field.name(), field.data_type())).collect();
    types.join(" ")
}

/// The error, its hint, and everything else that could be shown of it.
pub(crate) fn said(error: &ConnectError) -> String {
    use almanac_series::Hint;
    format!("{error} | {} | {error:?}", error.hint().unwrap_or_default())
}
