//! `almanac status`: which assets are up to date, which model serves, how good it is.

use almanac_config::Overrides;
use almanac_pipeline::{Champion, PipelineError, Project, read_champion, records};
use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};
use crate::session::OrFailPipeline;

const EXAMPLE: &str = "\
Example:
  almanac -C shop status --format json";

/// Show which assets are up to date and which model serves
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct StatusArgs {
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

#[derive(Debug, Serialize)]
struct Status {
    project: String,
    champion: Option<Champion>,
    assets: Vec<AssetLine>,
}

#[derive(Debug, Serialize)]
struct AssetLine {
    asset: String,
    fingerprint: String,
    seconds: f64,
    is_intact: bool,
}

/// Carries out `almanac status`.
pub(crate) fn status(ctx: &Context, args: StatusArgs) -> Result<ExitStatus, Failure> {
    let settings = ctx.settings(Overrides::default())?;
    let project = Project::new(&settings.project);
    let champion = match read_champion(&project) {
        Err(PipelineError::NoChampion) => None,
        other => Some(other.or_fail_pipeline()?),
    };
    let assets = records(&project.assets()).or_fail_pipeline()?.into_iter().map(|record| AssetLine {
        is_intact: record.outputs.iter().all(|(path, _)| project.state().join(path).exists()),
        asset: record.name,
        fingerprint: record.fingerprint.short().to_owned(),
        seconds: record.seconds,
    });
    let status = Status { project: project.name(), champion, assets: assets.collect() };
    if args.format == OutputFormat::Json {
        ctx.printer.json(&status)?;
        return Ok(ExitStatus::Success);
    }
    let lines = status.assets.iter().map(|line| {
        let state = if line.is_intact { "made" } else { "gone: made again by the next run" };
        [line.asset.clone(), state.to_owned(), format!("{:.1} s", line.seconds), line.fingerprint.clone()]
    });
    ctx.printer.data(&table(["asset", "state", "took", "fingerprint"], &[2], lines))?;
    match &status.champion {
        Some(champion) => ctx.printer.note(&format!(
            "`{}` serves: version {} of `{}`, forecasts from {}",
            champion.model, champion.registered.1, champion.registered.0, champion.cutoff
        )),
        None => ctx.printer.note("nothing is served yet; `almanac run` makes the first champion"),
    }
    Ok(ExitStatus::Success)
}
