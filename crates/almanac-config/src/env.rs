//! Settings from outside the file: flags of the command line, and the short list of environment variables.
//!
//! Not here: which of them wins (`resolve`: flags over environment over file over defaults).

use crate::{ConfigError, Place, Problem};

/// An environment variable that Almanac reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: &'static str,
    /// The key of `almanac.toml` that it replaces.
    pub key: &'static str,
    /// The first version that read it.
    pub since: &'static str,
}

/// Every environment variable that replaces a setting.
pub const ENVIRONMENT: [EnvironmentVariable; 10] = [
    EnvironmentVariable { name: "ALMANAC_HORIZON", key: "forecast.horizon", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_MODELS", key: "forecast.models", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_BUDGET", key: "forecast.budget", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_FOLDS", key: "forecast.folds", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_SEED", key: "forecast.seed", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_THREADS", key: "run.threads", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_MEMORY_GB", key: "run.memory_gb", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_BACKEND_STORE", key: "tracking.backend_store", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_ARTIFACT_ROOT", key: "tracking.artifact_root", since: "0.1.0" },
    EnvironmentVariable { name: "ALMANAC_LISTEN", key: "serve.listen", since: "0.1.0" },
];

/// Settings that replace those of the file. The binary fills it from flags.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// `--horizon`
    pub horizon: Option<usize>,
    /// `--models`
    pub models: Option<Vec<String>>,
    /// `--budget`
    pub budget: Option<String>,
    /// `--folds`
    pub folds: Option<usize>,
    /// `--seed`
    pub seed: Option<u64>,
    /// `--threads`
    pub threads: Option<usize>,
    /// `--memory-gb`
    pub memory_gb: Option<f64>,
    /// `--backend-store`
    pub backend_store: Option<String>,
    /// `--artifact-root`
    pub artifact_root: Option<String>,
    /// `--listen`
    pub listen: Option<String>,
}

impl Overrides {
    /// Reads [`ENVIRONMENT`] through `lookup`; a variable that is empty counts as not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] naming the variable, if its text is not of the right type.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = |name: &'static str| lookup(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            horizon: number(read, "ALMANAC_HORIZON", "a whole number")?,
            models: read("ALMANAC_MODELS").map(|list| list.split(',').map(|name| name.trim().to_owned()).collect()),
            budget: read("ALMANAC_BUDGET"),
            folds: number(read, "ALMANAC_FOLDS", "a whole number")?,
            seed: number(read, "ALMANAC_SEED", "a whole number")?,
            threads: number(read, "ALMANAC_THREADS", "a whole number")?,
            memory_gb: number(read, "ALMANAC_MEMORY_GB", "a number")?,
            backend_store: read("ALMANAC_BACKEND_STORE"),
            artifact_root: read("ALMANAC_ARTIFACT_ROOT"),
            listen: read("ALMANAC_LISTEN"),
        })
    }
}

fn number<T: std::str::FromStr>(
    read: impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = read(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let key = ENVIRONMENT.iter().find(|known| known.name == name).map_or(name, |known| known.key);
        ConfigError::Invalid { at: Place::Environment(name), key: key.to_owned(), problem: Problem::NotA { expected, given: text }.into() }
    })
}
