//! What came of checks, for people and for programs.

use almanac_expect::{Outcome, Severity, Validation};
use serde_json::{Map, Value as Json, json};

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table_within};

/// Letters of a line of the terminal.
const WIDTH: u16 = 100;
/// Letters of a cell; what is longer is in the JSON.
const CELL: usize = 160;

/// Shows validations, failures first, and returns how the command ends.
pub(super) fn show(ctx: &Context, format: OutputFormat, validations: &[Validation]) -> Result<ExitStatus, Failure> {
    let failed = validations.iter().flat_map(Validation::failures).any(|outcome| outcome.severity > Severity::Warn);
    let status = if failed { ExitStatus::DataCheck } else { ExitStatus::Success };
    if format == OutputFormat::Json {
        let meta = |validation: &Validation| {
            let mut meta = Map::new();
            meta.insert("almanac_version".into(), Json::from(env!("CARGO_PKG_VERSION")));
            meta.insert("layer".into(), json!(validation.layer));
            meta.insert("table".into(), json!(validation.table));
            meta.insert("rows".into(), json!(validation.rows));
            meta
        };
        let results: Vec<Json> = validations.iter().map(|validation| validation.to_json(meta(validation))).collect();
        match &results[..] {
            [one] => ctx.printer.json(one)?,
            several => ctx.printer.json(&several)?,
        }
        return Ok(status);
    }
    let mut text = String::new();
    for validation in validations {
        let bad = validation.failures().count();
        let all = validation.outcomes.len();
        let verdict = if bad == 0 { format!("all {all} hold") } else { format!("{bad} of {all} failed") };
        let suite = if validation.suite.is_empty() { String::new() } else { format!("{}, ", validation.suite) };
        text.push_str(&format!("{}: {suite}{} rows, {verdict}\n", place(validation), validation.rows));
        let (held, failed): (Vec<&Outcome>, Vec<&Outcome>) = validation.outcomes.iter().partition(|outcome| outcome.success);
        let rows = failed.into_iter().chain(held).map(|outcome| {
            let verdict = if outcome.success { "  holds".to_owned() } else { format!("  {}", outcome.severity) };
            [verdict, clip(outcome.subject.as_deref().unwrap_or_default()), clip(&outcome.expected), clip(&outcome.observed)]
        });
        text.push_str(&table_within(WIDTH, ["  verdict", "column", "expected", "observed"], rows));
        text.push('\n');
    }
    ctx.printer.data(text.trim_end_matches('\n'))?;
    ctx.printer.data("\n")?;
    let all = validations.iter().map(|validation| validation.outcomes.len()).sum::<usize>();
    let bad = validations.iter().map(|validation| validation.failures().count()).sum::<usize>();
    ctx.printer.note(&if bad == 0 { format!("all {all} expectations hold") } else { format!("{bad} of {all} expectations failed") });
    Ok(status)
}

fn place(validation: &Validation) -> String {
    match (&validation.layer, &validation.table) {
        (Some(layer), Some(table)) => format!("{layer}.{table}"),
        (layer, table) => table.clone().or_else(|| layer.clone()).unwrap_or_default(),
    }
}

/// A text on one line, without what would move the cursor.
fn clip(text: &str) -> String {
    let shown: String = text.chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect();
    if shown.chars().count() <= CELL { shown } else { shown.chars().take(CELL - 1).chain(['…']).collect() }
}
