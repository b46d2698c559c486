//! The model card: what a champion is, what it was judged on, and where not to trust it, in Markdown.
//!
//! Source of the form: Mitchell et al. (2019), "Model cards for model reporting".

use almanac_data::SilverReport;
use almanac_evaluate::{Mix, MixKind};

use crate::steps::select::Selection;

/// What a card tells besides the selection.
#[derive(Debug)]
pub(crate) struct CardFacts<'a> {
    pub(crate) project: &'a str,
    pub(crate) run_id: &'a str,
    pub(crate) data_version: &'a str,
    pub(crate) horizon: usize,
    pub(crate) panel: &'a SilverReport,
    pub(crate) mix: Option<&'a Mix>,
}

fn what_it_is(kind: &MixKind) -> &'static str {
    match kind {
        MixKind::Mean => "A weighted mean of models",
        MixKind::Median => "The median of models",
        MixKind::PerClass(_) => "A mean of models with weights that depend on how often and how evenly a series sells. Over all",
        MixKind::PerSeries(_) => "A mean of models with weights of its own for each series. For a series not seen before",
    }
}

/// Writes the card of the champion.
pub(crate) fn model_card(selection: &Selection, facts: &CardFacts<'_>) -> String {
    let mut card = String::new();
    let mut line = |text: String| {
        card.push_str(&text);
        card.push('\n');
    };
    line(format!("# Model card: `{}` of {}\n", selection.champion, facts.project));
    line(format!("Run `{}`, data version `{}`.\n", facts.run_id, &facts.data_version[..12.min(facts.data_version.len())]));
    line("## What it is\n".into());
    match facts.mix {
        None => line(format!("A single model, `{}`.", selection.champion)),
        Some(mix) => {
            line(format!("{}:\n", what_it_is(&mix.kind)));
            for (model, weight) in &mix.members {
                line(if mix.kind == MixKind::Median { format!("- `{model}`") } else { format!("- `{model}`: {:.0} %", weight * 100.0) });
            }
            if let MixKind::PerClass(weights) = &mix.kind {
                line("\nBy demand class:\n".into());
                for (class, weights) in weights {
                    let of_class: Vec<String> = mix
                        .names()
                        .zip(weights)
                        .filter(|(_, weight)| **weight > 0.0)
                        .map(|(model, weight)| format!("`{model}` {:.0} %", weight * 100.0))
                        .collect();
                    line(format!("- {class}: {}", of_class.join(", ")));
                }
            }
        }
    }
    line(format!("\nWhy: {}.\n", selection.ensemble.reason));
    line("## What it learnt from\n".into());
    let known = |label: &Option<String>| label.clone().unwrap_or_else(|| "?".into());
    line(format!(
        "{} series, {} rows at frequency `{}`, {} to {}. {} rows in stock-out and {} without a value were kept out of loss and metrics; {} rows of the source are in quarantine. {} series are new, {} discontinued.\n",
        facts.panel.series,
        facts.panel.panel_rows,
        facts.panel.freq,
        known(&facts.panel.first),
        known(&facts.panel.last),
        facts.panel.censored_rows,
        facts.panel.missing_rows,
        facts.panel.rows_quarantined,
        facts.panel.series_new,
        facts.panel.series_discontinued
    ));
    line("## How good it is\n".into());
    line(format!(
        "Backtest of {} steps from each of {} cutoffs: {}.",
        facts.horizon,
        selection.cutoffs.len(),
        selection.cutoffs.join(", ")
    ));
    line("Score: WRMSSE, mean over the levels of the hierarchy, or of the series alone where none is declared, and over the cutoffs; lower is better.\n".into());
    line("| model | score |\n| --- | ---: |".into());
    for overall in &selection.leaderboard.overall {
        line(format!("| `{}` | {} |", overall.model, shown(overall.score)));
    }
    line("\n| level | WRMSSE | MASE | WAPE | bias |\n| --- | ---: | ---: | ---: | ---: |".into());
    let whole = selection.leaderboard.rows.iter().filter(|row| row.model == selection.champion && row.horizon_from == 1);
    for row in whole.filter(|row| row.horizon_to == facts.horizon) {
        line(format!("| {} | {} | {} | {} | {} |", row.level, shown(row.wrmsse), shown(row.mase), shown(row.wape), shown(row.bias)));
    }
    line("\n## How far to trust its intervals\n".into());
    line("Calibrated on the older cutoffs, measured on the newest.\n".into());
    line("| level | nominal | measured | rows |\n| --- | ---: | ---: | ---: |".into());
    for row in &selection.coverage {
        line(format!("| {} | {:.0} % | {:.1} % | {} |", row.level, row.nominal * 100.0, row.empirical * 100.0, row.n));
    }
    line("\n## Gate\n".into());
    line(format!("{}: {}.\n", if selection.gate.passed { "Passed" } else { "Failed" }, selection.gate.reason));
    line("## Where not to use it\n".into());
    line(format!(
        "- Beyond {} steps ahead.\n- For series without any history: they are forecast from what other series taught, with intervals that were not measured on such series.\n- As a measure of demand during stock-outs: the model never saw what was not sold.\n- After a break in what a row means (a new till system, a merged store): run again and look at the newest cutoff.",
        facts.horizon
    ));
    card
}

fn shown(score: Option<f64>) -> String {
    score.map_or_else(|| "–".into(), |score| format!("{score:.4}"))
}
