//! Bundles of models made for the test: who stands in for whom.

use std::time::Duration;

use almanac_evaluate::PanelProfile;
use almanac_model::{FitError, Forecaster, Local, LocalForecast, LocalForecaster, PredictError};
use almanac_series::{Freq, PanelBuilder, Period, RowStatus, SeriesRows};

use super::*;
use crate::models::Field;
use crate::settings::PipelineSettings;

/// Forecasts its level for series of at least so many rows.
#[derive(Debug)]
struct Flat {
    name: &'static str,
    level: f64,
    needed: usize,
}

impl LocalForecaster for Flat {
    fn name(&self) -> &str {
        self.name
    }

    fn forecast(&self, series: &SeriesView<'_>, horizon: Horizon, quantiles: &[Quantile]) -> Result<LocalForecast, FitError> {
        if series.len() < self.needed {
            let (model, series_id) = (self.name.to_owned(), series.id().clone());
            return Err(FitError::TooShort { series: series_id, model, got: series.len(), needed: self.needed });
        }
        let h = horizon.steps();
        Ok(LocalForecast { mean: vec![self.level; h], quantile_values: vec![self.level; h * quantiles.len()] })
    }
}

#[derive(Debug)]
struct Flats;

impl ModelFactory for Flats {
    fn forecaster(&self, name: &str) -> Option<Box<dyn Forecaster>> {
        let flat = |name, level, needed| -> Option<Box<dyn Forecaster>> { Some(Box::new(Local::new(Flat { name, level, needed }))) };
        match name {
            "picky" => flat("picky", 100.0, 9),
            "seasonal_naive" => flat("seasonal_naive", 10.0, 5),
            "naive" => flat("naive", 1.0, 2),
            _ => None,
        }
    }

    fn load(&self, name: &str, _: &str) -> Result<Box<dyn FittedForecaster>, PredictError> {
        Err(PredictError::Library { model: name.to_owned(), message: "nothing was kept".into() })
    }

    fn describe(&self, name: &str) -> String {
        name.to_owned()
    }

    fn field(&self, _: &PanelProfile, _: usize, _: Duration) -> Field {
        Field::default()
    }
}

/// Series named after how many rows they have.
fn panel() -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &[]);
    for rows in [1, 3, 6, 9] {
        let start = Period(9 - rows as i64);
        let rows = SeriesRows { y: vec![1.0; rows], status: vec![RowStatus::Observed; rows], ..SeriesRows::default() };
        builder.push(format!("rows_{}", rows.y.len()).as_str().into(), start, rows).expect("columns agree");
    }
    builder.finish(vec![]).expect("keys are unique")
}

fn settings() -> PipelineSettings {
    PipelineSettings {
        hidden: Vec::new(),
        suites: Vec::new(),
        drift: None,
        time: "ds".into(),
        tables: vec![],
        sql: None,
        future_sql: None,
        silver: almanac_data::SilverSpec::default(),
        checks: crate::Checks::default(),
        personal: Vec::new(),
        features: None,
        hierarchy: vec![],
        price: None,
        models: vec![],
        auto: false,
        budget: Duration::from_secs(1),
        horizon: Horizon::new(2).expect("in range"),
        quantiles: [0.1, 0.9].map(|p| Quantile::new(p).expect("in range")).to_vec(),
        folds: 3,
        fold_stride: None,
        season_length: None,
        seed: Seed(0),
        gates: almanac_evaluate::GateConfig { beats: vec![], min_folds: 1 },
        memory: 0,
        root: std::path::PathBuf::new(),
        config_text: String::new(),
    }
}

#[test]
fn a_series_that_a_model_cannot_forecast_is_forecast_by_the_best_baseline_that_can() {
    let (panel, settings) = (panel(), settings());
    let bundle = Bundle::refit(&panel, &["picky".to_owned()], &Flats, &settings, None).expect("fitted");
    let given = bundle.forecast(&panel, "picky", settings.horizon, &settings.quantiles).expect("forecast");
    let forecast = &given.forecast;
    assert_eq!(forecast.model, "picky");
    let ids: Vec<&str> = forecast.series.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids, ["rows_3", "rows_6", "rows_9"]);
    assert_eq!((forecast.mean.as_slice(), forecast.quantile_values.len()), ([1.0, 1.0, 10.0, 10.0, 100.0, 100.0].as_slice(), 12));
    assert_eq!(forecast.skipped.iter().map(|skipped| skipped.series.as_str()).collect::<Vec<_>>(), ["rows_1"]);
    let by: Vec<(&str, &str)> = given.fallbacks.iter().map(|fallback| (fallback.series.as_str(), fallback.model.as_str())).collect();
    assert_eq!(by, [("rows_3", "naive"), ("rows_6", "seasonal_naive")]);
    assert_eq!(given.fallbacks[1].reason.to_string(), "series `rows_6` has 6 usable rows, `picky` needs at least 9");
    assert_eq!((given.model_of(&"rows_6".into()), given.model_of(&"rows_9".into())), ("seasonal_naive", "picky"));
}

#[test]
fn a_baseline_has_the_other_one_behind_it() {
    let (panel, settings) = (panel(), settings());
    let bundle = Bundle::refit(&panel, &["naive".to_owned()], &Flats, &settings, None).expect("fitted");
    let given = bundle.forecast(&panel, "seasonal_naive", settings.horizon, &settings.quantiles).expect("forecast");
    assert_eq!(given.fallbacks.iter().map(|fallback| fallback.series.as_str()).collect::<Vec<_>>(), ["rows_3"]);
    let given = bundle.forecast(&panel, "naive", settings.horizon, &settings.quantiles).expect("forecast");
    assert_eq!((given.fallbacks.len(), given.forecast.skipped.len()), (0, 1));
}

#[test]
fn what_cannot_be_fitted_or_summed_is_said() {
    let (panel, settings) = (panel(), settings());
    let refit = |name: &str| Bundle::refit(&panel, &[name.to_owned()], &Flats, &settings, None);
    assert!(matches!(refit("ensemble"), Err(PipelineError::NoEnsemble)));
    assert!(matches!(refit("nobody"), Err(PipelineError::UnknownModel { .. })));
    let bundle = refit("picky").expect("fitted");
    let hierarchy = Hierarchy::new(&panel, &[]).expect("no levels");
    let bottom = bundle.forecast(&panel, "picky", settings.horizon, &settings.quantiles).expect("forecast").forecast;
    let error = bundle.forecast_level(&panel, &hierarchy, 0, &bottom, &settings.quantiles).expect_err("no calibrator");
    assert_eq!(
        error.to_string(),
        "`picky` has no intervals at level `total`: none were calibrated, and it gives no quantiles of its own there"
    );
}
