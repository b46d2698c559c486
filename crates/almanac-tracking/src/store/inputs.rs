//! Datasets and logged models that runs used, logged models that they made, and the datasets of experiments.
//!
//! Not here: logged models themselves (`logged_models`).

use std::collections::HashMap;

use super::TrackingStore;
use super::runs::{active, number_list, write_tag};
use crate::db::{Insert, Session, args};
use crate::names::{is_longer, too_long};
use crate::{
    Dataset, DatasetInput, DatasetSummary, ErrorCode, ExperimentId, LoggedModelId, ModelOutput, RunId, RunInputs, StoreError, Tag,
};

/// Longest texts of a dataset and of a tag of an input, in characters.
const NAME: usize = 500;
const DIGEST: usize = 36;
const SOURCE: usize = 65_535;
const SCHEMA: usize = 1_048_575;
const PROFILE: usize = 16_777_215;
const TAG_KEY: usize = 255;
const TAG_VALUE: usize = 500;
/// Most summaries of an answer.
const MOST_SUMMARIES: i64 = 1_000;
/// Most experiments whose datasets are asked for at once.
const MOST_EXPERIMENTS: usize = 20;
/// The tag under which clients of MLflow 2 kept what models a run made.
const MODEL_HISTORY: &str = "mlflow.log-model.history";

impl TrackingStore {
    /// Logs datasets and models that a run used. A dataset that it used already stays as it is, with its tags.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for texts that are too long and for a deleted run.
    pub fn log_inputs(&self, id: &RunId, datasets: &[DatasetInput], models: &[LoggedModelId]) -> Result<(), StoreError> {
        datasets.iter().try_for_each(check_dataset_input)?;
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            datasets.iter().try_for_each(|input| write_dataset(session, run_no, run.experiment, input))?;
            for model in models {
                write_model(session, run_no, "input", model, 0)?;
            }
            Ok(())
        })
    }

    /// Logs models that a run made.
    ///
    /// # Errors
    /// `BAD_REQUEST` if it made one of them at another step already, `INVALID_PARAMETER_VALUE` for a deleted run.
    pub fn log_outputs(&self, id: &RunId, models: &[ModelOutput]) -> Result<(), StoreError> {
        self.db.write(|session| {
            let (run_no, _) = active(session, id)?;
            for ModelOutput { model, step } in models {
                let known = write_model(session, run_no, "output", model, *step)?;
                if known != *step {
                    return Err(StoreError::refused(
                        ErrorCode::BadRequest,
                        format!("The model '{model}' was already logged as an output of run '{id}' at step {known}."),
                    ));
                }
            }
            Ok(())
        })
    }

    /// Adds to a run's history of models, which clients of MLflow 2 keep in the tag `mlflow.log-model.history`. `model` is a
    /// JSON object.
    ///
    /// # Errors
    /// `BAD_REQUEST` if the tag holds something else, `INVALID_PARAMETER_VALUE` for a deleted run.
    pub fn log_model(&self, id: &RunId, model: &serde_json::Value) -> Result<(), StoreError> {
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            let sql = "SELECT value FROM tags WHERE experiment_id = ?1 AND key = ?2 AND run_no = ?3";
            let known = session.first(sql, args![run.experiment.0, MODEL_HISTORY, run_no], |row| row.text(0))?;
            let mut history: Vec<serde_json::Value> = match &known {
                None => Vec::new(),
                Some(known) => serde_json::from_str(known).map_err(|_| {
                    StoreError::refused(
                        ErrorCode::BadRequest,
                        format!("The tag '{MODEL_HISTORY}' of run '{id}' does not hold a JSON list."),
                    )
                })?,
            };
            history.push(model.clone());
            let value = serde_json::Value::from(history).to_string();
            write_tag(session, run_no, run.experiment, &Tag { key: MODEL_HISTORY.to_owned(), value })
        })
    }

    /// Returns the datasets that runs of some experiments used. Unknown experiments have none.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for no experiment and for more than 20.
    pub fn search_datasets(&self, experiments: &[ExperimentId]) -> Result<Vec<DatasetSummary>, StoreError> {
        if experiments.is_empty() {
            return Err(StoreError::invalid("SearchDatasets request must specify at least one experiment_id."));
        }
        if experiments.len() > MOST_EXPERIMENTS {
            return Err(StoreError::invalid(format!(
                "SearchDatasets request cannot specify more than {MOST_EXPERIMENTS} experiment_ids. Received {} experiment_ids.",
                experiments.len()
            )));
        }
        let ids: Vec<i64> = experiments.iter().map(|id| id.0).collect();
        let sql = format!(
            "SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value
             FROM datasets AS d JOIN inputs AS i ON i.dataset_no = d.dataset_no
             LEFT JOIN input_tags AS t ON t.run_no = i.run_no AND t.dataset_no = i.dataset_no AND t.key = 'mlflow.data.context'
             WHERE d.experiment_id IN ({}) ORDER BY d.experiment_id, d.name, d.digest, t.value LIMIT ?1",
            number_list(&ids)
        );
        self.db.read(|session| {
            session.all(&sql, args![MOST_SUMMARIES], |row| {
                Ok(DatasetSummary {
                    experiment: ExperimentId(row.int(0)?),
                    name: row.text(1)?,
                    digest: row.text(2)?,
                    context: row.opt_text(3)?,
                })
            })
        })
    }
}

/// Returns what each of some runs used and made, in their order: with one query where that is nothing.
pub(super) fn inputs_of(session: &mut dyn Session, run_nos: &[i64]) -> Result<Vec<RunInputs>, StoreError> {
    let mut all = vec![RunInputs::default(); run_nos.len()];
    let place: HashMap<i64, usize> = run_nos.iter().enumerate().map(|(place, run_no)| (*run_no, place)).collect();
    for some in run_nos.chunks(500) {
        let list = number_list(some);
        let sql = format!(
            "SELECT i.run_no AS run_no, 'dataset' AS kind, d.dataset_no AS entry_no, d.name, d.digest, d.source_type, d.source, d.schema,
                    d.profile, CAST(0 AS BIGINT)
             FROM inputs AS i JOIN datasets AS d ON d.dataset_no = i.dataset_no WHERE i.run_no IN ({list})
             UNION ALL
             SELECT run_no, role, entry_no, model_id, '', '', '', NULL, NULL, step FROM run_models WHERE run_no IN ({list})
             ORDER BY entry_no"
        );
        let mut datasets: HashMap<(i64, i64), (usize, usize)> = HashMap::new();
        session.query(&sql, args![], &mut |row| {
            let run_no = row.int(0)?;
            let at = place[&run_no];
            let inputs = &mut all[at];
            match row.text(1)?.as_str() {
                "dataset" => {
                    datasets.insert((run_no, row.int(2)?), (at, inputs.datasets.len()));
                    let dataset = Dataset {
                        name: row.text(3)?,
                        digest: row.text(4)?,
                        source_type: row.text(5)?,
                        source: row.text(6)?,
                        schema: row.opt_text(7)?,
                        profile: row.opt_text(8)?,
                    };
                    inputs.datasets.push(DatasetInput { dataset, tags: Vec::new() });
                }
                "input" => inputs.models.push(LoggedModelId(row.text(3)?)),
                _ => inputs.outputs.push(ModelOutput { model: LoggedModelId(row.text(3)?), step: row.int(9)? }),
            }
            Ok(())
        })?;
        if datasets.is_empty() {
            continue;
        }
        let sql =
            format!("SELECT run_no, dataset_no, key, value FROM input_tags WHERE run_no IN ({list}) ORDER BY run_no, dataset_no, key");
        session.query(&sql, args![], &mut |row| {
            if let Some((at, input)) = datasets.get(&(row.int(0)?, row.int(1)?)) {
                all[*at].datasets[*input].tags.push(Tag { key: row.text(2)?, value: row.text(3)? });
            }
            Ok(())
        })?;
    }
    Ok(all)
}

fn check_dataset_input(input: &DatasetInput) -> Result<(), StoreError> {
    let check = |what: &str, text: &str, limit: usize| if is_longer(text, limit) { Err(too_long(what, limit)) } else { Ok(()) };
    let dataset = &input.dataset;
    check("name", &dataset.name, NAME)?;
    check("digest", &dataset.digest, DIGEST)?;
    check("source", &dataset.source, SOURCE)?;
    check("schema", dataset.schema.as_deref().unwrap_or_default(), SCHEMA)?;
    check("profile", dataset.profile.as_deref().unwrap_or_default(), PROFILE)?;
    for tag in &input.tags {
        check("key", &tag.key, TAG_KEY)?;
        check("value", &tag.value, TAG_VALUE)?;
    }
    Ok(())
}

fn write_dataset(session: &mut dyn Session, run_no: i64, experiment: ExperimentId, input: &DatasetInput) -> Result<(), StoreError> {
    const TAGS: Insert = Insert { head: "INSERT INTO input_tags (run_no, dataset_no, key, value)", columns: 4, tail: "" };
    let dataset = &input.dataset;
    let sql = "INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema, profile) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (experiment_id, name, digest) DO NOTHING";
    let values =
        args![experiment.0, &dataset.name, &dataset.digest, &dataset.source_type, &dataset.source, &dataset.schema, &dataset.profile];
    session.execute(sql, values)?;
    let sql = "SELECT dataset_no FROM datasets WHERE experiment_id = ?1 AND name = ?2 AND digest = ?3";
    let dataset_no = session.first(sql, args![experiment.0, &dataset.name, &dataset.digest], |row| row.int(0))?;
    let dataset_no = dataset_no.expect("made or found in this transaction");
    let sql = "INSERT INTO inputs (run_no, dataset_no) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    if session.execute(sql, args![run_no, dataset_no])? == 0 {
        return Ok(());
    }
    // Of a key that comes twice the last value counts.
    let tags: HashMap<&str, &str> = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let mut values = Vec::with_capacity(tags.len() * TAGS.columns);
    for (key, value) in tags {
        values.extend_from_slice(args![run_no, dataset_no, key, value]);
    }
    session.insert(TAGS, &values)
}

/// Writes a model unless the run has it in that role, and returns the step that it has then.
fn write_model(session: &mut dyn Session, run_no: i64, role: &str, model: &LoggedModelId, step: i64) -> Result<i64, StoreError> {
    let sql = "INSERT INTO run_models (run_no, role, model_id, step) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (run_no, role, model_id) DO UPDATE SET step = run_models.step RETURNING step";
    let known = session.first(sql, args![run_no, role, &model.0, step], |row| row.int(0))?;
    Ok(known.expect("RETURNING gives the row"))
}
