//! Registered models, their versions and aliases.

use std::path::Path;

use super::meta::{RegisteredModelMeta, VersionMeta, int};
use super::{META, Reader, folders};
use crate::transfer::TransferError;
use crate::transfer::tables::{Cell, Record};

/// The stage of a version that was deleted: only its number is kept.
pub(in crate::transfer) const DELETED: &str = "Deleted_Internal";

impl Reader<'_, '_> {
    pub(super) fn registry(&mut self, root: &Path) -> Result<(), TransferError> {
        for (name, folder) in folders(root).unwrap_or_default() {
            let place = folder.join(META);
            let Some(meta) = self.meta::<RegisteredModelMeta>(&place) else { continue };
            let name = meta.name.unwrap_or(name);
            let versions = self.versions(&folder);
            let last = versions.iter().map(|(number, ..)| *number).max().unwrap_or_default();
            let created = int(meta.creation_timestamp.as_deref()).unwrap_or_default();
            let values = vec![
                ("name", Cell::from(name.as_str())),
                ("description", meta.description.into()),
                ("creation_time", created.into()),
                ("last_updated_time", int(meta.last_updated_timestamp.as_deref()).unwrap_or(created).into()),
                ("last_version", last.into()),
            ];
            self.sink.push(Record::new("registered_models", place.display().to_string(), values))?;
            self.tags(&folder.join("tags"), "registered_model_tags", &[("name", name.as_str().into())])?;
            for (number, path, meta) in versions {
                self.version(&name, number, &path, meta)?;
            }
            self.aliases(&name, &folder.join("aliases"))?;
        }
        Ok(())
    }

    fn versions(&mut self, folder: &Path) -> Vec<(i64, std::path::PathBuf, VersionMeta)> {
        let mut found = Vec::new();
        for (name, path) in folders(folder).unwrap_or_default() {
            let Some(number) = name.strip_prefix("version-") else { continue };
            let Some(meta) = self.meta::<VersionMeta>(&path.join(META)) else { continue };
            match int(Some(number)).or_else(|| int(meta.version.as_deref())) {
                Some(number) => found.push((number, path, meta)),
                None => self.problem(&path, "is not the number of a version"),
            }
        }
        found
    }

    fn version(&mut self, name: &str, number: i64, folder: &Path, meta: VersionMeta) -> Result<(), TransferError> {
        if meta.current_stage.as_deref() == Some(DELETED) {
            return Ok(());
        }
        let created = int(meta.creation_timestamp.as_deref()).unwrap_or_default();
        let source = meta.source.unwrap_or_default();
        let location = meta.storage_location.unwrap_or_else(|| source.clone());
        let values = vec![
            ("name", Cell::from(name)),
            ("version", number.into()),
            ("description", meta.description.into()),
            ("user_id", meta.user_id.into()),
            ("current_stage", meta.current_stage.unwrap_or_else(|| "None".to_owned()).into()),
            ("source", self.files.follow(&source).into()),
            ("storage_location", self.files.follow(&location).into()),
            ("run_id", meta.run_id.filter(|id| !id.is_empty()).into()),
            ("run_link", meta.run_link.into()),
            ("model_id", meta.model_id.or_else(|| model_in(&source)).into()),
            ("status", meta.status.unwrap_or_else(|| "READY".to_owned()).into()),
            ("status_message", meta.status_message.into()),
            ("creation_time", created.into()),
            ("last_updated_time", int(meta.last_updated_timestamp.as_deref()).unwrap_or(created).into()),
        ];
        self.sink.push(Record::new("model_versions", folder.join(META).display().to_string(), values))?;
        self.tags(&folder.join("tags"), "model_version_tags", &[("name", name.into()), ("version", number.into())])
    }

    fn aliases(&mut self, name: &str, folder: &Path) -> Result<(), TransferError> {
        for (alias, path) in self.keyed_files(folder) {
            let Some(text) = self.text(&path) else { continue };
            let Some(version) = int(Some(&text)) else {
                self.problem(&path, "is not the number of a version");
                continue;
            };
            let values = vec![("name", name.into()), ("alias", alias.into()), ("version", version.into())];
            self.sink.push(Record::new("model_aliases", path.display().to_string(), values))?;
        }
        Ok(())
    }
}

/// Returns the logged model that a source such as `models:/m-1` names.
pub(in crate::transfer) fn model_in(source: &str) -> Option<String> {
    source.strip_prefix("models:/").filter(|rest| rest.starts_with("m-")).map(str::to_owned)
}
