//! Registered models and their tags.

use std::collections::HashMap;

use super::aliases::record;
use super::versions::{COLUMNS, version, with_tags};
use super::{CHUNK, IS_PROMPT, check_tag, check_tag_key, is_prompt, lock, no_model, places};
use crate::db::{Row, Session, Value, args};
use crate::names::{check_model, missing_value};
use crate::store::TrackingStore;
use crate::{Change, Millis, MoveKind, RegisteredModel, StoreError, Tag};

/// Columns that [`model`] reads.
pub(super) const MODEL_COLUMNS: &str = "m.name, m.description, m.creation_time, m.last_updated_time";

impl TrackingStore {
    /// Makes a registered model without versions.
    ///
    /// # Errors
    /// `RESOURCE_ALREADY_EXISTS` if the name is taken, by a model or by a prompt.
    pub fn create_registered_model(&self, name: &str, description: &str, tags: &[Tag], now: Millis) -> Result<RegisteredModel, StoreError> {
        check_model(name)?;
        tags.iter().try_for_each(check_tag)?;
        self.db.write(|session| {
            let sql = "INSERT INTO registered_models (name, description, creation_time, last_updated_time) VALUES (?1, ?2, ?3, ?3)
                       ON CONFLICT (name) DO NOTHING";
            if session.execute(sql, args![name, description, now.0])? == 0 {
                return Err(taken(session, name, is_prompt(tags))?);
            }
            for tag in tags {
                write_tag(session, name, tag)?;
            }
            by_name(session, name)
        })
    }

    /// Returns one registered model.
    pub fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, StoreError> {
        check_model(name)?;
        self.db.read(|session| by_name(session, name))
    }

    /// Returns all registered models by name, prompts among them.
    pub fn registered_models(&self) -> Result<Vec<RegisteredModel>, StoreError> {
        self.db.read(|session| {
            let found = session.all(&format!("SELECT {MODEL_COLUMNS} FROM registered_models AS m ORDER BY m.name"), args![], model)?;
            whole(session, found)
        })
    }

    /// Gives a registered model, its versions and the history of its aliases another name.
    pub fn rename_registered_model(&self, name: &str, new_name: &str, now: Millis) -> Result<RegisteredModel, StoreError> {
        if new_name.trim().is_empty() {
            return Err(StoreError::invalid(missing_value("new_name")));
        }
        check_model(new_name)?;
        check_model(name)?;
        self.db.write(|session| {
            if !lock(session, name)? {
                return Err(no_model(name));
            }
            let sql = "SELECT name FROM registered_models WHERE name = ?1";
            if name != new_name && session.first(sql, args![new_name], |row| row.text(0))?.is_some() {
                return Err(StoreError::exists(format!("Registered Model (name={new_name}) already exists.")));
            }
            let sql = "UPDATE registered_models SET name = ?1, last_updated_time = ?2 WHERE name = ?3";
            session.execute(sql, args![new_name, now.0, name])?;
            session.execute("UPDATE model_versions SET last_updated_time = ?1 WHERE name = ?2", args![now.0, new_name])?;
            session.execute("UPDATE alias_moves SET name = ?1 WHERE name = ?2", args![new_name, name])?;
            by_name(session, new_name)
        })
    }

    /// Sets the description of a registered model.
    pub fn update_registered_model(&self, name: &str, description: &str, now: Millis) -> Result<RegisteredModel, StoreError> {
        check_model(name)?;
        self.db.write(|session| {
            let sql = "UPDATE registered_models SET description = ?1, last_updated_time = ?2 WHERE name = ?3";
            session.execute(sql, args![description, now.0, name])?;
            by_name(session, name)
        })
    }

    /// Deletes a registered model with its versions and aliases; the history of the aliases stays.
    pub fn delete_registered_model(&self, name: &str, change: &Change, now: Millis) -> Result<(), StoreError> {
        check_model(name)?;
        self.db.write(|session| {
            if !lock(session, name)? {
                return Err(no_model(name));
            }
            let sql = "SELECT alias, version FROM model_aliases WHERE name = ?1 ORDER BY alias";
            let aliases = session.all(sql, args![name], |row| Ok((row.text(0)?, row.int(1)? as u32)))?;
            for (alias, version) in &aliases {
                record(session, name, alias, MoveKind::Delete, (Some(*version), None), change, now)?;
            }
            record(session, name, "", MoveKind::ModelDelete, (None, None), change, now)?;
            session.execute("DELETE FROM registered_models WHERE name = ?1", args![name]).map(|_| ())
        })
    }

    /// Sets a tag of a registered model.
    pub fn set_registered_model_tag(&self, name: &str, tag: &Tag) -> Result<(), StoreError> {
        check_model(name)?;
        check_tag(tag)?;
        self.db.write(|session| if lock(session, name)? { write_tag(session, name, tag) } else { Err(no_model(name)) })
    }

    /// Takes a tag of a registered model away; nothing happens if it is not there.
    pub fn delete_registered_model_tag(&self, name: &str, key: &str) -> Result<(), StoreError> {
        check_model(name)?;
        check_tag_key(key)?;
        self.db.write(|session| {
            if !lock(session, name)? {
                return Err(no_model(name));
            }
            session.execute("DELETE FROM registered_model_tags WHERE name = ?1 AND key = ?2", args![name, key]).map(|_| ())
        })
    }
}

/// Makes a model unless it is there, and keeps other writers away from it.
pub(super) fn make(session: &mut dyn Session, name: &str, now: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES (?1, ?2, ?2) ON CONFLICT (name) DO NOTHING";
    session.execute(sql, args![name, now.0])?;
    lock(session, name).map(|_| ())
}

fn write_tag(session: &mut dyn Session, name: &str, tag: &Tag) -> Result<(), StoreError> {
    let sql = "INSERT INTO registered_model_tags (name, key, value) VALUES (?1, ?2, ?3)
               ON CONFLICT (name, key) DO UPDATE SET value = excluded.value";
    session.execute(sql, args![name, &tag.key, &tag.value]).map(|_| ())
}

/// Says by what a name is taken.
fn taken(session: &mut dyn Session, name: &str, is_new_prompt: bool) -> Result<StoreError, StoreError> {
    let word = |is_prompt| if is_prompt { "Prompt" } else { "Registered Model" };
    let (old, new) = (word(is_stored_prompt(session, name)?), word(is_new_prompt));
    Ok(StoreError::exists(if old == new {
        format!("{new} (name={name}) already exists.")
    } else {
        format!(
            "Tried to create a {} with name '{name}', but the name is already taken by a {}. \
             MLflow does not allow creating a model and a prompt with the same name.",
            new.to_lowercase(),
            old.to_lowercase()
        )
    }))
}

pub(super) fn is_stored_prompt(session: &mut dyn Session, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT value FROM registered_model_tags WHERE name = ?1 AND key = ?2";
    let value = session.first(sql, args![name, IS_PROMPT], |row| row.text(0))?;
    Ok(value.is_some_and(|value| value.eq_ignore_ascii_case("true")))
}

pub(super) fn exists(session: &mut dyn Session, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT name FROM registered_models WHERE name = ?1";
    Ok(session.first(sql, args![name], |row| row.text(0))?.is_some())
}

fn by_name(session: &mut dyn Session, name: &str) -> Result<RegisteredModel, StoreError> {
    let sql = format!("SELECT {MODEL_COLUMNS} FROM registered_models AS m WHERE m.name = ?1");
    let found = session.first(&sql, args![name], model)?.ok_or_else(|| no_model(name))?;
    Ok(whole(session, vec![found])?.remove(0))
}

/// Reads a row of [`MODEL_COLUMNS`], without tags, aliases and versions.
pub(super) fn model(row: &dyn Row) -> Result<RegisteredModel, StoreError> {
    Ok(RegisteredModel {
        name: row.text(0)?,
        description: row.text(1)?,
        created: Millis(row.int(2)?),
        updated: Millis(row.int(3)?),
        tags: Vec::new(),
        aliases: Vec::new(),
        latest: Vec::new(),
    })
}

/// Adds tags, aliases and latest versions.
pub(super) fn whole(session: &mut dyn Session, mut models: Vec<RegisteredModel>) -> Result<Vec<RegisteredModel>, StoreError> {
    for chunk in models.chunks_mut(CHUNK) {
        let names: Vec<String> = chunk.iter().map(|model| model.name.clone()).collect();
        let place: HashMap<&str, usize> = names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let args: Vec<Value<'_>> = names.iter().map(Value::from).collect();
        let list = places(1, names.len());

        let sql = format!("SELECT name, key, value FROM registered_model_tags WHERE name IN ({list}) ORDER BY name, key");
        session.query(&sql, &args, &mut |row| {
            chunk[place[row.text(0)?.as_str()]].tags.push(Tag { key: row.text(1)?, value: row.text(2)? });
            Ok(())
        })?;
        let sql = format!("SELECT name, alias, version FROM model_aliases WHERE name IN ({list}) ORDER BY name, alias");
        session.query(&sql, &args, &mut |row| {
            chunk[place[row.text(0)?.as_str()]].aliases.push((row.text(1)?, row.int(2)? as u32));
            Ok(())
        })?;
        let sql = format!(
            "SELECT {COLUMNS} FROM model_versions WHERE (name, version) IN
             (SELECT name, max(version) FROM model_versions WHERE name IN ({list}) GROUP BY name, current_stage) ORDER BY name, version"
        );
        let latest = session.all(&sql, &args, version)?;
        for version in with_tags(session, latest)? {
            chunk[place[version.model.as_str()]].latest.push(version);
        }
    }
    Ok(models)
}
