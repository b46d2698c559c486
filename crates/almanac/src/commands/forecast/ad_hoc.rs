//! `almanac forecast --models`: forecasts of models fitted now, beside the champion and its forecast table, which stay as they are.

use almanac_config::Overrides;
use almanac_data::{ForecastTable, read_panel};
use almanac_pipeline::{Bundle, BundleForecast, ENSEMBLE, PipelineError, RunOptions, Until, models_of, read_champion, run};

use super::{ForecastArgs, Levelled};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::session::{OrFailPipeline, Session, run_failure};

/// Series named in a note.
const MOST_NAMED: usize = 3;

/// Carries out `almanac forecast --models`.
pub(super) fn ad_hoc(ctx: &Context, args: &ForecastArgs) -> Result<ExitStatus, Failure> {
    let output = args.output()?;
    // The configuration knows the names; of what the ensemble is made, the champion's bundle knows.
    let single: Vec<String> = args.models.iter().filter(|name| *name != ENSEMBLE).cloned().collect();
    let session = Session::open(ctx, Overrides { models: (!single.is_empty()).then_some(single), ..Overrides::default() })?;
    let steps = args.steps(session.pipeline.horizon)?;
    let until = RunOptions { force: false, until: Some(Until::Silver) };
    run(&session.project, &session.pipeline, &until, session.outside()).map_err(run_failure)?;

    let panel = read_panel(&session.project.silver()).or_fail(ExitStatus::Io)?;
    let kept = match read_champion(&session.project) {
        Err(PipelineError::NoChampion) => None,
        champion => {
            let folder = session.project.state().join(champion.or_fail_pipeline()?.bundle);
            Some(Bundle::load(&folder, &session.models).or_fail_pipeline()?)
        }
    };
    let mut wanted: Vec<String> = Vec::new();
    for name in &args.models {
        let named = if name == "auto" { models_of(&panel, &session.pipeline, &session.models) } else { vec![name.clone()] };
        for name in named {
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    let bundle = Bundle::refit(&panel, &wanted, &session.models, &session.pipeline, kept).or_fail_pipeline()?;
    let levelled = Levelled::new(args, &bundle, &panel)?;
    let context = bundle.context(&panel).or_fail_pipeline()?;

    let mut rows: Option<ForecastTable> = None;
    for model in &wanted {
        let given = bundle.forecast(&context, model, session.pipeline.horizon, &levelled.quantiles).or_fail_pipeline()?;
        let forecast = levelled.of(&given)?;
        let forecast = forecast.part(steps, |position| args.wants(&forecast, position));
        if forecast.n_series() == 0 {
            return Err(args.nothing_matches());
        }
        let name_of = |id: &_| if levelled.is_bottom() { given.model_of(id) } else { model.as_str() };
        let block = ForecastTable::named(&forecast, name_of).or_fail(ExitStatus::Unexpected)?;
        match &mut rows {
            Some(rows) => rows.append(block),
            None => rows = Some(block),
        }
        for note in notes(model, &given) {
            ctx.printer.note(&note);
        }
    }
    let cutoff = panel.last_period().map(|last| panel.freq().label(last)).unwrap_or_default();
    let names: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
    if let Some(rows) = rows {
        output.write(ctx, &rows, &format!("{} from {cutoff}", names.join(", ")))?;
    }
    Ok(ExitStatus::Success)
}

/// Says how many series a model could not forecast, why, and who did.
fn notes(model: &str, given: &BundleForecast) -> Vec<String> {
    let mut notes = Vec::new();
    let mut stand_ins: Vec<&str> = given.fallbacks.iter().map(|fallback| fallback.model.as_str()).collect();
    stand_ins.sort_unstable();
    stand_ins.dedup();
    for stand_in in stand_ins {
        let of = || given.fallbacks.iter().filter(|fallback| fallback.model == stand_in);
        let reasons: Vec<String> = of().take(MOST_NAMED).map(|fallback| fallback.reason.to_string()).collect();
        notes.push(format!("`{model}`: {} series are forecast by `{stand_in}`: {}", of().count(), reasons.join("; ")));
    }
    let skipped = &given.forecast.skipped;
    if !skipped.is_empty() {
        let reasons: Vec<String> = skipped.iter().take(MOST_NAMED).map(|skipped| skipped.reason.to_string()).collect();
        notes.push(format!("`{model}`: {} series are not forecast: {}", skipped.len(), reasons.join("; ")));
    }
    notes
}
