//! Experiments, runs and what they logged; logged models.

use std::collections::HashMap;

use super::{Mlflow, Skipped};
use crate::RunStatus;
use crate::transfer::TransferError;
use crate::transfer::artifacts::local_folder;
use crate::transfer::mlruns::{model_status, stored};
use crate::transfer::tables::{Cell, Record};

impl Mlflow<'_, '_> {
    pub(super) fn experiments(&mut self) -> Result<(), TransferError> {
        let columns = ["experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time"];
        self.each("experiments", &columns, &mut |mlflow, row| {
            let number = row.int(0).ok_or_else(|| Skipped("has no number".into()))?;
            let name = row.id(1, "name")?;
            let location = row.text(2).filter(|location| !location.is_empty() && !mlflow.files.copies());
            let created = row.int(4).unwrap_or_default();
            mlflow.experiments.insert(number, name.clone());
            Ok(vec![row.record(
                "experiments",
                &name,
                vec![
                    ("experiment_id", number.into()),
                    ("name", name.as_str().into()),
                    ("artifact_location", location.unwrap_or_else(|| format!("mlflow-artifacts:/{number}")).into()),
                    ("lifecycle_stage", stage(row.text(3)).into()),
                    ("creation_time", created.into()),
                    ("last_update_time", row.int(5).unwrap_or(created).into()),
                ],
            )])
        })?;
        // Their numbers are needed below.
        self.sink.flush()?;
        self.each("experiment_tags", &["experiment_id", "key", "value"], &mut |mlflow, row| {
            let (experiment, key) = (mlflow.experiment(row.int(0))?, row.id(1, "key")?);
            let values = vec![("experiment_id", experiment), ("key", key.as_str().into()), ("value", row.text(2).into())];
            Ok(vec![row.record("experiment_tags", &key, values)])
        })
    }

    pub(super) fn runs(&mut self) -> Result<(), TransferError> {
        let mut unnamed = HashMap::new();
        let columns = [
            "run_uuid",
            "experiment_id",
            "name",
            "user_id",
            "status",
            "start_time",
            "end_time",
            "lifecycle_stage",
            "deleted_time",
            "artifact_uri",
        ];
        self.each("runs", &columns, &mut |mlflow, row| {
            let id = row.id(0, "id")?;
            let experiment = mlflow.experiment(row.int(1))?;
            let status = row.text(4).unwrap_or_default();
            let status = RunStatus::parse(&status).ok_or_else(|| Skipped(format!("run `{id}` has the status `{status}`")))?;
            let name = row.text(2).filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
            unnamed.insert(id.clone(), name.clone());
            let uri = mlflow.settle(row.text(9).as_deref(), &experiment, row.int(1), &format!("{id}/artifacts"));
            Ok(vec![row.record(
                "runs",
                &id,
                vec![
                    ("run_id", id.as_str().into()),
                    ("experiment_id", experiment),
                    ("name", name.into()),
                    ("user_id", row.text(3).into()),
                    ("status", status.as_str().into()),
                    ("start_time", row.int(5).into()),
                    ("end_time", row.int(6).into()),
                    ("lifecycle_stage", stage(row.text(7)).into()),
                    ("deleted_time", row.int(8).into()),
                    ("artifact_uri", uri.into()),
                ],
            )])
        })?;
        for table in ["tags", "params"] {
            self.each(table, &["run_uuid", "key", "value"], &mut |_, row| {
                let (run, key) = (row.id(0, "run")?, row.id(1, "key")?);
                if table == "tags" && key == "mlflow.runName" {
                    unnamed.remove(&run);
                }
                let place = format!("{run} {key}");
                Ok(vec![row.record(table, &place, vec![("run_no", run.into()), ("key", key.into()), ("value", row.text(2).into())])])
            })?;
        }
        // Versions before 2.0 kept the name only beside the run.
        for (run, name) in unnamed {
            let values = vec![("run_no", run.as_str().into()), ("key", "mlflow.runName".into()), ("value", name.into())];
            self.sink.push(Record::new("tags", format!("runs `{run}`"), values))?;
        }
        self.metrics()?;
        self.datasets()?;
        self.inputs()
    }

    fn metrics(&mut self) -> Result<(), TransferError> {
        let columns = ["run_uuid", "key", "value", "timestamp", "step", "is_nan"];
        self.each("metrics", &columns, &mut |_, row| {
            let (run, key) = (row.id(0, "run")?, row.id(1, "key")?);
            let value = if row.int(5) == Some(1) { f64::NAN } else { row.real(2).unwrap_or(f64::NAN) };
            let (is_nan, value) = stored(value);
            Ok(vec![Record::new(
                "metrics",
                row.place.as_str(),
                vec![
                    ("run_no", run.into()),
                    ("key", key.into()),
                    ("step", row.int(4).into()),
                    ("timestamp", row.int(3).into()),
                    ("is_nan", is_nan.into()),
                    ("value", value.into()),
                ],
            )])
        })
    }

    fn datasets(&mut self) -> Result<(), TransferError> {
        let columns = [
            "dataset_uuid",
            "experiment_id",
            "name",
            "digest",
            "dataset_source_type",
            "dataset_source",
            "dataset_schema",
            "dataset_profile",
        ];
        self.each("datasets", &columns, &mut |mlflow, row| {
            let (id, name, digest) = (row.id(0, "id")?, row.id(2, "name")?, row.id(3, "digest")?);
            let experiment = mlflow.experiment(row.int(1))?;
            let key = Cell::Key(vec![experiment.clone(), name.as_str().into(), digest.as_str().into()]);
            mlflow.datasets.insert(id, key);
            Ok(vec![row.record(
                "datasets",
                &name,
                vec![
                    ("experiment_id", experiment),
                    ("name", name.as_str().into()),
                    ("digest", digest.into()),
                    ("source_type", row.text(4).into()),
                    ("source", row.text(5).into()),
                    ("schema", row.text(6).into()),
                    ("profile", row.text(7).into()),
                ],
            )])
        })
    }

    /// One table ties runs to datasets and to models, either way round.
    fn inputs(&mut self) -> Result<(), TransferError> {
        let mut tagged: HashMap<String, [(&str, Cell); 2]> = HashMap::new();
        let columns = ["input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step"];
        self.each("inputs", &columns, &mut |mlflow, row| {
            let (from, to) = (row.id(2, "source")?, row.id(4, "destination")?);
            let kinds = (row.text(1).unwrap_or_default(), row.text(3).unwrap_or_default());
            let link = |role: &str| {
                vec![
                    ("run_no", Cell::from(from.as_str())),
                    ("role", role.into()),
                    ("model_id", to.as_str().into()),
                    ("step", row.int(5).into()),
                ]
            };
            match (kinds.0.as_str(), kinds.1.as_str()) {
                ("DATASET", "RUN") => {
                    let dataset = mlflow.datasets.get(&from).cloned();
                    let dataset = dataset.ok_or_else(|| Skipped(format!("names dataset `{from}`, which is not there")))?;
                    let owner = [("run_no", Cell::from(to.as_str())), ("dataset_no", dataset)];
                    if let Some(id) = row.text(0) {
                        tagged.insert(id, owner.clone());
                    }
                    Ok(vec![row.record("inputs", &to, owner.to_vec())])
                }
                ("RUN_INPUT", "MODEL_INPUT") => Ok(vec![row.record("run_models", &from, link("input"))]),
                ("RUN_OUTPUT", "MODEL_OUTPUT") => Ok(vec![row.record("run_models", &from, link("output"))]),
                (from, to) => Err(Skipped(format!("ties a `{from}` to a `{to}`, which this program does not know"))),
            }
        })?;
        self.each("input_tags", &["input_uuid", "name", "value"], &mut |_, row| {
            let (id, key) = (row.id(0, "input")?, row.id(1, "key")?);
            let Some(owner) = tagged.get(&id) else { return Err(Skipped(format!("belongs to the input `{id}`, which is not there"))) };
            let mut values = owner.to_vec();
            values.extend([("key", key.as_str().into()), ("value", row.text(2).into())]);
            Ok(vec![row.record("input_tags", &key, values)])
        })
    }

    pub(super) fn logged_models(&mut self) -> Result<(), TransferError> {
        let columns = [
            "model_id",
            "experiment_id",
            "name",
            "artifact_location",
            "creation_timestamp_ms",
            "last_updated_timestamp_ms",
            "status",
            "lifecycle_stage",
            "model_type",
            "source_run_id",
            "status_message",
        ];
        self.each("logged_models", &columns, &mut |mlflow, row| {
            let id = row.id(0, "id")?;
            let experiment = mlflow.experiment(row.int(1))?;
            let uri = mlflow.settle(row.text(3).as_deref(), &experiment, row.int(1), &format!("models/{id}/artifacts"));
            Ok(vec![row.record(
                "logged_models",
                &id,
                vec![
                    ("model_id", id.as_str().into()),
                    ("experiment_id", experiment),
                    ("name", row.text(2).into()),
                    ("artifact_uri", uri.into()),
                    ("model_type", row.text(8).into()),
                    ("source_run_id", row.text(9).into()),
                    ("status", model_status(&row.text(6).unwrap_or_default()).into()),
                    ("status_message", row.text(10).into()),
                    ("lifecycle_stage", stage(row.text(7)).into()),
                    ("creation_time", row.int(4).into()),
                    ("last_updated_time", row.int(5).into()),
                ],
            )])
        })?;
        for (table, key, value) in [("logged_model_params", "param_key", "param_value"), ("logged_model_tags", "tag_key", "tag_value")] {
            self.each(table, &["model_id", key, value], &mut |_, row| {
                let (model, key) = (row.id(0, "model")?, row.id(1, "key")?);
                let values = vec![("model_no", model.into()), ("key", key.as_str().into()), ("value", row.text(2).into())];
                Ok(vec![row.record(table, &key, values)])
            })?;
        }
        let columns =
            ["model_id", "run_id", "metric_name", "dataset_name", "dataset_digest", "metric_step", "metric_timestamp_ms", "metric_value"];
        self.each("logged_model_metrics", &columns, &mut |_, row| {
            let (model, run, key) = (row.id(0, "model")?, row.id(1, "run")?, row.id(2, "key")?);
            let (is_nan, value) = stored(row.real(7).unwrap_or(f64::NAN));
            Ok(vec![row.record(
                "logged_model_metrics",
                &key,
                vec![
                    ("model_no", model.into()),
                    ("run_no", run.into()),
                    ("key", key.as_str().into()),
                    ("dataset_name", row.text(3).into()),
                    ("dataset_digest", row.text(4).into()),
                    ("step", row.int(5).into()),
                    ("timestamp", row.int(6).into()),
                    ("is_nan", is_nan.into()),
                    ("value", value.into()),
                ],
            )])
        })
    }

    /// Finds out where the files of a run or model are from now on.
    fn settle(&mut self, uri: Option<&str>, experiment: &Cell, number: Option<i64>, rest: &str) -> String {
        let uri = uri.unwrap_or_default();
        let beside = self.path.parent().unwrap_or(std::path::Path::new("")).to_owned();
        let candidates: Vec<_> = local_folder(uri, &beside).into_iter().collect();
        let number = self.sink.experiment(&experiment.key_text()).or(number).unwrap_or_default();
        self.files.settle(uri, &candidates, &format!("{number}/{rest}"))
    }
}

/// Reads a stage of life; what is not deleted is active.
fn stage(word: Option<String>) -> &'static str {
    if word.as_deref() == Some("deleted") { "deleted" } else { "active" }
}
