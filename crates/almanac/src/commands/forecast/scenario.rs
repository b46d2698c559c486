//! `almanac forecast --scenario`: the champion forecasts twice from the same history, with what is known ahead as it is and as a file has it.

use std::collections::BTreeMap;
use std::path::Path;

use almanac_config::{MODELS, Overrides, Settings};
use almanac_data::{ColumnKind, ExogColumn, ExogKind, ForecastTable, Sheet, read_exog_columns, read_panel};
use almanac_model::Forecast;
use almanac_pipeline::{Bundle, BundleFile, ENSEMBLE, ModelFactory, Project, Scenario, ScenarioNames, read_champion};

use super::{ForecastArgs, Levelled};
use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::models::Models;
use crate::printer::table;
use crate::session::{OrFailPipeline, start_threads};

/// Series named in the summary.
const MOST_NAMED: usize = 10;

/// Carries out `almanac forecast --scenario`.
pub(super) fn scenario(ctx: &Context, args: &ForecastArgs, file: &Path) -> Result<ExitStatus, Failure> {
    let output = args.output()?;
    let settings = ctx.settings(Overrides::default())?;
    let project = Project::new(&settings.project);
    let champion = read_champion(&project).or_fail_pipeline()?;
    start_threads(ctx, &settings);
    let models = compose::models(&settings)?;
    let bundle = Bundle::load(&project.state().join(&champion.bundle), &models).or_fail_pipeline()?;
    let model = args.model(&champion, bundle.file())?;
    let horizon = bundle.horizon().or_fail_pipeline()?;
    let steps = args.steps(horizon)?;
    let panel = read_panel(&project.silver()).or_fail(ExitStatus::Io)?;
    let exog = read_exog_columns(&project.silver()).or_fail(ExitStatus::Io)?;
    let context = bundle.context(&panel).or_fail_pipeline()?;
    let levelled = Levelled::new(args, &bundle, &panel)?;

    let sheet = Sheet::read(&ctx.path(file), &compose::csv(&settings), &wanted(&settings, &exog)).or_fail(ExitStatus::DataInput)?;
    let names = ScenarioNames { id: &settings.data.id, time: &settings.data.time };
    let scenario = Scenario::read(&sheet, &panel, &context, &exog, names, horizon).or_fail(ExitStatus::DataInput)?;
    let before = bundle.forecast(&context, &model, horizon, &levelled.quantiles).or_fail_pipeline()?;
    let after = bundle.forecast(&scenario.apply(&context), &model, horizon, &levelled.quantiles).or_fail_pipeline()?;

    let (as_is, changed) = (levelled.of(&before)?, levelled.of(&after)?);
    // A model that gives up on a series under other prices leaves nothing to compare.
    let as_is = as_is.part(steps, |position| args.wants(&as_is, position) && changed.position(&as_is.series[position].id).is_some());
    let changed = changed.part(steps, |position| args.wants(&changed, position) && as_is.position(&changed.series[position].id).is_some());
    if changed.n_series() == 0 {
        return Err(args.nothing_matches());
    }
    let name_of = |id: &_| if levelled.is_bottom() { after.model_of(id) } else { model.as_str() };
    let rows = ForecastTable::compared(&as_is, &changed, name_of).or_fail(ExitStatus::Unexpected)?;
    let cutoff = panel.last_period().map(|last| panel.freq().label(last)).unwrap_or_default();
    output.write(ctx, &rows, &format!("`{model}` from {cutoff}, as it is and as `{}` has it,", file.display()))?;
    let left_out = after.forecast.skipped.iter().chain(&before.forecast.skipped);
    if let Some(skipped) = left_out.clone().next() {
        ctx.printer.note(&format!("not forecast: {} and {} others at most: {}", skipped.series, left_out.count() - 1, skipped.reason));
    }
    ctx.printer.note(&summary(&model, &as_is, &changed));
    if as_is.mean == changed.mean {
        ctx.printer.note(&why_nothing_changed(&model, bundle.file(), &models, &scenario));
    }
    Ok(ExitStatus::Success)
}

/// Types that the cells of a scenario have because the panel has them; those of other columns are found out.
fn wanted(settings: &Settings, exog: &[ExogColumn]) -> BTreeMap<String, ColumnKind> {
    let mut types = compose::types(settings);
    for column in exog {
        match column.kind {
            ExogKind::Category => types.insert(column.name.clone(), ColumnKind::Text),
            ExogKind::Number => types.insert(column.name.clone(), ColumnKind::Real),
            ExogKind::Flag | ExogKind::Date => None,
        };
    }
    types
}

/// How much changes in all, and where most.
fn summary(model: &str, as_is: &Forecast, changed: &Forecast) -> String {
    let totals = |forecast: &Forecast| -> Vec<f64> { (0..forecast.n_series()).map(|index| forecast.mean_of(index).iter().sum()).collect() };
    let (before, after) = (totals(as_is), totals(changed));
    let mut moved: Vec<usize> = (0..changed.n_series()).filter(|index| as_is.mean_of(*index) != changed.mean_of(*index)).collect();
    let (all_before, all_after): (f64, f64) = (before.iter().sum(), after.iter().sum());
    let of_all = format!("{} of {} series change", moved.len(), changed.n_series());
    let mut text = format!("`{model}`: {of_all}, {} to {} in all ({})", short(all_before), short(all_after), change(all_before, all_after));
    moved.sort_by(|a, b| (after[*b] - before[*b]).abs().total_cmp(&(after[*a] - before[*a]).abs()));
    let rows = moved.iter().take(MOST_NAMED).map(|index| {
        let (before, after) = (before[*index], after[*index]);
        [changed.series[*index].id.to_string(), short(before), short(after), change(before, after)]
    });
    if !moved.is_empty() {
        text.push('\n');
        text.push_str(table(["most changed", "as it is", "scenario", "difference"], &[1, 2, 3], rows).trim_end());
    }
    text
}

/// A sum for people: three figures after the point at most.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn change(before: f64, after: f64) -> String {
    let difference = after - before;
    let sign = if difference > 0.0 { "+" } else { "" };
    let share = if before == 0.0 { String::new() } else { format!(", {sign}{:.1} %", 100.0 * difference / before.abs()) };
    format!("{sign}{}{share}", short(difference))
}

/// Says why a scenario left every forecast as it was.
fn why_nothing_changed(model: &str, file: &BundleFile, models: &Models, scenario: &Scenario) -> String {
    if scenario.n_changed() == 0 {
        return format!("nothing changes: all {} values of the file are what is known already", scenario.n_given());
    }
    let uses = |name: &str| models.forecaster(name).is_some_and(|model| model.abilities().exog);
    let members: Vec<&str> = match &file.mix {
        Some(mix) if model == ENSEMBLE => mix.names().collect(),
        _ => vec![model],
    };
    if members.iter().any(|name| uses(name)) {
        return format!("nothing changes: to `{model}` the {} changed values make no difference", scenario.n_changed());
    }
    let named = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let there: Vec<&str> = file.models.iter().map(String::as_str).filter(|name| uses(name)).collect();
    let how = if there.is_empty() {
        let all: Vec<&str> = MODELS.iter().copied().filter(|name| uses(name)).collect();
        format!("{} would: name one under `[forecast] models` and run again", named(&all))
    } else {
        format!("{} would: add `--model {}`", named(&there), there[0])
    };
    format!("nothing changes: `{model}` uses no known-ahead column; {how}")
}

#[cfg(test)]
mod tests {
    use almanac_model::ForecastSpan;
    use almanac_series::{Freq, Horizon, Period};
    use expect_test::expect;

    use super::*;

    fn forecast(totals: &[(&str, f64)]) -> Forecast {
        let mut forecast = Forecast::empty("lightgbm", Freq::Day, Horizon::new(1).expect("in range"), &[]);
        for (id, mean) in totals {
            forecast.push(ForecastSpan { id: (*id).into(), cutoff: Period(0) }, &[*mean], &[]);
        }
        forecast
    }

    #[test]
    fn the_series_that_change_most_are_named_first() {
        let text =
            summary("lightgbm", &forecast(&[("a", 10.0), ("b", 4.0), ("c", 0.0)]), &forecast(&[("a", 10.5), ("b", 1.0), ("c", 0.0)]));
        expect![[r"
            `lightgbm`: 2 of 3 series change, 14 to 11.5 in all (-2.5, -17.9 %)
            most changed  as it is  scenario    difference
            b                    4         1   -3, -75.0 %
            a                   10      10.5  +0.5, +5.0 %"]]
        .assert_eq(&text);
        let nothing = summary("naive", &forecast(&[("a", 0.0)]), &forecast(&[("a", 0.0)]));
        assert_eq!(nothing, "`naive`: 0 of 1 series change, 0 to 0 in all (0)");
    }
}
