//! The whole job: every step in order, gates between them, one run at a time.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use almanac_data::{IngestReport, SilverReport};
use almanac_tracking::{ArtifactStore, TrackingStore};
use serde::Serialize;

use crate::asset::AssetStore;
use crate::champion::Champion;
use crate::fingerprint::Fingerprint;
use crate::models::ModelFactory;
use crate::panel::LazyPanel;
use crate::progress::{Event, Observer};
use crate::project::Project;
use crate::settings::PipelineSettings;
use crate::steps::backtest::FoldsSummary;
use crate::steps::field::FieldSummary;
use crate::steps::forecast::ForecastSummary;
use crate::steps::gold::GoldSummary;
use crate::steps::register::Promotion;
use crate::steps::select::SelectionSummary;
use crate::steps::{Context, backtest, bronze, check, drift, field, forecast, gold, profile, register, select, silver};
use crate::{PipelineError, RunError};

/// How a run is to be made.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Make every asset again.
    pub force: bool,
    /// Stop after this layer: `bronze`, `silver`, `gold`, `backtest`, `select` or `forecast`.
    pub until: Option<Until>,
}

/// Where a run may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the layers")]
pub enum Until {
    Bronze,
    Silver,
    Gold,
    Backtest,
    Select,
    Forecast,
}

/// What a run needs from outside.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// Makes models.
    pub models: &'a dyn ModelFactory,
    /// Hears of progress.
    pub observer: &'a dyn Observer,
    /// Keeps runs, metrics and model versions.
    pub store: &'a TrackingStore,
    /// Where artifacts go besides the project's folder, where that is not the place for them all.
    pub artifacts: Option<&'a ArtifactStore>,
    /// Runs what waits for files and the database.
    pub runtime: &'a tokio::runtime::Handle,
    /// Milliseconds since 1970 in UTC.
    pub clock: fn() -> i64,
}

/// What a run did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunSummary {
    /// Assets made.
    pub made: usize,
    /// Assets found up to date.
    pub cached: usize,
    /// Source tables.
    pub tables: Vec<IngestReport>,
    /// What came of the suites of expectations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<almanac_expect::Validation>,
    /// The panel.
    pub silver: Option<SilverReport>,
    /// The features.
    pub gold: Option<GoldSummary>,
    /// The cutoffs.
    pub folds: Option<FoldsSummary>,
    /// The models that take part, where that was left to the panel.
    pub field: Option<FieldSummary>,
    /// Scores and the choice.
    pub selection: Option<SelectionSummary>,
    /// Forecasts issued.
    pub forecast: Option<ForecastSummary>,
    /// Who serves now.
    pub champion: Option<Champion>,
}

impl RunSummary {
    /// Returns whether everything was up to date.
    pub fn is_nothing_done(&self) -> bool {
        self.made == 0
    }

    fn count<T>(&mut self, made: &crate::asset::Made<T>) {
        if made.cached { self.cached += 1 } else { self.made += 1 }
    }
}

/// Brings every asset of the project up to date and promotes the champion if the gates allow it.
///
/// # Errors
/// [`RunError`] names the asset that failed; what was finished before it is kept. A failed gate is [`PipelineError::Expectations`] or
/// [`PipelineError::Gate`].
pub fn run(project: &Project, settings: &PipelineSettings, options: &RunOptions, outside: Outside<'_>) -> Result<RunSummary, RunError> {
    let started = |source| RunError { asset: "run".to_owned(), source };
    let _lock = lock(project).map_err(started)?;
    sweep(&project.state()).map_err(started)?;
    let assets = AssetStore::open(project.assets(), project.state(), options.force, outside.observer);
    let ctx = Context { project, settings, assets: &assets, models: outside.models, runtime: outside.runtime };
    let stops_after = |until: Until| options.until == Some(until);
    let mut summary = RunSummary::default();

    let tables = bronze::make(ctx)?;
    tables.iter().for_each(|made| summary.count(made));
    let table_fingerprints: Vec<Fingerprint> = tables.iter().map(|made| made.fingerprint.clone()).collect();
    summary.tables = tables.into_iter().map(|made| made.summary).collect();
    for (table, fingerprint) in settings.tables.iter().zip(&table_fingerprints) {
        summary.count(&profile::bronze(ctx, &table.name, fingerprint, (outside.clock)())?);
    }
    let mut silver_inputs = table_fingerprints.clone();
    let now_ms = (outside.clock)();
    let made = check::gate(ctx, "bronze", &table_fingerprints, &summary.tables, outside.store, now_ms)?;
    summary.count(&made);
    if made.summary.taken_out > 0 {
        silver_inputs.push(made.fingerprint.clone());
    }
    summary.expectations.extend(made.summary.validations);
    let versions: Vec<_> = settings.tables.iter().map(|table| table.name.as_str()).zip(&table_fingerprints).collect();
    if let Some(made) = drift::gate(ctx, &versions, outside.store, now_ms)? {
        summary.count(&made);
        summary.expectations.extend(made.summary.validations);
    }
    if stops_after(Until::Bronze) {
        return Ok(summary);
    }

    let made = silver::make(ctx, &silver_inputs, silver_inputs.len() > table_fingerprints.len())?;
    summary.count(&made);
    let silver = made.fingerprint;
    summary.silver = Some(made.summary);
    let panel = LazyPanel::new(project.silver());
    let made = check::gate(ctx, "silver", std::slice::from_ref(&silver), &[], outside.store, now_ms)?;
    summary.count(&made);
    summary.expectations.extend(made.summary.validations);
    summary.count(&profile::silver(ctx, &silver, (outside.clock)())?);
    if stops_after(Until::Silver) {
        return Ok(summary);
    }

    let made = gold::make(ctx, &silver)?;
    summary.count(&made);
    let fingerprint = made.fingerprint;
    summary.gold = Some(made.summary);
    let made = check::gate(ctx, "gold", std::slice::from_ref(&fingerprint), &[], outside.store, now_ms)?;
    summary.count(&made);
    summary.expectations.extend(made.summary.validations);
    if stops_after(Until::Gold) {
        return Ok(summary);
    }

    let made = backtest::plan(ctx, &silver, &panel)?;
    summary.count(&made);
    let folds = made.summary.folds();
    if let Some(reduced) = &made.summary.reduced {
        outside.observer.on(&Event::Note { text: reduced });
    }
    let labels = made.summary.labels.clone();
    summary.folds = Some(made.summary);
    let (wider, chosen) = field::widen(ctx, &silver, &panel, folds.len())?;
    if let Some(made) = chosen {
        summary.count(&made);
        summary.field = Some(made.summary);
    }
    let ctx = Context { settings: &wider, ..ctx };
    let backtests = backtest::make_all(ctx, &silver, &panel, &folds)?;
    backtests.iter().flatten().for_each(|made| summary.count(made));
    if stops_after(Until::Backtest) {
        return Ok(summary);
    }

    let (models, left_out) = backtest::usable(&wider.models, &backtests);
    for (model, reason) in &left_out {
        outside.observer.on(&Event::Note { text: &format!("`{model}` is left out: {reason}") });
    }
    if models.is_empty() {
        let (model, reason) = left_out.into_iter().next().expect("a run has models");
        return Err(RunError { asset: "backtest".to_owned(), source: PipelineError::NoModel { model, reason } });
    }
    let narrowed = PipelineSettings { models, ..settings.clone() };
    let ctx = Context { settings: &narrowed, ..ctx };
    let inputs: Vec<Fingerprint> = backtests.iter().flatten().map(|made| made.fingerprint.clone()).collect();
    let made = select::make(ctx, &settings.models, &panel, &folds, &labels, &inputs)?;
    summary.count(&made);
    let selected = made.fingerprint;
    summary.selection = Some(made.summary);
    let selection = summary.selection.as_ref().expect("just made");
    if stops_after(Until::Select) {
        return Ok(summary);
    }

    let promotion = Promotion { selection, selected: &selected, silver: &silver, labels: &labels, panel: &panel, newest: folds.last() };
    if !selection.gate.passed {
        register::refuse(ctx, outside, &promotion)?;
        return Err(RunError { asset: "select".to_owned(), source: PipelineError::Gate(Box::new(selection.gate.clone())) });
    }
    let served = PipelineSettings { models: selection.served.clone(), ..narrowed.clone() };
    let ctx = Context { settings: &served, ..ctx };
    let fits = forecast::fit_all(ctx, &silver, &panel)?;
    let fit_fingerprints: Vec<Fingerprint> = fits.iter().map(|made| made.fingerprint.clone()).collect();
    let issued = forecast::make(ctx, &silver, &selected, &fit_fingerprints, &panel)?;
    let champion = register::promote(ctx, outside, &promotion, &issued)?;
    fits.iter().for_each(|made| summary.count(made));
    summary.count(&issued);
    summary.count(&champion);
    summary.forecast = Some(issued.summary);
    summary.champion = Some(champion.summary);
    Ok(summary)
}

/// Keeps two runs of one project apart. The lock goes with the process, however it ends.
pub(crate) fn lock(project: &Project) -> Result<File, PipelineError> {
    let path = project.lock();
    let failed = |error| PipelineError::state(&path, error);
    fs::create_dir_all(project.state()).map_err(failed)?;
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PipelineError::Busy),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Removes what a killed run left half written. Nobody else writes while the lock is held.
fn sweep(folder: &Path) -> Result<(), PipelineError> {
    let failed = |error| PipelineError::state(folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if name.starts_with(".silver-") {
                fs::remove_dir_all(&path).map_err(|error| PipelineError::state(&path, error))?;
            } else {
                sweep(&path)?;
            }
        } else if name.starts_with('.') && path.extension().is_some_and(|extension| extension == "tmp") {
            fs::remove_file(&path).map_err(|error| PipelineError::state(&path, error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_half_written_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("lake/.silver-x1")).expect("made");
        fs::create_dir_all(path("forecasts")).expect("made");
        for name in ["lake/.silver-x1/part", "forecasts/.abc.tmp", "forecasts/00000001.parquet", "almanac.db"] {
            fs::write(path(name), "x").expect("written");
        }
        sweep(folder.path()).expect("swept");
        assert!(!path("lake/.silver-x1").exists() && !path("forecasts/.abc.tmp").exists());
        assert!(path("forecasts/00000001.parquet").exists() && path("almanac.db").exists());
    }
}
