//! `[models.lightgbm]` and `[models.xgboost]`: what the models of trees are told.
//!
//! Not here: what the settings do (`almanac-trees`).

use std::collections::BTreeMap;

use super::{Resolver, unknown_name};
use crate::file::{LightGbmSection, ModelsSection, XgBoostSection};
use crate::settings::{
    DataSettings, LightGbmSettings, ModelSettings, TreeObjective, TreePool, TreeSettings, TreeStrategy, XgBoostSettings,
};
use crate::{ConfigError, Problem, ProjectFile};

/// The keys that both sections have.
struct Common<'f> {
    section: &'static str,
    objective: Option<&'f str>,
    tweedie_power: Option<f64>,
    quantile: Option<f64>,
    quantiles: Option<bool>,
    strategy: Option<&'f str>,
    block: Option<usize>,
    pool: Option<&'f str>,
    early_stopping: Option<usize>,
    monotone: &'f BTreeMap<String, i64>,
    weights: Option<&'f str>,
    bag: Option<usize>,
    trees: Option<usize>,
    learning_rate: Option<f64>,
    max_bin: Option<usize>,
}

macro_rules! trees {
    ($type:ty, $section:literal) => {
        impl<'f> From<&'f $type> for Common<'f> {
            fn from(of: &'f $type) -> Self {
                Self {
                    section: $section,
                    objective: of.objective.as_deref(),
                    tweedie_power: of.tweedie_power,
                    quantile: of.quantile,
                    quantiles: of.quantiles,
                    strategy: of.strategy.as_deref(),
                    block: of.block,
                    pool: of.pool.as_deref(),
                    early_stopping: of.early_stopping,
                    monotone: &of.monotone,
                    weights: of.weights.as_deref(),
                    bag: of.bag,
                    trees: of.trees,
                    learning_rate: of.learning_rate,
                    max_bin: of.max_bin,
                }
            }
        }
    };
}
trees!(LightGbmSection, "models.lightgbm");
trees!(XgBoostSection, "models.xgboost");

impl Resolver<'_> {
    pub(super) fn models(&self, file: &ProjectFile, default: &ProjectFile, data: &DataSettings) -> ModelSettings {
        let (ModelsSection { lightgbm, xgboost }, standard) = (&file.models, &default.models);
        ModelSettings {
            lightgbm: LightGbmSettings {
                trees: self.trees(&lightgbm.into(), &(&standard.lightgbm).into(), data),
                num_leaves: self.least("models.lightgbm.num_leaves", lightgbm.num_leaves, 2, "2 or more"),
                min_data_in_leaf: lightgbm.min_data_in_leaf,
                feature_fraction: self
                    .part("models.lightgbm.feature_fraction", lightgbm.feature_fraction.or(standard.lightgbm.feature_fraction)),
                bagging_fraction: self
                    .part("models.lightgbm.bagging_fraction", lightgbm.bagging_fraction.or(standard.lightgbm.bagging_fraction)),
                lambda_l2: self.not_negative("models.lightgbm.lambda_l2", lightgbm.lambda_l2.or(standard.lightgbm.lambda_l2)),
            },
            xgboost: XgBoostSettings {
                trees: self.trees(&xgboost.into(), &(&standard.xgboost).into(), data),
                max_depth: self.least("models.xgboost.max_depth", xgboost.max_depth, 1, "1 or more"),
                min_child_weight: xgboost.min_child_weight.map(|weight| self.not_negative("models.xgboost.min_child_weight", Some(weight))),
                colsample_bytree: self
                    .part("models.xgboost.colsample_bytree", xgboost.colsample_bytree.or(standard.xgboost.colsample_bytree)),
                subsample: self.part("models.xgboost.subsample", xgboost.subsample.or(standard.xgboost.subsample)),
                lambda: self.not_negative("models.xgboost.lambda", xgboost.lambda.or(standard.xgboost.lambda)),
            },
        }
    }

    fn trees(&self, given: &Common<'_>, standard: &Common<'_>, data: &DataSettings) -> TreeSettings {
        let key = |name: &str| format!("{}.{name}", given.section);
        let power = given.tweedie_power.or(standard.tweedie_power).unwrap_or_default();
        self.check(&key("tweedie_power"), power > 1.0 && power < 2.0, "a number between 1 and 2", power);
        let probability = given.quantile.or(standard.quantile).unwrap_or_default();
        self.check(&key("quantile"), probability > 0.0 && probability < 1.0, "a probability between 0 and 1", probability);
        let objectives = [
            ("auto", TreeObjective::Auto),
            ("l2", TreeObjective::L2),
            ("l1", TreeObjective::L1),
            ("poisson", TreeObjective::Poisson),
            ("tweedie", TreeObjective::Tweedie { power }),
            ("log_ratio", TreeObjective::LogRatio),
            ("quantile", TreeObjective::Quantile { probability }),
        ];
        let steps = self.at_least_one(&key("block"), given.block.or(standard.block).unwrap_or_default());
        let strategies = [
            ("direct", TreeStrategy::Direct),
            ("blocks", TreeStrategy::Blocks { steps }),
            ("recursive", TreeStrategy::Recursive),
            ("average", TreeStrategy::Average),
        ];
        let rate = given.learning_rate;
        self.check(&key("learning_rate"), rate.is_none_or(|rate| rate > 0.0 && rate <= 1.0), "above 0 and at most 1", rate.unwrap_or(0.0));
        let max_bin = given.max_bin.or(standard.max_bin).unwrap_or_default();
        self.check(&key("max_bin"), (2..=65_535).contains(&max_bin), "between 2 and 65535", max_bin);
        let positive = |name: &str, given: Option<usize>| given.map(|count| self.at_least_one(&key(name), count));
        TreeSettings {
            objective: self.word(&key("objective"), given.objective, standard.objective, &objectives),
            quantiles: given.quantiles.or(standard.quantiles).unwrap_or_default(),
            strategy: self.word(&key("strategy"), given.strategy, standard.strategy, &strategies),
            pool: self.keep(self.pool(&key("pool"), given.pool.or(standard.pool).unwrap_or("whole"), data), TreePool::Whole),
            early_stopping: given.early_stopping.or(standard.early_stopping).filter(|trees| *trees > 0),
            monotone: self.monotone(&key("monotone"), given.monotone, data),
            by_value: self.word(&key("weights"), given.weights, standard.weights, &[("level", false), ("value", true)]),
            bag: positive("bag", given.bag),
            trees: positive("trees", given.trees),
            learning_rate: rate,
            max_bin,
        }
    }

    fn pool(&self, key: &str, given: &str, data: &DataSettings) -> Result<TreePool, ConfigError> {
        let (word, column) = given.split_once(':').map_or((given, ""), |(word, column)| (word, column.trim()));
        let pool = match word {
            "whole" if column.is_empty() => return Ok(TreePool::Whole),
            "by" if !column.is_empty() => TreePool::By(column.to_owned()),
            "both" if !column.is_empty() => TreePool::Both(column.to_owned()),
            _ => {
                let expected = "`whole`, `by:COLUMN` or `both:COLUMN`, with an id or static column";
                return Err(self.invalid(key, Problem::NotA { expected, given: given.to_owned() }));
            }
        };
        let known = || data.id.iter().chain(&data.static_columns).map(String::as_str);
        let is_known = known().any(|known| known == column) || self.is_wrong(&["data.id", "data.static"]);
        if is_known { Ok(pool) } else { Err(self.invalid(key, unknown_name(column, known()))) }
    }

    fn monotone(&self, key: &str, given: &BTreeMap<String, i64>, data: &DataSettings) -> BTreeMap<String, i8> {
        let known = || data.future.iter().chain(&data.historic).chain(&data.static_columns).map(String::as_str);
        let mut columns = BTreeMap::new();
        for (column, direction) in given {
            let own = format!("{key}.{column}");
            let direction = i8::try_from(*direction).ok().filter(|direction| matches!(direction, -1..=1));
            if !known().any(|name| name == column) && !self.is_wrong(&["data.future", "data.historic", "data.static"]) {
                self.note(self.invalid(&own, unknown_name(column, known())));
            } else if direction.is_none() {
                let expected = "1 (up with the value) or -1 (down)";
                self.note(self.invalid(&own, Problem::NotA { expected, given: given[column].to_string() }));
            }
            columns.extend(direction.map(|direction| (column.clone(), direction)));
        }
        columns
    }

    fn check(&self, key: &str, is_right: bool, expected: &'static str, given: impl ToString) {
        if !is_right {
            self.note(self.invalid(key, Problem::NotA { expected, given: given.to_string() }));
        }
    }

    fn least(&self, key: &str, given: Option<usize>, least: usize, expected: &'static str) -> Option<usize> {
        self.check(key, given.is_none_or(|given| given >= least), expected, given.unwrap_or_default());
        given
    }

    /// A share of which there must be some.
    fn part(&self, key: &str, given: Option<f64>) -> f64 {
        let share = given.unwrap_or_default();
        self.check(key, share > 0.0 && share <= 1.0, "a share above 0 and at most 1", share);
        share
    }

    fn not_negative(&self, key: &str, given: Option<f64>) -> f64 {
        let number = given.unwrap_or_default();
        self.check(key, number >= 0.0 && number.is_finite(), "0 or more", number);
        number
    }
}
