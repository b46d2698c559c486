//! Selection: the leaderboard, the ensemble, the intervals and the model gate, from the forecasts of the backtest.

use std::collections::BTreeMap;

use almanac_evaluate::{
    Calibrator, CoverageRow, EnsembleChoice, Fold, FoldTruth, GateReport, Leaderboard, Mix, NodeError, ScoreConfig, choose_ensemble,
    cross_coverage, default_buckets, empirical_coverage, judge, node_errors,
};
use almanac_hierarchy::{BOTTOM, Hierarchy};
use almanac_model::Forecast;
use almanac_series::{Level, SeasonLength};
use serde::{Deserialize, Serialize};

use crate::asset::{Made, write_atomically};
use crate::bundle::BundleFile;
use crate::fingerprint::Fingerprint;
use crate::panel::LazyPanel;
use crate::steps::{Context, backtest};
use crate::{ENSEMBLE, PipelineError, RunError};

const REVISION: u32 = 4;

/// Central intervals whose coverage is reported.
const LEVELS: [f64; 3] = [0.5, 0.8, 0.95];

/// Everything the backtest said, as kept in `selection.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Scores of all models, levels and parts of the horizon.
    pub leaderboard: Leaderboard,
    /// How the ensemble came about.
    pub ensemble: EnsembleChoice,
    /// Name of the model that won.
    pub champion: String,
    /// Whether it may be promoted.
    pub gate: GateReport,
    /// Coverage of the champion's intervals on the newest cutoff, calibrated on the older ones.
    pub coverage: Vec<CoverageRow>,
    /// The same with each cutoff measured in turn after calibrating on the others.
    pub cross_coverage: Vec<CoverageRow>,
    /// Errors of the champion for every node, by level.
    pub errors: BTreeMap<String, Vec<NodeError>>,
    /// Labels of the cutoffs, oldest first.
    pub cutoffs: Vec<String>,
}

/// What the summary of a run shows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectionSummary {
    /// Name of the model that won.
    pub champion: String,
    /// What it is made of, where it is an ensemble.
    pub mix: Option<Mix>,
    /// Models that the bundle holds, without the ensemble.
    pub served: Vec<String>,
    /// Overall scores, best first.
    pub scores: Vec<(String, Option<f64>)>,
    /// The gate's verdict.
    pub gate: GateReport,
    /// Coverage, each cutoff measured in turn after calibrating on the others.
    pub coverage: Vec<CoverageRow>,
}

/// Scores the backtest and chooses. Of the models that `auto` brought, only those are served that have a part in the champion or are
/// the best one alone; `named` ones always are.
pub(crate) fn make(
    ctx: Context<'_>,
    named: &[String],
    panel: &LazyPanel,
    folds: &[Fold],
    labels: &[String],
    backtests: &[Fingerprint],
) -> Result<Made<SelectionSummary>, RunError> {
    let settings = ctx.settings;
    let quantiles: Vec<f64> = settings.quantiles.iter().map(|quantile| quantile.probability()).collect();
    let mut fingerprint = Fingerprint::of("select", REVISION)
        .config("hierarchy", &settings.hierarchy)
        .config("price", &settings.price)
        .config("gates", &settings.gates)
        .config("named", &named)
        .config("quantiles", &quantiles)
        .config("season", &settings.season_length.map(SeasonLength::steps));
    for backtest in backtests {
        fingerprint = fingerprint.input(backtest);
    }
    let dir = ctx.project.model();
    let outputs = [dir.join("selection.json"), dir.join("calibrators.json"), dir.join("model.json")];
    ctx.assets.get_or_make("select", fingerprint.finish(), &outputs, || {
        let panel = panel.get()?;
        let hierarchy = Hierarchy::new(panel, &settings.hierarchy)?;
        let season_length = settings.season_length.unwrap_or_else(|| panel.freq().season_length());
        let score = ScoreConfig { season_length, price: settings.price.clone() };
        let truths: Vec<FoldTruth> = folds.iter().map(|fold| FoldTruth::new(panel, &hierarchy, *fold, settings.horizon, &score)).collect();
        let mut forecasts: Vec<Vec<Forecast>> = folds
            .iter()
            .map(|fold| settings.models.iter().map(|model| backtest::read(ctx, *fold, model)).collect::<Result<_, _>>())
            .collect::<Result<_, PipelineError>>()?;
        let (ensemble, of_ensemble) = {
            let borrowed: Vec<Vec<&Forecast>> = forecasts.iter().map(|fold| fold.iter().collect()).collect();
            choose_ensemble(panel, &hierarchy, &truths, &borrowed)
        };
        let mut models = settings.models.clone();
        if ensemble.adopted {
            forecasts.iter_mut().zip(of_ensemble).for_each(|(fold, forecast)| fold.push(forecast));
            models.push(ENSEMBLE.to_owned());
        }

        let mut calibrators = BTreeMap::new();
        for (k, model) in models.iter().enumerate() {
            let of_model: Vec<(&FoldTruth, Forecast)> = truths.iter().zip(forecasts.iter().map(|fold| fold[k].clone())).collect();
            let borrowed: Vec<(&FoldTruth, &Forecast)> = of_model.iter().map(|(truth, forecast)| (*truth, forecast)).collect();
            let calibrator = Calibrator::fit(&hierarchy, &borrowed);
            if of_model.iter().all(|(_, forecast)| !forecast.quantiles.is_empty()) {
                calibrators.insert(model.clone(), calibrator.without(BOTTOM));
            } else {
                calibrators.insert(model.clone(), calibrator);
                give_intervals(settings, &hierarchy, &borrowed, forecasts.iter_mut().map(|fold| &mut fold[k]))?;
            }
        }
        let scored: Vec<(usize, &Forecast)> =
            forecasts.iter().enumerate().flat_map(|(fold, forecasts)| forecasts.iter().map(move |forecast| (fold, forecast))).collect();
        let leaderboard = Leaderboard::new(&hierarchy, &truths, &scored, &default_buckets(settings.horizon));
        let champion = if ensemble.adopted { ENSEMBLE.to_owned() } else { leaderboard.best().unwrap_or(&ensemble.best_single).to_owned() };
        let k = models.iter().position(|model| *model == champion).expect("the champion is one of the models");
        let of_champion: Vec<(&FoldTruth, &Forecast)> = truths.iter().zip(forecasts.iter().map(|fold| &fold[k])).collect();
        let levels = LEVELS.map(|level| Level::new(level).expect("in range"));
        let gate = judge(&leaderboard, &champion, &settings.gates);
        let errors = (0..hierarchy.levels().len())
            .map(|level| (hierarchy.levels()[level].name.clone(), node_errors(&hierarchy, level, &of_champion)));
        let selection = Selection {
            ensemble: ensemble.clone(),
            champion: champion.clone(),
            gate,
            coverage: empirical_coverage(&hierarchy, &of_champion, &levels),
            cross_coverage: cross_coverage(&hierarchy, &of_champion, &levels),
            errors: errors.collect(),
            cutoffs: labels.to_vec(),
            leaderboard,
        };
        let has_part = |model: &String| {
            named.contains(model)
                || *model == champion
                || *model == ensemble.best_single
                || ensemble.members().iter().any(|(member, _)| member == model)
        };
        let served: Vec<String> = settings.models.iter().filter(|model| has_part(model)).cloned().collect();
        models.retain(|model| model == ENSEMBLE || served.contains(model));
        let file = BundleFile {
            version: 0,
            champion: champion.clone(),
            mix: ensemble.adopted.then(|| ensemble.mix.clone()),
            models,
            baselines: settings.gates.beats.clone(),
            horizon: settings.horizon.steps(),
            quantiles,
            season_length: season_length.steps(),
            hierarchy: settings.hierarchy.clone(),
            price: settings.price.clone(),
            seed: settings.seed.0,
        };
        write_atomically(&outputs[0], &to_json(&selection))?;
        write_atomically(&outputs[1], &to_json(&calibrators))?;
        write_atomically(&outputs[2], &to_json(&file.current()))?;
        let scores = selection.leaderboard.overall.iter().map(|overall| (overall.model.clone(), overall.score)).collect();
        Ok(SelectionSummary {
            champion,
            mix: ensemble.adopted.then_some(ensemble.mix),
            served,
            scores,
            gate: selection.gate,
            coverage: selection.cross_coverage,
        })
    })
}

/// Gives each fold's forecast the quantiles that the other folds teach, so that quantile scores are out of sample.
fn give_intervals<'a>(
    settings: &crate::settings::PipelineSettings,
    hierarchy: &Hierarchy,
    folds: &[(&FoldTruth, &Forecast)],
    forecasts: impl Iterator<Item = &'a mut Forecast>,
) -> Result<(), PipelineError> {
    let bottom = &hierarchy.levels()[hierarchy.bottom()].name;
    for (fold, forecast) in forecasts.enumerate() {
        let others: Vec<(&FoldTruth, &Forecast)> = folds.iter().enumerate().filter(|(k, _)| *k != fold).map(|(_, pair)| *pair).collect();
        if others.is_empty() {
            return Ok(());
        }
        let scales: Vec<_> = forecast
            .series
            .iter()
            .map(|span| folds[fold].0.bottom().scales[hierarchy.index(&span.id).expect("forecast from this panel")])
            .collect();
        Calibrator::fit(hierarchy, &others).apply(bottom, forecast, &scales, &settings.quantiles)?;
    }
    Ok(())
}

pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("plain data")
}
