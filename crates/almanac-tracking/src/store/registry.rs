//! The model registry: registered models, their versions, aliases, evidence and webhooks.
//!
//! A write locks its model first, so that gates and numbers hold when several programs write at once.
//!
//! Not here: logged models, of which a version may be made (`logged_models`).

mod aliases;
mod evidence;
mod models;
mod search;
mod source;
mod versions;
mod webhooks;

use crate::db::{Session, args};
use crate::names::check_registry_tag;
use crate::{Millis, StoreError, Tag};

/// The tag that makes a registered model a prompt.
const IS_PROMPT: &str = "mlflow.prompt.is_prompt";
/// The tag that holds the text of a version of a prompt.
const PROMPT_TEXT: &str = "mlflow.prompt.text";
/// How many rows are asked for by name in one statement.
const CHUNK: usize = 400;

fn no_model(name: &str) -> StoreError {
    StoreError::missing(format!("Registered Model with name={name} not found"))
}

fn no_version(name: &str, version: u32) -> StoreError {
    StoreError::missing(format!("Model Version (name={name}, version={version}) not found"))
}

/// Keeps other writers away from a model until the end of the transaction, and says whether it is there.
fn lock(session: &mut dyn Session, name: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE registered_models SET last_version = last_version WHERE name = ?1";
    Ok(session.execute(sql, args![name])? > 0)
}

/// Marks a model as changed.
fn touch(session: &mut dyn Session, name: &str, now: Millis) -> Result<(), StoreError> {
    let sql = "UPDATE registered_models SET last_updated_time = ?1 WHERE name = ?2";
    session.execute(sql, args![now.0, name]).map(|_| ())
}

/// Says whether the tags given make a prompt; of a key that comes twice the last one counts.
fn is_prompt(tags: &[Tag]) -> bool {
    tags.iter().rev().find(|tag| tag.key == IS_PROMPT).is_some_and(|tag| tag.value.eq_ignore_ascii_case("true"))
}

/// Checks a tag of a model or version.
fn check_tag(tag: &Tag) -> Result<(), StoreError> {
    check_tag_key(&tag.key)?;
    match check_registry_tag(&tag.key, &tag.value) {
        // MLflow tells of a prompt's text by its name.
        Err(_) if tag.key == PROMPT_TEXT => Err(StoreError::invalid("Prompt text exceeds max length of 100000 characters.")),
        checked => checked,
    }
}

/// Checks the key of a tag that is to be taken away.
fn check_tag_key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::invalid("Missing value for required parameter 'key'."));
    }
    check_registry_tag(key, "")
}

/// Returns the places `?from`, `?from+1` … of a list of values.
fn places(from: usize, count: usize) -> String {
    let places: Vec<String> = (from..from + count).map(|place| format!("?{place}")).collect();
    places.join(", ")
}
