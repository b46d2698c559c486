//! Logged models of MLflow 3.

use std::path::PathBuf;

use super::meta::{LoggedModelMeta, int, stage};
use super::runs::{measured, stored};
use super::{Experiment, META, Reader, folders};
use crate::transfer::TransferError;
use crate::transfer::artifacts::local_folder;
use crate::transfer::tables::{Cell, Record};

/// Returns MLflow's number of a status: 1 pending, 2 ready, 3 failed, 0 what it does not know.
pub(in crate::transfer) fn model_status(text: &str) -> i64 {
    text.parse().ok().filter(|number| (0..=3).contains(number)).unwrap_or_default()
}

impl Reader<'_, '_> {
    pub(super) fn logged_models(&mut self, experiment: &Experiment) -> Result<(), TransferError> {
        for (id, folder) in folders(&experiment.folder.join("models")).unwrap_or_default() {
            let place = folder.join(META);
            let Some(meta) = self.meta::<LoggedModelMeta>(&place) else { continue };
            let uri = meta.artifact_location.unwrap_or_default();
            let candidates: Vec<PathBuf> = local_folder(&uri, &experiment.folder).into_iter().chain([folder.join("artifacts")]).collect();
            let uri = self.files.settle(&uri, &candidates, &format!("{}/models/{id}/artifacts", experiment.number(self.sink)));
            let created = int(meta.creation_timestamp.as_deref()).unwrap_or_default();
            let values = vec![
                ("model_id", Cell::from(id.as_str())),
                ("experiment_id", experiment.key()),
                ("name", meta.name.into()),
                ("artifact_uri", uri.into()),
                ("model_type", meta.model_type.into()),
                ("source_run_id", meta.source_run_id.into()),
                ("status", model_status(meta.status.as_deref().unwrap_or("0")).into()),
                ("status_message", meta.status_message.into()),
                ("lifecycle_stage", stage(meta.lifecycle_stage.as_deref()).into()),
                ("creation_time", created.into()),
                ("last_updated_time", int(meta.last_updated_timestamp.as_deref()).unwrap_or(created).into()),
            ];
            self.sink.push(Record::new("logged_models", place.display().to_string(), values))?;
            let owner = [("model_no", Cell::from(id))];
            self.tags(&folder.join("tags"), "logged_model_tags", &owner)?;
            self.tags(&folder.join("params"), "logged_model_params", &owner)?;
        }
        Ok(())
    }

    /// Metrics name a run, so that they come after all runs. A line: `timestamp value step run [dataset digest]`.
    pub(super) fn logged_model_metrics(&mut self, experiment: &Experiment) -> Result<(), TransferError> {
        for (id, folder) in folders(&experiment.folder.join("models")).unwrap_or_default() {
            for (key, path) in self.keyed_files(&folder.join("metrics")) {
                let Some(text) = self.text(&path) else { continue };
                for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                    let place = format!("{}:{}", path.display(), number + 1);
                    let words: Vec<&str> = line.split_whitespace().collect();
                    let (Some((time, value, step)), Some(run)) = (measured(&words), words.get(3)) else {
                        self.sink.report.problem(place, "is not a line `timestamp value step run` and is left out");
                        continue;
                    };
                    let (is_nan, value) = stored(value);
                    let word = |at: usize| Cell::from(words.get(at).copied().unwrap_or_default());
                    let values = vec![
                        ("model_no", Cell::from(id.as_str())),
                        ("run_no", (*run).into()),
                        ("key", key.as_str().into()),
                        ("dataset_name", word(4)),
                        ("dataset_digest", word(5)),
                        ("step", step.into()),
                        ("timestamp", time.into()),
                        ("is_nan", is_nan.into()),
                        ("value", value.into()),
                    ];
                    self.sink.push(Record::new("logged_model_metrics", place, values))?;
                }
            }
        }
        Ok(())
    }
}
