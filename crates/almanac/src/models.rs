//! The models this program knows, by name: the one place where concrete models are composed.

mod field;
mod renamed;
mod trees;

use std::time::Duration;

use almanac_config::ModelSettings;
use almanac_evaluate::PanelProfile;
use almanac_features::FeatureSpec;
use almanac_model::{FittedForecaster, Forecaster, Local, PredictError};
use almanac_pipeline::{Field, ModelFactory};
use almanac_prophet::Prophet;
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, SeasonLength, Seed};
use almanac_stats::{
    Adida, AutoArima, AutoCes, AutoEts, AutoIntermittent, AutoTheta, Croston, CrostonOptimized, Drift, HistoricAverage, Holt, HoltWinters,
    Imapa, Mstl, Naive, Sba, SeasonalNaive, SeasonalWindowAverage, Ses, Theta, ThetaForm, Tsb, WindowAverage, YearOverYear,
};
use almanac_trees::{GlobalConfig, GlobalLightGbm, GlobalLinear, GlobalXgBoost, LinearConfig, LinearMethod, XgBoostConfig};

use crate::xgboost;
use renamed::Renamed;

/// LightGBM with the recursive strategy, whatever `[models.lightgbm]` says of it.
const RECURSIVE: &str = "lightgbm_recursive";
/// `auto_arima` with the known-ahead columns of numbers as regressors.
const ARIMAX: &str = "arimax";

/// Makes models with the settings of one project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Models {
    /// Season, where it is not that of the frequency.
    pub(crate) season_length: Option<SeasonLength>,
    /// Country whose holidays count.
    pub(crate) country: Option<String>,
    /// Features, where they are not the usual ones.
    pub(crate) features: Option<FeatureSpec>,
    /// Rows that a global model learns from at most.
    pub(crate) max_train_rows: usize,
    /// Threads of the global models; does not change a number.
    pub(crate) threads: usize,
    /// Column with the value of one unit.
    pub(crate) price: Option<String>,
    /// What the file says of single models; `None` for what is usual.
    pub(crate) settings: Option<ModelSettings>,
    /// Known-ahead columns that hold codes of texts.
    pub(crate) categorical_future: Vec<String>,
}

impl Models {
    fn global(&self) -> GlobalConfig {
        GlobalConfig {
            max_train_rows: self.max_train_rows,
            num_threads: self.threads,
            features: self.features.clone(),
            country: self.country.clone(),
            season_length: self.season_length.map(SeasonLength::steps),
            categorical_future: self.categorical_future.clone(),
            price: self.price.clone(),
            ..GlobalConfig::default()
        }
    }

    fn linear(&self) -> LinearConfig {
        let LinearConfig { global: GlobalConfig { bag, .. }, .. } = LinearConfig::default();
        LinearConfig { global: GlobalConfig { bag, ..self.global() }, ..LinearConfig::default() }
    }

    fn prophet(&self) -> Prophet {
        Prophet { country: self.country.clone(), left_out: self.categorical_future.clone(), ..Prophet::default() }
    }
}

impl ModelFactory for Models {
    fn forecaster(&self, name: &str) -> Option<Box<dyn Forecaster>> {
        let season_length = self.season_length;
        Some(match name {
            "naive" => Box::new(Local::new(Naive)),
            "seasonal_naive" => Box::new(Local::new(SeasonalNaive { season_length })),
            "window_average" => Box::new(Local::new(WindowAverage::default())),
            "seasonal_window_average" => Box::new(Local::new(SeasonalWindowAverage { season_length, window: None })),
            "year_over_year" => Box::new(Local::new(YearOverYear { season_length })),
            "drift" => Box::new(Local::new(Drift)),
            "historic_average" => Box::new(Local::new(HistoricAverage)),
            "ses" => Box::new(Local::new(Ses)),
            "croston" => Box::new(Local::new(Croston)),
            "croston_optimized" => Box::new(Local::new(CrostonOptimized)),
            "sba" => Box::new(Local::new(Sba)),
            "tsb" => Box::new(Local::new(Tsb::default())),
            "adida" => Box::new(Local::new(Adida)),
            "imapa" => Box::new(Local::new(Imapa)),
            "auto_intermittent" => Box::new(Local::new(AutoIntermittent)),
            "holt" => Box::new(Local::new(Holt)),
            "holt_winters" => Box::new(Local::new(HoltWinters { season_length })),
            "mstl" => Box::new(Local::new(Mstl { season_lengths: season_length.into_iter().collect(), robust: false })),
            "auto_ets" => Box::new(Local::new(AutoEts { season_length })),
            "theta" => Box::new(Local::new(Theta { form: ThetaForm::Standard, season_length })),
            "optimized_theta" => Box::new(Local::new(Theta { form: ThetaForm::Optimized, season_length })),
            "dynamic_theta" => Box::new(Local::new(Theta { form: ThetaForm::Dynamic, season_length })),
            "dynamic_optimized_theta" => Box::new(Local::new(Theta { form: ThetaForm::DynamicOptimized, season_length })),
            "auto_ces" => Box::new(Local::new(AutoCes { season_length })),
            "auto_theta" => Box::new(Local::new(AutoTheta { season_length })),
            "ridge" | "lasso" | "elastic_net" | "hurdle" => Box::new(GlobalLinear::new(LinearMethod::from_name(name)?, self.linear())),
            "prophet" => Box::new(self.prophet()),
            "auto_arima" => Box::new(Local::new(AutoArima { season_length, exog: false })),
            ARIMAX => Box::new(Renamed { name: ARIMAX, model: Local::new(AutoArima { season_length, exog: true }) }),
            "xgboost" => {
                let (library, candidates) = (xgboost::named(), xgboost::installed());
                Box::new(GlobalXgBoost::new(XgBoostConfig { library, candidates, ..trees::xgboost(self) }))
            }
            "lightgbm" => Box::new(GlobalLightGbm::new(trees::lightgbm(self))),
            RECURSIVE => Box::new(Renamed { name: RECURSIVE, model: GlobalLightGbm::new(trees::recursive(self)) }),
            _ => return None,
        })
    }

    fn load(&self, name: &str, state: &str) -> Result<Box<dyn FittedForecaster>, PredictError> {
        let library = |message: String| PredictError::Library { model: name.to_owned(), message };
        match name {
            "lightgbm" => return GlobalLightGbm::load(state).map_err(|error| library(error.to_string())),
            RECURSIVE => {
                let model = GlobalLightGbm::load(state).map_err(|error| library(error.to_string()))?;
                return Ok(Box::new(Renamed { name: RECURSIVE, model }));
            }
            "xgboost" => return GlobalXgBoost::load(state).map_err(|error| library(error.to_string())),
            _ => {}
        }
        if let Some(method) = LinearMethod::from_name(name) {
            return GlobalLinear::load(method, state).map_err(|error| library(error.to_string()));
        }
        let forecaster = self.forecaster(name).ok_or_else(|| library("this program has no model of this name".into()))?;
        // Models of one series at a time learn nothing across series, so that any panel will do.
        let horizon = Horizon::new(1).expect("at least 1");
        forecaster.fit(&no_series(), horizon, Seed(0)).map_err(|error| library(error.to_string()))
    }

    fn describe(&self, name: &str) -> String {
        match name {
            "lightgbm" => format!("{:?}", trees::lightgbm(&Self { threads: 0, ..self.clone() })),
            RECURSIVE => format!("{:?}", trees::recursive(&Self { threads: 0, ..self.clone() })),
            "xgboost" => format!("{:?}", trees::xgboost(&Self { threads: 0, ..self.clone() })),
            "ridge" | "lasso" | "elastic_net" | "hurdle" => format!("{name} {:?}", Self { threads: 0, ..self.clone() }.linear()),
            "prophet" => format!("{:?}", self.prophet()),
            _ => format!("{name} {:?}", self.season_length),
        }
    }

    fn field(&self, profile: &PanelProfile, fits: usize, budget: Duration) -> Field {
        field::field(profile, &trees::lightgbm(self), fits, budget)
    }
}

fn no_series() -> Panel {
    PanelBuilder::new(Freq::Step, &[], &[]).finish(Vec::new()).expect("no series, no duplicates")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_that_the_configuration_names_can_be_made() {
        let models = Models::default();
        for name in almanac_config::MODELS {
            assert_eq!(models.forecaster(name).map(|model| model.name().to_owned()).as_deref(), Some(*name));
        }
    }

    #[test]
    fn a_model_says_whether_what_is_known_ahead_changes_its_forecast() {
        let uses = |name: &str| Models::default().forecaster(name).expect("it is there").abilities().exog;
        assert!(["prophet", "lightgbm", "lightgbm_recursive", "ridge", "arimax"].into_iter().all(uses));
        assert!(!["auto_arima", "auto_ets", "naive"].into_iter().any(uses));
    }
}
