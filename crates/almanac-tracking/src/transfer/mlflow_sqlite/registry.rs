//! Registered models, their versions and aliases.

use std::collections::{HashMap, HashSet};

use super::{Mlflow, Skipped};
use crate::transfer::TransferError;
use crate::transfer::mlruns::{DELETED, model_in};

impl Mlflow<'_, '_> {
    pub(super) fn registry(&mut self) -> Result<(), TransferError> {
        // Numbers of deleted versions are never used again.
        let (mut last, mut deleted) = (HashMap::new(), HashSet::new());
        self.each("model_versions", &["name", "version", "current_stage"], &mut |_, row| {
            let (name, version) = (row.id(0, "name")?, row.int(1).unwrap_or_default());
            let most = last.entry(name.clone()).or_insert(version);
            *most = version.max(*most);
            if row.text(2).as_deref() == Some(DELETED) {
                deleted.insert((name, version));
            }
            Ok(Vec::new())
        })?;
        let columns = ["name", "description", "creation_time", "last_updated_time"];
        self.each("registered_models", &columns, &mut |_, row| {
            let name = row.id(0, "name")?;
            Ok(vec![row.record(
                "registered_models",
                &name,
                vec![
                    ("name", name.as_str().into()),
                    ("description", row.text(1).into()),
                    ("creation_time", row.int(2).into()),
                    ("last_updated_time", row.int(3).or(row.int(2)).into()),
                    ("last_version", last.get(&name).copied().unwrap_or_default().into()),
                ],
            )])
        })?;
        self.each("registered_model_tags", &["name", "key", "value"], &mut |_, row| {
            let (name, key) = (row.id(0, "name")?, row.id(1, "key")?);
            let values = vec![("name", name.as_str().into()), ("key", key.into()), ("value", row.text(2).into())];
            Ok(vec![row.record("registered_model_tags", &name, values)])
        })?;
        self.versions(&deleted)?;
        self.each("registered_model_aliases", &["name", "alias", "version"], &mut |_, row| {
            let (name, alias) = (row.id(0, "name")?, row.id(1, "alias")?);
            let version = row.int(2).ok_or_else(|| Skipped(format!("alias `{alias}` of `{name}` names no version")))?;
            let values = vec![("name", name.as_str().into()), ("alias", alias.into()), ("version", version.into())];
            Ok(vec![row.record("model_aliases", &name, values)])
        })
    }

    fn versions(&mut self, deleted: &HashSet<(String, i64)>) -> Result<(), TransferError> {
        let columns = [
            "name",
            "version",
            "description",
            "user_id",
            "current_stage",
            "source",
            "storage_location",
            "run_id",
            "run_link",
            "status",
            "status_message",
            "creation_time",
            "last_updated_time",
        ];
        self.each("model_versions", &columns, &mut |mlflow, row| {
            let name = row.id(0, "name")?;
            let version = row.int(1).ok_or_else(|| Skipped(format!("a version of `{name}` has no number")))?;
            if deleted.contains(&(name.clone(), version)) {
                return Ok(Vec::new());
            }
            let source = row.text(5).unwrap_or_default();
            let location = row.text(6).unwrap_or_else(|| source.clone());
            Ok(vec![row.record(
                "model_versions",
                &format!("{name} {version}"),
                vec![
                    ("name", name.as_str().into()),
                    ("version", version.into()),
                    ("description", row.text(2).into()),
                    ("user_id", row.text(3).into()),
                    ("current_stage", row.text(4).unwrap_or_else(|| "None".to_owned()).into()),
                    ("source", mlflow.files.follow(&source).into()),
                    ("storage_location", mlflow.files.follow(&location).into()),
                    ("run_id", row.text(7).filter(|id| !id.is_empty()).into()),
                    ("run_link", row.text(8).into()),
                    ("model_id", model_in(&source).into()),
                    ("status", row.text(9).unwrap_or_else(|| "READY".to_owned()).into()),
                    ("status_message", row.text(10).into()),
                    ("creation_time", row.int(11).into()),
                    ("last_updated_time", row.int(12).or(row.int(11)).into()),
                ],
            )])
        })?;
        self.each("model_version_tags", &["name", "version", "key", "value"], &mut |_, row| {
            let (name, version, key) = (row.id(0, "name")?, row.int(1).unwrap_or_default(), row.id(2, "key")?);
            if deleted.contains(&(name.clone(), version)) {
                return Ok(Vec::new());
            }
            let values =
                vec![("name", name.as_str().into()), ("version", version.into()), ("key", key.into()), ("value", row.text(3).into())];
            Ok(vec![row.record("model_version_tags", &name, values)])
        })
    }
}
