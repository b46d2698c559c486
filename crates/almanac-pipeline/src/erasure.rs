//! The erasure of a subject from a project: where its things lie, which are made again, which models learnt from it.
//!
//! Derived layers go whole, because the next run makes them from the sources that are left; the forecast table, artifacts and the
//! database are history, and lose the subject only. Models cannot forget: they are listed.
//!
//! Not here: how a file is searched and rewritten (`almanac-privacy`).

use std::fs;
use std::path::{Path, PathBuf};

use almanac_privacy::{EraseObserver, Ground, ModelNote, Outcome, PROOFS, Request, erase};
use almanac_tracking::{Millis, RunQuery, StoreError, TrackingStore, ViewType};

use crate::PipelineError;
use crate::project::Project;
use crate::run::lock;

/// Folders below `.almanac/` that a run, a backtest or `features materialise` makes again.
const DERIVED: [&str; 8] = ["lake", "assets", "backtest", "model", "trial", "profiles", "online", "checks"];
/// What has come from outside lands here.
const LANDING: &str = "landing";

/// A project as an erasure sees it.
#[derive(Debug, Clone)]
pub struct ErasureSite {
    /// Where to look and what may be done there.
    pub ground: Ground,
    /// Places that belong to the project and are not searched, and why.
    pub elsewhere: Vec<(String, String)>,
    /// Remotes of versions that are no folders of this machine, by name.
    pub remotes: Vec<String>,
}

/// Lays out what an erasure looks at. `sources`: files that tables are read from; `more`: files and folders outside the project that
/// belong to it; `secret`: the file of the privacy key.
pub fn site(project: &Project, sources: &[PathBuf], more: &[PathBuf], secret: Option<&Path>) -> ErasureSite {
    // One name for each place, however the project and its sources were named.
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let root = real(project.root());
    let state = root.join(".almanac");
    let sources: Vec<PathBuf> = sources.iter().map(|path| real(path)).collect();
    let more: Vec<PathBuf> = more.iter().map(|path| real(path)).collect();
    let (mut elsewhere, mut remotes_beyond) = (Vec::new(), Vec::new());
    let is_outside = |path: &&PathBuf| !path.starts_with(&root);
    let mut outside: Vec<PathBuf> = more.iter().filter(is_outside).cloned().collect();
    for source in sources.iter().filter(is_outside) {
        let why = "it lies outside the project and is not changed: delete the rows there, or the next run brings them back";
        elsewhere.push((source.display().to_string(), why.to_owned()));
    }
    for (name, url) in remotes(&root) {
        match folder_of(&root, &url) {
            Some(folder) if folder.starts_with(&root) => {}
            Some(folder) if folder.is_dir() => outside.push(folder),
            _ => remotes_beyond.push(name),
        }
    }
    let ground = Ground {
        derived: DERIVED.iter().map(|name| state.join(name)).collect(),
        owned: vec![state.clone(), root.join(".dvc")],
        sources: sources.iter().filter(|path| path.starts_with(&root)).cloned().chain([state.join(LANDING)]).collect(),
        spared: [real(&project.lock())].into_iter().chain(secret.map(real)).collect(),
        lists: Vec::new(),
        beyond: Vec::new(),
        proofs: state.join(PROOFS),
        more: outside,
        root,
    };
    ErasureSite { ground, elsewhere, remotes: remotes_beyond }
}

/// Remotes of versions, by name, as `.dvc/config` and `config.local` name them.
fn remotes(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in [".dvc/config", ".dvc/config.local"] {
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        let mut section = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                name.trim_matches('\'').clone_into(&mut section);
            } else if let (Some(name), Some((key, url))) = (section.strip_prefix("remote "), line.split_once('='))
                && key.trim() == "url"
            {
                found.push((name.trim_matches('"').to_owned(), url.trim().to_owned()));
            }
        }
    }
    found
}

/// The folder of a remote, if it is one. Relative ones start at `.dvc`.
fn folder_of(root: &Path, url: &str) -> Option<PathBuf> {
    if url.contains("://") {
        return None;
    }
    fs::canonicalize(root.join(".dvc").join(url)).ok()
}

/// Lists the models of a project: all that were made before now may have learnt from any row of it.
///
/// # Errors
/// [`PipelineError::Store`] if the store cannot be read.
pub fn models_that_learnt(store: &TrackingStore, project: &Project) -> Result<Vec<ModelNote>, PipelineError> {
    let name = project.name();
    let Some(experiment) = store.get_experiment_by_name(&name)? else { return Ok(Vec::new()) };
    let versions = match store.model_versions(&name) {
        Err(StoreError::Refused { .. }) => Vec::new(),
        other => other?,
    };
    let mut models = Vec::new();
    let mut query = RunQuery { experiments: vec![experiment.id], view: ViewType::All, ..RunQuery::default() };
    loop {
        let page = store.search_runs(&query)?;
        for record in page.items {
            let run = record.run;
            let version = versions.iter().find(|version| version.run_id.as_deref() == Some(run.id.as_str()));
            models.push(ModelNote {
                run_id: run.id.to_string(),
                registered: version.map(|version| (version.model.clone(), version.version)),
                aliases: version.map(|version| version.aliases.clone()).unwrap_or_default(),
                made: time(run.started),
            });
        }
        match page.next {
            Some(token) => query.page_token = Some(token),
            None => return Ok(models),
        }
    }
}

fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |time| time.to_string())
}

/// Erases a subject while no run can begin.
///
/// # Errors
/// [`PipelineError::Busy`] while another command has the project, and what [`erase`] fails with.
pub fn erase_subject(
    project: &Project,
    site: &ErasureSite,
    request: &Request<'_>,
    observer: &dyn EraseObserver,
) -> Result<Outcome, PipelineError> {
    let _lock = lock(project)?;
    Ok(erase(&site.ground, request, observer)?)
}
