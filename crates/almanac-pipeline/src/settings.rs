//! What a run is asked to do, already checked. The binary makes it from the project's configuration.

use std::path::PathBuf;
use std::time::Duration;

use almanac_data::{SilverSpec, TableSpec};
use almanac_evaluate::GateConfig;
use almanac_features::FeatureSpec;
use almanac_series::{Horizon, Quantile, SeasonLength, Seed};

use crate::checks::Checks;
use crate::models::Field;

/// What a run does about tables that drifted since the last version that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftGate {
    /// Whether it is said, or the run stops.
    pub severity: almanac_expect::Severity,
    /// Columns whose drift alone is that grave; that of others is said.
    pub columns: Vec<String>,
    /// What counts as drift.
    pub options: almanac_profile::DriftOptions,
}

/// Settings of a run.
#[derive(Debug, Clone)]
pub struct PipelineSettings {
    /// Source tables.
    pub tables: Vec<TableSpec>,
    /// Names of personal columns that hold for every table, to be found in at least one.
    pub personal: Vec<String>,
    /// Query over the tables that gives the long table; `None` takes the only table as it is.
    pub sql: Option<String>,
    /// Table or query that gives rows known ahead, without a target.
    pub future_sql: Option<String>,
    /// How the long table becomes the regular panel.
    pub silver: SilverSpec,
    /// What the data must keep to, layer by layer.
    pub checks: Checks,
    /// Columns of which no value is shown in profiles, validations and reports.
    pub hidden: Vec<String>,
    /// Suites of expectations, layer by layer.
    pub suites: Vec<crate::PlacedSuite>,
    /// What a run does about tables that drifted; `None` does not look.
    pub drift: Option<DriftGate>,
    /// Column of the sources that holds the time.
    pub time: String,
    /// As-of features of the gold layer; `None` takes the usual ones of the frequency.
    pub features: Option<FeatureSpec>,
    /// Paths of static columns, top down: `region/store`.
    pub hierarchy: Vec<String>,
    /// Column whose product with `y` is the value of a row.
    pub price: Option<String>,
    /// Names of the models to compare, beside those of `auto`.
    pub models: Vec<String>,
    /// Whether to add the models that suit the panel ([`crate::ModelFactory::field`]).
    pub auto: bool,
    /// Processor time that the models of `auto` may take.
    pub budget: Duration,
    /// Steps ahead.
    pub horizon: Horizon,
    /// Quantiles of the forecast table, ascending.
    pub quantiles: Vec<Quantile>,
    /// Cutoffs of the backtest.
    pub folds: usize,
    /// Steps between cutoffs; `None` chooses by the length of the history.
    pub fold_stride: Option<usize>,
    /// Season; `None` takes that of the frequency.
    pub season_length: Option<SeasonLength>,
    /// Seed of everything random.
    pub seed: Seed,
    /// What the champion must beat.
    pub gates: GateConfig,
    /// Memory for queries, in bytes.
    pub memory: usize,
    /// Folder where the relative paths of the sources start.
    pub root: PathBuf,
    /// The configuration as text, kept with the run.
    pub config_text: String,
}

impl PipelineSettings {
    /// Adds the models of a field to those named.
    pub(crate) fn add_models(&mut self, field: &Field) {
        for (name, _) in &field.models {
            if !self.models.contains(name) {
                self.models.push(name.clone());
            }
        }
    }
}
