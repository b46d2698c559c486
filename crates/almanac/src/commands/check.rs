//! `almanac check`: judge tables by suites of expectations, or propose a suite from what they hold.

mod show;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_config::{Overrides, Settings};
use almanac_data::{QueryLimits, ROW_COLUMN, TableSpec, expand_source};
use almanac_expect::{Facts, HistoryColumns, Options, Refused, ResultFormat, Suite, Table, Validation, suggest};
use almanac_pipeline::{LAYERS, PlacedSuite, Project, SqlOverFiles, built_in, history, judge, open_source, read_placed, tables};
use almanac_series::SeasonLength;
use almanac_tracking::Millis;
use clap::Args;

use self::show::show;
use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::OutputFormat;
use crate::privacy;
use crate::session::{OrFailPipeline, now_ms, start_threads};

const EXAMPLE: &str = "\
Examples:
  almanac check                                          the project's tables by `[checks]` and the suites of `expectations/`
  almanac check --layer bronze --suggest --write         write a suite for each bronze table, to be edited
  almanac check sales.csv.gz --suite gx_suite.json       one file by a suite of Great Expectations, or a data contract
  almanac check --format json > results.json             results as Great Expectations writes them

Exit code 5 if an expectation of severity `fail` or `quarantine` failed.";

/// Judge tables by suites of expectations, or propose a suite
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CheckArgs {
    /// File, folder or glob to judge instead of the project's tables: Parquet, CSV, JSON lines, Excel, compressed or not
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// Suite: YAML or TOML, Great Expectations' JSON, or an Open Data Contract; the project's own where none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) suite: Vec<PathBuf>,
    /// Only this table
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Only this layer: bronze, silver or gold
    #[arg(long, value_name = "LAYER", value_parser = LAYERS)]
    pub(crate) layer: Option<String>,
    /// Propose a suite from what the tables hold
    #[arg(long)]
    pub(crate) suggest: bool,
    /// Write proposals into the project's folder of suites, never over one that is there
    #[arg(long, requires = "suggest")]
    pub(crate) write: bool,
    /// How much each result tells: boolean, basic, summary or complete
    #[arg(long, value_name = "HOW", default_value = "summary", value_parser = ["boolean", "basic", "summary", "complete"])]
    pub(crate) results: String,
    /// Column whose values are shown as ***; may be given again
    #[arg(long, value_name = "COLUMN")]
    pub(crate) personal: Vec<String>,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: OutputFormat,
}

/// Carries out `almanac check`.
pub(crate) fn check(ctx: &Context, args: CheckArgs) -> Result<ExitStatus, Failure> {
    let options = Options {
        format: match args.results.as_str() {
            "boolean" => ResultFormat::BooleanOnly,
            "basic" => ResultFormat::Basic,
            "complete" => ResultFormat::Complete,
            _ => ResultFormat::Summary,
        },
        now: Some(now_ms() * 1000),
        personal: args.personal.clone(),
        sql: Some(Arc::new(SqlOverFiles { limits: QueryLimits::default() })),
        ..Options::default()
    };
    match &args.file {
        Some(file) => of_file(ctx, &args, file, &options),
        None => of_project(ctx, &args, &options),
    }
}

fn of_file(ctx: &Context, args: &CheckArgs, file: &str, options: &Options) -> Result<ExitStatus, Failure> {
    start_pool(ctx);
    let scratch = tempfile::tempdir().map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    let (opened, facts) = open(ctx, file, scratch.path())?;
    let mut options = Options { labels: vec![ROW_COLUMN.to_owned()], facts, ..options.clone() };
    // A file of a project holds what the project says is personal, in whatever case its header is.
    let redaction = privacy::of_files_looked_at(ctx)?;
    options.personal.extend(opened.columns().filter(|column| redaction.policy(column).is_some()).map(str::to_owned));
    let options = &options;
    let name = Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.split('.').find(|part| !part.is_empty()).unwrap_or("table").to_owned();
    if args.suggest {
        let suite = suggest(&opened, &name, None, options).or_fail(ExitStatus::DataInput)?;
        return propose(ctx, args, vec![(format!("{name}.yaml"), suite)], Path::new("."));
    }
    if args.suite.is_empty() {
        return Err(Failure::new(ExitStatus::Usage, NoSuite));
    }
    let mut validations = Vec::new();
    for path in &args.suite {
        let suites = Suite::read(path).or_fail(ExitStatus::Config)?;
        let several = suites.len() > 1;
        for suite in suites {
            // A contract has a suite for each of its tables; the file is one of them.
            if several && suite.table.as_deref() != Some(args.table.as_deref().unwrap_or(&name)) {
                continue;
            }
            let suite = Suite { table: Some(name.clone()), ..suite };
            validations.push(almanac_expect::check(&opened, &suite, options).or_fail(ExitStatus::DataInput)?);
        }
    }
    if validations.is_empty() {
        return Err(Failure::new(ExitStatus::Usage, NoSuite));
    }
    show(ctx, args.format, &validations)
}

/// Opens what the command line names, and says which rows could not be read.
fn open(ctx: &Context, file: &str, scratch: &Path) -> Result<(Table, Facts), Failure> {
    let path = ctx.folder().join(file);
    if path.is_dir()
        && let Ok(table) = Table::open(&path)
    {
        return Ok((table, Facts::default()));
    }
    let paths = expand_source(ctx.folder(), file).or_fail(ExitStatus::DataInput)?;
    let spec = TableSpec { name: "table".to_owned(), paths, ..TableSpec::default() };
    let (table, report) = open_source(&spec, scratch).or_fail_pipeline()?;
    let Some(report) = report else { return Ok((table, Facts::default())) };
    if report.quarantined > 0 {
        ctx.printer.warning(&format!("{} cells or rows do not fit their column; their rows are not judged", report.quarantined));
    }
    let refused = Refused { rows: report.quarantined, offered: report.rows + report.quarantined, reasons: BTreeMap::new() };
    Ok((table, Facts { refused: Some(refused), ..Facts::default() }))
}

fn start_pool(ctx: &Context) {
    // A second pool in one process is a bug of ours; the first one stays.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(ctx.threads().get()).build_global();
}

fn of_project(ctx: &Context, args: &CheckArgs, options: &Options) -> Result<ExitStatus, Failure> {
    let settings = ctx.settings(Overrides::default())?;
    start_threads(ctx, &settings);
    let project = Project::new(&settings.project);
    let mut options = options.clone();
    options.personal.extend(privacy::hidden(&settings));
    let wanted = |layer: &str| args.layer.as_deref().is_none_or(|name| name == layer);
    if args.suggest {
        // A suite is a file to be kept and shared: it names nobody.
        options.personal.extend(settings.privacy.subject.iter().cloned());
        let mut proposals = Vec::new();
        for layer in LAYERS.into_iter().filter(|layer| args.layer.as_deref().unwrap_or("bronze") == *layer) {
            is_there(&project, layer)?;
            for (name, opened) in tables(&project, layer).or_fail_pipeline()? {
                if args.table.as_ref().is_none_or(|wanted| *wanted == name) {
                    let history = history_columns(&settings, layer, &name, &opened);
                    let suite = suggest(&opened, &format!("{layer}.{name}"), history.as_ref(), &options).or_fail(ExitStatus::DataInput)?;
                    proposals.push((format!("{layer}.{name}.yaml"), Suite { layer: Some(layer.into()), table: Some(name), ..suite }));
                }
            }
        }
        return propose(ctx, args, proposals, &settings.project.join(&settings.checks.expectations));
    }
    let mut suites: Vec<PlacedSuite> = if args.suite.is_empty() { compose::suites(&settings)? } else { Vec::new() };
    for path in &args.suite {
        suites.extend(read_placed(path).or_fail(ExitStatus::Config)?);
    }
    for placed in &mut suites {
        // A suite that is named on the command line goes where the command line says.
        if !args.suite.is_empty() {
            placed.layer = args.layer.clone().unwrap_or_else(|| placed.layer.clone());
            placed.table = args.table.clone().or_else(|| placed.table.clone());
        }
    }
    suites.retain(|placed| {
        wanted(&placed.layer) && args.table.as_ref().is_none_or(|table| placed.table.as_ref().is_none_or(|own| own == table))
    });
    if let Some(table) = &args.table {
        suites.iter_mut().for_each(|placed| placed.table = Some(table.clone()));
    }
    if !args.suite.is_empty() && suites.is_empty() {
        return Err(Failure::new(ExitStatus::Usage, NoSuite));
    }
    let checks = compose::checks(&settings);
    options.labels = settings.data.id.iter().chain([&settings.data.time]).cloned().collect();
    let mut validations: Vec<Validation> = Vec::new();
    for layer in LAYERS.into_iter().filter(|layer| wanted(layer)) {
        let mut of_layer: Vec<PlacedSuite> = suites.iter().filter(|placed| placed.layer == layer).cloned().collect();
        let asks = args.layer.is_some() || !of_layer.is_empty();
        if !layer_folder(&project, layer).is_dir() && !asks {
            continue;
        }
        is_there(&project, layer)?;
        let own = built_in(&project, &checks, layer).or_fail_pipeline()?;
        if args.suite.is_empty() {
            let of_table = |placed: &PlacedSuite| args.table.as_ref().is_none_or(|table| placed.table.as_ref() == Some(table));
            let mut checks = own.suites;
            checks.iter_mut().for_each(|placed| placed.suite.personal.extend(options.personal.iter().cloned()));
            of_layer.splice(0..0, checks.into_iter().filter(of_table));
        }
        let judged = judge(&project, &of_layer, layer, &options, &own.facts).or_fail_pipeline()?;
        validations.extend(judged.into_iter().map(|(_, validation)| validation));
    }
    if validations.is_empty() {
        is_there(&project, args.layer.as_deref().unwrap_or("bronze"))?;
        return Err(Failure::new(ExitStatus::Usage, NoSuite));
    }
    let store = compose::store(&settings.tracking, &project)?;
    for validation in &validations {
        store.record_validation(&history(validation, now_ms()), Millis(now_ms())).or_fail(ExitStatus::Store)?;
    }
    show(ctx, args.format, &validations)
}

fn propose(ctx: &Context, args: &CheckArgs, proposals: Vec<(String, Suite)>, folder: &Path) -> Result<ExitStatus, Failure> {
    for (file, suite) in &proposals {
        let path = folder.join(file);
        if !args.write {
            ctx.printer.data(&format!("# {}\n{}\n", path.display(), suite.to_yaml().trim_end()))?;
            continue;
        }
        if path.exists() {
            ctx.printer.warning(&format!("`{}` is there and stays as it is", path.display()));
            continue;
        }
        std::fs::create_dir_all(folder).map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
        almanac_data::write_bytes(&path, suite.to_yaml().as_bytes()).map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
        ctx.printer.note(&format!(
            "wrote `{}`: {} expectations, to be read before they are trusted",
            path.display(),
            suite.expectations.len()
        ));
    }
    Ok(ExitStatus::Success)
}

/// The columns of a table with the history of the project.
fn history_columns(settings: &Settings, layer: &str, table: &str, opened: &Table) -> Option<HistoryColumns> {
    let (time, value, codes) = match (layer, table) {
        ("silver", "panel") => ("ds", "y", vec!["status".to_owned()]),
        ("bronze", _) => (settings.data.time.as_str(), settings.data.target.as_str(), Vec::new()),
        _ => return None,
    };
    let has = |wanted: &str| opened.columns().any(|column| column == wanted);
    let season = settings.data.freq.map(|freq| settings.forecast.season_length_at(freq)).or(settings.forecast.season_length);
    let season = season.map_or(1, SeasonLength::steps);
    let history = HistoryColumns { time: time.to_owned(), value: value.to_owned(), season_length: season, codes };
    (has(time) && has(value)).then_some(history)
}

/// Refuses a layer that no run has made yet.
fn is_there(project: &Project, layer: &str) -> Result<(), Failure> {
    let made = layer_folder(project, layer).is_dir();
    if made { Ok(()) } else { Err(Failure::new(ExitStatus::Usage, NoLayer { layer: layer.to_owned() })) }
}

fn layer_folder(project: &Project, layer: &str) -> PathBuf {
    match layer {
        "bronze" => project.bronze(),
        "silver" => project.silver(),
        _ => project.gold(),
    }
}

/// There is nothing to judge.
#[derive(Debug, thiserror::Error)]
#[error("the {layer} layer is not made yet")]
struct NoLayer {
    layer: String,
}

impl almanac_series::Hint for NoLayer {
    fn hint(&self) -> Option<String> {
        Some(format!("`almanac run --only {}` makes it", self.layer))
    }
}

/// There is nothing to judge by.
#[derive(Debug, thiserror::Error)]
#[error("there is no suite to judge by")]
struct NoSuite;

impl almanac_series::Hint for NoSuite {
    fn hint(&self) -> Option<String> {
        Some("name one with `--suite FILE`, or write one with `almanac check --suggest --write`".into())
    }
}
