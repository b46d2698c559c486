//! Experiments and their tags.

use super::{ARTIFACT_ROOT, TrackingStore};
use crate::db::{Row, Session, args};
use crate::names::{check_artifact_location, check_experiment, check_experiment_tag};
use crate::{ErrorCode, Experiment, ExperimentId, LifecycleStage, Millis, NewExperiment, StoreError, Tag};

const COLUMNS: &str = "experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time";

impl TrackingStore {
    /// Makes an experiment.
    ///
    /// # Errors
    /// `RESOURCE_ALREADY_EXISTS` if the name is taken, also by a deleted one.
    pub fn create_experiment(&self, new: &NewExperiment, now: Millis) -> Result<ExperimentId, StoreError> {
        check_new(new)?;
        self.db.write(|session| {
            insert(session, new, now)?.ok_or_else(|| StoreError::exists(format!("Experiment(name={}) already exists.", new.name)))
        })
    }

    /// Returns the active experiment of that name, and makes it first if it is not there.
    ///
    /// # Errors
    /// `INVALID_STATE` if it was deleted.
    pub fn get_or_create_experiment(&self, name: &str, now: Millis) -> Result<Experiment, StoreError> {
        let new = NewExperiment { name: name.to_owned(), ..NewExperiment::default() };
        check_new(&new)?;
        self.db.write(|session| {
            insert(session, &new, now)?;
            let found = by_name(session, name)?.expect("made or found in this transaction");
            match found.lifecycle_stage {
                LifecycleStage::Active => Ok(found),
                LifecycleStage::Deleted => {
                    Err(StoreError::refused(ErrorCode::InvalidState, format!("The experiment '{name}' was deleted; restore it first.")))
                }
            }
        })
    }

    /// Returns one experiment, whether deleted or not.
    pub fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError> {
        self.db.read(|session| by_id(session, id))
    }

    /// Returns the experiment of that name, whether deleted or not.
    pub fn get_experiment_by_name(&self, name: &str) -> Result<Option<Experiment>, StoreError> {
        self.db.read(|session| by_name(session, name))
    }

    /// Marks an experiment and its runs as deleted.
    pub fn delete_experiment(&self, id: ExperimentId, now: Millis) -> Result<(), StoreError> {
        self.mark_experiment(id, LifecycleStage::Active, LifecycleStage::Deleted, now)
    }

    /// Takes the deletion of an experiment and its runs back.
    pub fn restore_experiment(&self, id: ExperimentId, now: Millis) -> Result<(), StoreError> {
        self.mark_experiment(id, LifecycleStage::Deleted, LifecycleStage::Active, now)
    }

    fn mark_experiment(&self, id: ExperimentId, from: LifecycleStage, to: LifecycleStage, now: Millis) -> Result<(), StoreError> {
        let sql = "UPDATE experiments SET lifecycle_stage = ?1, last_update_time = ?2 WHERE experiment_id = ?3 AND lifecycle_stage = ?4";
        let deleted_time = (to == LifecycleStage::Deleted).then_some(now.0);
        self.db.write(|session| {
            if session.execute(sql, args![to.as_str(), now.0, id.0, from.as_str()])? == 0 {
                return Err(no_experiment(id));
            }
            let sql = "UPDATE runs SET lifecycle_stage = ?1, deleted_time = ?2 WHERE experiment_id = ?3";
            session.execute(sql, args![to.as_str(), deleted_time, id.0])?;
            Ok(())
        })
    }

    /// Gives an experiment another name.
    pub fn rename_experiment(&self, id: ExperimentId, name: &str, now: Millis) -> Result<(), StoreError> {
        check_experiment(name)?;
        self.db.write(|session| {
            if by_id(session, id)?.lifecycle_stage == LifecycleStage::Deleted {
                return Err(StoreError::refused(ErrorCode::InvalidState, "Cannot rename a non-active experiment."));
            }
            if by_name(session, name)?.is_some_and(|other| other.id != id) {
                return Err(StoreError::exists(format!("Experiment(name={name}) already exists.")));
            }
            let sql = "UPDATE experiments SET name = ?1, last_update_time = ?2 WHERE experiment_id = ?3";
            session.execute(sql, args![name, now.0, id.0]).map(|_| ())
        })
    }

    /// Sets a tag.
    pub fn set_experiment_tag(&self, id: ExperimentId, tag: &Tag) -> Result<(), StoreError> {
        check_experiment_tag(&tag.key, &tag.value)?;
        self.db.write(|session| {
            check_active(&by_id(session, id)?)?;
            write_tag(session, id, tag)
        })
    }

    /// Takes a tag away.
    pub fn delete_experiment_tag(&self, id: ExperimentId, key: &str) -> Result<(), StoreError> {
        self.db.write(|session| {
            check_active(&by_id(session, id)?)?;
            let sql = "DELETE FROM experiment_tags WHERE experiment_id = ?1 AND key = ?2";
            if session.execute(sql, args![id.0, key])? == 0 {
                return Err(StoreError::missing(format!("No tag with name: {key} in experiment with id {id}")));
            }
            Ok(())
        })
    }
}

fn check_new(new: &NewExperiment) -> Result<(), StoreError> {
    check_experiment(&new.name)?;
    if let Some(location) = &new.artifact_location {
        check_artifact_location(location)?;
    }
    new.tags.iter().try_for_each(|tag| check_experiment_tag(&tag.key, &tag.value))
}

/// Returns `None` if the name is taken.
fn insert(session: &mut dyn Session, new: &NewExperiment, now: Millis) -> Result<Option<ExperimentId>, StoreError> {
    let sql = "INSERT INTO experiments (name, artifact_location, creation_time, last_update_time) VALUES (?1, ?2, ?3, ?3)
               ON CONFLICT (name) DO NOTHING RETURNING experiment_id";
    let location = new.artifact_location.as_deref().unwrap_or_default();
    let Some(id) = session.first(sql, args![&new.name, location, now.0], |row| row.int(0))? else { return Ok(None) };
    if location.is_empty() {
        let sql = "UPDATE experiments SET artifact_location = ?1 WHERE experiment_id = ?2";
        session.execute(sql, args![&format!("{ARTIFACT_ROOT}/{id}"), id])?;
    }
    for tag in &new.tags {
        write_tag(session, ExperimentId(id), tag)?;
    }
    Ok(Some(ExperimentId(id)))
}

fn write_tag(session: &mut dyn Session, id: ExperimentId, tag: &Tag) -> Result<(), StoreError> {
    let sql = "INSERT INTO experiment_tags (experiment_id, key, value) VALUES (?1, ?2, ?3)
               ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value";
    session.execute(sql, args![id.0, &tag.key, &tag.value]).map(|_| ())
}

pub(super) fn by_id(session: &mut dyn Session, id: ExperimentId) -> Result<Experiment, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM experiments WHERE experiment_id = ?1");
    let found = session.first(&sql, args![id.0], experiment)?.ok_or_else(|| no_experiment(id))?;
    with_tags(session, found)
}

fn by_name(session: &mut dyn Session, name: &str) -> Result<Option<Experiment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM experiments WHERE name = ?1");
    session.first(&sql, args![name], experiment)?.map(|found| with_tags(session, found)).transpose()
}

pub(super) fn with_tags(session: &mut dyn Session, mut found: Experiment) -> Result<Experiment, StoreError> {
    let sql = "SELECT key, value FROM experiment_tags WHERE experiment_id = ?1 ORDER BY key";
    found.tags = session.all(sql, args![found.id.0], |row| Ok(Tag { key: row.text(0)?, value: row.text(1)? }))?;
    Ok(found)
}

/// Reads a row of [`COLUMNS`], without tags.
pub(super) fn experiment(row: &dyn Row) -> Result<Experiment, StoreError> {
    Ok(Experiment {
        id: ExperimentId(row.int(0)?),
        name: row.text(1)?,
        artifact_location: row.text(2)?,
        lifecycle_stage: LifecycleStage::read(&row.text(3)?),
        created: Millis(row.int(4)?),
        updated: Millis(row.int(5)?),
        tags: Vec::new(),
    })
}

pub(super) fn check_active(experiment: &Experiment) -> Result<(), StoreError> {
    match experiment.lifecycle_stage {
        LifecycleStage::Active => Ok(()),
        LifecycleStage::Deleted => {
            Err(StoreError::invalid(format!("The experiment {} must be in the 'active' state. Current state is deleted.", experiment.id)))
        }
    }
}

fn no_experiment(id: ExperimentId) -> StoreError {
    StoreError::missing(format!("No Experiment with id={id} exists"))
}
