//! From raw files to issued forecasts: the steps as assets, in order, resumable, with gates between them.
//!
//! [`run`] is the whole job. Each step is an asset: made only if its inputs, its part of the configuration or its code changed, and
//! recorded only when its outputs are on disk. Models, stores and clocks are given by the caller.
//!
//! Not here: HTTP, the terminal, concrete models, how files are read (`almanac-data`) or scores computed (`almanac-evaluate`).

mod asset;
mod audit;
mod bundle;
mod card;
mod champion;
mod checks;
mod closures;
mod erasure;
mod error;
mod expectations;
mod feature_sources;
mod fingerprint;
mod judged;
mod known_ahead;
mod land;
mod models;
mod panel;
mod profiles;
mod progress;
mod project;
mod run;
mod scenario;
mod settings;
mod sources;
mod steps;
mod trial;

pub use asset::{Record, records};
pub use audit::{CutoffAudit, audit_leakage};
pub use bundle::{Bundle, BundleFile, BundleForecast, Fallback, LevelForecast};
pub use champion::{Champion, read_bundle_file, read_champion, read_latest_selection, read_selection};
pub use checks::{BuiltIn, CHECKS, Checks, built_in};
pub use erasure::{ErasureSite, erase_subject, models_that_learnt, site};
pub use error::{PipelineError, RunError};
pub use expectations::{LAYERS, PlacedSuite, history, judge, read_placed, read_suites, tables};
pub use feature_sources::{FeatureSources, FilePrivacy};
pub use fingerprint::Fingerprint;
pub use judged::{SqlOverFiles, open_source};
pub use known_ahead::{Given, Unfit, fill_ahead};
pub use land::{LandContext, LandedTable, OutsideTable, land_tables, landed_files};
pub use models::{Field, ModelFactory};
pub use profiles::profile_source;
pub use progress::{Event, Observer, Silent};
pub use project::Project;
pub use run::{Outside, RunOptions, RunSummary, Until, run};
pub use scenario::{Scenario, ScenarioError, ScenarioNames};
pub use settings::{DriftGate, PipelineSettings};
pub use steps::backtest::{FoldSummary, FoldsSummary};
pub use steps::check::GateSummary;
pub use steps::drift::DriftSummary;
pub use steps::field::{FieldSummary, models_of};
pub use steps::forecast::{ForecastSummary, SkippedSeries};
pub use steps::gold::GoldSummary;
pub use steps::select::{Selection, SelectionSummary};
pub use trial::try_out;

/// Name of the ensemble among the models.
pub const ENSEMBLE: &str = "ensemble";
