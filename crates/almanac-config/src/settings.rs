//! What a command gets: every key with its value, checked. `None` is left only where absence means something.
//!
//! Not here: how the values were found (`resolve`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use almanac_connect::SourceSpec;
use almanac_series::{Freq, Horizon, Quantile, SeasonLength, Seed};
use serde::{Serialize, Serializer};

use crate::{CanonicalJson, ConfigError, DriftLimits, MODELS, Overrides, resolve};

/// All settings of one project.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "one field a section of the file")]
pub struct Settings {
    /// The project's folder; relative paths of the file start here.
    pub project: PathBuf,
    pub data: DataSettings,
    pub privacy: PrivacySettings,
    pub features: FeatureSettings,
    pub forecast: ForecastSettings,
    pub models: ModelSettings,
    pub checks: CheckSettings,
    pub drift: DriftSettings,
    pub gates: GateSettings,
    pub run: RunSettings,
    pub tracking: TrackingSettings,
    pub serve: ServeSettings,
}

/// One source table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSource {
    /// Its name in `sql`; `data` for a plain `source`.
    pub name: String,
    /// Files, folders or globs as written; see [`Settings::path`]. Empty for a source outside.
    pub patterns: Vec<String>,
    /// A source outside, which lands below `.almanac/landing` before it is read.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "identity")]
    pub outside: Option<SourceSpec>,
}

/// `[data]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct DataSettings {
    /// At least one, sorted by name.
    pub tables: Vec<TableSource>,
    /// Whether only what has landed is used.
    #[serde(skip)]
    pub offline: bool,
    /// `None`: every load is kept.
    #[serde(skip)]
    pub keep_loads: Option<usize>,
    pub sql: Option<String>,
    /// The table `future`, from `future_source`.
    pub future_source: Option<TableSource>,
    pub future_sql: Option<String>,
    /// Empty for a single series.
    pub id: Vec<String>,
    pub time: String,
    pub target: String,
    /// `None`: told from the data.
    #[serde(serialize_with = "shown_option")]
    pub freq: Option<Freq>,
    pub timezone: Option<String>,
    /// Paths of columns from the top down.
    pub hierarchy: Vec<Vec<String>>,
    pub static_columns: Vec<String>,
    pub historic: Vec<String>,
    pub future: Vec<String>,
    pub in_stock: Option<String>,
    pub price: Option<String>,
    pub gaps: GapPolicy,
    pub duplicates: Duplicates,
    pub negatives: Negatives,
    /// Two capital letters.
    pub country: Option<String>,
    pub csv: CsvSettings,
    pub types: BTreeMap<String, ValueType>,
}

/// `[data.csv]`; `None` is `auto`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct CsvSettings {
    pub delimiter: Option<char>,
    pub encoding: Option<String>,
    pub decimal: Option<char>,
    pub date_format: Vec<String>,
    pub null_values: Vec<String>,
}

/// What a missing row inside a series means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapPolicy {
    /// Chosen from the data, and said.
    Auto,
    /// Nothing was sold: 0, counted as data.
    Zero,
    /// Not known: no loss, no metric.
    Missing,
    /// The shop was closed.
    Closed,
    /// The last value goes on.
    Forward,
    /// Refused.
    Error,
}

/// What rows with the same series and timestamp mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Duplicates {
    Error,
    Sum,
    Mean,
    First,
    Last,
}

/// What a target below zero means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Negatives {
    /// Data like any other.
    Keep,
    /// Counted as 0.
    Clip,
    /// The row goes to quarantine.
    Quarantine,
}

/// Type of a source column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ValueType {
    String,
    Integer,
    Float,
    Boolean,
    Date,
    Timestamp,
}

/// `[privacy]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PrivacySettings {
    /// Personal columns, as `column` or `table.column`.
    pub personal: BTreeMap<String, PersonalPolicy>,
    /// Where the key of the hashes is. There where a column is hashed.
    pub key: Option<KeyPlace>,
    /// Columns whose values name a person.
    pub subject: Vec<String>,
}

/// What becomes of a personal column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalPolicy {
    /// A keyed hash stands for each value.
    Hash,
    /// The shape of each value stays.
    Mask,
    /// The column is left out.
    Drop,
}

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// In this variable of the environment.
    Environment(String),
    /// In this file; a relative path starts at the project.
    File(String),
}

/// `[features]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureSettings {
    /// `None`: by frequency.
    pub lags: Option<Vec<usize>>,
    /// `None`: by frequency.
    pub windows: Option<Vec<usize>>,
    /// Country of the holidays, or `None` for no holiday features.
    pub holidays: Option<String>,
    /// Probabilities of rolling quantiles over the windows.
    pub quantiles: Vec<f64>,
    /// Whether mean, deviation, minimum and maximum since the start are wanted.
    pub expanding: bool,
    /// Rows back to what the newest value is compared with.
    pub differences: Vec<usize>,
    /// Whether rows since the last event of historic columns are wanted.
    pub events: bool,
    /// Whether discounts and rows since a price changed are wanted.
    pub price_history: bool,
    /// Periods of Fourier terms, in rows; empty: by frequency, or `None` for no Fourier terms.
    pub fourier: Option<Vec<f64>>,
    /// Whether categories of static columns are told by what came of their series.
    pub target_encoding: bool,
    /// Whether sums, means and shares of the nodes of `[data] hierarchy` are wanted.
    pub parents: bool,
}

impl FeatureSettings {
    /// Returns whether anything is asked for that the usual features of a frequency leave out.
    pub fn has_optional(&self) -> bool {
        let lists = !self.quantiles.is_empty() || !self.differences.is_empty() || self.fourier.is_some();
        lists || self.expanding || self.events || self.price_history || self.target_encoding || self.parents
    }
}

/// `[forecast]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct ForecastSettings {
    /// `None`: by frequency, see [`ForecastSettings::horizon_at`].
    #[serde(serialize_with = "horizon_steps")]
    pub horizon: Option<Horizon>,
    #[serde(serialize_with = "probabilities")]
    pub quantiles: Vec<Quantile>,
    /// As written, `auto` included; see [`Settings::named_models`] and [`Settings::is_auto`].
    pub models: Vec<String>,
    /// Processor time that the models of `auto` may take.
    #[serde(serialize_with = "seconds")]
    pub budget: Duration,
    pub folds: usize,
    /// `None`: the horizon.
    pub fold_stride: Option<usize>,
    /// `None`: that of the frequency.
    #[serde(serialize_with = "season_steps")]
    pub season_length: Option<SeasonLength>,
    #[serde(serialize_with = "seed_number")]
    pub seed: Seed,
    pub max_train_rows: usize,
    pub reconcile: String,
}

/// `[models]`: settings of single models.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "named as the models")]
pub struct ModelSettings {
    pub lightgbm: LightGbmSettings,
    pub xgboost: XgBoostSettings,
}

/// What both models of trees are told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct TreeSettings {
    pub objective: TreeObjective,
    pub quantiles: bool,
    pub strategy: TreeStrategy,
    pub pool: TreePool,
    /// `None`: all trees are grown.
    pub early_stopping: Option<usize>,
    /// Column, and 1 or -1; columns of `[data]`.
    pub monotone: BTreeMap<String, i8>,
    /// `weights = "value"`.
    pub by_value: bool,
    /// `None`: by the number of rows.
    pub bag: Option<usize>,
    /// `None`: by the number of rows.
    pub trees: Option<usize>,
    /// `None`: by the number of rows.
    pub learning_rate: Option<f64>,
    pub max_bin: usize,
}

/// What trees minimise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TreeObjective {
    Auto,
    L2,
    L1,
    Poisson,
    Tweedie { power: f64 },
    LogRatio,
    Quantile { probability: f64 },
}

/// Which model of trees forecasts which step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TreeStrategy {
    Direct,
    Blocks { steps: usize },
    Recursive,
    Average,
}

/// Which series learn together; with an id or static column where that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TreePool {
    Whole,
    By(String),
    Both(String),
}

/// `[models.lightgbm]`; `None`: by the number of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct LightGbmSettings {
    pub trees: TreeSettings,
    pub num_leaves: Option<usize>,
    pub min_data_in_leaf: Option<usize>,
    pub feature_fraction: f64,
    pub bagging_fraction: f64,
    pub lambda_l2: f64,
}

/// `[models.xgboost]`; `None`: by the number of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct XgBoostSettings {
    pub trees: TreeSettings,
    pub max_depth: Option<usize>,
    pub min_child_weight: Option<f64>,
    pub colsample_bytree: f64,
    pub subsample: f64,
    pub lambda: f64,
}

/// `[checks]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct CheckSettings {
    /// Folder of suites of expectations; it need not exist.
    pub expectations: PathBuf,
    pub max_null_share: f64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub allowed: BTreeMap<String, Vec<String>>,
    pub ranges: BTreeMap<String, (f64, f64)>,
    pub required: Vec<String>,
    pub max_quarantine_share: f64,
    pub freshness_days: Option<u32>,
    pub max_row_change: f64,
    pub min_series: usize,
}

/// What a run does about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftSeverity {
    /// It does not look.
    Off,
    /// It is said.
    Warn,
    /// The run stops.
    Fail,
}

/// `[drift]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct DriftSettings {
    pub severity: DriftSeverity,
    pub share: f64,
    pub missing: f64,
    pub columns: Vec<String>,
    /// Limits by the test; what is not set is the test's own.
    pub limits: DriftLimits,
}

/// `[gates]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each key is documented in default.toml")]
pub struct GateSettings {
    pub beats: Vec<String>,
    pub min_folds: usize,
}

/// `[run]`: changes no result, so it belongs in no fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSettings {
    /// 0: all cores.
    pub threads: usize,
    /// 0: half of the machine's memory.
    pub memory_gb: f64,
}

/// `[tracking]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrackingSettings {
    /// URL of the database of runs and models; `None`: `.almanac/almanac.db` of the project.
    pub backend_store: Option<String>,
    /// URL of the artifacts; `None`: `.almanac/artifacts` of the project.
    pub artifact_root: Option<String>,
}

/// `[serve]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServeSettings {
    /// Where the server listens.
    pub listen: SocketAddr,
}

impl Settings {
    /// Reads `almanac.toml` of the project, the environment and the flags.
    ///
    /// # Errors
    /// [`ConfigError`] with the place that is wrong.
    pub fn load(project: &Path, flags: &Overrides) -> Result<Self, ConfigError> {
        let path = project.join(crate::PROJECT_FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                ConfigError::NotFound { project: project.to_owned() }
            } else {
                ConfigError::Unreadable { path, source }
            }
        })?;
        let environment = Overrides::from_environment(|name| std::env::var(name).ok())?;
        resolve::settings(project, &text, &environment, flags)
    }

    /// Reads the text of a file as that of the project, without the environment.
    ///
    /// # Errors
    /// [`ConfigError`] with the place that is wrong.
    pub fn from_text(project: &Path, text: &str, environment: &Overrides, flags: &Overrides) -> Result<Self, ConfigError> {
        resolve::settings(project, text, environment, flags)
    }

    /// Returns where a path or pattern of the file lies: relative ones start at the project.
    pub fn path(&self, written: &str) -> PathBuf {
        self.project.join(written)
    }

    /// Returns whether the models are to suit the data: `auto` is among them.
    pub fn is_auto(&self) -> bool {
        self.forecast.models.iter().any(|name| name == "auto")
    }

    /// Returns the models that are named, each once, and the baselines that `[gates]` compares with; not those that `auto` will bring.
    pub fn named_models(&self) -> Vec<String> {
        let asked = self.forecast.models.iter().map(String::as_str).filter(|name| *name != "auto");
        let mut names: Vec<String> = Vec::new();
        for name in self.gates.beats.iter().map(String::as_str).chain(asked) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names.sort_by_key(|name| MODELS.iter().position(|known| known == name).unwrap_or(MODELS.len()));
        names
    }
}

impl ForecastSettings {
    /// Returns the horizon asked for, or the usual one of the frequency.
    pub fn horizon_at(&self, freq: Freq) -> Horizon {
        let usual = match freq {
            Freq::Step => 12,
            Freq::Second(_) => 60,
            Freq::Minute(n) => (1440 / n as usize).clamp(1, 96),
            Freq::Hour(n) => (48 / n as usize).max(1),
            Freq::Day => 28,
            Freq::BusinessDay => 20,
            Freq::Week(_) => 13,
            Freq::Month { months: 1, .. } => 12,
            Freq::Month { months: 12, .. } => 4,
            Freq::Month { .. } => 8,
        };
        self.horizon.unwrap_or_else(|| Horizon::new(usual).expect("between 1 and 96"))
    }

    /// Returns the season length asked for, or the usual one of the frequency.
    pub fn season_length_at(&self, freq: Freq) -> SeasonLength {
        self.season_length.unwrap_or_else(|| freq.season_length())
    }

    /// Returns the steps between cutoffs.
    pub fn fold_stride_at(&self, freq: Freq) -> usize {
        self.fold_stride.unwrap_or_else(|| self.horizon_at(freq).steps())
    }
}

impl CanonicalJson for TableSource {}
impl CanonicalJson for DataSettings {}
impl CanonicalJson for CsvSettings {}
impl CanonicalJson for FeatureSettings {}
impl CanonicalJson for ForecastSettings {}
impl CanonicalJson for ModelSettings {}
impl CanonicalJson for CheckSettings {}
impl CanonicalJson for GateSettings {}

// serde asks for `&Option<T>` and `&Vec<T>` in the signatures below.

#[expect(clippy::ref_option, reason = "serde's signature")]
fn shown_option<S: Serializer>(value: &Option<Freq>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| value.to_string()).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn identity<S: Serializer>(value: &Option<SourceSpec>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(SourceSpec::identity).serialize(serializer)
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn horizon_steps<S: Serializer>(value: &Option<Horizon>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(Horizon::steps).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn season_steps<S: Serializer>(value: &Option<SeasonLength>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(SeasonLength::steps).serialize(serializer)
}

fn probabilities<S: Serializer>(value: &[Quantile], serializer: S) -> Result<S::Ok, S::Error> {
    value.iter().map(|quantile| quantile.probability()).collect::<Vec<_>>().serialize(serializer)
}

fn seed_number<S: Serializer>(value: &Seed, serializer: S) -> Result<S::Ok, S::Error> {
    value.0.serialize(serializer)
}
