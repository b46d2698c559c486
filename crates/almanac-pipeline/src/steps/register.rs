//! Registration: the run, its params, metrics and artifacts go to the tracking store; a champion that passed the gates is promoted.
//!
//! Ids come from fingerprints, so that a run that was killed and repeated finds its own rows again.

use std::fs;
use std::path::Path;

use almanac_evaluate::Fold;
use almanac_tracking::{
    ArtifactPath, Batch, Change, Experiment, LocalArtifacts, Metric, Millis, MlmodelFacts, NewModelVersion, NewRun, Param, Run, RunId,
    RunStatus, RunUpdate, Tag, mlmodel,
};
use serde_json::json;

use crate::asset::{Made, write_atomically};
use crate::audit::{CutoffAudit, audit_sample};
use crate::bundle::read_json;
use crate::card::{CardFacts, model_card};
use crate::champion::Champion;
use crate::fingerprint::Fingerprint;
use crate::panel::LazyPanel;
use crate::run::Outside;
use crate::steps::Context;
use crate::steps::forecast::ForecastSummary;
use crate::steps::select::{Selection, SelectionSummary, to_json};
use crate::{PipelineError, RunError};

const REVISION: u32 = 2;
const ALIAS: &str = "champion";
/// Rows of history in the example of a model.
const EXAMPLE_ROWS: usize = 56;

/// What is to be registered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promotion<'a> {
    pub(crate) selection: &'a SelectionSummary,
    pub(crate) selected: &'a Fingerprint,
    pub(crate) silver: &'a Fingerprint,
    pub(crate) labels: &'a [String],
    pub(crate) panel: &'a LazyPanel,
    /// The newest cutoff of the backtest.
    pub(crate) newest: Option<&'a Fold>,
}

/// Records a run whose champion did not pass. Nothing is promoted.
pub(crate) fn refuse(ctx: Context<'_>, outside: Outside<'_>, promotion: &Promotion<'_>) -> Result<(), RunError> {
    let refused = || -> Result<(), PipelineError> {
        let (experiment, run) = start(ctx, outside, promotion, &run_id(promotion.selected))?;
        log(ctx, outside, promotion, &run, &experiment)?;
        end(outside, &run.id, RunStatus::Failed)
    };
    refused().map_err(|source| RunError { asset: "register".to_owned(), source })
}

/// Records the run, registers its model and makes it the champion.
pub(crate) fn promote(
    ctx: Context<'_>,
    outside: Outside<'_>,
    promotion: &Promotion<'_>,
    issued: &Made<ForecastSummary>,
) -> Result<Made<Champion>, RunError> {
    let fingerprint = Fingerprint::of("register", REVISION).input(&issued.fingerprint).input(promotion.selected).finish();
    let pointer = ctx.project.champion();
    ctx.assets.get_or_make("register", fingerprint.clone(), std::slice::from_ref(&pointer), || {
        let (experiment, run) = start(ctx, outside, promotion, &run_id(&fingerprint))?;
        let bundle = log(ctx, outside, promotion, &run, &experiment)?;
        let audit = leakage(ctx, promotion)?;
        let now = Millis((outside.clock)());
        let version = NewModelVersion {
            model: experiment.name.clone(),
            run_id: Some(run.id.to_string()),
            source: format!("{}/model", run.artifact_uri),
            description: format!("{} of {}", promotion.selection.champion, promotion.labels.last().cloned().unwrap_or_default()),
            ..NewModelVersion::default()
        };
        let version = outside.store.register_version(&version, now)?;
        let (evidence, passed) = evidence(ctx, promotion, audit.as_ref());
        outside.store.put_evidence(&version.model, version.version, &evidence, passed, now)?;
        if !passed {
            // The store refuses the alias below and says what did not pass.
            end(outside, &run.id, RunStatus::Failed)?;
        }
        let change = Change { actor: "almanac run".to_owned(), reason: format!("run {} passed the gates", run.id) };
        outside.store.set_alias(&version.model, ALIAS, version.version, &change, now)?;
        end(outside, &run.id, RunStatus::Finished)?;
        let champion = Champion {
            model: promotion.selection.champion.clone(),
            bundle,
            run_id: run.id.to_string(),
            registered: (version.model, version.version),
            data_version: promotion.silver.as_str().to_owned(),
            issue: issued.summary.issue.clone(),
            cutoff: issued.summary.cutoff.clone(),
            promoted_ms: now.0,
        };
        write_atomically(&pointer, &to_json(&champion))?;
        Ok(champion)
    })
}

fn run_id(fingerprint: &Fingerprint) -> RunId {
    RunId::new(&fingerprint.as_str()[..32]).expect("a fingerprint is hexadecimal")
}

/// Proves on some series that no number of the champion depends on what came after the newest cutoff.
fn leakage(ctx: Context<'_>, promotion: &Promotion<'_>) -> Result<Option<CutoffAudit>, PipelineError> {
    let Some(fold) = promotion.newest else { return Ok(None) };
    let label = promotion.labels.last().cloned().unwrap_or_default();
    audit_sample(promotion.panel.get()?, fold, &label, ctx.settings, ctx.models).map(Some)
}

/// What proves that the version may be promoted, as JSON, and whether it is enough.
fn evidence(ctx: Context<'_>, promotion: &Promotion<'_>, audit: Option<&CutoffAudit>) -> (String, bool) {
    let selection = promotion.selection;
    let is_still = audit.is_some_and(CutoffAudit::is_still);
    let passed = selection.gate.passed && is_still;
    let evidence = json!({
        "backtest": {
            "passed": selection.gate.passed,
            "champion": selection.champion,
            "scores": selection.scores,
            "cutoffs": promotion.labels,
            "gate": selection.gate,
        },
        "data_version": promotion.silver.as_str(),
        "config": Fingerprint::of("config", 1).config("text", &ctx.settings.config_text).finish().as_str(),
        "code": format!("almanac {}", env!("CARGO_PKG_VERSION")),
        "coverage": selection.coverage,
        "leakage_audit": audit.map(|audit| json!({
            "passed": is_still,
            "cutoff": audit.cutoff,
            "values_changed_after_it": audit.disturbed,
            "features_compared": audit.features_compared,
            "features_moved": audit.features_moved,
            "models": audit.models,
        })),
    });
    (evidence.to_string(), passed)
}

fn end(outside: Outside<'_>, run: &RunId, status: RunStatus) -> Result<(), PipelineError> {
    let update = RunUpdate { status: Some(status), ended: Some(Millis((outside.clock)())), name: None };
    outside.store.update_run(run, &update)?;
    Ok(())
}

fn start(ctx: Context<'_>, outside: Outside<'_>, promotion: &Promotion<'_>, id: &RunId) -> Result<(Experiment, Run), PipelineError> {
    let now = Millis((outside.clock)());
    let experiment = outside.store.get_or_create_experiment(&ctx.project.name(), now)?;
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let tags = vec![
        tag("almanac.data_version", promotion.silver.to_string()),
        tag("almanac.version", env!("CARGO_PKG_VERSION").to_owned()),
        tag("mlflow.source.name", "almanac run".to_owned()),
        tag("mlflow.source.type", "JOB".to_owned()),
    ];
    let new = NewRun {
        id: id.clone(),
        experiment: experiment.id,
        name: format!("{} to {}", promotion.selection.champion, promotion.labels.last().cloned().unwrap_or_default()),
        user: "almanac".to_owned(),
        started: now,
        tags,
    };
    let (run, _) = outside.store.start_or_resume_run(&new)?;
    Ok((experiment, run))
}

/// Logs params, metrics and artifacts; returns the folder of the bundle's copy, relative to `.almanac/`.
fn log(
    ctx: Context<'_>,
    outside: Outside<'_>,
    promotion: &Promotion<'_>,
    run: &Run,
    experiment: &Experiment,
) -> Result<String, PipelineError> {
    let settings = ctx.settings;
    let dir = ctx.project.model();
    let selection: Selection = read_json(&dir.join("selection.json"))?;
    let param = |key: &str, value: String| Param { key: key.to_owned(), value };
    let params = vec![
        param("horizon", settings.horizon.to_string()),
        param("models", settings.models.join(",")),
        param("seed", settings.seed.0.to_string()),
        param("hierarchy", settings.hierarchy.join(",")),
        param("champion", selection.champion.clone()),
    ];
    let timestamp = Millis((outside.clock)());
    let mut metrics = Vec::new();
    let mut metric = |key: String, value: Option<f64>, step: i64| {
        if let Some(value) = value {
            metrics.push(Metric::new(key, value, timestamp, step));
        }
    };
    for overall in &selection.leaderboard.overall {
        metric(format!("wrmsse/{}", overall.model), overall.score, 0);
        for (fold, score) in &overall.per_fold {
            metric(format!("wrmsse_fold/{}", overall.model), *score, *fold as i64);
        }
    }
    let of_champion = |row: &&almanac_evaluate::LeaderboardRow| row.model == selection.champion && row.horizon_from == 1;
    for row in selection.leaderboard.rows.iter().filter(of_champion).filter(|row| row.horizon_to == settings.horizon.steps()) {
        let level = row.level.replace('/', "_by_");
        metric(format!("mase.{level}"), row.mase, 0);
        metric(format!("wape.{level}"), row.wape, 0);
        metric(format!("bias.{level}"), row.bias, 0);
    }
    for row in &selection.coverage {
        metric(format!("coverage_{:.0}.{}", row.nominal * 100.0, row.level.replace('/', "_by_")), Some(row.empirical), 0);
    }
    outside.store.log_any_batch(&run.id, &Batch { params, metrics, tags: Vec::new() })?;

    let report = almanac_data::read_silver_report(&ctx.project.silver())?;
    let facts = CardFacts {
        project: &ctx.project.name(),
        run_id: run.id.as_str(),
        data_version: promotion.silver.as_str(),
        horizon: settings.horizon.steps(),
        panel: &report,
        mix: promotion.selection.mix.as_ref(),
    };
    let files = Files { ctx, outside, experiment, run, local: LocalArtifacts::new(ctx.project.artifacts()) };
    files.write("model_card.md", model_card(&selection, &facts).as_bytes())?;
    files.write("almanac.toml", settings.config_text.as_bytes())?;
    for name in ["selection.json", "calibrators.json", "model.json"] {
        files.copy(&format!("model/{name}"), &dir.join(name))?;
    }
    for model in &settings.models {
        let state = dir.join("state").join(format!("{model}.txt"));
        if fs::metadata(&state).is_ok() {
            files.copy(&format!("model/state/{model}.txt"), &state)?;
        }
    }
    for file in mlmodel(&of_mlflow(ctx, promotion, run, timestamp)?) {
        files.write(&format!("model/{}", file.path), &file.content)?;
    }
    let folder = files.local.folder(experiment.id, &run.id).join("model");
    Ok(folder.strip_prefix(ctx.project.state()).unwrap_or(&folder).to_string_lossy().into_owned())
}

/// What MLflow's clients are told of the model, so that they can load it and predict through a server of ours.
fn of_mlflow(ctx: Context<'_>, promotion: &Promotion<'_>, run: &Run, made: Millis) -> Result<MlmodelFacts, PipelineError> {
    let settings = ctx.settings;
    let panel = promotion.panel.get()?;
    let freq = panel.freq();
    // The newest rows of the first series: enough to see the form.
    let mut example = Vec::new();
    if panel.n_series() > 0 {
        let series = panel.view(0);
        for place in series.len().saturating_sub(EXAMPLE_ROWS)..series.len() {
            let y = Some(series.y()[place]).filter(|y| y.is_finite());
            example.push((series.id().to_string(), freq.label(series.start().plus(place as i64)), y));
        }
    }
    Ok(MlmodelFacts {
        model_uuid: run.id.to_string(),
        run_id: run.id.to_string(),
        artifact_path: "model".to_owned(),
        created_ms: made.0,
        champion: promotion.selection.champion.clone(),
        data_version: promotion.silver.as_str().to_owned(),
        freq: freq.to_string(),
        horizon: settings.horizon.steps(),
        quantiles: settings.quantiles.iter().map(|quantile| quantile.probability()).collect(),
        historic_exog: panel.historic_names().map(str::to_owned).collect(),
        future_exog: panel.future_names().map(str::to_owned).collect(),
        static_exog: panel.statics().iter().map(|column| column.name.to_string()).collect(),
        example,
    })
}

/// The artifacts of a run: always in the project, where its champion is served from, and where all artifacts are if that is elsewhere.
struct Files<'a> {
    ctx: Context<'a>,
    outside: Outside<'a>,
    experiment: &'a Experiment,
    run: &'a Run,
    local: LocalArtifacts,
}

impl Files<'_> {
    fn write(&self, name: &str, content: &[u8]) -> Result<(), PipelineError> {
        let path = ArtifactPath::new(name).expect("a plain relative path");
        self.local.write(self.experiment.id, &self.run.id, &path, content)?;
        self.share(name, content)
    }

    fn copy(&self, name: &str, from: &Path) -> Result<(), PipelineError> {
        let content = fs::read(from).map_err(|error| PipelineError::state(from, error))?;
        self.write(name, &content)
    }

    fn share(&self, name: &str, content: &[u8]) -> Result<(), PipelineError> {
        let Some(shared) = self.outside.artifacts else { return Ok(()) };
        let path = shared.locate(&self.run.artifact_uri)?.join(&ArtifactPath::new(name).expect("a plain relative path"));
        let path = path.expect("an artifact URI and a plain path make a path");
        self.ctx.runtime.block_on(shared.put_bytes(&path, content.to_vec().into()))?;
        Ok(())
    }
}
