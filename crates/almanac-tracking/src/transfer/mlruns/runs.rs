//! Runs of an experiment, what they logged, and the datasets they used.

use std::path::{Path, PathBuf};

use super::meta::{DatasetMeta, LinkMeta, RunMeta, int, stage};
use super::{Experiment, META, Reader, folders};
use crate::RunStatus;
use crate::transfer::TransferError;
use crate::transfer::artifacts::local_folder;
use crate::transfer::tables::{Cell, Record};

/// Folders of an experiment that are no runs.
const NO_RUNS: [&str; 4] = ["tags", "datasets", "models", "traces"];

impl Reader<'_, '_> {
    pub(super) fn datasets(&mut self, experiment: &mut Experiment) -> Result<(), TransferError> {
        for (hash, folder) in folders(&experiment.folder.join("datasets")).unwrap_or_default() {
            let place = folder.join(META);
            let Some(meta) = self.meta::<DatasetMeta>(&place) else { continue };
            let (Some(name), Some(digest)) = (meta.name, meta.digest) else {
                self.problem(&place, "names no dataset");
                continue;
            };
            let values = vec![
                ("experiment_id", experiment.key()),
                ("name", name.as_str().into()),
                ("digest", digest.as_str().into()),
                ("source_type", meta.source_type.into()),
                ("source", meta.source.into()),
                ("schema", meta.schema.into()),
                ("profile", meta.profile.into()),
            ];
            self.sink.push(Record::new("datasets", place.display().to_string(), values))?;
            experiment.datasets.insert(hash, (name, digest));
        }
        Ok(())
    }

    pub(super) fn runs(&mut self, experiment: &Experiment) -> Result<(), TransferError> {
        let found = folders(&experiment.folder).map_err(TransferError::file("read", &experiment.folder))?;
        for (id, folder) in found {
            if !NO_RUNS.contains(&id.as_str()) && !id.starts_with('.') {
                self.run(experiment, &id, &folder)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, experiment: &Experiment, id: &str, folder: &Path) -> Result<(), TransferError> {
        let place = folder.join(META);
        let Some(meta) = self.meta::<RunMeta>(&place) else { return Ok(()) };
        let Some(status) = status(meta.status.as_deref()) else {
            self.problem(&place, &format!("`status` is `{}`, so that the run is left out", meta.status.unwrap_or_default()));
            return Ok(());
        };
        let tags = self.keyed_files(&folder.join("tags"));
        let name_tag = tags.iter().find(|(key, _)| key == "mlflow.runName").cloned();
        let given = meta.run_name.or(meta.name).filter(|name| !name.is_empty());
        let name = given.or_else(|| name_tag.as_ref().and_then(|(_, path)| self.text(path))).unwrap_or_else(|| id.to_owned());
        let uri = meta.artifact_uri.unwrap_or_default();
        let candidates: Vec<PathBuf> = local_folder(&uri, &experiment.folder).into_iter().chain([folder.join("artifacts")]).collect();
        let uri = self.files.settle(&uri, &candidates, &format!("{}/{id}/artifacts", experiment.number(self.sink)));
        let values = vec![
            ("run_id", Cell::from(id)),
            ("experiment_id", experiment.key()),
            ("name", name.as_str().into()),
            ("user_id", meta.user_id.into()),
            ("status", status.as_str().into()),
            ("start_time", int(meta.start_time.as_deref()).into()),
            ("end_time", int(meta.end_time.as_deref()).into()),
            ("lifecycle_stage", stage(meta.lifecycle_stage.as_deref()).into()),
            ("deleted_time", int(meta.deleted_time.as_deref()).into()),
            ("artifact_uri", uri.into()),
        ];
        self.sink.push(Record::new("runs", place.display().to_string(), values))?;
        let owner = [("run_no", Cell::from(id))];
        if name_tag.is_none() {
            let mut values = owner.to_vec();
            values.extend([("key", "mlflow.runName".into()), ("value", name.into())]);
            self.sink.push(Record::new("tags", place.display().to_string(), values))?;
        }
        self.tags(&folder.join("tags"), "tags", &owner)?;
        self.tags(&folder.join("params"), "params", &owner)?;
        for (key, path) in self.keyed_files(&folder.join("metrics")) {
            self.metric(id, &key, &path)?;
        }
        self.inputs(experiment, id, folder)?;
        self.outputs(id, folder)
    }

    fn metric(&mut self, run: &str, key: &str, path: &Path) -> Result<(), TransferError> {
        let Some(text) = self.text(path) else { return Ok(()) };
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("{}:{}", path.display(), number + 1);
            let words: Vec<&str> = line.split_whitespace().collect();
            match measured(&words) {
                Some((time, value, step)) => {
                    let (is_nan, value) = stored(value);
                    let values = vec![
                        ("run_no", Cell::from(run)),
                        ("key", key.into()),
                        ("step", step.into()),
                        ("timestamp", time.into()),
                        ("is_nan", is_nan.into()),
                        ("value", value.into()),
                    ];
                    self.sink.push(Record::new("metrics", place, values))?;
                }
                None => self.sink.report.problem(place, "is not a line `timestamp value step` and is left out"),
            }
        }
        Ok(())
    }

    fn inputs(&mut self, experiment: &Experiment, run: &str, folder: &Path) -> Result<(), TransferError> {
        for (id, folder) in folders(&folder.join("inputs")).unwrap_or_default() {
            let place = folder.join(META);
            let Some(meta) = self.meta::<LinkMeta>(&place) else { continue };
            let shown = place.display().to_string();
            let source = meta.source_id.clone().unwrap_or_else(|| id.clone());
            if matches!(meta.source_type.as_deref(), Some("MODEL" | "MODEL_INPUT" | "RUN_INPUT")) {
                self.link(run, "input", &source, 0, shown)?;
                continue;
            }
            let Some((name, digest)) = experiment.datasets.get(&source).or_else(|| experiment.datasets.get(&id)) else {
                self.problem(&place, &format!("names the dataset `{source}`, which is not there"));
                continue;
            };
            let dataset = Cell::Key(vec![experiment.key(), name.as_str().into(), digest.as_str().into()]);
            let owner = [("run_no", Cell::from(run)), ("dataset_no", dataset)];
            self.sink.push(Record::new("inputs", shown.clone(), owner.to_vec()))?;
            for (key, value) in meta.tags.unwrap_or_default() {
                let mut values = owner.to_vec();
                values.extend([("key", key.into()), ("value", value.into())]);
                self.sink.push(Record::new("input_tags", shown.clone(), values))?;
            }
        }
        Ok(())
    }

    fn outputs(&mut self, run: &str, folder: &Path) -> Result<(), TransferError> {
        for (id, folder) in folders(&folder.join("outputs")).unwrap_or_default() {
            let place = folder.join(META);
            let Some(meta) = self.meta::<LinkMeta>(&place) else { continue };
            let model = meta.destination_id.unwrap_or(id);
            let step = int(meta.step.as_deref()).unwrap_or_default();
            self.link(run, "output", &model, step, place.display().to_string())?;
        }
        Ok(())
    }

    fn link(&mut self, run: &str, role: &str, model: &str, step: i64, place: String) -> Result<(), TransferError> {
        let values = vec![("run_no", run.into()), ("role", role.into()), ("model_id", model.into()), ("step", step.into())];
        Ok(self.sink.push(Record::new("run_models", place, values))?)
    }
}

/// Reads the number, or the word, of a status.
fn status(word: Option<&str>) -> Option<RunStatus> {
    let word = word?;
    match word.parse::<i64>() {
        // MLflow's numbers: 1 running, 2 scheduled, 3 finished, 4 failed, 5 killed.
        Ok(number) => RunStatus::from_number(number),
        Err(_) => RunStatus::parse(word),
    }
}

/// Reads timestamp, value and step, which the oldest versions did not write.
pub(super) fn measured(words: &[&str]) -> Option<(i64, f64, i64)> {
    let [time, value, rest @ ..] = words else { return None };
    let step = rest.first().map_or(Some(0), |step| step.parse().ok())?;
    Some((time.parse().ok()?, value.parse().ok()?, step))
}

/// Returns the mark and the number that stand for a value: NaN is 0 with a mark, an infinity the largest number.
pub(in crate::transfer) fn stored(value: f64) -> (i64, f64) {
    if value.is_nan() { (1, 0.0) } else { (0, value.clamp(f64::MIN, f64::MAX)) }
}
