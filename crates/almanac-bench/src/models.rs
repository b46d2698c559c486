//! Models of single series by the names of the configuration.

use almanac_model::{Forecaster, Local, LocalForecaster};
use almanac_prophet::Prophet;
use almanac_stats::{
    Adida, AutoArima, AutoCes, AutoEts, AutoIntermittent, AutoTheta, Croston, CrostonOptimized, Drift, HistoricAverage, Holt, HoltWinters,
    Imapa, Mstl, Naive, Sba, SeasonalNaive, SeasonalWindowAverage, Ses, Theta, ThetaForm, Tsb, WindowAverage, YearOverYear,
};

pub(crate) fn by_name(name: &str) -> Option<Box<dyn Forecaster>> {
    let theta = |form| local(Theta { form, ..Theta::default() });
    Some(match name {
        "naive" => local(Naive),
        "seasonal_naive" => local(SeasonalNaive::default()),
        "drift" => local(Drift),
        "historic_average" => local(HistoricAverage),
        "window_average" => local(WindowAverage::default()),
        "seasonal_window_average" => local(SeasonalWindowAverage::default()),
        "year_over_year" => local(YearOverYear::default()),
        "ses" => local(Ses),
        "holt" => local(Holt),
        "holt_winters" => local(HoltWinters::default()),
        "croston" => local(Croston),
        "croston_optimized" => local(CrostonOptimized),
        "sba" => local(Sba),
        "tsb" => local(Tsb::fixed(0.2, 0.1)),
        "adida" => local(Adida),
        "imapa" => local(Imapa),
        "auto_intermittent" => local(AutoIntermittent),
        "theta" => theta(ThetaForm::Standard),
        "optimized_theta" => theta(ThetaForm::Optimized),
        "dynamic_theta" => theta(ThetaForm::Dynamic),
        "dynamic_optimized_theta" => theta(ThetaForm::DynamicOptimized),
        "auto_theta" => local(AutoTheta::default()),
        "auto_ces" => local(AutoCes::default()),
        "auto_ets" => local(AutoEts::default()),
        "auto_arima" => local(AutoArima::default()),
        "mstl" => local(Mstl::default()),
        "prophet" => Box::new(Prophet::default()),
        _ => return None,
    })
}

fn local(model: impl LocalForecaster + 'static) -> Box<dyn Forecaster> {
    Box::new(Local::new(model))
}
