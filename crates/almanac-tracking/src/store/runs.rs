//! Runs: starting, ending, renaming, deleting and reading them.
//!
//! Not here: what they log (`logging`), searching (`search`).

use super::experiments::{by_id, check_active};
use super::random_name::random_name;
use super::{TrackingStore, inputs};
use crate::db::{Row, Session, args};
use crate::names::check_tag;
use crate::{
    ErrorCode, ExperimentId, LifecycleStage, Millis, NewRun, Param, Run, RunData, RunId, RunRecord, RunStatus, RunUpdate, StoreError, Tag,
};

/// The tag that is the name of a run.
pub(super) const RUN_NAME: &str = "mlflow.runName";

/// Columns that [`run`] reads, of the table `runs`.
pub(super) const COLUMNS: &str = "runs.run_no, runs.run_id, runs.experiment_id, runs.name, runs.user_id, runs.status, runs.start_time, \
                                  runs.end_time, runs.lifecycle_stage, runs.artifact_uri";

impl TrackingStore {
    /// Starts a run.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` for an unknown experiment, `INVALID_PARAMETER_VALUE` for a deleted one or a name that the tag
    /// `mlflow.runName` contradicts, `RESOURCE_ALREADY_EXISTS` if the id is taken.
    pub fn create_run(&self, new: &NewRun) -> Result<RunRecord, StoreError> {
        let (name, tags) = named(new)?;
        self.db.write(|session| {
            let experiment = by_id(session, new.experiment)?;
            check_active(&experiment)?;
            if find(session, &new.id)?.is_some() {
                return Err(StoreError::exists(format!("Run with id={} already exists.", new.id)));
            }
            insert(session, new, &name, &experiment.artifact_location, &tags)
        })
    }

    /// Starts the run, or sets one of that id running again: then its first name and start stay. `true`: it is new.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` if the id belongs to another experiment.
    pub fn start_or_resume_run(&self, new: &NewRun) -> Result<(Run, bool), StoreError> {
        let (name, tags) = named(new)?;
        self.db.write(|session| {
            let experiment = by_id(session, new.experiment)?;
            check_active(&experiment)?;
            let Some((run_no, known)) = find(session, &new.id)? else {
                return Ok((insert(session, new, &name, &experiment.artifact_location, &tags)?.run, true));
            };
            if known.experiment != new.experiment {
                return Err(StoreError::invalid(format!("The run {} belongs to another experiment.", new.id)));
            }
            let sql = "UPDATE runs SET status = 'RUNNING', end_time = NULL, lifecycle_stage = 'active', deleted_time = NULL
                       WHERE run_no = ?1";
            session.execute(sql, args![run_no])?;
            for tag in tags.iter().filter(|tag| tag.key != RUN_NAME) {
                write_tag(session, run_no, new.experiment, tag)?;
            }
            let resumed = Run { status: RunStatus::Running, ended: None, lifecycle_stage: LifecycleStage::Active, ..known };
            Ok((resumed, false))
        })
    }

    /// Sets status, end or name of a run.
    pub fn update_run(&self, id: &RunId, update: &RunUpdate) -> Result<Run, StoreError> {
        self.db.write(|session| {
            let (run_no, run) = active(session, id)?;
            if let Some(status) = update.status {
                session.execute("UPDATE runs SET status = ?1 WHERE run_no = ?2", args![status.as_str(), run_no])?;
            }
            if let Some(ended) = update.ended {
                session.execute("UPDATE runs SET end_time = ?1 WHERE run_no = ?2", args![ended.0, run_no])?;
            }
            if let Some(name) = update.name.as_deref().filter(|name| !name.is_empty()) {
                write_tag(session, run_no, run.experiment, &Tag { key: RUN_NAME.to_owned(), value: name.to_owned() })?;
            }
            Ok(find(session, id)?.expect("found in this transaction").1)
        })
    }

    /// Marks a run as deleted.
    pub fn delete_run(&self, id: &RunId, now: Millis) -> Result<(), StoreError> {
        self.mark_run(id, LifecycleStage::Deleted, Some(now))
    }

    /// Takes the deletion of a run back.
    pub fn restore_run(&self, id: &RunId) -> Result<(), StoreError> {
        self.mark_run(id, LifecycleStage::Active, None)
    }

    fn mark_run(&self, id: &RunId, stage: LifecycleStage, deleted: Option<Millis>) -> Result<(), StoreError> {
        let sql = "UPDATE runs SET lifecycle_stage = ?1, deleted_time = ?2 WHERE run_id = ?3";
        self.db.write(|session| match session.execute(sql, args![stage.as_str(), deleted.map(|time| time.0), id.as_str()])? {
            0 => Err(no_run(id)),
            _ => Ok(()),
        })
    }

    /// Returns a run without what it logged, whether deleted or not.
    pub fn get_run(&self, id: &RunId) -> Result<Run, StoreError> {
        self.db.read(|session| find(session, id)?.map(|(_, run)| run).ok_or_else(|| no_run(id)))
    }

    /// Returns a run with all that it logged, whether deleted or not.
    pub fn get_run_record(&self, id: &RunId) -> Result<RunRecord, StoreError> {
        self.db.read(|session| {
            let found = find(session, id)?.ok_or_else(|| no_run(id))?;
            let mut records = records(session, vec![found])?;
            Ok(records.pop().expect("one run gives one record"))
        })
    }
}

/// Finds the name of a new run, which its tags have too, and checks the tags.
fn named(new: &NewRun) -> Result<(String, Vec<Tag>), StoreError> {
    let mut tags = Vec::with_capacity(new.tags.len() + 1);
    for tag in &new.tags {
        tags.push(Tag { key: tag.key.clone(), value: check_tag(&tag.key, tag.value.clone(), "key")? });
    }
    let tagged = tags.iter().find(|tag| tag.key == RUN_NAME).map(|tag| tag.value.clone()).filter(|name| !name.is_empty());
    let name = match (new.name.as_str(), tagged) {
        (name, Some(tagged)) if !name.is_empty() && name != tagged => {
            return Err(StoreError::invalid(format!(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values \
                 (run_name='{name}', mlflow.runName='{tagged}')."
            )));
        }
        ("", Some(tagged)) => tagged,
        ("", None) => random_name(),
        (name, _) => name.to_owned(),
    };
    tags.retain(|tag| tag.key != RUN_NAME);
    tags.push(Tag { key: RUN_NAME.to_owned(), value: name.clone() });
    tags.sort_by(|left, right| left.key.cmp(&right.key));
    // Of a key that comes twice the last value counts.
    let mut unique: Vec<Tag> = Vec::with_capacity(tags.len());
    for tag in tags {
        match unique.last_mut() {
            Some(last) if last.key == tag.key => *last = tag,
            _ => unique.push(tag),
        }
    }
    Ok((name, unique))
}

fn insert(session: &mut dyn Session, new: &NewRun, name: &str, root: &str, tags: &[Tag]) -> Result<RunRecord, StoreError> {
    let artifact_uri = format!("{}/{}/artifacts", root.trim_end_matches('/'), new.id);
    let sql = "INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time, artifact_uri)
               VALUES (?1, ?2, ?3, ?4, 'RUNNING', ?5, ?6) RETURNING run_no";
    let values = args![new.id.as_str(), new.experiment.0, name, &new.user, new.started.0, &artifact_uri];
    let run_no = session.first(sql, values, |row| row.int(0))?.expect("RETURNING gives the row");
    for tag in tags {
        let sql = "INSERT INTO tags (experiment_id, key, run_no, value) VALUES (?1, ?2, ?3, ?4)";
        session.execute(sql, args![new.experiment.0, &tag.key, run_no, &tag.value])?;
    }
    let run = Run {
        id: new.id.clone(),
        experiment: new.experiment,
        name: name.to_owned(),
        user: new.user.clone(),
        status: RunStatus::Running,
        started: new.started,
        ended: None,
        lifecycle_stage: LifecycleStage::Active,
        artifact_uri,
    };
    Ok(RunRecord { run, data: RunData { tags: tags.to_vec(), ..RunData::default() }, inputs: crate::RunInputs::default() })
}

/// Sets a tag of a run; the one that is its name changes that too.
pub(super) fn write_tag(session: &mut dyn Session, run_no: i64, experiment: ExperimentId, tag: &Tag) -> Result<(), StoreError> {
    if tag.key == RUN_NAME && tag.value.is_empty() {
        // A run keeps its name.
        return Ok(());
    }
    let sql = "INSERT INTO tags (experiment_id, key, run_no, value) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (experiment_id, key, run_no) DO UPDATE SET value = excluded.value";
    session.execute(sql, args![experiment.0, &tag.key, run_no, &tag.value])?;
    if tag.key == RUN_NAME {
        session.execute("UPDATE runs SET name = ?1 WHERE run_no = ?2", args![&tag.value, run_no])?;
    }
    Ok(())
}

/// Finds a run with its number.
pub(super) fn find(session: &mut dyn Session, id: &RunId) -> Result<Option<(i64, Run)>, StoreError> {
    session.first(&format!("SELECT {COLUMNS} FROM runs WHERE run_id = ?1"), args![id.as_str()], run)
}

/// Finds a run that can be written to.
pub(super) fn active(session: &mut dyn Session, id: &RunId) -> Result<(i64, Run), StoreError> {
    let found = find(session, id)?.ok_or_else(|| no_run(id))?;
    match found.1.lifecycle_stage {
        LifecycleStage::Active => Ok(found),
        LifecycleStage::Deleted => {
            Err(StoreError::invalid(format!("The run {id} must be in the 'active' state. Current state is deleted.")))
        }
    }
}

pub(super) fn no_run(id: &RunId) -> StoreError {
    StoreError::refused(ErrorCode::ResourceDoesNotExist, format!("Run with id={id} not found"))
}

/// Reads a row of [`COLUMNS`]: the run's number and the run.
pub(super) fn run(row: &dyn Row) -> Result<(i64, Run), StoreError> {
    let run = Run {
        id: RunId::unchecked(row.text(1)?),
        experiment: ExperimentId(row.int(2)?),
        name: row.text(3)?,
        user: row.text(4)?,
        status: RunStatus::parse(&row.text(5)?).unwrap_or(RunStatus::Running),
        started: Millis(row.int(6)?),
        ended: row.opt_int(7)?.map(Millis),
        lifecycle_stage: LifecycleStage::read(&row.text(8)?),
        artifact_uri: row.text(9)?,
    };
    Ok((row.int(0)?, run))
}

/// Reads what many runs have logged, in one query a kind.
pub(super) fn records(session: &mut dyn Session, runs: Vec<(i64, Run)>) -> Result<Vec<RunRecord>, StoreError> {
    let numbers: Vec<i64> = runs.iter().map(|(number, _)| *number).collect();
    let mut data = vec![RunData::default(); runs.len()];
    let place: std::collections::HashMap<i64, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
    for some in numbers.chunks(500) {
        let list = number_list(some);
        let sql = format!("SELECT run_no, key, value FROM params WHERE run_no IN ({list}) ORDER BY run_no, key");
        session.query(&sql, args![], &mut |row| {
            data[place[&row.int(0)?]].params.push(Param { key: row.text(1)?, value: row.text(2)? });
            Ok(())
        })?;
        let sql = format!("SELECT run_no, key, value FROM tags WHERE run_no IN ({list}) ORDER BY run_no, key");
        session.query(&sql, args![], &mut |row| {
            data[place[&row.int(0)?]].tags.push(Tag { key: row.text(1)?, value: row.text(2)? });
            Ok(())
        })?;
        let sql =
            format!("SELECT run_no, key, step, timestamp, is_nan, value FROM latest_metrics WHERE run_no IN ({list}) ORDER BY run_no, key");
        session.query(&sql, args![], &mut |row| {
            data[place[&row.int(0)?]].metrics.push(super::logging::metric(row, row.text(1)?, 2)?);
            Ok(())
        })?;
    }
    let inputs = inputs::inputs_of(session, &numbers)?;
    let joined = runs.into_iter().zip(data).zip(inputs);
    Ok(joined.map(|(((_, run), data), inputs)| RunRecord { run, data, inputs }).collect())
}

/// Writes numbers for an `IN (…)`.
pub(super) fn number_list(numbers: &[i64]) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    texts.join(",")
}
