//! Which linear model, and its settings.

use serde::{Deserialize, Serialize};

use crate::GlobalConfig;

/// The linear models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearMethod {
    /// A penalty on squared coefficients: `ridge`.
    Ridge,
    /// A penalty on absolute coefficients, which leaves most columns out: `lasso`.
    Lasso,
    /// Both penalties: `elastic_net`.
    ElasticNet,
    /// The probability that anything is sold times how much it then is: `hurdle`. For targets with many zeros.
    Hurdle,
}

impl LinearMethod {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ridge, Self::Lasso, Self::ElasticNet, Self::Hurdle];

    /// Returns the name in configuration and leaderboards.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Lasso => "lasso",
            Self::ElasticNet => "elastic_net",
            Self::Hurdle => "hurdle",
        }
    }

    /// Finds a method by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// Configuration of [`crate::GlobalLinear`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearConfig {
    /// What is learnt from. An objective of deviance is a ratio here; a hurdle has its own.
    pub global: GlobalConfig,
    /// Strength of the penalty on columns of variance 1, as a share of a row's squared error; of the probability too. `None` chooses
    /// the one that foretells the newest fifth of the rows best.
    pub penalty: Option<f64>,
    /// Of an elastic net's penalty, the share on absolute coefficients.
    pub l1_ratio: f64,
}

impl Default for LinearConfig {
    fn default() -> Self {
        Self { global: GlobalConfig { bag: Some(1), ..GlobalConfig::default() }, penalty: None, l1_ratio: 0.5 }
    }
}
