//! Versions of registered models: their numbers, stages, states and tags.

use std::collections::HashMap;

use super::aliases::remove_aliases_of;
use super::models::make;
use super::source::{Origin, resolve};
use super::{CHUNK, check_tag, check_tag_key, is_prompt, lock, no_model, no_version, touch};
use crate::db::{Row, Session, Value, args};
use crate::names::{check_model, too_long};
use crate::store::TrackingStore;
use crate::store::logged_models::note_version;
use crate::{Change, Millis, ModelVersion, NewModelVersion, Stage, StoreError, Tag, VersionStatus};

/// Columns that [`version`] reads.
pub(super) const COLUMNS: &str = "name, version, description, user_id, current_stage, source, storage_location, run_id, run_link, \
     model_id, status, status_message, creation_time, last_updated_time";

/// Longest source, in bytes. What is decoded again and again must not be long.
const SOURCE: usize = 4_096;
/// Longest id of a run or logged model, in bytes.
const ID: usize = 1_024;

impl TrackingStore {
    /// Registers a version under the next number of a model that is there.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for sources that MLflow refuses: local ones outside of the artifacts of the run, relative
    /// ones, and those whose run or logged model is not the one given.
    pub fn create_model_version(&self, new: &NewModelVersion, now: Millis) -> Result<ModelVersion, StoreError> {
        check_new(new)?;
        self.db.write(|session| {
            let origin = resolve(session, new)?;
            let made = insert(session, new, &origin, now)?;
            if let Some(id) = origin.model_id.as_deref().filter(|_| !is_prompt(&new.tags)) {
                note_version(session, id, &made.model, made.version)?;
            }
            Ok(made)
        })
    }

    /// Returns the version of that run and source, and registers it first if it is not there; so too the model.
    ///
    /// For programs that know where their files are: the source is taken as it is.
    pub fn register_version(&self, new: &NewModelVersion, now: Millis) -> Result<ModelVersion, StoreError> {
        check_new(new)?;
        let run_id = new.run_id.as_deref().unwrap_or_default();
        self.db.write(|session| {
            make(session, &new.model, now)?;
            let sql = format!(
                "SELECT {COLUMNS} FROM model_versions WHERE name = ?1 AND coalesce(run_id, '') = ?2 AND source = ?3
                 ORDER BY version DESC LIMIT 1"
            );
            if let Some(known) = session.first(&sql, args![&new.model, run_id, &new.source], version)? {
                return whole(session, vec![known]).map(|mut found| found.remove(0));
            }
            let origin = Origin {
                source: new.source.clone(),
                storage_location: new.source.clone(),
                run_id: new.run_id.clone(),
                model_id: new.model_id.clone(),
            };
            insert(session, new, &origin, now)
        })
    }

    /// Returns one version.
    pub fn get_model_version(&self, model: &str, number: u32) -> Result<ModelVersion, StoreError> {
        check_model(model)?;
        self.db.read(|session| by_number(session, model, number))
    }

    /// Returns the versions of a model, newest first; an unknown model has none.
    pub fn model_versions(&self, model: &str) -> Result<Vec<ModelVersion>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM model_versions WHERE name = ?1 ORDER BY version DESC");
        self.db.read(|session| {
            let found = session.all(&sql, args![model], version)?;
            whole(session, found)
        })
    }

    /// Returns the newest version of each of the stages, by number; of every stage if none are named.
    pub fn latest_versions(&self, model: &str, stages: &[Stage]) -> Result<Vec<ModelVersion>, StoreError> {
        check_model(model)?;
        self.db.read(|session| {
            if !super::models::exists(session, model)? {
                return Err(no_model(model));
            }
            let found = latest(session, model)?;
            Ok(found.into_iter().filter(|version| stages.is_empty() || stages.contains(&version.stage)).collect())
        })
    }

    /// Returns where the files of a version are.
    pub fn model_version_download_uri(&self, model: &str, number: u32) -> Result<String, StoreError> {
        self.get_model_version(model, number).map(|version| version.storage_location)
    }

    /// Sets the description of a version.
    pub fn update_model_version(&self, model: &str, number: u32, description: &str, now: Millis) -> Result<ModelVersion, StoreError> {
        check_model(model)?;
        self.db.write(|session| {
            let sql = "UPDATE model_versions SET description = ?1, last_updated_time = ?2 WHERE name = ?3 AND version = ?4";
            session.execute(sql, args![description, now.0, model, i64::from(number)])?;
            by_number(session, model, number)
        })
    }

    /// Sets whether a version can be used.
    pub fn set_version_status(
        &self,
        model: &str,
        number: u32,
        status: VersionStatus,
        message: &str,
        now: Millis,
    ) -> Result<(), StoreError> {
        self.db.write(|session| {
            let sql = "UPDATE model_versions SET status = ?1, status_message = ?2, last_updated_time = ?3 WHERE name = ?4 AND version = ?5";
            if session.execute(sql, args![status.as_str(), message, now.0, model, i64::from(number)])? == 0 {
                return Err(no_version(model, number));
            }
            touch(session, model, now)
        })
    }

    /// Moves a version to a stage, and on request all others of that stage to the archive.
    pub fn transition_stage(
        &self,
        model: &str,
        number: u32,
        stage: Stage,
        archives_others: bool,
        now: Millis,
    ) -> Result<ModelVersion, StoreError> {
        check_model(model)?;
        if archives_others && !stage.is_active() {
            return Err(StoreError::invalid(format!(
                "Model version transition cannot archive existing model versions because '{}' is not an Active stage. \
                 Valid stages are ['Staging', 'Production']",
                stage.as_str()
            )));
        }
        self.db.write(|session| {
            if !lock(session, model)? {
                return Err(no_version(model, number));
            }
            let sql = "UPDATE model_versions SET current_stage = ?1, last_updated_time = ?2 WHERE name = ?3 AND version = ?4";
            if session.execute(sql, args![stage.as_str(), now.0, model, i64::from(number)])? == 0 {
                return Err(no_version(model, number));
            }
            if archives_others {
                let sql = "UPDATE model_versions SET current_stage = 'Archived', last_updated_time = ?1
                           WHERE name = ?2 AND version <> ?3 AND current_stage = ?4";
                session.execute(sql, args![now.0, model, i64::from(number), stage.as_str()])?;
            }
            touch(session, model, now)?;
            by_number(session, model, number)
        })
    }

    /// Deletes a version with its tags, evidence and aliases. Its number is never used again.
    pub fn delete_model_version(&self, model: &str, number: u32, change: &Change, now: Millis) -> Result<(), StoreError> {
        check_model(model)?;
        self.db.write(|session| {
            if !lock(session, model)? {
                return Err(no_version(model, number));
            }
            let sql = "DELETE FROM model_versions WHERE name = ?1 AND version = ?2";
            if session.execute(sql, args![model, i64::from(number)])? == 0 {
                return Err(no_version(model, number));
            }
            remove_aliases_of(session, model, number, change, now)?;
            touch(session, model, now)
        })
    }

    /// Sets a tag of a version.
    pub fn set_model_version_tag(&self, model: &str, number: u32, tag: &Tag) -> Result<(), StoreError> {
        check_model(model)?;
        check_tag(tag)?;
        self.db.write(|session| {
            if !lock(session, model)? || !exists(session, model, number)? {
                return Err(no_version(model, number));
            }
            write_tag(session, model, number, tag)
        })
    }

    /// Takes a tag of a version away; nothing happens if it is not there.
    pub fn delete_model_version_tag(&self, model: &str, number: u32, key: &str) -> Result<(), StoreError> {
        check_model(model)?;
        check_tag_key(key)?;
        self.db.write(|session| {
            if !lock(session, model)? || !exists(session, model, number)? {
                return Err(no_version(model, number));
            }
            let sql = "DELETE FROM model_version_tags WHERE name = ?1 AND version = ?2 AND key = ?3";
            session.execute(sql, args![model, i64::from(number), key]).map(|_| ())
        })
    }
}

fn check_new(new: &NewModelVersion) -> Result<(), StoreError> {
    check_model(&new.model)?;
    new.tags.iter().try_for_each(check_tag)?;
    if new.source.len() > SOURCE {
        return Err(too_long("source", SOURCE));
    }
    for (what, id) in [("run_id", &new.run_id), ("model_id", &new.model_id)] {
        if id.as_ref().is_some_and(|id| id.len() > ID) {
            return Err(too_long(what, ID));
        }
    }
    Ok(())
}

/// Gives a version the next number.
fn insert(session: &mut dyn Session, new: &NewModelVersion, origin: &Origin, now: Millis) -> Result<ModelVersion, StoreError> {
    let sql = "UPDATE registered_models SET last_version = last_version + 1, last_updated_time = ?1 WHERE name = ?2 RETURNING last_version";
    let number = session.first(sql, args![now.0, &new.model], |row| row.int(0))?.ok_or_else(|| no_model(&new.model))?;
    let sql = "INSERT INTO model_versions (name, version, description, user_id, source, storage_location, run_id, run_link, model_id,
                                           status, creation_time, last_updated_time)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)";
    let values = args![
        &new.model,
        number,
        &new.description,
        &new.user,
        &origin.source,
        &origin.storage_location,
        origin.run_id.as_deref().unwrap_or_default(),
        &new.run_link,
        &origin.model_id,
        new.status.as_str(),
        now.0
    ];
    session.execute(sql, values)?;
    let number = number as u32;
    for tag in &new.tags {
        write_tag(session, &new.model, number, tag)?;
    }
    by_number(session, &new.model, number)
}

fn write_tag(session: &mut dyn Session, model: &str, number: u32, tag: &Tag) -> Result<(), StoreError> {
    let sql = "INSERT INTO model_version_tags (name, version, key, value) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (name, version, key) DO UPDATE SET value = excluded.value";
    session.execute(sql, args![model, i64::from(number), &tag.key, &tag.value]).map(|_| ())
}

pub(super) fn exists(session: &mut dyn Session, model: &str, number: u32) -> Result<bool, StoreError> {
    let sql = "SELECT version FROM model_versions WHERE name = ?1 AND version = ?2";
    Ok(session.first(sql, args![model, i64::from(number)], |row| row.int(0))?.is_some())
}

pub(super) fn by_number(session: &mut dyn Session, model: &str, number: u32) -> Result<ModelVersion, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM model_versions WHERE name = ?1 AND version = ?2");
    let found = session.first(&sql, args![model, i64::from(number)], version)?.ok_or_else(|| no_version(model, number))?;
    Ok(whole(session, vec![found])?.remove(0))
}

/// Returns the newest version of each stage, by number.
pub(super) fn latest(session: &mut dyn Session, model: &str) -> Result<Vec<ModelVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM model_versions WHERE name = ?1 AND version IN
         (SELECT max(version) FROM model_versions WHERE name = ?1 GROUP BY current_stage) ORDER BY version"
    );
    let found = session.all(&sql, args![model], version)?;
    whole(session, found)
}

/// Reads a row of [`COLUMNS`], without tags and aliases.
pub(super) fn version(row: &dyn Row) -> Result<ModelVersion, StoreError> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(ModelVersion {
        model: row.text(0)?,
        version: row.int(1)? as u32,
        description: row.text(2)?,
        user: row.text(3)?,
        stage: Stage::parse(&row.text(4)?).unwrap_or_default(),
        source: row.text(5)?,
        storage_location: row.text(6)?,
        run_id: filled(row.opt_text(7)?),
        run_link: row.text(8)?,
        model_id: filled(row.opt_text(9)?),
        status: VersionStatus::parse(&row.text(10)?).unwrap_or_default(),
        status_message: row.text(11)?,
        created: Millis(row.int(12)?),
        updated: Millis(row.int(13)?),
        tags: Vec::new(),
        aliases: Vec::new(),
    })
}

/// Adds tags and aliases.
pub(super) fn whole(session: &mut dyn Session, versions: Vec<ModelVersion>) -> Result<Vec<ModelVersion>, StoreError> {
    let mut versions = with_tags(session, versions)?;
    let sql = "SELECT name, version, alias FROM model_aliases WHERE (name, version) IN (VALUES {pairs}) ORDER BY alias";
    each_of(session, &mut versions, sql, &mut |version, row| {
        version.aliases.push(row.text(2)?);
        Ok(())
    })?;
    Ok(versions)
}

/// Adds tags.
pub(super) fn with_tags(session: &mut dyn Session, mut versions: Vec<ModelVersion>) -> Result<Vec<ModelVersion>, StoreError> {
    let sql = "SELECT name, version, key, value FROM model_version_tags WHERE (name, version) IN (VALUES {pairs}) ORDER BY key";
    each_of(session, &mut versions, sql, &mut |version, row| {
        version.tags.push(Tag { key: row.text(2)?, value: row.text(3)? });
        Ok(())
    })?;
    Ok(versions)
}

/// Hands each row of an answer, which starts with name and version, to `add` with its version.
fn each_of(
    session: &mut dyn Session,
    versions: &mut [ModelVersion],
    sql: &str,
    add: &mut dyn FnMut(&mut ModelVersion, &dyn Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for chunk in versions.chunks_mut(CHUNK) {
        let keys: Vec<(String, i64)> = chunk.iter().map(|version| (version.model.clone(), i64::from(version.version))).collect();
        let place: HashMap<(&str, i64), usize> =
            keys.iter().enumerate().map(|(place, (name, number))| ((name.as_str(), *number), place)).collect();
        let args: Vec<Value<'_>> = keys.iter().flat_map(|(name, number)| [Value::from(name), Value::from(*number)]).collect();
        let pairs: Vec<String> = (0..keys.len()).map(|pair| format!("(?{}, ?{})", 2 * pair + 1, 2 * pair + 2)).collect();
        session.query(&sql.replace("{pairs}", &pairs.join(", ")), &args, &mut |row| {
            add(&mut chunk[place[&(row.text(0)?.as_str(), row.int(1)?)]], row)
        })?;
    }
    Ok(())
}
