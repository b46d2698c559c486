//! Which model serves: a pointer file, replaced by rename when a new champion is promoted.

use std::io;

use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::bundle::{BundleFile, read_json};
use crate::project::Project;
use crate::steps::select::Selection;

/// What `champion.json` holds. Paths are relative to `.almanac/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// Name of the model.
    pub model: String,
    /// Folder of its bundle.
    pub bundle: String,
    /// Run that made it.
    pub run_id: String,
    /// Registered name and version.
    pub registered: (String, u32),
    /// Fingerprint of the panel it learnt from.
    pub data_version: String,
    /// Name of the issue of forecasts that was made with it.
    pub issue: String,
    /// Label of the cutoff of that issue.
    pub cutoff: String,
    /// When it was promoted, milliseconds since 1970 in UTC.
    pub promoted_ms: i64,
}

/// Reads who the champion is.
///
/// # Errors
/// [`PipelineError::NoChampion`] before the first promotion.
pub fn read_champion(project: &Project) -> Result<Champion, PipelineError> {
    let path = project.champion();
    match read_json(&path) {
        Err(PipelineError::State { source, .. }) if source.kind() == io::ErrorKind::NotFound => Err(PipelineError::NoChampion),
        other => other,
    }
}

/// Reads what the backtest behind the champion said.
///
/// # Errors
/// [`PipelineError`] if there is none or it is damaged.
pub fn read_selection(project: &Project, champion: &Champion) -> Result<Selection, PipelineError> {
    read_json(&project.state().join(&champion.bundle).join("selection.json"))
}

/// Reads what the newest backtest said, promoted or not.
///
/// # Errors
/// [`PipelineError`] if there is none or it is damaged.
pub fn read_latest_selection(project: &Project) -> Result<Selection, PipelineError> {
    read_json(&project.model().join("selection.json"))
}

/// Reads what the champion's bundle was made with.
///
/// # Errors
/// [`PipelineError`] if there is none or it is damaged.
pub fn read_bundle_file(project: &Project, champion: &Champion) -> Result<BundleFile, PipelineError> {
    read_json(&project.state().join(&champion.bundle).join("model.json"))
}
