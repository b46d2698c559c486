//! Configuration of the global models: plain data, with defaults that follow the number of training rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use almanac_features::FeatureSpec;
use serde::{Deserialize, Serialize};

use crate::choices::{Pool, Strategy, Weights};
use crate::quantiles::GRID;
use crate::rows::draws_each;

/// What the trees are trained to minimise.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Told from the targets: [`Self::Ratio`] if many are negative, [`Self::LogRatio`] if all are positive, else
    /// [`Self::Tweedie`] with a power of 1.1, or of 1.2 where many are zero.
    #[default]
    Auto,
    /// Tweedie deviance of the target over its local level; for counts with many zeros.
    Tweedie {
        /// Variance power, between 1 (Poisson) and 2 (gamma).
        power: f64,
    },
    /// Squared error of the logarithm of the target over its local level; for positive amounts.
    LogRatio,
    /// Squared error of the target over its local level (L2); for anything.
    Ratio,
    /// Absolute error of the target over its local level (L1), rows weighed by that level: a median, which bursts do not move.
    Absolute,
    /// Poisson deviance of the target over its local level; for counts.
    Poisson,
    /// Pinball loss of the target over its local level: the forecast is this quantile instead of a mean.
    Quantile {
        /// Probability, strictly between 0 and 1.
        probability: f64,
    },
}

/// What a global model learns from and how its rows are made, whichever library grows the trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GlobalConfig {
    /// What is minimised.
    pub objective: Objective,
    /// Training rows at most: the newest ones, and a sample of those before.
    pub max_train_rows: usize,
    /// Models trained on differently drawn steps and seeds, whose forecasts are averaged. `None` leaves it to the number of rows.
    pub bag: Option<usize>,
    /// Threads of the library; 0 for one per core. Does not change the result.
    pub num_threads: usize,
    /// Features, where the usual ones of the frequency will not do.
    pub features: Option<FeatureSpec>,
    /// Country of the public holidays, ISO code or English name.
    pub country: Option<String>,
    /// Main season in rows, where the frequency does not tell.
    pub season_length: Option<usize>,
    /// Known-ahead columns that hold codes without order.
    pub categorical_future: Vec<String>,
    /// Which model forecasts which step.
    pub strategy: Strategy,
    /// Which series learn together.
    pub pool: Pool,
    /// Whether the model gives quantiles of its own: one more model for each of seven probabilities, other ones between them.
    pub quantiles: bool,
    /// Trees without gain on the newest periods, held out, after which a model stops growing; it is then grown again on all
    /// rows. `None` grows all trees.
    pub early_stopping: Option<usize>,
    /// Columns that may move a forecast one way only: 1 upwards with the value, -1 downwards. Holds strictly for columns of
    /// amounts, such as a price, in direct forecasts; not at all for absolute errors and quantiles, whose leaves are set from the
    /// labels alone.
    pub monotone: BTreeMap<String, i8>,
    /// What a row weighs.
    pub weights: Weights,
    /// Column with the value of one unit, for [`Weights::Value`].
    pub price: Option<String>,
}

impl Default for GlobalConfig {
    fn default() -> Self {
        Self {
            objective: Objective::Auto,
            max_train_rows: 2_500_000,
            bag: None,
            num_threads: 0,
            features: None,
            country: None,
            season_length: None,
            categorical_future: Vec::new(),
            strategy: Strategy::Direct,
            pool: Pool::Whole,
            quantiles: false,
            early_stopping: None,
            monotone: BTreeMap::new(),
            weights: Weights::Level,
            price: None,
        }
    }
}

impl GlobalConfig {
    /// Few rows take more models, so that chance averages out; many rows take a single one, so that time stays bounded.
    pub(crate) fn bag(&self, rows: usize) -> usize {
        let usual = match rows {
            0..2_000 => 5,
            2_000..20_000 => 3,
            20_000..450_000 => 2,
            _ => 1,
        };
        self.bag.unwrap_or(usual).max(1)
    }
}

/// Configuration of [`crate::GlobalLightGbm`]. `None` leaves a choice to the number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LightGbmConfig {
    /// What is learnt from.
    pub global: GlobalConfig,
    /// Trees per model.
    pub trees: Option<usize>,
    /// Leaves per tree.
    pub num_leaves: Option<usize>,
    /// Shrinkage of each tree.
    pub learning_rate: Option<f64>,
    /// Rows a leaf needs.
    pub min_data_in_leaf: Option<usize>,
    /// Share of features each tree sees.
    pub feature_fraction: f64,
    /// Share of rows each tree sees.
    pub bagging_fraction: f64,
    /// L2 penalty on leaf values.
    pub lambda_l2: f64,
    /// Bins per feature.
    pub max_bin: usize,
}

impl Default for LightGbmConfig {
    fn default() -> Self {
        Self {
            global: GlobalConfig::default(),
            trees: None,
            num_leaves: None,
            learning_rate: None,
            min_data_in_leaf: None,
            feature_fraction: 0.5,
            bagging_fraction: 0.75,
            lambda_l2: 1.0,
            max_bin: 255,
        }
    }
}

impl LightGbmConfig {
    /// Returns how many trees see how many rows in a fit on a panel of so many rows: what the time of a fit grows with. Blocks of steps
    /// take that for each block.
    pub fn tree_rows(&self, panel_rows: usize) -> f64 {
        let rows = (panel_rows * draws_each(panel_rows)).min(self.global.max_train_rows);
        let trees = self.trees.unwrap_or(Size::usual(rows).trees);
        let quantiles = if self.global.quantiles { GRID.len() } else { 0 };
        let pools = if self.global.pool.is_whole() { 1 } else { 2 };
        let strategies = if self.global.strategy == Strategy::Average { 2 } else { 1 };
        (trees * (self.global.bag(rows) * strategies + quantiles) * pools) as f64 * rows as f64
    }
}

/// Configuration of [`crate::GlobalXgBoost`]. `None` leaves a choice to the number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XgBoostConfig {
    /// What is learnt from.
    pub global: GlobalConfig,
    /// The file of the library: this one and no other.
    pub library: Option<PathBuf>,
    /// Where the library may lie, if no file is named; tried in order, then the places where the system looks.
    pub candidates: Vec<PathBuf>,
    /// Trees per model.
    pub trees: Option<usize>,
    /// Splits from the root to a leaf.
    pub max_depth: Option<usize>,
    /// Shrinkage of each tree.
    pub learning_rate: Option<f64>,
    /// Sum of second derivatives a leaf needs: about its number of rows.
    pub min_child_weight: Option<f64>,
    /// Share of features each tree sees.
    pub colsample_bytree: f64,
    /// Share of rows each tree sees.
    pub subsample: f64,
    /// L2 penalty on leaf values.
    pub lambda: f64,
    /// Bins per feature.
    pub max_bin: usize,
}

impl Default for XgBoostConfig {
    fn default() -> Self {
        Self {
            global: GlobalConfig::default(),
            library: None,
            candidates: Vec::new(),
            trees: None,
            max_depth: None,
            learning_rate: None,
            min_child_weight: None,
            colsample_bytree: 0.5,
            subsample: 0.75,
            lambda: 1.0,
            max_bin: 256,
        }
    }
}

/// The choices that follow the number of training rows, made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) trees: usize,
    /// Leaves of LightGBM's trees; two to the power of the depth of XGBoost's is about as many.
    pub(crate) leaves: usize,
    pub(crate) learning_rate: f64,
    pub(crate) rows_per_leaf: usize,
}

impl Size {
    /// Few rows take few leaves and more of them per leaf; many rows take fewer, larger trees, so that time stays bounded.
    pub(crate) fn usual(rows: usize) -> Self {
        let (trees, leaves, learning_rate, rows_per_leaf) = match rows {
            0..2_000 => (120, 7, 0.05, 10),
            2_000..20_000 => (250, 15, 0.05, 20),
            20_000..100_000 => (400, 31, 0.04, 40),
            100_000..450_000 => (400, 63, 0.05, 60),
            _ => (250, 63, 0.08, 100),
        };
        Self { trees, leaves, learning_rate, rows_per_leaf }
    }
}
