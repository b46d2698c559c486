//! Trials of Optuna's studies, which many workers make and change at a time.
//!
//! Workers read only what is new: all trials with a greater id than the last finished one they know, and those that they
//! know unfinished. That needs the ids of a study to become visible in their order, so the study's row is locked before a
//! trial gets its id.
//!
//! Not here: heartbeats, which workers cannot send through Optuna's proxy.

use super::TrackingStore;
use super::studies::{check_attribute, check_exists, check_name, no_study};
use crate::db::{Dialect, Insert, Row, Session, Value, args};
use crate::distribution::Distribution;
use crate::{AttributeKind, ErrorCode, Micros, StoreError, StudyId, Trial, TrialContent, TrialId, TrialParam, TrialState};

/// Trials asked for by one statement. Fewer are filled up, so that the statement stays the same.
const AT_ONCE: usize = 32;
/// Trials asked for one by one; beyond that all from the first one on are read, and those that were not asked for left out.
const MOST_SINGLE: usize = 512;
/// An id that no trial has.
const NO_TRIAL: i64 = -1;

impl TrackingStore {
    /// Makes a trial with all that `content` holds.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if there is no such study, `INVALID_PARAMETER_VALUE` for content that no worker could read and
    /// for distributions that do not go with those of earlier trials.
    pub fn create_trial(&self, study: StudyId, content: &TrialContent) -> Result<TrialId, StoreError> {
        check_content(content)?;
        self.db.write(|session| {
            let sql = "UPDATE optuna_studies SET next_number = next_number + 1 WHERE study_id = ?1 RETURNING next_number - 1";
            let number = session.first(sql, args![study.0], |row| row.int(0))?.ok_or_else(|| no_study(study))?;
            let sql = "INSERT INTO optuna_trials (study_id, number, state, datetime_start, datetime_complete)
                       VALUES (?1, ?2, ?3, ?4, ?5) RETURNING trial_id";
            let (started, completed) = (content.started.map(|at| at.0), content.completed.map(|at| at.0));
            let values = args![study.0, number, content.state.as_str(), started, completed];
            let id = session.first(sql, values, |row| row.int(0))?.map(TrialId).expect("an insert returns its row");
            write_content(session, Place { study, id }, content)?;
            Ok(id)
        })
    }

    /// Sets a param, also over an earlier value.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST`, `INVALID_STATE` if the trial is finished, `INVALID_PARAMETER_VALUE` if the distribution does not
    /// go with that of another trial of the study.
    pub fn set_trial_param(&self, id: TrialId, name: &str, param: &TrialParam) -> Result<(), StoreError> {
        check_param(name, param)?;
        self.db.write(|session| {
            let study = updatable(session, id)?;
            let distribution_no = distribution_no(session, study, name, &param.distribution)?;
            let sql = "INSERT INTO optuna_trial_params (study_id, trial_id, param_name, distribution_no, param_value)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (study_id, trial_id, param_name)
                       DO UPDATE SET distribution_no = excluded.distribution_no, param_value = excluded.param_value";
            session.execute(sql, args![study.0, id.0, name, distribution_no, param.value]).map(|_| ())
        })
    }

    /// Returns the trial of that number.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if there is none.
    pub fn get_trial_id(&self, study: StudyId, number: i64) -> Result<TrialId, StoreError> {
        let sql = "SELECT trial_id FROM optuna_trials WHERE study_id = ?1 AND number = ?2";
        let found = self.db.read(|session| session.first(sql, args![study.0, number], |row| row.int(0)))?;
        let missing = || StoreError::missing(format!("No trial with trial number {number} exists in study with study_id {study}."));
        found.map(TrialId).ok_or_else(missing)
    }

    /// Moves a trial to another state, with the values of its objectives if there are any.
    ///
    /// Returns false, and changes nothing, if it was to run and did not wait: another worker has it. Of many workers that
    /// take one waiting trial, one succeeds.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST`, `INVALID_STATE` if it is finished, `INVALID_PARAMETER_VALUE` if a value is NaN.
    pub fn set_trial_state(&self, id: TrialId, state: TrialState, values: &[f64], now: Micros) -> Result<bool, StoreError> {
        check_values(values)?;
        let started = (state == TrialState::Running).then_some(now.0);
        let completed = state.is_finished().then_some(now.0);
        self.db.write(|session| {
            let sql = "UPDATE optuna_trials SET state = ?2, datetime_start = COALESCE(?3, datetime_start),
                           datetime_complete = COALESCE(?4, datetime_complete)
                       WHERE trial_id = ?1 AND (state = 'WAITING' OR (state = 'RUNNING' AND ?2 <> 'RUNNING')) RETURNING study_id";
            let Some(study) = session.first(sql, args![id.0, state.as_str(), started, completed], |row| row.int(0))? else {
                return updatable(session, id).map(|_| false);
            };
            if !values.is_empty() {
                let sql = "DELETE FROM optuna_trial_values WHERE study_id = ?1 AND trial_id = ?2";
                session.execute(sql, args![study, id.0])?;
                write_values(session, Place { study: StudyId(study), id }, values)?;
            }
            Ok(true)
        })
    }

    /// Sets what was measured at a step, also over an earlier value. It may be infinite or NaN.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST`, `INVALID_STATE` if the trial is finished.
    pub fn set_trial_intermediate_value(&self, id: TrialId, step: i64, value: f64) -> Result<(), StoreError> {
        self.db.write(|session| {
            let study = updatable(session, id)?;
            let sql = "INSERT INTO optuna_trial_intermediate_values (study_id, trial_id, step, is_nan, value)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (study_id, trial_id, step)
                       DO UPDATE SET is_nan = excluded.is_nan, value = excluded.value";
            session.execute(sql, args![study.0, id.0, step, value.is_nan(), number(value)]).map(|_| ())
        })
    }

    /// Sets an attribute; `value` is JSON as Python writes it.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST`, `INVALID_STATE` if the trial is finished, `INVALID_PARAMETER_VALUE` if `value` is no JSON.
    pub fn set_trial_attribute(&self, id: TrialId, kind: AttributeKind, key: &str, value: &str) -> Result<(), StoreError> {
        check_attribute(key, value)?;
        self.db.write(|session| {
            let study = updatable(session, id)?;
            let sql = "INSERT INTO optuna_trial_attributes (study_id, trial_id, is_system, key, value_json)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (study_id, trial_id, is_system, key)
                       DO UPDATE SET value_json = excluded.value_json";
            session.execute(sql, args![study.0, id.0, kind == AttributeKind::System, key, value]).map(|_| ())
        })
    }

    /// Returns a trial.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if it is not there.
    pub fn get_trial(&self, id: TrialId) -> Result<Trial, StoreError> {
        self.db.read(|session| {
            let sql = "SELECT study_id FROM optuna_trials WHERE trial_id = ?1";
            let study = session.first(sql, args![id.0], |row| row.int(0))?.ok_or_else(|| no_trial(id))?;
            let asked = Asked { study: StudyId(study), newer_than: None, also: vec![id.0] };
            read_trials(session, &asked)?.pop().ok_or_else(|| no_trial(id))
        })
    }

    /// Returns those trials of a study, oldest first, whose id is greater than `newer_than` or is one of `also`.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if there is no such study.
    pub fn get_trials(&self, study: StudyId, newer_than: TrialId, also: &[TrialId]) -> Result<Vec<Trial>, StoreError> {
        let mut also: Vec<i64> = also.iter().filter(|id| **id <= newer_than).map(|id| id.0).collect();
        also.sort_unstable();
        also.dedup();
        let is_scan = also.len() > MOST_SINGLE;
        let from = if is_scan { also[0].saturating_sub(1) } else { newer_than.0 };
        let single = if is_scan { Vec::new() } else { also.clone() };
        let asked = Asked { study, newer_than: Some(from), also: single };
        let mut found = self.db.read(|session| {
            check_exists(session, study)?;
            read_trials(session, &asked)
        })?;
        if is_scan {
            found.retain(|trial| trial.id > newer_than || also.binary_search(&trial.id.0).is_ok());
        }
        Ok(found)
    }
}

/// Where the rows of a trial are.
#[derive(Debug, Clone, Copy)]
struct Place {
    study: StudyId,
    id: TrialId,
}

/// Which trials to read; no id of `also` is greater than `newer_than`.
struct Asked {
    study: StudyId,
    newer_than: Option<i64>,
    also: Vec<i64>,
}

impl Asked {
    /// Hands each row that belongs to these trials to `each`; `select` names the table `t`.
    fn rows(
        &self,
        session: &mut dyn Session,
        select: &str,
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let places: Vec<String> = (2..AT_ONCE + 2).map(|place| format!("?{place}")).collect();
        let some = format!("{select} WHERE t.study_id = ?1 AND t.trial_id IN ({})", places.join(", "));
        for ids in self.also.chunks(AT_ONCE) {
            let mut values = vec![Value::from(self.study.0)];
            values.extend(ids.iter().map(|id| Value::from(*id)));
            values.resize(AT_ONCE + 1, Value::from(NO_TRIAL));
            session.query(&some, &values, each)?;
        }
        let Some(newer_than) = self.newer_than else { return Ok(()) };
        session.query(&format!("{select} WHERE t.study_id = ?1 AND t.trial_id > ?2"), args![self.study.0, newer_than], each)
    }
}

/// Reads trials, oldest first: one or two statements a table, however many trials there are.
fn read_trials(session: &mut dyn Session, asked: &Asked) -> Result<Vec<Trial>, StoreError> {
    let mut trials: Vec<Trial> = Vec::new();
    let select = "SELECT t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete FROM optuna_trials t";
    asked.rows(session, select, &mut |row| {
        let mut content = TrialContent::new(TrialState::read(&row.text(2)?));
        content.started = row.opt_int(3)?.map(Micros);
        content.completed = row.opt_int(4)?.map(Micros);
        trials.push(Trial { id: TrialId(row.int(0)?), number: row.int(1)?, content });
        Ok(())
    })?;
    trials.sort_unstable_by_key(|trial| trial.id);
    if trials.is_empty() {
        return Ok(trials);
    }
    // Every row of a snapshot has its trial.
    fn of<'a>(trials: &'a mut [Trial], row: &dyn Row) -> Result<Option<&'a mut TrialContent>, StoreError> {
        let id = TrialId(row.int(0)?);
        let place = trials.binary_search_by_key(&id, |trial| trial.id).ok();
        Ok(place.map(|place| &mut trials[place].content))
    }
    let select = "SELECT t.trial_id, t.param_name, t.param_value, d.distribution_json
                  FROM optuna_trial_params t JOIN optuna_distributions d ON d.distribution_no = t.distribution_no";
    asked.rows(session, select, &mut |row| {
        if let Some(content) = of(&mut trials, row)? {
            content.params.insert(row.text(1)?, TrialParam { value: row.real(2)?, distribution: row.text(3)? });
        }
        Ok(())
    })?;
    let mut values: Vec<(i64, i64, f64)> = Vec::new();
    asked.rows(session, "SELECT t.trial_id, t.objective, t.value FROM optuna_trial_values t", &mut |row| {
        values.push((row.int(0)?, row.int(1)?, row.real(2)?));
        Ok(())
    })?;
    values.sort_unstable_by_key(|(id, objective, _)| (*id, *objective));
    for (id, _, value) in values {
        if let Ok(place) = trials.binary_search_by_key(&TrialId(id), |trial| trial.id) {
            trials[place].content.values.push(value);
        }
    }
    let select = "SELECT t.trial_id, t.step, t.is_nan, t.value FROM optuna_trial_intermediate_values t";
    asked.rows(session, select, &mut |row| {
        if let Some(content) = of(&mut trials, row)? {
            let value = if row.int(2)? == 0 { row.real(3)? } else { f64::NAN };
            content.intermediate_values.insert(row.int(1)?, value);
        }
        Ok(())
    })?;
    let select = "SELECT t.trial_id, t.is_system, t.key, t.value_json FROM optuna_trial_attributes t";
    asked.rows(session, select, &mut |row| {
        if let Some(content) = of(&mut trials, row)? {
            let attributes = if row.int(1)? == 0 { &mut content.user_attributes } else { &mut content.system_attributes };
            attributes.insert(row.text(2)?, row.text(3)?);
        }
        Ok(())
    })?;
    Ok(trials)
}

/// Returns the study of a trial that may still change, and holds it so until the transaction ends.
fn updatable(session: &mut dyn Session, id: TrialId) -> Result<StudyId, StoreError> {
    // SQLite has one writer at a time.
    let lock = match session.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR SHARE",
    };
    let sql = format!("SELECT study_id, number, state FROM optuna_trials WHERE trial_id = ?1 {lock}");
    let read = |row: &dyn Row| Ok((StudyId(row.int(0)?), row.int(1)?, TrialState::read(&row.text(2)?)));
    let (study, number, state) = session.first(&sql, args![id.0], read)?.ok_or_else(|| no_trial(id))?;
    if state.is_finished() {
        let message = format!("Trial#{number} has already finished and can not be updated.");
        return Err(StoreError::refused(ErrorCode::InvalidState, message));
    }
    Ok(study)
}

/// Returns the number of a distribution, which is checked and stored if it is new to the study.
fn distribution_no(session: &mut dyn Session, study: StudyId, name: &str, text: &str) -> Result<i64, StoreError> {
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let digest = &digest.as_str()[..32];
    let known = "SELECT distribution_no FROM optuna_distributions WHERE study_id = ?1 AND param_name = ?2 AND digest = ?3";
    if let Some(no) = session.first(known, args![study.0, name, digest], |row| row.int(0))? {
        return Ok(no);
    }
    // Two workers may bring the first distributions of a param at once: one after the other, so that the second is checked.
    session.execute("UPDATE optuna_studies SET next_number = next_number WHERE study_id = ?1", args![study.0])?;
    let sql = "SELECT distribution_json FROM optuna_distributions WHERE study_id = ?1 AND param_name = ?2 ORDER BY distribution_no LIMIT 1";
    if let Some(earlier) = session.first(sql, args![study.0, name], |row| row.text(0))? {
        Distribution::parse(text)?.check_follows(&Distribution::parse(&earlier)?)?;
    }
    let sql = "INSERT INTO optuna_distributions (study_id, param_name, digest, distribution_json) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (study_id, param_name, digest) DO NOTHING";
    session.execute(sql, args![study.0, name, digest, text])?;
    Ok(session.first(known, args![study.0, name, digest], |row| row.int(0))?.expect("inserted in this transaction, or there before"))
}

/// Writes the rows of a new trial.
fn write_content(session: &mut dyn Session, place: Place, content: &TrialContent) -> Result<(), StoreError> {
    write_values(session, place, &content.values)?;
    let Place { study, id } = place;
    let mut rows: Vec<Value<'_>> = Vec::new();
    for (name, param) in &content.params {
        let no = distribution_no(session, study, name, &param.distribution)?;
        rows.extend_from_slice(args![study.0, id.0, name, no, param.value]);
    }
    let head = "INSERT INTO optuna_trial_params (study_id, trial_id, param_name, distribution_no, param_value)";
    session.insert(Insert { head, columns: 5, tail: "" }, &rows)?;
    rows.clear();
    for (step, value) in &content.intermediate_values {
        rows.extend_from_slice(args![study.0, id.0, *step, value.is_nan(), number(*value)]);
    }
    let head = "INSERT INTO optuna_trial_intermediate_values (study_id, trial_id, step, is_nan, value)";
    session.insert(Insert { head, columns: 5, tail: "" }, &rows)?;
    rows.clear();
    for (is_system, attributes) in [(false, &content.user_attributes), (true, &content.system_attributes)] {
        for (key, value) in attributes {
            rows.extend_from_slice(args![study.0, id.0, is_system, key, value]);
        }
    }
    let head = "INSERT INTO optuna_trial_attributes (study_id, trial_id, is_system, key, value_json)";
    session.insert(Insert { head, columns: 5, tail: "" }, &rows)
}

fn write_values(session: &mut dyn Session, place: Place, values: &[f64]) -> Result<(), StoreError> {
    let mut rows: Vec<Value<'_>> = Vec::new();
    for (objective, value) in values.iter().enumerate() {
        rows.extend_from_slice(args![place.study.0, place.id.0, objective as i64, *value]);
    }
    let head = "INSERT INTO optuna_trial_values (study_id, trial_id, objective, value)";
    session.insert(Insert { head, columns: 4, tail: "" }, &rows)
}

/// What is stored beside the mark for NaN.
fn number(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

fn check_content(content: &TrialContent) -> Result<(), StoreError> {
    check_values(&content.values)?;
    content.params.iter().try_for_each(|(name, param)| check_param(name, param))?;
    let mut attributes = content.user_attributes.iter().chain(&content.system_attributes);
    attributes.try_for_each(|(key, value)| check_attribute(key, value))
}

fn check_param(name: &str, param: &TrialParam) -> Result<(), StoreError> {
    check_name(name, "param")?;
    Distribution::parse(&param.distribution)?.check_value(param.value)
}

fn check_values(values: &[f64]) -> Result<(), StoreError> {
    if values.iter().any(|value| value.is_nan()) {
        return Err(StoreError::invalid("The values of a trial must not be NaN."));
    }
    Ok(())
}

fn no_trial(id: TrialId) -> StoreError {
    StoreError::missing(format!("No trial with trial_id {id} exists."))
}
