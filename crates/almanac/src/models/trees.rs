//! What `[models.lightgbm]` and `[models.xgboost]` say, for the models of trees.

use almanac_config::{LightGbmSettings, ModelSettings, TreeObjective, TreePool, TreeSettings, TreeStrategy, XgBoostSettings};
use almanac_trees::{GlobalConfig, LightGbmConfig, Objective, Pool, Strategy, Weights, XgBoostConfig};

use super::Models;

/// Returns the configuration of LightGBM in a project.
pub(super) fn lightgbm(models: &Models) -> LightGbmConfig {
    let global = models.global();
    let Some(ModelSettings {
        lightgbm: LightGbmSettings { trees, num_leaves, min_data_in_leaf, feature_fraction, bagging_fraction, lambda_l2 },
        ..
    }) = &models.settings
    else {
        return LightGbmConfig { global, ..LightGbmConfig::default() };
    };
    LightGbmConfig {
        global: told(global, trees),
        trees: trees.trees,
        num_leaves: *num_leaves,
        learning_rate: trees.learning_rate,
        min_data_in_leaf: *min_data_in_leaf,
        feature_fraction: *feature_fraction,
        bagging_fraction: *bagging_fraction,
        lambda_l2: *lambda_l2,
        max_bin: trees.max_bin,
    }
}

/// Returns the configuration of LightGBM that forecasts one step and goes on from there.
pub(super) fn recursive(models: &Models) -> LightGbmConfig {
    let direct = lightgbm(models);
    LightGbmConfig { global: GlobalConfig { strategy: Strategy::Recursive, quantiles: false, ..direct.global }, ..direct }
}

/// Returns the configuration of XGBoost in a project, but for where its library lies.
pub(super) fn xgboost(models: &Models) -> XgBoostConfig {
    let global = models.global();
    let Some(ModelSettings {
        xgboost: XgBoostSettings { trees, max_depth, min_child_weight, colsample_bytree, subsample, lambda }, ..
    }) = &models.settings
    else {
        return XgBoostConfig { global, ..XgBoostConfig::default() };
    };
    XgBoostConfig {
        global: told(global, trees),
        trees: trees.trees,
        max_depth: *max_depth,
        learning_rate: trees.learning_rate,
        min_child_weight: *min_child_weight,
        colsample_bytree: *colsample_bytree,
        subsample: *subsample,
        lambda: *lambda,
        max_bin: trees.max_bin,
        ..XgBoostConfig::default()
    }
}

fn told(global: GlobalConfig, trees: &TreeSettings) -> GlobalConfig {
    GlobalConfig {
        objective: match trees.objective {
            TreeObjective::Auto => Objective::Auto,
            TreeObjective::L2 => Objective::Ratio,
            TreeObjective::L1 => Objective::Absolute,
            TreeObjective::Poisson => Objective::Poisson,
            TreeObjective::Tweedie { power } => Objective::Tweedie { power },
            TreeObjective::LogRatio => Objective::LogRatio,
            TreeObjective::Quantile { probability } => Objective::Quantile { probability },
        },
        strategy: match trees.strategy {
            TreeStrategy::Direct => Strategy::Direct,
            TreeStrategy::Blocks { steps } => Strategy::Blocks { steps },
            TreeStrategy::Recursive => Strategy::Recursive,
            TreeStrategy::Average => Strategy::Average,
        },
        pool: match &trees.pool {
            TreePool::Whole => Pool::Whole,
            TreePool::By(column) => Pool::By(column.clone()),
            TreePool::Both(column) => Pool::Both(column.clone()),
        },
        quantiles: trees.quantiles,
        early_stopping: trees.early_stopping,
        monotone: trees.monotone.clone(),
        weights: if trees.by_value { Weights::Value } else { Weights::Level },
        bag: trees.bag,
        ..global
    }
}
