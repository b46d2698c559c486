//! Studies of Optuna: their names, directions and attributes.
//!
//! Not here: their trials (`trials`).

use std::collections::BTreeMap;

use super::TrackingStore;
use crate::db::{Row, Session, args};
use crate::{AttributeKind, StoreError, Study, StudyDirection, StudyId, python_json};

/// Longest name of a study or param and longest key of an attribute, in characters: as long as in Optuna's own tables.
const NAME: usize = 512;

impl TrackingStore {
    /// Makes a study.
    ///
    /// # Errors
    /// `RESOURCE_ALREADY_EXISTS` if the name is taken.
    pub fn create_study(&self, name: &str, directions: &[StudyDirection]) -> Result<StudyId, StoreError> {
        check_name(name, "study")?;
        if directions.is_empty() {
            return Err(StoreError::invalid("A study has at least one direction."));
        }
        let directions: Vec<&str> = directions.iter().map(|direction| direction.as_str()).collect();
        let directions = directions.join(",");
        let sql =
            "INSERT INTO optuna_studies (study_name, directions) VALUES (?1, ?2) ON CONFLICT (study_name) DO NOTHING RETURNING study_id";
        let id = self.db.write(|session| session.first(sql, args![name, &directions], |row| row.int(0)))?;
        id.map(StudyId).ok_or_else(|| StoreError::exists(format!("Another study with name '{name}' already exists.")))
    }

    /// Deletes a study with all its trials, for good.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if it is not there.
    pub fn delete_study(&self, id: StudyId) -> Result<(), StoreError> {
        let sql = "DELETE FROM optuna_studies WHERE study_id = ?1";
        match self.db.write(|session| session.execute(sql, args![id.0]))? {
            0 => Err(no_study(id)),
            _ => Ok(()),
        }
    }

    /// Sets an attribute; `value` is JSON as Python writes it.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if there is no such study, `INVALID_PARAMETER_VALUE` if `value` is no JSON.
    pub fn set_study_attribute(&self, id: StudyId, kind: AttributeKind, key: &str, value: &str) -> Result<(), StoreError> {
        check_attribute(key, value)?;
        let sql = "INSERT INTO optuna_study_attributes (study_id, is_system, key, value_json)
                   SELECT study_id, ?2, ?3, ?4 FROM optuna_studies WHERE study_id = ?1
                   ON CONFLICT (study_id, is_system, key) DO UPDATE SET value_json = excluded.value_json";
        let is_system = kind == AttributeKind::System;
        match self.db.write(|session| session.execute(sql, args![id.0, is_system, key, value]))? {
            0 => Err(no_study(id)),
            _ => Ok(()),
        }
    }

    /// Returns the study of that name.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if there is none.
    pub fn get_study_id(&self, name: &str) -> Result<StudyId, StoreError> {
        let sql = "SELECT study_id FROM optuna_studies WHERE study_name = ?1";
        let id = self.db.read(|session| session.first(sql, args![name], |row| row.int(0)))?;
        id.map(StudyId).ok_or_else(|| StoreError::missing(format!("No study with name '{name}' exists.")))
    }

    /// Returns a study with its attributes.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` if it is not there.
    pub fn get_study(&self, id: StudyId) -> Result<Study, StoreError> {
        self.db.read(|session| {
            let sql = "SELECT study_id, study_name, directions FROM optuna_studies WHERE study_id = ?1";
            let mut found = session.first(sql, args![id.0], study)?.ok_or_else(|| no_study(id))?;
            let sql = "SELECT study_id, is_system, key, value_json FROM optuna_study_attributes WHERE study_id = ?1";
            session.query(sql, args![id.0], &mut |row| add_attribute(std::slice::from_mut(&mut found), row))?;
            Ok(found)
        })
    }

    /// Returns all studies, oldest first.
    pub fn list_studies(&self) -> Result<Vec<Study>, StoreError> {
        self.db.read(|session| {
            let sql = "SELECT study_id, study_name, directions FROM optuna_studies ORDER BY study_id";
            let mut found = session.all(sql, args![], study)?;
            let sql = "SELECT study_id, is_system, key, value_json FROM optuna_study_attributes";
            session.query(sql, args![], &mut |row| add_attribute(&mut found, row))?;
            Ok(found)
        })
    }
}

/// Reads a row without attributes.
fn study(row: &dyn Row) -> Result<Study, StoreError> {
    Ok(Study {
        id: StudyId(row.int(0)?),
        name: row.text(1)?,
        directions: row.text(2)?.split(',').map(StudyDirection::read).collect(),
        user_attributes: BTreeMap::new(),
        system_attributes: BTreeMap::new(),
    })
}

/// Adds an attribute to its study; `studies` are sorted by id.
fn add_attribute(studies: &mut [Study], row: &dyn Row) -> Result<(), StoreError> {
    let id = StudyId(row.int(0)?);
    if let Ok(place) = studies.binary_search_by_key(&id, |study| study.id) {
        let study = &mut studies[place];
        let attributes = if row.int(1)? == 0 { &mut study.user_attributes } else { &mut study.system_attributes };
        attributes.insert(row.text(2)?, row.text(3)?);
    }
    Ok(())
}

/// Refuses names that are too long for a key of the tables.
pub(super) fn check_name(name: &str, what: &str) -> Result<(), StoreError> {
    if name.len() > NAME && name.chars().count() > NAME {
        return Err(StoreError::invalid(format!("The name of a {what} exceeds the maximum length of {NAME} characters.")));
    }
    Ok(())
}

/// Refuses attributes that no reader could read.
pub(super) fn check_attribute(key: &str, value: &str) -> Result<(), StoreError> {
    check_name(key, "user or system attribute")?;
    python_json::check(value).map_err(|problem| StoreError::invalid(format!("The value of an attribute is not JSON: {problem}.")))
}

pub(super) fn check_exists(session: &mut dyn Session, id: StudyId) -> Result<(), StoreError> {
    let sql = "SELECT study_id FROM optuna_studies WHERE study_id = ?1";
    session.first(sql, args![id.0], |row| row.int(0))?.map(|_| ()).ok_or_else(|| no_study(id))
}

pub(super) fn no_study(id: StudyId) -> StoreError {
    StoreError::missing(format!("No study with study_id {id} exists."))
}
