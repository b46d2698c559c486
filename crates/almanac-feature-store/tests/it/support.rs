//! Tables and declarations for the tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_feature_store::{
    Batches, Declarations, FeatureError, Historical, Known, Materialise, Materialised, Micros, OnlineStore, Source, View, parse_instant,
};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};

pub(crate) const DAY: Micros = 86_400_000_000;
pub(crate) const MEMORY: usize = 1 << 30;

/// An instant, in UTC where no zone is written.
pub(crate) fn at(text: &str) -> Micros {
    parse_instant(text, &jiff::tz::TimeZone::UTC).expect("an instant")
}

pub(crate) fn declared(yaml: &str) -> Declarations {
    Declarations::parse(yaml, Path::new("features.yaml")).expect("sound declarations")
}

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect())
        .expect("columns of one length")
}

pub(crate) fn source(batch: &RecordBatch) -> Batches {
    // Several parts, so that putting them together is tested too.
    let half = batch.num_rows() / 2;
    let parts = vec![batch.slice(0, half), batch.slice(half, batch.num_rows() - half)];
    Batches::new("the table", batch.schema(), parts)
}

/// Features of an entity table, as they stood then.
pub(crate) fn join(
    declarations: &Declarations,
    features: &[&str],
    entities: &RecordBatch,
    rows: &RecordBatch,
    known: Known,
) -> Result<RecordBatch, FeatureError> {
    let features = declarations.resolve(features.iter().copied())?;
    let open = |_: &View| Ok(Box::new(source(rows)) as Box<dyn Source>);
    let asked = Historical { declarations, features: &features, full_names: false, known, memory: MEMORY };
    asked.join(&entities.clone().into(), "event_timestamp", &jiff::tz::TimeZone::UTC, &open).map(|(table, _)| table.batch().clone())
}

/// A project with an online store.
pub(crate) struct Store {
    folder: tempfile::TempDir,
    pub(crate) declarations: Declarations,
}

impl Store {
    pub(crate) fn new(yaml: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("features.yaml"), yaml).expect("writable");
        Self { folder, declarations: declared(yaml) }
    }

    pub(crate) fn online(&self) -> PathBuf {
        self.folder.path().join("online")
    }

    pub(crate) fn open(&self) -> OnlineStore {
        OnlineStore::open(self.folder.path().join("features.yaml"), self.online()).expect("sound declarations")
    }

    pub(crate) fn materialise(&self, view: &str, rows: &RecordBatch, until: Micros) -> Result<Materialised, FeatureError> {
        let view = self.declarations.view(view)?;
        let folder = self.online();
        Materialise { folder: &folder, view, until, now: until, full: false, memory: MEMORY }.run(&source(rows))
    }
}
