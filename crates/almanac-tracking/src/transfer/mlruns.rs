//! A folder of MLflow's file store, such as `mlruns`, of MLflow 2 and 3.
//!
//! ```text
//! mlruns/<experiment>/meta.yaml  tags/<key>  datasets/<hash>/meta.yaml  traces/<trace>/…
//!        <experiment>/<run>/meta.yaml  params/<key>  metrics/<key>  tags/<key>  inputs/<id>/meta.yaml  outputs/<model>/meta.yaml
//!        <experiment>/models/<model>/meta.yaml  params/<key>  metrics/<key>  tags/<key>
//!        models/<name>/meta.yaml  tags/<key>  aliases/<alias>  version-<n>/meta.yaml  version-<n>/tags/<key>
//!        .trash/<experiment>/…
//! ```
//!
//! Ids are taken from the names of folders. Nothing is written there. What cannot be read is reported with file and line, and
//! the rest is taken.
//!
//! Not here: writing rows (`sink`).

mod logged_models;
mod meta;
mod registry;
mod runs;
mod traces;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::TransferError;
use super::artifacts::Collector;
use super::sink::Sink;
use super::tables::{Cell, Record};
pub(super) use logged_models::model_status;
use meta::{ExperimentMeta, int, stage};
pub(super) use registry::{DELETED, model_in};
pub(super) use runs::stored;

const META: &str = "meta.yaml";
const TRASH: &str = ".trash";
const REGISTRY: &str = "models";

/// An experiment's folder, and what the rows below it need.
struct Experiment {
    folder: PathBuf,
    /// The number in the source, which stands in paths.
    id: i64,
    name: String,
    /// Name and digest of each dataset by the name of its folder.
    datasets: HashMap<String, (String, String)>,
}

impl Experiment {
    fn key(&self) -> Cell {
        Cell::from(self.name.as_str())
    }

    /// The experiment's number here.
    fn number(&self, sink: &Sink<'_>) -> i64 {
        sink.experiment(&self.name).unwrap_or(self.id)
    }
}

/// Reads what a part of the source holds, beside the sink that takes it.
struct Reader<'a, 'd> {
    sink: &'a mut Sink<'d>,
    files: &'a mut Collector<'d>,
}

/// Returns whether a folder looks like one of MLflow's.
pub(super) fn is_one(path: &Path) -> bool {
    let holds_meta = |folder: &Path| folders(folder).is_ok_and(|found| found.iter().any(|(_, path)| path.join(META).is_file()));
    holds_meta(path) || holds_meta(&path.join(TRASH)) || holds_meta(&path.join(REGISTRY))
}

/// Reads the whole folder.
pub(super) fn read<'d>(path: &Path, sink: &mut Sink<'d>, files: &mut Collector<'d>) -> Result<(), TransferError> {
    let mut reader = Reader { sink, files };
    let mut experiments = Vec::new();
    for root in [path.to_owned(), path.join(TRASH)] {
        if !root.is_dir() {
            continue;
        }
        for (name, folder) in folders(&root).map_err(TransferError::file("read", &root))? {
            if name != TRASH && !(name == REGISTRY && root == path) {
                experiments.extend(reader.experiment(&name, folder)?);
            }
        }
    }
    // Their numbers are needed below.
    reader.sink.flush()?;
    for experiment in &mut experiments {
        reader.tags(&experiment.folder.join("tags"), "experiment_tags", &[("experiment_id", experiment.key())])?;
        reader.datasets(experiment)?;
        reader.logged_models(experiment)?;
        reader.runs(experiment)?;
        reader.traces(experiment)?;
    }
    for experiment in &experiments {
        reader.logged_model_metrics(experiment)?;
    }
    reader.registry(&path.join(REGISTRY))
}

impl Reader<'_, '_> {
    fn experiment(&mut self, id: &str, folder: PathBuf) -> Result<Option<Experiment>, TransferError> {
        let place = folder.join(META);
        let Some(meta) = self.meta::<ExperimentMeta>(&place) else { return Ok(None) };
        let Ok(id) = id.parse::<i64>() else {
            self.problem(&place, "the name of its folder is not the number of an experiment");
            return Ok(None);
        };
        let name = meta.name.unwrap_or_else(|| id.to_string());
        let created = int(meta.creation_time.as_deref()).unwrap_or_else(|| modified(&place));
        let location = meta.artifact_location.unwrap_or_default();
        let location = if self.files.copies() || location.is_empty() { format!("mlflow-artifacts:/{id}") } else { location };
        let values = vec![
            ("experiment_id", Cell::from(id)),
            ("name", name.as_str().into()),
            ("artifact_location", location.into()),
            ("lifecycle_stage", stage(meta.lifecycle_stage.as_deref()).into()),
            ("creation_time", created.into()),
            ("last_update_time", int(meta.last_update_time.as_deref()).unwrap_or(created).into()),
        ];
        self.sink.push(Record::new("experiments", place.display().to_string(), values))?;
        Ok(Some(Experiment { folder, id, name, datasets: HashMap::new() }))
    }

    /// Reads a folder that has a file a tag into a table of keys and values.
    fn tags(&mut self, folder: &Path, table: &str, owner: &[(&str, Cell)]) -> Result<(), TransferError> {
        for (key, path) in self.keyed_files(folder) {
            if let Some(value) = self.text(&path) {
                let mut values = owner.to_vec();
                values.extend([("key", key.into()), ("value", value.into())]);
                self.sink.push(Record::new(table, path.display().to_string(), values))?;
            }
        }
        Ok(())
    }

    /// Reads a file of YAML; what is wrong with it is reported.
    fn meta<T: serde::de::DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.problem(path, "is missing, so that its folder is left out");
                return None;
            }
            Err(error) => {
                self.problem(path, &format!("cannot be read: {error}"));
                return None;
            }
        };
        match serde_yaml_ng::from_str(&text) {
            Ok(meta) => Some(meta),
            Err(error) => {
                let line = error.location().map_or(1, |location| location.line());
                self.sink.report.problem(format!("{}:{line}", path.display()), error.to_string());
                None
            }
        }
    }

    /// Reads a file whose content is a value.
    fn text(&mut self, path: &Path) -> Option<String> {
        match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.problem(path, &format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// Returns the files below a folder by their path in it, which is a key such as `nested/key`.
    fn keyed_files(&mut self, folder: &Path) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        let mut waiting = vec![(String::new(), folder.to_owned())];
        while let Some((prefix, folder)) = waiting.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
                    self.problem(&path, "has a name that is no text");
                    continue;
                };
                if path.is_dir() { waiting.push((format!("{name}/"), path)) } else { found.push((name, path)) }
            }
        }
        found.sort();
        found
    }

    fn problem(&mut self, path: &Path, what: &str) {
        self.sink.report.problem(path.display().to_string(), what);
    }
}

/// Returns the folders in a folder, by name.
fn folders(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|_| entry.path().is_dir()) {
            found.push((name.to_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Milliseconds since 1970 at which a file was last written, 0 if that is not known.
fn modified(path: &Path) -> i64 {
    let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
    let found = fs::metadata(path).and_then(|meta| meta.modified()).ok().and_then(since);
    found.map_or(0, |since| since.as_millis() as i64)
}
