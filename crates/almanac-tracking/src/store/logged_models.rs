//! Logged models: making, finalizing, deleting and reading them.
//!
//! Not here: their tags and params (`logged_models::labels`), their metrics (`logged_models::metrics`), searching
//! (`logged_models::search`), which runs used or made them (`inputs`).

mod labels;
mod metrics;
mod search;

use std::collections::HashMap;

use super::TrackingStore;
use super::experiments::{by_id, check_active};
use super::random_name::random_name;
use super::runs::number_list;
use crate::db::{Row, Session, args};
use crate::names::{is_longer, too_long};
use crate::{ExperimentId, LifecycleStage, LoggedModel, LoggedModelId, LoggedModelStatus, Millis, NewLoggedModel, Param, StoreError, Tag};

pub(super) use labels::note_version;
pub(super) use metrics::log_model_metrics;

/// Columns that [`model`] reads, of the table or subquery `m`.
const COLUMNS: &str = "m.model_no, m.model_id, m.experiment_id, m.name, m.artifact_uri, m.model_type, m.source_run_id, m.status, \
                       m.status_message, m.lifecycle_stage, m.creation_time, m.last_updated_time";

/// Longest name and type, in characters.
const NAME: usize = 500;
/// Longest key of a param or tag, in characters.
const KEY: usize = 255;

impl TrackingStore {
    /// Makes a logged model, whose files are still to come.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` for an unknown experiment, `INVALID_PARAMETER_VALUE` for a deleted one and for a name that is
    /// not allowed, `BAD_REQUEST` if a param comes with two values.
    pub fn create_logged_model(&self, new: &NewLoggedModel, now: Millis) -> Result<LoggedModel, StoreError> {
        check_name(&new.name)?;
        check_length("model_type", &new.model_type, NAME)?;
        let name = if new.name.is_empty() { random_name() } else { new.name.clone() };
        self.db.write(|session| {
            let experiment = by_id(session, new.experiment)?;
            check_active(&experiment)?;
            let artifact_uri = format!("{}/models/{}/artifacts", experiment.artifact_location.trim_end_matches('/'), new.id);
            let sql = "INSERT INTO logged_models
                           (model_id, experiment_id, name, artifact_uri, model_type, source_run_id, status, creation_time, last_updated_time)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT (model_id) DO NOTHING RETURNING model_no";
            let values = args![
                &new.id.0,
                new.experiment.0,
                &name,
                &artifact_uri,
                &new.model_type,
                &new.source_run,
                LoggedModelStatus::Pending.number(),
                now.0
            ];
            let model_no = session.first(sql, values, |row| row.int(0))?;
            let model_no = model_no.ok_or_else(|| StoreError::exists(format!("Logged model with ID '{}' already exists.", new.id)))?;
            labels::write_params(session, &new.id, model_no, &new.params)?;
            labels::write_tags(session, model_no, &new.tags)?;
            found(session, &new.id, true)
        })
    }

    /// Returns a logged model with all that is known of it; one that was deleted only with `allow_deleted`.
    pub fn get_logged_model(&self, id: &LoggedModelId, allow_deleted: bool) -> Result<LoggedModel, StoreError> {
        self.db.read(|session| found(session, id, allow_deleted))
    }

    /// Sets the status of a logged model, once its files are there or have failed.
    pub fn finalize_logged_model(&self, id: &LoggedModelId, status: LoggedModelStatus, now: Millis) -> Result<LoggedModel, StoreError> {
        let sql = "UPDATE logged_models SET status = ?1, last_updated_time = ?2 WHERE model_id = ?3 AND lifecycle_stage = 'active'";
        self.db.write(|session| match session.execute(sql, args![status.number(), now.0, &id.0])? {
            0 => Err(no_model(id)),
            _ => found(session, id, false),
        })
    }

    /// Marks a logged model as deleted; it is found no more, and its files stay.
    pub fn delete_logged_model(&self, id: &LoggedModelId, now: Millis) -> Result<(), StoreError> {
        let sql = "UPDATE logged_models SET lifecycle_stage = 'deleted', last_updated_time = ?1
                   WHERE model_id = ?2 AND lifecycle_stage = 'active'";
        self.db.write(|session| match session.execute(sql, args![now.0, &id.0])? {
            0 => Err(no_model(id)),
            _ => Ok(()),
        })
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if name.contains(['/', ':', '.', '%', '"', '\'']) {
        let shown = search::python_text(name);
        return Err(StoreError::invalid(format!(
            "Invalid model name ({shown}) provided. Model name must be a non-empty string and cannot contain the following characters: \
             ('/', ':', '.', '%', '\"', \"'\")"
        )));
    }
    check_length("name", name, NAME)
}

fn check_length(what: &str, text: &str, limit: usize) -> Result<(), StoreError> {
    if is_longer(text, limit) { Err(too_long(what, limit)) } else { Ok(()) }
}

fn no_model(id: &LoggedModelId) -> StoreError {
    StoreError::missing(format!("Logged model with ID '{id}' not found."))
}

/// Finds the number of a logged model that was not deleted.
fn active_no(session: &mut dyn Session, id: &LoggedModelId) -> Result<i64, StoreError> {
    let sql = "SELECT model_no FROM logged_models WHERE model_id = ?1 AND lifecycle_stage = 'active'";
    session.first(sql, args![&id.0], |row| row.int(0))?.ok_or_else(|| no_model(id))
}

fn found(session: &mut dyn Session, id: &LoggedModelId, allow_deleted: bool) -> Result<LoggedModel, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM logged_models AS m WHERE m.model_id = ?1");
    let found = session.first(&sql, args![&id.0], model)?;
    let found = found.filter(|(_, model)| allow_deleted || model.lifecycle_stage == LifecycleStage::Active);
    let mut full = with_data(session, vec![found.ok_or_else(|| no_model(id))?])?;
    Ok(full.pop().expect("one goes in, one comes out"))
}

/// Reads a row of [`COLUMNS`]: the model's number, and the model without params, tags and metrics.
fn model(row: &dyn Row) -> Result<(i64, LoggedModel), StoreError> {
    let model = LoggedModel {
        id: LoggedModelId(row.text(1)?),
        experiment: ExperimentId(row.int(2)?),
        name: row.text(3)?,
        artifact_uri: row.text(4)?,
        model_type: row.text(5)?,
        source_run: row.text(6)?,
        status: LoggedModelStatus::from_number(row.int(7)?).unwrap_or(LoggedModelStatus::Unspecified),
        status_message: row.text(8)?,
        lifecycle_stage: LifecycleStage::read(&row.text(9)?),
        created: Millis(row.int(10)?),
        updated: Millis(row.int(11)?),
        params: Vec::new(),
        tags: Vec::new(),
        metrics: Vec::new(),
    };
    Ok((row.int(0)?, model))
}

/// Reads params, tags and metrics of some models, in one query a kind.
fn with_data(session: &mut dyn Session, models: Vec<(i64, LoggedModel)>) -> Result<Vec<LoggedModel>, StoreError> {
    let (numbers, mut models): (Vec<i64>, Vec<LoggedModel>) = models.into_iter().unzip();
    let place: HashMap<i64, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
    for some in numbers.chunks(500) {
        let list = number_list(some);
        let sql = format!("SELECT model_no, key, value FROM logged_model_params WHERE model_no IN ({list}) ORDER BY model_no, key");
        session.query(&sql, args![], &mut |row| {
            models[place[&row.int(0)?]].params.push(Param { key: row.text(1)?, value: row.text(2)? });
            Ok(())
        })?;
        let sql = format!("SELECT model_no, key, value FROM logged_model_tags WHERE model_no IN ({list}) ORDER BY model_no, key");
        session.query(&sql, args![], &mut |row| {
            models[place[&row.int(0)?]].tags.push(Tag { key: row.text(1)?, value: row.text(2)? });
            Ok(())
        })?;
        metrics::read_metrics(session, &list, &mut |number, metric| models[place[&number]].metrics.push(metric))?;
    }
    Ok(models)
}
