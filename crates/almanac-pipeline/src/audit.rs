//! The leakage audit: does any number before a cutoff depend on what came after it?
//!
//! For every cutoff of the backtest, everything after it is changed; then features, fits and forecasts are made again from the changed
//! panel and compared with the unchanged ones, bit by bit.

use almanac_evaluate::{Fold, LeakageReport, compare, disturb, run_fold};
use almanac_features::{FeaturePlan, FeatureSpec, asof};
use almanac_series::{Panel, Period};
use serde::{Deserialize, Serialize};

use crate::models::ModelFactory;
use crate::panel::LazyPanel;
use crate::progress::{Event, Observer};
use crate::project::Project;
use crate::settings::PipelineSettings;
use crate::steps::backtest::FoldsSummary;
use crate::steps::field::models_of;
use crate::{PipelineError, asset};

/// Series that are audited before a promotion.
const SAMPLE_SERIES: usize = 10;

/// What the audit found at one cutoff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutoffAudit {
    /// Label of the cutoff.
    pub cutoff: String,
    /// Values changed after it.
    pub disturbed: usize,
    /// Feature values compared up to it.
    pub features_compared: usize,
    /// Feature values that moved.
    pub features_moved: usize,
    /// Names of features that moved.
    pub features: Vec<String>,
    /// Forecasts by model.
    pub models: Vec<LeakageReport>,
}

impl CutoffAudit {
    /// Returns whether nothing moved, whether there was anything to move or not.
    pub fn is_still(&self) -> bool {
        self.features_moved == 0 && self.models.iter().all(LeakageReport::is_clean)
    }

    /// Returns whether nothing moved, and something was there to move.
    pub fn is_clean(&self) -> bool {
        self.disturbed > 0 && self.is_still()
    }
}

/// Audits every cutoff of the last backtest.
///
/// # Errors
/// [`PipelineError`] if there is no backtest, or a model fails.
pub fn audit_leakage(
    project: &Project,
    settings: &PipelineSettings,
    models: &dyn ModelFactory,
    observer: &dyn Observer,
) -> Result<Vec<CutoffAudit>, PipelineError> {
    let records = asset::records(&project.assets())?;
    let folds = records.iter().find(|record| record.name == "folds").ok_or(PipelineError::NoChampion)?;
    let folds: FoldsSummary = serde_json::from_value(folds.summary.clone())
        .map_err(|error| PipelineError::damaged(&project.assets().join("folds.json"), error))?;
    let lazy = LazyPanel::new(project.silver());
    let panel = lazy.get()?;
    let names = models_of(panel, settings, models);
    let total = (folds.cutoffs.len() * (names.len() + 1)) as u64;
    let mut done = 0;
    let mut tick = || {
        done += 1;
        observer.on(&Event::Progress { asset: "audit leakage", done, total });
    };
    let mut audits = Vec::new();
    for (fold, label) in folds.folds().iter().zip(&folds.labels) {
        audits.push(audit_fold(panel, fold, label, &names, settings, models, &mut tick)?);
    }
    Ok(audits)
}

/// Audits one cutoff on some of the series, spread evenly: the proof that goes with each promotion.
pub(crate) fn audit_sample(
    panel: &Panel,
    fold: &Fold,
    label: &str,
    settings: &PipelineSettings,
    models: &dyn ModelFactory,
) -> Result<CutoffAudit, PipelineError> {
    let count = panel.n_series().min(SAMPLE_SERIES);
    let chosen: Vec<usize> = (0..count).map(|place| place * panel.n_series() / count).collect();
    let sample = panel.select(&chosen);
    audit_fold(&sample, fold, label, &settings.models, settings, models, &mut || {})
}

fn audit_fold(
    panel: &Panel,
    fold: &Fold,
    label: &str,
    names: &[String],
    settings: &PipelineSettings,
    models: &dyn ModelFactory,
    tick: &mut dyn FnMut(),
) -> Result<CutoffAudit, PipelineError> {
    let disturbed = disturb(panel, fold.cutoff, settings.seed.0 ^ 0x5eed)?;
    let mut audit = audit_features(panel, &disturbed, fold, label, settings)?;
    tick();
    for name in names {
        let model = models.forecaster(name).ok_or_else(|| PipelineError::UnknownModel { model: name.clone() })?;
        let forecast = |panel: &Panel| run_fold(panel, fold, model.as_ref(), settings.horizon, &settings.quantiles, settings.seed);
        match (forecast(panel), forecast(&disturbed)) {
            (Ok(before), Ok(after)) => audit.models.push(compare(&before, &after)),
            // A model that can do nothing with these series has nothing to leak.
            (Err(_), Err(_)) => {}
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error.into()),
        }
        tick();
    }
    Ok(audit)
}

fn audit_features(
    panel: &Panel,
    disturbed: &Panel,
    fold: &Fold,
    label: &str,
    settings: &PipelineSettings,
) -> Result<CutoffAudit, PipelineError> {
    let spec = settings.features.clone().unwrap_or_else(|| FeatureSpec::for_freq(panel.freq(), settings.horizon));
    let plan = FeaturePlan::new(&panel.until(fold.cutoff), spec)?;
    let (binding, names) = (plan.bind(panel), plan.asof());
    let mut audit = CutoffAudit {
        cutoff: label.to_owned(),
        disturbed: changed_after(panel, disturbed, fold.cutoff),
        features_compared: 0,
        features_moved: 0,
        features: Vec::new(),
        models: Vec::new(),
    };
    for series in 0..panel.n_series() {
        let (before, after) = (panel.view(series), disturbed.view(series));
        let known = (fold.cutoff.since(before.start()) + 1).clamp(0, before.len() as i64) as usize;
        // Features of the whole series, then only rows up to the cutoff: a window that reached ahead would show.
        let (ours, theirs) = (asof(&before, &plan, &binding), asof(&after, &plan, &binding));
        for (column, feature) in names.iter().enumerate() {
            let pairs = ours.column(column)[..known].iter().zip(&theirs.column(column)[..known]);
            let moved = pairs.filter(|(a, b)| a.to_bits() != b.to_bits()).count();
            audit.features_compared += known;
            audit.features_moved += moved;
            if moved > 0 && !audit.features.contains(&feature.name) {
                audit.features.push(feature.name.clone());
            }
        }
    }
    Ok(audit)
}

fn changed_after(panel: &Panel, disturbed: &Panel, cutoff: Period) -> usize {
    let changed = panel.views().zip(disturbed.views()).map(|(before, after)| {
        let first = (cutoff.since(before.start()) + 1).clamp(0, before.len() as i64) as usize;
        before.y()[first..].iter().zip(&after.y()[first..]).filter(|(a, b)| a.to_bits() != b.to_bits()).count()
    });
    changed.sum()
}
