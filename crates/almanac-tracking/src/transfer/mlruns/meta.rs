//! The files `meta.yaml`, as far as they are needed. Every value is read as text, so that an id such as `12e4` stays one.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct ExperimentMeta {
    pub(super) name: Option<String>,
    pub(super) artifact_location: Option<String>,
    pub(super) lifecycle_stage: Option<String>,
    pub(super) creation_time: Option<String>,
    pub(super) last_update_time: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunMeta {
    pub(super) run_name: Option<String>,
    /// What very old versions called it.
    pub(super) name: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) start_time: Option<String>,
    pub(super) end_time: Option<String>,
    pub(super) lifecycle_stage: Option<String>,
    pub(super) deleted_time: Option<String>,
    pub(super) artifact_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DatasetMeta {
    pub(super) name: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) source_type: Option<String>,
    pub(super) source: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) profile: Option<String>,
}

/// What ties a run to a dataset or a model.
#[derive(Debug, Deserialize)]
pub(super) struct LinkMeta {
    pub(super) source_type: Option<String>,
    pub(super) source_id: Option<String>,
    pub(super) destination_id: Option<String>,
    pub(super) step: Option<String>,
    pub(super) tags: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoggedModelMeta {
    pub(super) name: Option<String>,
    pub(super) artifact_location: Option<String>,
    pub(super) creation_timestamp: Option<String>,
    pub(super) last_updated_timestamp: Option<String>,
    pub(super) model_type: Option<String>,
    pub(super) source_run_id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) status_message: Option<String>,
    pub(super) lifecycle_stage: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RegisteredModelMeta {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) creation_timestamp: Option<String>,
    pub(super) last_updated_timestamp: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionMeta {
    pub(super) version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) current_stage: Option<String>,
    pub(super) source: Option<String>,
    pub(super) storage_location: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) run_link: Option<String>,
    pub(super) model_id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) status_message: Option<String>,
    pub(super) creation_timestamp: Option<String>,
    pub(super) last_updated_timestamp: Option<String>,
}

/// Reads a whole number.
pub(super) fn int(text: Option<&str>) -> Option<i64> {
    text.and_then(|text| text.trim().parse().ok())
}

/// Reads a stage of life; what is not deleted is active.
pub(super) fn stage(word: Option<&str>) -> &'static str {
    if word == Some("deleted") { "deleted" } else { "active" }
}
