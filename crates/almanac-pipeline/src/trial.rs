//! A backtest with other models, cutoffs or steps than the project's, beside it: `.almanac/trial/` holds what it made.
//!
//! The panel is the project's own, made up to date first. The model in the making, the champion and the forecast table are not touched.

use crate::asset::AssetStore;
use crate::bundle::read_json;
use crate::fingerprint::Fingerprint;
use crate::panel::LazyPanel;
use crate::progress::Event;
use crate::project::Project;
use crate::run::{Outside, RunOptions, Until, lock, run};
use crate::settings::PipelineSettings;
use crate::steps::select::Selection;
use crate::steps::{Context, backtest, field, select};
use crate::{PipelineError, RunError, records};

/// Scores what `tried` asks for on the panel of `settings`, the project's own.
///
/// # Errors
/// [`RunError`] names the step that failed. A gate that fails is part of the answer.
pub fn try_out(
    project: &Project,
    settings: &PipelineSettings,
    tried: &PipelineSettings,
    outside: Outside<'_>,
) -> Result<Selection, RunError> {
    run(project, settings, &RunOptions { force: false, until: Some(Until::Silver) }, outside)?;
    let beside = project.trial();
    let started = |source| RunError { asset: "trial".to_owned(), source };
    // A run would tidy up what a trial is writing.
    let _lock = lock(project).map_err(started)?;
    let silver = silver_of(project).map_err(started)?;
    let panel = LazyPanel::new(project.silver());
    let assets = AssetStore::open(beside.assets(), beside.state(), false, outside.observer);
    let ctx = Context { project: &beside, settings: tried, assets: &assets, models: outside.models, runtime: outside.runtime };

    let planned = backtest::plan(ctx, &silver, &panel)?.summary;
    if let Some(reduced) = &planned.reduced {
        outside.observer.on(&Event::Note { text: reduced });
    }
    let folds = planned.folds();
    let (wider, _) = field::widen(ctx, &silver, &panel, folds.len())?;
    let ctx = Context { settings: &wider, ..ctx };
    let backtests = backtest::make_all(ctx, &silver, &panel, &folds)?;
    let (models, left_out) = backtest::usable(&wider.models, &backtests);
    for (model, reason) in &left_out {
        outside.observer.on(&Event::Note { text: &format!("`{model}` is left out: {reason}") });
    }
    if models.is_empty() {
        let (model, reason) = left_out.into_iter().next().expect("a trial has models");
        return Err(RunError { asset: "backtest".to_owned(), source: PipelineError::NoModel { model, reason } });
    }
    let narrowed = PipelineSettings { models, ..tried.clone() };
    let inputs: Vec<Fingerprint> = backtests.iter().flatten().map(|made| made.fingerprint.clone()).collect();
    select::make(Context { settings: &narrowed, ..ctx }, &tried.models, &panel, &folds, &planned.labels, &inputs)?;
    read_json(&beside.model().join("selection.json")).map_err(started)
}

/// What the panel of a project was made from.
fn silver_of(project: &Project) -> Result<Fingerprint, PipelineError> {
    let record = records(&project.assets())?.into_iter().find(|record| record.name == "silver");
    let gone = || PipelineError::state(&project.assets().join("silver.json"), std::io::ErrorKind::NotFound.into());
    record.map(|record| record.fingerprint).ok_or_else(gone)
}
