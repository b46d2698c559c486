//! The composition root: settings of the file into what each crate is given.

use std::collections::BTreeMap;

use almanac_config::{DriftSeverity, Duplicates, GapPolicy, Negatives, Settings, TableSource, TrackingSettings, ValueType};
use almanac_data::{
    ColumnKind, CsvOptions, DuplicatePolicy, GapPolicy as SilverGaps, NegativePolicy, SilverSpec, TableSpec, expand_source, infer_gaps,
};
use almanac_evaluate::GateConfig;
use almanac_features::{FeatureSpec, FourierSpec, QuantileSpec, WindowSpec};
use almanac_pipeline::{Checks, DriftGate, OutsideTable, PipelineSettings, Project, landed_files};
use almanac_privacy::PrivacyKey;
use almanac_profile::{DriftOptions, Method};
use almanac_series::{Freq, Hint, Horizon};
use almanac_tracking::{ArtifactStore, StoreError, StoreUrl, TrackingStore};

use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::models::Models;
use crate::printer::Printer;
use crate::privacy;
use crate::session::OrFailPipeline;

/// Rows of a partition of the lake.
const ROWS_PER_PARTITION: usize = 1_000_000;

/// A setting that can only be decided with another one.
#[derive(Debug, thiserror::Error)]
enum Undecided {
    #[error("`[data] gaps = \"auto\"` cannot be told: no source table holds the series, `{time}` and `{target}` as they are")]
    Gaps { time: String, target: String },
    #[error("the horizon depends on the frequency, and neither is set")]
    Horizon,
    #[error("`[features]` can only be chosen where the frequency is known")]
    Features,
}

impl Hint for Undecided {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Gaps { .. } => {
                "write `gaps = \"zero\"` if no row means no sale, `\"closed\"` if the shop was closed, `\"missing\"` if the value is unknown".into()
            }
            Self::Horizon => "set `[forecast] horizon`, e.g. `horizon = 28`".into(),
            Self::Features => "set `[data] freq`, e.g. `freq = \"D\"`".into(),
        })
    }
}

/// Returns the steps ahead that the project forecasts.
///
/// # Errors
/// Exit code 3 if neither the horizon nor the frequency is set.
pub(crate) fn horizon(settings: &Settings) -> Result<Horizon, Failure> {
    let by_freq = || settings.data.freq.map(|freq| settings.forecast.horizon_at(freq));
    settings.forecast.horizon.or_else(by_freq).ok_or(Undecided::Horizon).or_fail(ExitStatus::Config)
}

/// Returns what the pipeline is to do.
///
/// # Errors
/// Exit code 3 for settings that contradict each other, 4 for sources that are not there.
pub(crate) fn pipeline(settings: &Settings, printer: &Printer) -> Result<PipelineSettings, Failure> {
    let data = &settings.data;
    let horizon = horizon(settings)?;
    let mut sources: Vec<&TableSource> = data.tables.iter().collect();
    sources.extend(&data.future_source);
    // Before anything is read: a key that is missing is missing now.
    let key = privacy::key(settings)?;
    let mut tables = Vec::new();
    let mut histories = Vec::new();
    for source in sources {
        let (now, history) = table(settings, source, key.as_ref())?;
        tables.push(now);
        histories.extend(history);
    }
    // Behind the tables themselves, of which the first is the long table where no SQL says otherwise.
    tables.extend(histories);
    let whole = |source: &TableSource| format!("SELECT * FROM \"{}\"", source.name);
    let silver = SilverSpec {
        id: data.id.clone(),
        time: data.time.clone(),
        target: data.target.clone(),
        freq: data.freq,
        timezone: data.timezone.clone(),
        gaps: match data.gaps {
            GapPolicy::Auto => gaps_of(settings, &tables, printer)?,
            GapPolicy::Zero => SilverGaps::Zero,
            GapPolicy::Missing => SilverGaps::Missing,
            GapPolicy::Closed => SilverGaps::Closed,
            GapPolicy::Forward => SilverGaps::Forward,
            GapPolicy::Error => SilverGaps::Error,
        },
        duplicates: match data.duplicates {
            Duplicates::Error => DuplicatePolicy::Error,
            Duplicates::Sum => DuplicatePolicy::Sum,
            Duplicates::Mean => DuplicatePolicy::Mean,
            Duplicates::First => DuplicatePolicy::First,
            Duplicates::Last => DuplicatePolicy::Last,
        },
        negatives: match data.negatives {
            Negatives::Keep => NegativePolicy::Keep,
            Negatives::Clip => NegativePolicy::Clip,
            Negatives::Quarantine => NegativePolicy::Quarantine,
        },
        in_stock: data.in_stock.clone(),
        historic: data.historic.clone(),
        future: data.future.clone(),
        statics: data.static_columns.clone(),
        horizon: horizon.steps(),
        target_rows_per_partition: ROWS_PER_PARTITION,
        ..SilverSpec::default()
    };
    Ok(PipelineSettings {
        sql: data.sql.clone(),
        future_sql: data.future_sql.clone().or_else(|| data.future_source.as_ref().map(whole)),
        silver,
        checks: checks(settings),
        hidden: privacy::hidden(settings),
        suites: suites(settings)?,
        drift: drift(settings),
        time: settings.data.time.clone(),
        features: features(settings, horizon)?,
        hierarchy: data.hierarchy.iter().map(|path| path.join("/")).collect(),
        price: data.price.clone(),
        models: settings.named_models().into_iter().filter(|name| name != almanac_pipeline::ENSEMBLE).collect(),
        auto: settings.is_auto(),
        budget: settings.forecast.budget,
        horizon,
        quantiles: settings.forecast.quantiles.clone(),
        folds: settings.forecast.folds,
        fold_stride: settings.forecast.fold_stride,
        season_length: settings.forecast.season_length,
        seed: settings.forecast.seed,
        gates: GateConfig { beats: settings.gates.beats.clone(), min_folds: settings.gates.min_folds },
        memory: memory(settings),
        root: settings.project.clone(),
        personal: privacy::for_any_table(settings),
        config_text: std::fs::read_to_string(settings.project.join(almanac_config::PROJECT_FILE)).unwrap_or_default(),
        tables,
    })
}

/// Tells what a missing row means as `init` does, from the first table that holds the series as they are, and says so.
fn gaps_of(settings: &Settings, tables: &[TableSpec], printer: &Printer) -> Result<SilverGaps, Failure> {
    let data = &settings.data;
    for table in tables
        .iter()
        .filter(|table| !table.name.ends_with("__history"))
        .filter(|table| data.future_source.as_ref().is_none_or(|ahead| ahead.name != table.name))
    {
        let found = infer_gaps(table, &data.id, &data.time, &data.target, data.freq).or_fail(ExitStatus::DataInput)?;
        if let Some((gaps, why)) = found {
            printer.note(&format!("`gaps = \"auto\"` is `{gaps}`: {why}"));
            return Ok(match gaps {
                "zero" => SilverGaps::Zero,
                "closed" => SilverGaps::Closed,
                _ => SilverGaps::Missing,
            });
        }
    }
    let undecided = Undecided::Gaps { time: data.time.clone(), target: data.target.clone() };
    Err(Failure::new(ExitStatus::Config, undecided))
}

/// Returns the models of the project.
pub(crate) fn models(settings: &Settings) -> Result<Models, Failure> {
    let horizon = horizon(settings)?;
    Ok(Models {
        season_length: settings.forecast.season_length,
        country: settings.features.holidays.clone(),
        features: features(settings, horizon)?,
        max_train_rows: settings.forecast.max_train_rows,
        threads: settings.run.threads,
        price: settings.data.price.clone(),
        settings: Some(settings.models.clone()),
        categorical_future: Vec::new(),
    })
}

/// Opens the database of runs and models: the one that is asked for, or that of the project.
///
/// # Errors
/// Exit code 3 for a URL that is none, 7, and 8 where the folder of the database cannot be made.
pub(crate) fn store(asked: &TrackingSettings, project: &Project) -> Result<TrackingStore, Failure> {
    let url = match &asked.backend_store {
        Some(url) => StoreUrl::parse(url).or_fail(ExitStatus::Config)?,
        None => StoreUrl::Sqlite(project.database()),
    };
    TrackingStore::open(&url).map_err(|error| {
        let status = if matches!(error, StoreError::Folder { .. }) { ExitStatus::Io } else { ExitStatus::Store };
        Failure::new(status, error)
    })
}

/// Opens the place of artifacts: the one that is asked for, or that of the project. Nothing is made or contacted yet.
///
/// # Errors
/// Exit code 3 for a URL that is none.
pub(crate) fn artifacts(asked: &TrackingSettings, project: &Project) -> Result<ArtifactStore, Failure> {
    let folder = || project.artifacts().to_string_lossy().into_owned();
    ArtifactStore::open(&asked.artifact_root.clone().unwrap_or_else(folder)).or_fail(ExitStatus::Config)
}

/// Returns what reads Kafka, if the program was built with it.
#[cfg(feature = "kafka")]
#[expect(clippy::unnecessary_wraps, reason = "as without Kafka")]
pub(crate) fn kafka() -> Option<&'static dyn almanac_connect::ReadKafka> {
    Some(&almanac_kafka::KafkaReader)
}

/// Returns what reads Kafka, if the program was built with it.
#[cfg(not(feature = "kafka"))]
pub(crate) fn kafka() -> Option<&'static dyn almanac_connect::ReadKafka> {
    None
}

/// A table, and the one of all versions of its rows where they have a key.
fn table(settings: &Settings, source: &TableSource, key: Option<&PrivacyKey>) -> Result<(TableSpec, Option<TableSpec>), Failure> {
    let spec = |name: String, paths, redaction| TableSpec { name, paths, csv: csv(settings), types: types(settings), redaction };
    if let Some(table) = outside_table(settings, source, key)? {
        let landed = landed_files(&Project::new(&settings.project), &table).or_fail_pipeline()?;
        let history = landed.history.map(|paths| spec(format!("{}__history", source.name), paths, landed.redaction.clone()));
        return Ok((spec(source.name.clone(), landed.current, landed.redaction), history));
    }
    let mut paths = Vec::new();
    for pattern in &source.patterns {
        paths.extend(expand_source(&settings.project, pattern).or_fail(ExitStatus::DataInput)?);
    }
    Ok((spec(source.name.clone(), paths, privacy::redaction(settings, &source.name, key)?), None))
}

/// Returns the tables whose sources are outside the project.
///
/// # Errors
/// Exit code 3 where a column is hashed and there is no key.
pub(crate) fn outside_tables(settings: &Settings) -> Result<Vec<OutsideTable>, Failure> {
    let all = settings.data.tables.iter().chain(&settings.data.future_source);
    let key = privacy::key(settings)?;
    all.filter_map(|table| outside_table(settings, table, key.as_ref()).transpose()).collect()
}

fn outside_table(settings: &Settings, table: &TableSource, key: Option<&PrivacyKey>) -> Result<Option<OutsideTable>, Failure> {
    let Some(source) = table.outside.clone() else { return Ok(None) };
    let redaction = privacy::redaction(settings, &table.name, key)?;
    Ok(Some(OutsideTable { name: table.name.clone(), source, redaction, csv: csv(settings) }))
}

/// Returns how text files of the project are written.
pub(crate) fn csv(settings: &Settings) -> CsvOptions {
    let csv = &settings.data.csv;
    let non_empty = |values: &[String]| (!values.is_empty()).then(|| values.to_vec());
    CsvOptions {
        delimiter: csv.delimiter,
        encoding: csv.encoding.clone(),
        decimal: csv.decimal,
        date_formats: non_empty(&csv.date_format),
        null_values: non_empty(&csv.null_values),
    }
}

/// Returns the types of columns that are not to be found out.
pub(crate) fn types(settings: &Settings) -> BTreeMap<String, ColumnKind> {
    let kind = |value: &ValueType| match value {
        ValueType::String => ColumnKind::Text,
        ValueType::Integer => ColumnKind::Integer,
        ValueType::Float => ColumnKind::Real,
        ValueType::Boolean => ColumnKind::Boolean,
        ValueType::Date => ColumnKind::Date,
        ValueType::Timestamp => ColumnKind::Timestamp,
    };
    settings.data.types.iter().map(|(name, value)| (name.clone(), kind(value))).collect()
}

/// What a run does about drift.
fn drift(settings: &Settings) -> Option<DriftGate> {
    let drift = &settings.drift;
    let severity = match drift.severity {
        DriftSeverity::Off => return None,
        DriftSeverity::Warn => almanac_expect::Severity::Warn,
        DriftSeverity::Fail => almanac_expect::Severity::Fail,
    };
    let limits = &drift.limits;
    let limits = [
        (Method::Ks, limits.ks),
        (Method::ChiSquare, limits.chi_square),
        (Method::Z, limits.z),
        (Method::Wasserstein, limits.wasserstein),
        (Method::JensenShannon, limits.jensen_shannon),
        (Method::Psi, limits.psi),
    ];
    // The stability index is the test only where it has a limit: no column takes it by itself.
    let psi = drift.limits.psi.map(|_| Method::Psi);
    let options = DriftOptions {
        number_method: psi,
        category_method: psi,
        limits: limits.into_iter().filter_map(|(method, limit)| Some((method, limit?))).collect(),
        share: drift.share,
        missing: drift.missing,
        ..DriftOptions::default()
    };
    Some(DriftGate { severity, columns: drift.columns.clone(), options })
}

/// Returns the suites of expectations that lie in the project.
pub(crate) fn suites(settings: &Settings) -> Result<Vec<almanac_pipeline::PlacedSuite>, Failure> {
    let folder = settings.project.join(&settings.checks.expectations);
    let mut suites = almanac_pipeline::read_suites(&folder).or_fail(ExitStatus::Config)?;
    let hidden = privacy::hidden(settings);
    suites.iter_mut().for_each(|placed| placed.suite.personal.extend(hidden.iter().cloned()));
    Ok(suites)
}

/// Returns what `[checks]` asks of the data.
pub(crate) fn checks(settings: &Settings) -> Checks {
    let asked = &settings.checks;
    Checks {
        max_null_share: asked.max_null_share,
        min: asked.min,
        max: asked.max,
        allowed: asked.allowed.clone(),
        ranges: asked.ranges.clone(),
        required: asked.required.clone(),
        max_quarantine_share: asked.max_quarantine_share,
        freshness_days: asked.freshness_days,
        max_row_change: asked.max_row_change,
        min_series: asked.min_series as u64,
    }
}

/// Returns the features asked for, or `None` for the usual ones of the frequency.
fn features(settings: &Settings, horizon: Horizon) -> Result<Option<FeatureSpec>, Failure> {
    let asked = &settings.features;
    if asked.lags.is_none() && asked.windows.is_none() && !asked.has_optional() {
        return Ok(None);
    }
    let freq: Freq = settings.data.freq.ok_or(Undecided::Features).or_fail(ExitStatus::Config)?;
    let mut spec = FeatureSpec::for_freq(freq, horizon);
    if let Some(lags) = &asked.lags {
        spec.lags.clone_from(lags);
    }
    if let Some(windows) = &asked.windows {
        spec.windows = windows.iter().map(|rows| WindowSpec::full(*rows)).collect();
    }
    if !asked.quantiles.is_empty() {
        let over = spec.windows.iter().map(|window| QuantileSpec { rows: window.rows, levels: asked.quantiles.clone() });
        spec.quantiles = over.collect();
    }
    spec.expanding = asked.expanding;
    spec.differences.clone_from(&asked.differences);
    spec.historic_events = asked.events;
    spec.price_history = asked.price_history;
    spec.fourier = match asked.fourier.as_deref() {
        None => Vec::new(),
        Some([]) => FourierSpec::usual(freq),
        Some(periods) => periods.iter().map(|period| FourierSpec::new(*period)).collect(),
    };
    spec.target_encoding = asked.target_encoding;
    if asked.parents {
        spec.parents = FeatureSpec::parents_of(&settings.data.hierarchy);
    }
    Ok(Some(spec))
}

/// Memory for queries: what is asked for, or half of the machine's.
pub(crate) fn memory(settings: &Settings) -> usize {
    const GIB: f64 = (1_u64 << 30) as f64;
    if settings.run.memory_gb > 0.0 {
        return (settings.run.memory_gb * GIB) as usize;
    }
    crate::commands::doctor::memory_bytes().map_or(2 << 30, |bytes| (bytes / 2.0) as usize)
}
