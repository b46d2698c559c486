//! Where the files of runs, logged models and model versions are.
//!
//! Not here: the files (`artifacts`).

use super::TrackingStore;
use crate::db::{Session, args};
use crate::{RunId, StoreError};

/// How many names a model's source may lead through before it is refused.
const MOST_HOPS: usize = 8;

impl TrackingStore {
    /// Returns the artifact URI of a run, also of a deleted one.
    pub fn artifact_uri_of_run(&self, run: &RunId) -> Result<String, StoreError> {
        self.db.read(|session| of_run(session, run.as_str()))
    }

    /// Returns the artifact URI of a logged model.
    pub fn artifact_uri_of_model(&self, model_id: &str) -> Result<String, StoreError> {
        self.db.read(|session| of_model(session, model_id))
    }

    /// Returns where the files of a model version are: an artifact URI, whatever names its source leads through.
    pub fn artifact_uri_of_version(&self, name: &str, version: i64) -> Result<String, StoreError> {
        self.db.read(|session| {
            let mut uri = of_version(session, name, version)?;
            for _ in 0..MOST_HOPS {
                match hop(session, &uri)? {
                    Some(next) => uri = next,
                    None => return Ok(uri),
                }
            }
            Err(StoreError::invalid(format!("The source of model version (name={name}, version={version}) leads in a circle.")))
        })
    }
}

/// Takes one step from `runs:/…` or `models:/…` to where it is.
fn hop(session: &mut dyn Session, uri: &str) -> Result<Option<String>, StoreError> {
    let (head, rest) = if let Some(rest) = uri.strip_prefix("runs:/") {
        let (run, rest) = split(rest);
        (of_run(session, run)?, rest)
    } else if let Some(rest) = uri.strip_prefix("models:/") {
        let (name, rest) = split(rest);
        if name.starts_with("m-") && !rest.chars().next().is_some_and(|c| c.is_ascii_digit()) {
            (of_model(session, name)?, rest)
        } else {
            let (version, rest) = split(rest);
            let unknown = || StoreError::invalid(format!("'{uri}' names no version of a registered model."));
            (of_version(session, name, version.parse().map_err(|_| unknown())?)?, rest)
        }
    } else {
        return Ok(None);
    };
    Ok(Some(if rest.is_empty() { head } else { format!("{}/{rest}", head.trim_end_matches('/')) }))
}

fn split(path: &str) -> (&str, &str) {
    path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""))
}

fn of_run(session: &mut dyn Session, run: &str) -> Result<String, StoreError> {
    let found = session.first("SELECT artifact_uri FROM runs WHERE run_id = ?1", args![run], |row| row.text(0))?;
    found.ok_or_else(|| StoreError::missing(format!("Run with id={run} not found")))
}

fn of_model(session: &mut dyn Session, model: &str) -> Result<String, StoreError> {
    let sql = "SELECT artifact_uri FROM logged_models WHERE model_id = ?1 AND lifecycle_stage = 'active'";
    let found = session.first(sql, args![model], |row| row.text(0))?;
    found.ok_or_else(|| StoreError::missing(format!("Logged model with ID '{model}' not found.")))
}

fn of_version(session: &mut dyn Session, name: &str, version: i64) -> Result<String, StoreError> {
    let sql = "SELECT storage_location, source FROM model_versions WHERE name = ?1 AND version = ?2";
    let read = |row: &dyn crate::db::Row| Ok((row.text(0)?, row.text(1)?));
    let (location, source) = session
        .first(sql, args![name, version], read)?
        .ok_or_else(|| StoreError::missing(format!("Model Version (name={name}, version={version}) not found")))?;
    Ok(if location.is_empty() { source } else { location })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, ExperimentId, LoggedModelId, Millis, NewLoggedModel, NewRun, StoreUrl};

    #[test]
    fn names_lead_to_files() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("opens");
        let (experiment, run, model) = (ExperimentId(0), RunId::random(), LoggedModelId::random());
        let new = NewRun { id: run.clone(), experiment, name: String::new(), user: String::new(), started: Millis(2), tags: Vec::new() };
        store.create_run(&new).expect("a new run");
        let new = NewLoggedModel {
            id: model.clone(),
            experiment,
            name: String::new(),
            model_type: String::new(),
            source_run: String::new(),
            params: Vec::new(),
            tags: Vec::new(),
        };
        store.create_logged_model(&new, Millis(3)).expect("a new model");
        let sources =
            [format!("runs:/{run}/model"), format!("models:/{model}"), "models:/files/1".to_owned(), "models:/files/4".to_owned()];
        let insert = |session: &mut dyn Session| {
            session.execute("INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES ('files', 1, 1)", args![])?;
            let sql = "INSERT INTO model_versions (name, version, source, storage_location, status, creation_time, last_updated_time)
                       VALUES ('files', ?1, ?2, '', 'READY', 1, 1)";
            sources.iter().zip(1_i64..).try_for_each(|(source, version)| session.execute(sql, args![version, source]).map(|_| ()))
        };
        store.db.write(insert).expect("versions");
        let of_run = format!("{}/model", store.artifact_uri_of_run(&run).expect("it is there"));
        let uri = |version| store.artifact_uri_of_version("files", version);
        assert_eq!(uri(1).expect("leads there"), of_run);
        assert_eq!(uri(2).expect("leads there"), store.artifact_uri_of_model(&model.to_string()).expect("it is there"));
        assert_eq!(uri(3).expect("leads there"), of_run);
        assert_eq!(uri(4).expect_err("in a circle").code(), Some(ErrorCode::InvalidParameterValue));
        assert_eq!(uri(5).expect_err("there is none").code(), Some(ErrorCode::ResourceDoesNotExist));
    }
}
