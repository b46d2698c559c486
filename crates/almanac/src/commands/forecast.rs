//! `almanac forecast`: the newest forecasts of the champion, as a file; what they would be if; and forecasts of other models now.

mod ad_hoc;
mod output;
mod scenario;

use std::num::NonZeroU32;
use std::path::PathBuf;

use almanac_config::Overrides;
use almanac_data::{ForecastFilter, ForecastTable};
use almanac_hierarchy::Hierarchy;
use almanac_model::Forecast;
use almanac_pipeline::{Bundle, BundleFile, BundleForecast, Champion, PipelineError, Project, read_bundle_file, read_champion};
use almanac_series::{Hint, Horizon, Panel, Quantile};
use clap::Args;

use self::output::{ForecastFormat, Output};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::session::OrFailPipeline;

const EXAMPLE: &str = "\
Examples:
  almanac forecast --out forecast.csv
  almanac forecast --out - --series S001/BAK-01 --horizon 7
  almanac forecast --scenario cheaper.csv --level region
  almanac forecast --models theta,auto_arima --out other.parquet

A scenario has columns unique_id and ds, or neither (every series, every step), and known-ahead ones with new values.
Columns: unique_id, ds, cutoff, model, mean, q0.005 … q0.995; of a scenario also scenario_mean, difference.";

/// Write the champion's forecasts to a file, as they are or as they would be
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ForecastArgs {
    /// File to write; `-` is standard output, which a scenario takes by default
    #[arg(short, long, value_name = "FILE", required_unless_present = "scenario")]
    pub(crate) out: Option<PathBuf>,
    /// Level of the hierarchy; the bottom by default
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<String>,
    /// Only this series; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) series: Vec<String>,
    /// Steps ahead, at most those of the project
    #[arg(long, value_name = "H")]
    pub(crate) horizon: Option<NonZeroU32>,
    /// Another model than the champion
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// What if: prices, promotions, … as in this file
    #[arg(long, value_name = "FILE", conflicts_with = "models")]
    pub(crate) scenario: Option<PathBuf>,
    /// Fit these models now and forecast with each; nothing is kept
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with = "model")]
    pub(crate) models: Vec<String>,
    /// Form of the file; told from its name by default, csv on standard output
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ForecastFormat>,
}

#[derive(Debug, thiserror::Error)]
enum ForecastError {
    #[error("{asked} steps were asked for, {issued} are forecast")]
    TooFar { asked: usize, issued: usize },
    #[error("there are no forecasts of `{model}`")]
    NoModel { model: String, models: Vec<String> },
    #[error("nothing at level `{level}` matches `{series}`")]
    NothingMatches { level: String, series: String },
}

impl Hint for ForecastError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooFar { asked, .. } => Some(format!("set `[forecast] horizon = {asked}` and run again")),
            Self::NoModel { models, .. } => Some(format!("there are {}", models.join(", "))),
            Self::NothingMatches { .. } => Some("levels and series are listed by `almanac serve`; the leaves are level `bottom`".into()),
        }
    }
}

impl ForecastArgs {
    fn output(&self) -> Result<Output, Failure> {
        Output::new(self.out.as_deref(), self.format)
    }

    /// Name of the level asked for.
    fn level(&self) -> String {
        self.level.clone().unwrap_or_else(|| almanac_hierarchy::BOTTOM.to_owned())
    }

    fn nothing_matches(&self) -> Failure {
        Failure::new(ExitStatus::Usage, ForecastError::NothingMatches { level: self.level(), series: self.series.join(", ") })
    }

    /// The steps asked for, of those that are forecast.
    fn steps(&self, issued: Horizon) -> Result<Horizon, Failure> {
        let Some(asked) = self.horizon.map(|horizon| horizon.get() as usize) else { return Ok(issued) };
        match Horizon::new(asked) {
            Ok(steps) if steps <= issued => Ok(steps),
            _ => Err(Failure::new(ExitStatus::Usage, ForecastError::TooFar { asked, issued: issued.steps() })),
        }
    }

    /// The model asked for, or the champion.
    fn model(&self, champion: &Champion, file: &BundleFile) -> Result<String, Failure> {
        let model = self.model.clone().unwrap_or_else(|| champion.model.clone());
        if file.models.contains(&model) {
            return Ok(model);
        }
        Err(Failure::new(ExitStatus::Usage, ForecastError::NoModel { model, models: file.models.clone() }))
    }

    /// Whether the series at a position was asked for.
    fn wants(&self, forecast: &Forecast, position: usize) -> bool {
        self.series.is_empty() || self.series.iter().any(|id| id == forecast.series[position].id.as_str())
    }
}

/// A forecast of the bottom brought to the level that was asked for.
struct Levelled<'a> {
    bundle: &'a Bundle,
    panel: &'a Panel,
    hierarchy: Hierarchy,
    level: usize,
    quantiles: Vec<Quantile>,
}

impl<'a> Levelled<'a> {
    fn new(args: &ForecastArgs, bundle: &'a Bundle, panel: &'a Panel) -> Result<Self, Failure> {
        let hierarchy = Hierarchy::new(panel, &bundle.file().hierarchy).or_fail(ExitStatus::Config)?;
        let level = hierarchy.level(&args.level()).ok_or_else(|| args.nothing_matches())?;
        Ok(Self { bundle, panel, hierarchy, level, quantiles: bundle.file().quantiles() })
    }

    fn is_bottom(&self) -> bool {
        self.level == self.hierarchy.bottom()
    }

    fn of(&self, given: &BundleForecast) -> Result<Forecast, Failure> {
        let level = self.bundle.forecast_level(self.panel, &self.hierarchy, self.level, &given.forecast, &self.quantiles);
        level.or_fail_pipeline()
    }
}

/// Carries out `almanac forecast`.
pub(crate) fn forecast(ctx: &Context, args: ForecastArgs) -> Result<ExitStatus, Failure> {
    if let Some(file) = &args.scenario {
        return scenario::scenario(ctx, &args, file);
    }
    if !args.models.is_empty() {
        return ad_hoc::ad_hoc(ctx, &args);
    }
    let output = args.output()?;
    let settings = ctx.settings(Overrides::default())?;
    let project = Project::new(&settings.project);
    let champion = read_champion(&project).or_fail_pipeline()?;
    let file = read_bundle_file(&project, &champion).or_fail_pipeline()?;
    let issued = Horizon::new(file.horizon).map_err(PipelineError::from).or_fail_pipeline()?;
    let steps = args.steps(issued)?;
    let filter = ForecastFilter {
        run: Some(champion.issue.clone()),
        level: Some(args.level()),
        series: (!args.series.is_empty()).then(|| args.series.clone()),
        model: Some(args.model(&champion, &file)?),
        horizon: (steps < issued).then(|| steps.steps()),
        ..ForecastFilter::default()
    };
    let table = ForecastTable::read(&project.forecasts(), &filter).or_fail(ExitStatus::Io)?;
    if table.n_rows() == 0 {
        return Err(args.nothing_matches());
    }
    output.write(ctx, &table, &format!("`{}` from {}", champion.model, champion.cutoff))?;
    Ok(ExitStatus::Success)
}
