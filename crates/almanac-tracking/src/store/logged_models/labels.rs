//! Tags and params of logged models.

use std::collections::BTreeMap;

use super::{KEY, active_no, check_length};
use crate::db::{Insert, Session, args};
use crate::{ErrorCode, LoggedModelId, Param, StoreError, Tag, TrackingStore};

/// The tag that names the versions in the registry that a logged model became, as MLflow's interface looks for it.
const VERSIONS: &str = "mlflow.modelVersions";

impl TrackingStore {
    /// Logs params of a logged model. The same again changes nothing.
    ///
    /// # Errors
    /// `RESOURCE_DOES_NOT_EXIST` for an unknown or deleted model, `BAD_REQUEST` for a param that has another value already.
    pub fn log_logged_model_params(&self, id: &LoggedModelId, params: &[Param]) -> Result<(), StoreError> {
        self.db.write(|session| {
            let model_no = active_no(session, id)?;
            write_params(session, id, model_no, params)
        })
    }

    /// Sets tags of a logged model.
    pub fn set_logged_model_tags(&self, id: &LoggedModelId, tags: &[Tag]) -> Result<(), StoreError> {
        self.db.write(|session| {
            let model_no = active_no(session, id)?;
            write_tags(session, model_no, tags)
        })
    }

    /// Takes one tag of a logged model away.
    pub fn delete_logged_model_tag(&self, id: &LoggedModelId, key: &str) -> Result<(), StoreError> {
        self.db.write(|session| {
            let model_no = active_no(session, id)?;
            match session.execute("DELETE FROM logged_model_tags WHERE model_no = ?1 AND key = ?2", args![model_no, key])? {
                0 => Err(StoreError::missing(format!("No tag with key '{key}' found for model with ID '{id}'."))),
                _ => Ok(()),
            }
        })
    }
}

/// Notes on a logged model, unless it is not there, that it became a version in the registry.
pub(in crate::store) fn note_version(session: &mut dyn Session, id: &str, name: &str, version: u32) -> Result<(), StoreError> {
    let sql = "SELECT model_no FROM logged_models WHERE model_id = ?1 AND lifecycle_stage = 'active'";
    let Some(model_no) = session.first(sql, args![id], |row| row.int(0))? else { return Ok(()) };
    let sql = "SELECT value FROM logged_model_tags WHERE model_no = ?1 AND key = ?2";
    let known = session.first(sql, args![model_no, VERSIONS], |row| row.text(0))?;
    // What is no list was written by someone else, and is replaced.
    let mut versions: Vec<serde_json::Value> = known.and_then(|known| serde_json::from_str(&known).ok()).unwrap_or_default();
    let new = serde_json::json!({"name": name, "version": version});
    if !versions.contains(&new) {
        versions.push(new);
    }
    let value = serde_json::Value::from(versions).to_string();
    write_tags(session, model_no, &[Tag { key: VERSIONS.to_owned(), value }])
}

pub(super) fn write_params(session: &mut dyn Session, id: &LoggedModelId, model_no: i64, params: &[Param]) -> Result<(), StoreError> {
    let sql = "INSERT INTO logged_model_params (model_no, key, value) VALUES (?1, ?2, ?3)
               ON CONFLICT (model_no, key) DO UPDATE SET value = logged_model_params.value RETURNING value";
    for Param { key, value } in params {
        check_length("key", key, KEY)?;
        let known = session.first(sql, args![model_no, key, value], |row| row.text(0))?.expect("RETURNING gives the row");
        if known != *value {
            return Err(StoreError::refused(
                ErrorCode::BadRequest,
                format!(
                    "Changing param values is not allowed. Param with key='{key}' was already logged with value='{known}' for logged model \
                     ID='{id}'. Attempted logging new value '{value}'."
                ),
            ));
        }
    }
    Ok(())
}

/// Writes tags; of a key that comes twice the last value counts.
pub(super) fn write_tags(session: &mut dyn Session, model_no: i64, tags: &[Tag]) -> Result<(), StoreError> {
    const TAGS: Insert = Insert {
        head: "INSERT INTO logged_model_tags (model_no, key, value)",
        columns: 3,
        tail: "ON CONFLICT (model_no, key) DO UPDATE SET value = excluded.value",
    };
    tags.iter().try_for_each(|tag| check_length("key", &tag.key, KEY))?;
    let unique: BTreeMap<&str, &str> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    let mut values = Vec::with_capacity(unique.len() * TAGS.columns);
    for (key, value) in unique {
        values.extend_from_slice(args![model_no, key, value]);
    }
    session.insert(TAGS, &values)
}
