//! Registration: the run, its params, metrics and artifacts go to the tracking store; a champion that passed the gates is promoted.
//!
//! Ids come from fingerprints, so that a run that was killed and repeated finds its own rows again.

use std::fs;

use almanac_tracking::{
    ArtifactPath, Batch, Experiment, LocalArtifacts, Metric, Millis, NewModelVersion, NewRun, Param, RunId, RunStatus, Tag, VersionStatus,
};

use crate::asset::{Made, write_atomically};
use crate::bundle::read_json;
use crate::card::{CardFacts, model_card};
use crate::champion::Champion;
use crate::fingerprint::Fingerprint;
use crate::run::Outside;
use crate::steps::Context;
use crate::steps::forecast::ForecastSummary;
use crate::steps::select::{Selection, SelectionSummary, to_json};
use crate::{PipelineError, RunError};

const REVISION: u32 = 1;
const ALIAS: &str = "champion";

/// What is to be registered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promotion<'a> {
    pub(crate) selection: &'a SelectionSummary,
    pub(crate) selected: &'a Fingerprint,
    pub(crate) silver: &'a Fingerprint,
    pub(crate) labels: &'a [String],
}

/// Records a run whose champion did not pass. Nothing is promoted.
pub(crate) fn refuse(ctx: Context<'_>, outside: Outside<'_>, promotion: &Promotion<'_>) -> Result<(), RunError> {
    let refused = || -> Result<(), PipelineError> {
        let run = run_id(promotion.selected);
        let experiment = start(ctx, outside, promotion, &run)?;
        log(ctx, outside, promotion, &run, &experiment)?;
        let ended = Millis((outside.clock)());
        ctx.runtime.block_on(outside.store.end_run(&run, RunStatus::Failed, ended))?;
        Ok(())
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
        let run = run_id(&fingerprint);
        let experiment = start(ctx, outside, promotion, &run)?;
        let bundle = log(ctx, outside, promotion, &run, &experiment)?;
        let now = Millis((outside.clock)());
        let version = NewModelVersion {
            model: experiment.name.clone(),
            run: Some(run.clone()),
            source: bundle.clone(),
            status: VersionStatus::Ready,
            created: now,
        };
        let version = ctx.runtime.block_on(outside.store.register_version(&version))?;
        ctx.runtime.block_on(outside.store.set_alias(&version.model, ALIAS, version.version, now))?;
        ctx.runtime.block_on(outside.store.end_run(&run, RunStatus::Finished, now))?;
        let champion = Champion {
            model: promotion.selection.champion.clone(),
            bundle,
            run_id: run.as_str().to_owned(),
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

fn start(ctx: Context<'_>, outside: Outside<'_>, promotion: &Promotion<'_>, run: &RunId) -> Result<Experiment, PipelineError> {
    let now = Millis((outside.clock)());
    let experiment = ctx.runtime.block_on(outside.store.experiment(&ctx.project.name(), now))?;
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let tags =
        vec![tag("almanac.data_version", promotion.silver.to_string()), tag("almanac.version", env!("CARGO_PKG_VERSION").to_owned())];
    let new = NewRun {
        id: run.clone(),
        experiment: experiment.id,
        name: format!("{} to {}", promotion.selection.champion, promotion.labels.last().cloned().unwrap_or_default()),
        started: now,
        tags,
    };
    ctx.runtime.block_on(outside.store.start_or_resume_run(&new))?;
    Ok(experiment)
}

/// Logs params, metrics and artifacts; returns the folder of the bundle's copy, relative to `.almanac/`.
fn log(
    ctx: Context<'_>,
    outside: Outside<'_>,
    promotion: &Promotion<'_>,
    run: &RunId,
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
            metrics.push(Metric { key, value, timestamp, step });
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
    ctx.runtime.block_on(outside.store.log(run, &Batch { params, metrics, tags: Vec::new() }))?;

    let artifacts = LocalArtifacts::new(ctx.project.artifacts());
    let path = |name: &str| ArtifactPath::new(name).expect("a plain relative path");
    let report = almanac_data::read_silver_report(&ctx.project.silver())?;
    let facts = CardFacts {
        project: &ctx.project.name(),
        run_id: run.as_str(),
        data_version: promotion.silver.as_str(),
        horizon: settings.horizon.steps(),
        panel: &report,
        mix: promotion.selection.mix.as_ref(),
    };
    artifacts.write(experiment.id, run, &path("model_card.md"), model_card(&selection, &facts).as_bytes())?;
    artifacts.write(experiment.id, run, &path("almanac.toml"), settings.config_text.as_bytes())?;
    for name in ["selection.json", "calibrators.json", "model.json"] {
        artifacts.copy_in(experiment.id, run, &path(&format!("model/{name}")), &dir.join(name))?;
    }
    for model in &settings.models {
        let state = dir.join("state").join(format!("{model}.txt"));
        if fs::metadata(&state).is_ok() {
            artifacts.copy_in(experiment.id, run, &path(&format!("model/state/{model}.txt")), &state)?;
        }
    }
    let folder = artifacts.folder(experiment.id, run).join("model");
    Ok(folder.strip_prefix(ctx.project.state()).unwrap_or(&folder).to_string_lossy().into_owned())
}
