//! Configuration: `almanac.toml`, the environment and flags become typed settings.
//!
//! Three types, three jobs: [`ProjectFile`] is what the file says (everything optional), [`Overrides`] what flags or the
//! environment say, [`Settings`] what a command gets (defaults filled in, everything checked). The default configuration is
//! the commented file [`DEFAULT_TOML`], so that documentation and defaults cannot part; `init` writes its answers into it.
//!
//! Not here: reading data to infer roles (`almanac-data`), building models from their names (the binary).

mod canonical;
mod env;
mod error;
mod file;
mod init;
mod keys;
mod names;
mod parse;
mod place;
mod resolve;
mod settings;

pub use canonical::CanonicalJson;
pub use env::{ENVIRONMENT, EnvironmentVariable, Overrides};
pub use error::{ConfigError, Problem};
pub use file::{Ask, AskNumbers, DriftLimits, ProjectFile, StringOrList};
pub use init::{InitAnswers, InitOutside, InitReason, InitTable, write_project};
pub use keys::DEFAULT_TOML;
pub use names::{ENSEMBLE, MODELS};
pub use place::Place;
pub use settings::{
    CheckSettings, CsvSettings, DataSettings, DriftSettings, DriftSeverity, Duplicates, FeatureSettings, ForecastSettings, GapPolicy,
    GateSettings, KeyPlace, LightGbmSettings, ModelSettings, Negatives, PersonalPolicy, PrivacySettings, RunSettings, ServeSettings,
    Settings, TableSource, TrackingSettings, TreeObjective, TreePool, TreeSettings, TreeStrategy, ValueType, XgBoostSettings,
};

/// Name of the configuration file in a project.
pub const PROJECT_FILE: &str = "almanac.toml";
